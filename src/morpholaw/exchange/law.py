"""One law as a file: a Python function that needs nothing but the standard library, or LaTeX."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from morpholaw import __version__
from morpholaw.cells.files import write_bytes
from morpholaw.errors import InputError
from morpholaw.models.law import Law

SUFFIXES = (".py", ".tex")


def write_law(
    path: str | os.PathLike[str],
    law: Law,
    classes: tuple[str, str],
    meanings: Mapping[str, str] | None = None,
) -> Path:
    """Write ``law`` to a .py or .tex file.

    Parameters
    ----------
    path
        Its suffix says which.
    classes
        Names of the negative (f < 0) and the positive class (f >= 0).
    meanings
        Names given to latents, e.g. ``{"z3": "size"}``: comments in Python, words in LaTeX.

    Raises
    ------
    InputError
        The suffix is another one.
    """
    path, meanings = Path(path), meanings or {}
    if path.suffix not in SUFFIXES:
        raise InputError(f"A law is written to a file ending in {' or '.join(SUFFIXES)}, not to {path.name}.")
    told = [
        f"A law found by Morpholaw {__version__}: f < 0 is {_line(classes[0])}, f >= 0 is {_line(classes[1])}.",
        f"It reads the latents {', '.join(law.names)} (the encoder's means of one cell).",
        *(f"{name}: {_line(meanings[name])}" for name in law.names if name in meanings),
    ]
    if path.suffix == ".py":
        text = "".join(f"# {line}\n" for line in told) + "\n" + law.to_python()
    else:
        formula = law.latex({name: meanings[name] for name in law.names if name in meanings})
        text = (
            "".join(f"% {line}\n" for line in told)
            + f"\\begin{{equation}}\nf(z) = {formula}\n\\end{{equation}}\n"
        )
    return write_bytes(path, text.encode())


def _line(text: str) -> str:
    """Text of a person's as part of a comment: on one line, whatever it holds."""
    return " ".join(text.split())
