"""Export of laws for more than two classes to Python functions or LaTeX."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from morpholaw import __version__, escape
from morpholaw.cells.files import write_bytes
from morpholaw.errors import InputError
from morpholaw.exchange.law import inputs_sentence, latex_in_words
from morpholaw.models.class_laws import ClassLaws
from morpholaw.models.expressions.python import to_python

SUFFIXES = (".py", ".tex")


def write_class_laws(
    path: str | os.PathLike[str], laws: ClassLaws, meanings: Mapping[str, str] | None = None
) -> Path:
    """Write laws per class to a .py file, with a function that predicts the class, or to a .tex file.

    Parameters
    ----------
    path : path
        File to write; its suffix selects the format.
    laws : ClassLaws
        Laws over inputs in units.
    meanings : mapping, optional
        Names of latents, such as ``{"z3": "size"}``: comments in Python, words in LaTeX.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If the suffix is not supported.
    """
    path = Path(path)
    if path.suffix == ".xml":
        raise InputError(
            f"TrackMate filters select one of two classes, but these laws have {len(laws.classes)}. Write .py, .tex "
            "or .csv."
        )
    if path.suffix not in SUFFIXES:
        raise InputError(f"Laws are written to a file ending in .py, .tex or .csv, not to {path.name}.")
    first = next(iter(laws.laws.values()))
    words = {name: (meanings or {})[name] for name in laws.names if name in (meanings or {})}
    header = [
        f"Laws of {len(laws.classes)} classes found by Morpholaw {__version__}: the class with the largest score wins.",
        inputs_sentence(first),
        *(f"{name}: {word}" for name, word in words.items()),
    ]
    text = _python(laws, header) if path.suffix == ".py" else _latex(laws, header, words)
    return write_bytes(path, text.encode())


def _python(laws: ClassLaws, header: Sequence[str]) -> str:
    parts = ["\n".join(["# -*- coding: utf-8 -*-", *map(escape.python_comment, header), "", "import math"])]
    for number, (name, law) in enumerate(laws.laws.items()):
        meaning = f"Score of the class {name}, to be compared with the scores of the other classes."
        parts.append(to_python(law.expression, laws.names, f"law_{number}", meaning=meaning))
    arguments = ", ".join(laws.names)
    classes = "".join(f"    {name!a},\n" for name in laws.classes)
    functions = "".join(f"law_{number}, " for number in range(len(laws.classes)))
    parts.append(
        f"CLASSES = (\n{classes})\nLAWS = ({functions})\n\n\n"
        f"def predicted_class({arguments}):\n"
        f"    scores = [law({arguments}) for law in LAWS]\n"
        "    finite = [score if math.isfinite(score) else -math.inf for score in scores]\n"
        "    best = max(finite)\n"
        '    return CLASSES[finite.index(best)] if best > -math.inf else "undefined"\n'
    )
    return "\n\n".join(parts)


def _latex(laws: ClassLaws, header: Sequence[str], words: Mapping[str, str]) -> str:
    comments = "".join(f"% {escape.one_line(line)}\n" for line in header)
    numbered = "".join(
        f"% f_{number}: {escape.one_line(name)}; at full precision {law.text()}\n"
        for number, (name, law) in enumerate(laws.laws.items(), 1)
    )
    lines = " \\\\\n".join(
        f"f_{{{number}}}{law.argument} &= {latex_in_words(law, words)}"
        for number, law in enumerate(laws.laws.values(), 1)
    )
    return f"{comments}{numbered}\\begin{{align}}\n{lines}\n\\end{{align}}\n"
