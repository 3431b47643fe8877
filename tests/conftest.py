"""Fixtures that several test folders share."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import types
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from filelock import FileLock

from morpholaw.cells.crop_record import CropOrigin
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.simulator import simulate_crops
from morpholaw.config import ClassifierConfig
from morpholaw.evaluation.performance import measure
from morpholaw.models.classifier import Classifier
from morpholaw.store import classifiers
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.store.evaluation_record import Evaluation
from morpholaw.store.provenance import Provenance
from morpholaw.study import Study

sys.path.insert(0, str(Path(__file__).parent))
from few_cells import FEW_CELLS
from warm_process import WarmServer

# A busy machine is no reason to fail, nor is chance: every run draws the same examples. `make torture` draws new ones.
hypothesis.settings.register_profile("same", deadline=None, print_blob=True, derandomize=True)
hypothesis.settings.register_profile("new", deadline=None, print_blob=True)
hypothesis.settings.load_profile("same")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slowest files and end with small ones of panels, so that all workers end at the same time.

    A file is given to one worker of ``--dist loadfile``, and a test that opens a viewer takes about a second.
    """
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    viewers = Counter(
        item.path for item in items if "make_napari_viewer" in getattr(item, "fixturenames", ())
    )
    items.sort(key=lambda item: (-slow[item.path], viewers[item.path] > 0, -viewers[item.path]))


def pytest_collection_finish() -> None:
    """Collect garbage seldom, and leave out what is imported: each viewer's test has three collections anyway."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, *gc.get_threshold()[1:])


_SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets that are beside, not inside, the repository."""
    if not _SHARED.is_dir():
        pytest.skip(f"needs the real data sets in {_SHARED}, which this machine does not have")
    return _SHARED


@pytest.fixture(scope="session", autouse=True)
def _few_cells() -> Iterator[None]:
    """Reports and law cards attack, constrain and change the surroundings of a handful of cells."""
    with pytest.MonkeyPatch.context() as patch:
        for name, count in FEW_CELLS.items():
            patch.setattr(name, count)
        yield


@pytest.fixture(scope="session")
def warm_server() -> Iterator[WarmServer]:
    """A process that forks the children of this session's jobs and panels."""
    server = WarmServer()
    yield server
    server.close()


@pytest.fixture
def forked_children(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, warm_server: WarmServer
) -> None:
    """Child processes of jobs and panels begin with all imported, but for those of tests marked ``fresh``."""
    if os.name == "posix" and request.node.get_closest_marker("fresh") is None:
        forking = types.ModuleType("subprocess")
        vars(forking).update(vars(subprocess), Popen=warm_server.popen)
        monkeypatch.setattr("morpholaw.job_process.subprocess", forking)
        monkeypatch.setattr("morpholaw.widgets.jobs.live_process.subprocess", forking)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory) -> Callable[[str, Callable[[Path], object]], Path]:
    """``made_once(name, make)``: the folder that ``make(folder)`` makes, once for all processes of a test run."""
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent

    def folder(name: str, make: Callable[[Path], object]) -> Path:
        made, partial = place / f"made-{name}", place / f"partial-{name}"
        with FileLock(place / f"{name}.lock"):
            if not made.exists():
                make(partial)
                partial.rename(made)
        return made

    return folder


@pytest.fixture(scope="session")
def trained_study(made_once):
    """200 labelled crops, an encoder and schemes 2-4; read only: copy it before changing it."""
    return Study(made_once("study", _train_study))


def _train_study(folder: Path) -> None:
    study = Study.create(folder)
    images, cells = simulate_crops(phases={"interphase": 120, "metaphase": 80}, seed=1)
    CropSet.write(study.path / "crops" / "simulated", images, cells, CropOrigin(kind="simulated"))
    study.train_encoder(epochs=1, epoch_crops=2_000, batch_size=64, threads=1, learning_rate=1e-4)
    heads = {"models": 2, "epochs": 20, "warmup_epochs": 8, "epoch_cells": 2_000, "learning_rate": 5e-3}
    study.train_classifier(2, **heads)
    study.train_classifier(3, **heads, sparsity=0.8, update_every=20)
    study.discover_law(count=2, evaluations=3_000, processes=1)


@pytest.fixture(scope="session")
def phases_study(made_once):
    """Four phases, the shipped encoder, and schemes 1 to 3 of all of them; read only."""
    return Study(made_once("phases", _train_phases))


def _train_phases(folder: Path) -> None:
    study = Study.create(folder)
    phases = {"interphase": 60, "prometaphase": 40, "metaphase": 40, "anaphase": 40}
    images, cells = simulate_crops(phases=phases, seed=3)
    CropSet.write(study.path / "crops" / "simulated", images, cells, CropOrigin(kind="simulated"))
    study.load_encoder("sample")
    quick = {
        "models": 2,
        "epochs": 8,
        "epoch_cells": 600,
        "learning_rate": 1e-2,
        "threads": 1,
        "classes": "all",
    }
    study.train_classifier(1, **quick | {"epochs": 2})
    study.train_classifier(2, **quick)
    study.train_classifier(3, **quick, warmup_epochs=4, sparsity=0.8, update_every=20)


@pytest.fixture(scope="session")
def keep_unmeasured() -> Callable[[Study, Classifier, str], ClassifierRecord]:
    """Keeps a classifier in a study without cells to measure it on; its record says that every cell was right."""

    def keep(study: Study, classifier: Classifier, name: str) -> ClassifierRecord:
        targets = np.repeat([0, 1], 5)
        scores = np.tile(2.0 * targets - 1, (classifier.members, 1))
        evaluation = Evaluation.of(measure(scores, targets), "0123456789ab", 90, np.arange(10))
        config = ClassifierConfig(classes=classifier.classes)
        record = ClassifierRecord.of(classifier, name, evaluation, config, Provenance.now("no data"))
        with study.writing():
            return classifiers.save(study, classifier, record)

    return keep


@pytest.fixture
def study(trained_study, tmp_path):
    """A copy of the trained study to work on."""
    return Study(shutil.copytree(trained_study.path, tmp_path / "study"))
