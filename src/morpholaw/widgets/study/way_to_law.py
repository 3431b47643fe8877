"""The steps from labels to a law, run one after another, each in its own process."""

from __future__ import annotations

import weakref
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from morpholaw.errors import MorpholawError
from morpholaw.jobs import Job
from morpholaw.store.classifier_record import name_of
from morpholaw.widgets.jobs.python_code import job_code
from morpholaw.widgets.study.encoder_state import encoder_state
from morpholaw.widgets.study.presets import PRESETS, Preset

if TYPE_CHECKING:
    from morpholaw.config import EncoderConfig
    from morpholaw.store.overview import Overview
    from morpholaw.widgets.jobs.step_run import StepRun
    from morpholaw.widgets.study.current_study import CurrentStudy

PLACE = "way to a law"
"""Place of the steps in the window (:class:`WindowSteps`)."""
FEWEST_LABELS = 10
"""Smallest number of labelled cells in each of two classes; the accuracy of a law from so few is hardly known."""
NAMES = {
    "train_encoder": "learn the latents",
    "train_classifier": "train the sparse head",
    "discover_law": "search for a law",
    "report": "write the report",
}
"""Names of the steps, in the order in which they run."""


def remaining_steps(overview: Overview, preset: Preset, encoder_stopped: bool = False) -> list[str]:
    """Return the missing steps, in order; none if too few cells of two classes are labelled.

    A step is not missing if the study already has a result under the same name, so nothing is replaced. A law over
    shapes is not missing if the study has any law.

    Parameters
    ----------
    overview : Overview
        Contents of the study.
    preset : Preset
        Settings of the steps.
    encoder_stopped : bool
        Whether the training of the encoder was stopped and can be resumed.
    """
    if not can_start(overview):
        return []
    trained = {record.name for record in overview.classifiers}
    if preset.encoder is None and any(record.scheme == 4 for record in overview.classifiers):
        return []
    missing = {
        "train_encoder": preset.encoder is not None and (not overview.encoder or encoder_stopped),
        "train_classifier": preset.heads is not None and name_of(3) not in trained,
        "discover_law": preset.law_name not in trained,
    }
    steps = [step for step, is_missing in missing.items() if is_missing]
    return [*steps, "report"] if steps else []


def can_start(overview: Overview) -> bool:
    """Return whether there are crops and at least two classes with enough labelled cells."""
    return overview.crops > 0 and sum(count >= FEWEST_LABELS for count in overview.labels.values()) >= 2


class WayToLaw(QObject):
    """Runs the missing steps from labels to a law; it can be stopped and resumed, and repeats no finished step.

    Parameters
    ----------
    current : CurrentStudy
        The study; referenced weakly.

    Notes
    -----
    Signals: ``moved`` (a step has begun, or all have ended), ``arrived`` (path of the report).
    """

    moved = Signal()
    arrived = Signal(Path)

    def __init__(self, current: CurrentStudy) -> None:
        super().__init__()
        self._current = weakref.ref(current)
        self.preset: Preset = PRESETS[1]
        self.done: list[str] = []
        self.todo: list[str] = []
        self._study = ""
        self._report: Path | None = None

    @property
    def running(self) -> bool:
        """Whether a step is running."""
        current = self._current()
        run = None if current is None else current.steps.at(PLACE)
        return run is not None and run.running

    def steps(self, preset: Preset) -> list[str]:
        """Return the missing steps for a preset, in order."""
        current = self._current()
        overview = None if current is None else current.overview
        if current is None or overview is None or current.study is None:
            return []
        return remaining_steps(overview, preset, self._resumable() is not None)

    def _resumable(self) -> EncoderConfig | None:
        """Return the settings of a stopped training of the encoder; None if there is none."""
        current = self._current()
        with suppress(MorpholawError):
            return (
                None if current is None or current.study is None else encoder_state(current.study).resumable
            )
        return None

    def start(self, preset: Preset) -> None:
        """Run the missing steps for a preset."""
        current = self._current()
        if current is None or self.running:
            return
        self._study = str(current.required().path)
        self.preset, self.done, self.todo = preset, [], self.steps(preset)
        self._next()

    def _next(self) -> None:
        current = self._current()
        if current is None or not self.todo:
            self.moved.emit()
            return
        step = self.todo.pop(0)
        self.done.append(step)
        job = self._job(step)
        count = len(self.done) + len(self.todo)
        name = f"{len(self.done)} of {count}, {NAMES[step]}"
        run = current.steps.start(PLACE, job, name, job_code(job), table=False, files=None)
        run.ended.connect(self._ended)
        self.moved.emit()

    def _job(self, step: str) -> Job:
        """Return the job for a step, with the settings of the preset."""
        stopped = self._resumable()  # a stopped training continues with its original settings
        encoder = stopped or self.preset.encoder
        if step == "train_encoder" and encoder is not None:
            arguments = {} if stopped is None else {"resume": True}
            return Job(step, self._study, encoder.model_dump(mode="json"), arguments)
        if step == "train_classifier" and self.preset.heads is not None:
            return Job(step, self._study, self.preset.heads.model_dump(mode="json"), {"scheme": 3})
        if step == "discover_law":
            law = self.preset.law.model_dump(mode="json")
            return Job(step, self._study, law, {"name": self.preset.law_name})
        self._report = Path(self._study) / "report.html"
        return Job(step, self._study, arguments={"out": str(self._report)})

    def _ended(self, run: StepRun | Any) -> None:
        current = self._current()
        same = current is not None and current.study is not None and str(current.study.path) == self._study
        if run.state != "done" or run.stopping or run.values.get("complete") is False or not same:
            self.todo = []
            self.moved.emit()
            return
        if not self.todo and self.done[-1:] == ["report"] and self._report is not None:
            self.arrived.emit(self._report)
        self._next()
