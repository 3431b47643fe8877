import numpy as np
import pytest
from click.testing import CliRunner

from morpholaw.cells.crop_record import CropOrigin
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.shape_features import choose_features
from morpholaw.cells.simulator import simulate_crops
from morpholaw.cli import main
from morpholaw.errors import InputError
from morpholaw.evaluation.metrics import balanced_accuracy
from morpholaw.models.classifier import Classifier
from morpholaw.models.features import ModelColumns
from morpholaw.models.law import Law
from morpholaw.study import Study


@pytest.fixture
def elsewhere(study):
    """A study with a second set: the cells of the first, with half the contrast, most of them unlabelled."""
    first = study.sets[0]
    images = np.rint(0.5 * first.images[:].astype(float) + 30).astype(np.uint8)
    cells = first.cells.drop(columns="crop").assign(group=[f"other-{k}" for k in range(len(first))])
    truth = cells["label"].to_numpy(str)
    kept = np.concatenate([np.flatnonzero(truth == name)[:12] for name in ("interphase", "metaphase")])
    label = np.where(np.isin(np.arange(len(truth)), kept), truth, "")
    CropSet.write(study.path / "crops" / "elsewhere", images, cells.assign(label=label))
    return type(study)(study.path), truth


def accuracy(study, truth):
    table = study.classify(2, crops=study.crop_set("elsewhere"))
    return balanced_accuracy((truth == "metaphase").astype(int), (table["class"] == "metaphase").astype(int))


