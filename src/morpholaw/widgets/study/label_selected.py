"""Class buttons and number keys that label the selected cells from any panel, and keys that undo it."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QVBoxLayout, QWidget

from morpholaw.errors import InputError
from morpholaw.widgets.forms.class_buttons import ClassButtons, digit_of, history_of
from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.study.class_editor import ClassEditor
from morpholaw.widgets.study.current_study import CurrentStudy


class LabelSelected(QWidget):
    """Class buttons that label the selected cells; the number keys do the same in a view of the cells.

    In the view, Ctrl+Z undoes the last change of labels, and Ctrl+Shift+Z or Ctrl+Y redoes it.

    Parameters
    ----------
    current : CurrentStudy
        The study and its selected cells.
    view : QWidget
        The view of the cells, in which the number keys label them.
    """

    def __init__(self, current: CurrentStudy, view: QWidget) -> None:
        super().__init__()
        self.current = current
        self.colours: dict[str, str] = {}
        self.buttons = ClassButtons()
        self.error_line = ErrorLine()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.buttons)
        layout.addWidget(self.error_line)
        self.buttons.pressed.connect(self.label)
        self.buttons.added.connect(self._add)
        self.editor = ClassEditor(current, self.error_line, self)
        self.buttons.menu_wanted.connect(self.editor.show_menu)
        view.installEventFilter(self)
        current.background_changed.connect(self.refresh)
        self.refresh()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Handle the keys that label and undo in the view before the shortcuts of the window do."""
        if event is None or event.type() not in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress):
            return super().eventFilter(watched, event)
        number, direction = digit_of(event), history_of(event)
        if number is None and not direction:
            return super().eventFilter(watched, event)
        event.accept()
        if event.type() == QEvent.Type.KeyPress:
            if number is not None:
                self.label(number)
            elif direction:
                self.step(direction)
        return True

    def refresh(self) -> None:
        """Show the classes of the study and the number of cells in each."""
        study = self.current.study
        names = [] if study is None else list(study.classes)
        counts = Counter(self.current.labels.tolist())
        self.colours = self.current.class_colours()
        counted = {name: counts[name] for name in names}
        self.buttons.show_counts(counted, len(self.current.labels), self.colours)

    def label(self, number: int) -> None:
        """Label the selected cells with class ``number`` (from 1), or clear their label (0)."""
        with self.error_line.catch():
            classes = self.buttons.classes
            if number > len(classes):
                raise InputError(f"There is no class {number}; the study has {len(classes)} classes.")
            self.current.set_label(self.current.selection, classes[number - 1] if number else "")

    def step(self, direction: Literal["undo", "redo"]) -> None:
        """Undo or redo the last change of labels, and select its cells."""
        with self.error_line.catch():
            cells = self.current.step_labels(direction)
            if cells:
                self.current.labels_changed.emit()
                self.current.select(cells)

    def _add(self, name: str) -> None:
        with self.error_line.catch():
            self.current.required().add_class(name)
            self.current.labels_changed.emit()
