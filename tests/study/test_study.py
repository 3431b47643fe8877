import errno
import json
import os
import shutil

import numpy as np
import pandas as pd
import pytest
import torch

from morpholaw.cells.crop_set import CropSet
from morpholaw.config import ClassifierConfig, LawConfig
from morpholaw.errors import InputError, NoSpaceError, StudyGoneError, StudyLockedError
from morpholaw.evaluation.baselines import baseline_features, predict_baseline
from morpholaw.evaluation.cross_validation import Design
from morpholaw.events import Message, Monitor
from morpholaw.interpretation.interventions import NAMES
from morpholaw.interpretation.latent_summary import LatentSummary
from morpholaw.models.classifier import Classifier
from morpholaw.models.law import Law
from morpholaw.sample import sample_folder
from morpholaw.store import classifiers, encoders
from morpholaw.store.labelled_cells import labelled_cells
from morpholaw.study import Study, classifier_step, law_step
from morpholaw.study.attack_step import common_cells
from morpholaw.study.classify_step import unsure_cells, unusual_cells
from morpholaw.study.intervention_step import verdicts
from morpholaw.training.rigl import METHODS
from morpholaw.training.tune import Tuned


def test_table_1_has_a_row_for_each_scheme_beside_the_papers(trained_study):
    table = trained_study.table1().set_index("name")
    assert list(table.index) == ["scheme2", "scheme3", "scheme4-hinge", "shapes-logistic", "shapes-tree"]
    assert table.loc["scheme2", "head weights"] == "1040"
    assert table.loc["scheme2", "head expression size"] == "8641"
    assert table.loc["scheme4-hinge", "head weights"] == "n/a"
    assert table.loc["scheme3", "paper's size"] == "180 ± 20"
    assert table["split"].nunique() == 1
    assert (
        "  accuracy %" in str(table).splitlines()[0]
    )  # where it is printed narrow, the own accuracy is not left out


def test_all_schemes_are_tested_on_the_same_cells_and_no_group_is_on_both_sides(trained_study):
    cells = labelled_cells(trained_study, ClassifierConfig())
    groups = trained_study.crops.cells["group"].to_numpy()
    assert not set(groups[cells.train]) & set(groups[cells.test])
    assert len(cells.train) + len(cells.test) == 200
    assert labelled_cells(trained_study, ClassifierConfig()).fingerprint == cells.fingerprint


def test_classifying_a_study_gives_a_row_a_cell_whose_class_is_the_scores_sign(trained_study):
    table = trained_study.classify(2)
    assert list(table.columns)[-3:] == ["class", "probability", "unusual"]
    assert len(table) == 200
    assert ((table["score"] >= 0) == (table["class"] == "metaphase")).all()


def test_a_movie_is_cut_and_classified_in_one_call(trained_study, tmp_path):
    movie = np.random.default_rng(0).integers(100, 200, (2, 80, 80)).astype(np.uint16)
    movie[:, 30:50, 30:50] += 1000
    tracks = pd.DataFrame({"track_id": 1, "t": [0, 1], "y": 40.0, "x": 40.0, "parent": -1})
    table = trained_study.classify(4, movie=movie, tracks=tracks)
    assert table[["track_id", "t"]].to_numpy().tolist() == [[1, 0], [1, 1]]


def test_a_newborn_that_looks_like_a_metaphase_is_none_with_its_track_in_view(study, trained_study):
    scored = trained_study.classify(2)
    between = list(scored.index[scored["class"] == "interphase"][:10])
    dividing = list(scored["score"].nlargest(2).index)  # plain metaphases
    lives = [(0, 0, -1, between + dividing), (1, 12, 0, dividing + between), (2, 12, 0, between)]
    cells = pd.DataFrame(
        [
            {"track_id": track, "t": start + k, "y": 0.0, "x": 0.0, "parent": parent, "from": crop}
            for track, start, parent, crops in lives
            for k, crop in enumerate(crops)
        ]
    )
    images = np.array(trained_study.crops[:])[cells.pop("from").to_numpy()]
    movie = CropSet.write(study.new_set_folder("movie"), images, cells)
    table = trained_study.classify(2, crops=movie, along_tracks=True)
    assert table.loc[table["frame_class"] == "metaphase", "track_id"].tolist() == [0, 0, 1, 1]
    assert table.loc[table["class"] == "metaphase", "track_id"].tolist() == [0, 0]
    pd.testing.assert_series_equal(
        trained_study.classify(2, crops=movie, along_tracks=False)["class"],
        table["frame_class"],
        check_names=False,
    )
    pd.testing.assert_frame_equal(trained_study.classify(2, crops=movie), table)


