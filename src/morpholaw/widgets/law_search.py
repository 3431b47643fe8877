"""The part of the Laws panel that searches: engine, settings, progress, and the front as it grows."""

from __future__ import annotations

import re
import time
from typing import Any

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from morpholaw.config import LawConfig
from morpholaw.events import Metrics, Progress
from morpholaw.jobs import Job
from morpholaw.widgets.current_study import CurrentStudy
from morpholaw.widgets.engine_line import EngineLine
from morpholaw.widgets.error_line import ErrorLine
from morpholaw.widgets.figure_panel import FigurePanel
from morpholaw.widgets.form import ConfigForm
from morpholaw.widgets.job_runner import JobRunner

_FRONT = re.compile(r"complexity (\d+)")


class LawSearch(QWidget):
    """Starts the job "discover_law" and draws what it reports; ``runner`` is placed by the panel around it.

    Parameters
    ----------
    viewer : napari.Viewer
        Its theme is the figure's.
    current : CurrentStudy
        Whose study is searched.
    error_line : ErrorLine
        Where to complain.

    Notes
    -----
    ``started`` and ``found`` (the loss that was searched with) are emitted. Metrics called "complexity 7" are the
    best loss of an expression of that complexity.
    """

    started = Signal()
    found = Signal(str)

    def __init__(
        self, viewer: Any, current: CurrentStudy, error_line: ErrorLine, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.current, self.error_line = current, error_line
        self.runner = JobRunner(current)
        self.engine = EngineLine(self.runner)
        self.form = ConfigForm(
            LawConfig,
            fields=("loss", "count"),
            advanced=[name for name in LawConfig.model_fields if name not in ("loss", "count", "engine")],
        )
        self.run_button = QPushButton("Search for laws")
        self.run_button.setToolTip("Symbolic regression of the boundary on the latents that scheme 3 kept.")
        self.front = FigurePanel(viewer)
        buttons = QHBoxLayout()
        buttons.addWidget(self.run_button)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (self.engine, self.form):
            layout.addWidget(part)
        layout.addLayout(buttons)
        layout.addWidget(self.front)
        self.front.hide()
        self.losses: list[tuple[float, float]] = []
        self.complexities: dict[int, float] = {}
        self._loss = "hinge"
        self._began = 0.0
        self._searching = False
        self.run_button.clicked.connect(self.run)
        self.runner.reported.connect(self._heard)
        self.runner.finished.connect(self._finished)
        self.runner.failed.connect(self._failed)

    def job(self) -> Job:
        """The job that the settings describe; InputError where they or the study are wrong."""
        study = self.current.required()
        self.form.config()
        values = self.form.values()
        if self.engine.engine != "auto":
            values["engine"] = self.engine.engine
        return Job("discover_law", str(study.path), values)

    def run(self) -> None:
        """Start the search, or say why not."""
        with self.error_line.catch():
            job = self.job()
            self._loss = self.form.editors["loss"].currentData()
            self.losses, self.complexities = [], {}
            self._began, self._searching = time.monotonic(), True
            self.front.show()
            self.front.say("The front appears here as the search goes on.")
            self.run_button.setEnabled(False)
            self.runner.show()
            self.runner.start(job)
            self.started.emit()

    def show_study(self) -> None:
        """Forget the search before."""
        self.front.say("")
        self.front.hide()

    def _heard(self, event: Any) -> None:
        if not self._searching:
            return
        if isinstance(event, Progress) and event.stage == "refit":
            return
        if isinstance(event, Metrics):
            for name, value in event.values.items():
                if match := _FRONT.fullmatch(name):
                    complexity = int(match[1])
                    self.complexities[complexity] = min(value, self.complexities.get(complexity, np.inf))
            if "loss" in event.values:
                self.losses.append((time.monotonic() - self._began, event.values["loss"]))
            self.front.draw(self._figure)

    def _figure(self, figsize: Any, theme: Any) -> Any:
        if self.complexities:
            from morpholaw.figures.laws import law_front

            found = sorted(self.complexities.items())
            return law_front(
                np.array([c for c, _ in found]), np.array([v for _, v in found]),
                measure="loss", theme=theme, figsize=figsize,
            )  # fmt: skip
        return _best_loss(self.losses, figsize, theme)

    def _finished(self, _: dict[str, Any]) -> None:
        self.run_button.setEnabled(True)
        if self._searching:
            self._searching = False
            self.found.emit(self._loss)

    def _failed(self, _: str) -> None:
        self.run_button.setEnabled(True)
        self._searching = False
        if not self.losses:
            self.show_study()


def _best_loss(losses: list[tuple[float, float]], figsize: Any, theme: Any) -> Any:
    from morpholaw.figures.style import dress, new_figure

    seconds, values = np.array(losses).T
    figure = new_figure(figsize, theme, height=figsize[0] * 0.5)
    axes = dress(figure.add_subplot(), theme)
    axes.step(seconds, values, where="post", color=theme.positive, linewidth=1.6)
    axes.scatter(seconds[-1:], values[-1:], s=18, color=theme.positive, zorder=3)
    if values.min() > 0 and values.max() > 10 * values.min():
        axes.set_yscale("log")
    axes.set(xlabel="seconds", ylabel="best loss so far")
    return figure
