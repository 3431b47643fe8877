"""The demo's whole way, at a size for tests, and the shipped sample it starts from."""

import numpy as np
import pytest

from morpholaw import demo
from morpholaw.cells.crop_record import CropOrigin
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.simulator import simulate_crops
from morpholaw.config import ClassifierConfig, EncoderConfig, LawConfig
from morpholaw.errors import InputError
from morpholaw.evaluation.crop_scores import score_crops
from morpholaw.models.classes import classes_of_scores
from morpholaw.models.classifier import Classifier
from morpholaw.sample import sample_folder

HEADS = ClassifierConfig(
    models=2, epochs=6, warmup_epochs=2, epoch_cells=0, sparse_method="paper", sparsity=0.8
)


def small_sample(folder):
    """The shipped sample with 160 of its labelled crops."""
    labelled = CropSet(sample_folder() / "labelled")
    chosen = np.linspace(0, len(labelled) - 1, 160).astype(int)
    cells = labelled.cells.iloc[chosen].reset_index(drop=True)
    CropSet.write(
        folder / "labelled",
        labelled.images[chosen],
        cells,
        CropOrigin(kind="simulated", pixel_size=labelled.record.pixel_size),
    )
    (folder / "movie").symlink_to(sample_folder() / "movie")
    return folder


@pytest.mark.slow
def test_the_demo_ends_with_table_1_and_a_report(tmp_path, monkeypatch):
    sample = small_sample(tmp_path / "sample")
    monkeypatch.setattr(demo, "sample_folder", lambda: sample)
    monkeypatch.setattr(
        demo, "ENCODER", EncoderConfig(epochs=1, epoch_crops=512, start_from="none", threads=1)
    )
    monkeypatch.setattr(demo, "UNLABELLED", 100)
    monkeypatch.setattr(demo, "CNN", ClassifierConfig(models=1, epochs=1, epoch_cells=0))
    monkeypatch.setattr(demo, "HEADS", HEADS)
    monkeypatch.setattr(demo, "MEASURED", LawConfig(inputs="shapes", count=1, evaluations=1_000, processes=1))
    monkeypatch.setattr(demo, "LAWS", (LawConfig(count=1, evaluations=1_000, processes=1),))
    study = demo.run_demo(tmp_path / "demo")
    table = study.table1().set_index("name")
    assert list(table.index) == [
        "measured",
        "scheme1",
        "scheme2",
        "scheme3",
        "scheme4-hinge",
        "shapes-logistic",
        "shapes-tree",
    ]
    assert table.loc["scheme1", ["head weights", "head expression size"]].tolist() == ["1040", "9697"]
    assert table.loc["scheme2", ["head weights", "head expression size"]].tolist() == ["1040", "8641"]
    assert "Table 1" in (tmp_path / "demo" / "report.html").read_text(encoding="utf-8")


def test_the_demo_does_not_overwrite_somebodys_folder(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="not empty"):
        demo.run_demo(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_the_sample_is_small_and_says_that_it_is_simulated():
    folder = sample_folder()
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) < 25e6
    assert "simulated" in (folder / "README.md").read_text(encoding="utf-8").lower()


@pytest.mark.parametrize(
    ("name", "least"), [("scheme1", 0.99), ("scheme2", 0.98), ("scheme3", 0.96), ("scheme4-hinge", 0.96)]
)
def test_the_shipped_models_do_what_the_readme_says(name, least):
    labelled = CropSet(sample_folder() / "labelled")
    chosen = np.random.default_rng(0).choice(len(labelled), 400, replace=False)
    classifier = Classifier.load(sample_folder() / "classifiers" / name)
    scores = score_crops(classifier, labelled.images[np.sort(chosen)])[0]
    truth = labelled.cells["label"].to_numpy()[np.sort(chosen)] == "metaphase"
    assert np.mean((scores >= 0) == truth) >= least


@pytest.mark.parametrize(("name", "least"), [("scheme2", 0.93), ("scheme3", 0.87), ("measured", 0.83)])
def test_the_shipped_models_of_four_phases_do_what_the_readme_says(name, least):
    phases = ("interphase", "prometaphase", "metaphase", "anaphase")
    images, cells = simulate_crops(phases=dict.fromkeys(phases, 120), seed=77)
    classifier = Classifier.load(sample_folder() / "phases" / "classifiers" / name)
    assert classifier.classes == phases
    called = np.array(phases)[classes_of_scores(score_crops(classifier, images)[0], len(phases))]
    truth = cells["label"].to_numpy(str)
    assert np.mean([(called[truth == one] == one).mean() for one in phases]) >= least
    if name == "measured":
        assert max(law.size for law in classifier.laws) <= 9