def test_probabilities_are_given_at_a_stated_prevalence(trained_study):
    equal, rare = trained_study.classify(2), trained_study.classify(2, prevalence=0.02)
    columns = ["score", "class"]
    pd.testing.assert_frame_equal(equal[columns], rare[columns])  # what is predicted stays
    odds = {
        name: table["probability"] / (1 - table["probability"])
        for name, table in (("equal", equal), ("rare", rare))
    }
    change = np.where(equal["class"] == "metaphase", 0.02 / 0.98, 0.98 / 0.02)
    np.testing.assert_allclose(odds["rare"], odds["equal"] * change, rtol=1e-6)
    with pytest.raises(InputError, match="prevalence"):
        trained_study.classify(2, prevalence=2.0)


def test_crops_without_tracks_are_called_frame_by_frame(study, trained_study):
    cells = pd.DataFrame({"file": [f"{k}.png" for k in range(40)]})
    crops = CropSet.write(study.new_set_folder("files"), np.array(trained_study.crops[:40]), cells)
    table = trained_study.classify(2, crops=crops, along_tracks=True)
    assert (table["class"] == table["frame_class"]).all()
    assert "frame_class" not in trained_study.classify(2, crops=crops)


def test_classification_along_tracks_needs_calibrated_scores(study):
    record = classifiers.record(study, "scheme2")
    evaluation = record.evaluation.model_copy(update={"calibration": None})
    record.model_copy(update={"evaluation": evaluation}).write(
        study.path / "classifiers" / "scheme2" / "model.json"
    )
    assert "frame_class" not in study.classify(2)
    with pytest.raises(InputError, match="needs calibrated scores, but the held-out cells of scheme2"):
        study.classify(2, along_tracks=True)


def test_a_named_latent_keeps_its_name(study):
    study.name_latent(17, " elongation ")
    assert Study(study.path).latent_names == {17: "elongation"}
    study.name_latent(17, "")
    assert study.latent_names == {}


def test_names_of_latents_belong_to_the_encoder_that_they_were_given_for(study, trained_study):
    study.name_latent(17, "elongation")
    study.train_encoder(epochs=1, epoch_crops=64, threads=1, seed=5)
    assert study.latent_names == {}
    study.name_latent(17, "size")
    study.load_encoder(trained_study.path / "encoder")
    assert study.latent_names == {17: "elongation"}


def test_annotations_lie_over_imported_labels(study):
    study.annotations.set_label("simulated", 0, "metaphase")
    assert study.labels[0] == "metaphase"
    assert Study(study.path).labels[0] == "metaphase"


def test_latents_are_computed_once_and_anew_after_another_training(study):
    first, _ = study.latents()
    assert first.shape == (200, 32)
    np.testing.assert_array_equal(study.latents()[0], first)
    study.train_encoder(epochs=1, epoch_crops=256, threads=1, seed=5)
    assert not np.array_equal(study.latents()[0], first)


def test_the_report_the_panel_and_scripts_suggest_the_same_names(trained_study):
    from morpholaw.report.material import Material
    from morpholaw.widgets.latents.latent_space import read_latent_space
    from morpholaw.widgets.study.encoder_state import EncoderFile

    summary = trained_study.latent_summary()
    in_report = Material(trained_study).latents
    in_panel = read_latent_space(EncoderFile.of(trained_study)).summary
    for other in (in_report, in_panel):
        assert other.names == summary.names
        pd.testing.assert_frame_equal(other.ranking, summary.ranking)
        pd.testing.assert_frame_equal(other.correlations, summary.correlations)


def test_an_encoder_can_be_taken_over_from_a_colleague(study, trained_study, tmp_path):
    other = Study.create(tmp_path / "other")
    other.load_encoder(trained_study.path / "encoder")
    assert other.encoder.latents == 32


def test_a_stopped_training_of_heads_keeps_the_models_from_before(study):
    before = (study.path / "classifiers" / "scheme2" / "model.json").read_text()
    study.train_classifier(2, models=1, monitor=Monitor(should_stop=lambda: True))
    assert (study.path / "classifiers" / "scheme2" / "model.json").read_text() == before


