"""Flips and 90 degree rotations, a batch at a time (paper, B.1 and B.2)."""

from __future__ import annotations

import torch
from torch import Tensor

from morpholaw.cells.orientations import COUNT, inverse, orient


def orient_batch(crops: Tensor, first: int = 0, total: int | None = None) -> Tensor:
    """Give each eighth of a batch one of the eight orientations of D4.

    The batch must be in random order. Eight strided copies are much faster than one per crop.

    Parameters
    ----------
    crops : Tensor
        (n, size, size), the batch or a part of it.
    first : int
        Place of the part's first crop in the batch.
    total : int, optional
        Crops in the whole batch; by default ``crops`` is the whole.

    Returns
    -------
    Tensor
        (n, size, size), in the same order; block k has the orientation ``inverse(k)``.
    """
    total = len(crops) if total is None else total
    eighths = torch.arange(total).tensor_split(COUNT)
    oriented = []
    for k, eighth in enumerate(eighths):
        inside = eighth[(eighth >= first) & (eighth < first + len(crops))] - first
        block = crops[int(inside[0]) : int(inside[-1]) + 1] if len(inside) else crops[:0]
        oriented.append(orient(block, inverse(k)))
    return torch.cat(oriented)
