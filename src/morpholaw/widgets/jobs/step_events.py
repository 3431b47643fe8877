"""Generators of the events of a step in a child process or a thread, which a worker relays to the window."""

from __future__ import annotations

import queue
import tempfile
import threading
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from morpholaw.errors import MorpholawError, StudyLockedError, file_error
from morpholaw.events import Event, Monitor, Result, StopFlag
from morpholaw.job_process import JobProcess
from morpholaw.jobs import Job

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class StepFailure:
    """The reason why a step ended without a result; always the last event.

    Attributes
    ----------
    sentence : str
        The reason.
    locked : bool
        Whether another step held the study.
    stopped : bool
        Whether the step ended because it was stopped.
    """

    sentence: str
    locked: bool = False
    stopped: bool = False

    @classmethod
    def of(cls, error: Exception) -> StepFailure:
        """Return the failure for an error of a step."""
        if isinstance(error, MorpholawError | InterruptedError):
            stopped = isinstance(error, InterruptedError)
            return cls(str(error), isinstance(error, StudyLockedError), stopped)
        if isinstance(error, OSError):
            return cls(str(file_error(f"{error.filename or 'A file'} cannot be read or written", error)))
        # a defect in the program, also reported in the panel
        return cls(f"The step failed: {type(error).__name__}: {error}.")


Events = Generator[Event | StepFailure, None, None]
Files = Callable[[Path], dict[str, Any]]
"""Function that writes data of the window to a folder for a job, and returns the arguments that name the files."""


def of_job(
    job: Job,
    table: bool,
    files: Files | None,
    stop: StopFlag,
    launch: Callable[[Job], JobProcess],
) -> Events:
    """Yield the events of a job in a child process; an error becomes the last event, so that no dialog opens.

    Everything happens in the thread that iterates over the events: writing the files that the job needs, starting the
    process with ``launch``, and reading the table that the job writes, which becomes "table" of the Result.
    """
    with tempfile.TemporaryDirectory(prefix="morpholaw-") as place:
        process = None
        try:
            if files is not None:
                job = replace(job, arguments={**job.arguments, **files(Path(place))})
            if table:
                job = replace(job, out=str(Path(place) / "table.csv"))
            if stop.is_set():
                return
            process = launch(job)
            if stop.is_set():
                process.stop()
            for event in process.events():
                if isinstance(event, Result) and "types" in event.values and table:
                    event = Result({**event.values, "table": read_table(job.out, event.values["types"])})
                yield event
        except Exception as error:
            yield StepFailure.of(error)
        finally:
            if process is not None:
                process.close()


def of_function(
    step: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any], stop: StopFlag
) -> Events:
    """Yield the events of a function in its own thread; the last event is a Result with the return value."""
    events: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def work() -> None:
        try:
            returned = step(*arguments, monitor=Monitor(events.put, stop), **named)
            events.put(Result({"result": returned, **({"complete": False} if stop.seen else {})}))
        except Exception as error:
            events.put(StepFailure.of(error))
        finally:
            events.put(None)

    threading.Thread(target=work, daemon=True).start()
    while (event := events.get()) is not None:
        yield event


def read_table(path: Path | str, types: Mapping[str, str]) -> pd.DataFrame:
    """Read a table written by a job, with the original types of the columns: "NA" and "1" may be names of classes.

    Parameters
    ----------
    path : path
        The CSV file.
    types : mapping of str to str
        Pandas dtype of each column.
    """
    import pandas as pd

    numbers = {
        name: kind for name, kind in types.items() if kind.lower().startswith(("int", "uint", "float"))
    }
    texts = {name: str for name, kind in types.items() if kind in ("object", "str", "string")}
    missing = {name: [""] for name in numbers}
    return pd.read_csv(path, keep_default_na=False, na_values=missing, dtype=texts).astype(numbers)
