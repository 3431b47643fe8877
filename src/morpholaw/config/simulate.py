"""Settings of a simulated movie."""

from __future__ import annotations

from pydantic import Field

from morpholaw.config.step import StepConfig


class SimulateConfig(StepConfig):
    """Settings for simulating a tracked H2B movie with known factors."""

    frames: int = Field(60, ge=1, le=10_000, description="Number of frames.")
    cells: int = Field(60, ge=1, le=5_000, description="Number of cells in the first frame.")
    height: int = Field(512, ge=64, le=8_192, description="Height of a frame, in pixels.")
    width: int = Field(512, ge=64, le=8_192, description="Width of a frame, in pixels.")
    pixel_size: float = Field(
        0.333,
        gt=0,
        title="Pixel size (µm)",
        description="Micrometres per pixel (paper: 21.3 um / 64 pixels).",
    )
    metaphase: float | None = Field(
        None,
        ge=1,
        le=1000,
        title="Metaphase (frames)",
        description="Median duration of metaphase, in frames; empty: 3 to 6 frames, equally often.",
    )
    metaphase_spread: float = Field(
        0.25, ge=0, le=2, description="Standard deviation of the logarithm of that duration."
    )
    frame_interval: float | None = Field(
        None,
        gt=0,
        title="Frame interval (s)",
        description="Seconds between frames, which are written into the movie's file and change nothing else.",
    )
    seed: int = Field(0, ge=0, description="Random seed: the same seed gives the same movie.")