def test_a_search_is_resumed_and_its_settings_are_used_from_then_on(study):
    small = {"trials": 2, "runs": 1, "epochs": 4, "batch_trials": 1}
    found = study.tune(**small)
    assert 0.95 <= found.sparsity <= 0.97
    assert len(pd.read_csv(study.path / "search" / "trials.csv")) == 2
    study.tune(**small | {"trials": 3})
    assert len(pd.read_csv(study.path / "search" / "trials.csv")) == 3
    made = study.train_classifier(3, models=1, epochs=4, warmup_epochs=2, epoch_cells=0)
    assert made.config.sparsity == study.tuned.sparsity


def test_attacks_make_it_worse_and_held_latents_are_named(trained_study):
    table = trained_study.attack(scheme=2, space="latent", eps=(0.0, 2.0))
    mean = table.groupby("eps")["accuracy"].mean()
    assert mean[2.0] < mean[0.0]
    assert table.groupby("eps")["random_signs"].mean()[2.0] > mean[2.0]
    assert (table.loc[table["eps"] == 0, "random_signs"] == table.loc[table["eps"] == 0, "accuracy"]).all()
    with pytest.raises(InputError, match="no latent 'z99' to hold fixed"):
        trained_study.attack(scheme=2, space="latent", keep="z99", eps=(0.1,))
    with pytest.raises(InputError, match="no latent 'z3 z4' to hold fixed"):
        trained_study.attack(scheme=2, space="latent", keep="z3 z4", eps=(0.1,))
    with pytest.raises(InputError, match="no trained scheme1"):
        trained_study.attack(scheme=1, space="latent", eps=(0.1,))


def test_successful_attacks_on_crops_say_how_much_of_them_lies_inside_the_nucleus(trained_study):
    table = trained_study.attack(scheme=2, eps=(0.0, 0.3))
    nothing, attacked = (table[table["eps"] == eps] for eps in (0.0, 0.3))
    assert nothing[["energy_inside", "nucleus_area"]].isna().all(axis=None)
    succeeded = attacked[attacked["accuracy"] < nothing["accuracy"].to_numpy()]
    assert len(succeeded)
    assert succeeded["energy_inside"].between(0, 1, inclusive="neither").all()
    assert succeeded["nucleus_area"].between(0.01, 0.5).all()


def test_several_schemes_are_attacked_in_one_call(trained_study):
    attack = {"space": "latent", "eps": (0.0, 2.0)}
    both = trained_study.attack(schemes=[2, 3], **attack)
    apart = pd.concat([trained_study.attack(scheme=scheme, **attack) for scheme in (2, 3)], ignore_index=True)
    pd.testing.assert_frame_equal(both, apart)
    with pytest.raises(InputError, match="scheme"):
        trained_study.attack(schemes=[2, 7], **attack)
    stops = iter([False, False, True])  # asked before each curve's only batch, and between the schemes
    assert set(
        trained_study.attack(schemes=[2, 3], monitor=Monitor(should_stop=lambda: next(stops)), **attack)[
            "scheme"
        ]
    ) == {2}


def test_a_latent_is_held_by_a_name_of_several_words(study):
    study.name_latent(3, "cell size")
    by_name = study.attack(scheme=2, space="latent", keep=" cell size, z5 ,", eps=(1.0,))
    by_number = study.attack(scheme=2, space="latent", keep="z3,z5", eps=(1.0,))
    assert by_name["accuracy"].tolist() == by_number["accuracy"].tolist()


def test_the_neighbourhood_attack_moves_a_sparse_head_that_reads_the_surroundings(trained_study, monkeypatch):
    # Morphology is not what scheme 3 kept: a head that reads nothing else is left alone, another one is not.
    kept = sorted(set().union(*classifiers.record(trained_study, "scheme3").kept_latents))

    def accuracy(morphology: list[int], eps: float) -> list[float]:
        monkeypatch.setattr(LatentSummary, "morphology", morphology)
        table = trained_study.attack(scheme=3, space="latent", keep="morphology", eps=(eps,))
        return table["accuracy"].tolist()

    assert accuracy(kept, 3.0) == accuracy(kept, 0.0)
    others = sorted(set(range(32)) - set(kept))
    assert accuracy(others, 3.0) != accuracy(others, 0.0)
    with pytest.raises(InputError, match="No latent describes morphology"):
        accuracy([], 3.0)


