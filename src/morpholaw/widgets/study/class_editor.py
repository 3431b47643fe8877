"""The menu of a class button, which renames, merges, colours, moves and removes classes of the study."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QColorDialog, QInputDialog, QMenu, QWidget

from morpholaw.widgets.forms.confirm import confirmed
from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.study.current_study import CurrentStudy


class ClassEditor:
    """Edits the classes of the study, for all panels.

    Parameters
    ----------
    current : CurrentStudy
        The study with the classes.
    error_line : ErrorLine
        Where errors are shown.
    parent : QWidget
        Parent of the menu and the dialogs.
    """

    def __init__(self, current: CurrentStudy, error_line: ErrorLine, parent: QWidget) -> None:
        self.current, self.error_line, self.parent = current, error_line, parent

    def menu(self, name: str) -> QMenu:
        """Return the menu of a class."""
        menu = QMenu(self.parent)
        study = self.current.study
        others = [] if study is None else [other for other in study.classes if other != name]
        self._add(menu, f"Rename {name}...", lambda: self._ask_name(name))
        into = menu.addMenu("Merge into")
        assert into is not None
        into.setEnabled(bool(others))
        for other in others:
            self._add(into, other, partial(self._ask_merge, name, other))
        self._add(menu, "Choose a colour...", lambda: self._ask_colour(name))
        self._add(menu, "Use the default colour", lambda: self.colour(name, ""))
        self._add(menu, "Move to the front", lambda: self.move_to_front(name))
        self._add(menu, "Remove", lambda: self.remove(name))
        return menu

    def show_menu(self, name: str, place: QPoint) -> None:
        """Open the menu of a class at a position on the screen."""
        menu = self.menu(name)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(place)

    def rename(self, name: str, new_name: str) -> None:
        """Rename a class."""
        self._change(lambda: self.current.required().rename_classes({name: new_name}))

    def merge(self, name: str, other: str) -> None:
        """Merge a class into another one, with which all its cells are then labelled."""
        self._change(lambda: self.current.required().rename_classes({name: other}, merge=True))

    def colour(self, name: str, colour: str) -> None:
        """Set the colour of a class to "#rrggbb"; "" stands for the default colour."""
        self._change(lambda: self.current.required().colour_classes({name: colour}))

    def move_to_front(self, name: str) -> None:
        """Move a class before all others."""
        self._change(
            lambda: self.current.required().arrange_classes([name, *self.current.required().classes])
        )

    def remove(self, name: str) -> None:
        """Remove a class without cells."""
        self._change(lambda: self.current.required().remove_class(name))

    def _change(self, change: Callable[[], Any]) -> None:
        with self.error_line.catch():
            change()
            self.current.labels_changed.emit()
            self.current.classifiers_changed.emit()

    def _ask_name(self, name: str) -> None:
        from morpholaw.study.class_step import merges

        new_name, accepted = QInputDialog.getText(
            self.parent, "Rename class", f"New name of the class {name}:", text=name
        )
        new_name = new_name.strip()
        if not accepted or new_name in ("", name):
            return
        with self.error_line.catch():
            if merges(self.current.required(), {name: new_name}):
                self._ask_merge(name, new_name)
            else:
                self.rename(name, new_name)

    def _ask_merge(self, name: str, other: str) -> None:
        question = (
            f"Label all cells of {name} as {other}? "
            "Classifiers that distinguish the two must then be trained again."
        )
        if confirmed(self.parent, "Merge classes", question):
            self.merge(name, other)

    def _ask_colour(self, name: str) -> None:
        study = self.current.study
        before = "#808080" if study is None else study.class_colours([name])[name]
        chosen = QColorDialog.getColor(QColor(before), self.parent, f"Colour of {name}")
        if chosen.isValid():
            self.colour(name, chosen.name())

    @staticmethod
    def _add(menu: QMenu, text: str, do: Callable[[], Any]) -> None:
        action = menu.addAction(text)
        assert action is not None
        action.triggered.connect(lambda _=False: do())
