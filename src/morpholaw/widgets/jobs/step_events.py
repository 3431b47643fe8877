"""The events of a step, from a child process or from a thread, for a worker to relay to the window."""

from __future__ import annotations

import queue
import tempfile
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from morpholaw.errors import InputError
from morpholaw.events import Monitor, Result
from morpholaw.jobs import Job, JobProcess

if TYPE_CHECKING:
    import pandas as pd

NUMBERS = ("track_id", "t", "y", "x", "score", "eps", "accuracy")
"""Columns of tables that may have empty fields; all others are read as they are written, "NA" being a name."""


@dataclass(frozen=True)
class StepFailure:
    """Why a step ended without a result; always its last event."""

    sentence: str


Events = Generator[Any, None, None]
Files = Callable[[Path], dict[str, Any]]
"""Writes what a job needs to a folder, and returns the arguments that name it."""


def of_job(
    job: Job,
    table: bool,
    files: Files | None,
    stop: threading.Event,
    started: Callable[[JobProcess], None],
) -> Events:
    """Events of a job in a child process; an error becomes the last of them, so that no traceback dialog opens.

    All of it happens in the thread that asks for the events: the files that the job needs are written, the process
    is started and handed to ``started``, and the table that it makes is read back, the Result's "table".
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
            process = JobProcess(job)
            started(process)
            if stop.is_set():
                process.stop()
            for event in process.events():
                if isinstance(event, Result) and table:
                    event = Result({**event.values, "table": read_table(job.out)})
                yield event
        except (InputError, ValueError, OSError) as error:
            yield StepFailure(str(error))
        except Exception as error:  # a defect: say so in the panel too, where the person waits
            yield StepFailure(f"The step failed: {type(error).__name__}: {error}.")
        finally:
            if process is not None:
                process.close()


def of_function(
    step: Callable[..., Any], arguments: Any, named: dict[str, Any], stop: threading.Event
) -> Events:
    """Events of a function that runs in a thread of its own, a Result with what it returned last."""
    events: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def work() -> None:
        try:
            made = step(*arguments, monitor=Monitor(events.put, stop.is_set), **named)
            events.put(Result({"result": made}))
        except (InputError, InterruptedError) as error:
            events.put(StepFailure(str(error)))
        except Exception as error:  # a defect: say so in the panel too, where the person waits
            events.put(StepFailure(f"The step failed: {type(error).__name__}: {error}."))
        finally:
            events.put(None)

    threading.Thread(target=work, daemon=True).start()
    while (event := events.get()) is not None:
        yield event


def read_table(path: Path | str) -> pd.DataFrame:
    """A table that a job wrote, as it was when it was written."""
    import pandas as pd

    table = pd.read_csv(
        path, keep_default_na=False, na_values={name: [""] for name in NUMBERS}, float_precision="round_trip"
    )
    whole = {name: "Int64" for name in ("track_id", "t") if name in table}
    return table.astype(whole)
