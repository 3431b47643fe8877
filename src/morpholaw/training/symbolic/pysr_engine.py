"""PySR, the paper's engine (Cranmer 2023), in a child process. Its results are parsed and measured independently."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import IO

import numpy as np

from morpholaw.errors import InputError
from morpholaw.events import SILENT, Monitor, ShouldStop, never
from morpholaw.models.expressions import parse
from morpholaw.training.symbolic.engine import (
    Availability,
    Candidate,
    SearchProgress,
    SearchResult,
    SearchSpec,
    candidate_front,
    check_data,
)
from morpholaw.training.symbolic.julia import julia_ready, note_run, seen_to_run
from morpholaw.training.symbolic.pysr_child import RUN
from morpholaw.training.symbolic.refit import measured

CHILD = (sys.executable, "-m", "morpholaw.training.symbolic.pysr_child")
STOP_GRACE = 0.6
"""Seconds between the interrupt and the kill of a stopped child."""
POLL = 0.1
"""Seconds between two checks of the child."""


class EngineFailure(InputError):
    """The engine could not run; the message says why."""


class PySREngine:
    """PySR with the settings of the paper (B.4).

    Parameters
    ----------
    child : sequence of str
        Command that runs PySR in a child process; a folder is appended to it.
    """

    name = "pysr"
    own_process = True

    def __init__(self, child: Sequence[str] = CHILD) -> None:
        self.child = tuple(child)

    @property
    def version(self) -> str:
        """Version of the installed package, determined without importing it."""
        try:
            return metadata.version("pysr")
        except metadata.PackageNotFoundError:
            return "not installed"

    def availability(self) -> Availability:
        """Return whether Julia is ready according to juliapkg's record."""
        return julia_ready()

    @property
    def seen_to_run(self) -> bool:
        """Whether a search has run to its end in this environment."""
        return seen_to_run()

    def set_up(self, monitor: Monitor = SILENT) -> Availability:
        """Let PySR download and set up Julia. This takes minutes and needs a network, so only do it on request.

        Raises
        ------
        EngineFailure
            If the set-up failed.
        """
        monitor.tell("PySR is downloading and setting up Julia; this takes some minutes.")
        with tempfile.TemporaryFile("w+") as log:
            child = subprocess.Popen(
                [sys.executable, "-c", "import pysr"], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
            while child.poll() is None:
                if monitor.should_stop():
                    child.terminate()
                time.sleep(POLL)
            if child.returncode != 0:
                raise EngineFailure(
                    "PySR could not be set up; check the network connection, or search with the built-in engine. "
                    f"PySR reported: {_last_line(log)}"
                )
        return self.availability()

    def search(
        self,
        x: np.ndarray,
        y: np.ndarray,
        spec: SearchSpec,
        *,
        progress: Callable[[SearchProgress], None] | None = None,
        should_stop: ShouldStop = never,
    ) -> SearchResult:
        """Search with PySR; see `Engine.search`.

        Raises
        ------
        InputError
            If the data are invalid.
        EngineFailure
            If PySR did not run.
        """
        x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        check_data(x, y, spec)
        _check_names(spec.variables)
        began = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="pysr-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            _write_task(folder, x, y, spec)
            stopped = self._run(folder, progress, should_stop)
            front = read_front(folder, x, y, spec)
        if front and not stopped and self.child == CHILD:
            note_run()
        return SearchResult(
            front,
            "cancel" if stopped else "budget",
            self.name,
            spec.seed,
            spec.budget.max_evaluations or 0,
            time.perf_counter() - began,
        )

    def _run(
        self, folder: Path, progress: Callable[[SearchProgress], None] | None, should_stop: ShouldStop
    ) -> bool:
        """Run the child to its end; return whether it was stopped."""
        environment = {
            **os.environ,
            "PYTHON_JULIAPKG_OFFLINE": "yes",  # a changed requirement must not start a download
            "PYTHON_JULIACALL_HANDLE_SIGNALS": "yes",
        }
        began, reported = time.perf_counter(), ""
        with (folder / "log.txt").open("w+") as log:
            child = subprocess.Popen(
                [*self.child, str(folder)], stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment
            )
            try:
                while child.poll() is None:
                    if should_stop():
                        _interrupt(child)
                        return True
                    time.sleep(POLL)
                    text = _hall_of_fame(folder)
                    if progress and text and text != reported:
                        reported = text
                        progress(_progress(text, time.perf_counter() - began))
            finally:
                if child.poll() is None:
                    child.kill()
                    child.wait()
            if child.returncode != 0 and not _hall_of_fame(folder):
                raise EngineFailure(f"PySR could not run: {_last_line(log)}")
        return False


def read_front(folder: Path, x: np.ndarray, y: np.ndarray, spec: SearchSpec) -> tuple[Candidate, ...]:
    """Return the hall of fame, with expressions parsed safely and losses and complexities measured again.

    Parameters
    ----------
    folder : path
        Folder in which PySR ran.
    x : ndarray, float64 (rows, variables)
        Features.
    y : ndarray, float64 (rows,)
        Targets.
    spec : SearchSpec
        Variables, costs, loss and maximum complexity.

    Returns
    -------
    tuple of Candidate
        The Pareto front by rising complexity; rows that cannot be parsed are left out.
    """
    candidates = []
    for text in _equations(_hall_of_fame(folder)):
        try:
            expression = parse(text, spec.variables)
        except InputError:  # a row that is incomplete, or NaN
            continue
        complexity = spec.complexity(expression)
        if complexity <= spec.max_complexity:
            candidates.append(Candidate(expression, complexity, measured(expression, x, y, spec.loss)))
    return candidate_front(candidates)


def _write_task(folder: Path, x: np.ndarray, y: np.ndarray, spec: SearchSpec) -> None:
    settings = {
        "variables": spec.variables,
        "binary": spec.binary,
        "unary": spec.unary,
        "costs": dict(spec.costs),
        "constant_cost": spec.constant_cost,
        "variable_cost": spec.variable_cost,
        "max_complexity": spec.max_complexity,
        "parsimony": spec.parsimony,
        "loss": spec.loss,
        "seed": spec.seed,
        "max_evaluations": spec.budget.max_evaluations,
        "max_seconds": spec.budget.max_seconds,
    }
    (folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    np.savez(folder / "data.npz", x=x.astype(np.float32), y=y.astype(np.float32))


def _hall_of_fame(folder: Path) -> str:
    """Return the text of the hall of fame; like PySR, prefer the backup, which is never incomplete."""
    for name in ("hall_of_fame.csv.bak", "hall_of_fame.csv"):
        try:
            return (folder / RUN / name).read_text(encoding="utf-8")
        except OSError:
            continue
    return ""


def _equations(text: str) -> list[str]:
    """Return the equations of the rows that also have a loss."""
    equations = []
    for row in csv.DictReader(io.StringIO(text)):
        try:
            float(row["Loss"])
            equations.append(row["Equation"])
        except (KeyError, TypeError, ValueError):
            continue
    return equations


def _progress(text: str, seconds: float) -> SearchProgress:
    """Return the progress from the hall of fame, with complexities and losses as PySR counts them."""
    front = []
    for row in csv.DictReader(io.StringIO(text)):
        try:
            front.append((int(row["Complexity"]), float(row["Loss"])))
        except (KeyError, TypeError, ValueError):  # an incomplete row
            continue
    finite = [loss for _, loss in front if math.isfinite(loss)]
    return SearchProgress(0, seconds, min(finite, default=math.inf), tuple(front))


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]+", name):
            raise InputError(f"PySR cannot use {name!r} as a variable; expected a name such as 'z17'.")


def _interrupt(child: subprocess.Popen[bytes]) -> None:
    """Ask the process to stop gracefully, and kill it if it does not in time."""
    if os.name != "nt":
        child.send_signal(signal.SIGINT)
        try:
            child.wait(STOP_GRACE)
            return
        except subprocess.TimeoutExpired:
            pass
    child.terminate()
    try:
        child.wait(STOP_GRACE / 3)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _last_line(log: IO[str]) -> str:
    log.seek(0)
    lines = [line.strip() for line in log.read().splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it wrote no message"
