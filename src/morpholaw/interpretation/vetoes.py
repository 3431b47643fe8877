"""Vetoes: inputs that alone exclude a class over some range, whatever the other inputs are (paper, 6.4).

One class of several is excluded where another class is proved to be more likely. Laws are compared in pairs: a pair
depends on fewer inputs than all laws together, so that more can be proved.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from morpholaw.display import MINUS, number, percent
from morpholaw.errors import InputError
from morpholaw.interpretation.interval_arithmetic import bound_expression, boxes
from morpholaw.interpretation.latent_names import split_sign
from morpholaw.models.class_laws import ClassLaws
from morpholaw.models.law import Law

BOXES = 40_000  # boxes bounded in one pass
WORK = 500_000  # boxes bounded for one group of latents
POINTS = 64  # points of the other latents that are looked at before boxes are bounded
TYPICAL_LIMITS = (-3.0, 3.0)
"""Range of a latent for which no other range is given."""
ROUNDING = 1e-6
"""Differences below this are attributed to rounding in floating-point arithmetic."""


Limits = Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class Veto:
    """The exclusion of one class by the values of some latents, proved for all values of the others in their ranges.

    Attributes
    ----------
    latents : tuple of str
        Names of the latents that exclude the class.
    excluded : int
        -1 if the negative class is excluded (f >= 0 everywhere), +1 if the positive class is (f < 0 everywhere).
    share : float
        Share of the ranges of these latents in which the class is excluded, in [0, 1].
    ranges : tuple of (float, float)
        For a single latent, the intervals in which the class is excluded; otherwise empty.
    """

    latents: tuple[str, ...]
    excluded: int
    share: float
    ranges: tuple[tuple[float, float], ...] = ()


def find_vetoes(
    law: Law,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    groups: Iterable[Sequence[str]] | None = None,
    cells: int = 120,
    work: int = WORK,
) -> list[Veto]:
    """Find the vetoes of single latents, of pairs, and of other groups of latents.

    The ranges of the latents are divided into small boxes, and f is bounded in each by interval arithmetic: vetoes are
    proved, not sampled. Shares are lower bounds, as more may be proved with smaller boxes.

    Parameters
    ----------
    law : Law
        The law.
    ranges : mapping, optional
        Range of each latent. By default -3 to 3.
    groups : collection, optional
        Sets of names of latents. By default all single latents and all pairs.
    cells : int
        Number of parts into which the range of a single latent is divided. Groups and other latents are divided more
        coarsely.
    work : int
        Maximum number of boxes for one group.

    Returns
    -------
    list of Veto
        Vetoes with a share above 0, by number of latents and then largest share first. Groups are included only if
        they exclude more than their members do.
    """
    names = law.expression.variables()
    limits = {name: tuple((ranges or {}).get(name, TYPICAL_LIMITS)) for name in names}
    for name, (low, high) in limits.items():
        if not (np.isfinite([low, high]).all() and low < high):
            raise InputError(f"The range of {name!r} must be two finite numbers, the smaller first.")
    chosen = [tuple(g) for g in groups] if groups is not None else _all_groups(names)
    unknown = [name for group in chosen for name in group if name not in names]
    if unknown:
        raise InputError(f"The law has no latent {unknown[0]!r}; it has {', '.join(names)}.")
    vetoes: list[Veto] = []
    for group in sorted(chosen, key=len):
        positive, negative, edges = _excluded(law, group, limits, cells, work)
        for excluded, excluded_in in ((1, positive), (-1, negative)):
            share = float(excluded_in.mean())
            parts = max(
                (v.share for v in vetoes if v.excluded == excluded and set(v.latents) < set(group)), default=0
            )
            if share > parts:
                spans = _spans(excluded_in, edges) if len(group) == 1 else ()
                vetoes.append(Veto(group, excluded, share, spans))
    return sorted(vetoes, key=lambda veto: (len(veto.latents), -veto.share))


def in_words(
    veto: Veto,
    negative: str,
    positive: str,
    names: Mapping[str, str] | None = None,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    units: Mapping[str, str] | None = None,
) -> str:
    """Describe a veto: "z3 (size) above 1.05 excludes metaphase, whatever the other latents are.".

    Limits are rounded towards the inside of a range, so that the sentence claims no more than was proved.

    Parameters
    ----------
    veto : Veto
        The veto.
    negative, positive : str
        Names of the classes with f < 0 and with f >= 0.
    names : mapping, optional
        Names of latents, e.g. ``{"z3": "size"}``. For a latent that decreases with the named quantity, such as
        ``{"z1": "−size"}``, the sentence is about the quantity: "size (−z1) below ...".
    ranges : mapping, optional
        Range of each input, by default -3 to 3. A veto that extends to an end of it is described by "above" or
        "below".
    units : mapping, optional
        Units of measured shape features. Inputs with a unit are shape features and keep their names.
    """
    others = "inputs" if units else "latents"
    class_name = positive if veto.excluded > 0 else negative
    if not veto.ranges:
        labels = [_label(name, (names or {}).get(name, "")) for name in veto.latents]
        return (
            f"{' and '.join(labels)} together exclude {class_name} in {percent(veto.share, 0)} of their range, "
            f"whatever the other {others} are."
        )
    limits = limits_in_words(veto, names, ranges, units)
    return f"{limits} excludes {class_name}, whatever the other {others} are."


def limits_in_words(
    veto: Veto,
    names: Mapping[str, str] | None = None,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    units: Mapping[str, str] | None = None,
) -> str:
    """Describe where a single input excludes a class: "z3 (size) above 1.05".

    Parameters
    ----------
    veto : Veto
        The veto of one input.
    names, ranges, units
        See :func:`in_words`.
    """
    words, shapes = names or {}, units or {}
    name = veto.latents[0]
    limits = (ranges or {}).get(name, TYPICAL_LIMITS)
    spans, reverse = list(veto.ranges), split_sign(words.get(name, ""))[1] < 0
    if reverse:
        spans = [(-high, -low) for low, high in reversed(spans)]
        limits = (-limits[1], -limits[0])
    unit = f" {shapes[name]}" if shapes.get(name) else ""
    text = " or ".join(_span_words(*span, limits, unit) for span in spans)
    return f"{_label(name, words.get(name, ''))} {text}"


def _label(name: str, word: str) -> str:
    """Return "z3 (size)", "size (−z1)" where the latent decreases with it, or the name alone."""
    plain, sign = split_sign(word)
    if not plain or plain == name:
        return name
    return f"{plain} ({MINUS}{name})" if sign < 0 else f"{name} ({plain})"


def _span_words(low: float, high: float, limits: tuple[float, float], unit: str) -> str:
    first, last = low <= limits[0], high >= limits[1]
    if first and last:
        return "at any value"
    digits = _digits(limits)
    scale = 10.0**digits
    lower = f"{number(math.ceil(low * scale - ROUNDING) / scale, digits)}{unit}"
    upper = f"{number(math.floor(high * scale + ROUNDING) / scale, digits)}{unit}"
    if last:
        return f"above {lower}"
    return f"below {upper}" if first else f"between {lower.removesuffix(unit)} and {upper}"


def _digits(limits: tuple[float, float]) -> int:
    """Return the number of decimals that distinguish a hundredth of a range."""
    return max(0, 2 - math.floor(math.log10(max(limits[1] - limits[0], 1e-9))))


def _all_groups(names: Sequence[str]) -> list[tuple[str, ...]]:
    return [(name,) for name in names] + list(combinations(names, 2) if len(names) > 2 else ())


def _excluded(
    law: Law, group: tuple[str, ...], limits: Limits, cells: int, work: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return whether +1 and whether -1 is excluded in each box of the group, and the edges of the last latent."""
    free = tuple(name for name in limits if name not in group)
    cuts = cells if len(group) == 1 else max(2, round(2 * cells ** (1 / len(group))))
    free_cuts = max(1, min(64, int((work / cuts ** len(group)) ** (1 / max(1, len(free))))))
    low, high, edges = boxes([limits[n] for n in group], cuts)
    free_low, free_high, _ = boxes([limits[n] for n in free], free_cuts)
    # Most boxes exclude nothing, which a few points in them show: only the others are bounded.
    middle = (low + high) / 2
    points = np.random.default_rng(0).uniform(
        free_low.min(axis=0), free_high.max(axis=0), (POINTS, len(free))
    )
    names = (*group, *free)
    below, above = _one_sign(law, names, (middle, middle), (points, points))
    rows = np.flatnonzero(below | above)
    below[rows], above[rows] = _one_sign(law, names, (low[rows], high[rows]), (free_low, free_high))
    return below, above, edges


