"""File > Open Sample: a simulated tracked movie, alone or with a trained study, and a real movie."""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from morpholaw.events import SILENT, Event, Monitor, Progress
from morpholaw.sample import sample_folder
from morpholaw.widgets.napari_readers.movie_folders import folder_layers
from morpholaw.widgets.napari_readers.readers import AXES, LayerData, lazy_movie, table_as_layer
from morpholaw.widgets.study.preferences import preferences

if TYPE_CHECKING:
    from napari import Viewer

    from morpholaw.study import Study  # imports pandas
    from morpholaw.widgets.jobs.step_run import StepRun

PLACE = "sample study"
"""Place of the step in the window (:class:`WindowSteps`)."""
PHASES = ("interphase", "prometaphase", "metaphase", "anaphase")
"""The phases of the cells in the sample's movie, in order of time."""


def sample_movie() -> list[LayerData]:
    """Return the movie, the masks of its nuclei (hidden), and the tracks with the phase of each cell as a feature."""
    import tifffile

    from morpholaw.cells.tracks import read_tracks

    folder = movie_folder()
    movie = lazy_movie(folder / "movie.tif")
    layers = [movie]
    if (folder / "masks.tif").is_file():
        masks = tifffile.imread(folder / "masks.tif")
        options = {"name": "nuclei", "visible": False, "opacity": 0.4, "axis_labels": AXES}
        layers.append((masks, options, "labels"))
    layers.append(table_as_layer(read_tracks(folder / "tracks.csv"), "tracks"))
    return layers


def sample_study() -> list[LayerData]:
    """Return the same layers, and open a copy of the sample study and the Laws panel."""
    return _with_study(study_copy, Path(preferences().cache_folder) / "sample-study")


def sample_phases() -> list[LayerData]:
    """Return the same layers, and open a copy of the sample study of four phases and the Laws panel."""
    return _with_study(phases_copy, Path(preferences().cache_folder) / "sample-phases")


def _with_study(copy: Callable[..., Path], study: Path) -> list[LayerData]:
    """Return the layers and open a copy of a study; a thread makes the copy once, and it opens when it is complete."""
    import napari

    viewer = napari.current_viewer()
    if viewer is None:
        copy(study)
    elif (study / "study.json").is_file():
        _show(viewer, study)
    else:
        _open_when_made(viewer, copy, study)
    return sample_movie()


def _open_when_made(viewer: Viewer, copy: Callable[..., Path], study: Path) -> None:
    from morpholaw.widgets.study.current_study import CurrentStudy

    weak = weakref.ref(viewer)  # the window may be closed before the copy is complete

    def show_copy(run: StepRun) -> None:
        viewer = weak()
        if run.state == "done" and viewer is not None:
            _show(viewer, study)

    run = CurrentStudy.of(viewer).steps.run(PLACE, "open the sample study", "", copy, (study,), {})
    run.ended.connect(show_copy)


def _show(viewer: Viewer, study: Path) -> None:
    """Open a study and the Laws panel."""
    from morpholaw.widgets.study.current_study import CurrentStudy
    from morpholaw.widgets.study.docks import open_panel

    CurrentStudy.of(viewer).open(study)
    open_panel(viewer, "Laws")


def sample_real_movie() -> list[LayerData]:
    """Return a real movie, its masks and tracks; download it first if needed and if the user confirms."""
    from napari.utils import progress

    from morpholaw.cells.real_movie import ABOUT, fetch_real_movie, is_fetched
    from morpholaw.widgets.forms.confirm import confirmed

    folder = Path(preferences().cache_folder)
    if not is_fetched(folder) and not confirmed(
        None, "Download a movie", f"{ABOUT}\n\nDownload it to {folder}?"
    ):
        return []
    with progress(desc="Downloading the movie") as bar:

        def show(event: Event) -> None:
            if isinstance(event, Progress):
                bar.total = event.total
                bar.update(event.done - bar.n)

        return folder_layers(fetch_real_movie(folder, Monitor(show)))


def movie_folder() -> Path:
    """Return the shipped folder with movie.tif, masks.tif and tracks.csv, or one simulated in the cache folder."""
    shipped = sample_folder() / "movie"
    if (shipped / "movie.tif").is_file():
        return shipped
    simulated = Path(preferences().cache_folder) / "sample-movie"
    if not (simulated / "tracks.csv").is_file():
        _simulate(simulated)
    return simulated


def study_copy(target: Path, monitor: Monitor = SILENT) -> Path:
    """Return a study at ``target`` with the sample's movie, labelled crops and models; make it if it does not exist."""
    from morpholaw.cells.files import temporary_path
    from morpholaw.study import Study

    if (target / "study.json").is_file():
        return target
    partial = temporary_path(target)
    study = Study.create(partial)
    _add_movie_and_encoder(study, monitor)
    # files are copied instead of loaded, so that torch is not needed
    shutil.copytree(sample_folder() / "labelled", study.new_set_folder("labelled"))
    _adopt_all(study, sample_folder() / "classifiers")
    return Path(shutil.move(partial, target))


def phases_copy(target: Path, monitor: Monitor = SILENT) -> Path:
    """Return a study at ``target`` of four phases in the sample's movie, with models; make it if it does not exist.

    The cells of the movie are labelled, and the order of the phases along tracks is set.
    """
    from morpholaw.cells.files import temporary_path
    from morpholaw.study import Study

    if (target / "study.json").is_file():
        return target
    partial = temporary_path(target)
    study = Study.create(partial, classes=PHASES)
    _add_movie_and_encoder(study, monitor)
    study.set_stages(PHASES)
    _adopt_all(study, sample_folder() / "phases" / "classifiers")
    return Path(shutil.move(partial, target))


def _add_movie_and_encoder(study: Study, monitor: Monitor) -> None:
    from morpholaw.cells.crop_set import CropSet

    sample, movie = sample_folder(), movie_folder()
    scale = CropSet(
        sample / "labelled"
    ).normalisation  # the crops of the movie must have the same scale as these
    study.crop(
        movie / "movie.tif",
        movie / "tracks.csv",
        brightness=scale.per if scale else "cell",
        monitor=monitor,
    )
    shutil.copytree(sample / "encoder", study.path / "encoder", dirs_exist_ok=True)
    if (sample / "latent_names.json").is_file():
        shutil.copy(sample / "latent_names.json", study.path)


def _adopt_all(study: Study, folder: Path) -> None:
    """Add shipped classifiers to a study; they were trained on cells of other seeds, not on those of the study."""
    from morpholaw.store.classifiers import adopt

    for source in sorted(folder.iterdir()):
        adopt(study, source)


def _simulate(folder: Path) -> None:
    from morpholaw.cells.simulator.movie import simulate_movie
    from morpholaw.config import SimulateConfig

    simulate_movie(SimulateConfig(frames=24, cells=40, height=384, width=384)).write(folder)
