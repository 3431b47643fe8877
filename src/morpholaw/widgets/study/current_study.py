"""The study that all panels of one viewer show, and the signals by which they follow its changes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, finalize

import numpy as np
from napari.utils.notifications import show_error
from qtpy.QtCore import QObject, Signal

from morpholaw.errors import InputError, MorpholawError, StudyGoneError
from morpholaw.figures.palette import colours_on
from morpholaw.widgets.jobs.live_process import LiveProcess
from morpholaw.widgets.jobs.window_steps import WindowSteps
from morpholaw.widgets.study.label_watch import LabelWatch
from morpholaw.widgets.study.way_to_law import WayToLaw

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from morpholaw.cells.crop_set import Crops
    from morpholaw.store.overview import Overview
    from morpholaw.study import Study
    from morpholaw.widgets.movie.selection_in_movie import SelectionInMovie
    from morpholaw.widgets.study.cell_scores import CellScores

DARK_GROUND = "#262930"
"""What is behind panels until a theme is known: napari's dark one."""

_CHANGED_BY_STEP = {
    "crop": ("crops_changed", "labels_changed"),
    "import_crops": ("crops_changed", "labels_changed"),
    "train_encoder": ("encoder_changed",),
    "train_classifier": ("classifiers_changed",),
    "tune": ("classifiers_changed",),
    "discover_law": ("laws_changed", "classifiers_changed"),
    "improve_law": ("laws_changed", "classifiers_changed"),
    "law_stability": ("laws_changed",),
    "timeline": ("timeline_changed",),
}


