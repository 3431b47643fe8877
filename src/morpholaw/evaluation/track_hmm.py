"""Classes of tracked cells from the scores along their whole tracks: a hidden Markov model of the cell cycle.

A classifier of two classes assigns every image to one of them, newborn daughters too, which are as small, bright and
dense as a metaphase. But a cell is born in a division, spends hours in interphase, and leaves metaphase by dividing.
The model says so (compare Held et al. 2010, Nature Methods 7, 747): its stages are hidden, the classifier's scores
are observed, and how often stages change is learnt from the movie itself, whatever its time between frames.

A division in the tracks is evidence. Its absence is almost none, because trackers miss divisions: the mother's track
then ends without a link, or continues in one of the daughters.
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
"""Frames on either side of an image classified as positive that can be positive too. Further away no image shows it: a
division alone would otherwise turn any mother's last frames into metaphase, even if the movie misses the metaphase."""
LINK_RECALL = 0.8
"""Share of divisions that a tracker links, before a movie is seen."""
MAX_ROUNDS = 50
TOLERANCE = 1e-4

NEWBORN, NEGATIVE, POSITIVE, LOOKALIKE = range(4)
"""The stages. A newborn's images are no evidence yet; negative and positive are the classifier's classes. A lookalike
is a negative cell that looks positive from its first image on, such as a faint one whose noise reads as grain: its
wrong predictions are one mistake and not one per frame. A cell that divides is not a lookalike."""

_NEWBORN_AT_START = 0.05
"""P(newborn) of a cell in the movie's first frame."""
_LOOKALIKE = 0.01
"""P(lookalike) of a cell when it comes into sight, or matures."""
_RECOVER = 0.02
"""P(negative | lookalike), per frame."""
_CONTINUES = 0.1
"""Share of the divisions without a link in which the mother's track continues in a daughter; else it ends."""
_PRIORS = {
    "begin_positive": (1.0, 50.0),
    "mature": (2.0, 3.0),
    "enter": (1.0, 50.0),
    "leave": (1.0, 50.0),
    "divide": (2.0, 3.0),
    "skip": (0.5, 100.0),
    "lose": (0.5, 50.0),
    "unlinked_birth": (1.0, 5.0),
}
"""Beta priors of what is learnt: how often it happened, and opportunities in all."""
_LINKS = 10.0
"""Divisions that the prior of the link recall is worth."""


