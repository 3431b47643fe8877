"""Flips and 90 degree rotations, a batch at a time (paper, B.1 and B.2)."""

from __future__ import annotations

import torch
from torch import Tensor


def orient_batch(crops: Tensor, first: int = 0, total: int | None = None) -> Tensor:
    """Give the crops of a batch (n, size, size) the eight orientations of D4, an eighth of them each.

    The batch must be in random order: its first eighth keeps its orientation, the next is mirrored, and
    so on, which is eight strided copies instead of one for each crop.

    Parameters
    ----------
    crops : Tensor
        The batch, or a part of it.
    first, total : int
        Where in the batch the part begins, and the batch's length.
    """
    total = len(crops) if total is None else total
    eighths = torch.arange(total).tensor_split(8)
    turned = []
    for k, eighth in enumerate(eighths):
        inside = eighth[(eighth >= first) & (eighth < first + len(crops))] - first
        block = crops[int(inside[0]) : int(inside[-1]) + 1] if len(inside) else crops[:0]
        block = block.transpose(1, 2) if k & 4 else block
        block = block.flip(1) if k & 2 else block
        turned.append(block.flip(2) if k & 1 else block)
    return torch.cat(turned)
