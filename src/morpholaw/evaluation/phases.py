"""Phases of cells, which are segments of tracks in one class, with their beginnings and ends."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from morpholaw.evaluation.lineages import NONE, Lineages
from morpholaw.models.classes import UNDEFINED

UNCLASSIFIED = (UNDEFINED, "")
"""Names for images without a predicted class, which are treated as gaps."""
MITOTIC = ("mitosis", "mitotic", "prophase", "metaphase", "anaphase", "telophase")
"""Parts of names by which stages of mitosis are recognised."""
NEGATION = re.compile(
    r"(?:^|[^a-z])(?:non|not|no|never|without|before|after|outside|pre|post|a)(?:[^a-z]+(?:in|of|yet))*[^a-z]*$"
)
"""Beginning of a name after which a word does not apply to the class."""
DIVISION, BIRTH = "division", "birth"
"""The class after a phase that ends in a division, and before a phase that begins with it."""


def find_phases(
    lineages: Lineages, merge: Mapping[str, str] | None = None, min_frames: int = 1
) -> pd.DataFrame:
    """Find the phases of every cell.

    A phase begins with the first image of its class and ends with the first image of another class, or in a division.
    Missing images do not end a phase. If the class differs before and after a gap, it changes in the middle of the gap.

    Parameters
    ----------
    lineages : Lineages
        Images of every cell with their predicted classes.
    merge : mapping of str to str, optional
        Classes to rename, e.g. prometaphase and metaphase to mitosis.
    min_frames : int
        Shorter phases between two phases of the same class are treated as errors and merged with them.

    Returns
    -------
    DataFrame
        One row per phase, sorted by cell and time, with the columns

        - ``movie``, ``track_id`` (at its beginning), ``cell``, ``lineage``, ``class``;
        - ``entry``, ``exit`` (frames; the exit is the first frame after the phase), ``frames`` (their difference),
          ``images`` (number of images);
        - ``left_censored``, ``right_censored``: whether the phase had begun when the cell was first seen, and whether
          it continued when the cell was last seen;
        - ``before``, ``after``: the previous and the next class, "birth", "division", or "" if it was not observed;
        - ``probability`` (mean over its images), ``entry_probability``, ``exit_probability`` (the smaller value of the
          two images at the transition), ``entry_score``, ``exit_score`` (of the first image after the transition); NaN
          if the table has no such column;
        - ``y``, ``x`` (pixels, at its beginning).
    """
    images = lineages.images
    names = images["class"].astype(object).where(images["class"].notna(), "").astype(str)
    if merge:
        names = names.replace(dict(merge))
    known = ~names.isin(UNCLASSIFIED).to_numpy()
    images, names = images[known], names.to_numpy(object)[known]
    if not len(images):
        return _empty()
    cell, t = images["cell"].to_numpy(), images["t"].to_numpy()
    codes, labels = pd.factorize(names, sort=True)
    starts = _run_starts(cell, codes)
    if min_frames > 1:
        codes = _without_short_runs(cell, codes, t, starts, min_frames)
        starts = _run_starts(cell, codes)
    ends = np.append(starts[1:], len(cell)) - 1
    run_cell, run_code = cell[starts], codes[starts]
    first = np.append(True, run_cell[1:] != run_cell[:-1])
    last = np.append(first[1:], True)
    previous, following = np.maximum(starts - 1, 0), np.minimum(ends + 1, len(cell) - 1)
    entry = np.where(first, t[starts], (t[previous] + t[starts] + 1) / 2)
    exit_ = np.where(last, t[ends] + 1, (t[ends] + t[following] + 1) / 2)
    table = lineages.cells
    divides = table["division"].to_numpy(object)[run_cell] != NONE
    mother = table["mother"].to_numpy()[run_cell]
    born = first & (mother >= 0)
    # A class that a newborn shares with her mother began before the birth.
    at_end = np.full(len(table), -1)
    at_end[run_cell[last]] = run_code[last]
    continued = born & (at_end[np.maximum(mother, 0)] == run_code)
    before = np.where(first, np.where(born, BIRTH, ""), labels[np.append(0, run_code[:-1])])
    after = np.where(last, np.where(divides, DIVISION, ""), labels[np.append(run_code[1:], 0)])
    probability, score = (_column(images, name) for name in ("probability", "score"))
    y, x = (_column(images, name) for name in ("y", "x"))
    return pd.DataFrame(
        {
            "movie": table["movie"].to_numpy(object)[run_cell],
            "track_id": images["track_id"].to_numpy()[starts],
            "cell": run_cell,
            "lineage": table["lineage"].to_numpy()[run_cell],
            "class": np.asarray(labels, dtype=object)[run_code],
            "entry": entry.astype(np.float64),
            "exit": exit_.astype(np.float64),
            "frames": (exit_ - entry).astype(np.float64),
            "images": ends - starts + 1,
            "left_censored": (first & ~born) | continued,
            "right_censored": last & ~divides,
            "before": before,
            "after": after,
            "probability": np.add.reduceat(probability, starts) / (ends - starts + 1),
            "entry_probability": np.where(
                first, probability[starts], np.fmin(probability[previous], probability[starts])
            ),
            "exit_probability": np.where(
                last, probability[ends], np.fmin(probability[ends], probability[following])
            ),
            "entry_score": score[starts],
            "exit_score": np.where(last, score[ends], score[following]),
            "y": y[starts],
            "x": x[starts],
        }
    )


def mitotic_classes(classes: Sequence[str], phases: pd.DataFrame) -> tuple[str, ...]:
    """Return the classes that are stages of mitosis, recognised by name, or otherwise as those in which cells divide.

    Parameters
    ----------
    classes : sequence of str
        All classes.
    phases : DataFrame
        Phases of :func:`find_phases`.

    Returns
    -------
    tuple of str
        The classes; empty if no name is known and there are no divisions.
    """
    named = tuple(name for name in classes if is_named_after(name, MITOTIC))
    if named:
        return named
    divided = phases.loc[phases["after"] == DIVISION, "class"].value_counts(normalize=True)
    return tuple(name for name in classes if divided.get(name, 0.0) >= 0.2)


def is_named_after(name: str, words: Sequence[str]) -> bool:
    """Return whether the name of a class contains one of some words and does not negate it, as "non-mitotic" does.

    Parameters
    ----------
    name : str
        Name of the class.
    words : sequence of str
        Words or parts of words, in lower case.
    """
    found = [match.start() for word in words for match in re.finditer(word, name.lower())]
    return any(not NEGATION.search(name.lower()[:start]) for start in found)


def seen_to_begin(phases: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the phases of a class whose beginning was observed.

    Parameters
    ----------
    phases : DataFrame
        Phases of :func:`find_phases`.
    name : str
        The class.
    """
    return phases[(phases["class"] == name) & ~phases["left_censored"]]


