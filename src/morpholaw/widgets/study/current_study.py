"""The study that all widgets of one viewer show, and what they tell each other about it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, finalize

from napari.utils.notifications import show_error
from psygnal import Signal

from morpholaw.errors import InputError
from morpholaw.widgets.jobs.live_process import LiveProcess

if TYPE_CHECKING:
    from morpholaw.cells.crop_set import Crops
    from morpholaw.study import Study

_MADE_BY_STEP = {
    "crop": ("crops_changed", "labels_changed"),
    "import_crops": ("crops_changed", "labels_changed"),
    "train_encoder": ("encoder_changed",),
    "train_classifier": ("classifiers_changed",),
    "tune": ("classifiers_changed",),
    "discover_law": ("laws_changed", "classifiers_changed"),
}


class CurrentStudy:
    """One per viewer: open another study, and every widget follows.

    Attributes
    ----------
    study : Study or None
        What is open.
    live : LiveProcess
        Where the viewer's panels compute what follows a slider.
    selection : list of int
        Global indices (:class:`morpholaw.cells.crop_set.Crops`) of the selected crops, in the order of selection.

    Notes
    -----
    Signals: ``changed`` (another study is open, or none), ``crops_changed``, ``labels_changed``,
    ``encoder_changed``, ``classifiers_changed``, ``laws_changed``, ``names_changed`` (of latents), and
    ``selection_changed`` with the list of global indices.
    """

    changed = Signal()
    crops_changed = Signal()
    labels_changed = Signal()
    encoder_changed = Signal()
    classifiers_changed = Signal()
    laws_changed = Signal()
    names_changed = Signal()
    selection_changed = Signal(list)

    def __init__(self) -> None:
        self.live = LiveProcess()
        finalize(self, self.live.close)
        self.study: Study | None = None
        self.selection: list[int] = []
        self._crops: Crops | None = None

    @classmethod
    def of(cls, viewer: Any) -> CurrentStudy:
        """The current study of a viewer; the same for the viewer and for napari's proxy of it."""
        viewer = unwrapped(viewer)
        if viewer not in _OF_VIEWER:
            _OF_VIEWER[viewer] = cls()
        return _OF_VIEWER[viewer]

    def open(self, path: Path | str) -> Study:
        """Open the study at ``path``; InputError where there is none to use, and the one before stays open."""
        from morpholaw.study import Study

        study = Study.open(path)
        if study.sets:
            len(study.crops)  # sets that don't go together are said here, and not by whoever reads them first
        return self._show(study)

    def create(self, path: Path | str, classes: Sequence[str] | None = None) -> Study:
        """Make a study at ``path`` and open it; InputError where something else is there."""
        from morpholaw.study import Study

        return self._show(Study.create(path, **({} if classes is None else {"classes": classes})))

    def close(self) -> None:
        """Show no study."""
        self._show(None)

    def required(self) -> Study:
        """The open study; InputError where none is open or its folder is gone."""
        if self.study is None:
            raise InputError("No study is open; press Open... or New... at the top of the panel.")
        if not (self.study.path / "study.json").is_file():
            raise InputError(f"The study {self.study.path} is gone; it was moved or deleted.")
        return self.study

    @property
    def crops(self) -> Crops | None:
        """All crops of the study, None where it has none that go together; kept until they change."""
        if self._crops is None and self.study is not None and self.study.sets:
            with suppress(InputError):
                self._crops = self.study.crops
        return self._crops

    def select(self, indices: Sequence[int]) -> None:
        """Select crops by their global indices and tell every widget."""
        indices = [int(index) for index in indices]
        if indices != self.selection:
            self.selection = indices
            self.selection_changed.emit(indices)

    def announce(self, step: str) -> None:
        """Tell every widget what a finished job of :data:`morpholaw.jobs.STEPS` changed."""
        if "crop" in step:
            self._crops = None
            try:
                if self.study is not None and self.study.sets:
                    self._crops = self.study.crops
            except InputError as error:
                show_error(str(error))
        for name in _MADE_BY_STEP.get(step, ()):
            getattr(self, name).emit()

    def _show(self, study: Study | None) -> Any:
        self.study, self._crops, self.selection = study, None, []
        self.changed.emit()
        self.selection_changed.emit([])
        return study


_OF_VIEWER: WeakKeyDictionary[Any, CurrentStudy] = WeakKeyDictionary()


def unwrapped(viewer: Any) -> Any:
    """The viewer itself behind the proxy that napari gives to plugins."""
    return getattr(viewer, "__wrapped__", viewer)
