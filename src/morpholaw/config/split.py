"""Classes to tell apart, and how their labelled cells are split."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from morpholaw.config.step import TrainingConfig

TestFraction = Annotated[
    float | None,
    Field(
        gt=0,
        lt=1,
        description="Share of labelled crops kept for testing, whole groups at a time; empty: the paper's 10 %, "
        "or 25 % of fewer than 2000 cells.",
    ),
]


SplitSeed = Annotated[int, Field(ge=0, description="Seed of the split; the same for all schemes of a study.")]


ALL_CLASSES = ("all",)
"""In place of the names of classes: every labelled class."""


def _different(classes: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(classes)) < len(classes):
        raise ValueError("the classes must differ")
    if len(classes) == 1 and classes != ALL_CLASSES:
        raise ValueError("it takes two classes or more to tell apart")
    return classes


Classes = Annotated[
    tuple[str, ...],
    AfterValidator(_different),
    Field(
        description="Classes to tell apart, two or more, or 'all' for every labelled class. Of two, scores f(x) < 0 "
        "are the first and f(x) >= 0 the second (eq. 2). Empty: interphase and metaphase where both are labelled, else "
        "every labelled class.",
    ),
]


class SplitConfig(TrainingConfig):
    """Classes, and how their labelled cells are split into training and test cells."""

    classes: Classes = ()
    test_fraction: TestFraction = None
    split_seed: SplitSeed = 0
