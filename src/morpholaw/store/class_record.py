"""``classes.json``: how the classes of a study look, and in which order a cell passes through them."""

from __future__ import annotations

import re
from typing import ClassVar, Self

from pydantic import Field, model_validator

from morpholaw.evaluation.stage_order import StageOrder
from morpholaw.store.record import Record

COLOUR = re.compile(r"#[0-9a-f]{6}")
"""How a colour is written."""


class ClassRecord(Record):
    """What a person decided about the classes of a study.

    Attributes
    ----------
    order : tuple of str
        Class names in the order in which they are shown; others follow.
    colours : dict of str to str
        "#rrggbb" of the classes that were given a colour; the others have those of
        :func:`morpholaw.figures.palette.class_colours`.
    hidden : tuple of str
        Names that were renamed, merged or removed; shown only where a cell still has one.
    stages : tuple of str
        The cycle of stages along tracks; empty where it was not set.
    final : tuple of str
        Stages that none leaves.
    """

    WHAT: ClassVar[str] = "list of classes"

    order: tuple[str, ...] = ()
    colours: dict[str, str] = Field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    final: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _known_colours(self) -> Self:
        wrong = [colour for colour in self.colours.values() if not COLOUR.fullmatch(colour)]
        if wrong:
            raise ValueError(f"the colour {wrong[0]!r} is not of the form #rrggbb")
        if self.stages:
            StageOrder(self.stages, self.final)
        return self

    @property
    def stage_order(self) -> StageOrder | None:
        """The order of stages; None where it was not set."""
        return StageOrder(self.stages, self.final) if self.stages else None

    def renamed(self, names: dict[str, str]) -> ClassRecord:
        """Return the record with classes renamed, or merged where several get one name."""

        def new(values: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(dict.fromkeys(names.get(value, value) for value in values))

        colours = {names.get(name, name): colour for name, colour in reversed(self.colours.items())}
        stages = new(self.stages)
        final = tuple(name for name in new(self.final) if name not in stages)
        if len(stages) < 2:
            stages, final = (), ()
        return ClassRecord(
            order=new(self.order),
            colours=dict(reversed(colours.items())),
            hidden=self.hidden,
            stages=stages,
            final=final,
        )
