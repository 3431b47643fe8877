"""The Pareto front of models by cost and loss."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

Item = TypeVar("Item")


def pareto_front(items: Iterable[Item], key: Callable[[Item], tuple[Any, ...]]) -> list[Item]:
    """Return the Pareto-optimal items, in ascending order of cost.

    Parameters
    ----------
    items : iterable
        The items; those with a cost or loss that is not finite are left out.
    key : callable
        Returns the cost and the loss of an item, where lower is better. Further values break ties between items of
        equal cost and loss.

    Returns
    -------
    list
        Items with rising cost and falling loss.

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
