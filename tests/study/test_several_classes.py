"""A study of more than two classes: trained, measured, applied and exported by the same steps as one of two."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from click.testing import CliRunner

from morpholaw.cells.simulator.movie import simulate_movie
from morpholaw.cli import main
from morpholaw.config import SimulateConfig
from morpholaw.errors import InputError
from morpholaw.evaluation.stage_order import StageOrder
from morpholaw.models.expression_size import batchnorm_size, dense_size, sparse_size
from morpholaw.store import classifiers
from morpholaw.study import Study

PHASES = ("interphase", "prometaphase", "metaphase", "anaphase")
COLUMNS = ["crop", "file", "track_id", "t", "y", "x", "score", "class", "probability"]


@pytest.fixture
def phases(phases_study, tmp_path):
    """A copy to work on."""
    return Study(shutil.copytree(phases_study.path, tmp_path / "phases"))


@pytest.mark.parametrize("scheme", [1, 2, 3])
def test_a_classifier_has_one_output_for_each_class(phases_study, scheme):
    record = classifiers.record(phases_study, f"scheme{scheme}")
    assert record.classes == ("interphase", "metaphase", "prometaphase", "anaphase") or set(
        record.classes
    ) == set(PHASES)
    assert record.head.outputs == 4
    assert np.array(record.evaluation.confusion).sum() == record.evaluation.test_cells
    assert [one.cells for one in record.evaluation.by_class] == np.array(record.evaluation.confusion).sum(
        1
    ).tolist()
    assert record.evaluation.temperature.temperature > 0
    assert record.evaluation.calibration is None
    head = phases_study.classifier(scheme).head
    sizes = {
        1: [batchnorm_size((32, 16, 16, 16, 4))] * 2,
        2: [dense_size((32, 16, 16, 16, 4))] * 2,
        3: sparse_size(head.masks).tolist(),
    }
    assert list(record.expression_sizes) == sizes[scheme]


def test_heads_tell_four_phases_apart(phases_study):
    """The latents of the shipped encoder separate them far better than chance, 0.25."""
    for name in ("scheme2", "scheme3"):
        assert classifiers.record(phases_study, name).evaluation.balanced_interval.value > 0.6


def test_scores_and_probabilities_of_each_class_are_written(phases_study):
    table = phases_study.classify(2, crops=phases_study.sets[0])
    classes = phases_study.classifier(2).classes
    by_class = [f"{what}_{name}" for what in ("score", "probability") for name in classes]
    assert list(table.columns) == [*COLUMNS, *by_class, "unusual"]
    probability = table[[f"probability_{name}" for name in classes]].to_numpy(float)
    np.testing.assert_allclose(probability.sum(1), 1)
    np.testing.assert_array_equal(np.array(classes)[probability.argmax(1)], table["class"])
    np.testing.assert_allclose(probability.max(1), table["probability"])
    ranked = np.sort(table[[f"score_{name}" for name in classes]].to_numpy(float), axis=1)
    np.testing.assert_allclose(table["score"], ranked[:, -1] - ranked[:, -2])


def test_two_classes_have_the_probability_of_the_cell_s_class(trained_study):
    table = trained_study.classify(2)
    assert list(table.columns) == ["set", *COLUMNS, "unusual"]
    calibration = classifiers.record(trained_study, "scheme2").evaluation.calibration
    ratio = calibration.likelihood_ratio(table["score"].to_numpy(float))
    positive = ratio / (1 + ratio)
    expected = np.where(table["score"] >= 0, positive, 1 - positive)
    np.testing.assert_allclose(table["probability"], expected)


def test_a_retraining_for_other_classes_replaces_nothing_unasked(phases):
    before = classifiers.record(phases, "scheme2")
    with pytest.raises(InputError, match=r"has scheme2 for .*would replace it"):
        phases.train_classifier(2, classes=("interphase", "metaphase"), models=1, epochs=1)
    assert classifiers.record(phases, "scheme2") == before


def test_classification_along_tracks_needs_the_order_of_the_stages(phases_study):
    with pytest.raises(InputError, match=r"distinguishes 4 classes.*in which order"):
        phases_study.classify(2, along_tracks=True)
    with pytest.raises(InputError, match="names 'telophase', but the classes are"):
        phases_study.classify(2, stages=("interphase", "telophase"))


def test_tracked_cells_get_stages_in_their_order(phases, tmp_path):
    """A labelled movie says in which order its stages come; a person may say it too, and the person's order counts."""
    movie = simulate_movie(SimulateConfig(frames=24, cells=12, width=256, height=256, seed=5))
    folder = movie.write(tmp_path / "movie")
    phases.crop(folder / "movie.tif", folder / "tracks.csv", name="movie")
    cells = phases.crop_set("movie")
    table = phases.classify(2, crops=cells)
    order = StageOrder(("interphase", "prometaphase", "metaphase", "anaphase"))
    assert order.violations(table, table["class"], order.cycle) == 0
    assert (table["class"] != table["frame_class"]).any()
    assert order.violations(table, table["frame_class"], order.cycle) > 0
    probability = table[[f"probability_{name}" for name in phases.classifier(2).classes]].to_numpy(float)
    np.testing.assert_allclose(probability.sum(1), 1)
    assert "frame_class" not in phases.classify(2, crops=cells, along_tracks=False)
    assert phases.set_stages(("interphase", "metaphase"), ("anaphase",)).final == ("anaphase",)
    other = phases.classify(2, crops=cells)
    died = other[other["class"] == "anaphase"].groupby("track_id")["t"].min()
    last = other[other["track_id"].isin(died.index)].sort_values("t").groupby("track_id").last()
    assert (last["class"] == "anaphase").all()
    assert phases.set_stages(()) == order


