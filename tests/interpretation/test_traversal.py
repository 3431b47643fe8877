"""Traversals: decoded images along the latents."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from morpholaw.errors import InputError
from morpholaw.interpretation.traversal import decode, traverse


class Painter:
    """Latent k paints pixel k; latent 3 paints nothing."""

    def encode(self, x):
        mean = x.flatten(1)[:, :4]
        return mean, torch.zeros_like(mean)

    def decode(self, z):
        image = torch.zeros(len(z), 16)
        image[:, :3] = z[:, :3]
        return image.reshape(-1, 1, 4, 4)


def test_a_traversal_moves_one_latent_and_keeps_the_rest():
    pictures = traverse(Painter(), [5.0, 6.0, 7.0, 8.0], latents=[2, 0], values=[-1.0, 0.0, 1.0])
    assert pictures.shape == (2, 3, 4, 4)
    assert pictures.dtype == np.float32
    np.testing.assert_array_equal(pictures[0, :, 0, 2], [-1, 0, 1])
    np.testing.assert_array_equal(pictures[0, :, 0, 0], [5, 5, 5])
    np.testing.assert_array_equal(pictures[1, :, 0, 0], [-1, 0, 1])


def test_all_latents_are_traversed_by_default():
    assert traverse(Painter(), torch.zeros(4)).shape == (4, 7, 4, 4)


@pytest.mark.parametrize("latent", [4, -1])
def test_a_latent_that_is_not_there_is_refused(latent):
    with pytest.raises(InputError, match="latents 0 to 3"):
        traverse(Painter(), np.zeros(4), latents=[latent])


def test_decoding_in_batches_changes_nothing():
    z = np.random.default_rng(0).normal(size=(7, 4))
    np.testing.assert_array_equal(decode(Painter(), z, batch=2), decode(Painter(), z, batch=100))
