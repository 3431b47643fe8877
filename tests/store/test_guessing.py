"""What is said of classifiers that guess between two of their classes, or whose cells are nearly all of one class."""

from types import SimpleNamespace

import pytest

from morpholaw.evaluation.estimate import Estimate
from morpholaw.store.guessing import guessing_mark, guessing_sentence, imbalance

CLASSES = ("metaphase", "old", "young")


def record(*confusion, low=0.5):
    return SimpleNamespace(
        name="scheme2",
        classes=CLASSES[: len(confusion)],
        two_classes=len(confusion) == 2,
        beats_guessing=low > 1 / len(confusion),
        evaluation=SimpleNamespace(
            confusion=confusion,
            test_cells=sum(map(sum, confusion)),
            by_class=[SimpleNamespace(cells=sum(row)) for row in confusion],
            balanced_interval=Estimate(0.9, low, 1.0),
        ),
    )


def test_two_of_three_classes_that_are_not_told_apart_are_named():
    mark = "The classifier scheme2 does not tell old from young significantly better than guessing."
    guessed = record((30, 0, 0), (0, 14, 19), (0, 10, 17))
    assert guessing_mark(guessed) == mark
    assert guessing_sentence(guessed) == f"{mark} Label more cells of these classes, or merge them."


def test_a_class_that_is_always_taken_for_another_is_named_with_it():
    assert "old from young" in guessing_mark(record((30, 0, 0), (0, 0, 30), (0, 0, 30)))


@pytest.mark.parametrize(
    "confusion", [((30, 0, 0), (0, 24, 6), (0, 6, 24)), ((30, 1, 0), (0, 30, 0), (0, 0, 2))]
)
def test_classes_that_are_told_apart_are_not_doubted(confusion):
    assert guessing_sentence(record(*confusion)) == ""


def test_an_accuracy_on_cells_of_nearly_one_class_comes_with_the_balanced_one():
    clause = "; 124 of these cells are old, and the balanced accuracy is 90.0 % (50.0 to 100.0)"
    assert imbalance(record((1, 0), (0, 124))) == clause
    assert imbalance(record((40, 0), (0, 60))) == ""
