"""The events of a step, from a child process or from a thread, for a worker to relay to the window."""

from __future__ import annotations

import queue
import tempfile
import threading
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from morpholaw.errors import MorpholawError
from morpholaw.events import Event, Monitor, Result
from morpholaw.job_process import JobProcess
from morpholaw.jobs import Job

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class StepFailure:
    """Why a step ended without a result; always its last event."""

    sentence: str


Events = Generator[Event | StepFailure, None, None]
Files = Callable[[Path], dict[str, Any]]
"""Writes what a job needs of the window to a folder, and returns the arguments that name it."""


def of_job(
    job: Job,
    table: bool,
    files: Files | None,
    stop: threading.Event,
    launch: Callable[[Job], JobProcess],
) -> Events:
    """Yield the events of a job in a child process; an error becomes the last of them, so that no dialog opens.

    All of it happens in the thread that asks for the events: the files that the job needs are written, the process
    is started by ``launch``, and the table that it writes is read, as "table" of the Result.
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
        except (MorpholawError, ValueError, OSError) as error:
            yield StepFailure(str(error))
        except Exception as error:  # a defect: say so in the panel too, where the person waits
            yield StepFailure(f"The step failed: {type(error).__name__}: {error}.")
        finally:
            if process is not None:
                process.close()


def of_function(
    step: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any], stop: threading.Event
) -> Events:
    """Yield the events of a function in a thread of its own; the last is a Result with what it returned."""
    events: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def work() -> None:
        try:
            returned = step(*arguments, monitor=Monitor(events.put, stop.is_set), **named)
            events.put(Result({"result": returned}))
        except (MorpholawError, InterruptedError) as error:
            events.put(StepFailure(str(error)))
        except Exception as error:  # a defect: say so in the panel too, where the person waits
            events.put(StepFailure(f"The step failed: {type(error).__name__}: {error}."))
        finally:
            events.put(None)

    threading.Thread(target=work, daemon=True).start()
    while (event := events.get()) is not None:
        yield event


def read_table(path: Path | str, types: Mapping[str, str]) -> pd.DataFrame:
    """Read a table that a job wrote, as it was when it was written: "NA" and "1" may be names of classes.

    Parameters
    ----------
    path : path
        The file.
    types : mapping of str to str
        The type of each column, as pandas calls it.
    """
    import pandas as pd

    numbers = {
        name: kind for name, kind in types.items() if kind.lower().startswith(("int", "uint", "float"))
    }
    texts = {name: str for name, kind in types.items() if kind in ("object", "str", "string")}
    missing = {name: [""] for name in numbers}
    return pd.read_csv(path, keep_default_na=False, na_values=missing, dtype=texts).astype(numbers)