@dataclass(frozen=True)
class CellCycle:
    """Probabilities, per frame, of the stages and of what a tracker makes of them.

    Attributes
    ----------
    begin_positive : float
        P(positive) of a cell that comes into sight.
    mature : float
        P(negative | newborn).
    enter : float
        P(positive | negative), e.g. of metaphase after interphase.
    leave : float
        P(negative | positive) without a division.
    divide : float
        P(division | positive).
    skip : float
        P(division | negative or newborn): the positive stage passes between two frames.
    lose : float
        P(the track ends | no division).
    unlinked_birth : float
        P(newborn) of a track that begins without a parent after the movie's first frame.
    link_recall : float
        P(the tracks link a mother to her daughters | division).
    """

    begin_positive: float = 0.02
    mature: float = 0.4
    enter: float = 0.02
    leave: float = 0.05
    divide: float = 0.4
    skip: float = 0.005
    lose: float = 0.01
    unlinked_birth: float = 0.2
    link_recall: float = LINK_RECALL

    @property
    def division(self) -> np.ndarray:
        """P(division | stage), float64 (4,)."""
        return np.array([self.skip, self.skip, self.divide, 0.0])

    @property
    def transitions(self) -> np.ndarray:
        """P(next stage | stage), float64 (4, 4), of a cell that does not divide."""
        return np.array(
            [
                [1 - self.mature, self.mature * (1 - _LOOKALIKE), 0.0, self.mature * _LOOKALIKE],
                [0.0, 1 - self.enter, self.enter, 0.0],
                [0.0, self.leave, 1 - self.leave, 0.0],
                [0.0, _RECOVER, 0.0, 1 - _RECOVER],
            ]
        )

    @property
    def unseen_division(self) -> np.ndarray:
        """P(division, and the track continues in a daughter | stage), float64 (4,)."""
        return np.asarray(self.division * (1 - self.link_recall) * _CONTINUES)

    @property
    def step(self) -> np.ndarray:
        """P(the track continues, next stage | stage), float64 (4, 4)."""
        step: np.ndarray = ((1 - self.division) * (1 - self.lose))[:, None] * self.transitions
        step[:, NEWBORN] += self.unseen_division
        return step

    @property
    def linked_end(self) -> np.ndarray:
        """P(the track ends in a linked division | stage), float64 (4,)."""
        return self.division * self.link_recall

    @property
    def unlinked_division(self) -> np.ndarray:
        """P(division, and the track ends without a link | stage), float64 (4,)."""
        return self.division * (1 - self.link_recall) * (1 - _CONTINUES)

    @property
    def unlinked_end(self) -> np.ndarray:
        """P(the track ends without a link | stage), float64 (4,)."""
        return self.unlinked_division + (1 - self.division) * self.lose

    def start(self, newborn: float) -> np.ndarray:
        """Return P(stage), float64 (4,), of a cell whose birth is not linked, given P(newborn).

        Parameters
        ----------
        newborn : float
            Probability that the cell was born in its first frame.
        """
        negative = 1 - self.begin_positive - _LOOKALIKE
        grown = np.array([0.0, negative, self.begin_positive, _LOOKALIKE])
        return np.array([newborn, 0.0, 0.0, 0.0]) + (1 - newborn) * grown


class AlignedTracks(NamedTuple):
    """Tracks side by side, each from its first frame on.

    Attributes
    ----------
    ratio : ndarray, float64 (frames, tracks)
        Likelihood ratio P(image | positive) / P(image | negative); 1 for a frame without an image.
    near : ndarray, bool (frames, tracks)
        Whether an image within `REACH` frames is classified as positive.
    length : ndarray, int64 (tracks,)
        Frames from the first to the last.
    born, divided : ndarray, bool (tracks,)
        Whether the track begins, and ends, with a linked division.
    first, last : ndarray, bool (tracks,)
        Whether it begins in the movie's first frame, and ends in the last one.
    """

    ratio: np.ndarray
    near: np.ndarray
    length: np.ndarray
    born: np.ndarray
    divided: np.ndarray
    first: np.ndarray
    last: np.ndarray


class ExpectedCounts(NamedTuple):
    """What happened in the tracks, expected given the scores.

    Attributes
    ----------
    first_start, later_start : ndarray, float64 (4,)
        Stages of cells without a linked birth, in the movie's first frame and later.
    step : ndarray, float64 (4, 4)
        Steps from stage to stage within a track.
    linked_end, unlinked_end : ndarray, float64 (4,)
        Stages in which tracks end with and without a linked division, before the movie's last frame.
    """

    first_start: np.ndarray
    later_start: np.ndarray
    step: np.ndarray
    linked_end: np.ndarray
    unlinked_end: np.ndarray


