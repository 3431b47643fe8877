"""Class buttons, each with its number key and the number of its cells, and the number keys of any view."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QKeySequence, QShowEvent
from qtpy.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from morpholaw.widgets.forms.fitted_name import FittedName
from morpholaw.widgets.forms.tab_order import reach_before

COLUMNS = 2


class ClassButtons(QWidget):
    """One button per class, which labels the selected cells.

    Notes
    -----
    Signals: ``pressed`` (number of the class, from 1; 0 clears the label), ``added`` (name of a new class),
    ``menu_wanted`` (name of a class and a position on the screen, after a right-click or the menu key).
    """

    pressed = Signal(int)
    added = Signal(str)
    menu_wanted = Signal(str, object)

    def __init__(self) -> None:
        super().__init__()
        self.classes: list[str] = []
        self.colours: dict[str, str] = {}
        self.buttons: list[QPushButton] = []
        self._names: list[FittedName] = []
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self.new_class = QLineEdit()
        self.new_class.setPlaceholderText("Add a class...")
        self.new_class.setToolTip("Type the name of a new class and press Enter.")
        self.new_class.returnPressed.connect(self._add)
        self.total = QLabel()
        last_row = QHBoxLayout()
        last_row.addWidget(self.new_class, 1)
        last_row.addWidget(self.total)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self._grid)
        layout.addLayout(last_row)

    def show_counts(self, counts: dict[str, int], cells: int, colours: Mapping[str, str]) -> None:
        """Show the number of cells of each class, in its colour, and how many of ``cells`` cells are labelled."""
        if list(counts) != self.classes or dict(colours) != self.colours or not self.buttons:
            self._make(list(counts), dict(colours))
        for number, (name, count) in enumerate(counts.items(), start=1):
            key = f"{number}  " if number < 10 else ""
            self._names[number].say(name, key, f" ({count:,})")
        self.total.setText(f"{sum(counts.values()):,} of {cells:,} labelled")

    def _make(self, classes: list[str], colours: dict[str, str]) -> None:
        for button in self.buttons:
            self._grid.removeWidget(button)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Qt deletes it only after the new ones are placed
            button.deleteLater()
        self.classes, self.colours = classes, colours
        self.buttons = [self._button(0, "transparent", "Remove the label of the selected cells (key 0).")]
        for number, name in enumerate(classes, start=1):
            button = self._button(number, colours[name], _tip(number, name))
            button.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
            button.customContextMenuRequested.connect(
                lambda place, name=name, button=button: self.menu_wanted.emit(name, button.mapToGlobal(place))
            )
            self.buttons.append(button)
        self._names = [FittedName(button) for button in self.buttons]
        self._names[0].say("Clear label", "0  ")
        for place, button in enumerate(self._shown):
            self._grid.addWidget(button, place // COLUMNS, place % COLUMNS)
        reach_before(self.new_class, self._shown)

    @property
    def _shown(self) -> list[QPushButton]:
        """The buttons as they are arranged; the one that clears labels comes last."""
        return [*self.buttons[1:], *self.buttons[:1]]

    def showEvent(self, event: QShowEvent | None) -> None:
        """Fix the tab order of buttons that were made before they had a window."""
        super().showEvent(event)
        reach_before(self.new_class, self._shown)

    def _button(self, number: int, colour: str, tip: str) -> QPushButton:
        button = QPushButton()
        button.setStyleSheet(
            f"QPushButton {{ border-left: 6px solid {colour}; text-align: left; padding-left: 6px; }}"
        )
        button.setToolTip(tip)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # after a click, the gallery keeps the keyboard focus
        button.clicked.connect(lambda _=False, number=number: self.pressed.emit(number))
        return button

    def _add(self) -> None:
        name = self.new_class.text().strip()
        if name:
            self.new_class.clear()
            self.added.emit(name)


def _tip(number: int, name: str) -> str:
    key = f" (key {number})" if number < 10 else ""
    menu = "Right-click or press the menu key to rename, merge, colour or remove the class."
    return f"Label the selected cells as {name}{key}. {menu}"


def digit_of(event: Any) -> int | None:
    """Return the digit of a key event, also from the keypad; None for other keys or with modifiers."""
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    text = event.text()
    return int(text) if modifiers == Qt.KeyboardModifier.NoModifier and text in list("0123456789") else None


def history_of(event: Any) -> Literal["undo", "redo", ""]:
    """Return what a key event asks for: "undo" (Ctrl+Z), "redo" (Ctrl+Shift+Z or Ctrl+Y), or "" for other keys."""
    if event.matches(QKeySequence.StandardKey.Undo):
        return "undo"
    control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    keys = ((Qt.Key.Key_Z, control | shift), (Qt.Key.Key_Y, control))
    if event.matches(QKeySequence.StandardKey.Redo) or (event.key(), event.modifiers()) in keys:
        return "redo"
    return ""
