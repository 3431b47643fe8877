"""What stands in for ``subprocess.Popen([sys.executable, "-m", module])``: a fork of a process with all imported."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

_Popen = subprocess.Popen
MODULES = ("morpholaw.jobs", "morpholaw.widgets.jobs.live_process")


class WarmServer:
    """The process that forks, started with the first child."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def popen(self, command: list[str], **options: Any) -> Any:
        """Start a child: a fork where it is one of :data:`MODULES`, else what ``subprocess`` starts."""
        if command[:2] != [sys.executable, "-m"] or command[2] not in MODULES:
            return _Popen(command, **options)
        return WarmProcess(self, command[2], **options)

    def ask(self, module: str, environment: dict[str, str], descriptors: list[int]) -> None:
        """Have a child forked."""
        with self._lock:
            if self._socket is None:
                self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                with theirs:
                    self._process = _Popen(
                        [sys.executable, Path(__file__).with_name("warm_server.py"), str(theirs.fileno())],
                        pass_fds=[theirs.fileno()],
                        stdin=subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL,
                        env={**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"},
                    )
            socket.send_fds(
                self._socket, [json.dumps([module, os.getcwd(), environment]).encode()], descriptors
            )

    def close(self) -> None:
        """End the process."""
        if self._socket is not None:
            self._socket.close()
            self._process.kill()
            self._process.wait()


class WarmProcess:
    """As much of :class:`subprocess.Popen` as the program uses."""

    def __init__(
        self,
        server: WarmServer,
        module: str,
        stderr: int = subprocess.PIPE,
        text: bool = False,
        encoding: str = "utf-8",
        env: dict[str, str] | None = None,
        **_: Any,
    ) -> None:
        self.returncode: int | None = None
        (child_in, mine), (out, child_out), (errors, child_errors) = os.pipe(), os.pipe(), os.pipe()
        self._answer, theirs = socket.socketpair()
        server.ask(module, dict(env or os.environ), [child_in, child_out, child_errors, theirs.fileno()])
        theirs.close()
        for descriptor in (child_in, child_out, child_errors):
            os.close(descriptor)
        self.stdin: Any = os.fdopen(mine, "wb")
        self.stdout: Any = os.fdopen(out, "rb")
        self.stderr: Any = os.fdopen(errors, "rb")
        if text:
            self.stdin, self.stdout, self.stderr = (
                io.TextIOWrapper(pipe, encoding=encoding, line_buffering=pipe is self.stdin)
                for pipe in (self.stdin, self.stdout, self.stderr)
            )
        if stderr == subprocess.DEVNULL:
            unread, self.stderr = self.stderr, None
            threading.Thread(target=_empty, args=(unread,), daemon=True).start()
        self._lines = self._answer.makefile()
        self.pid = int(self._lines.readline())
        self._ended = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with self._answer, self._lines:
            line = self._lines.readline()
        self.returncode = int(line) if line else -signal.SIGKILL
        self._ended.set()

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit status."""
        if not self._ended.wait(timeout):
            raise subprocess.TimeoutExpired("a warm process", timeout or 0)
        assert self.returncode is not None
        return self.returncode

    def poll(self) -> int | None:
        """Return the exit status, None while the process runs."""
        return self.returncode

    def kill(self) -> None:
        """End the process."""
        if self.returncode is None:
            os.kill(self.pid, signal.SIGKILL)


def _empty(pipe: Any) -> None:
    """Read a pipe to its end and close it: freed while open, it warns in whatever code runs then."""
    with pipe:
        pipe.read()
