"""Cells in other surroundings: what stays, what changes, and what that says about a classifier and about latents."""

from __future__ import annotations

import numpy as np
import pytest

from morpholaw.cells.orientations import all_orientations
from morpholaw.cells.shape_features import choose_features, measure_features
from morpholaw.cells.simulator import simulate_crops
from morpholaw.errors import InputError
from morpholaw.evaluation.crop_scores import scorer
from morpholaw.evaluation.estimate import Estimate
from morpholaw.interpretation.interventions import (
    NAMES,
    SURROUNDINGS,
    Intervention,
    dependence,
    interventions,
    predictor,
    shifted,
    surroundings_share,
    variants,
)
from morpholaw.interpretation.surroundings import (
    CellCrops,
    choose_donors,
    remove_surroundings,
    swap_surroundings,
)
from morpholaw.models.classifier import Classifier
from morpholaw.models.features import ModelColumns
from morpholaw.models.law import Law


def _disc(radius: float, y: float = 31.5, x: float = 31.5) -> np.ndarray:
    return np.hypot(np.arange(64)[:, None] - y, np.arange(64) - x) < radius


def _crop(radius: float, level: int = 85, neighbour: int = 0) -> np.ndarray:
    crop = np.full((64, 64), 2, np.uint8)
    crop[_disc(radius)] = level
    if neighbour:
        crop[_disc(6, 8, 8)] = neighbour
    return crop


@pytest.fixture
def crops():
    """A small cell alone, a large one with a neighbour, and both twice as bright in the movie."""
    images = np.stack([_crop(8), _crop(14, neighbour=60)] * 2)
    return CellCrops.of(images, np.array([1.0, 1.0, 2.0, 2.0]))


def test_a_cell_keeps_its_own_pixels_and_gets_the_neighbours_of_another(crops):
    swapped = swap_surroundings(crops, np.array([1, 0, 3, 2]))
    assert (swapped[0][_disc(7)] == 85).all()
    assert (swapped[0][_disc(4, 8, 8)] == 60).all()
    assert (swapped[1][_disc(4, 8, 8)] < 5).all()


def test_grey_values_are_those_of_the_movie(crops):
    swapped = swap_surroundings(crops, np.array([3, 2, 1, 0]), keep_donor=False)
    # The neighbour of the bright cell is twice as bright in the movie, and so in the crop of a cell half as bright.
    assert swapped[0][8, 8] == pytest.approx(120, abs=1)
    assert swapped[2][8, 8] == pytest.approx(30, abs=1)


def test_the_rim_of_a_larger_cell_shows_or_is_covered(crops):
    ring = _disc(13) & ~_disc(11)
    donors = np.array([1, 1, 1, 1])
    assert (swap_surroundings(crops, donors)[0][ring] > 60).all()
    assert (swap_surroundings(crops, donors, keep_donor=False)[0][ring] < 5).all()


def test_removed_surroundings_are_background(crops):
    removed = remove_surroundings(crops)
    assert (removed[1][~crops.cells[1]] < 5).all()
    assert (removed[1][_disc(13)] == 85).all()


def test_surroundings_come_from_another_group_and_the_wanted_class():
    targets, groups = np.array([0, 0, 0, 1, 1, 1]), np.array(list("aabccd"))
    assert (targets[choose_donors(targets, True, groups)] == targets).all()
    assert (targets[choose_donors(targets, False, groups)] != targets).all()
    assert choose_donors(targets, True, groups)[0] == 2
    assert choose_donors(targets, True, groups)[2] in (0, 1)
    with pytest.raises(InputError, match="no other cell of the same class"):
        choose_donors(np.array([0, 1]), True)


@pytest.fixture(scope="module")
def cells():
    images, table = simulate_crops(phases={"interphase": 60, "metaphase": 60}, seed=5)
    targets = (table["label"] == "metaphase").to_numpy().astype(int)
    return CellCrops.of(images), targets, table["group"].to_numpy(str)


