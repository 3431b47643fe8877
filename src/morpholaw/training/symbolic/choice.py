"""Choice of the engine that searches, with the reason."""

from __future__ import annotations

from morpholaw.errors import InputError
from morpholaw.training.symbolic.embedded import EmbeddedEngine
from morpholaw.training.symbolic.engine import Engine
from morpholaw.training.symbolic.pysr_engine import PySREngine


def choose_engine(name: str = "auto") -> tuple[Engine, str]:
    """Return the engine of that name, and a sentence that says which was chosen and why.

    Parameters
    ----------
    name : {"auto", "pysr", "embedded"}
        "auto" chooses PySR, the paper's engine, where it has been seen to run, else the embedded engine.

    Raises
    ------
    InputError
        If there is no such engine, or PySR was asked for and cannot run.
    """
    if name == "embedded":
        return EmbeddedEngine(), "The built-in engine (embedded) searches, as asked for."
    if name not in ("auto", "pysr"):
        raise InputError(f"There is no engine {name!r}; the engines are auto, pysr and embedded.")
    pysr = PySREngine()
    state = pysr.availability()
    if state.ready and name == "auto" and not pysr.seen_to_run:
        return (
            EmbeddedEngine(),
            "The built-in engine searches. PySR has not run here yet; engine 'pysr' tries it.",
        )
    if state.ready:
        return pysr, f"PySR {pysr.version} searches: {state.reason}."
    if name == "pysr":
        raise InputError(f"PySR cannot run here: {state.reason}; the engine 'embedded' needs no set-up.")
    return (
        EmbeddedEngine(),
        f"The built-in engine searches. PySR, an optional one, is not ready: {state.reason}.",
    )
