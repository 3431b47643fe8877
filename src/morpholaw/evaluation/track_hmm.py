"""Classes of cells with their whole track in view: what no single picture says, the order of the cell cycle does.

A classifier of two classes has to call every picture one of them, newborn daughters too, which are as small, bright
and dense as a metaphase. But a cell is born from a division, spends hours in interphase, and leaves metaphase by
dividing. A hidden Markov model says so (Held et al. 2010, Nature Methods 7, 747, smooth classes of time-lapse movies
alike): its stages are hidden, the classifier's scores are what is seen, each worth what the held-out cells show; how
often stages change is learnt from the movie itself, whatever its time between frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import ndimage

from morpholaw.cells.tracks import divisions
from morpholaw.evaluation.calibration import Calibration
from morpholaw.models.classes import predicted_classes

REACH = 2
"""Frames on either side of a positive call that can be positive too. Further away no picture shows it: a division alone
would else make a metaphase of any mother's last frames, also where the movie passes it over."""
ROUNDS = 50
TOLERANCE = 1e-4


@dataclass(frozen=True)
class CellCycle:
    """How often the stages follow each other, a frame: newborn, negative, positive, lookalike.

    Newborn is a daughter whose pictures are no evidence yet; negative and positive are the classifier's two classes. A
    lookalike is a negative cell that looks positive from its first picture on and for good, such as a faint one whose
    noise reads as grain: its wrong calls are one mistake and not one a frame. One that divides was none.

    Attributes
    ----------
    begin : float
        P(positive) of a cell that comes into sight grown up.
    grow : float
        P(negative | newborn).
    enter : float
        P(positive | negative), e.g. of metaphase after interphase.
    leave : float
        P(negative | positive) without a division in between.
    divide : float
        P(division | positive).
    slip : float
        P(division | negative or newborn): the positive stage passed between two frames.
    """

    begin: float = 0.02
    grow: float = 0.4
    enter: float = 0.02
    leave: float = 0.05
    divide: float = 0.4
    slip: float = 0.005

    @property
    def first(self) -> np.ndarray:
        """P(stage), float64 (4,), of a cell whose birth was not seen."""
        return np.array([_YOUNG, 1 - _YOUNG - self.begin - _LOOKALIKE, self.begin, _LOOKALIKE])

    @property
    def transitions(self) -> np.ndarray:
        """P(next stage | stage), float64 (4, 4), of a cell that does not divide."""
        return np.array(
            [
                [1 - self.grow, self.grow * (1 - _LOOKALIKE), 0.0, self.grow * _LOOKALIKE],
                [0.0, 1 - self.enter, self.enter, 0.0],
                [0.0, self.leave, 1 - self.leave, 0.0],
                [0.0, _RECOVER, 0.0, 1 - _RECOVER],
            ]
        )

    @property
    def undivided(self) -> np.ndarray:
        """P(no division | stage), float64 (4,); a lookalike does not divide."""
        return 1 - np.array([self.slip, self.slip, self.divide, 0.0])


_YOUNG = 0.05
"""P(newborn) of a cell whose birth was not seen."""
_LOOKALIKE = 0.01
"""P(lookalike) of a cell when it comes into sight, or grows up."""
_RECOVER = 0.02
"""P(negative | lookalike), a frame."""
_BELIEVED = {
    "begin": (1.0, 50.0),
    "grow": (2.0, 3.0),
    "enter": (1.0, 50.0),
    "leave": (1.0, 50.0),
    "divide": (2.0, 3.0),
    "slip": (0.5, 100.0),
}
"""What is believed before a movie is seen: times that it happened, and times in all (Beta priors)."""


class Lineup(NamedTuple):
    """Tracks side by side, each from its first frame on.

    Attributes
    ----------
    odds : ndarray, float64 (frames, tracks)
        P(picture | positive) / P(picture | negative); 1 of a frame without a picture.
    near : ndarray, bool (frames, tracks)
        Whether a positive call is within `REACH` frames.
    length : ndarray, int64 (tracks,)
        Frames from the first to the last.
    born, divided : ndarray, bool (tracks,)
        Whether the track begins, and ends, with a division.
    """

    odds: np.ndarray
    near: np.ndarray
    length: np.ndarray
    born: np.ndarray
    divided: np.ndarray


