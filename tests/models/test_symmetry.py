from collections import Counter

import numpy as np
import pytest
import torch

from morpholaw.cells.orientations import COUNT, orient
from morpholaw.models.symmetry import kinds, transform_latents

AXIS = np.linspace(-1, 1, 16)
Y, X = np.meshgrid(AXIS, AXIS, indexing="ij")
MOMENTS = {
    "invariant": X**2 + Y**2,
    "axes": X**2 - Y**2,
    "diagonal": X * Y,
    "handed": X * Y * (X**2 - Y**2),
}
"""A moment of each kind; those of "direction" are X and Y."""


def moments(image, latents):
    """A picture's moments in place of latents, each of the kind that its latent has; float64 (1, latents)."""
    directions = iter([X, Y] * latents)
    weights = [next(directions) if kind == "direction" else MOMENTS[kind] for kind in kinds(latents)]
    return torch.tensor([[float((image * weight).sum()) for weight in weights]], dtype=torch.float64)


@pytest.mark.parametrize("k", range(COUNT))
@pytest.mark.parametrize("latents", [32, 9])
def test_moments_of_a_turned_picture_are_the_turned_moments(k, latents):
    image = np.random.default_rng(0).random((16, 16))
    before, after = moments(image, latents), moments(orient(image, k), latents)
    torch.testing.assert_close(transform_latents(before, k), after)


@pytest.mark.parametrize("latents", range(1, 70))
def test_every_number_of_latents_has_as_many_kinds_and_whole_pairs(latents):
    count = Counter(kinds(latents))
    assert sum(count.values()) == latents
    assert count["direction"] % 2 == 0
    assert count["axes"] == count["diagonal"]
    assert count["invariant"] >= latents / 4


def test_the_papers_32_latents():
    assert Counter(kinds(32)) == {"invariant": 12, "axes": 4, "diagonal": 4, "handed": 2, "direction": 10}


def test_there_are_eight_orientations():
    with pytest.raises(ValueError, match="0 to 7"):
        transform_latents(torch.zeros(1, 32), 8)