def test_interventions_are_measured_on_held_out_cells_of_each_classifier(trained_study):
    table = trained_study.interventions((2, 3), cells=20)
    assert set(table["classifier"]) == {"scheme2", "scheme3"}
    assert list(table["intervention"][: len(NAMES)]) == list(NAMES)
    clean = table[table["intervention"] == "none"]
    assert (clean["flips"] == 0).all()
    assert (table["balanced_accuracy_low"] <= table["balanced_accuracy"]).all()
    assert (table["balanced_accuracy"] <= table["balanced_accuracy_high"]).all()
    said = verdicts(table)
    assert list(said) == ["scheme2", "scheme3"]
    assert all(
        sentence.endswith(".") and "surroundings of the cell" in sentence for sentence in said.values()
    )
    with pytest.raises(InputError, match="no trained scheme1"):
        trained_study.interventions(1)


def test_interventions_that_are_stopped_leave_out_what_is_unfinished(trained_study):
    asked = []

    def stop() -> bool:
        asked.append(True)
        return len(asked) > 60  # in the midst of the second classifier, of 45 sets of crops each

    table = trained_study.interventions((2, 3), cells=8, monitor=Monitor(should_stop=stop))
    assert set(table["classifier"]) == {"scheme2"}
    assert list(table["intervention"]) == list(NAMES)
    nothing = trained_study.interventions("scheme2", cells=8, monitor=Monitor(should_stop=lambda: True))
    assert len(nothing) == 0
    assert verdicts(nothing) == {}


def test_laws_found_with_either_loss_can_be_attacked(study):
    with pytest.raises(InputError, match="no trained scheme4-mse"):
        study.attack(scheme=4, loss="mse", eps=(0.0,))
    study.discover_law(loss="mse", count=1, evaluations=2_000, processes=1)
    table = study.attack(scheme=4, loss="mse", space="latent", eps=(0.0, 3.0))
    assert set(table["loss"]) == {"mse"}
    assert len(table) == 2 * len(study.laws("mse"))


def test_a_search_stopped_before_a_law_was_found_keeps_the_laws_from_before(study, monkeypatch):
    before = study.laws()
    monkeypatch.setattr(law_step, "discover_laws", lambda *_, **__: [])
    study.discover_law(monitor=Monitor(should_stop=lambda: True))
    assert [law.text() for law in study.laws()] == [law.text() for law in before]


def test_cells_are_attacked_that_their_models_were_not_trained_on(study):
    study.train_classifier(2, models=1, epochs=2, epoch_cells=0, split_seed=5)
    test, targets = study.held_out("scheme2")
    assert set(test) == set(labelled_cells(study, ClassifierConfig(split_seed=5)).test)
    assert set(test) != set(labelled_cells(study, ClassifierConfig()).test)
    scored = study.classify(2)["class"].to_numpy()[test]
    clean = study.attack(scheme=2, eps=(0.0,))["accuracy"][0]
    assert clean == np.mean((scored == "metaphase") == (targets > 0))


def test_classifiers_are_compared_on_cells_that_none_of_them_was_trained_on(study, monkeypatch):
    study.train_classifier(2, models=1, epochs=2, epoch_cells=0, split_seed=5, test_fraction=0.4)
    scored = []

    def score(classifier, images, **_):
        scored.append(len(images))
        return np.ones((1, len(images)))

    monkeypatch.setattr("morpholaw.study.compare_step.score_crops", score)
    table = study.compare().set_index("classifier")
    first, second = set(study.held_out("scheme2")[0]), set(study.held_out("scheme3")[0])
    assert scored[:2] == [len(first), len(second)]
    assert first & second
    assert first != second
    np.testing.assert_array_equal(table.iloc[:3, :3], np.ones((3, 3)))


def test_the_baselines_are_compared_with_the_classifiers_on_the_same_cells(trained_study):
    table = trained_study.compare().set_index("classifier")
    assert list(table) == ["scheme2", "scheme3", "scheme4-hinge", "shapes-logistic", "shapes-tree"]
    split = trained_study.split()
    train, test = (baseline_features(trained_study.crops[cells]) for cells in (split.train, split.test))
    scored = trained_study.classify(2)["class"].to_numpy()[split.test] == split.classes[1]
    for name in ("shapes-logistic", "shapes-tree"):
        predicted = predict_baseline(name, train, split.train_targets, test)
        assert table.loc["scheme2", name] == table.loc[name, "scheme2"] == np.mean(scored == predicted)
        assert table.loc[name, name] == 1
    pairs = trained_study.compare_pairs().set_index(["first", "second"])
    assert len(pairs) == 10
    for name in ("shapes-logistic", "shapes-tree"):
        pair = pairs.loc[("scheme2", name)]
        differ = (
            pair["only_first"] + pair["only_second"]
        )  # with two classes, one of two different calls is right
        assert differ == np.sum(scored != predict_baseline(name, train, split.train_targets, test))
        assert pair["cells"] == len(split.test)


