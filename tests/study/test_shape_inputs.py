"""Laws and heads over measured shapes: found, kept, opened and applied without an encoder."""

import json
import shutil

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from morpholaw.cells.crop_record import CropOrigin
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.simulator import simulate_crops
from morpholaw.cli import main
from morpholaw.errors import InputError
from morpholaw.events import Front, Monitor
from morpholaw.models.classifier import Classifier
from morpholaw.models.features import ModelColumns
from morpholaw.models.law_units import law_in_units
from morpholaw.store.overview import overview
from morpholaw.study import Study

HEADS = {"models": 2, "epochs": 10, "warmup_epochs": 4, "epoch_cells": 1_000, "learning_rate": 5e-3}


@pytest.fixture(scope="module")
def shape_study(made_once):
    """150 labelled crops, no encoder, laws and sparse heads over shapes; read only."""

    def make(folder):
        study = Study.create(folder)
        images, cells = simulate_crops(phases={"interphase": 90, "metaphase": 60}, seed=1)
        CropSet.write(study.path / "crops" / "simulated", images, cells, CropOrigin(kind="simulated"))
        study.discover_law(inputs="shapes", count=2, evaluations=4_000, processes=1)
        study.train_classifier(3, inputs="shapes", sparsity=0.5, update_every=20, **HEADS)

    return Study(made_once("shape-study", make))


def test_a_law_over_shapes_needs_no_encoder_and_is_right_on_held_out_cells(shape_study):
    record = shape_study.table1().set_index("name").loc["scheme4-hinge"]
    assert not shape_study.has_encoder
    assert record["model"] == "shapes + symbolic expression (hinge)"
    classifier = shape_study.classifier(4)
    assert classifier.inputs == "shapes"
    assert min(shape_study.evaluate(classifier).balanced_accuracy) > 0.85


def test_the_best_law_so_far_is_shown_in_units(shape_study, tmp_path):
    study, events = Study(shutil.copytree(shape_study.path, tmp_path / "copy")), []
    study.discover_law(
        inputs="shapes", count=1, evaluations=4_000, processes=1, monitor=Monitor(events.append)
    )
    shown = [event.law for event in events if isinstance(event, Front)][-1]
    assert study.test_law(shown).tested.balanced_accuracy.value > 0.85


def test_the_law_that_is_chosen_is_printed_in_units(shape_study, tmp_path):
    study = Study(shutil.copytree(shape_study.path, tmp_path / "copy"))
    result = CliRunner().invoke(main, ["apply-law", "--study", str(study.path), "--law", "2"])
    formula, _, unit = result.output.partition("metaphase where ")[2].rpartition(", ")
    assert unit.strip().endswith(" in px")
    tested = study.test_law(formula)
    assert tested.found[0].differs <= 1  # the printed constants are rounded


@pytest.mark.parametrize("scheme", [3, 4])
def test_models_over_shapes_open_as_they_were_saved_and_score_crops_alone(shape_study, scheme, tmp_path):
    classifier = shape_study.classifier(scheme)
    crops = shape_study.crops[np.arange(20)]
    images = torch.from_numpy(crops)[:, None].float() / 255
    standardised = classifier.columns.standardise(
        classifier.columns.table(None, classifier.columns.measure(crops))
    )
    by_hand = classifier.score_columns(torch.from_numpy(standardised.astype(np.float32)))
    classifier.save(tmp_path / "copy")
    again = Classifier.load(tmp_path / "copy")
    assert torch.equal(again.score_images(images), by_hand)
    assert again.columns == classifier.columns
    assert set(again.kept_columns(0)) <= set(classifier.columns.names)
    assert again.select(1).score_images(images).equal(by_hand[1:])
    table = shape_study.classify(scheme, crops=shape_study.sets[0])
    assert set(table["class"]) == {"interphase", "metaphase"}


def test_the_scales_are_those_of_the_training_cells(shape_study):
    columns = shape_study.classifier(4).columns
    train = shape_study.split().train
    measured = shape_study.shapes().iloc[train]
    assert np.allclose(columns.centre, measured.mean())
    assert np.allclose(columns.scale, measured.std(ddof=0))
    assert columns.pixel_size == shape_study.sets[0].record.scale


def test_a_cell_without_a_nucleus_has_no_class(shape_study):
    blank = torch.zeros(1, 1, 64, 64)
    for scheme in (3, 4):
        assert shape_study.classifier(scheme).score_images(blank).isnan().all()


