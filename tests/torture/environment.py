"""What the machine may do to a study: no space, no permission, no folder, another process, no network."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crashes import STEPS, counted, state
from forks import value_of

from morpholaw.errors import MorpholawError
from morpholaw.study import Study


@contextmanager
def failing_writes(path: Path, number: int, after: int = 0) -> Iterator[None]:
    """In a fork: flushes and files, renames and folders below ``path`` fail from the ``after``-th on."""
    count, below, on = [0], str(path), [True]

    def fail(file: Any) -> None:
        count[0] += 1
        if count[0] > after:
            raise OSError(number, os.strerror(number), str(file))

    def heard(event: str, arguments: tuple[Any, ...]) -> None:
        if not on[0]:
            return
        file = str(arguments[0]) if arguments else ""
        if event == "open" and isinstance(arguments[2], int):
            if arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and file.startswith(below):
                fail(file)
        elif event in ("os.rename", "os.mkdir") and file.startswith(below):
            fail(file)

    flush = os.fsync

    def fsync(descriptor: int) -> None:
        fail(descriptor)
        flush(descriptor)

    os.fsync = fsync
    sys.addaudithook(heard)
    try:
        yield
    finally:
        on[0], os.fsync = False, flush


def no_space(crashes: Any, name: str, after: int, number: int = errno.ENOSPC) -> list[str]:
    """Run a step on a disk that fills up after so many writes; what went wrong."""
    path = crashes._copy(name, f"{name}-full-{after}-{number}".replace(" ", "-"))

    def run() -> list[str]:
        study, wrong = Study(path), []
        try:
            with failing_writes(path, number, after):
                STEPS[name].run(study, crashes.place)
        except MorpholawError as error:
            if "\n" in str(error) or os.strerror(number) not in str(error):
                wrong.append(f"{name}: no plain sentence: {error}")
        except BaseException as error:
            wrong.append(f"{name}: {type(error).__name__}: {error}")
        left = [str(p.relative_to(path)) for p in path.rglob("*") if p.suffix in (".tmp", ".replaced")]
        if left:
            wrong.append(f"{name}: left behind {left}")
        found = state(Study(path))
        for key, value in found.items():
            if key not in ("labels", "classes") and value not in (
                crashes.before.get(key),
                crashes.after[name].get(key),
            ):
                wrong.append(f"{name}: {key} is neither the old nor the new")
        return wrong

    crashes.reference(name)
    wrong = value_of(run)
    shutil.rmtree(path.parent)
    return wrong


def deleted(crashes: Any, name: str) -> list[str]:
    """Delete the study under a step; what went wrong."""
    path = crashes._copy(name, f"{name}-deleted".replace(" ", "-"))

    def run() -> list[str]:
        study = Study(path)
        study.annotations  # noqa: B018 (a window has them open)
        shutil.rmtree(path)
        try:
            STEPS[name].run(study, crashes.place)
        except MorpholawError as error:
            if "\n" in str(error):
                return [f"{name}: no plain sentence: {error}"]
        except BaseException as error:
            return [f"{name}: {type(error).__name__}: {error}"]
        else:
            return [f"{name}: said nothing"]
        return [f"{name}: made the folder again"] if path.exists() else []

    return value_of(run)


HOLD = """
import sys, time
from morpholaw.study import Study
with Study(sys.argv[1]).writing():
    print("held", flush=True)
    time.sleep(600)
"""


def lock_of_a_killed_process(path: Path) -> list[str]:
    """A second process is refused while the first lives, and served at once when the first was killed."""
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        wrong = []
        try:
            with Study(path).writing():
                wrong.append("two processes wrote to one study at a time")
        except MorpholawError as error:
            if "Another process is working" not in str(error):
                wrong.append(str(error))
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        began = time.monotonic()
        with Study(path).writing():
            pass
        if time.monotonic() - began > 2:
            wrong.append("a killed process held the lock")
        return wrong
    finally:
        holder.kill()
        holder.wait()


@contextmanager
def no_network() -> Iterator[list[str]]:
    """Any connection, look-up or bind of a process raises; what was tried is listed. In forks (it cannot be undone)."""
    tried: list[str] = []

    def heard(event: str, arguments: tuple[Any, ...]) -> None:
        if event in (
            "socket.connect",
            "socket.bind",
            "socket.getaddrinfo",
            "socket.gethostbyname",
            "urllib.Request",
        ):
            tried.append(f"{event} {arguments[1:]}")
            raise OSError(f"network: {event}")

    sys.addaudithook(heard)
    yield tried


def whole_workflow(crashes: Any) -> list[str]:
    """Every step and the report, without a network; what was tried."""
    path = crashes._copy("all", "no-network")

    def run() -> list[str]:
        with no_network() as tried:
            study = Study(path)
            for name in ("import", "crop", "scheme 2", "scheme 3", "discover-law", "tune"):
                STEPS[name].run(study, crashes.place)
            study.classify(2)
            study.attack(scheme=2, space="latent", eps=(0.1,))
            study.report(path / "report.html")
            STEPS["annotate"].run(study, crashes.place)
        return tried

    return value_of(run)


def once(call: Callable[[], Any]) -> Any:
    """``call`` in a process of its own."""
    return value_of(call)


__all__ = ["counted", "deleted", "lock_of_a_killed_process", "no_space", "once", "whole_workflow"]