def test_heads_and_laws_read_morphology_alone_where_they_are_told_to(study, monkeypatch):
    morphology = [1, 4, 7, 11]
    monkeypatch.setattr(LatentSummary, "morphology", morphology)
    quick = {"models": 2, "epochs": 8, "epoch_cells": 600, "warmup_epochs": 4, "learning_rate": 5e-3}
    dense = study.train_classifier(2, keep="morphology", **quick)
    assert set(dense.kept_latents) == {tuple(morphology)}
    sparse = study.train_classifier(3, keep="morphology", sparsity=0.5, **quick)
    read = set().union(*sparse.kept_latents)
    assert read
    assert read <= set(morphology)
    study.discover_law(count=1, evaluations=2_000, processes=1)
    assert {latent for law in study.laws() for latent in law.latents} <= read
    # What is kept is what was trained: other latents do not move a score.
    means, head = study.latents()[0][:20], study.classifier(3).head
    moved = means.copy()
    moved[:, [k for k in range(32) if k not in morphology]] += 5
    with torch.no_grad():
        assert torch.equal(head(torch.tensor(means)), head(torch.tensor(moved)))
    monkeypatch.setattr(LatentSummary, "morphology", [])
    with pytest.raises(InputError, match="No latent describes morphology"):
        study.train_classifier(2, keep="morphology", **quick)


def test_classifiers_of_other_classes_are_not_compared(study):
    labels = {("simulated", crop): "late" for crop in range(0, 120, 2)}
    study.annotations.set_labels(labels)
    study.train_classifier(2, models=1, epochs=2, epoch_cells=0, classes=("interphase", "late"), replace=True)
    for name in ("scheme3", "scheme4-hinge"):
        shutil.rmtree(study.path / "classifiers" / name)
    study.train_classifier(3, models=1, epochs=2, warmup_epochs=1, epoch_cells=0)
    table = study.compare().set_index("classifier")
    assert np.isnan(table.loc["scheme2", "scheme3"])
    assert table.loc["scheme2", "scheme2"] == 1
    with pytest.raises(InputError, match="distinguish different classes"):
        study.attack(schemes=[2, 3], space="latent", eps=(0.0,))


def test_classes_are_not_replaced_unasked(study):
    study.annotations.set_labels({("simulated", crop): "late" for crop in range(0, 120, 2)})
    before = classifiers.record(study, "scheme2")
    with pytest.raises(InputError, match=r"has scheme2 for interphase and metaphase; .*--replace"):
        study.train_classifier(2, models=1, epochs=1, epoch_cells=0, classes=("interphase", "late"))
    assert classifiers.record(study, "scheme2") == before
    study.train_classifier(2, models=1, epochs=1, epoch_cells=0, classes=("interphase", "late"), replace=True)
    assert classifiers.record(study, "scheme2").classes == ("interphase", "late")


def test_the_shipped_models_are_attacked_and_compared_on_cells_that_they_were_not_trained_on(tmp_path):
    study = Study.create(tmp_path / "sample")
    crops = CropSet(sample_folder() / "labelled")
    few = np.flatnonzero(np.arange(len(crops)) % 50 == 0)
    CropSet.write(
        study.new_set_folder("labelled"),
        np.array(crops.images[:])[few],
        crops.cells.iloc[few].assign(crop=range(len(few))),
    )
    study.load_encoder("sample")
    for name in ("scheme2", "scheme3"):
        classifiers.adopt(study, sample_folder() / "classifiers" / name)
    table = study.attack(schemes=[2, 3], eps=(0.0,))
    assert table["accuracy"].min() > 0.9
    assert table["split"].nunique() == 1
    assert study.compare().set_index("classifier").loc["scheme2", "scheme3"] > 0.9
    assert len(study.held_out("scheme2")[0]) == len(few)
    study.train_classifier(2, models=1, epochs=1, epoch_cells=0)
    held_out, _ = study.held_out("scheme2")
    assert 0 < len(held_out) < len(few)
    assert set(common_cells(study, ["scheme2", "scheme3"])) == set(held_out)


