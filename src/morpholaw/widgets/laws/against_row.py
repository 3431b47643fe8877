"""A choice of what the law of a class is read against: all other classes, or one of them."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QWidget

from morpholaw.widgets.forms.narrow_inputs import narrow_combo

ALL_OTHERS = "all other classes"


class AgainstRow(QWidget):
    """A choice of the classes that the law distinguishes the selected class from.

    Notes
    -----
    ``chosen`` is emitted when the user chooses.
    """

    chosen = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.class_name = QLabel()
        self.box = narrow_combo("against")
        self.box.setToolTip(
            "Choose whether to read the law of the class against the laws of all other classes, or against that of one "
            "class to see what separates the two."
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.class_name)
        row.addWidget(self.box, 1)
        self.box.activated.connect(lambda _: self.chosen.emit())

    @property
    def other(self) -> str:
        """The chosen class; "" for all others."""
        return self.box.currentData() or ""

    def show_class(self, name: str, classes: Sequence[str]) -> None:
        """List what a class can be read against; keep the current choice unless it is the class itself."""
        before = self.other
        self.class_name.setText(f"{name} against")
        self.box.clear()
        self.box.addItem(ALL_OTHERS, "")
        for other in classes:
            if other != name:
                self.box.addItem(other, other)
        self.box.setCurrentIndex(max(0, self.box.findData(before)))