def test_an_adaptation_changes_the_set_it_was_made_for_until_it_is_undone(elsewhere):
    study, truth = elsewhere
    first = study.sets[0]
    others = study.classify(2, crops=first)["score"].to_numpy()
    before = study.classify(2, crops=study.crop_set("elsewhere"))["score"].to_numpy()
    models = (study.path / "classifiers" / "scheme2" / "model.json").read_bytes()
    unadapted = accuracy(study, truth)

    record = study.adapt(2, "elsewhere")
    assert record.labels == {"interphase": 12, "metaphase": 12}
    assert "few labels" not in record.sentence
    assert "few labels" in record.model_copy(update={"labels": {"interphase": 12, "metaphase": 2}}).sentence
    assert accuracy(study, truth) > unadapted + 0.2
    assert record.accuracy_after > record.accuracy_before + 0.1
    assert "without the adaptation" in record.sentence
    assert record.p < 0.05
    assert "It helps (p" in record.sentence
    adapted = study.classify(2, crops=study.crop_set("elsewhere"))["score"].to_numpy()
    np.testing.assert_allclose(adapted, record.scale * (before - record.threshold), rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(study.classify(2, crops=first)["score"].to_numpy(), others)
    assert (study.path / "classifiers" / "scheme2" / "model.json").read_bytes() == models
    named = study.classify(2, crops=first, adapted="elsewhere")["score"].to_numpy()
    np.testing.assert_allclose(named, record.scale * (others - record.threshold), rtol=1e-4, atol=1e-4)

    study.undo_adaptation(2, "elsewhere")
    np.testing.assert_array_equal(study.classify(2, crops=study.crop_set("elsewhere"))["score"], before)
    with pytest.raises(InputError, match="nothing to undo"):
        study.undo_adaptation(2, "elsewhere")


def test_an_adaptation_says_whether_the_labels_show_a_gain(elsewhere):
    study, _ = elsewhere
    record = study.adapt(2, "elsewhere", labels=False)
    measured = {"accuracy_before": 0.997, "accuracy_after": 0.992, "p": 0.02}
    worse = record.model_copy(update=measured).sentence
    assert "99.7 % without the adaptation, 99.2 % with it. It does harm (p = 0.02): undo it" in worse
    better = record.model_copy(update=measured | {"accuracy_after": 0.999}).sentence
    assert "It helps (p = 0.02)." in better
    unsure = record.model_copy(update=measured | {"p": 0.4}).sentence
    assert "The difference may be chance (p = 0.4); more labels would show whether it helps." in unsure
    alike = record.model_copy(update=measured | {"accuracy_after": 0.997}).sentence
    assert "These cells do not show that it helps." in alike
    unknown = record.model_copy(update=dict.fromkeys(measured)).sentence
    assert "The set has too few labelled cells to show whether it helps." in unknown
    before = study.classify(2, crops=study.crop_set("elsewhere"), along_tracks=False)["class"]
    study.undo_adaptation(2, "elsewhere")
    after = study.classify(2, crops=study.crop_set("elsewhere"), along_tracks=False)["class"]
    assert f"It changes the predicted class of {(before != after).sum()} of 200 cells." in record.sentence


def test_the_command_adapts_without_labels_and_undoes_it(elsewhere):
    study, _ = elsewhere
    call = ["adapt", "--study", str(study.path), "--scheme", "2", "--crops", "elsewhere"]
    done = CliRunner().invoke(main, [*call, "--no-labels"], catch_exceptions=False)
    assert done.exit_code == 0
    assert "without labels" in done.output
    assert "Balanced accuracy on the labelled cells of the set" in done.output
    assert (study.path / "adaptations" / "scheme2" / "elsewhere.json").is_file()
    undone = CliRunner().invoke(main, [*call, "--undo"], catch_exceptions=False)
    assert undone.exit_code == 0
    assert "removed" in undone.output
    missing = CliRunner().invoke(main, [*call[:-1], "nowhere"])
    assert missing.exit_code == 2
    assert "its sets are" in missing.output


@pytest.fixture
def three_classes(tmp_path):
    """A study of three classes whose crops come with a second set, shifted towards one class."""
    study = Study.create(tmp_path / "three")
    study.progress = False
    phases = ("interphase", "metaphase", "anaphase")
    images, cells = simulate_crops(phases=dict.fromkeys(phases, 30), seed=5)
    CropSet.write(study.path / "crops" / "simulated", images, cells, CropOrigin(kind="simulated"))
    names = ("width", "axis_ratio")
    columns = ModelColumns.fitted(choose_features(names), study.shapes())
    laws = [Law.parse(text, names) for text in ("4*width", "4*axis_ratio - 4*width - 6", "-4*width")]
    study.add_classifier(Classifier.with_laws(None, laws, phases, columns), "laws")
    return study


def likelihood(table, truth):
    """Return the mean logarithm of the probability of the true class."""
    chosen = [table[f"probability_{name}"].iloc[row] for row, name in enumerate(truth)]
    return np.log(np.array(chosen, float)).mean()


def test_several_classes_are_adapted_by_an_offset_each(three_classes):
    study = three_classes
    truth = study.labels.copy()
    cells = study.sets[0]
    before = study.classify("laws", crops=cells)
    record = study.adapt("laws", "simulated")
    assert list(record.offsets) == ["interphase", "metaphase", "anaphase"]
    assert sum(record.offsets.values()) == pytest.approx(0, abs=1e-6)
    after = study.classify("laws", crops=cells)
    metaphase = truth == "metaphase"  # most of which the laws call anaphase
    assert np.mean(after["class"][metaphase] == "metaphase") > np.mean(
        before["class"][metaphase] == "metaphase"
    )
    assert likelihood(after, truth) > likelihood(before, truth) + 0.05
    scores = [f"score_{name}" for name in record.offsets]
    adapted = record.scale * before[scores].to_numpy() + np.array(list(record.offsets.values()))
    moved = after[scores].to_numpy()
    np.testing.assert_allclose(np.diff(moved, axis=1), np.diff(adapted, axis=1), rtol=1e-3, atol=1e-3)
    assert "metaphase" in record.sentence
    explained = study.explain_cell(0, name="laws").text
    assert (
        f"The law is adapted to the set simulated ({record.numbers}), so classify can predict another"
        in explained
    )
    study.undo_adaptation("laws", "simulated")
    assert "adapted" not in study.explain_cell(0, name="laws").text
    np.testing.assert_array_equal(study.classify("laws", crops=cells)["score"], before["score"])


def test_several_classes_need_labels_of_each(three_classes):
    study = three_classes
    with pytest.raises(InputError, match="adaptation needs labelled cells of each"):
        study.adapt("laws", "simulated", labels=False)
    with pytest.raises(InputError, match=r"leave out --no-labels \(labels=False\)"):
        study.adapt("laws", "simulated", labels=False)
    anaphase = np.flatnonzero(study.labels == "anaphase")
    study.annotations.set_labels({("simulated", int(cell)): "" for cell in anaphase})
    with pytest.raises(InputError, match="there are none of anaphase"):
        study.adapt("laws", "simulated")
