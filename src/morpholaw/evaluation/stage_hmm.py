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
from morpholaw.evaluation.stage_order import StageOrder

MAX_ROUNDS = 50
TOLERANCE = 1e-4
CONTINUES, DIVIDES, ENDS = range(3)
"""What a track does after a frame: it goes on, ends in a linked division, or ends without a link."""

_STAY, _LEAVE, _FINISH = 5.0, 0.5, 0.05
"""Pseudo-counts of a step that stays, leads to another stage, and into a final one."""
_AFTER = (20.0, 0.5, 0.5)
"""Pseudo-counts of `CONTINUES`, `DIVIDES` and `ENDS`, for every stage."""
_LOOKS, _LOOKS_FIRST = 0.05, 0.2
"""Pseudo-counts of becoming a lookalike where the first stage may begin, and of being one when coming into sight."""
_LOOKS_ON = 50.0
"""Pseudo-counts of a lookalike that stays one, for each that becomes as the other cells of the first stage."""


@dataclass(frozen=True)
class StageRates:
    """Probabilities of what a cell does, by its stage: the C classes, then the lookalikes.

    Attributes
    ----------
    first, later : ndarray, float64 (S,)
        Stage of a cell without a linked mother, in the movie's first frame and where it comes into sight later.
    step : ndarray, float64 (S, S)
        Next stage, given the stage, of a track that goes on.
    after : ndarray, float64 (S, 3)
        Whether a track goes on, ends in a linked division, or ends without one, given the stage.
    birth : ndarray, float64 (S, S)
        First stage of a linked daughter, given the last stage of her mother.
    """

    first: np.ndarray
    later: np.ndarray
    step: np.ndarray
    after: np.ndarray
    birth: np.ndarray

    @property
    def onward(self) -> np.ndarray:
        """P(the track goes on, next stage | stage), float64 (S, S)."""
        onward: np.ndarray = self.after[:, CONTINUES, None] * self.step
        return onward


@dataclass(frozen=True)
class StagePrior:
    """Pseudo-counts of `StageRates`; 0 where something is impossible."""

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
        marginals, counts = _expect(generations, rates)
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


def _expect(generations: list[Generation], rates: StageRates) -> tuple[list[np.ndarray], StageRates]:
    """Return the stages' probabilities (frames, tracks, C) by generation, and expected counts.

    Messages go up from daughters to mothers and down again, within tracks by the forward-backward algorithm.
    """
    size = len(rates.first)
    ups: list[np.ndarray] = [np.zeros(0)] * len(generations)
    messages = np.ones((0, size))
    for place in reversed(range(len(generations))):
        one = generations[place]
        ups[place] = _backward(one, _end_factors(one, rates, messages), rates.onward)
        messages = _scaled((one.likelihood[0] * ups[place][0]) @ rates.birth.T)
    first, later = np.zeros(size), np.zeros(size)
    step, after, birth = np.zeros((size, size)), np.zeros((size, 3)), np.zeros((size, size))
    marginals: list[np.ndarray] = []
    above: np.ndarray = np.zeros((0, size))
    for place, one in enumerate(generations):
        starts = np.where(one.first[:, None], rates.first, rates.later)
        if place:
            own = _scaled((one.likelihood[0] * ups[place][0]) @ rates.birth.T)
            outside = above[one.mother] * one.product_of_sisters(own)
            starts = outside @ rates.birth
            joint = outside[:, :, None] * rates.birth * (one.likelihood[0] * ups[place][0])[:, None, :]
            birth += (joint / joint.sum((1, 2), keepdims=True).clip(1e-300)).sum(0)
        forward = _forward(one, starts, rates.onward)
        marginal = _scaled(forward * ups[place])
        alive = np.arange(len(marginal))[:, None] <= one.last[None]
        marginal[~alive] = 0
        marginals.append(marginal)
        tracks = np.arange(len(one.last))
        if not place:
            first += marginal[0, one.first].sum(0)
            later += marginal[0, ~one.first].sum(0)
        for k in range(1, len(marginal)):
            pair = forward[k - 1][:, :, None] * rates.onward * (one.likelihood[k] * ups[place][k])[:, None, :]
            pair /= pair.sum((1, 2), keepdims=True).clip(1e-300)
            step += pair[alive[k]].sum(0)
        ends = marginal[one.last, tracks]
        after[:, DIVIDES] += ends[one.divided].sum(0)
        after[:, ENDS] += ends[~one.divided & ~one.cut_off].sum(0)
        above = forward[one.last, tracks] * rates.after[:, DIVIDES]
    after[:, CONTINUES] = step.sum(1)
    return marginals, StageRates(first, later, step, after, birth)


def _end_factors(one: Generation, rates: StageRates, messages: np.ndarray) -> np.ndarray:
    """Return what the end of each track says about its last stage, (tracks, C); ``messages`` are from daughters."""
    end = np.where(one.cut_off[:, None], 1.0, rates.after[:, ENDS])
    end[one.divided] = rates.after[:, DIVIDES]
    np.multiply.at(end, one.mothers_of_next, messages)
    return _scaled(end)


def _forward(one: Generation, starts: np.ndarray, onward: np.ndarray) -> np.ndarray:
    forward = np.zeros_like(one.likelihood)
    forward[0] = _scaled(starts * one.likelihood[0])
    for k in range(1, len(forward)):
        forward[k] = _scaled((forward[k - 1] @ onward) * one.likelihood[k])
    return forward


def _backward(one: Generation, end: np.ndarray, onward: np.ndarray) -> np.ndarray:
    backward = np.ones_like(one.likelihood)
    value = np.ones(one.likelihood.shape[1:])
    for k in reversed(range(len(backward))):
        value = np.where((one.last == k)[:, None], end, value)
        backward[k] = value
        value = _scaled((one.likelihood[k] * value) @ onward.T)
    return backward


def _scaled(values: np.ndarray) -> np.ndarray:
    scaled: np.ndarray = values / values.sum(-1, keepdims=True).clip(1e-300)
    return scaled


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
