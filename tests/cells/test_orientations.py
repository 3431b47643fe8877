"""The eight flips and turns: a group, whole and consistent, on arrays and on anything that flips."""

from __future__ import annotations

import numpy as np
import pytest

from morpholaw.cells.orientations import COUNT, all_orientations, inverse, orient

IMAGE = np.arange(16).reshape(4, 4)


def test_the_eight_orientations_differ_and_are_closed_under_repetition():
    eight = {orient(IMAGE, k).tobytes() for k in range(COUNT)}
    twice = {orient(orient(IMAGE, j), k).tobytes() for j in range(COUNT) for k in range(COUNT)}
    assert len(eight) == COUNT
    assert twice == eight


@pytest.mark.parametrize("k", range(COUNT))
def test_the_inverse_undoes_an_orientation(k):
    assert np.array_equal(orient(orient(IMAGE, k), inverse(k)), IMAGE)


def test_every_image_may_have_its_own_orientation():
    images = np.random.default_rng(0).integers(0, 255, (COUNT, 1, 5, 5), dtype=np.uint8)
    before = images.copy()
    turned = orient(images, np.arange(COUNT))
    assert np.array_equal(images, before)
    for k in range(COUNT):
        assert np.array_equal(turned[k], orient(images[k], k))
        assert np.array_equal(turned[k], all_orientations(images)[k, k])


def test_a_torch_tensor_is_turned_the_same_way():
    torch = pytest.importorskip("torch")
    images = np.random.default_rng(0).integers(0, 255, (20, 1, 5, 5), dtype=np.uint8)
    k = np.random.default_rng(1).integers(0, COUNT, 20)
    turned = orient(torch.from_numpy(images), torch.from_numpy(k))
    assert np.array_equal(turned.numpy(), orient(images, k))


def test_a_number_that_is_no_orientation_is_refused():
    with pytest.raises(ValueError, match="0 to 7, not 8"):
        orient(IMAGE, 8)
