"""One spelling of a class: what differs in capitals, blanks or the coding of accents only is the same class."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence

import numpy as np

_NO_CLASS = {
    *("?", "??", "-", "--", "unknown", "unlabelled", "unlabeled", "not labelled", "not labeled"),
    *("unclassified", "not classified", "undefined", "no label", "no class"),
}
"""What people write in place of a class."""


def one_spelling(classes: np.ndarray, known: Sequence[str], where: str, notes: list[str]) -> np.ndarray:
    """Give every class one spelling, and empty the cells whose "class" says that they have none.

    Parameters
    ----------
    classes : ndarray, object (n,)
        Classes as they were written, "" for none.
    known : sequence of str
        The classes of the study, whose spelling is taken where there is one; else the most frequent is.
    where : str
        The file, for messages.
    notes : list of str
        What was changed is added to it.

    Returns
    -------
    ndarray, object (n,)
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
            f"{where}: {_listed(emptied)} taken for no class ({rows} {'rows' if rows > 1 else 'row'}); where it is a "
            "class, give it another name."
        )
    for kept in dict.fromkeys(name for name in becomes.values() if name):
        others = [name for name, new in becomes.items() if new == kept]
        others = [shown for name in others if (shown := _visible(name)) != _visible(kept)]
        if others:
            notes.append(f"{where}: {_listed(others)} taken for the class {kept}.")
    result: np.ndarray = np.array([becomes[str(name)] for name in classes], dtype=object)
    return result


def _visible(name: str) -> str:
    """Return a class without what nobody sees: how accents are coded, and which blanks there are."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def _key(name: str) -> str:
    """Return what two spellings of a class have in common."""
    return " ".join(unicodedata.normalize("NFKC", name).replace("_", " ").split()).casefold()


def _says_none(name: str, known: Sequence[str]) -> bool:
    return name not in known and _key(name) in _NO_CLASS


def _listed(names: Sequence[str]) -> str:
    """Return names and a verb, such as "'?' is" or "'?' and '-' are"."""
    quoted = [repr(name) for name in dict.fromkeys(names)]
    if len(quoted) == 1:
        return f"{quoted[0]} is"
    return f"{', '.join(quoted[:-1])} and {quoted[-1]} are"
