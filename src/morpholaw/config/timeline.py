"""What tracked cells did over time."""

from __future__ import annotations

from pydantic import Field

from morpholaw.config.step import StepConfig


class TimelineConfig(StepConfig):
    """Phases, events and durations from classes along tracks."""

    frame_interval: float | None = Field(
        None,
        gt=0,
        title="Frame interval (s)",
        description="Seconds from one frame to the next; empty: what the movie's file says, else times are in frames.",
    )
    mitotic: tuple[str, ...] = Field(
        (),
        description="Classes that are stages of mitosis; empty: those with such a name, else those in which cells "
        "divide.",
    )
    arrest: float | None = Field(
        None,
        gt=0,
        title="Arrest (min)",
        description="Minutes (frames, where the interval is not known) from which mitosis counts as arrested; empty: "
        "three times the median duration.",
    )
    min_frames: int = Field(
        1, ge=1, le=1000, description="Shorter phases between two of one class are taken for mistakes."
    )
    infer_divisions: bool = Field(
        True,
        description="Find divisions that the tracker did not link: two tracks begin where another one has just ended.",
    )
    resamples: int = Field(500, ge=50, le=100_000, description="Resamples for the bands.")
    seed: int = Field(0, ge=0, description="Seed of the resampling.")
