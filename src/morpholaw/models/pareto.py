"""The Pareto front of models: those that no other model matches in both cost and loss."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

Item = TypeVar("Item")


def pareto_front(items: Iterable[Item], key: Callable[[Item], tuple[Any, ...]]) -> list[Item]:
    """Return the items that no item of equal or lower cost matches in loss, by rising cost.

    Parameters
    ----------
    items : iterable
        The items; those whose cost or loss is not finite are left out.
    key : callable
        Returns the cost and the loss of an item, both better when lower. Further values decide which of several
        items of equal cost and loss is kept.

    Returns
    -------
    list
        Cost rises and loss falls from one item to the next.

    Examples
    --------
    >>> pareto_front([(3, 0.5), (1, 0.9), (4, 0.6)], key=lambda point: point)
    [(1, 0.9), (3, 0.5)]
    """
    finite = [item for item in items if all(map(math.isfinite, key(item)[:2]))]
    front: list[Item] = []
    least = math.inf
    for item in sorted(finite, key=key):
        loss = key(item)[1]
        if loss < least:
            front.append(item)
            least = loss
    return front
