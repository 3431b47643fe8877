"""How latents change when a crop is transformed by D4: each latent has one of the symmetries of a square.

A crop can be rotated and flipped in eight ways, and what a latent stands for determines how it must then change. A size
stays the same. Elongation along the axes changes its sign with a quarter turn, elongation along the diagonals with a
flip. A position is two latents that are transformed with the crop. The latents that the paper found are of exactly
these kinds (6.1: two sizes, aspect ratio, "diagonality", position). Here every latent has a kind, and training asks it
to follow that symmetry (``EncoderConfig.symmetry``), so that what a cell is and how it lies are not mixed in one
number.
"""

from __future__ import annotations

from functools import cache
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from morpholaw.cells.orientations import COUNT

Kind = Literal["invariant", "axes", "diagonal", "handed", "direction"]
"""The irreducible representations A1, B1, B2, A2 and E of D4; latents of the last come in pairs, along x and y."""


def kinds(latents: int) -> tuple[Kind, ...]:
    """Return the kind of each latent, invariant ones first; of 32 they are 12, 4, 4, 2 and 10."""
    elongations = (latents + 4) // 8
    others = {
        "axes": elongations,
        "diagonal": elongations,
        "handed": latents // 16,
        "direction": 2 * (5 * latents // 32),
    }
    count = {"invariant": latents - sum(others.values()), **others}
    return tuple(kind for kind in get_args(Kind) for _ in range(count[kind]))


@cache
def cell_latents(latents: int) -> tuple[bool, ...]:
    """Return which latents follow the cell where they are split (``EncoderConfig.split``): half of each kind, first."""
    kind_of = kinds(latents)
    ranks = [kind_of[:number].count(kind) for number, kind in enumerate(kind_of)]
    half = {kind: (kind_of.count(kind) + 1) // 2 for kind in set(kind_of)}
    if "direction" in half:
        half["direction"] -= half["direction"] % 2  # pairs stay together
    return tuple(rank < half[kind] for rank, kind in zip(ranks, kind_of, strict=True))


def transform_latents(latents: Tensor, k: int) -> Tensor:
    """Return what latents become when the crop takes orientation ``k``.

    Parameters
    ----------
    latents : Tensor
        (n, latents).
    k : int
        Orientation, 0 to 7 (see ``cells.orientations``).
    """
    source, sign = _action(latents.shape[1], k, latents.device)
    return latents[:, source] * sign.to(latents.dtype)


@cache
def _action(latents: int, k: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return where each latent comes from under orientation ``k``, int64 (latents,), and its sign, float32 (latents,).

    The tensors are cached on the device: copying them at every step would make a GPU wait.
    """
    if not 0 <= k < COUNT:
        raise ValueError(f"an orientation is 0 to {COUNT - 1}, not {k}")
    along_x, along_y, exchanged = 1 - 2 * (k & 1), 1 - (k & 2), 1 - (k & 4) // 2
    scalar = {
        "invariant": 1,
        "axes": exchanged,
        "diagonal": along_x * along_y,
        "handed": along_x * along_y * exchanged,
    }
    kind_of = kinds(latents)
    source, sign = list(range(latents)), [float(scalar.get(kind, 0)) for kind in kind_of]
    for x in np.flatnonzero([kind == "direction" for kind in kind_of])[::2].tolist():
        pair = [(x, float(along_x)), (x + 1, float(along_y))]
        (source[x], sign[x]), (source[x + 1], sign[x + 1]) = pair if exchanged > 0 else pair[::-1]
    return torch.tensor(source, device=device), torch.tensor(sign, device=device)
