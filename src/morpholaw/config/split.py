"""Settings of the classes to tell apart, and of the split of their labelled cells."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from morpholaw.config.step import TrainingConfig

TestFraction = Annotated[
    float | None,
    Field(
        gt=0,
        lt=1,
        title="Share held out",
        description="Share of the labelled crops that is held out for testing, in whole groups; empty: 10 % as in the "
        "paper, or 25 % if there are fewer than 2000 cells.",
    ),
]


SplitSeed = Annotated[
    int,
    Field(
        ge=0,
        title="Seed of the split",
        description="Seed of the split into training and test cells; use the same for all schemes of a study.",
    ),
]


ALL_CLASSES = ("all",)
"""Stands for every labelled class."""


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
        description="Two or more classes to tell apart, or 'all' for every labelled class. With two, f(x) < 0 is the "
        "first and f(x) >= 0 the second (eq. 2). Empty: interphase and metaphase if both are labelled, otherwise "
        "every labelled class.",
    ),
]


class SplitConfig(TrainingConfig):
    """Settings of the classes, and of the split of their labelled cells into training and test cells."""

    classes: Classes = ()
    test_fraction: TestFraction = None
    split_seed: SplitSeed = 0
