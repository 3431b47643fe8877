"""How latents turn with the picture: each is given one of the symmetries of a square, D4.

A crop can be turned and flipped in eight ways, and what a latent stands for says what must become of it then. A size
stays what it is. Elongation along the axes changes its sign with a quarter turn, elongation along the diagonals with a
flip. A position is two latents that turn with the picture. The latents that the paper found are of just these kinds
(6.1: two sizes, aspect ratio, "diagonality", position). Here every latent has a kind, and training asks it to keep
to it (``EncoderConfig.symmetry``), so that what a cell is and how it lies are not mixed in one number.
"""

from __future__ import annotations

from functools import cache
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from morpholaw.cells.orientations import COUNT

Kind = Literal["invariant", "axes", "diagonal", "handed", "direction"]
"""The irreducible representations A1, B1, B2, A2 and E of D4; of the last, latents come in pairs, along x and y."""


def kinds(latents: int) -> tuple[Kind, ...]:
    """The kind of each of ``latents`` latents, invariant ones first; of 32 they are 12, 4, 4, 2 and 10."""
    elongations = (latents + 4) // 8
    others = {
        "axes": elongations,
        "diagonal": elongations,
        "handed": latents // 16,
        "direction": 2 * (5 * latents // 32),
    }
    count = {"invariant": latents - sum(others.values()), **others}
    return tuple(kind for kind in get_args(Kind) for _ in range(count[kind]))


def turned(latents: Tensor, k: int) -> Tensor:
    """What latents (n, latents) become when the picture takes orientation ``k``, 0 to 7 (``cells.orientations``)."""
    source, sign = _action(latents.shape[1], k, latents.device)
    return latents[:, source] * sign.to(latents.dtype)


@cache
def _action(latents: int, k: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Where each latent comes from under orientation ``k``, int64 (latents,), and its sign, float32 (latents,).

    Kept on the device: to copy them in every step would make a GPU wait for it.
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
    of = kinds(latents)
    source, sign = list(range(latents)), [float(scalar.get(kind, 0)) for kind in of]
    for x in np.flatnonzero([kind == "direction" for kind in of])[::2].tolist():
        pair = [(x, float(along_x)), (x + 1, float(along_y))]
        (source[x], sign[x]), (source[x + 1], sign[x + 1]) = pair if exchanged > 0 else pair[::-1]
    return torch.tensor(source, device=device), torch.tensor(sign, device=device)
