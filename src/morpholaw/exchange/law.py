"""One law as a file: a Python function that needs nothing but the standard library, or LaTeX."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from morpholaw import __version__, escape
from morpholaw.cells.files import write_bytes
from morpholaw.cells.shape_features import NEIGHBOURHOOD_NAMES, SHAPE_NAMES
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
    words = {name: meanings[name] for name in law.names if name in meanings}
    header = [
        f"A law found by Morpholaw {__version__}: f < 0 is {classes[0]}, f >= 0 is {classes[1]}.",
        _inputs(law),
        *(f"{name}: {word}" for name, word in words.items()),
    ]
    if path.suffix == ".py":
        lines = ["# -*- coding: utf-8 -*-", *map(escape.python_comment, header), "", law.to_python()]
        text = "\n".join(lines)
    else:
        comments = "".join(f"% {escape.one_line(line)}\n" for line in header)
        text = f"{comments}\\begin{{equation}}\nf(z) = {law.latex(words)}\n\\end{{equation}}\n"
    return write_bytes(path, text.encode())


def _inputs(law: Law) -> str:
    """Say what the law reads."""
    shapes = [name for name in law.names if name in SHAPE_NAMES or name in NEIGHBOURHOOD_NAMES]
    latents = [name for name in law.names if name not in shapes]
    parts = [f"the latents {', '.join(latents)} (the encoder's means of one cell)"] if latents else []
    if shapes:
        parts.append(f"the shapes {', '.join(shapes)} (in the units that the study measures them in)")
    return f"It reads {' and '.join(parts)}."
