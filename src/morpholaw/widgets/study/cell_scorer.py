"""A choice of classifier and a button that scores all cells of the study with it."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from morpholaw.errors import InputError
from morpholaw.jobs import Job
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.store.classifiers import readable_records
from morpholaw.widgets.forms.narrow_inputs import narrow_combo
from morpholaw.widgets.jobs.job_runner import JobRunner
from morpholaw.widgets.study.cell_scores import CellScores
from morpholaw.widgets.study.current_study import CurrentStudy

NO_CLASSIFIER = "no classifier yet"
"""What a choice of classifier shows if the study has none."""
TRAIN_FIRST = "Train a classifier in the Classify panel first."
"""What an empty part of a panel says if it needs a classifier and the study has none."""
PLACE = "cell scores"
"""Place of the step in the window (:class:`WindowSteps`), shared by all panels."""


class CellScorer(QWidget):
    """Controls that score all cells of the study with a classifier, for panels that show or sort cells by score.

    Parameters
    ----------
    current : CurrentStudy
        The study, to which the scores are added.
    """

    def __init__(self, current: CurrentStudy) -> None:
        super().__init__()
        self.current = current
        self.records: dict[str, ClassifierRecord] = {}
        self.choice = narrow_combo("classifier")
        self.choice.setToolTip("Choose the classifier that scores the cells.")
        self.button = QPushButton("Score cells")
        self.button.setToolTip(
            "Apply the classifier to all cells of the study; every panel then shows the scores."
        )
        self.runner = JobRunner(current, PLACE)
        row = QHBoxLayout()
        row.addWidget(self.choice, 1)
        row.addWidget(self.button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self.runner)
        self.button.clicked.connect(self.score)
        self.runner.finished.connect(self._finished)
        for signal in (current.changed, current.classifiers_changed):
            signal.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """List the classifiers of the study."""
        study, chosen = self.current.study, self.choice.currentData()
        records = [] if study is None else readable_records(study, self.runner.error_line.say)
        self.records = {record.name: record for record in records}
        self.choice.clear()
        for record in records:
            self.choice.addItem(record.label, record.name)
        if not records:
            self.choice.addItem(NO_CLASSIFIER)
        place = self.choice.findData(chosen)
        sparse = next((k for k, record in enumerate(records) if record.scheme == 3), 0)
        self.choice.setCurrentIndex(place if chosen and place >= 0 else sparse)
        self.button.setEnabled(bool(records))

    def score(self) -> None:
        """Score all cells in a child process."""
        with self.runner.error_line.catch():
            study = self.current.required()
            name = self.choice.currentData()
            if name is None:
                raise InputError("No classifier is trained yet; train one in the Classify panel first.")
            self.runner.start(
                Job("classify", str(study.path), {}, {"scheme": name}), table=True, name="score cells"
            )

    def _finished(self, values: dict[str, Any]) -> None:
        run, crops = self.current.steps.at(PLACE), self.current.crops
        table = values.get("table")
        if (
            run is None
            or run.job is None
            or table is None
            or crops is None
            or values.get("complete") is False
        ):
            return
        record = self.records.get(str(run.job.arguments.get("scheme")))
        scores = None if record is None else CellScores.of_table(record, table, crops)
        if scores is not None:
            self.current.add_scores(scores)