def test_an_attack_on_shapes_is_refused_in_one_sentence(shape_study):
    with pytest.raises(InputError, match=r"scheme4-hinge cannot be attacked\. These models use shapes"):
        shape_study.attack(scheme=4)
    with pytest.raises(InputError, match="have no gradient"):
        shape_study.classifier(4).score_images(torch.zeros(1, 1, 64, 64, requires_grad=True))
    with pytest.raises(InputError, match="cannot score latents alone"):
        shape_study.classifier(4).score_latents(torch.zeros(1, 32))


def test_shuffled_labels_leave_nothing_to_find(shape_study, tmp_path):
    study = Study.create(tmp_path / "shuffled")
    images, cells = simulate_crops(phases={"interphase": 150, "metaphase": 150}, seed=1)
    cells["label"] = np.random.default_rng(0).permutation(cells["label"].to_numpy())
    CropSet.write(study.path / "crops" / "simulated", images, cells, CropOrigin(kind="simulated"))
    study.discover_law(inputs="shapes", count=1, evaluations=3_000, processes=1, test_fraction=0.5)
    assert study.evaluate(study.classifier(4)).balanced_accuracy[0] == pytest.approx(0.5, abs=0.15)


def test_laws_read_only_the_shapes_that_are_named(shape_study, tmp_path):
    study = Study.create(tmp_path / "named")
    images, cells = simulate_crops(phases={"interphase": 60, "metaphase": 40}, seed=1)
    CropSet.write(study.path / "crops" / "simulated", images, cells, CropOrigin(kind="simulated"))
    study.discover_law(
        inputs="shapes", shapes=("width", "neighbours"), count=1, evaluations=2_000, processes=1
    )
    assert study.classifier(4).columns.names == ("width", "neighbours")
    with pytest.raises(InputError, match="no shape 'girth'"):
        study.discover_law(inputs="shapes", shapes=("girth",))


def test_both_read_latents_and_shapes(study):
    study.discover_law(inputs="both", count=1, evaluations=3_000, processes=1)
    classifier = study.classifier(4)
    kept = set(classifier.columns.latents)
    assert kept
    assert classifier.inputs == "both"
    assert "width" in classifier.columns.names
    images = torch.from_numpy(study.crops[np.arange(8)])[:, None].float() / 255
    values = classifier.read_columns(images)
    latents = classifier.encoder.encode(images)[0]
    assert torch.allclose(values[:, : len(kept)], latents[:, list(classifier.columns.latents)], atol=1e-5)
    study.train_classifier(2, inputs="both", **HEADS)
    assert study.classifier(2).columns.latents == tuple(range(32))
    assert len(study.classify(2, crops=study.sets[0])) == 200


def test_mse_laws_need_scheme_3_on_the_same_inputs(study):
    with pytest.raises(InputError, match="scheme 3, which reads latents here and not shapes"):
        study.discover_law(loss="mse", inputs="shapes")
    study.train_classifier(3, inputs="shapes", sparsity=0.5, update_every=20, **HEADS)
    study.discover_law(loss="mse", inputs="shapes", count=1, evaluations=2_000, processes=1)
    assert study.classifier(4, "mse").inputs == "shapes"
    with pytest.raises(InputError, match="Scheme 3 reads measured shapes here"):
        study.discover_law()


@pytest.mark.parametrize(
    "damage",
    [
        {"names": ["girth"]},
        {"names": ["width", "width"]},
        {"scale": [0.0, 1.0]},
        {"centre": [float("nan"), 1.0]},
        {"scale": "11"},
        {"pixel_size": -1},
        {"pixel_size": []},
    ],
)
def test_damaged_columns_are_one_sentence(damage):
    values = {"names": ["area", "width"], "centre": [1.0, 2.0], "scale": [3.0, 4.0], "pixel_size": 0.3}
    assert json.loads(json.dumps(ModelColumns.from_json(values).to_json())) == values
    with pytest.raises(InputError):
        ModelColumns.from_json({**values, **damage})


def test_a_law_must_read_columns_that_there_are(shape_study):
    classifier = shape_study.classifier(4)
    narrow = ModelColumns.from_json({"names": ["area"], "centre": [0], "scale": [1]})
    with pytest.raises(InputError, match="not among the columns"):
        Classifier.with_laws(None, classifier.laws, classifier.classes, narrow)


