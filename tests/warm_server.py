"""A process that has imported what a step needs, and forks where a test would start a Python that imports it again.

``python warm_server.py FD``: each message on the socket ``FD`` is a JSON list of a module, a folder and an environment,
with the child's standard streams and a socket for its number and exit status.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import sys
import threading
import warnings

from few_cells import FEW_CELLS

LEFT_OUT = ("morpholaw.widgets", "morpholaw.bench", "morpholaw.cli", "morpholaw.training.symbolic.pysr")
"""What a step in a child process does not import."""
BESIDE = (
    "torch._dynamo",
    "optuna",
    "pandas",
    "scipy.stats",
    "scipy.ndimage",
    "tifffile",
    "matplotlib.figure",
)
"""What steps import within functions."""


def preload() -> None:
    """Import all that a step may need."""
    import morpholaw

    names = [one.name for one in pkgutil.walk_packages(morpholaw.__path__, "morpholaw.", onerror=print)]
    for name in (*names, *BESIDE, "morpholaw.widgets.jobs.live_process"):
        if not name.startswith(LEFT_OUT) or name.endswith("live_process"):
            with contextlib.suppress(ImportError, SystemExit):
                importlib.import_module(name)
    for name, count in FEW_CELLS.items():
        module, _, constant = name.rpartition(".")
        setattr(sys.modules[module], constant, count)
    sys.modules.pop("morpholaw.jobs", None)  # these run as programs
    sys.modules.pop("morpholaw.widgets.jobs.live_process", None)


def become(module: str, environment: dict[str, str], streams: list[int]) -> None:
    """Be ``python -m module`` in a session of its own."""
    for target, descriptor in enumerate(streams):
        os.dup2(descriptor, target)
    os.environ.clear()
    os.environ.update(environment)
    for signal_number in (signal.SIGINT, signal.SIGCHLD):
        signal.signal(signal_number, signal.SIG_DFL)
    os.nice = lambda _: 0  # a test waits for it; the other tests would go first
    sys.argv = [module, "-"]
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(k, "r" if k == 0 else "w") for k in range(3))
    code = 1
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def tell_end(pid: int, answer: socket.socket) -> None:
    """Wait for a child and send its exit status."""
    _, status = os.waitpid(pid, 0)
    with contextlib.suppress(OSError), answer:
        answer.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def serve(requests: socket.socket) -> None:
    """Fork for each message until the tests have gone."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(requests, 1 << 20, 4)
        if not message:
            return
        module, folder, environment = json.loads(message)
        pid = os.fork()
        if pid == 0:
            requests.close()
            os.setsid()  # before its number is known, by which its group may be ended
            with socket.socket(fileno=descriptors[3]) as answer:
                answer.sendall(f"{os.getpid()}\n".encode())
            os.chdir(folder)
            become(module, environment, descriptors[:3])
        for descriptor in descriptors[:3]:
            os.close(descriptor)
        answer = socket.socket(fileno=descriptors[3])
        threading.Thread(target=tell_end, args=(pid, answer), daemon=True).start()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    preload()
    gc.freeze()
    gc.set_threshold(20_000, *gc.get_threshold()[1:])  # as in the tests
    serve(socket.socket(fileno=int(sys.argv[1])))
