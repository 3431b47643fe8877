"""Calls in processes of their own that begin with everything imported that an earlier one had to import."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class Failed(Exception):
    """A forked call that raised; the text is the end of its traceback."""


class Killed(Exception):
    """A forked call that was killed."""


@dataclass
class Done:
    """The lines that a fork wrote, and the exit status of the process (negative: its signal)."""

    lines: list[str]
    code: int


def fork(work: Callable[[Callable[[str], None]], None]) -> Done:
    """Run ``work(tell)`` in a fork of this process and return what it told, line by line.

    The modules that it imported are then imported here: importing torch and zarr takes seconds.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        warnings.simplefilter("ignore")
        before, code = set(sys.modules), 0
        try:
            work(lambda text: _write(writer, text))
        except BaseException:
            _write(writer, f"failed 0 {traceback.format_exc()[-900:]!r}")
            code = 1
        _write(writer, f"imported {' '.join(sorted(set(sys.modules) - before))}")
        os._exit(code)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8", errors="replace") as stream:
        lines = stream.read().splitlines()
    _, status = os.waitpid(pid, 0)
    if lines and lines[-1].startswith("imported "):
        _import(lines.pop().split()[1:])
    return Done(lines, os.waitstatus_to_exitcode(status))


def value_of(call: Callable[[], Any]) -> Any:
    """Return what ``call`` returns, as JSON, from a fork; :class:`Failed` and :class:`Killed` say how else it ended."""

    def work(tell: Callable[[str], None]) -> None:
        try:
            answer = json.dumps({"value": call()}, default=str)
        except BaseException:
            answer = json.dumps({"error": traceback.format_exc()[-600:]})
        tell(answer)

    done = fork(work)
    if done.code < 0:
        raise Killed
    answer = json.loads(done.lines[-1])
    if "error" in answer:
        raise Failed(answer["error"])
    return answer["value"]


def _write(descriptor: int, text: str) -> None:
    """Write a line, however long."""
    data = f"{text}\n".encode()
    while data:
        data = data[os.write(descriptor, data) :]


def _import(names: list[str]) -> None:
    """Import modules that can be; some names in ``sys.modules`` are made while a program runs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names:
            with contextlib.suppress(Exception):
                importlib.import_module(name)
