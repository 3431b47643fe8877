"""The symmetry types of latents: how each latent changes when a crop is rotated or flipped (the group D4).

A crop has eight orientations, and the meaning of a latent determines how it must change between them. A size stays the
same. Elongation along the axes changes its sign under a quarter turn, and elongation along the diagonals under a flip.
A position consists of two latents that transform like a vector. The latents found in the paper are of these types (6.1:
two sizes, aspect ratio, "diagonality", position). Here every latent has a fixed type and training enforces its symmetry
(``EncoderConfig.symmetry``), so that no latent mixes the shape of a cell with its orientation.
"""

from __future__ import annotations

from functools import cache
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from morpholaw.cells.orientations import COUNT

Kind = Literal["invariant", "axes", "diagonal", "handed", "direction"]
"""The irreducible representations A1, B1, B2, A2 and E of D4. Latents of E come in pairs, along x and y."""


def kinds(latents: int) -> tuple[Kind, ...]:
    """Return the symmetry type of each latent, invariant ones first; 32 latents are 12, 4, 4, 2 and 10 of each type."""
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
    """Return which latents describe the cell if they are split (``EncoderConfig.split``): the first half per type."""
    kind_of = kinds(latents)
    ranks = [kind_of[:number].count(kind) for number, kind in enumerate(kind_of)]
    half = {kind: (kind_of.count(kind) + 1) // 2 for kind in set(kind_of)}
    if "direction" in half:
        half["direction"] -= half["direction"] % 2  # keep pairs together
    return tuple(rank < half[kind] for rank, kind in zip(ranks, kind_of, strict=True))


def transform_latents(latents: Tensor, k: int) -> Tensor:
    """Transform latents as if their crop had orientation ``k``.

    Parameters
    ----------
    latents : Tensor
        (n, latents).
    k : int
        Orientation, 0 to 7 (see ``cells.orientations``).

    Returns
    -------
    Tensor
        (n, latents).
    """
    source, sign = _action(latents.shape[1], k, latents.device)
    return latents[:, source] * sign.to(latents.dtype)


@cache
def _action(latents: int, k: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the source of each latent under orientation ``k``, int64 (latents,), and its sign, float32 (latents,).

    The tensors are cached on the device, because copying them in every step would make a GPU wait.
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
