"""``classes.json``: order and colours of the classes of a study, and the order of stages."""

from __future__ import annotations

import re
from typing import ClassVar, Self

from pydantic import Field, model_validator

from morpholaw.evaluation.stage_order import StageOrder
from morpholaw.store.record import Record

COLOUR = re.compile(r"#[0-9a-f]{6}")
"""Format of a colour."""


class ClassRecord(Record):
    """User settings for the classes of a study.

    Attributes
    ----------
    order : tuple of str
        Names of classes in the order in which they are shown. Other classes follow.
    colours : dict of str to str
        Colours of classes, "#rrggbb". Other classes have those of
        :func:`morpholaw.figures.palette.class_colours`.
    hidden : tuple of str
        Names of classes that were renamed, merged or removed, which are shown only if cells still have them.
    stages : tuple of str
        The cycle of stages along tracks; empty if it was not set.
    final : tuple of str
        Stages that no cell leaves.
    """

    WHAT: ClassVar[str] = "list of classes"

    order: tuple[str, ...] = ()
    colours: dict[str, str] = Field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    final: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _known_colours(self) -> Self:
        invalid = [colour for colour in self.colours.values() if not COLOUR.fullmatch(colour)]
        if invalid:
            raise ValueError(f"the colour {invalid[0]!r} is not of the form #rrggbb")
        if self.stages:
            StageOrder(self.stages, self.final)
        return self

    @property
    def stage_order(self) -> StageOrder | None:
        """The order of stages; None if it was not set."""
        return StageOrder(self.stages, self.final) if self.stages else None

    def renamed(self, names: dict[str, str]) -> ClassRecord:
        """Return the record with classes renamed, or merged if several get the same name."""

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
