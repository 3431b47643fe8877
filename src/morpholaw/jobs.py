"""Jobs: long-running steps of a study that run in this process, in a child process or on a cluster node.

A job is a JSON file with the name of a step, a study and settings. ``python -m morpholaw.jobs JOB.json`` runs it,
writes its events to standard output, one line of JSON per event, and reads ``stop`` from standard input. The window
runs jobs in this way, so that a job can be stopped at any time, a crash does not affect the annotations, and the GPU's
memory is freed. A scheduler can start the same file on another machine.
"""

from __future__ import annotations

import base64
import contextlib
import inspect
import io
import json
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_type_hints

import numpy as np
from pydantic import ConfigDict, TypeAdapter, ValidationError

from morpholaw import config as settings
from morpholaw.cells.files import plain, read_json, write_json, write_table
from morpholaw.errors import InputError, MorpholawError, StepFailedError, file_error, kind_of, reason
from morpholaw.escape import is_text
from morpholaw.events import (
    SILENT,
    Event,
    Failure,
    Front,
    Message,
    Metrics,
    Monitor,
    Preview,
    Progress,
    Result,
    StopFlag,
)
from morpholaw.store.record import Record
from morpholaw.training.distributed import is_main_process

STEPS: dict[str, type[settings.StepConfig] | None] = {
    "crop": settings.CropConfig,
    "import_crops": settings.ImportConfig,
    "train_encoder": settings.EncoderConfig,
    "train_classifier": settings.ClassifierConfig,
    "cross_validate": settings.ClassifierConfig,
    "tune": settings.TuneConfig,
    "discover_law": settings.LawConfig,
    "improve_law": None,
    "law_stability": None,
    "classify": None,
    "compare": None,
    "timeline": settings.TimelineConfig,
    "condition_study": None,
    "attack": settings.AttackConfig,
    "attack_pairs": settings.AttackConfig,
    "interventions": None,
    "report": None,
}
"""Steps of a study that can be jobs, with the type of their settings; None for steps without settings."""

_EVENTS: dict[str, Any] = {
    kind.__name__: kind for kind in (Progress, Metrics, Front, Preview, Message, Result, Failure)
}


@dataclass(frozen=True)
class Job:
    """A step to run.

    Attributes
    ----------
    step : str
        Name of the step, a key of :data:`STEPS`.
    study : str
        Folder of the study.
    config : dict
        Settings of the step.
    arguments : dict
        Further arguments of the study's method, such as ``{"scheme": 3}`` or ``{"movie": path, "tracks": path}``.
    out : str
        CSV file for the table of a step that returns one; "" for none.
    """

    step: str
    study: str
    config: dict[str, Any] = field(default_factory=dict)
    arguments: dict[str, Any] = field(default_factory=dict)
    out: str = ""

    def write(self, path: Path | str) -> Path:
        """Save the job as JSON."""
        return write_json(path, asdict(self))

    @classmethod
    def read(cls, path: Path | str) -> Job:
        """Read a job from a file; raise InputError if it is not a job."""
        return cls.from_values(read_json(path), str(path))

    @classmethod
    def from_values(cls, values: Any, where: str) -> Job:
        """Return the job described by ``values``; raise an InputError that mentions ``where`` if it is not a job."""
        kinds: dict[str, type] = {"step": str, "study": str, "config": dict, "arguments": dict, "out": str}
        if not (
            isinstance(values, dict)
            and {"step", "study"} <= values.keys() <= kinds.keys()
            and all(isinstance(value, kinds[name]) for name, value in values.items())
        ):
            raise InputError(f"{where} is not a job; expected step, study, config and arguments.")
        if not all(is_text(values.get(name, "")) for name in ("step", "study", "out")):
            raise InputError(f"{where} is not a job: a path in it is not valid text.")
        return cls(**values)


def run(job: Job, monitor: Monitor = SILENT) -> Any:
    """Run a job in this process.

    Parameters
    ----------
    job : Job
        Job to run.
    monitor : Monitor
        Receives events and can stop the job.

    Returns
    -------
    object
        The result of the study's method. A table is also written to ``job.out``.

    Raises
    ------
    InputError
        If there is no such step, or its settings or arguments are invalid.
    """
    if job.step not in STEPS:
        raise InputError(f"There is no step {job.step!r}; the steps are {', '.join(STEPS)}.")
    from morpholaw.study import Study

    kind = STEPS[job.step]
    config = {} if kind is None else {"config": kind.from_values(job.config)}
    with Study.opened_or_new(job.study) as study:
        for sentence in study.problems:
            monitor.warn(sentence)
        method = getattr(study, job.step)
        _check_arguments(method, job)
        result = method(**job.arguments, **config, monitor=monitor)
    if job.out and _is_table(result):
        write_table(job.out, result)
    return result