def classify_tracks(
    cells: pd.DataFrame,
    scores: np.ndarray,
    calibration: Calibration,
    link_recall: float = LINK_RECALL,
) -> tuple[np.ndarray, CellCycle]:
    """Compute the probability of the positive class of every cell, given the scores along its whole track.

    The mitotic class, which ends in division, is the positive one, unless mothers are classified as positive less
    often just before they divide than cells are at any time.

    Parameters
    ----------
    cells : DataFrame
        ``track_id``, ``t`` and ``parent`` (-1: none), one row per cell.
    scores : ndarray, (n,)
        The classifier's score of every row; its sign is the predicted class (eq. 2). A score that is not finite is no
        evidence.
    calibration : Calibration
        Turns scores into likelihood ratios.
    link_recall : float
        Share of divisions that the tracks are expected to link, in (0, 1); how many they do is learnt from the movie.

    Returns
    -------
    probability : ndarray, float64 (n,)
        P(positive) of every row.
    cycle : CellCycle
        As it was learnt from these tracks.
    """
    if not len(cells):
        return np.zeros(0), CellCycle(link_recall=link_recall)
    classes, ratio = predicted_classes(scores), calibration.likelihood_ratio(scores)
    divided = divisions(cells)
    swapped = _negative_divides(cells, classes, divided)
    if swapped:
        classes, ratio = np.where(classes < 0, classes, 1 - classes), 1 / ratio
    track_ids, track = np.unique(cells["track_id"].to_numpy(), return_inverse=True)
    _, t = np.unique(cells["t"].to_numpy(), return_inverse=True)  # frames without any cell do not count
    start = np.full(len(track_ids), np.iinfo(np.int64).max)
    np.minimum.at(start, track, t)
    frame = t - start[track]
    aligned = _align(classes == 1, ratio, track, frame, start, track_ids, divided)
    cycle = CellCycle(link_recall=link_recall)
    for _ in range(MAX_ROUNDS):
        stages, counts = _expect(aligned, cycle)
        previous, cycle = cycle, _learn(counts, cycle, link_recall)
        if np.allclose(previous.step, cycle.step, atol=TOLERANCE):
            break
    mitotic = stages[frame, track, POSITIVE]
    return 1 - mitotic if swapped else mitotic, cycle


def _negative_divides(cells: pd.DataFrame, classes: np.ndarray, divided: pd.DataFrame) -> bool:
    """Return whether the negative class is the one that mothers are in just before they divide."""
    last = cells["t"].to_numpy() == cells.groupby("track_id")["t"].transform("max").to_numpy()
    mothers = np.isin(cells["track_id"].to_numpy(), divided["parent"].to_numpy())
    known = classes >= 0
    before = last & mothers & known
    return bool(before.any() and classes[before].mean() < classes[known].mean())


def _align(
    positive: np.ndarray,
    ratio: np.ndarray,
    track: np.ndarray,
    frame: np.ndarray,
    start: np.ndarray,
    track_ids: np.ndarray,
    divided: pd.DataFrame,
) -> AlignedTracks:
    length = np.zeros(len(track_ids), np.int64)
    np.maximum.at(length, track, frame + 1)
    ratios = np.ones((int(length.max()), len(track_ids)))
    classified = np.zeros(ratios.shape, bool)
    ratios[frame, track], classified[frame, track] = ratio, positive
    near = ndimage.binary_dilation(classified, np.ones((2 * REACH + 1, 1)))
    daughters = [daughter for family in divided["daughters"] for daughter in family]
    born, ends = np.isin(track_ids, daughters), np.isin(track_ids, divided["parent"].to_numpy())
    end = start + length
    return AlignedTracks(ratios, near, length, born, ends, start == 0, end == end.max())


