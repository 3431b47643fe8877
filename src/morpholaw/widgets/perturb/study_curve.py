"""Accuracy against eps for the whole study: which schemes withstand an attack, and from where on they fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from morpholaw.config import AttackConfig
from morpholaw.errors import InputError
from morpholaw.jobs import Job
from morpholaw.widgets.forms.config_form import ConfigForm
from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.jobs.job_runner import JobRunner
from morpholaw.widgets.perturb.attack_choice import AttackChoice
from morpholaw.widgets.pictures.figure_panel import FigurePanel
from morpholaw.widgets.study.current_study import CurrentStudy
from morpholaw.widgets.study.saved_classifiers import saved_classifiers

if TYPE_CHECKING:
    import pandas as pd

    from morpholaw.study import Study

_NOTHING = "The accuracy of every model on the test cells shows here."


class AttackPanel(QWidget):
    """Attacks the study's test cells and draws the curves; ``drawn`` is emitted when all are there.

    Parameters
    ----------
    viewer : napari.Viewer
        Its theme is the figure's.
    current : CurrentStudy
        The study.
    error_line : ErrorLine
        Where to complain.
    choice : AttackChoice
        The scheme, the space and the latents held.
    """

    drawn = Signal()

    def __init__(
        self, viewer: Any, current: CurrentStudy, error_line: ErrorLine, choice: AttackChoice
    ) -> None:
        super().__init__()
        self.current, self.error_line, self.choice = current, error_line, choice
        self.table: pd.DataFrame | None = None
        self.form = ConfigForm(AttackConfig, fields=("eps",), advanced=("target", "gradient_loss"))
        self.all_schemes = QCheckBox("all trained schemes")
        self.all_schemes.setToolTip("Attack every scheme that has the chosen space, not only the chosen one.")
        self.button = QPushButton("Accuracy against ε")
        self.button.setToolTip("Attack the held-out test cells of the study (paper, figures 14, 17 and 19).")
        self.runner = JobRunner(current)
        self.figure = FigurePanel(viewer, _NOTHING)
        row = QHBoxLayout()
        row.addWidget(self.button)
        row.addWidget(self.all_schemes)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.form)
        layout.addLayout(row)
        layout.addWidget(self.runner)
        layout.addWidget(self.figure)
        layout.addStretch(1)
        self.button.clicked.connect(self.start)
        self.runner.finished.connect(self._finished)
        self.runner.failed.connect(lambda _: self.button.setEnabled(True))

    def clear(self) -> None:
        """Show no curve: another study, or other classifiers."""
        self.table: pd.DataFrame | None = None
        self.figure.say(_NOTHING)

    def start(self) -> None:
        """Attack the test cells in a child process, one scheme after another."""
        with self.error_line.catch():
            study = self.current.required()
            self.form.config()
            schemes = self._schemes(study)
            if self.runner.running:
                raise InputError("An attack is still running; wait for it or press Stop.")
            values = {**self.form.values(), "space": self.choice.space}
            if self.choice.keep:
                values["keep"] = self.choice.keep
            self.button.setEnabled(False)
            self.runner.start(Job("attack", str(study.path), values, {"schemes": schemes}), table=True)

    def _schemes(self, study: Study) -> list[int]:
        chosen = self.choice.classifier
        if chosen is None:
            raise InputError("No classifier is trained yet; train one in the Classify panel first.")
        if not self.all_schemes.isChecked():
            if chosen.loss == "mse":
                raise InputError(
                    "The curve of scheme 4 is that of the laws found with the hinge loss; choose those."
                )
            return [chosen.scheme]
        found = [
            entry.scheme for entry in saved_classifiers(study, self.error_line.say) if entry.loss == "hinge"
        ]
        schemes = [scheme for scheme in found if scheme > 1 or self.choice.space == "image"]
        if not schemes:
            raise InputError(f"No trained scheme can be attacked in the space {self.choice.space!r}.")
        return schemes

    def _finished(self, result: dict[str, Any]) -> None:
        self.button.setEnabled(True)
        table = result.get("table")
        if table is None or (table := table.dropna(subset="accuracy")).empty:
            self.figure.say("The attack was stopped before any cell was attacked.")
            return
        self.table = table
        self.drawn.emit()
        self.figure.draw(lambda figsize, theme: _figure(table, figsize, theme))


def _figure(table: pd.DataFrame, figsize: Any, theme: Any) -> Any:
    from morpholaw.figures.attacks import attack_curves

    schemes = sorted(table["scheme"].unique())
    eps = np.sort(table["eps"].unique())
    models = int(table["model"].max()) + 1
    accuracy = np.full((len(schemes), models, len(eps)), np.nan)
    rows = np.searchsorted(schemes, table["scheme"]), table["model"], np.searchsorted(eps, table["eps"])
    accuracy[rows] = table["accuracy"]
    space, keep = table["space"].iloc[0], table["keep"].iloc[0]
    return attack_curves(
        eps,
        accuracy,
        schemes=[int(scheme) for scheme in schemes],
        space=f"{space}, {keep} held" if keep else space,
        theme=theme,
        figsize=figsize,
    )
