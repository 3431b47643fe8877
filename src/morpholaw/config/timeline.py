"""Settings of a timeline of tracked cells."""

from __future__ import annotations

from pydantic import Field

from morpholaw.config.step import StepConfig


class TimelineConfig(StepConfig):
    """Settings for finding phases, events and durations from classes along tracks."""

    frame_interval: float | None = Field(
        None,
        gt=0,
        title="Frame interval (s)",
        description="Seconds between frames; empty: what the movie's file states, otherwise times are in frames.",
    )
    mitotic: tuple[str, ...] = Field(
        (),
        title="Mitotic classes",
        description="Classes that are stages of mitosis; empty: those with the name of a stage, otherwise those in "
        "which cells divide.",
    )
    arrest: float | None = Field(
        None,
        gt=0,
        title="Arrest from (min)",
        description="Duration from which mitosis counts as arrested, in minutes (in frames if the frame interval is "
        "not known); empty: three times the median of the first condition.",
    )
    min_frames: int = Field(
        1,
        ge=1,
        le=1000,
        title="Shortest phase (frames)",
        description="Shortest phase, in frames. A shorter one between two phases of the same class is treated as an "
        "error.",
    )
    infer_divisions: bool = Field(
        True,
        title="Find unlinked divisions",
        description="Find divisions that the tracker did not link: two tracks begin where another one has just ended.",
    )
    resamples: int = Field(
        500,
        ge=50,
        le=100_000,
        title="Bootstrap resamples",
        description="Number of resamples for the confidence bands.",
    )
    seed: int = Field(0, ge=0, title="Random seed", description="Seed of the resampling.")
