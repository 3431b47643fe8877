"""Stages of tracked cells, of any number of classes, from the probabilities along their lineages.

A hidden Markov model: the classes are the stages, which follow each other in a known order
(:class:`morpholaw.evaluation.stage_order.StageOrder`), and the classifier's probabilities are what is observed. Linked
daughters continue their mother's lineage. How often each stage is left, ends in a division or is lost, and what
daughters begin in, is learnt from the movie itself by expectation and maximisation, so that no time between frames and
no share of linked divisions is assumed.

A classifier's mistakes last: a cell that looks like another stage does so for many frames, and they are one mistake and
not one per frame. So each class but the first has a lookalike, a cell of the first stage that looks like it.

Of two classes, :mod:`morpholaw.evaluation.track_hmm` also knows the newborn and the lookalike.
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
"""Pseudo-counts of a step that stays, leads to another stage, and into a final one."""
_AFTER = (20.0, 0.5, 0.5)
"""Pseudo-counts of `CONTINUES`, `DIVIDES` and `ENDS`, for every stage."""
_LOOKS, _LOOKS_FIRST = 0.05, 0.2
"""Pseudo-counts of becoming a lookalike where the first stage may begin, and of being one when coming into sight."""
_LOOKS_ON = 50.0
"""Pseudo-counts of a lookalike that stays one, for each that becomes as the other cells of the first stage."""


@dataclass(frozen=True)
class StagePrior:
    """Pseudo-counts of `StageRates`, of the classes and then of the lookalikes; 0 where something is impossible."""

    start: np.ndarray
    step: np.ndarray
    after: np.ndarray
    birth: np.ndarray

    @classmethod
    def of(cls, order: StageOrder, classes: Sequence[str]) -> StagePrior:
        """Return the prior of an order of stages: its classes, then the lookalikes of all but the first stage.

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
        """Return the rates that fit the prior and expected counts, which have the same shapes.

        Parameters
        ----------
        counts : StageRates, optional
            Expected counts of starts and steps; none for the prior alone.
        """
        parts = (self.start, self.start, self.step, self.after, self.birth)
        if counts is not None:
            seen = (counts.first, counts.later, counts.step, counts.after, counts.birth)
            parts = tuple(prior + count for prior, count in zip(parts, seen, strict=True))
        return StageRates(*(part / part.sum(-1, keepdims=True).clip(1e-300) for part in parts))


def lookalikes(order: StageOrder, classes: Sequence[str]) -> list[int]:
    """Return the classes that have lookalikes: all but the first stage and the final ones.

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
    """Find the stage of every cell, given the classifier's probabilities along its whole lineage.

    Parameters
    ----------
    cells : DataFrame
        ``track_id``, ``t`` and ``parent`` (-1: none), one row per cell. A parent with one child is a gap that was
        bridged, not a division. Frames without a cell of the track are bridged.
    probabilities : ndarray, float64 (n, C)
        Of the classes if all were equally frequent; a row that is not finite is no evidence.
    classes : sequence of str
        Their names.
    order : StageOrder
        Which stage follows which.
    error : float
        How often the classifier errs, in [0, 1): no image is surer than that.

    Returns
    -------
    stages : ndarray, int64 (n,)
        The sequence of stages with the most frames expected to be right, among those that the order allows.
    probability : ndarray, float64 (n, C)
        P(stage | the whole lineage).
    rates : StageRates
        As they were learnt from these tracks.

    Raises
    ------
    InputError
        When the order names a stage that is none of the classes.
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
    """Return P(class), (frames, tracks, C), in which lookalikes count as the first stage."""
    classes = marginal[..., :count].copy()
    classes[..., first] += marginal[..., count:].sum(-1)
    return classes


def _decode(
    generations: list[Generation], marginals: list[np.ndarray], steps: np.ndarray, births: np.ndarray
) -> list[np.ndarray]:
    """Return the allowed stages (frames, tracks) with the largest sum of probabilities, by generation."""
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
