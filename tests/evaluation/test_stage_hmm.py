"""Stages of any number along tracks: their order, learnt or given, and what it makes of a classifier's mistakes."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

from morpholaw.cells.simulator import without_links
from morpholaw.cells.simulator.movie import simulate_tracks
from morpholaw.config import SimulateConfig
from morpholaw.errors import InputError
from morpholaw.evaluation import stage_hmm
from morpholaw.evaluation.stage_hmm import StagePrior, classify_stages
from morpholaw.evaluation.stage_order import StageOrder, learn_order

CLASSES = ("interphase", "prometaphase", "metaphase", "anaphase", "apoptosis")
ORDER = StageOrder(CLASSES[:4], final=("apoptosis",))


def tracks(*rows: tuple[int, int, int]) -> pd.DataFrame:
    """Tracks given as (first frame, length, parent or -1); a track's id is its place."""
    return pd.DataFrame(
        [
            {"track_id": number, "t": start + k, "parent": parent}
            for number, (start, length, parent) in enumerate(rows)
            for k in range(length)
        ]
    )


def shown(*names: str, sure: float = 0.9) -> np.ndarray:
    """Probabilities of images that look like these classes."""
    probability = np.full((len(names), len(CLASSES)), (1 - sure) / (len(CLASSES) - 1))
    probability[np.arange(len(names)), [CLASSES.index(name) for name in names]] = sure
    return probability


def stages_of(cells: pd.DataFrame, probability: np.ndarray, order: StageOrder = ORDER) -> list[str]:
    stages, _, _ = classify_stages(cells, probability, CLASSES, order)
    return [CLASSES[k] for k in stages]


@pytest.fixture(scope="module")
def movie() -> pd.DataFrame:
    return simulate_tracks(SimulateConfig(frames=50, cells=30, width=400, height=400, seed=4))


def mistaken(movie: pd.DataFrame, share: float, seed: int = 0) -> np.ndarray:
    """Probabilities of a classifier that takes a share of the images for any class."""
    rng = np.random.default_rng(seed)
    truth = np.array([CLASSES.index(name) for name in movie["label"]])
    scores = rng.normal(0, 1, (len(truth), len(CLASSES)))
    wrong = rng.random(len(truth)) < share
    scores[np.arange(len(truth)), np.where(wrong, rng.integers(0, 4, len(truth)), truth)] += 3
    return np.exp(scores) / np.exp(scores).sum(1, keepdims=True)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_nearly_all_stages_are_right_without_half_of_the_links_and_in_order(movie, share):
    probability = mistaken(movie, 0.25)
    cells = without_links(movie, share, np.random.default_rng(1))
    stages, _, _ = classify_stages(cells, probability, CLASSES, ORDER, error=0.25)
    truth = movie["label"].to_numpy()
    assert (np.array(CLASSES)[probability.argmax(1)] == truth).mean() < 0.8  # the control: frame by frame
    found = np.array(CLASSES)[stages]
    assert (found == truth).mean() > 0.97
    for name in CLASSES[:4]:
        assert (found[truth == name] == name).mean() > 0.75
    assert ORDER.violations(cells, found, CLASSES) == 0
    assert ORDER.violations(cells, np.array(CLASSES)[probability.argmax(1)], CLASSES) > 100


def test_shuffled_images_do_not_become_stages_of_mitosis(movie):
    """The control: the order alone, without evidence in the images, says nothing about when a cell divides."""
    probability = np.random.default_rng(0).permutation(mistaken(movie, 0.1))
    stages, _, _ = classify_stages(movie, probability, CLASSES, ORDER, error=0.1)
    mitotic = movie["label"].to_numpy() != "interphase"
    assert (stages[mitotic] != 0).mean() < 0.5


def test_the_order_is_learnt_from_labelled_tracks(movie):
    assert learn_order(movie, movie["label"], CLASSES) == StageOrder(CLASSES[:4])
    dying = tracks((0, 6, -1), (0, 6, -1), (0, 4, -1))
    divides = ["interphase", "metaphase", "metaphase"]
    names = [*["interphase"] * 3, *["apoptosis"] * 3, *divides, *divides, *["interphase"] * 4]
    order = learn_order(dying, names, CLASSES)
    assert order == StageOrder(("interphase", "metaphase"), final=("apoptosis",))
    assert learn_order(dying, ["interphase"] * 16, CLASSES) is None
    assert learn_order(dying, [""] * 16, CLASSES) is None


def test_a_cell_that_has_died_does_not_come_back():
    cells = tracks((0, 9, -1))
    seen = shown(*["interphase"] * 3, *["apoptosis"] * 3, "interphase", *["apoptosis"] * 2)
    assert stages_of(cells, seen) == ["interphase"] * 3 + ["apoptosis"] * 6


