"""Unification of class names that differ only in capitals, white space or the encoding of accents."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence

import numpy as np

_NO_CLASS = {
    *("?", "??", "-", "--", "unknown", "unlabelled", "unlabeled", "not labelled", "not labeled"),
    *("unclassified", "not classified", "undefined", "no label", "no class"),
}
"""Texts that people write instead of a class."""


def one_spelling(classes: np.ndarray, known: Sequence[str], where: str, notes: list[str]) -> np.ndarray:
    """Unify the spelling of classes, and remove entries such as "unknown" that stand for no class.

    Parameters
    ----------
    classes : ndarray of object, shape (n,)
        Classes as written; "" for none.
    known : sequence of str
        Classes of the study, whose spelling has priority; otherwise the most frequent spelling is used.
    where : str
        Name of the file, for messages.
    notes : list of str
        List to which a sentence is added for every change.

    Returns
    -------
    ndarray of object, shape (n,)
        Unified classes.
    """
    counts = Counter(str(name) for name in classes)
    spelling = {_key(name): name for name in reversed(known)}
    for name, _ in counts.most_common():
        spelling.setdefault(_key(name), _visible(name))
    becomes = {name: "" if _says_none(name, known) else spelling[_key(name)] for name in counts}
    emptied = [name for name in counts if name and not becomes[name]]
    if emptied:
        rows = sum(counts[name] for name in emptied)
        notes.append(
            f"{where}: {_listed(emptied)} read as no class ({rows} {'rows' if rows > 1 else 'row'}); rename it if it "
            "is a class."
        )
    for kept in dict.fromkeys(name for name in becomes.values() if name):
        others = [name for name, new in becomes.items() if new == kept]
        others = [shown for name in others if (shown := _visible(name)) != _visible(kept)]
        if others:
            notes.append(f"{where}: {_listed(others)} read as the class {kept}.")
    result: np.ndarray = np.array([becomes[str(name)] for name in classes], dtype=object)
    return result


def _visible(name: str) -> str:
    """Return a class without invisible differences: the encoding of accents and the kind of white space."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def _key(name: str) -> str:
    """Return the part of a class that all its spellings share."""
    return " ".join(unicodedata.normalize("NFKC", name).replace("_", " ").split()).casefold()


def _says_none(name: str, known: Sequence[str]) -> bool:
    return name not in known and _key(name) in _NO_CLASS


def _listed(names: Sequence[str]) -> str:
    """Return names with a verb, such as "'?' is" or "'?' and '-' are"."""
    quoted = [repr(name) for name in dict.fromkeys(names)]
    if len(quoted) == 1:
        return f"{quoted[0]} is"
    return f"{', '.join(quoted[:-1])} and {quoted[-1]} are"
