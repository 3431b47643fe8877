"""Score all cells for the gallery's orders and filters that need scores, such as "least sure first"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from morpholaw.errors import InputError
from morpholaw.jobs import Job
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.store.classifiers import readable_records
from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.jobs.job_runner import JobRunner
from morpholaw.widgets.study.cell_scores import CellScores
from morpholaw.widgets.study.current_study import CurrentStudy

if TYPE_CHECKING:
    from morpholaw.study import Study

_PREFERRED = (
    3,
    2,
    1,
    4,
)  # the scheme that scores the cells: the sparse head, as in the paper, if there is one


class WantedScores(QObject):
    """Scores the cells of the study in a child process, with the preferred classifier among the trained ones.

    Parameters
    ----------
    current : CurrentStudy
        The study, to which the scores are added.
    runner : JobRunner
        Runs the step.
    error_line : ErrorLine
        Where errors are shown.

    Notes
    -----
    ``scored`` is emitted when the requested scores are available, ``missing`` when they cannot be computed.
    """

    scored, missing = Signal(), Signal()

    def __init__(self, current: CurrentStudy, runner: JobRunner, error_line: ErrorLine) -> None:
        super().__init__()
        self.current, self.runner, self.error_line = current, runner, error_line
        self._asking = False
        runner.finished.connect(self._finished)
        runner.failed.connect(self._failed)

    def ask(self) -> None:
        """Score all cells."""
        with self.error_line.catch():
            study = self.current.required()
            best = self._model(study)
            if best is None:
                self.missing.emit()
                raise InputError("No classifier is trained yet; train one in the Classify panel first.")
            if self.runner.running:
                self.missing.emit()
                raise InputError("A step is still running here; wait for it or press Stop.")
            self._asking = True
            job = Job("classify", str(study.path), {}, {"scheme": best.name})
            self.runner.start(job, table=True, name="find uncertain cells")

    def _model(self, study: Study) -> ClassifierRecord | None:
        trained = readable_records(study, self.error_line.say)
        return min(trained, key=lambda record: _PREFERRED.index(record.scheme), default=None)

    def _failed(self, _: str) -> None:
        if self._asking:
            self._asking = False
            self.missing.emit()

    def _finished(self, result: dict[str, Any]) -> None:
        asking, self._asking = self._asking, False
        table, study, crops = result.get("table"), self.current.study, self.current.crops
        if not asking:
            return
        best = None if study is None else self._model(study)
        scores = None
        if table is not None and crops is not None and best is not None:
            scores = CellScores.of_table(best, table, crops)
        if scores is None:
            self.missing.emit()
            return
        self.current.add_scores(scores)  # every panel shows them
        self.scored.emit()
