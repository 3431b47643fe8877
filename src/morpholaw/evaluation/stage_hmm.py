"""Hidden Markov model of the stages of tracked cells, for any number of classes.

The hidden states are the classes, which follow each other in a known order
(:class:`morpholaw.evaluation.stage_order.StageOrder`), and the classifier's probabilities are the observations. Linked
daughters continue the lineage of their mother. The rates at which stages are left, end in a division or are lost, and
the first stages of daughters, are learnt from the movie by expectation maximisation, so that neither the time between
frames nor the share of linked divisions has to be known.

Errors of a classifier persist: a cell that looks like another stage does so for many frames, which are not independent
errors. Each class except the first therefore has a lookalike, which is a state of cells that are in the first stage but
look like this class.

For two classes, see :mod:`morpholaw.evaluation.track_hmm`, which also models newborn cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from morpholaw.evaluation.lineage_frames import Generation, generations_of
from morpholaw.evaluation.lineage_hmm import (
    CONTINUES,
    DIVIDES,
    ENDS,
    MAX_ROUNDS,
    TOLERANCE,
    StageRates,
    expect_stages,
)
from morpholaw.evaluation.stage_order import StageOrder

_STAY, _LEAVE, _FINISH = 5.0, 0.5, 0.05
"""Pseudo-counts of steps that remain in a stage, lead to another stage, and lead to a final stage."""
_AFTER = (20.0, 0.5, 0.5)
"""Pseudo-counts of `CONTINUES`, `DIVIDES` and `ENDS`, for every stage."""
_LOOKS, _LOOKS_FIRST = 0.05, 0.2
"""Pseudo-counts of becoming a lookalike when the first stage may begin, and of being one when first seen."""
_LOOKS_ON = 50.0
"""Pseudo-counts of remaining a lookalike, for each return to the ordinary first stage."""


@dataclass(frozen=True)
class StagePrior:
    """Pseudo-counts of `StageRates` for the classes, followed by the lookalikes; 0 for impossible events."""

    start: np.ndarray
    step: np.ndarray
    after: np.ndarray
    birth: np.ndarray

    @classmethod
    def of(cls, order: StageOrder, classes: Sequence[str]) -> StagePrior:
        """Return the prior for an order of stages.

        Parameters
        ----------
        order : StageOrder
            The order of stages.
        classes : sequence of str
            All classes, in the order of their numbers.
        """
        first, looks = classes.index(order.cycle[0]), lookalikes(order, classes)
        final = np.array([name in order.final for name in classes])
        leave = np.where(final, _FINISH, _LEAVE)[None]
        steps, births = order.steps(classes), order.births(classes)
        step = np.where(steps, np.where(np.eye(len(classes), dtype=bool), _STAY, leave), 0.0)
        after = np.tile(_AFTER, (len(classes), 1))
        after[final, DIVIDES] = 0
        birth = np.where(births, leave, 0.0)
        count, size = len(classes), len(classes) + len(looks)
        start = np.concatenate([np.ones(count), np.full(len(looks), _LOOKS_FIRST)])
        whole = np.zeros((2, size, size))
        whole[:, :count, :count] = step, birth
        whole[0, :count, count:] = np.where(steps[:, first], _LOOKS, 0.0)[:, None]
        whole[1, :count, count:] = np.where(births[:, first], _LOOKS, 0.0)[:, None]
        for place in range(count, size):
            whole[:, place, place] = _LOOKS_ON
            whole[:, place, first] = 1.0
        alike = np.tile((_AFTER[CONTINUES], 0.0, _AFTER[ENDS]), (len(looks), 1))
        return cls(start, whole[0], np.concatenate([after, alike]), whole[1])

    def rates(self, counts: StageRates | None = None) -> StageRates:
        """Return the rates given the prior and expected counts, which have the same shapes.

        Parameters
        ----------
        counts : StageRates, optional
            Expected counts. Without them, the rates of the prior are returned.
        """
        parts = (self.start, self.start, self.step, self.after, self.birth)
        if counts is not None:
            expected = (counts.first, counts.later, counts.step, counts.after, counts.birth)
            parts = tuple(prior + count for prior, count in zip(parts, expected, strict=True))
        return StageRates(*(part / part.sum(-1, keepdims=True).clip(1e-300) for part in parts))


def lookalikes(order: StageOrder, classes: Sequence[str]) -> list[int]:
    """Return the classes that have lookalikes, which are all except the first stage and the final ones.

    Parameters
    ----------
    order : StageOrder
        The order of stages.
    classes : sequence of str
        All classes, in the order of their numbers.
    """
    return [k for k, name in enumerate(classes) if name != order.cycle[0] and name not in order.final]


def classify_stages(
    cells: pd.DataFrame,
    probabilities: np.ndarray,
    classes: Sequence[str],
    order: StageOrder,
    error: float = 0.05,
) -> tuple[np.ndarray, np.ndarray, StageRates]:
    """Estimate the stage of every cell from the classifier's probabilities along its whole lineage.

    Parameters
    ----------
    cells : DataFrame
        One row per cell and frame, with the columns ``track_id``, ``t`` and ``parent`` (-1 for none). A parent with one
        child is a bridged gap and not a division. Missing frames of a track are bridged.
    probabilities : ndarray, float64 (n, C)
        Probabilities for equally frequent classes. Rows that are not finite are ignored.
    classes : sequence of str
        Names of the classes.
    order : StageOrder
        The order of stages.
    error : float
        Error rate of the classifier, in [0, 1), which limits the evidence of a single image.

    Returns
    -------
    stages : ndarray, int64 (n,)
        Among the sequences of stages that the order allows, the one with the largest expected number of correct frames.
    probability : ndarray, float64 (n, C)
        P(stage | the whole lineage).
    rates : StageRates
        Rates learnt from these tracks.

    Raises
    ------
    InputError
        If the order contains a stage that is not a class.
    """
    count, classes = len(classes), tuple(classes)
    prior = StagePrior.of(order, classes)
    rates = prior.rates()
    if not len(cells):
        return np.zeros(0, np.int64), np.zeros((0, count)), rates
    known = np.isfinite(probabilities).all(axis=1, keepdims=True)
    likelihood = np.where(known, (1 - error) * np.nan_to_num(probabilities) + error / count, 1.0)
    looks, first = lookalikes(order, classes), classes.index(order.cycle[0])
    likelihood = np.concatenate([likelihood, likelihood[:, looks]], axis=1)
    generations = [one.with_rows(likelihood) for one in generations_of(cells)]
    for _ in range(MAX_ROUNDS):
        marginals, counts = expect_stages(generations, rates)
        previous, rates = rates, prior.rates(counts)
        if np.allclose(previous.step, rates.step, atol=TOLERANCE):
            break
    marginals = [_of_classes(marginal, count, first) for marginal in marginals]
    decoded = _decode(generations, marginals, order.steps(classes), order.births(classes))
    stages, probability = np.zeros(len(cells), np.int64), np.zeros((len(cells), count))
    for one, marginal, path in zip(generations, marginals, decoded, strict=True):
        probability[one.row], stages[one.row] = marginal[one.frame, one.track], path[one.frame, one.track]
    return stages, probability, rates


def _of_classes(marginal: np.ndarray, count: int, first: int) -> np.ndarray:
    """Return P(class), (frames, tracks, C), where lookalikes count as the first stage."""
    classes = marginal[..., :count].copy()
    classes[..., first] += marginal[..., count:].sum(-1)
    return classes


def _decode(
    generations: list[Generation], marginals: list[np.ndarray], steps: np.ndarray, births: np.ndarray
) -> list[np.ndarray]:
    """Return the allowed sequences of stages (frames, tracks) with the largest sum of probabilities, by generation."""
    step, birth = np.where(steps, 0.0, -np.inf), np.where(births, 0.0, -np.inf)
    best: list[np.ndarray] = [np.zeros(0)] * len(generations)
    messages = np.zeros((0, len(steps)))
    for place in reversed(range(len(generations))):
        one, marginal = generations[place], marginals[place]
        value = np.zeros(marginal.shape[1:])
        end = value.copy()
        np.add.at(end, one.mothers_of_next, messages)
        best[place] = np.zeros_like(marginal)
        for k in reversed(range(len(marginal))):
            value = np.where((one.last == k)[:, None], end, value)
            best[place][k] = marginal[k] + value
            value = (step[None] + best[place][k][:, None, :]).max(-1)
        messages = (birth[None] + best[place][0][:, None, :]).max(-1)
    decoded: list[np.ndarray] = []
    above = np.zeros(0, np.int64)
    for place, one in enumerate(generations):
        path = np.zeros(best[place].shape[:2], np.int64)
        before = birth[above[one.mother]] if place else 0.0
        path[0] = (best[place][0] + before).argmax(-1)
        for k in range(1, len(path)):
            path[k] = (best[place][k] + step[path[k - 1]]).argmax(-1)
        decoded.append(path)
        above = path[one.last, np.arange(len(one.last))]
    return decoded
