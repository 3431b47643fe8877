import numpy as np
import pytest
from click.testing import CliRunner

from morpholaw.cells.crop_set import CropSet
from morpholaw.cli import main
from morpholaw.errors import InputError
from morpholaw.evaluation.metrics import balanced_accuracy


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
    assert accuracy(study, truth) > unadapted + 0.2
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


def test_the_command_adapts_without_labels_and_undoes_it(elsewhere):
    study, _ = elsewhere
    call = ["adapt", "--study", str(study.path), "--scheme", "2", "--crops", "elsewhere"]
    done = CliRunner().invoke(main, [*call, "--no-labels"], catch_exceptions=False)
    assert done.exit_code == 0
    assert "without labels" in done.output
    assert (study.path / "adaptations" / "scheme2" / "elsewhere.json").is_file()
    undone = CliRunner().invoke(main, [*call, "--undo"], catch_exceptions=False)
    assert undone.exit_code == 0
    assert "removed" in undone.output
    missing = CliRunner().invoke(main, [*call[:-1], "nowhere"])
    assert missing.exit_code == 2
    assert "its sets are" in missing.output
