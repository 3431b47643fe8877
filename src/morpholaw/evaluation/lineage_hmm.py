"""Inference in hidden Markov models along lineages: the stages of tracked cells, given the class scores of each image.

The stage of a cell in a frame depends on its stage in the previous frame. A track ends in a linked division or without
a link; the first stage of a linked daughter depends on the last stage of the mother. The models
(:mod:`morpholaw.evaluation.track_hmm`, :mod:`morpholaw.evaluation.stage_hmm`) differ in their transition probabilities
and share this inference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from morpholaw.evaluation.lineage_frames import Generation

MAX_ROUNDS = 50
"""Maximum number of iterations of expectation maximisation."""
TOLERANCE = 1e-4
"""Change of the transition probabilities at which the iteration stops."""
CONTINUES, DIVIDES, ENDS = range(3)
"""What happens to a track after a frame: it continues, ends in a linked division, or ends without a link."""


@dataclass(frozen=True)
class StageRates:
    """Parameters of the hidden Markov model, or the corresponding expected counts.

    Attributes
    ----------
    first, later : ndarray, float64 (S,)
        Stage of a cell without a linked mother, if it is present in the first frame and if it appears later.
    step : ndarray, float64 (S, S)
        Next stage of a track that continues, given its stage.
    after : ndarray, float64 (S, 3)
        Whether a track continues, ends in a linked division, or ends without one, given its stage.
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
        """P(the track continues, next stage | stage), float64 (S, S)."""
        onward: np.ndarray = self.after[:, CONTINUES, None] * self.step
        return onward


def expect_stages(
    generations: Sequence[Generation], rates: StageRates
) -> tuple[list[np.ndarray], StageRates]:
    """Compute the marginal probabilities of the stages and the expected counts, given all images of the lineages.

    Messages are passed from daughters to mothers and back, within tracks by the forward-backward algorithm.

    Parameters
    ----------
    generations : sequence of Generation
        The tracks, mothers before daughters, with the likelihood of each stage in each image.
    rates : StageRates
        Parameters of the model.

    Returns
    -------
    marginals : list of ndarray, float64 (frames, tracks, S)
        Probabilities of the stages, by generation; 0 after the end of a track.
    counts : StageRates
        Expected counts.
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
            first_stage = _scaled((one.likelihood[0] * ups[place][0]) @ rates.birth.T)
            outside = above[one.mother] * one.product_of_sisters(first_stage)
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
    """Return the likelihood of each track's end given its last stage, (tracks, C); ``messages`` are from daughters."""
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
