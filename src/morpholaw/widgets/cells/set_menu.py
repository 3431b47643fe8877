"""Button that renames or deletes a crop set of the study."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QInputDialog, QMenu, QPushButton

from morpholaw.errors import InputError
from morpholaw.widgets.forms.confirm import confirmed
from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.study.current_study import CurrentStudy


class SetMenu(QPushButton):
    """Button with a menu that renames or deletes the chosen set.

    Parameters
    ----------
    current : CurrentStudy
        The study with the sets.
    chosen : callable
        Returns the name of the chosen set; "" if none is chosen.
    error_line : ErrorLine
        Where errors are shown.

    Notes
    -----
    ``renamed`` is emitted with the new name of a set.
    """

    renamed = Signal(str)

    def __init__(self, current: CurrentStudy, chosen: Callable[[], str], error_line: ErrorLine) -> None:
        super().__init__("Edit set")
        self.current, self._chosen, self.error_line = current, chosen, error_line
        self.setToolTip("Rename or delete the set that is chosen in the list above.")
        menu = QMenu(self)
        menu.addAction("Rename set...", self._ask_name)
        menu.addAction("Delete set...", self.delete)
        self.setMenu(menu)
        self.setMinimumWidth(self.sizeHint().width() + 6)  # napari's style leaves no room for the arrow

    def rename(self, new_name: str) -> None:
        """Rename the chosen set."""
        with self.error_line.catch():
            self.current.required().rename_set(self._required(), new_name)
            self.current.announce("crop")
            self.renamed.emit(new_name)

    def delete(self) -> None:
        """Delete the chosen set after the user confirms."""
        with self.error_line.catch():
            name = self._required()
            question = f"Delete the set {name} with its crops and labels? This cannot be undone."
            if confirmed(self, "Delete set", question):
                self.current.required().delete_set(name)
                self.current.select([])
                self.current.announce("crop")

    def _ask_name(self) -> None:
        with self.error_line.catch():
            name = self._required()
            new_name, accepted = QInputDialog.getText(
                self, "Rename set", f"New name of the set {name}:", text=name
            )
            if accepted and new_name.strip() not in ("", name):
                self.rename(new_name.strip())

    def _required(self) -> str:
        name = self._chosen()
        if not name:
            raise InputError("Choose a set in the list first.")
        return name