def test_a_search_has_the_classes_split_and_method_that_it_was_asked_for(study, monkeypatch):
    study.annotations.set_labels({("simulated", crop): "late" for crop in range(0, 120, 2)})
    asked = {}

    def search(latents, targets, validation, config, classifier, *, method, **_):
        asked.update(
            latents=latents, targets=targets, validation=validation, classifier=classifier, method=method
        )
        raise InputError("enough")

    monkeypatch.setattr("morpholaw.study.tune_step.search.tune", search)
    settings = {
        "classes": ("interphase", "late"),
        "split_seed": 3,
        "test_fraction": 0.3,
        "sparse_method": "paper",
    }
    with pytest.raises(InputError, match="enough"):
        study.tune(**settings)
    config = ClassifierConfig(**settings)
    assert asked["classifier"].model_dump(include=set(settings)) == settings
    assert asked["method"] is METHODS["paper"]
    cells = labelled_cells(study, config)
    assert set(cells.test).isdisjoint(cells.train)
    means = study.latents()[0][cells.train]
    judged = asked["latents"][0, asked["validation"]]
    nearest = np.abs(judged[:, None] - means[None]).max(2).min(1)
    assert nearest.max() < 1e-4  # the crops as they are, without noise


def test_a_classifier_made_by_hand_is_measured_and_kept_like_the_others(study):
    half = float(np.median(study.latents()[0][:, 3]))
    law = Law.parse(f"z3 - ({half})", ["z3"])  # either class has half of the cells
    classifier = Classifier.with_laws(study.encoder, [law], ("interphase", "metaphase"))
    measured = study.evaluate(classifier)
    record = study.add_classifier(classifier, "by-hand")
    assert record.evaluation == measured
    assert measured.test_cells == len(study.held_out("by-hand")[0])
    assert study.table1().set_index("name").loc["by-hand", "model"].endswith("(by-hand)")
    assert study.classifier("by-hand").laws[0] == law
    assert set(study.classify("by-hand")["class"]) <= {"interphase", "metaphase"}
    with pytest.raises(InputError, match="cannot be called 'by hand'"):
        study.add_classifier(classifier, "by hand")


def test_what_made_a_result_stands_beside_it(trained_study):
    record = trained_study.encoder_record
    assert record.config.learning_rate == 1e-4
    assert {"morpholaw", "torch", "python"} <= set(record.provenance.versions)
    assert record.provenance.data == encoders.data_fingerprint(trained_study)


class TestBadInput:
    def test_a_folder_that_is_no_study(self, tmp_path):
        with pytest.raises(InputError, match="is not a Morpholaw study"):
            Study(tmp_path)

    def test_a_study_of_a_newer_version(self, tmp_path):
        study = Study.create(tmp_path / "s")
        path = study.path / "study.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": 99}))
        with pytest.raises(InputError, match="newer version of Morpholaw"):
            Study(study.path)

    def test_a_place_that_is_taken(self, tmp_path):
        (tmp_path / "file").write_text("x")
        with pytest.raises(InputError, match="not empty"):
            Study.create(tmp_path)

    def test_training_without_crops_or_labels(self, tmp_path):
        study = Study.create(tmp_path / "s")
        with pytest.raises(InputError, match="no crops yet"):
            study.train_encoder()
        with pytest.raises(InputError, match="no cell of class 'interphase'"):
            study.train_classifier(2)

    def test_one_class_only(self, tmp_path, trained_study):
        study = Study.create(tmp_path / "s")
        source = trained_study.sets[0]
        CropSet.write(study.path / "crops" / "one", source.images[:50], source.cells.iloc[:50])
        with pytest.raises(
            InputError, match=r"no cell of class 'metaphase'; its labelled cells are 50 interphase"
        ):
            study.train_classifier(2)

    def test_a_scheme_without_its_encoder_or_models(self, tmp_path):
        study = Study.create(tmp_path / "s")
        with pytest.raises(InputError, match="no encoder yet"):
            _ = study.encoder
        with pytest.raises(InputError, match="no trained scheme3"):
            study.classifier(3)

    def test_two_processes_on_one_study(self, tmp_path):
        study = Study.create(tmp_path / "s")
        with (
            study.writing(),
            pytest.raises(StudyLockedError, match="Another process is working"),
            Study(study.path).writing(),
        ):
            pass
        with study.writing():
            pass

    def test_a_study_that_was_deleted_meanwhile(self, study):

        shutil.rmtree(study.path)
        with pytest.raises(StudyGoneError, match="moved or deleted"):
            study.train_encoder()

    @pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
    def test_a_full_disk_is_told_from_bad_input(self, study, monkeypatch, number):
        def fail(*_):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr("morpholaw.models.bundle.write_bytes", fail)
        with pytest.raises(NoSpaceError, match="cannot be written to"):
            study.load_encoder("sample")

    def test_an_encoder_of_another_shape_is_not_started_from(self, study, trained_study):
        with pytest.raises(InputError, match="does not match the settings; expected 8 latents"):
            study.train_encoder(latents=8, start_from=str(trained_study.path / "encoder"))


