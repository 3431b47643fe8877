"""Latents ranked by activity, correlated with shapes, and named with a sign."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from morpholaw.errors import InputError
from morpholaw.interpretation.latent_names import LEAST_SHARE, correlate, split_sign, suggest_names
from morpholaw.interpretation.latent_summary import (
    MORPHOLOGY_SHARE,
    active_latents,
    evenly_spaced,
    rank_latents,
    summarise_latents,
)


@pytest.fixture(scope="module")
def shapes():
    rng = np.random.default_rng(0)
    names = ["area", "aspect", "diagonality", "offset_x", "neighbour_area"]
    table = pd.DataFrame(rng.normal(size=(800, 5)), columns=names)
    return table.assign(label="interphase", brightness=1.0)


@pytest.fixture(scope="module")
def latents(shapes):
    rng = np.random.default_rng(1)
    return np.column_stack(
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


def test_latents_are_ranked_by_their_divergence_from_the_prior():
    rng = np.random.default_rng(0)
    means = rng.normal(size=(20_000, 3)) * [0.0, 1.0, 0.5]
    log_variances = np.log(np.tile([1.0, 0.05, 0.5], (20_000, 1)))
    ranking = rank_latents(means, log_variances)
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


def test_latents_are_named_after_the_shape_that_they_follow(shapes, latents):
    summary = summarise_latents(latents, np.zeros_like(latents), shapes)
    assert summary.names == {
        1: "−size",
        2: "size 2",
        3: "diagonality",
        4: "neighbourhood",
        5: "x-position",
        6: "aspect",
    }


def test_morphology_is_what_other_surroundings_do_not_change_whatever_its_name(shapes, latents):
    share = np.linspace(0.0, 0.6, latents.shape[1])
    summary = summarise_latents(latents, np.zeros_like(latents), shapes, share)
    assert summary.morphology == [k for k in sorted(summary.active) if share[k] < MORPHOLOGY_SHARE]
    assert 0 < len(summary.morphology) < len(summary.active)
    assert summarise_latents(latents, np.zeros_like(latents), shapes).morphology == []


def test_a_latent_times_its_sign_is_more_of_what_its_name_says(shapes, latents):
    flipped = latents * np.array([1, 1, -1, 1, -1, 1, -1])
    summary = summarise_latents(flipped, np.zeros_like(flipped), shapes)
    assert [one.sign for one in summary.suggestions.values()] == [-1, -1, 1, -1, 1, -1]
    for latent, suggestion in summary.suggestions.items():
        oriented = suggestion.sign * flipped[:, latent]
        assert spearmanr(oriented, shapes[suggestion.shape]).statistic == pytest.approx(
            suggestion.correlation
        )
        assert suggestion.correlation**2 >= LEAST_SHARE


def test_a_latent_is_named_only_where_a_shape_accounts_for_half_of_it(shapes):
    rng = np.random.default_rng(4)
    mostly, partly = (
        shapes["area"] + 0.8 * rng.normal(size=800),
        shapes["aspect"] + 1.7 * rng.normal(size=800),
    )
    latents = np.column_stack([mostly, -partly, rng.normal(size=800)])
    summary = summarise_latents(latents, np.zeros_like(latents), shapes)
    assert summary.words() == {0: "size"}
    correlation = summary.strongest(1)["spearman"].item()
    assert -0.6 < correlation < -0.4
    assert summary.unnamed([1, 2]) == (
        f"Without a name: z1, which correlates most with aspect (r = −{-correlation:.2f}) "
        "and z2, which correlates with no measured shape."
    )
    assert summary.unnamed([]) == ""


def test_more_distance_to_the_neighbours_is_less_neighbourhood():
    distance = np.random.default_rng(0).normal(size=300)
    (name,) = suggest_names(
        correlate(distance[:, None], pd.DataFrame({"true_neighbour_distance": distance}))
    ).values()
    assert (name.signed, name.sign) == ("−neighbourhood", -1)


def test_a_latent_whose_two_ends_look_alike_has_no_direction():
    latent = np.random.default_rng(2).normal(size=(800, 1))
    correlations = correlate(latent, pd.DataFrame({"area": np.abs(latent[:, 0])}))
    row = correlations.iloc[0]
    assert abs(row["spearman"]) < 0.15
    assert row["even"] > 0.95
    assert row["quadratic"] > 0.9
    assert suggest_names(correlations)[0].signed == "size, both ends"


def test_a_name_without_a_direction_does_not_replace_a_latent_in_a_sentence():
    latent = np.random.default_rng(2).normal(size=(800, 2))
    shapes = pd.DataFrame({"area": np.abs(latent[:, 0]), "axis_ratio": latent[:, 1]})
    summary = summarise_latents(latent, np.zeros_like(latent), shapes)
    assert summary.words() == {0: "size, both ends", 1: "elongation"}
    assert summary.words(directed=True) == {1: "elongation"}
    assert "z0, which correlates most with area at both ends" in summary.unnamed([0])
    assert summary.words({0: "my size"}, directed=True) == {0: "my size", 1: "elongation"}


def test_names_are_the_same_in_any_order_of_the_cells(shapes, latents):
    order = np.random.default_rng(3).permutation(len(latents))
    shuffled = summarise_latents(latents[order], np.zeros_like(latents), shapes.iloc[order])
    assert shuffled.names == summarise_latents(latents, np.zeros_like(latents), shapes).names


def test_a_suggested_name_does_not_repeat_one_that_a_person_gave(shapes, latents):
    summary = summarise_latents(latents, np.zeros_like(latents), shapes)
    words = summary.words({0: "size", 5: ""})
    assert words == {**summary.names, 0: "size", 1: "−size 3"}
    assert len({split_sign(word)[0] for word in words.values()}) == len(words)


def test_shapes_that_do_not_vary_or_are_missing_are_left_out(shapes):
    table = shapes.assign(area=np.where(np.arange(800) % 2, np.nan, shapes["area"]))
    correlations = correlate(shapes["area"].to_numpy()[:, None], table)
    assert set(correlations["shape"]) == {"area", "aspect", "diagonality", "offset_x", "neighbour_area"}
    assert correlations.set_index("shape").loc["area", "spearman"] == pytest.approx(1)


def test_without_shapes_there_are_activities_and_no_names():
    summary = summarise_latents(np.ones((1, 3)), np.zeros((1, 3)))
    assert summary.names == {}
    assert summary.active == [0, 1, 2]
    assert summary.median.tolist() == [1, 1, 1]
    assert summary.strongest(0).empty


def test_rows_must_match(shapes):
    with pytest.raises(InputError, match="one row each"):
        correlate(np.zeros((3, 2)), shapes)


def test_the_sample_of_cells_is_even_and_bounded():
    assert evenly_spaced(0).size == 0
    assert evenly_spaced(3).tolist() == [0, 1, 2]
    assert evenly_spaced(11, 3).tolist() == [0, 5, 10]
    assert len(evenly_spaced(1_000_000)) == 2000


def test_a_latent_is_not_named_after_a_shape_that_it_only_accompanies():
    """Cells of two classes differ in size and in another latent, which makes decoded cells a little smaller."""
    size = np.random.default_rng(4).normal(size=400)
    latents = np.column_stack([size, size + 0.3 * np.random.default_rng(5).normal(size=400)])
    shapes = pd.DataFrame({"area": (20 + 4 * size) ** 2})

    def decode(points):
        images = np.zeros((len(points), 64, 64), np.float32)
        for image, (own, other) in zip(images, points, strict=True):
            half = round(10 + 2 * own - 0.5 * other)
            image[32 - half : 32 + half, 32 - half : 32 + half] = 0.8
        return images

    assert summarise_latents(latents, np.zeros_like(latents), shapes).words() == {0: "size", 1: "size 2"}
    summary = summarise_latents(latents, np.zeros_like(latents), shapes, decode=decode)
    assert summary.words() == {0: "size"}
    assert summary.unnamed([1]) == "Without a name: z1, which correlates most with area (r = 0.95)."