def test_the_sentence_of_a_law_is_in_the_units_of_the_study(shape_study):
    said = shape_study.law_sentence()
    law = law_in_units(shape_study.laws()[0], shape_study.classifier(4).columns)
    shapes = shape_study.shapes()
    assert np.array_equal(law.score(shapes) >= 0, shape_study.classify(4)["score"].to_numpy() >= 0)
    assert "metaphase" in said.text
    with pytest.raises(InputError, match="no law 9"):
        shape_study.law_sentence(8)


@pytest.mark.parametrize("read", ["explain_cell", "law_sheet", "law_sentence"])
def test_networks_hold_no_law_to_read(shape_study, read, tmp_path):
    calls = {
        "explain_cell": lambda: shape_study.explain_cells([0], 0, "hinge", "scheme3"),
        "law_sheet": lambda: shape_study.law_sheet(tmp_path / "sheet.png", 0, "hinge", None, "scheme3"),
        "law_sentence": lambda: shape_study.law_sentence(name="scheme3"),
    }
    with pytest.raises(InputError, match="holds no laws"):
        calls[read]()


def test_report_and_card_say_the_law_and_what_cannot_be_shown(shape_study, tmp_path):
    study = Study(shutil.copytree(shape_study.path, tmp_path / "study"))
    said = study.law_sentence().text
    page = study.report(tmp_path / "report.html").read_text()
    assert "The law in units." in page
    assert "have no gradient" in page
    card = study.law_card(tmp_path / "card.html").read_text()
    assert "Standard deviation" in card
    assert said.split(":")[0].split(" rather")[0] in card
    assert "Traceback" not in page + card


def test_laws_with_a_name_of_their_own_are_in_the_report_and_have_cards(shape_study, tmp_path):
    study = Study(shutil.copytree(shape_study.path, tmp_path / "study"))
    shutil.rmtree(study.path / "classifiers" / "scheme3")
    (study.path / "classifiers" / "scheme4-hinge").rename(study.path / "classifiers" / "measured")
    record = study.path / "classifiers" / "measured" / "model.json"
    record.write_text(record.read_text().replace('"name": "scheme4-hinge"', '"name": "measured"'))
    page = study.report(tmp_path / "report.html").read_text()
    assert "Laws, measured" in page
    assert "with shapes in standard deviations" in page
    result = CliRunner().invoke(
        main,
        ["law-card", "--study", str(study.path), "--name", "measured", "--out", str(tmp_path / "card.html")],
    )
    assert result.exit_code == 0, result.output
    card = (tmp_path / "card.md").read_text()
    assert "found with the hinge loss" in card
    assert (
        "Significant digits of the constants with which the formulas above classify the labelled cells"
        in card
    )


def test_an_exported_law_reads_units(shape_study, tmp_path):
    study = Study(shutil.copytree(shape_study.path, tmp_path / "study"))
    source = study.export("law", tmp_path / "law.py").read_text()
    scope: dict = {}
    exec(source, scope)
    law, shapes = study.laws()[0], study.shapes()
    by_hand = [scope["law"](*row) for row in shapes[list(law.names)].to_numpy()[:20]]
    assert np.allclose(by_hand, study.classify(4)["score"][:20], rtol=1e-3, atol=1e-3)
    assert "the shapes" in source


def test_a_law_of_shuffled_labels_is_said_to_be_no_better_than_guessing(shape_study, tmp_path):
    study, events = Study.create(tmp_path / "shuffled"), []
    images, cells = simulate_crops(phases={"interphase": 90, "metaphase": 60}, seed=1)
    cells["label"] = np.random.default_rng(0).permutation(cells["label"].to_numpy())
    CropSet.write(study.path / "crops" / "simulated", images, cells, CropOrigin(kind="simulated"))
    settings = {"inputs": "shapes", "count": 1, "evaluations": 2_000, "processes": 1, "test_fraction": 0.3}
    study.discover_law(monitor=Monitor(events.append), **settings)
    sentence = (
        "The classifier scheme4-hinge is not significantly better than guessing: its balanced accuracy on "
    )
    assert [event.text for event in events if getattr(event, "level", "") == "warning"][-1].startswith(
        sentence
    )
    mark = "The classifier scheme4-hinge is not significantly better than guessing."
    assert mark in overview(study).warnings
    report = study.report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert report.count(sentence) == 2  # in short, and beside the performance
    assert report.count(mark) == 1  # beside the laws
    classify = [
        "classify",
        "--study",
        str(study.path),
        "--scheme",
        "4",
        "--out",
        str(tmp_path / "scores.csv"),
    ]
    assert mark in CliRunner().invoke(main, classify, env={"COLUMNS": "500"}).output
    assert not any("guessing" in warning for warning in overview(shape_study).warnings)