@pytest.mark.parametrize(
    ("scheme", "space", "eps"), [(1, "image", 0.2), (2, "latent", 0.5), (3, "latent", 0.5)]
)
def test_attacks_lower_the_accuracy_more_than_random_signs_do(phases_study, scheme, space, eps):
    table = phases_study.attack(scheme=scheme, space=space, eps=(0.0, eps))
    table = table.groupby("eps").mean(numeric_only=True)
    measured = classifiers.record(phases_study, f"scheme{scheme}").evaluation.accuracy
    assert table.loc[0.0, "accuracy"] == pytest.approx(np.mean(measured))
    assert table.loc[eps, "accuracy"] < table.loc[eps, "random_signs"]
    with pytest.raises(InputError, match=r"does not know the class 'telophase'"):
        phases_study.attack(scheme=scheme, towards="telophase", eps=(0.0,))


def test_cells_are_moved_towards_a_chosen_class_and_each_pair_is_measured(phases_study):
    settings = {"scheme": 2, "space": "latent", "eps": (0.0, 2.0)}
    table = phases_study.attack(towards="anaphase", **settings).groupby("eps")["success"].mean()
    assert table[0.0] < 0.2
    assert table[2.0] > 0.5
    pairs = phases_study.attack_pairs(**settings)
    assert len(pairs) == 2 * 4 * 3
    to_anaphase = pairs[(pairs["towards"] == "anaphase") & (pairs["eps"] == 2.0)]
    assert np.average(to_anaphase["success"], weights=to_anaphase["cells"]) == pytest.approx(table[2.0])
    assert (to_anaphase["success"] > to_anaphase["random_signs"]).all()
    unmoved = pairs[pairs["eps"] == 0.0]
    confusion = np.array(classifiers.record(phases_study, "scheme2").evaluation.confusion)
    assert unmoved["cells"].sum() == 3 * confusion.sum()


def test_the_command_writes_the_matrix_of_pairs(phases_study, tmp_path):
    words = ["attack", "--study", str(phases_study.path), "--name", "scheme3", "--space", "latent"]
    result = CliRunner().invoke(main, [*words, "--pairs", "--eps", "0,1", "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "metaphase" in result.output
    assert {path.name for path in tmp_path.iterdir()} == {
        "scheme3-latent-pairs.csv",
        "scheme3-latent-pairs.png",
    }


def test_classifiers_of_the_same_classes_are_compared(phases_study):
    table = phases_study.compare().set_index("classifier")
    assert 0.4 < table.loc["scheme2", "scheme3"] <= 1
    assert table.loc["scheme2", "scheme2"] == 1


def test_the_report_shows_each_class_and_says_what_is_for_two(phases_study, tmp_path):
    text = phases_study.report(tmp_path / "report.html").read_text()
    for name in PHASES:
        assert f"<td>{name}</td>" in text
    assert "The balanced accuracy is" in text
    assert "Accuracy under attack in latent space" in text
    assert "Attacked cells, scheme2, image space" in text
    assert "Confusion matrix of scheme2" in text