def _check_arguments(method: Callable[..., Any], job: Job) -> None:
    """Check that a step takes the given arguments and that their types are right.

    Settings must be in ``config``, so that they are validated together.
    """
    written = {name: kind for name, kind in method.__annotations__.items() if name in job.arguments}
    hints = get_type_hints(SimpleNamespace(__annotations__=written), inspect.unwrap(method).__globals__)
    takes = {
        name: parameter
        for name, parameter in inspect.signature(method).parameters.items()
        if name not in ("config", "monitor") and parameter.kind is not parameter.VAR_KEYWORD
    }
    unknown = sorted(job.arguments.keys() - takes.keys())
    missing = [name for name, one in takes.items() if one.default is one.empty and name not in job.arguments]
    for problem, names in (("has no argument", unknown), ("lacks the argument", missing)):
        if names:
            raise InputError(
                f"The step {job.step} {problem} {', '.join(map(ascii, names))}; its arguments are "
                f"{', '.join(takes) or 'none'}."
            )
    for name, value in job.arguments.items():
        try:
            TypeAdapter(hints[name], config=ConfigDict(arbitrary_types_allowed=True)).validate_python(value)
        except (ValidationError, TypeError) as error:
            what = error.errors()[0]["msg"].lower() if isinstance(error, ValidationError) else reason(error)
            raise InputError(f"The argument {name} of the step {job.step} cannot be used: {what}.") from None


def encode_event(event: Event) -> str:
    """Return an event as one line of JSON; images as base64 of an npy file."""
    values = {"event": type(event).__name__, **asdict(event)}
    if isinstance(event, Preview):
        stream = io.BytesIO()
        np.save(stream, np.asarray(event.images, np.float32), allow_pickle=False)
        values["images"] = base64.b64encode(stream.getvalue()).decode()
    return json.dumps(plain(values))


def decode_event(line: str) -> Event:
    """Return the event encoded by :func:`encode_event`."""
    values = json.loads(line)
    kind = values.pop("event")
    if kind == "Preview":
        data = base64.b64decode(values["images"])
        values["images"] = np.load(io.BytesIO(data), allow_pickle=False)
    event: Event = _EVENTS[kind](**values)
    return event


def _serve(source: str, warm: bool = False) -> int:
    """Run the job in file ``source`` ("-" for standard input), and write its events to standard output.

    With ``warm``, the libraries that most jobs need are loaded before the job is read.
    """
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    sys.stdout = sys.stderr  # output of libraries must not mix with the events
    stopped = StopFlag()

    def say(event: Event) -> None:
        if is_main_process() or isinstance(
            event, Failure
        ):  # several processes that torchrun started are one job
            out.write(encode_event(event) + "\n")
            out.flush()

    def listen() -> None:
        for line in sys.stdin:
            if line.strip() == "stop":
                stopped.set()
        stopped.set()  # the window is gone: keep the results so far and end

    try:
        if source == "-":
            with contextlib.suppress(AttributeError, OSError):
                os.nice(10)  # so that the window stays responsive during the computation
            if warm:
                import morpholaw.study.classify_step
                import morpholaw.training.encoding  # noqa: F401  it loads torch
            job = Job.from_values(_message(sys.stdin.readline()), "The message on standard input")
            threading.Thread(target=listen, daemon=True).start()
        else:
            job = Job.read(source)
        result = run(job, Monitor(say, stopped))
        say(Result(_summary(result, job, stopped.seen)))
    except (MorpholawError, InterruptedError) as error:
        say(Failure(str(error), kind_of(error)))
        return 2
    except MemoryError:
        sentence = "There is not enough memory for this step; free some, or use smaller batches or crops."
        say(Failure(sentence, StepFailedError.__name__))
        return 2
    except BrokenPipeError:  # the reader has ended
        return 1
    except OSError as error:
        problem = file_error(f"{error.filename or 'A file'} cannot be read or written", error)
        say(Failure(str(problem), kind_of(problem)))
        return 2
    return 0


def _message(line: str) -> Any:
    """Parse a line of JSON; raise InputError if it is invalid."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"The message on standard input is not valid JSON: {reason(error)}.") from None


def _is_table(result: Any) -> bool:
    import pandas as pd  # here, and Study in run(), so that a panel that starts jobs opens without them

    return isinstance(result, pd.DataFrame)


def _summary(result: Any, job: Job, stopped: bool) -> dict[str, Any]:
    """Summarise the result of a step in a few plain values; "complete" is False if the step was stopped."""
    complete = {"complete": False} if stopped else {}
    if _is_table(result):
        types = {str(name): str(kind) for name, kind in result.dtypes.items()}
        return {"rows": len(result), "out": job.out, "types": types, **complete}
    if result is None:  # the step was stopped and kept the previous result
        return {"complete": False}
    values = result.to_json() if isinstance(result, Record) else {"result": str(result)}
    return {**{key: value for key, value in values.items() if key != "history"}, **complete}


def _leave(code: int) -> None:
    """End this process at once: all output is written, and unloading torch would take seconds."""
    for child in multiprocessing.active_children():
        child.kill()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _leave(_serve(sys.argv[1], warm="warm" in sys.argv[2:]))