class CurrentStudy(QObject):
    """What the panels of one viewer share: the open study, the selected cells, and the steps that run.

    Attributes
    ----------
    study : Study or None
        The open study.
    ground : str
        The colour "#rrggbb" behind the panels, on which colours of classes must be seen.
    live : LiveProcess
        Where the viewer's panels compute what follows a slider.
    steps : WindowSteps
        The steps that the viewer's panels have started.
    selection : list of int
        Global indices (:class:`morpholaw.cells.crop_set.Crops`) of the selected crops, in the order of selection.
    scores : dict of str to CellScores
        What classifiers make of the study's crops, by the classifier's name, the one that was applied last at the end;
        empty until cells are scored, and after models or crops change.
    in_movie : SelectionInMovie or None
        Shows the selected cells in the viewer's movie; None before a panel is open.
    way : WayToLaw
        Runs the steps from labels to a law.

    Notes
    -----
    Signals: ``changed`` (another study is open, or none), ``crops_changed``, ``labels_changed``,
    ``encoder_changed``, ``classifiers_changed``, ``laws_changed``, ``names_changed`` (of latents),
    ``timeline_changed``, ``scores_changed``, ``ground_changed``, and ``selection_changed`` with the list of global
    indices.
    """

    changed = Signal()
    crops_changed = Signal()
    labels_changed = Signal()
    encoder_changed = Signal()
    classifiers_changed = Signal()
    laws_changed = Signal()
    names_changed = Signal()
    timeline_changed = Signal()
    scores_changed = Signal()
    ground_changed = Signal()
    selection_changed = Signal(list)

    def __init__(self) -> None:
        super().__init__()
        self.live = LiveProcess()
        finalize(self, self.live.close)
        self.steps = WindowSteps()
        self.steps.changed_study.connect(self.announce)
        self.steps.closed.connect(self.live.close)  # it starts again where another window needs it
        self.study: Study | None = None
        self.ground = DARK_GROUND
        self.selection: list[int] = []
        self.scores: dict[str, CellScores] = {}
        self.in_movie: SelectionInMovie | None = None
        self.way = WayToLaw(self)
        self._crops: Crops | None = None
        self._overview: Overview | None = None
        self._labels: np.ndarray | None = None
        # First of all listeners, so that no panel shows what was there before.
        for signal in (
            self.changed, self.crops_changed, self.labels_changed, self.encoder_changed, self.classifiers_changed,
            self.laws_changed,
        ):  # fmt: skip
            signal.connect(self._forget_overview)
        for signal in (self.changed, self.crops_changed, self.encoder_changed, self.classifiers_changed):
            signal.connect(self._forget_scores)
        for signal in (self.changed, self.crops_changed, self.labels_changed):
            signal.connect(self._forget_labels)
        self._label_watch = LabelWatch(self)
        self.steps.closed.connect(self._label_watch.stop)

    @classmethod
    def of(cls, viewer: ViewerModel) -> CurrentStudy:
        """Return the current study of a viewer; the same for the viewer and for napari's proxy of it."""
        viewer = unwrapped(viewer)
        if viewer not in _OF_VIEWER:
            _OF_VIEWER[viewer] = cls()
        return _OF_VIEWER[viewer]

    def open(self, path: Path | str) -> Study:
        """Open the study at ``path``.

        Raises
        ------
        InputError
            When there is none to use; the one that is open stays open.
        """
        from morpholaw.study import Study

        study = Study.open(path)
        if study.sets:
            len(
                study.crops
            )  # sets that do not go together are reported here, not by whoever reads them first
        self._show(study)
        return study

    def create(self, path: Path | str, classes: Sequence[str] | None = None) -> Study:
        """Create a study at ``path`` and open it.

        Raises
        ------
        InputError
            When something else is there.
        """
        from morpholaw.study import Study

        study = Study.create(path) if classes is None else Study.create(path, classes)
        self._show(study)
        return study

    def close(self) -> None:
        """Show no study."""
        self._show(None)

    def required(self) -> Study:
        """Return the open study.

        Raises
        ------
        InputError
            When none is open.
        StudyGoneError
            When its folder is gone.
        """
        if self.study is None:
            raise InputError("No study is open; press Open... or New... at the top of the panel.")
        if not (self.study.path / "study.json").is_file():
            raise StudyGoneError(f"The study {self.study.path} is gone; it was moved or deleted.")
        return self.study

    @property
    def crops(self) -> Crops | None:
        """All crops of the study, None where it has none that go together; kept until they change."""
        if self._crops is None and self.study is not None and self.study.sets:
            with suppress(MorpholawError):
                self._crops = self.study.crops
        return self._crops

    @property
    def labels(self) -> np.ndarray:
        """The class given to each crop of the study, object (crops,), "" for none; kept until labels change."""
        crops = self.crops
        if self._labels is None or crops is None:
            if self.study is None or crops is None:
                return np.empty(0, object)
            labels = [self.study.annotations.labels_for(one) for one in crops.sets]
            self._labels = np.concatenate(labels).astype(object)
        return self._labels

    def class_colours(self) -> dict[str, str]:
        """Return the colour "#rrggbb" of each class of the study as it is seen in panels; empty where none is open."""
        if self.study is None:
            return {}
        colours = self.study.class_colours()
        return colours_on(self.ground, tuple(colours), colours)

    def set_ground(self, ground: str) -> None:
        """Set the colour "#rrggbb" behind the panels, and tell every panel."""
        if ground != self.ground:
            self.ground = ground
            self.ground_changed.emit()

    def set_label(self, cells: Sequence[int], name: str) -> None:
        """Give a class to crops by their global indices, "" for none, save it, and tell every panel.

        Raises
        ------
        InputError
            When no study is open, no cell is selected, or the labels cannot be saved.
        """
        crops = self.crops
        if not cells or crops is None:
            self.required()
            raise InputError("No cell is selected; select some first.")
        table = crops.cells
        keys = zip(table["set"].iloc[list(cells)], table["crop"].iloc[list(cells)], strict=True)
        self.required().annotations.set_labels({(str(one), int(crop)): name for one, crop in keys})
        self.labels_changed.emit()

    @property
    def overview(self) -> Overview | None:
        """What the study holds and what comes next; None where none is open or it is gone. Kept until it changes."""
        if self._overview is None and self.study is not None:
            from morpholaw.store.overview import overview

            with suppress(MorpholawError, OSError):
                self._overview = overview(self.study)
        return self._overview

    def _forget_overview(self) -> None:
        self._overview = None

    def _forget_labels(self) -> None:
        self._labels = None

    def _forget_scores(self) -> None:
        if self.scores:
            self.scores = {}
            self.scores_changed.emit()

    @property
    def last_scores(self) -> CellScores | None:
        """The scores of the classifier that was applied last; None where cells were not scored."""
        return next(reversed(self.scores.values()), None)

    def add_scores(self, scores: CellScores) -> None:
        """Keep the scores of all crops, in place of those of the same classifier, and tell every panel."""
        if self.last_scores is not None and self.last_scores.same_as(scores):
            return  # several panels hear of one run
        self.scores.pop(scores.classifier.name, None)
        self.scores[scores.classifier.name] = scores
        self.scores_changed.emit()

    def select(self, indices: Sequence[int]) -> None:
        """Select crops by their global indices and tell every panel."""
        indices = [int(index) for index in indices]
        if indices != self.selection:
            self.selection = indices
            self.selection_changed.emit(indices)

    def announce(self, step: str) -> None:
        """Tell every panel what a finished job of :data:`morpholaw.jobs.STEPS` has changed."""
        if "crop" in step:
            self._crops = None
            try:
                if self.study is not None and self.study.sets:
                    self._crops = self.study.crops
            except MorpholawError as error:
                show_error(str(error))
        for name in _CHANGED_BY_STEP.get(step, ()):
            getattr(self, name).emit()

    def _show(self, study: Study | None) -> None:
        self.study, self._crops, self.selection = study, None, []
        if study is not None:
            study.progress = False  # the window has its own bars
        self.changed.emit()
        self.selection_changed.emit([])


_OF_VIEWER: WeakKeyDictionary[Any, CurrentStudy] = WeakKeyDictionary()


def unwrapped(viewer: ViewerModel) -> ViewerModel:
    """Return the viewer itself behind the proxy that napari passes to plugins."""
    wrapped: ViewerModel = getattr(viewer, "__wrapped__", viewer)
    return wrapped
