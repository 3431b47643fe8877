"""Hidden Markov model of the cell cycle, which classifies tracked cells by the scores along their whole tracks.

A classifier of two classes assigns every image to one of them, including newborn daughters, which are as small, bright
and dense as a metaphase. However, cells are born in a division, spend hours in interphase, and leave metaphase by
dividing. The model uses this knowledge (compare Held et al. 2010, Nature Methods 7, 747). The stages are hidden, the
scores of the classifier are observed, and the transition rates are learnt from the movie, so that the time between
frames does not have to be known.

A division in the tracks is strong evidence. Its absence is weak evidence, because trackers miss divisions: the track of
the mother then ends without a link, or continues in one of the daughters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import ndimage

from morpholaw.cells.tracks import divisions
from morpholaw.evaluation.calibration import Calibration
from morpholaw.evaluation.lineage_frames import Generation, generations_of
from morpholaw.evaluation.lineage_hmm import DIVIDES, ENDS, MAX_ROUNDS, TOLERANCE, StageRates, expect_stages
from morpholaw.models.classes import predicted_classes

REACH = 2
"""Number of frames before and after an image classified as positive that can be positive as well. Without this limit, a
division would make the last frames of any mother a metaphase, even if no image shows one."""
LINK_RECALL = 0.8
"""Share of divisions that a tracker links, before a movie is seen."""

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
"""Share of unlinked divisions in which the track of the mother continues in a daughter instead of ending."""
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
"""Beta priors of the learnt rates, as numbers of events and of opportunities."""
_LINKS = 10.0
"""Weight of the prior of the link recall, in divisions."""


@dataclass(frozen=True)
class CellCycle:
    """Transition probabilities per frame, and probabilities of tracking errors.

    Attributes
    ----------
    begin_positive : float
        P(positive) of a cell that is first seen.
    mature : float
        P(negative | newborn).
    enter : float
        P(positive | negative), e.g. of metaphase after interphase.
    leave : float
        P(negative | positive) without a division.
    divide : float
        P(division | positive).
    skip : float
        P(division | negative or newborn), if the positive stage passes between two frames.
    lose : float
        P(the track ends | no division).
    unlinked_birth : float
        P(newborn) of a track that begins without a parent after the first frame of the movie.
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

    @property
    def rates(self) -> StageRates:
        """The corresponding rates of a model along lineages, in which daughters are newborn."""
        onward = self.step
        goes_on = onward.sum(1)
        return StageRates(
            self.start(_NEWBORN_AT_START),
            self.start(self.unlinked_birth),
            onward / goes_on[:, None],
            np.stack([goes_on, self.linked_end, self.unlinked_end], axis=1),
            np.tile(np.eye(4)[NEWBORN], (4, 1)),
        )

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


def classify_tracks(
    cells: pd.DataFrame,
    scores: np.ndarray,
    calibration: Calibration,
    link_recall: float = LINK_RECALL,
) -> tuple[np.ndarray, CellCycle]:
    """Estimate the probability of the positive class of every cell from the scores along its whole track.

    The mitotic class, which ends in division, is the positive one, unless mothers are less often classified as positive
    just before they divide than cells are on average.

    Parameters
    ----------
    cells : DataFrame
        One row per cell and frame, with the columns ``track_id``, ``t`` and ``parent`` (-1 for none).
    scores : ndarray, (n,)
        Score of every row, whose sign is the predicted class (eq. 2). Scores that are not finite are ignored.
    calibration : Calibration
        Calibration of the scores.
    link_recall : float
        Prior expectation, in (0, 1), of the share of divisions that the tracks link. The share is learnt from the
        movie.

    Returns
    -------
    probability : ndarray, float64 (n,)
        P(positive) of every row.
    cycle : CellCycle
        The parameters learnt from these tracks.
    """
    if not len(cells):
        return np.zeros(0), CellCycle(link_recall=link_recall)
    classes, ratio = predicted_classes(scores), calibration.likelihood_ratio(scores)
    divided = divisions(cells)
    swapped = _negative_divides(cells, classes, divided)
    if swapped:
        classes, ratio = np.where(classes < 0, classes, 1 - classes), 1 / ratio
    generations = [_with_images(one, classes == 1, ratio) for one in generations_of(cells)]
    cycle = CellCycle(link_recall=link_recall)
    for _ in range(MAX_ROUNDS):
        marginals, counts = expect_stages(generations, cycle.rates)
        previous, cycle = cycle, _learn(counts, cycle, link_recall)
        if np.allclose(previous.step, cycle.step, atol=TOLERANCE):
            break
    mitotic = np.zeros(len(cells))
    for one, marginal in zip(generations, marginals, strict=True):
        mitotic[one.row] = marginal[one.frame, one.track, POSITIVE]
    return 1 - mitotic if swapped else mitotic, cycle


