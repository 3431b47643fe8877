"""Vetoes of one class among several: inputs that exclude it over some range, whatever the others are.

A class is excluded where any other class is proved to be likelier. Pair by pair fewer inputs are free than in the lead
over all other laws at once, so that more is proved.
"""

from __future__ import annotations

from collections.abc import Mapping

from morpholaw.interpretation.vetoes import Veto, find_vetoes
from morpholaw.models.class_laws import ClassLaws

WORK = 1_000_000
"""Boxes that are bounded for one class, in all its pairs and inputs together."""


def find_class_vetoes(
    laws: ClassLaws, name: str, ranges: Mapping[str, tuple[float, float]], cells: int = 120
) -> list[Veto]:
    """Find the vetoes of single inputs against one class.

    Parameters
    ----------
    laws : ClassLaws
        The laws of all classes.
    name : str
        The class.
    ranges : mapping
        Range of each input.
    cells : int
        Cuts of an input's range.

    Returns
    -------
    list of Veto
        With ``excluded`` 1 and ``ranges``, largest share first.
    """
    pairs = [laws.against(name, other).reduced() for other in laws.classes if other != name]
    work = WORK // max(1, sum(len(pair.expression.variables()) for pair in pairs))
    spans: dict[str, list[tuple[float, float]]] = {}
    for pair in pairs:
        groups = [(one,) for one in pair.expression.variables()]
        for veto in find_vetoes(pair, ranges, groups, cells, work):
            if veto.excluded > 0:
                spans.setdefault(veto.latents[0], []).extend(veto.ranges)
    vetoes = []
    for one, found in spans.items():
        joined = _union(found)
        low, high = ranges[one]
        share = sum(last - first for first, last in joined) / (high - low)
        vetoes.append(Veto((one,), 1, share, joined))
    return sorted(vetoes, key=lambda veto: -veto.share)


def _union(spans: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Return spans as ones that do not touch, rising."""
    joined: list[tuple[float, float]] = []
    for low, high in sorted(spans):
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    return tuple(joined)
