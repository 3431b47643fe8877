"""Buttons that copy the chosen law to the clipboard, and the law as text in each format."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QPushButton, QWidget

from morpholaw.models.features import ModelColumns, latent_number
from morpholaw.models.law import Law

COPIES = {"latex": "LaTeX", "python": "Python", "spreadsheet": "Spreadsheet", "text": "Text"}
"""Formats in which a law is copied, and their names."""
TOOLTIPS = {
    "latex": "Copy the law as LaTeX to the clipboard.",
    "python": "Copy the law as a Python function to the clipboard.",
    "spreadsheet": "Copy the law as a formula for Excel or Calc, with its inputs in the columns A, B, ... of row 2.",
    "text": "Copy the law as text to the clipboard.",
}


class CopyRow(QWidget):
    """One button for each format.

    Notes
    -----
    ``wanted`` is emitted with the format when a button is pressed.
    """

    wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.addWidget(QLabel("Copy as"))
        self.buttons = QButtonGroup(self)
        self.buttons.buttonClicked.connect(self._clicked)
        for name, title in COPIES.items():
            button = QPushButton(title)
            button.setToolTip(TOOLTIPS[name])
            button.setObjectName(f"copy {name}")
            self.buttons.addButton(button)
            self._row.addWidget(button)
        self._row.addStretch(1)

    def _clicked(self, button: QPushButton) -> None:
        self.wanted.emit(button.objectName().removeprefix("copy "))


def named(names: Sequence[str], words: dict[int, str]) -> dict[str, str]:
    """Return the names of a law's latents: {"z3": "size"} for ("z3", "width") and {3: "size"}."""
    return {name: words[k] for name in names if (k := latent_number(name)) is not None and k in words}


def law_text(
    kind: str, law: Law, classes: tuple[str, str], columns: ModelColumns | None, words: dict[int, str]
) -> str:
    """Return a law, in units, as "latex", "python", "spreadsheet" or "text"."""
    from morpholaw.models.law_units import law_in_units

    law = law_in_units(law, columns)
    if kind == "latex":
        from morpholaw.interpretation.oriented_law import law_in_words

        law_of_words, names = law_in_words(law, named(law.names, words))
        return "f = " + law_of_words.latex(names)
    if kind == "spreadsheet":
        from morpholaw.models.expressions.spreadsheet import to_spreadsheet

        return to_spreadsheet(law.expression, classes)
    return law.to_python("f", classes) if kind == "python" else law.text()
