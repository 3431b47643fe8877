"""Scores all cells where the gallery is to show those first that a model is least sure about."""

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

_PREFERRED = (3, 2, 1, 4)  # schemes to ask which cells are uncertain, the sparse head first, as in the paper


class WantedScores(QObject):
    """Scores the cells of the study in a child process, with the best classifier that there is.

    Parameters
    ----------
    current : CurrentStudy
        The study, which gets the scores.
    runner : JobRunner
        Runs the step.
    error_line : ErrorLine
        Says why cells cannot be scored.

    Notes
    -----
    ``scored`` is emitted after the scores that were asked for are there, ``missing`` where there are none.
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
                raise InputError(
                    "No model is trained yet that could be unsure; train one in the Classify panel first."
                )
            if self.runner.running:
                self.missing.emit()
                raise InputError("A step is still running here; wait for it or press Stop.")
            self._asking = True
            job = Job("classify", str(study.path), {}, {"scheme": best.name})
            self.runner.start(job, table=True, name="find uncertain cells")

    def _model(self, study: Study) -> ClassifierRecord | None:
        trained = readable_records(study, self.error_line.say)
        return min(trained, key=lambda one: _PREFERRED.index(one.scheme), default=None)

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