def _expect(tracks: AlignedTracks, cycle: CellCycle) -> tuple[np.ndarray, ExpectedCounts]:
    """Compute the stages' probabilities (frames, tracks, 4) by the forward-backward algorithm, and expected counts."""
    frames, count = tracks.ratio.shape
    ratio, step, final = tracks.ratio, cycle.step, tracks.length - 1
    # A newborn looks like either class.
    likelihood = np.stack([(1 + ratio) / 2, np.ones_like(ratio), ratio, ratio], axis=-1)
    likelihood[~tracks.near, POSITIVE] = 0
    forward = np.zeros((frames, count, 4))
    forward[0] = _starts(tracks, cycle) * likelihood[0]
    forward[0] /= forward[0].sum(-1, keepdims=True)
    for k in range(1, frames):
        forward[k] = (forward[k - 1] @ step) * likelihood[k]
        forward[k] /= forward[k].sum(-1, keepdims=True)
    unlinked = ~tracks.divided & ~tracks.last
    end = np.ones((count, 4))
    end[tracks.divided], end[unlinked] = cycle.linked_end, cycle.unlinked_end
    backward, steps = np.ones((count, 4)), np.zeros((4, 4))
    stages = np.zeros((frames, count, 4))
    for k in range(frames - 1, -1, -1):
        backward = np.where((final == k)[:, None], end, backward)
        stages[k] = forward[k] * backward
        stages[k] /= stages[k].sum(-1, keepdims=True).clip(1e-300)
        stages[k, final < k] = 0
        if k:
            pair = forward[k - 1][:, :, None] * step * (likelihood[k] * backward)[:, None, :]
            pair /= pair.sum((1, 2), keepdims=True).clip(1e-300)
            steps += pair[final >= k].sum(0)
            backward = (likelihood[k] * backward) @ step.T
            backward /= backward.sum(-1, keepdims=True).clip(1e-300)
    ends = stages[final, np.arange(count)]
    unborn = ~tracks.born
    counts = ExpectedCounts(
        stages[0, unborn & tracks.first].sum(0),
        stages[0, unborn & ~tracks.first].sum(0),
        steps,
        ends[tracks.divided].sum(0),
        ends[unlinked].sum(0),
    )
    return stages, counts


def _starts(tracks: AlignedTracks, cycle: CellCycle) -> np.ndarray:
    """Return P(stage) of every track in its first frame, float64 (tracks, 4)."""
    starts = np.tile(cycle.start(cycle.unlinked_birth), (len(tracks.length), 1))
    starts[tracks.first] = cycle.start(_NEWBORN_AT_START)
    starts[tracks.born] = np.eye(4)[NEWBORN]
    return starts


def _learn(counts: ExpectedCounts, cycle: CellCycle, link_recall: float) -> CellCycle:
    """Return the cycle that fits the expected counts and the priors; ``cycle`` is the one they were expected with."""
    unseen = counts.step[:, NEWBORN] * _share(cycle.unseen_division, cycle.step[:, NEWBORN])
    unlinked = counts.unlinked_end * _share(cycle.unlinked_division, cycle.unlinked_end)
    step = counts.step.copy()
    step[:, NEWBORN] -= unseen
    stayed = step.sum(1)
    lost = counts.unlinked_end - unlinked
    divided = counts.linked_end + unlinked + unseen
    undivided = stayed + lost
    grown = (counts.first_start + counts.later_start)[NEGATIVE:].sum()
    early = [NEWBORN, NEGATIVE]
    events = {
        "begin_positive": ((counts.first_start + counts.later_start)[POSITIVE], grown),
        "mature": (step[NEWBORN, NEGATIVE] + step[NEWBORN, LOOKALIKE], stayed[NEWBORN]),
        "enter": (step[NEGATIVE, POSITIVE], stayed[NEGATIVE]),
        "leave": (step[POSITIVE, NEGATIVE], stayed[POSITIVE]),
        "divide": (divided[POSITIVE], divided[POSITIVE] + undivided[POSITIVE]),
        "skip": (divided[early].sum(), divided[early].sum() + undivided[early].sum()),
        "lose": (lost.sum(), undivided.sum()),
        "unlinked_birth": (counts.later_start[NEWBORN], counts.later_start.sum()),
    }
    learnt = {
        name: float((happened + _PRIORS[name][0]) / (opportunities + _PRIORS[name][1]))
        for name, (happened, opportunities) in events.items()
    }
    linked = float(counts.linked_end.sum())
    recall = (linked + _LINKS * link_recall) / (float(divided.sum()) + _LINKS)
    return CellCycle(**learnt, link_recall=recall)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return part / whole, 0 where the whole is 0."""
    share: np.ndarray = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return share
