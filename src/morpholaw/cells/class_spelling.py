"""Unification of class names that differ only in capitals, white space or the encoding of accents."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from morpholaw.display import counted

_NO_CLASS = {
    *("?", "??", "-", "--", "unknown", "unlabelled", "unlabeled", "not labelled", "not labeled"),
    *("unclassified", "not classified", "undefined", "no label", "no class"),
}
"""Texts that people write instead of a class."""
_ALIKE = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0455\u03bf\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0391\u0395\u0397\u039c\u039d\u039f\u03a1\u03a4",
    "aeopcyxisoABEKMHOPCTXAEHMNOPT",
)
"""Latin letters by the Cyrillic and Greek ones that look the same."""
_SHORTEST = 5
"""Number of letters from which classes that differ by one letter are compared."""


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
    rows_of = Counter(becomes[name] for name in map(str, classes) if becomes[name])
    for (common, _), (rare, rows) in combinations(rows_of.most_common(), 2):
        if _nearly_equal(_key(rare), _key(common)):
            notes.append(
                f"{where}: the classes {common} and {rare} ({counted(rows, 'row')}) differ by one letter; correct the "
                "name if they are the same class."
            )
    result: np.ndarray = np.array([becomes[str(name)] for name in classes], dtype=object)
    return result


def _visible(name: str) -> str:
    """Return a class without invisible differences: formatting characters, accents' encoding and kinds of blanks."""
    shown = "".join(letter for letter in name if unicodedata.category(letter) != "Cf")
    return " ".join(unicodedata.normalize("NFC", shown).split())


def _key(name: str) -> str:
    """Return the part of a class that all its spellings share."""
    text = unicodedata.normalize("NFKC", _visible(name)).translate(_ALIKE).replace("_", " ")
    return re.sub(r"(?<=[^\W\d])-(?=[^\W\d])", "", " ".join(text.split()).strip("'\"")).casefold()


def _nearly_equal(name: str, other: str) -> bool:
    """Return whether two keys differ by one letter that is added, left out, replaced or exchanged with the next."""
    if abs(len(name) - len(other)) > 1 or min(len(name), len(other)) < _SHORTEST:
        return False
    start = next((i for i, pair in enumerate(zip(name, other, strict=False)) if pair[0] != pair[1]), -1)
    if start < 0:
        start = min(len(name), len(other))
    a, b = name[start:], other[start:]
    edits = ((a[1:], b), (a, b[1:]), (a[1:], b[1:]), (a[1:2] + a[:1] + a[2:], b))
    changed = a[:1] + b[:1]
    return not any(map(str.isdigit, changed)) and any(x == y for x, y in edits)


def _says_none(name: str, known: Sequence[str]) -> bool:
    return name not in known and _key(name) in _NO_CLASS


def _listed(names: Sequence[str]) -> str:
    """Return names with a verb, such as "'?' is" or "'?' and '-' are"."""
    quoted = [ascii(name) if name.translate(_ALIKE) != name else repr(name) for name in dict.fromkeys(names)]
    if len(quoted) == 1:
        return f"{quoted[0]} is"
    return f"{', '.join(quoted[:-1])} and {quoted[-1]} are"
