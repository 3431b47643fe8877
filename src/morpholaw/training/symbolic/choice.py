"""Choice of the symbolic regression engine."""

from __future__ import annotations

from morpholaw.errors import InputError
from morpholaw.training.symbolic.embedded import EmbeddedEngine
from morpholaw.training.symbolic.engine import Engine
from morpholaw.training.symbolic.pysr_engine import PySREngine


def choose_engine(name: str = "auto") -> tuple[Engine, str]:
    """Return the engine with a given name, and a sentence that says which was chosen and why.

    Parameters
    ----------
    name : {"auto", "pysr", "embedded"}
        With "auto": PySR, the paper's engine, if it has run here before, else the embedded engine.

    Returns
    -------
    engine : Engine
    sentence : str

    Raises
    ------
    InputError
        If there is no such engine, or PySR was requested and cannot run.
    """
    if name == "embedded":
        return EmbeddedEngine(), "Searching with the built-in engine (embedded), as requested."
    if name not in ("auto", "pysr"):
        raise InputError(f"There is no engine {name!r}; the engines are auto, pysr and embedded.")
    pysr = PySREngine()
    state = pysr.availability()
    if state.ready and name == "auto" and not pysr.seen_to_run:
        return (
            EmbeddedEngine(),
            "Searching with the built-in engine. PySR has not run here yet; set engine to 'pysr' to try it.",
        )
    if state.ready:
        return pysr, f"Searching with PySR {pysr.version}: {state.reason}."
    if name == "pysr":
        raise InputError(f"PySR cannot run here: {state.reason}. The engine 'embedded' needs no set-up.")
    return (
        EmbeddedEngine(),
        f"Searching with the built-in engine. PySR, which is optional, is not ready: {state.reason}.",
    )
