"""Parents of tracks as a table states them: one id, none, or several of tracks that merge."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from morpholaw.cells.families import joined
from morpholaw.display import counted, first_few


def add_parents(
    raw: pd.DataFrame, parents: np.ndarray, names: np.ndarray, where: str, notes: list[str]
) -> None:
    """Add the column ``parent`` to a raw track table, and ``family`` if tracks merge.

    Parameters
    ----------
    raw : DataFrame
        Table with ``track_id``, changed in place.
    parents, names : ndarray of object (n,)
        Id of the parent track, and of the track itself, as text; "" for none.
    where : str
        Name of the file in messages.
    notes : list of str
        List to which sentences about merges and about texts that are not ids are added.
    """
    track = raw["track_id"].to_numpy()
    number_of = dict(zip(names, track, strict=True))
    codes, texts = pd.factorize(parents)
    each = np.array([_number(text, number_of) for text in texts], np.int64)
    raw["parent"] = each[codes]
    several = {k: _several(text, number_of) for k, text in enumerate(texts) if each[k] < 0}
    several = {k: ids for k, ids in several.items() if ids}
    pairs = [(own, one) for k, ids in several.items() for own in np.unique(track[codes == k]) for one in ids]
    if pairs:
        raw["family"] = joined(track, np.array(pairs, np.int64))
        notes.append(merge_note(where, len({own for own, _ in pairs})))
    unread = [texts[k] for k in range(len(texts)) if each[k] < 0 and k not in several]
    unread = sorted(t for t in unread if re.search(r"[1-9]", t) and not re.fullmatch(r"-\d+(\.\d+)?", t))
    if unread:
        shown = first_few(map(repr, unread), 3)
        notes.append(
            f"{where}: the parents {shown} are not tracks of the table; those tracks are kept without a parent."
        )


def merge_note(where: str, count: int) -> str:
    """Return a sentence about merges."""
    return (
        f"{where} has {counted(count, 'merge')}: the track after a merge begins anew, without a parent, "
        "and is in the same group as the tracks before it."
    )


def _number(text: str, number_of: dict[str, int]) -> int:
    """Return the track number of a parent; that of an unknown parent if it is positive; -1 for none."""
    known = number_of.get(text.strip("[]"))
    if known is not None:
        return int(known)
    try:
        number = float(text)
    except ValueError:
        return -1
    return int(number) if 0 < number < 2**62 and number.is_integer() else -1


def _several(text: str, number_of: dict[str, int]) -> list[int]:
    """Return the tracks that a text such as "3;4" or "[3, 4]" lists; empty unless all are known."""
    parts = [part.strip(" '\"") for part in re.split(r"[;,|/\s]+", text.strip("[](){} "))]
    ids = [number_of.get(part, -1) for part in parts if part]
    return [int(one) for one in ids] if len(ids) > 1 and min(ids) >= 0 else []