def _negative_divides(cells: pd.DataFrame, classes: np.ndarray, divided: pd.DataFrame) -> bool:
    """Return whether the negative class is the mitotic one, in which mothers are just before they divide."""
    last = cells["t"].to_numpy() == cells.groupby("track_id")["t"].transform("max").to_numpy()
    mothers = np.isin(cells["track_id"].to_numpy(), divided["parent"].to_numpy())
    known = classes >= 0
    before = last & mothers & known
    return bool(before.any() and classes[before].mean() < classes[known].mean())


def _with_images(generation: Generation, positive: np.ndarray, ratio: np.ndarray) -> Generation:
    """Return tracks with the likelihood of the stages given each image, from likelihood ratios of the classes."""
    # A newborn cell can look like either class.
    likelihood = np.stack([(1 + ratio) / 2, np.ones_like(ratio), ratio, ratio], axis=-1)
    one = generation.with_rows(likelihood)
    classified = np.zeros(one.likelihood.shape[:2], bool)
    classified[one.frame, one.track] = positive[one.row]
    near = ndimage.binary_dilation(classified, np.ones((2 * REACH + 1, 1)))
    one.likelihood[~near, POSITIVE] = 0
    return one


def _learn(counts: StageRates, cycle: CellCycle, link_recall: float) -> CellCycle:
    """Return the parameters given the expected counts, which were computed with ``cycle``, and the priors."""
    starts, linked, ended = counts.first + counts.later, counts.after[:, DIVIDES], counts.after[:, ENDS]
    unseen = counts.step[:, NEWBORN] * _share(cycle.unseen_division, cycle.step[:, NEWBORN])
    unlinked = ended * _share(cycle.unlinked_division, cycle.unlinked_end)
    step = counts.step.copy()
    step[:, NEWBORN] -= unseen
    stayed = step.sum(1)
    lost = ended - unlinked
    divided = linked + unlinked + unseen
    undivided = stayed + lost
    early = [NEWBORN, NEGATIVE]
    events = {
        "begin_positive": (starts[POSITIVE], starts[NEGATIVE:].sum()),
        "mature": (step[NEWBORN, NEGATIVE] + step[NEWBORN, LOOKALIKE], stayed[NEWBORN]),
        "enter": (step[NEGATIVE, POSITIVE], stayed[NEGATIVE]),
        "leave": (step[POSITIVE, NEGATIVE], stayed[POSITIVE]),
        "divide": (divided[POSITIVE], divided[POSITIVE] + undivided[POSITIVE]),
        "skip": (divided[early].sum(), divided[early].sum() + undivided[early].sum()),
        "lose": (lost.sum(), undivided.sum()),
        "unlinked_birth": (counts.later[NEWBORN], counts.later.sum()),
    }
    learnt = {
        name: float((happened + _PRIORS[name][0]) / (opportunities + _PRIORS[name][1]))
        for name, (happened, opportunities) in events.items()
    }
    recall = (float(linked.sum()) + _LINKS * link_recall) / (float(divided.sum()) + _LINKS)
    return CellCycle(**learnt, link_recall=recall)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return part / whole; 0 if the whole is 0."""
    share: np.ndarray = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return share
