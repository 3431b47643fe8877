"""The Whole study tab: accuracy on the held-out cells against eps, which shows how robust each scheme is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from morpholaw.config import AttackConfig
from morpholaw.display import percent
from morpholaw.errors import InputError
from morpholaw.jobs import Job
from morpholaw.store.classifier_record import name_of
from morpholaw.store.classifiers import readable_records
from morpholaw.widgets.forms.config_form import ConfigForm
from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.jobs.job_runner import JobRunner
from morpholaw.widgets.perturb.attack_choice import AttackChoice
from morpholaw.widgets.pictures.figure_panel import FigurePanel
from morpholaw.widgets.study.cell_scorer import TRAIN_FIRST
from morpholaw.widgets.study.current_study import CurrentStudy

if TYPE_CHECKING:
    import pandas as pd

    from morpholaw.study import Study

_NOTHING = "The accuracy of each scheme under attack appears here."


class AttackPanel(QWidget):
    """Tab that attacks the held-out cells of the study and draws accuracy against eps.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer, whose theme the figure follows.
    current : CurrentStudy
        The study.
    error_line : ErrorLine
        Where errors are shown.
    choice : AttackChoice
        The scheme, the space and the latents that are held fixed.

    Notes
    -----
    ``drawn`` is emitted when the result is complete.
    """

    drawn = Signal()

    def __init__(
        self, viewer: Any, current: CurrentStudy, error_line: ErrorLine, choice: AttackChoice
    ) -> None:
        super().__init__()
        self.current, self.error_line, self.choice = current, error_line, choice
        self.table: pd.DataFrame | None = None
        self.form = ConfigForm(AttackConfig, fields=("eps",), advanced=("target", "gradient_loss"))
        self.all_schemes = QCheckBox("All trained schemes")
        self.all_schemes.setToolTip(
            "Attack every trained scheme that has the chosen space, not only the chosen one."
        )
        self.button = QPushButton("Attack held-out cells")
        self.button.setToolTip(
            "Measure the accuracy on the held-out cells at each ε (paper, figures 14, 17 and 19)."
        )
        self.pairs_button = QPushButton("Attack towards each class")
        self.pairs_button.setToolTip(
            "Attack the held-out cells towards each class in turn, at the largest ε, and count how often cells of one "
            "class are then predicted as another."
        )
        self.runner = JobRunner(current, "perturb")
        self.figure = FigurePanel(viewer, _NOTHING)
        self.energy = QLabel()
        self.energy.setWordWrap(True)
        self.energy.setToolTip(
            "If a classifier looks at the cell, the share of the gradient's energy inside the nucleus is far larger "
            "than the share of the crop that the nucleus covers."
        )
        row = QHBoxLayout()
        row.addWidget(self.button)
        row.addWidget(self.all_schemes)
        row.addStretch(1)
        second = QHBoxLayout()
        second.addWidget(self.pairs_button)
        second.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self.form)
        layout.addLayout(row)
        layout.addLayout(second)
        layout.addWidget(self.runner)
        layout.addWidget(self.figure)
        layout.addWidget(self.energy)
        layout.addStretch(1)
        self.button.clicked.connect(self.start)
        self.pairs_button.clicked.connect(self.start_pairs)
        self.runner.finished.connect(self._finished)
        self.runner.failed.connect(lambda _: self._enable(True))

    def clear(self) -> None:
        """Remove the result, which is about another study or older classifiers."""
        self.table = None
        self.energy.clear()
        self.figure.say(self.current.or_no_study(_NOTHING if self.choice.classifiers else TRAIN_FIRST))

    def start(self) -> None:
        """Attack the held-out cells in a child process, one scheme after another."""
        with self.error_line.catch():
            study = self.current.required()
            self.form.config()
            schemes = self._schemes(study)
            if self.runner.running:
                raise InputError("An attack is still running; wait for it or press Stop.")
            values = self._values()
            if self.choice.towards:
                values["towards"] = self.choice.towards
            if self.all_schemes.isChecked():
                values.pop("name", None)
                values.pop("loss", None)
            self._enable(False)
            self.runner.start(Job("attack", str(study.path), values, {"schemes": schemes}), table=True)

    def start_pairs(self) -> None:
        """Attack the held-out cells towards each class in a child process."""
        with self.error_line.catch():
            study = self.current.required()
            config = self.form.config()
            assert isinstance(config, AttackConfig)
            chosen = self.choice.required()
            if self.runner.running:
                raise InputError("An attack is still running; wait for it or press Stop.")
            values = {**self._values(), "name": chosen.name}
            values["eps"] = [max(config.eps)]
            self._enable(False)
            self.runner.start(Job("attack_pairs", str(study.path), values), table=True)

    def _values(self) -> dict[str, Any]:
        """Return the settings of this form and of the choices above the tabs."""
        values = {**self.form.values(), "space": self.choice.space}
        chosen = self.choice.classifier
        if self.choice.keep:
            values["keep"] = self.choice.keep
        if self.choice.loss == "mse":
            values["loss"] = "mse"
        if chosen is not None and chosen.name != name_of(chosen.scheme, chosen.loss):
            values["name"] = chosen.name
        return values

    def _enable(self, on: bool) -> None:
        self.button.setEnabled(on)
        self.pairs_button.setEnabled(on)

    def _show_pairs(self, table: pd.DataFrame) -> None:
        classes = list(dict.fromkeys(table["class"]))
        if table["success"].isna().all():
            self.figure.say("The attack was stopped before it had a result.")
            return
        self.table = table
        self.drawn.emit()
        self.figure.draw(lambda figsize, theme: _matrix(table, classes, figsize, theme))

    def _schemes(self, study: Study) -> list[int]:
        chosen = self.choice.required()
        if not self.all_schemes.isChecked():
            return [chosen.scheme]
        trained = readable_records(study, self.error_line.say)
        image = self.choice.space == "image"
        schemes: list[int] = [
            record.scheme
            for record in trained
            if record.name == name_of(record.scheme, "hinge")
            and set(record.classes) == set(chosen.classes)
            and (record.scheme > 1 or image)
        ]
        if not schemes:
            raise InputError(f"No trained scheme can be attacked in {self.choice.space} space.")
        return schemes

    def _finished(self, result: dict[str, Any]) -> None:
        self._enable(True)
        self.energy.clear()
        table = result.get("table")
        if table is not None and "class" in table:
            self._show_pairs(table)
            return
        if table is None or (table := table.dropna(subset="accuracy")).empty:
            self.figure.say("The attack was stopped before any cell was attacked.")
            return
        self.table = table
        self.energy.setText(_energy(table))
        self.drawn.emit()
        self.figure.draw(lambda figsize, theme: _figure(table, figsize, theme))


def _matrix(table: pd.DataFrame, classes: list[str], figsize: Any, theme: Any) -> Any:
    from morpholaw.figures.attacks import attack_matrix

    matrix = table.pivot(index="class", columns="towards", values="success")
    matrix = matrix.reindex(index=classes, columns=classes)
    space, keep = table["space"].iloc[0], table["keep"].fillna("").iloc[0]
    return attack_matrix(
        matrix.to_numpy(),
        classes,
        eps=float(table["eps"].iloc[0]),
        space=f"{space}, {keep} held" if keep else space,
        theme=theme,
        figsize=figsize,
    )


def _figure(table: pd.DataFrame, figsize: Any, theme: Any) -> Any:
    from morpholaw.figures.attacks import attack_curves

    losses = table["loss"].fillna("")
    names = [
        "scheme 4, MSE" if loss == "mse" else int(scheme)
        for scheme, loss in zip(table["scheme"], losses, strict=True)
    ]
    table = table.assign(name=names)
    schemes = list(dict.fromkeys(table["name"]))
    eps = np.sort(table["eps"].unique())
    models = int(table["model"].max()) + 1
    accuracy, control = np.full((2, len(schemes), models, len(eps)), np.nan)
    place = [schemes.index(name) for name in table["name"]]
    where = place, table["model"], np.searchsorted(eps, table["eps"])
    accuracy[where], control[where] = table["accuracy"], table["random_signs"]
    space, keep = table["space"].iloc[0], table["keep"].iloc[0]
    return attack_curves(
        eps,
        accuracy,
        schemes=schemes,
        control=control,
        space=f"{space}, {keep} held" if keep else space,
        theme=theme,
        figsize=figsize,
    )


def _energy(table: pd.DataFrame) -> str:
    """Return which share of the gradient's energy lies inside the nucleus, in words.

    It is measured on successful attacks on crops, at the smallest ε at which any scheme has some.
    """
    known = table.dropna(subset="energy_inside")
    if known.empty:
        return ""
    eps = float(known["eps"].min())
    by_scheme = (
        known[known["eps"] == eps].groupby(["scheme", "loss"])[["energy_inside", "nucleus_area"]].mean()
    )
    shares = [
        f"scheme {scheme}{f' ({loss})' if loss else ''}: {percent(row['energy_inside'])} of the gradient's energy "
        f"(the nucleus covers {percent(row['nucleus_area'])} of the crop)"
        for (scheme, loss), row in by_scheme.iterrows()
    ]
    return f"Inside the nucleus, in attacks that succeed at ε = {eps:g}: {'; '.join(shares)}."
