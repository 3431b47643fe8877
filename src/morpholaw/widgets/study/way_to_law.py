"""The steps from labels to a law, run one after another, each in its own process."""

from __future__ import annotations

import weakref
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from morpholaw.jobs import Job
from morpholaw.store.classifier_record import name_of
from morpholaw.widgets.jobs.python_code import job_code
from morpholaw.widgets.study.presets import PRESETS, Preset

if TYPE_CHECKING:
    from morpholaw.config import EncoderConfig
    from morpholaw.store.overview import Overview
    from morpholaw.widgets.jobs.step_run import StepRun
    from morpholaw.widgets.study.current_study import CurrentStudy

PLACE = "way to a law"
"""Place of the steps in the window (:class:`WindowSteps`)."""
FEWEST_LABELS = 10
"""Smallest number of labelled cells in each class; the accuracy of a law from so few is hardly known."""
NAMES = {
    "train_encoder": "learn the latents",
    "train_classifier": "train the sparse head",
    "discover_law": "search for a law",
    "report": "write the report",
}
"""Names of the steps, in the order in which they run."""


def remaining_steps(overview: Overview, preset: Preset) -> list[str]:
    """Return the missing steps, in order; none if too few cells of a class are labelled.

    A step is not missing if the study already has a complete result under the same name, so nothing is replaced. A law
    over shapes is not missing if the study has any law.

    Parameters
    ----------
    overview : Overview
        Contents of the study.
    preset : Preset
        Settings of the steps.
    """
    if not can_start(overview):
        return []
    complete = [record for record in overview.classifiers if record.complete]
    trained = {record.name for record in complete}
    if preset.encoder is None and any(record.scheme == 4 for record in complete):
        return []
    missing = {
        "train_encoder": preset.encoder is not None and (not overview.encoder or overview.resumable),
        "train_classifier": preset.heads is not None and name_of(3) not in trained,
        "discover_law": preset.law_name not in trained,
    }
    steps = [step for step, is_missing in missing.items() if is_missing]
    return [*steps, "report"] if steps else []


def can_start(overview: Overview) -> bool:
    """Return whether there are crops, and enough labelled cells of each class."""
    return overview.crops > 0 and not too_few(overview)


def too_few(overview: Overview) -> dict[str, int]:
    """Return the number of labelled cells of each class that has too few."""
    counts = {name: overview.labels.get(name, 0) for name in overview.classes}
    return {name: count for name, count in counts.items() if count < FEWEST_LABELS}


class WayToLaw(QObject):
    """Runs the missing steps from labels to a law; it can be stopped and resumed, and repeats no finished step.

    Parameters
    ----------
    current : CurrentStudy
        The study; referenced weakly.

    Notes
    -----
    Signals: ``moved`` (a step has begun, all have ended, or another preset was chosen), ``arrived`` (path of the
    report).
    """

    moved = Signal()
    arrived = Signal(Path)

    def __init__(self, current: CurrentStudy) -> None:
        super().__init__()
        self._current = weakref.ref(current)
        self.choice = 1
        self.preset: Preset = PRESETS[self.choice]
        self.done: list[str] = []
        self.todo: list[str] = []
        self._study = ""
        self._report: Path | None = None

    def choose(self, choice: int) -> None:
        """Choose a preset for all panels, by its place in :data:`PRESETS`."""
        if choice != self.choice:
            self.choice = choice
            self.moved.emit()

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
        return remaining_steps(overview, preset)

    def seconds(self, preset: Preset, cores: int) -> float:
        """Return an estimate, in seconds, of the duration of the missing steps; a stopped training is resumed."""
        current = self._current()
        overview = None if current is None else current.overview
        if current is None or overview is None or current.study is None:
            return 0.0
        if overview.resumable:
            preset = replace(preset, encoder=preset.encoder and _stopped_training(str(current.study.path)))
        sizes = overview.crops, overview.labelled, len(overview.classes)
        return sum(preset.seconds(step, cores, *sizes) for step in self.steps(preset))

    @property
    def place(self) -> str:
        """The running step in words, and those that follow; "" if none is running."""
        if not self.running:
            return ""
        count = len(self.done) + len(self.todo)
        after = f"; then {', '.join(NAMES[step] for step in self.todo)}" if self.todo else ""
        return f"Step {len(self.done)} of {count}: {NAMES[self.done[-1]]}{after}."

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
        if step == "train_encoder" and self.preset.encoder is not None:
            stopped = _stopped_training(self._study)  # it continues with its original settings
            config = (stopped or self.preset.encoder).model_dump(mode="json")
            return Job(step, self._study, config, {} if stopped is None else {"resume": True})
        if step == "train_classifier" and self.preset.heads is not None:
            return Job(step, self._study, self.preset.heads.model_dump(mode="json"), {"scheme": 3})
        if step == "discover_law":
            law = self.preset.law.model_dump(mode="json")
            return Job(step, self._study, law, {"name": self.preset.law_name})
        self._report = Path(self._study) / "report.html"
        return Job(step, self._study, arguments={"out": str(self._report)})

    def _ended(self, run: StepRun | Any) -> None:
        if run.state != "done" or run.stopping or run.values.get("complete") is False:
            self.todo = []
            self.moved.emit()
            return
        if not self.todo and self.done[-1:] == ["report"] and self._report is not None:
            self.arrived.emit(self._report)
        self._next()


def _stopped_training(study: str) -> EncoderConfig | None:
    """Return the settings of a stopped training of a study's encoder; None if there is none."""
    from morpholaw.store.stopped_training import resumable_training
    from morpholaw.study import Study

    return resumable_training(Study(study))