@pytest.fixture(scope="module")
def many_cells():
    images, table = simulate_crops(phases={"interphase": 60, "metaphase": 60}, seed=6)
    targets = (table["label"] == "metaphase").to_numpy().astype(int)
    return CellCrops.of(images, table["brightness"].to_numpy()), targets, np.arange(len(images))


def judge(predict, crops, targets, groups):
    """What is said of a classifier, and how often it is right about the crops as they are."""
    found = interventions(predict, crops, targets, groups, names=("none", *SURROUNDINGS))
    return dependence(found), found[0].balanced_accuracy.value


def test_a_classifier_of_the_centre_changes_no_call_and_one_of_the_edge_does(cells):
    crops, targets, groups = cells
    edge = ~_disc(28)

    def score(images: np.ndarray) -> np.ndarray:
        centre = images[:, 30:34, 30:34].mean(axis=(1, 2)) - 60.0
        around = images[:, edge].mean(axis=1) - 14.0
        return np.stack([centre, around])

    by_name = {}
    for member in (0, 1):
        predict = predictor(lambda images, member=member: score(images)[[member]])
        by_name[member] = {one.name: one for one in interventions(predict, crops, targets, groups)}
    assert list(by_name[0]) == list(NAMES)
    assert all(by_name[0][name].flips.value < 0.02 for name in ("other class, cell removed", "removed"))
    assert by_name[1]["other class"].flips.value > 0.2
    assert by_name[1]["other class"].flips.low > 0.1
    assert by_name[1]["none"].flips.value == 0
    assert by_name[1]["orientation"].flips.value == 0  # a disc has no orientation


def law_of(shape: str, threshold: float) -> Classifier:
    """A law that reads one shape, as it is measured."""
    columns = ModelColumns(choose_features([shape]), (threshold,), (1.0,))
    return Classifier.with_laws(None, [Law.parse(shape, (shape,))], ("interphase", "metaphase"), columns)


@pytest.mark.parametrize("shape", ["neighbours", "neighbour_area"])
def test_a_law_that_reads_the_neighbourhood_is_said_to(many_cells, shape):
    crops, targets, groups = many_cells
    typical = float(np.nanmedian(measure_features(crops.images, neighbourhood=True)[shape]))
    judged, _ = judge(predictor(scorer(law_of(shape, typical))), crops, targets, groups)
    assert judged.reads
    assert judged.sentence.startswith("The prediction depends on the surroundings of the cell: ")
    assert judged.worst.flips.low > 0.2


@pytest.mark.parametrize("shape", ["area", "axis_ratio"])
def test_a_law_that_reads_the_cell_is_not_said_to_read_the_neighbourhood(many_cells, shape):
    crops, targets, groups = many_cells
    measured = measure_features(crops.images)[shape].to_numpy()
    between = np.mean([np.nanmedian(measured[targets == number]) for number in (0, 1)])
    judged, accuracy = judge(predictor(scorer(law_of(shape, float(between)))), crops, targets, groups)
    assert judged.reads is not True
    assert abs(accuracy - 0.5) > 0.2


def test_a_cue_planted_far_from_the_cell_is_found_however_well_it_tells_the_classes_apart(many_cells):
    crops, targets, groups = many_cells
    images = crops.images.copy()
    images[targets == 1, :4] = 200
    judged, accuracy = judge(
        predictor(lambda images: images[:, :4].mean(axis=(1, 2))[None] - 100.0),
        CellCrops.of(images),
        targets,
        groups,
    )
    assert accuracy == 1
    assert judged.reads
    assert judged.worst.flips.low > 0.3


def test_a_classifier_of_the_middle_of_the_cell_is_cleared_by_many_cells_and_not_by_few(many_cells):
    crops, targets, groups = many_cells

    def middle(images: np.ndarray) -> np.ndarray:
        return images[:, 30:34, 30:34].mean(axis=(1, 2))[None] - 60.0

    judged, _ = judge(predictor(middle), crops, targets, groups)
    assert judged.reads is False
    assert judged.sentence.startswith("The prediction hardly depends on the surroundings of the cell: ")
    some = np.r_[np.flatnonzero(targets == 0)[:5], np.flatnonzero(targets == 1)[:5]]
    judged, _ = judge(predictor(middle), CellCrops.of(crops.images[some]), targets[some], groups[some])
    assert judged.reads is None
    assert "was seen, but the cells, or their groups, are too few to exclude it" in judged.sentence


