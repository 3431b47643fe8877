"""One search in a child process.

The child imports only this module and nothing of the caller's. With :mod:`multiprocessing`, a script without
``if __name__ == "__main__":`` would run again in every child. The parent sends the search (a line of JSON and two
arrays) and later "stop"; the child sends progress and the result as lines of JSON. A child whose parent has ended finds
its pipe closed and ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import IO, Any

import numpy as np

from morpholaw.errors import MorpholawError, StepFailedError, error_of_kind
from morpholaw.events import ShouldStop
from morpholaw.training.symbolic.embedded import EmbeddedEngine
from morpholaw.training.symbolic.engine import Budget, SearchProgress, SearchResult, SearchSpec
from morpholaw.training.symbolic.evolution import Settings

_EVERY = 0.1  # seconds between two lines of progress
_GRACE = 5.0  # seconds in which a child must return its results after a stop


@dataclass(frozen=True)
class ChildSearch:
    """The embedded engine and its data, searched in a child process.

    Attributes
    ----------
    engine : EmbeddedEngine
        The engine to search with.
    x, y : ndarray
        Features (rows, variables) and targets (rows,).
    """

    engine: EmbeddedEngine
    x: np.ndarray
    y: np.ndarray

    def run(
        self, spec: SearchSpec, progress: Callable[[SearchProgress], None], should_stop: ShouldStop
    ) -> SearchResult:
        """Run one search and return its result; if stopped, the results so far.

        Raises
        ------
        MorpholawError
            The search's own error.
        StepFailedError
            If the child ended without a result.
        OSError
            If no process could be started.
        """
        child = subprocess.Popen(
            [sys.executable, "-c", f"from {__name__} import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        assert child.stdin is not None
        assert child.stdout is not None
        asked = False
        try:
            with contextlib.suppress(BrokenPipeError):  # the child ended early; its message is read below
                _send(child.stdin, self.engine, self.x, self.y, spec)
            for line in child.stdout:
                kind, values = json.loads(line)
                if kind == "result":
                    return SearchResult.from_json(values, spec.variables)
                if kind == "error":
                    raise error_of_kind(*values)
                progress(SearchProgress(**{**values, "front": tuple(map(tuple, values["front"]))}))
                if not asked and should_stop():
                    asked = True
                    with contextlib.suppress(OSError):
                        child.stdin.write(b"stop\n")
                        child.stdin.flush()
            raise StepFailedError(f"The process of a search ended with status {child.wait()}.")
        finally:
            with contextlib.suppress(OSError):
                child.stdin.close()
            child.kill()
            child.wait()
            child.stdout.close()


def _send(pipe: IO[bytes], engine: EmbeddedEngine, x: np.ndarray, y: np.ndarray, spec: SearchSpec) -> None:
    settings = None if engine.settings is None else asdict(engine.settings)
    task = {"settings": settings, "spec": asdict(spec), "shape": x.shape}
    pipe.write(json.dumps(task).encode() + b"\n")
    for array in (x, y):
        pipe.write(np.ascontiguousarray(array, dtype=np.float64).tobytes())
    pipe.flush()


def _receive(pipe: IO[bytes]) -> tuple[EmbeddedEngine, np.ndarray, np.ndarray, SearchSpec]:
    task = json.loads(pipe.readline())
    values: dict[str, Any] = task["spec"]
    values |= {key: tuple(value) for key, value in values.items() if isinstance(value, list)}
    values["budget"] = Budget(**values["budget"])
    engine = EmbeddedEngine(None if task["settings"] is None else Settings(**task["settings"]))
    rows, columns = task["shape"]
    x, y = (np.frombuffer(pipe.read(8 * count)) for count in (rows * columns, rows))
    return engine, x.reshape(rows, columns), y, SearchSpec(**values)


def _tell(kind: str, values: Any) -> None:
    sys.__stdout__.write(json.dumps([kind, values]) + "\n")  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]


def main() -> None:
    """Run the search on the standard input; end silently if the parent has ended."""
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        _search()


def _search() -> None:
    sys.stdout = sys.stderr  # the pipe is only for lines of JSON
    engine, x, y, spec = _receive(sys.stdin.buffer)
    stopped = threading.Event()

    def listen() -> None:
        sys.stdin.buffer.readline()  # "stop", or the end of the pipe if the parent has ended
        stopped.set()
        time.sleep(_GRACE)
        os._exit(1)

    threading.Thread(target=listen, daemon=True).start()
    last_report = 0.0

    def progress(now: SearchProgress) -> None:
        nonlocal last_report
        if time.monotonic() - last_report >= _EVERY:
            last_report = time.monotonic()
            _tell("progress", vars(now))

    try:
        result = engine.search(x, y, spec, progress=progress, should_stop=stopped.is_set)
    except MorpholawError as error:
        _tell("error", [type(error).__name__, str(error)])
        return
    _tell("result", result.to_json())
