"""Interventions: the effect of a cell's surroundings, position and orientation on its predicted class.

An intervention changes something that should be irrelevant, and counts how many predicted classes change. Unlike an
attack, it yields crops that a microscope could have recorded, and it does not depend on the classifier.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from morpholaw.cells.orientations import COUNT, orient
from morpholaw.display import percent, percent_interval
from morpholaw.evaluation.bootstrap import accuracy_interval
from morpholaw.evaluation.estimate import Estimate
from morpholaw.events import SILENT, Monitor, Progress
from morpholaw.interpretation.surroundings import (
    CellCrops,
    choose_donors,
    remove_surroundings,
    swap_surroundings,
)
from morpholaw.models.classes import classes_of_scores

SHIFTS = (1, 2, 3)
"""Shifts of the centre of a crop, in pixels."""
DRAWS = 4
"""Number of cells whose surroundings are given to each cell."""

Predict = Callable[[np.ndarray], np.ndarray]
"""Function that maps crops, uint8 (n, s, s), to the predicted class of every model, int (members, n)."""


@dataclass(frozen=True)
class Intervention:
    """Effect of one intervention on the predicted classes of a classifier.

    Attributes
    ----------
    name : str
        Identifier, one of `NAMES`.
    flips : Estimate
        Share of predicted classes that change, over cells, models and variants of the intervention, with its
        confidence interval over groups and models. It is 0 for unchanged crops.
    balanced_accuracy : Estimate
        Balanced accuracy on the changed crops, with its confidence interval.
    most_changed : str
        Class whose cells change most often; "" if no class changes more often than the others.
    most_changed_flips : float
        Share of predicted classes of its cells that change.
    """

    name: str
    flips: Estimate
    balanced_accuracy: Estimate
    most_changed: str = ""
    most_changed_flips: float = 0.0


NAMES = {
    "none": "unchanged cells",
    "same class": "surroundings of a cell of the same class",
    "other class": "surroundings of a cell of another class",
    "other class, cell removed": "the same, without that cell's rim",
    "removed": "surroundings removed",
    **{f"shift {pixels}": f"centre shifted by {pixels} px, in 8 directions" for pixels in SHIFTS},
    "orientation": "flipped and rotated, in 7 other orientations",
}
"""Description of each intervention, in the order in which they are measured."""
SHORT_NAMES = {
    "none": "unchanged",
    "same class": "swapped, same class",
    "other class": "swapped, other class",
    "other class, cell removed": "swapped, without rim",
    "removed": "removed",
    **{f"shift {pixels}": f"shifted by {pixels} px" for pixels in SHIFTS},
    "orientation": "flipped, rotated",
}
"""Short descriptions of the interventions, for figures."""


NEGLIGIBLE = 0.05
"""Largest share of predicted classes that may change with the surroundings without counting as dependence."""
SURROUNDINGS = ("other class, cell removed", "removed")
"""Interventions that change only the surroundings. The others may also show the rim of the other cell."""


@dataclass(frozen=True)
class Dependence:
    """Verdict on whether a classifier depends on the surroundings of a cell.

    Attributes
    ----------
    reads : bool or None
        True if the confidence interval of the share of changed classes lies above `NEGLIGIBLE`, False if it lies
        below, None if it includes both.
    worst : Intervention
        The intervention among `SURROUNDINGS` with the largest effect.
    """

    reads: bool | None
    worst: Intervention

    @property
    def sentence(self) -> str:
        """The verdict, such as "The prediction depends on the surroundings of the cell: ..."."""
        flips, limit = self.worst.flips, percent(NEGLIGIBLE, 0)
        share = percent_interval(flips.value, flips.low, flips.high)
        result = f"the predicted class changes in {share} of the test cells when {_WHEN[self.worst.name]}"
        if self.worst.most_changed:
            most = percent(self.worst.most_changed_flips)
            result += f", most often in cells labelled {self.worst.most_changed} ({most})"
        if self.reads:
            return f"The prediction depends on the surroundings of the cell: {result}."
        if self.reads is None and not flips.value:
            return (
                f"No dependence on the surroundings of the cell was seen, but the cells, or their groups, are too few "
                f"to exclude it: {result}."
            )
        if self.reads is None:
            return (
                f"The prediction may depend on the surroundings of the cell: {result}. Changes in up to {limit} are "
                "considered negligible, and the cells, or their groups, are too few to tell whether there are more."
            )
        return (
            f"The prediction hardly depends on the surroundings of the cell: {result}. Changes in up to {limit} are "
            "considered negligible."
        )


_WHEN = {
    "other class, cell removed": "only their surroundings are replaced by those of a cell of another class",
    "removed": "only their surroundings are removed",
}


def dependence(interventions: Sequence[Intervention]) -> Dependence:
    """Decide from measured interventions whether a classifier depends on the surroundings of a cell.

    Parameters
    ----------
    interventions : sequence of Intervention
        Results for one classifier, including those for `SURROUNDINGS`.

    Returns
    -------
    Dependence
        The verdict and the intervention that it is based on.
    """
    around = [intervention for intervention in interventions if intervention.name in SURROUNDINGS]
    worst = max(around, key=lambda intervention: (intervention.flips.low, intervention.flips.high))
    if worst.flips.low > NEGLIGIBLE:
        return Dependence(True, worst)
    open_question = [one for one in around if one.flips.high > NEGLIGIBLE]
    if open_question:
        return Dependence(None, max(open_question, key=lambda one: (one.flips.value, one.flips.high)))
    return Dependence(False, max(around, key=lambda one: (one.flips.value, one.flips.high)))


def interventions(
    predict: Predict,
    crops: CellCrops,
    targets: np.ndarray,
    groups: np.ndarray | None = None,
    seed: int = 0,
    monitor: Monitor = SILENT,
    names: Sequence[str] = tuple(NAMES),
    classes: Sequence[str] = (),
) -> list[Intervention]:
    """Measure the effect of changed surroundings, shifts and orientations on the predicted classes.

    Parameters
    ----------
    predict : callable
        Function from crops to the predicted class of every model; see `predictor`.
    crops : CellCrops
        Test cells.
    targets : ndarray, int (n,)
        True classes of the cells.
    groups : ndarray, (n,), optional
        Group of each cell. Confidence intervals are over groups, and surroundings are taken from other groups.
    seed : int
        Seed of the choice of surroundings.
    monitor : Monitor
        Receives progress and can cancel.
    names : sequence of str
        Interventions to measure, from `NAMES`. The default is all.
    classes : sequence of str
        Names of the classes, in the order of their numbers.

    Returns
    -------
    list of Intervention
        In the order of ``names``; fewer if the step was stopped.

    Raises
    ------
    InputError
        When there are fewer than two cells of a class.
    """
    targets = np.asarray(targets)
    before = predict(crops.images)
    results: list[Intervention] = []
    for name in names:
        predicted = []
        for images in variants(name, crops, targets, groups, seed):
            if monitor.should_stop():
                return results
            predicted.append(predict(images))
        after = np.stack(predicted)
        results.append(
            Intervention(
                name,
                _flips(after, before, groups) if name != "none" else Estimate(0.0, 0.0, 0.0),
                accuracy_interval((after == targets).mean(axis=0), groups, targets),
                *_most_changed((after != before).mean(axis=(0, 1)), targets, classes),
            )
        )
        monitor.emit(Progress(len(results), len(names), "interventions"))
    return results


def _most_changed(share: np.ndarray, targets: np.ndarray, classes: Sequence[str]) -> tuple[str, float]:
    """Return the class whose cells change most often, and how often; ("", 0) if it does not stand out."""
    by_class = {name: float(share[targets == k].mean()) for k, name in enumerate(classes) if k in targets}
    name = max(by_class, key=by_class.__getitem__, default="")
    if not name or by_class[name] <= share.mean():
        return "", 0.0
    return name, by_class[name]


def _flips(after: np.ndarray, before: np.ndarray, groups: np.ndarray | None) -> Estimate:
    return accuracy_interval((after != before).mean(axis=0), groups)


def variants(
    name: str, crops: CellCrops, targets: np.ndarray, groups: np.ndarray | None = None, seed: int = 0
) -> Iterator[np.ndarray]:
    """Yield the changed crops of an intervention, each uint8 (n, s, s).

    Parameters
    ----------
    name : str
        One of `NAMES`.
    crops, targets, groups, seed
        As for :func:`interventions`.
    """
    if name == "none":
        yield crops.images
    elif name == "removed":
        yield remove_surroundings(crops, seed)
    elif name == "orientation":
        yield from (orient(crops.images, k) for k in range(1, COUNT))
    elif name.startswith("shift"):
        yield from shifted(crops.images, int(name.split()[1]))
    else:
        same, keep_donor = name == "same class", "removed" not in name
        for draw in range(DRAWS):
            donors = choose_donors(targets, same, groups, seed + draw)
            yield swap_surroundings(crops, donors, keep_donor, seed + draw)


def shifted(images: np.ndarray, pixels: int) -> list[np.ndarray]:
    """Return crops shifted by ``pixels`` in the 8 directions, with edges repeated.

    Parameters
    ----------
    images : ndarray, (..., s, s)
        Crops.
    pixels : int
        Length of the shifts.
    """
    padded = np.pad(images, [(0, 0)] * (images.ndim - 2) + [(pixels, pixels)] * 2, mode="edge")
    side = images.shape[-1]
    steps = [(a, b) for a in (0, 1, 2) for b in (0, 1, 2) if (a, b) != (1, 1)]
    return [padded[..., a * pixels : a * pixels + side, b * pixels : b * pixels + side] for a, b in steps]


def predictor(score: Callable[[np.ndarray], np.ndarray]) -> Predict:
    """Return a function that predicts classes, given one that computes scores.

    Parameters
    ----------
    score : callable
        Function from crops (n, s, s) to scores (members, n[, classes]), e.g. from `evaluation.crop_scores.scorer`.

    Returns
    -------
    callable
        Function from crops to the predicted class of every model, int (members, n).
    """

    def predict(images: np.ndarray) -> np.ndarray:
        scores = score(images)
        return classes_of_scores(scores, 2 if scores.ndim == 2 else scores.shape[2])

    return predict


def surroundings_share(
    encode: Callable[[np.ndarray], np.ndarray],
    crops: CellCrops,
    groups: np.ndarray | None = None,
) -> np.ndarray:
    """Compute the share of the variance of each latent that is due to the surroundings of the cell.

    Each cell is placed into the surroundings of `DRAWS` others, without the rims of their cells. The variance within
    the encodings of one cell is due to its surroundings. The variance between the means of cells, corrected for the
    finite number of draws, is due to the cell.

    Parameters
    ----------
    encode : callable
        Function from crops, uint8 (n, s, s), to latents, (n, latents).
    crops : CellCrops
        At least two cells, of any class.
    groups : ndarray, (n,), optional
        Group of each cell. Surroundings are taken from other groups if possible.

    Returns
    -------
    ndarray, float64 (latents,)
        Shares: 0 for latents that do not depend on the surroundings, 1 for those that depend on nothing else, and NaN
        for latents that do not vary.
    """
    anyone = np.zeros(len(crops), np.int64)
    encoded = np.stack(
        [
            np.asarray(encode(swap_surroundings(crops, donors, False, draw)), np.float64)
            for draw in range(DRAWS)
            for donors in [choose_donors(anyone, None, groups, draw)]
        ]
    )
    around = encoded.var(axis=0, ddof=1).mean(axis=0)
    cell = np.maximum(encoded.mean(axis=0).var(axis=0, ddof=1) - around / DRAWS, 0)
    total = around + cell
    share: np.ndarray = np.divide(around, total, out=np.full_like(total, np.nan), where=total > 1e-12)
    return share
