"""A tiny trained study, made once, and widgets that never wait for an answer."""

from __future__ import annotations

import functools
import gc
import shutil
import types
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from qtpy.QtCore import QSettings
from qtpy.QtWidgets import QMessageBox

from morpholaw.cells.crop_record import CropOrigin
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.simulator import simulate_crops
from morpholaw.config import EncoderConfig
from morpholaw.study import Study


@pytest.fixture(scope="session", autouse=True)
def _windows_are_imported():
    """What a window imports is left out of every later collection of garbage, like what the tests do."""
    import matplotlib.figure  # noqa: F401
    import napari._qt.qt_main_window  # noqa: F401
    import torch._dynamo  # noqa: F401

    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _viewers_start_quickly():
    """Leave out what napari does again for every viewer and no test looks at: almost half of a viewer's start.

    It looks for installed plugins, writes its settings to the user's folder several times, and writes the hidden
    welcome screen again for each shortcut. While a step runs, a spinner has the whole window painted 30 times a second.
    """
    from napari._qt.widgets.qt_welcome import QtWelcomeWidget
    from napari.settings import get_settings
    from npe2 import PluginManager

    get_settings()._save_on_change = False
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PluginManager, "discover", functools.cache(PluginManager.discover))
        patch.setattr(QtWelcomeWidget, "refresh", lambda *_: None, raising=False)
        patch.setattr("napari._qt.dialogs.qt_activity_dialog.LOADING_GIF_PATH", "")
        yield


@pytest.fixture(scope="session", autouse=True)
def _removed_layers_do_not_collect_garbage():
    """Collect no garbage when a layer is removed, which napari does for drivers on Windows: a third of these tests.

    ``make_napari_viewer`` collects garbage itself before it looks for viewers that are not freed.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("napari._vispy.canvas.gc", types.SimpleNamespace(collect=lambda: 0))
        yield


@pytest.fixture(scope="module", autouse=True)
def _earlier_files_are_left_out_of_garbage_collection():
    """What is alive when a file begins stays out of the collections of its viewers."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _children_are_forked(forked_children):
    """No panel waits for a Python that imports torch."""


@pytest.fixture(autouse=True)
def _apart_from_the_users_settings(tmp_path, monkeypatch):
    """Recent studies go to a temporary folder; no question waits for a person, and all are answered with yes."""
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(tmp_path / "settings"))
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def labelled_study_folder(made_once) -> Path:
    """A study of 240 simulated crops, half of them in metaphase, nothing trained."""
    return made_once("labelled", _label_study)


def _label_study(folder: Path) -> None:
    study = Study.create(folder)
    images, cells = simulate_crops(phases={"interphase": 120, "metaphase": 120}, seed=3)
    CropSet.write(study.new_set_folder("simulated"), images, cells, CropOrigin(kind="simulated"))


@pytest.fixture(scope="session")
def trained_study_folder(labelled_study_folder, made_once) -> Path:
    """The same study with a small encoder, two models of schemes 2 and 3, and two laws."""
    return made_once("trained", lambda folder: _train_study(shutil.copytree(labelled_study_folder, folder)))


def _train_study(folder: Path) -> None:
    study = Study.open(folder)
    warnings.filterwarnings("ignore", "The given NumPy array is not writable")
    # a narrow encoder learns to tell the two classes apart in seconds
    study.train_encoder(
        latents=6, filters=(4, 8, 8, 16), hidden=32, epochs=1, epoch_crops=6_400, batch_size=32, device="cpu",
        learning_rate=5e-3, alpha=0.1, beta=0.1, gamma=0.1, threads=1, precision="float32",
        **EncoderConfig.PLAIN,
    )  # fmt: skip
    for scheme in (2, 3):
        study.train_classifier(
            scheme,
            models=2,
            epochs=20,
            warmup_epochs=5,
            learning_rate=1e-2,
            sparsity=0.7,
            update_every=10,
            device="cpu",
            threads=1,
        )
    _save_laws(study)


def _save_laws(study: Study) -> None:
    """Two laws by hand in place of a search: the latent that tells the classes apart best, with its mean."""
    from morpholaw.config import ClassifierConfig
    from morpholaw.models.classifier import Classifier
    from morpholaw.models.law import Law
    from morpholaw.store.labelled_cells import labelled_cells

    cells = labelled_cells(study, ClassifierConfig())
    means = study.latents()[0][cells.train]
    positive = cells.train_targets > 0
    apart = means[positive].mean(0) - means[~positive].mean(0)
    best, second = np.argsort(-np.abs(apart))[:2]
    middle = (means[positive].mean(0) + means[~positive].mean(0)) / 2
    sign = "" if apart[best] > 0 else "-"
    laws = [
        Law.parse(f"{sign}(z{best} - ({middle[best]:.3f}))", [f"z{best}"]),
        Law.parse(
            f"{sign}(z{best} - ({middle[best]:.3f})) + 0.1*square(z{second})", [f"z{best}", f"z{second}"]
        ),
    ]
    classifier = Classifier.with_laws(study.encoder, laws, ("interphase", "metaphase"))
    study.add_classifier(classifier, "scheme4-hinge")


@pytest.fixture
def labelled_study(labelled_study_folder, tmp_path) -> Path:
    """A copy of the labelled study that a test may change."""
    return Path(shutil.copytree(labelled_study_folder, tmp_path / "labelled"))


@pytest.fixture
def trained_study(trained_study_folder, tmp_path) -> Path:
    """A copy of the trained study that a test may change."""
    return Path(shutil.copytree(trained_study_folder, tmp_path / "trained"))


@pytest.fixture(scope="session")
def tracked_study_folder(made_once) -> Path:
    """A study of five tracks in eight frames, one of which divides, with its movie as movie.npy."""
    return made_once("tracked-with-movie", _make_tracked_study)


def _make_tracked_study(folder: Path) -> None:
    """Tracks 1 to 5; 1 divides into 2 and 3 after frame 3, whose cells are labelled metaphase."""
    places = {1: (30, 30), 2: (28, 50), 3: (32, 70), 4: (90, 100), 5: (60, 140)}
    frames = {1: range(4), 2: range(4, 8), 3: range(4, 8), 4: range(8), 5: range(8)}
    rows = [
        (track, t, y, x, 1 if track in (2, 3) else -1)
        for track, (y, x) in places.items()
        for t in frames[track]
    ]
    movie = np.random.default_rng(0).normal(100, 3, (8, 120, 160)).clip(0).astype(np.uint16)
    for _, t, y, x, _ in rows:
        movie[t, y - 5 : y + 6, x - 5 : x + 6] += 400
    study = Study.create(folder)
    study.crop(
        movie, pd.DataFrame(rows, columns=["track_id", "t", "y", "x", "parent"]), name="movie", size=32
    )
    np.save(folder / "movie.npy", movie)
    dividing = np.flatnonzero(study.crops.cells["t"] == 3).tolist()
    study.annotations.set_labels({("movie", crop): "metaphase" for crop in dividing})


@pytest.fixture
def panel(make_napari_viewer):
    """Opens a panel in a viewer's dock, e.g. ``panel(CellsWidget)``; ends the window's steps after the test.

    A function and not the panel itself, for pytest keeps fixtures' values longer than napari lets viewers live.
    """
    opened = []

    def open_panel(kind, show: bool = False):
        viewer = make_napari_viewer(show=show)
        widget = kind(viewer)
        viewer.window.add_dock_widget(widget)
        opened.append(widget)
        return widget

    yield open_panel
    for widget in opened:
        widget.current.steps.end_all()
    opened.clear()