def _one_sign(
    law: Law, names: Sequence[str], own: tuple[np.ndarray, np.ndarray], others: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return whether f < 0 and whether f >= 0 is proved for each box of the group, in all boxes of the other latents.

    ``own`` and ``others`` are the lower and upper corners, and ``names`` the latents of both.
    """
    count, width = own[0].shape
    below, above = np.ones(count, dtype=bool), np.ones(count, dtype=bool)
    columns = [law.names.index(name) for name in names]
    chunk = max(1, BOXES // len(others[0]))
    for start in range(0, count, chunk):
        part = slice(start, min(start + chunk, count))
        size = part.stop - part.start
        corners = []
        for mine, rest in zip(own, others, strict=True):
            corner = np.zeros((size * len(rest), len(law.names)))
            corner[:, columns[:width]] = np.repeat(mine[part], len(rest), axis=0)
            corner[:, columns[width:]] = np.tile(rest, (size, 1))
            corners.append(corner)
        f = bound_expression(law.expression, *corners)
        below[part] = (f.high < 0).reshape(size, -1).all(axis=1)
        above[part] = (f.low >= 0).reshape(size, -1).all(axis=1)
    return below, above


def _spans(where: np.ndarray, edges: np.ndarray) -> tuple[tuple[float, float], ...]:
    """Return runs of True as ranges of values."""
    change = np.diff(np.concatenate([[0], where.astype(int), [0]]))
    starts, ends = np.flatnonzero(change == 1), np.flatnonzero(change == -1)
    return tuple((float(edges[a]), float(edges[b])) for a, b in zip(starts, ends, strict=True))


CLASS_WORK = 1_000_000
"""Maximum number of boxes for one class, over all pairs and inputs."""


def find_class_vetoes(
    laws: ClassLaws, name: str, ranges: Mapping[str, tuple[float, float]], cells: int = 120
) -> list[Veto]:
    """Find the vetoes of single inputs against one class.

    Parameters
    ----------
    laws : ClassLaws
        The laws of all classes.
    name : str
        Name of the class.
    ranges : mapping
        Range of each input.
    cells : int
        Number of parts into which the range of an input is divided.

    Returns
    -------
    list of Veto
        Vetoes with ``excluded`` 1 and with ``ranges``, largest share first.
    """
    pairs = [laws.against(name, other).reduced() for other in laws.classes if other != name]
    work = CLASS_WORK // max(1, sum(len(pair.expression.variables()) for pair in pairs))
    spans: dict[str, list[tuple[float, float]]] = {}
    for pair in pairs:
        groups = [(one,) for one in pair.expression.variables()]
        for veto in find_vetoes(pair, ranges, groups, cells, work):
            if veto.excluded > 0:
                spans.setdefault(veto.latents[0], []).extend(veto.ranges)
    vetoes = []
    for one, intervals in spans.items():
        joined = _union(intervals)
        low, high = ranges[one]
        share = sum(last - first for first, last in joined) / (high - low)
        vetoes.append(Veto((one,), 1, share, joined))
    return sorted(vetoes, key=lambda veto: -veto.share)


def _union(spans: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Merge spans that overlap or touch, and sort them."""
    joined: list[tuple[float, float]] = []
    for low, high in sorted(spans):
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    return tuple(joined)