def call_tracks(
    cells: pd.DataFrame, scores: np.ndarray, calibration: Calibration
) -> tuple[np.ndarray, CellCycle]:
    """Probability of the positive class of every cell, given the scores along its whole track.

    The mitotic class, which ends in division, is the positive one, unless mothers are called it less often just
    before they divide than all cells are.

    Parameters
    ----------
    cells : DataFrame
        ``track_id``, ``t`` and ``parent`` (-1: none), one row a cell.
    scores : ndarray, (n,)
        The classifier's score of every row; its sign is the call (eq. 2). One that is not a finite number says nothing.
    calibration : Calibration
        What such scores are worth.

    Returns
    -------
    probability : ndarray, float64 (n,)
    cycle : CellCycle
        As it was learnt from these tracks.
    """
    if not len(cells):
        return np.zeros(0), CellCycle()
    calls, odds = predicted_classes(scores), calibration.odds(scores)
    divided = divisions(cells)
    turned = _ends_as_negative(cells, calls, divided)
    if turned:
        calls, odds = np.where(calls < 0, calls, 1 - calls), 1 / odds
    track, first = np.unique(cells["track_id"].to_numpy(), return_inverse=True)
    _, t = np.unique(cells["t"].to_numpy(), return_inverse=True)  # frames without any cell are not there
    start = np.full(len(track), np.iinfo(np.int64).max)
    np.minimum.at(start, first, t)
    frame = t - start[first]
    lineup = _line_up(calls == 1, odds, track, first, frame, divided)
    cycle = CellCycle()
    for _ in range(ROUNDS):
        stages, counts = _expect(lineup, cycle)
        before, cycle = cycle, _learn(counts)
        if np.allclose(before.transitions, cycle.transitions, atol=TOLERANCE):
            break
    mitotic = stages[frame, first, 2]
    return 1 - mitotic if turned else mitotic, cycle


def _ends_as_negative(cells: pd.DataFrame, calls: np.ndarray, divided: pd.DataFrame) -> bool:
    """Whether the negative class is the one that mothers are in just before they divide."""
    last = cells["t"].to_numpy() == cells.groupby("track_id")["t"].transform("max").to_numpy()
    mothers = np.isin(cells["track_id"].to_numpy(), divided["parent"].to_numpy())
    before, seen = last & mothers & (calls >= 0), calls >= 0
    return bool(before.any() and calls[before].mean() < calls[seen].mean())


def _line_up(
    positive: np.ndarray,
    odds: np.ndarray,
    track: np.ndarray,
    first: np.ndarray,
    frame: np.ndarray,
    divided: pd.DataFrame,
) -> Lineup:
    length = np.zeros(len(track), np.int64)
    np.maximum.at(length, first, frame + 1)
    lined = np.ones((int(length.max()), len(track)))
    called = np.zeros(lined.shape, bool)
    lined[frame, first], called[frame, first] = odds, positive
    near = ndimage.binary_dilation(called, np.ones((2 * REACH + 1, 1)))
    daughters = [d for family in divided["daughters"] for d in family]
    born, ends = np.isin(track, daughters), np.isin(track, divided["parent"].to_numpy())
    return Lineup(lined, near, length, born, ends)


def _expect(lineup: Lineup, cycle: CellCycle) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Stages' probabilities (frames, tracks, 4) by the forward-backward algorithm, and what was counted on the way."""
    frames, tracks = lineup.odds.shape
    odds = lineup.odds
    seen = np.stack(
        [(1 + odds) / 2, np.ones_like(odds), odds, odds], axis=-1
    )  # a newborn looks like either class
    seen[~lineup.near, 2] = 0
    step, undivided = cycle.transitions, cycle.undivided
    last = lineup.length - 1
    ahead = np.zeros((frames, tracks, 4))
    ahead[0] = np.where(lineup.born[:, None], np.array([1.0, 0.0, 0.0, 0.0]), cycle.first) * seen[0]
    ahead[0] /= ahead[0].sum(-1, keepdims=True)
    for k in range(1, frames):
        ahead[k] = ((ahead[k - 1] * undivided) @ step) * seen[k]
        ahead[k] /= ahead[k].sum(-1, keepdims=True)
    end = np.where(lineup.divided[:, None], 1 - undivided, 1.0)
    behind, both = np.ones((tracks, 4)), np.zeros((4, 4))
    stages = np.zeros((frames, tracks, 4))
    for k in range(frames - 1, -1, -1):
        behind = np.where((last == k)[:, None], end, behind)
        stages[k] = ahead[k] * behind
        stages[k] /= stages[k].sum(-1, keepdims=True).clip(1e-300)
        stages[k, last < k] = 0
        if k:
            pair = (ahead[k - 1] * undivided)[:, :, None] * step * (seen[k] * behind)[:, None, :]
            pair /= pair.sum((1, 2), keepdims=True).clip(1e-300)
            both += pair[last >= k].sum(0)
            behind = undivided * ((seen[k] * behind) @ step.T)
            behind /= behind.sum(-1, keepdims=True).clip(1e-300)
    ends = stages[last, np.arange(tracks)][lineup.divided].sum(0)
    return stages, {"first": stages[0, ~lineup.born].sum(0), "both": both, "divided": ends}


def _learn(counts: dict[str, np.ndarray]) -> CellCycle:
    """The cycle that fits the expected counts and what was believed before."""
    first, both, divided = counts["first"], counts["both"], counts["divided"]
    stayed = both.sum(1)
    seen = {
        "begin": (first[2], first.sum()),
        "grow": (both[0, 1] + both[0, 3], stayed[0]),
        "enter": (both[1, 2], stayed[1]),
        "leave": (both[2, 1], stayed[2]),
        "divide": (divided[2], divided[2] + stayed[2]),
        "slip": (divided[1], divided[1] + stayed[1]),
    }
    return CellCycle(
        **{
            name: float((happened + _BELIEVED[name][0]) / (times + _BELIEVED[name][1]))
            for name, (happened, times) in seen.items()
        }
    )