def test_the_verdict_names_the_class_that_changes_most_often(many_cells):
    crops, targets, groups = many_cells
    images = crops.images.copy()
    images[:, :4] = 0
    images[targets == 1, :4] = (
        200  # only cells of class 1 have the cue, and lose it when surroundings are removed
    )

    def cue(images: np.ndarray) -> np.ndarray:
        return images[:, :4].mean(axis=(1, 2))[None] - 150.0

    some = np.r_[np.flatnonzero(targets == 0), np.flatnonzero(targets == 1)[:20]]
    found = interventions(
        predictor(cue), CellCrops.of(images[some]), targets[some], groups[some], classes=("round", "flat"),
        names=("removed", "other class, cell removed"),
    )  # fmt: skip
    removed = next(one for one in found if one.name == "removed")
    assert removed.most_changed == "flat"
    changed = predictor(cue)(
        next(variants("removed", CellCrops.of(images[some]), targets[some], groups[some]))
    )[0]
    assert removed.most_changed_flips == pytest.approx(np.mean(changed[targets[some] == 1] == 0))
    assert "most often in cells labelled flat (" in dependence([removed]).sentence


def test_an_undecided_verdict_gives_the_largest_change_that_was_seen():
    none = Estimate(0.0, 0.0, 0.12)  # wide, because no group has a change
    some = Estimate(0.054, 0.012, 0.101)
    accuracy = Estimate(1.0, 0.8, 1.0)
    found = dependence(
        [Intervention("other class, cell removed", some, accuracy), Intervention("removed", none, accuracy)]
    )
    assert found.reads is None
    assert (
        "may depend on the surroundings of the cell: the predicted class changes in 5.4 % (1.2 to 10.1)"
        in found.sentence
    )


def test_with_shuffled_labels_surroundings_of_another_class_do_no_more_than_those_of_the_same(cells):
    crops, targets, groups = cells
    shuffled = np.random.default_rng(0).permutation(targets)
    edge = ~_disc(28)
    predict = predictor(lambda images: images[:, edge].mean(axis=1)[None] - 14.0)
    found = {one.name: one for one in interventions(predict, crops, shuffled, groups)}
    assert found["none"].balanced_accuracy.low < 0.5 < found["none"].balanced_accuracy.high
    same, other = found["same class"].flips, found["other class"].flips
    assert same.low < other.value < same.high


def test_shifts_and_orientations_are_those_of_the_crop(cells):
    images = cells[0].images[:3]
    assert np.array_equal(shifted(images, 2)[-1][:, :62, :62], images[:, 2:, 2:])
    moved = shifted(np.arange(9).reshape(1, 3, 3), 1)
    assert len(moved) == 8
    assert [[0, 1, 2], [0, 1, 2], [3, 4, 5]] in [one[0].tolist() for one in moved]  # edges are repeated
    turned = list(variants("orientation", CellCrops.of(images), np.array([0, 1, 0])))
    assert np.array_equal(np.stack(turned), all_orientations(images)[1:])


def test_the_share_of_surroundings_tells_latents_of_the_cell_from_those_of_its_neighbours(cells):
    crops, _, groups = cells
    edge = ~_disc(28)

    def encode(images: np.ndarray) -> np.ndarray:
        area = (images[:, 26:38, 26:38] > 40).mean(axis=(1, 2))
        return np.stack([area, images[:, edge].mean(axis=1), np.zeros(len(images))], axis=1)

    share = surroundings_share(encode, crops, groups)
    assert share[0] < 0.2
    assert share[1] > 0.9
    assert np.isnan(share[2])