def test_a_linked_daughter_goes_on_where_her_mother_was():
    cells = tracks((0, 6, -1), (6, 4, 0), (6, 4, 0))
    mother = shown(*["interphase"] * 3, "prometaphase", *["metaphase"] * 2)
    daughter = shown("prometaphase", *["interphase"] * 3, sure=0.6)
    found = stages_of(cells, np.concatenate([mother, daughter, daughter]))
    assert found[:6] == ["interphase"] * 3 + ["prometaphase"] + ["metaphase"] * 2
    assert {found[6], found[10]} <= {"metaphase", "anaphase", "interphase"}
    assert found[7:10] == found[11:14]


def test_a_cell_that_looks_like_another_stage_for_good_is_one_mistake(movie):
    truth, sure = movie["label"].to_numpy(), mistaken(movie, 0.05)
    looks = movie["track_id"].isin([3, 7]).to_numpy() & (truth == "interphase")
    sure[looks] = shown(*["prometaphase"] * int(looks.sum()))
    stages, _, _ = classify_stages(movie, sure, CLASSES, ORDER, error=0.05)
    found = np.array(CLASSES)[stages]
    assert looks.sum() > 20
    assert (found[looks] == "interphase").mean() > 0.8
    assert (found[~looks] == truth[~looks]).mean() > 0.98


def test_frames_without_a_cell_or_a_score_are_bridged():
    cells = tracks((0, 12, -1), (0, 12, -1))
    names = [*["interphase"] * 3, *["prometaphase"] * 2, *["metaphase"] * 3, *["anaphase"] * 2]
    names += ["interphase"] * 14
    seen = shown(*names, sure=0.99)
    seen[6] = np.nan
    gone = np.arange(24) != 4
    found = stages_of(cells[gone].reset_index(drop=True), seen[gone])
    assert found == [name for name, kept in zip(names, gone, strict=True) if kept]


def test_rows_in_any_order_get_the_same(movie):
    probability = mistaken(movie, 0.2)
    expected, _, _ = classify_stages(movie, probability, CLASSES, ORDER)
    order = np.random.default_rng(0).permutation(len(movie))
    found, _, _ = classify_stages(
        movie.iloc[order].reset_index(drop=True), probability[order], CLASSES, ORDER
    )
    np.testing.assert_array_equal(found, expected[order])


def test_a_class_outside_the_order_may_come_anywhere():
    order = StageOrder(("interphase", "prometaphase", "metaphase"))
    cells = tracks((0, 5, -1))
    names = ["interphase", "interphase", "apoptosis", "apoptosis", "interphase"]
    assert stages_of(cells, shown(*names, sure=0.99), order) == names


def test_probabilities_are_those_of_all_ways_a_lineage_could_go():
    """Against the sum over all stages of a mother and her two daughters, with the rates of the prior."""
    cells = tracks((0, 2, -1), (2, 2, 0), (2, 1, 0))
    rng = np.random.default_rng(0)
    seen = rng.dirichlet(np.ones(5), len(cells))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage_hmm, "MAX_ROUNDS", 1)  # nothing learnt yet
        _, found, _ = classify_stages(cells, seen, CLASSES, ORDER, error=0.0)
    rates = StagePrior.of(ORDER, CLASSES).rates()
    named = [*range(5), 0, 0, 0]  # lookalikes of prometaphase, metaphase and anaphase are in interphase
    seen = np.concatenate([seen, seen[:, 1:4]], axis=1)
    expected = np.zeros((5, 5))
    for a, b, c, d, e in product(range(8), repeat=5):
        weight = rates.first[a] * rates.onward[a, b] * rates.after[b, stage_hmm.DIVIDES]
        weight *= rates.birth[b, c] * rates.onward[c, d] * rates.birth[b, e] * rates.after[e, stage_hmm.ENDS]
        weight *= seen[0, a] * seen[1, b] * seen[2, c] * seen[3, d] * seen[4, e]
        for row, stage in enumerate((a, b, c, d, e)):
            expected[row, named[stage]] += weight
    np.testing.assert_allclose(found, expected / expected.sum(1, keepdims=True), atol=1e-12)


def test_no_cells_no_stages():
    stages, probability, _ = classify_stages(
        pd.DataFrame({"track_id": [], "t": [], "parent": []}), np.zeros((0, 5)), CLASSES, ORDER
    )
    assert stages.shape == (0,)
    assert probability.shape == (0, 5)


def test_an_order_that_cannot_be_is_refused():
    with pytest.raises(InputError, match="named twice"):
        StageOrder.of(["interphase", "metaphase"], ["metaphase"])
    with pytest.raises(InputError, match="two stages or more"):
        StageOrder.of(["interphase"])
    with pytest.raises(InputError, match="names 'telophase', but the classes are"):
        StageOrder.of(["interphase", "telophase"]).check(CLASSES)
    assert StageOrder.of(["interphase", "metaphase", "anaphase", "interphase"]).cycle == (
        "interphase",
        "metaphase",
        "anaphase",
    )
    assert ORDER.text == ("interphase → prometaphase → metaphase → anaphase → interphase; final: apoptosis")
