"""Which engine searches for laws, why, and a button that sets PySR up when asked to."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QHBoxLayout, QLabel, QMessageBox, QPushButton, QVBoxLayout, QWidget

from morpholaw.errors import InputError
from morpholaw.widgets.forms.narrow_combo import narrow_combo
from morpholaw.widgets.jobs.job_runner import JobRunner

ENGINES = {
    "auto": "best that is ready",
    "pysr": "PySR, the paper's",
    "embedded": "embedded, nothing to set up",
}


class EngineLine(QWidget):
    """Choice of the engine, with a sentence about it.

    Parameters
    ----------
    runner : JobRunner
        Runs the set-up of PySR, whose download is a process of its own.
    """

    def __init__(self, runner: JobRunner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.runner = runner
        self._setting_up = False
        self.choice = narrow_combo("engine")
        for name, words in ENGINES.items():
            self.choice.addItem(words, name)
        self.reason = QLabel()
        self.reason.setWordWrap(True)
        self.reason.setStyleSheet("color: palette(mid);")
        self.set_up_button = QPushButton("Set up PySR...")
        self.set_up_button.setToolTip("Download Julia and PySR's packages; asks first.")
        self.set_up_button.hide()
        row = QHBoxLayout()
        row.addWidget(QLabel("engine"))
        row.addWidget(self.choice, 1)
        row.addWidget(self.set_up_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self.reason)
        self.choice.currentIndexChanged.connect(self.look)
        self.set_up_button.clicked.connect(self.set_up)
        runner.finished.connect(self._done)
        runner.failed.connect(self._done)

    @property
    def engine(self) -> str:
        """ "auto", "pysr" or "embedded"."""
        return str(self.choice.currentData())

    def look(self, *_: Any) -> None:
        """Say which engine would search, by PySR's record alone: nothing is imported, downloaded or started."""
        from morpholaw.training.symbolic.choice import choose_engine
        from morpholaw.training.symbolic.pysr_engine import PySREngine

        try:
            self.reason.setText(choose_engine(self.engine)[1])
        except InputError as error:
            self.reason.setText(str(error))
        state = PySREngine().availability()
        self.set_up_button.setVisible(state.can_set_up and not state.ready and self.engine != "embedded")

    def set_up(self) -> None:
        """Ask, then let PySR download Julia in a process of its own."""
        from morpholaw.training.symbolic.pysr_engine import PySREngine

        answer = QMessageBox.question(
            self,
            "Set up PySR",
            "PySR needs Julia and some of its packages: several hundred megabytes from the internet, and some "
            "minutes. The embedded engine needs none of it. Download them now?",
        )
        if answer == QMessageBox.StandardButton.Yes:
            self._setting_up = True
            self.runner.show()
            self.runner.run("set_up_PySR", PySREngine().set_up)

    def showEvent(self, event: Any) -> None:
        """Look when first seen, after the panel has opened."""
        super().showEvent(event)
        if not self.reason.text():
            QTimer.singleShot(0, self.look)

    def _done(self, *_: Any) -> None:
        if self._setting_up:
            self._setting_up = False
            self.look()