def test_cross_validation_writes_a_table_and_changes_no_model(study):
    before = {path: path.read_bytes() for path in (study.path / "classifiers").rglob("*") if path.is_file()}
    quick = {"models": 2, "epochs": 12, "warmup_epochs": 4, "epoch_cells": 0, "sparsity": 0.8}
    law = LawConfig(count=1, evaluations=2_000, processes=1)
    table = study.cross_validate(4, folds=2, law=law, **quick)
    assert list(dict.fromkeys(table["classifier"])) == ["scheme4-hinge", "shapes-logistic", "shapes-tree"]
    total = table[table["fold"] == "all"].set_index("classifier")
    assert set(total["test_cells"]) == {200}
    assert total.loc["shapes-logistic", "balanced_accuracy"] > 0.9
    saved = study.path / "cross_validation"
    assert len(pd.read_csv(saved / "scheme4-hinge.csv")) == len(table)
    assert set(pd.read_csv(saved / "scheme4-hinge-groups.csv")["classifier"]) == set(total.index)
    after = {path: path.read_bytes() for path in (study.path / "classifiers").rglob("*") if path.is_file()}
    assert after == before


def test_cross_validation_has_the_median_of_several_models_beside_their_mean(study):
    quick = {"epochs": 2, "epoch_cells": 0, "learning_rate": 1e-2}
    said: list[str] = []
    monitor = Monitor(lambda event: said.append(event.text) if isinstance(event, Message) else None)
    table = study.cross_validate(2, folds=2, models=3, monitor=monitor, **quick)
    assert said[-3:] == [
        "Fold 1 of 2.",
        "Fold 2 of 2.",
        "2 of 2 folds are tested.",
    ]
    names = ["scheme2", "scheme2-median", "shapes-logistic", "shapes-tree"]
    assert list(dict.fromkeys(table["classifier"])) == names
    models = table[table["fold"] != "all"].groupby("classifier")["models"].max()
    assert models["scheme2"] == 3
    assert models["scheme2-median"] == 1
    alone = study.cross_validate(2, folds=2, models=1, **quick)
    assert "scheme2-median" not in set(alone["classifier"])


def test_a_stopped_cross_validation_continues_after_the_folds_that_were_tested(study, monkeypatch):
    quick = {"models": 1, "epochs": 1, "epoch_cells": 0, "seed": 5}
    whole = study.cross_validate(2, folds=2, **quick)
    kept = study.path / "cross_validation"
    name = max(kept.glob("*.json"), key=lambda file: file.stat().st_mtime).stem
    before = (kept / f"{name}.csv").read_bytes()
    trained: list[int] = []
    train = classifier_step.train
    monkeypatch.setattr(
        classifier_step, "train", lambda *given, **more: trained.append(1) or train(*given, **more)
    )
    said: list[str] = []

    def monitor(most: int) -> Monitor:
        emit = lambda event: said.append(event.text) if isinstance(event, Message) else None  # noqa: E731
        return Monitor(emit, lambda: len(trained) > most)

    stopped = study.cross_validate(2, folds=2, monitor=monitor(1), **quick)
    assert set(stopped["fold"]) == {"1", "all"}
    assert said[-1].startswith(
        "1 of 2 folds are tested. Cross-validating again with the same settings continues"
    )
    assert (kept / f"{name}-incomplete.csv").exists()
    assert (kept / f"{name}.csv").read_bytes() == before
    trained.clear()
    with study.writing(), pytest.raises(StudyLockedError, match="The tested folds are kept"):
        Study(study.path).cross_validate(2, folds=2, monitor=monitor(9), **quick)
    assert len(trained) == 1
    continued = study.cross_validate(2, folds=2, monitor=monitor(9), **quick)
    assert len(trained) == 1
    assert [text for text in said if text.startswith("Continuing")] == [
        "Continuing after the 1 of 2 folds tested before.",
        "Continuing after the 2 of 2 folds tested before.",
    ]
    pd.testing.assert_frame_equal(continued, whole)
    assert not list(kept.glob(f"{name}-incomplete*"))
    assert not list(kept.glob("stopped-*"))