def _run_starts(cell: np.ndarray, codes: np.ndarray) -> np.ndarray:
    return np.flatnonzero(np.append(True, (np.diff(cell) != 0) | (np.diff(codes) != 0)))


def _without_short_runs(
    cell: np.ndarray, codes: np.ndarray, t: np.ndarray, starts: np.ndarray, min_frames: int
) -> np.ndarray:
    """Return classes in which short runs between two runs of the same class are merged with them."""
    ends = np.append(starts[1:], len(cell)) - 1
    run_code, run_cell = codes[starts], cell[starts]
    inner = np.arange(1, len(starts) - 1)
    short = t[ends] - t[starts] + 1 < min_frames
    same = (run_code[inner - 1] == run_code[inner + 1]) & (run_cell[inner - 1] == run_cell[inner + 1])
    mistaken = inner[short[inner] & same & (run_cell[inner - 1] == run_cell[inner]) & ~short[inner - 1]]
    cleaned = codes.copy()
    for run in mistaken:
        cleaned[starts[run] : ends[run] + 1] = run_code[run - 1]
    return cleaned


def _column(images: pd.DataFrame, name: str) -> np.ndarray:
    if name not in images:
        return np.full(len(images), np.nan)
    values: np.ndarray = images[name].to_numpy(np.float64, na_value=np.nan)
    return values


def _empty() -> pd.DataFrame:
    texts = ("movie", "class", "before", "after")
    whole = ("track_id", "cell", "lineage", "images")
    flags = ("left_censored", "right_censored")
    real = ("entry", "exit", "frames", "probability", "entry_probability", "exit_probability", "entry_score",
            "exit_score", "y", "x")  # fmt: skip
    kinds = dict.fromkeys(texts, "object") | dict.fromkeys(whole, "int64")
    kinds |= dict.fromkeys(flags, "bool") | dict.fromkeys(real, "float64")
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})
