"""The study that all panels of a viewer show, and the signals that announce its changes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakKeyDictionary, finalize

import numpy as np
from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import QObject, Signal

from morpholaw.errors import InputError, MorpholawError, StudyGoneError
from morpholaw.figures.palette import colours_on
from morpholaw.widgets.jobs.live_process import LiveProcess
from morpholaw.widgets.jobs.window_steps import WindowSteps
from morpholaw.widgets.study.idle_collection import IdleCollection
from morpholaw.widgets.study.study_watch import CHANGED_BY, StudyWatch
from morpholaw.widgets.study.way_to_law import WayToLaw

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from morpholaw.cells.crop_set import Crops
    from morpholaw.store.overview import Overview
    from morpholaw.study import Study
    from morpholaw.widgets.movie.selection_in_movie import SelectionInMovie
    from morpholaw.widgets.study.cell_scores import CellScores

NO_STUDY = "No study is open; press Open... or New... at the top of the panel."
DARK_BACKGROUND = "#262930"
"""Background of the panels until the theme is known: that of napari's dark theme."""

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
    "cross_validate": ("validations_changed",),
}


class CurrentStudy(QObject):
    """The state shared by the panels of one viewer: the open study, the selected cells, and the running steps.

    Attributes
    ----------
    study : Study or None
        The open study.
    background : str
        Background colour of the panels, "#rrggbb", against which the colours of classes must have enough contrast.
    live : LiveProcess
        The process that computes what follows a slider, for all panels.
    steps : WindowSteps
        The steps that the panels have started.
    selection : list of int
        Global indices (:class:`morpholaw.cells.crop_set.Crops`) of the selected crops, in the order of selection.
    scores : dict of str to CellScores
        Scores of the study's crops by name of the classifier; the classifier that was applied last comes last. Empty
        until cells are scored, and again after models or crops change.
    in_movie : SelectionInMovie or None
        Shows the selected cells in the movie; None until a panel is open.
    way : WayToLaw
        Runs the steps from labels to a law.
    collection : IdleCollection
        Collects garbage when the window is idle.

    Notes
    -----
    Signals: ``changed`` (another study is open, or none), ``crops_changed``, ``labels_changed``,
    ``encoder_changed``, ``classifiers_changed``, ``laws_changed``, ``names_changed`` (of latents),
    ``timeline_changed``, ``validations_changed`` (results of cross-validations), ``background_changed``,
    ``scores_changed`` (not if the cells change too, which ``changed`` and ``crops_changed`` announce), and
    ``selection_changed`` with the list of global indices.
    """

    changed = Signal()
    crops_changed = Signal()
    labels_changed = Signal()
    encoder_changed = Signal()
    classifiers_changed = Signal()
    laws_changed = Signal()
    names_changed = Signal()
    timeline_changed = Signal()
    validations_changed = Signal()
    scores_changed = Signal()
    background_changed = Signal()
    selection_changed = Signal(list)

    def __init__(self) -> None:
        super().__init__()
        self.live = LiveProcess()
        finalize(self, self.live.close)
        self.steps = WindowSteps()
        self.steps.changed_study.connect(self._step_ended)
        self.steps.closed.connect(self.live.close)  # it starts again if another window needs it
        self.study: Study | None = None
        self.background = DARK_BACKGROUND
        self.selection: list[int] = []
        self.scores: dict[str, CellScores] = {}
        self.in_movie: SelectionInMovie | None = None
        self.way = WayToLaw(self)
        self._crops: Crops | None = None
        self._overview: Overview | None = None
        self._labels: np.ndarray | None = None
        # These slots must be connected first; otherwise panels would show outdated values.
        for signal in (
            self.changed, self.crops_changed, self.labels_changed, self.encoder_changed, self.classifiers_changed,
            self.laws_changed,
        ):  # fmt: skip
            signal.connect(self._forget_overview)
        for signal in (self.changed, self.crops_changed):
            signal.connect(
                self._drop_scores
            )  # panels read the cells again, and until then have none to recolour
        for signal in (self.encoder_changed, self.classifiers_changed):
            signal.connect(self._forget_scores)
        for signal in (self.changed, self.crops_changed, self.labels_changed):
            signal.connect(self._forget_labels)
        self._study_watch = StudyWatch(self)
        self.steps.closed.connect(self._study_watch.stop)
        self.collection = IdleCollection()
        self.steps.closed.connect(self.collection.stop)

    @classmethod
    def of(cls, viewer: ViewerModel) -> CurrentStudy:
        """Return the current study of a viewer; it is the same for the viewer and for napari's proxy of it."""
        viewer = unwrapped(viewer)
        if viewer not in _OF_VIEWER:
            _OF_VIEWER[viewer] = cls()
        return _OF_VIEWER[viewer]

    def open(self, path: Path | str) -> Study:
        """Open the study at ``path``.

        Raises
        ------
        InputError
            If there is no usable study; the current study then stays open.
        """
        from morpholaw.study import Study

        study = Study.open(path)
        if study.sets:
            len(study.crops)  # report sets that do not fit together here, not when they are first used
        self._show(study)
        return study

    def create(self, path: Path | str, classes: Sequence[str] | None = None) -> Study:
        """Create a study at ``path`` and open it.

        Raises
        ------
        InputError
            If the folder contains something else.
        """
        from morpholaw.study import Study

        study = Study.create(path) if classes is None else Study.create(path, classes)
        self._show(study)
        return study

    def close(self) -> None:
        """Close the study."""
        self._show(None)

    def required(self) -> Study:
        """Return the open study.

        Raises
        ------
        InputError
            If no study is open.
        StudyGoneError
            If its folder is gone.
        """
        if self.study is None:
            raise InputError(NO_STUDY)
        if not (self.study.path / "study.json").is_file():
            raise StudyGoneError(f"The study {self.study.path} no longer exists; it was moved or deleted.")
        return self.study

    def or_no_study(self, hint: str) -> str:
        """Return what an empty part of a panel says: ``hint``, or that no study is open and how to open one."""
        return NO_STUDY if self.study is None else hint

    @property
    def crops(self) -> Crops | None:
        """All crops of the study, cached until they change; None if it has none, or if its sets do not fit together."""
        if self._crops is None and self.study is not None and self.study.sets:
            with suppress(MorpholawError):
                self._crops = self.study.crops
        return self._crops

    @property
    def labels(self) -> np.ndarray:
        """Label of each crop of the study, object (crops,), "" if it has none; cached until labels change."""
        crops = self.crops
        if self._labels is None or crops is None:
            if self.study is None or crops is None:
                return np.empty(0, object)
            labels = [self.study.annotations.labels_for(crop_set) for crop_set in crops.sets]
            self._labels = np.concatenate(labels).astype(object)
        return self._labels

    def class_colours(self) -> dict[str, str]:
        """Return the colour of each class in the panels, "#rrggbb"; empty if no study is open."""
        if self.study is None:
            return {}
        colours = self.study.class_colours()
        return colours_on(self.background, tuple(colours), colours)

    def set_background(self, background: str) -> None:
        """Set the background colour of the panels, "#rrggbb", and emit ``background_changed`` if it changes."""
        if background != self.background:
            self.background = background
            self.background_changed.emit()

    def set_label(self, cells: Sequence[int], name: str) -> None:
        """Label crops, given by their global indices, with a class; "" clears their labels.

        The labels are saved, and ``labels_changed`` is emitted.

        Raises
        ------
        InputError
            If no study is open, no cell is selected, or the labels cannot be saved.
        """
        crops = self.crops
        if not cells or crops is None:
            self.required()
            raise InputError("No cell is selected; select some first.")
        table = crops.cells
        keys = zip(table["set"].iloc[list(cells)], table["crop"].iloc[list(cells)], strict=True)
        self.required().annotations.set_labels({(str(set_name), int(crop)): name for set_name, crop in keys})
        self.labels_changed.emit()

    def step_labels(self, direction: Literal["undo", "redo"]) -> list[int]:
        """Undo or redo the last change of labels by this window, and return its crops as global indices.

        The caller emits ``labels_changed``. If there is nothing to undo or redo, the user is told so.

        Raises
        ------
        InputError
            If no study is open, or the labels cannot be saved.
        """
        annotations, crops = self.required().annotations, self.crops
        changed = annotations.undo() if direction == "undo" else annotations.redo()
        starts = () if crops is None else zip(crops.sets, crops.offsets.tolist(), strict=False)
        offsets = {crop_set.name: start for crop_set, start in starts}
        cells = [offsets[name] + crop for name, crop in changed if name in offsets]
        if not cells:
            show_info(f"There is no change of labels to {direction}.")
        return cells

    @property
    def overview(self) -> Overview | None:
        """Contents of the study and its next step, cached until it changes; None if no study is open or it is gone."""
        if self._overview is None and self.study is not None:
            from morpholaw.store.overview import overview

            with suppress(MorpholawError, OSError):
                self._overview = overview(self.required())
        return self._overview

    def _forget_overview(self) -> None:
        self._overview = None

    def _forget_labels(self) -> None:
        self._labels = None

    def _drop_scores(self) -> None:
        self.scores = {}

    def _forget_scores(self) -> None:
        if self.scores:
            self._drop_scores()
            self.scores_changed.emit()

    @property
    def last_scores(self) -> CellScores | None:
        """Scores of the classifier that was applied last; None if no cell is scored."""
        return next(reversed(self.scores.values()), None)

    def add_scores(self, scores: CellScores) -> None:
        """Store the scores of a classifier, replacing its earlier ones, and emit ``scores_changed``."""
        if self.last_scores is not None and self.last_scores.same_as(scores):
            return  # several panels report the result of the same run
        self.scores.pop(scores.classifier.name, None)
        self.scores[scores.classifier.name] = scores
        self.scores_changed.emit()

    def select(self, indices: Sequence[int]) -> None:
        """Select crops by their global indices and emit ``selection_changed``."""
        indices = [int(index) for index in indices]
        if indices != self.selection:
            self.selection = indices
            self.selection_changed.emit(indices)

    def shows_other(self, path: str) -> bool:
        """Return whether a study other than the one at ``path`` is open."""
        return self.study is not None and self.study.path.resolve() != Path(path).resolve()

    @property
    def is_busy(self) -> bool:
        """Whether a step of this window works on the open study."""
        return any(run.study and not self.shows_other(run.study) for run in self.steps.running)

    def announce(self, step: str) -> None:
        """Emit the signals for what a finished job of :data:`morpholaw.jobs.STEPS` has changed."""
        self._emit_changes(_CHANGED_BY_STEP.get(step, ()))

    def announce_change(self, part: str) -> None:
        """Emit the signals for a part of the study, a key of :data:`CHANGED_BY`, that was changed elsewhere."""
        self._emit_changes(CHANGED_BY[part])

    def _step_ended(self, step: str, study: str) -> None:
        if not self.shows_other(study):
            self.announce(step)

    def _emit_changes(self, signals: Sequence[str]) -> None:
        if "crops_changed" in signals:
            self._read_crops_again()
        for name in signals:
            getattr(self, name).emit()

    def _read_crops_again(self) -> None:
        """Read the crops again, and select none: the numbers of the selected ones may now belong to other cells."""
        self._crops = None
        try:
            if self.study is not None and self.study.sets:
                self._crops = self.study.crops
        except MorpholawError as error:
            show_error(str(error))
        self.select([])

    def _show(self, study: Study | None) -> None:
        self.study, self._crops, self.selection = study, None, []
        if study is not None:
            study.progress = False  # the window has its own progress bars
        self.changed.emit()
        self.selection_changed.emit([])


_OF_VIEWER: WeakKeyDictionary[Any, CurrentStudy] = WeakKeyDictionary()


def unwrapped(viewer: ViewerModel) -> ViewerModel:
    """Return the viewer behind the proxy that napari passes to plugins."""
    wrapped: ViewerModel = getattr(viewer, "__wrapped__", viewer)
    return wrapped