def test_settings_of_a_fold_are_searched_without_its_test_cells(study, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "morpholaw.study.cross_validation_step.search_settings",
        lambda folder, cells, *rest: seen.append(cells) or Tuned(0.9, 100, 0.7, 1.0, None),
    )
    used = []
    train = classifier_step.train
    monkeypatch.setattr(
        classifier_step,
        "train",
        lambda folder, scheme, config, *rest, **more: (
            used.append(config) or train(folder, scheme, config, *rest, **more)
        ),
    )
    quick = {"models": 1, "epochs": 6, "warmup_epochs": 2, "epoch_cells": 0}
    study.cross_validate(3, design=Design(folds=2, trials=4), **quick)
    groups = study.crops.cells["group"].to_numpy(str)
    assert len(seen) == 2
    assert all(not set(groups[cells.train]) & set(groups[cells.test]) for cells in seen)
    assert [config.sparsity for config in used] == [0.9, 0.9]
    assert (study.path / "cross_validation" / "scheme3-tuned.csv").exists()


def test_there_is_nothing_to_search_for_dense_heads(study):
    with pytest.raises(InputError, match="sparse networks"):
        study.cross_validate(2, design=Design(trials=4))


def test_cross_validation_refuses_more_folds_than_groups(study):
    with pytest.raises(InputError, match="groups"):
        study.cross_validate(2, folds=1000)


def test_table_1_has_the_baselines_on_the_same_split(study):
    study.train_classifier(2, models=1, epochs=2, epoch_cells=0)
    table = study.table1().set_index("name")
    assert list(table.index[-2:]) == ["shapes-logistic", "shapes-tree"]
    assert set(table["split"]) == {table.loc["scheme2", "split"]}
    low, high = map(float, table.loc["shapes-logistic", "balanced 95 % interval"].split(" to "))
    assert low <= float(table.loc["shapes-logistic", "balanced accuracy %"]) <= high
    written = (study.path / "baselines.json").stat().st_mtime_ns
    study.train_classifier(2, models=1, epochs=2, epoch_cells=0, seed=1)
    assert (study.path / "baselines.json").stat().st_mtime_ns == written  # measured once for a split


def test_crops_unlike_the_training_cells_are_marked(study):
    from morpholaw.cells.crop_record import CropOrigin
    from morpholaw.cells.simulator import simulate_crops

    study.train_classifier(2, models=1, epochs=2, epoch_cells=0)
    images, cells = simulate_crops(60, seed=9)
    images[:3] = 0
    odd = CropSet.write(study.path / "odd", images, cells, CropOrigin(kind="simulated"))
    table = study.classify(2, crops=odd)
    assert table["unusual"][:3].all()
    assert table["unusual"][3:].mean() < 0.15
    kept = study.path / "classifiers" / "scheme2" / "familiarity.json"
    assert kept.exists()
    kept.unlink()  # an older classifier: the training cells are looked up in the study
    assert study.classify(2, crops=odd)["unusual"].tolist() == table["unusual"].tolist()


def test_cells_whose_probability_contradicts_their_class_are_counted():
    table = pd.DataFrame({"score": [1.0, -0.1, 2.0], "probability": [0.9, 0.4, 0.8]})
    assert unsure_cells(table).startswith("1 of 3 cells has a probability below 0.5 for their own class")
    at_prevalence = unsure_cells(table, rare=True)
    assert "at the stated prevalence" in at_prevalence
    assert unsure_cells(table.iloc[[0, 2]]) == ""
    assert unsure_cells(table.assign(probability_anaphase=0.3)) == ""  # of three classes, 0.4 may be the most


def test_a_classifier_that_was_sent_brings_its_encoder_into_a_study_without_one(study, tmp_path):
    study.classifier(2).save(tmp_path / "sent")
    expected = study.classify(2)
    sha256 = study.encoder_record.sha256
    for folder in ("encoder", "classifiers"):
        shutil.rmtree(study.path / folder)
    yours = Study(study.path)
    record = yours.add_classifier(Classifier.load(tmp_path / "sent"), "sent")
    assert (yours.has_encoder, record.encoder_fingerprint) == (False, sha256)
    np.testing.assert_allclose(yours.classify("sent")["score"], expected["score"], rtol=1e-6)


def test_unusual_cells_are_not_said_to_be_wrong():
    """All cells of a resampled movie are unusual, although a law can call 99 % of them correctly."""
    sentence = unusual_cells(pd.DataFrame({"class": ["interphase"] * 4, "unusual": [True] * 4}))
    assert sentence.startswith("Unusual cells: 4 of 4 (100.0 %).")
    assert "may not hold for them; label some of them to measure it" in sentence
    assert "not reliable" not in sentence
