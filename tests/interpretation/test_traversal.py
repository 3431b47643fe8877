"""Traversals, the activity of latents and the names they deserve."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from morpholaw.errors import InputError
from morpholaw.interpretation.latent_names import correlate, is_morphology, suggest_names
from morpholaw.interpretation.traversal import (
    active_latents,
    decode,
    perceptible_change,
    rank_latents,
    traverse,
)


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


def test_a_latent_that_paints_nothing_changes_nothing():
    change = perceptible_change(Painter(), np.zeros((2, 4)), values=(-2, 2))
    np.testing.assert_allclose(change, [4, 4, 4, 0])


def test_latents_are_ranked_by_their_divergence_from_the_prior():
    rng = np.random.default_rng(0)
    means = rng.normal(size=(20_000, 3)) * [0.0, 1.0, 0.5]
    logvars = np.log(np.tile([1.0, 0.05, 0.5], (20_000, 1)))
    ranking = rank_latents(torch.as_tensor(means), logvars)
    assert ranking["latent"].tolist() == [1, 2, 0]
    by_latent = ranking.set_index("latent")
    assert by_latent.loc[0, "kl"] == pytest.approx(0, abs=1e-12)
    assert by_latent.loc[1, "kl"] == pytest.approx(0.5 * (1 + 0.05 - np.log(0.05) - 1), rel=0.03)
    assert by_latent.loc[2, "mean_variance"] == pytest.approx(0.25, rel=0.05)
    assert by_latent.loc[1, "posterior_variance"] == pytest.approx(0.05)
    assert active_latents(ranking) == [1, 2]


def test_means_and_variances_must_match():
    with pytest.raises(InputError, match=r"\(n, latents\)"):
        rank_latents(np.zeros((3, 2)), np.zeros((3, 4)))


@pytest.fixture(scope="module")
def shapes():
    rng = np.random.default_rng(0)
    names = ["area", "aspect", "diagonality", "offset_x", "neighbour_area"]
    table = pd.DataFrame(rng.normal(size=(800, 5)), columns=names)
    return table.assign(label="interphase", brightness=1.0)


def test_latents_are_named_after_what_they_follow(shapes):
    rng = np.random.default_rng(1)
    latents = np.column_stack(
        [
            rng.normal(size=800),
            -shapes["area"],
            shapes["area"] + 0.7 * rng.normal(size=800),
            np.exp(shapes["diagonality"]),
            shapes["neighbour_area"],
            shapes["offset_x"],
            shapes["aspect"],
        ]
    )
    names = suggest_names(correlate(latents, shapes))
    assert names == {
        0: "z0",
        1: "size",
        2: "size 2",
        3: "diagonality",
        4: "neighbourhood",
        5: "x-position",
        6: "aspect",
    }
    assert [k for k, name in names.items() if is_morphology(name)] == [1, 2, 3, 6]


def test_an_even_relation_is_seen_where_a_monotonic_one_is_not(shapes):
    latent = np.random.default_rng(2).normal(size=(800, 1))
    table = correlate(latent, pd.DataFrame({"area": np.abs(latent[:, 0])})).iloc[0]
    assert abs(table["spearman"]) < 0.15
    assert table["even"] > 0.95
    assert table["quadratic"] > 0.9


def test_shapes_that_do_not_vary_or_are_missing_are_left_out(shapes):
    table = shapes.assign(area=np.where(np.arange(800) % 2, np.nan, shapes["area"]))
    correlations = correlate(shapes["area"].to_numpy()[:, None], table)
    assert set(correlations["shape"]) == {"area", "aspect", "diagonality", "offset_x", "neighbour_area"}
    assert correlations.set_index("shape").loc["area", "spearman"] == pytest.approx(1)


def test_rows_must_match(shapes):
    with pytest.raises(InputError, match="one row each"):
        correlate(np.zeros((3, 2)), shapes)
