"""One button from labels to a law, with a choice of how thorough, what it costs, and its progress."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from morpholaw.training.cores import available_cores
from morpholaw.training.durations import about
from morpholaw.widgets.forms.narrow_combo import narrow_combo
from morpholaw.widgets.jobs.job_runner import JobRunner
from morpholaw.widgets.study.current_study import CurrentStudy
from morpholaw.widgets.study.presets import PRESETS
from morpholaw.widgets.study.way_to_law import NAMES, PLACE

FEW_TEST_CELLS = 50
"""Held-out cells of a class below which an accuracy is known roughly."""
HARDLY_ANY = 10
"""Held-out cells of a class below which it is hardly known."""


class WayButtons(QWidget):
    """Runs all steps that are missing between labels and a law.

    Parameters
    ----------
    current : CurrentStudy
        The study.
    """

    def __init__(self, current: CurrentStudy, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.current = current
        self.preset = narrow_combo("preset")
        for place, preset in enumerate(PRESETS):
            self.preset.addItem(preset.name, place)
        self.preset.setCurrentIndex(1)
        self.preset.setMinimumWidth(self.preset.fontMetrics().horizontalAdvance("Quick look") + 46)
        self.preset.setToolTip(
            "Choose how thoroughly a law is looked for. "
            + " ".join(
                f"{preset.name}: {preset.meaning[0].lower()}{preset.meaning[1:]}" for preset in PRESETS
            )
        )
        self.button = QPushButton("From labels to a law")
        self.button.setToolTip("Run the steps that are missing between labelled cells and a law.")
        self.cost = QLabel()
        self.cost.setWordWrap(True)
        self.runner = JobRunner(current, PLACE)
        row = QHBoxLayout()
        row.addWidget(self.button, 1)
        row.addWidget(self.preset)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(row)
        layout.addWidget(self.cost)
        layout.addWidget(self.runner)
        self.button.clicked.connect(self._start)
        self.preset.activated.connect(self.refresh)
        current.way.moved.connect(self.refresh)
        current.way.arrived.connect(self._arrived)
        self._pressed = False
        self.refresh()

    def refresh(self, *_: object) -> None:
        """Show what is still to be done and what it costs; nothing where nothing is."""
        way = self.current.way
        chosen, cores = PRESETS[self.preset.currentData()], available_cores()
        running, steps = way.running, way.steps(chosen)
        something = bool(steps) or any(way.steps(preset) for preset in PRESETS)
        self.setVisible(running or something)
        for part in (self.preset, self.cost):
            part.setVisible(something and not running)
        self.button.setVisible(bool(steps) and not running)
        self.runner.setVisible(running or bool(self.runner.status.text()))
        if running:
            return
        if not steps:
            self.cost.setText(f"{chosen.name} is done; the others look more thoroughly.")
            return
        listed = ", ".join(NAMES[step] for step in steps)
        overview = self.current.overview
        crops = 0 if overview is None else overview.crops
        cost = about(sum(chosen.seconds(step, cores, crops) for step in steps))
        self.button.setToolTip(
            f"Run the steps that are missing, in order: {listed}. It can be stopped, and goes on from there."
        )
        self.cost.setText(f"{cost[0].upper()}{cost[1:]} here: {listed}.{self._warning()}")

    def _warning(self) -> str:
        """Say where few cells will be held out for testing."""
        overview = self.current.overview
        if overview is None or not overview.labels:
            return ""
        from morpholaw.store.labelled_cells import SMALL, SMALL_TEST_FRACTION, TEST_FRACTION

        counts = sorted(overview.labels.values(), reverse=True)[:2]
        share = SMALL_TEST_FRACTION if sum(counts) < SMALL else TEST_FRACTION
        held_out = round(min(counts) * share)
        if held_out >= FEW_TEST_CELLS:
            return ""
        known = "known roughly" if held_out >= HARDLY_ANY else "hardly known: see it as a first look"
        return f" Only about {held_out} cells of a class will be held out, so that its accuracy is {known}."

    def _start(self) -> None:
        with self.runner.error_line.catch():
            self._pressed = True
            self.current.way.start(PRESETS[self.preset.currentData()])

    def _arrived(self, report: Path) -> None:
        # the buttons of all panels hear of it; the one that was pressed opens the report
        if self._pressed and report.is_file():
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(report)))
        self._pressed = False
