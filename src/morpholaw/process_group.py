"""Termination of a child process together with the processes that it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from typing import Any

import psutil


def end_group(process: subprocess.Popen[Any]) -> None:
    """Kill a process and all processes that it started.

    On Linux and macOS the process must lead a session (``start_new_session=True``); its group is killed even if the
    process itself has already ended. On Windows its children are found by their parent.
    """
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(process.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
        process.kill()
    process.wait()


def end_group_with_leader(process: subprocess.Popen[Any]) -> None:
    """Kill the processes started by a process as soon as it has ended, for whatever reason.

    Workers that outlive their leader keep its pipes open, and a reader of those would wait forever.
    """

    def wait() -> None:
        process.wait()
        end_group(process)

    threading.Thread(target=wait, daemon=True, name=f"end-group-{process.pid}").start()
