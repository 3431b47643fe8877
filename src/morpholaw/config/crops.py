"""How crops are cut from a movie, or imported from a folder."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from morpholaw.config.step import StepConfig

CropSize = Annotated[
    int,
    Field(
        ge=16, le=256, multiple_of=16, title="Crop size (pixels)", description="Side of a crop, in pixels."
    ),
]


Brightness = Annotated[
    Literal["cell", "source"],
    Field(
        description="Grey scale: each cell over its own brightest chromatin, so that shape and texture count and "
        "expression does not; or one scale for the whole source."
    ),
]


class CropConfig(StepConfig):
    """How cells are cut from a movie (paper, 5.1: 64 x 64 pixels, 21.3 um a side)."""

    size: CropSize = 64
    edge: Literal["background", "reflect", "drop"] = Field(
        "background",
        description="Cells near the border: pad with the frame's background level, mirror the frame, or drop the cell.",
    )
    brightness: Brightness = "cell"
    pixel_size: float | None = Field(
        None,
        gt=0,
        title="Pixel size (µm)",
        description="Micrometres per pixel of the movie; read from the file where it says so.",
    )
    model_pixel_size: float | None = Field(
        None,
        gt=0,
        title="Resample to (µm per pixel)",
        description="Micrometres per pixel that crops are resampled to; empty: the study's, where it has one.",
    )
    channel: str | int | None = Field(
        None, description="Channel to read where the movie has several: its name, or its number from 0."
    )
    position: str | int | None = Field(
        None,
        description="Position (field, scene) to read where there are several: its name, or its number from 0.",
    )
    z: str | int | None = Field(
        None, description="What to read of a z-stack: max, mean, or the number of a slice from 0."
    )
    axes: str | None = Field(
        None,
        description="One letter per axis (tyx, yxt, tcyx), where the file does not name its axes or is wrong.",
    )
    frame_offset: int | None = Field(
        None, description="Added to the tracks' frame numbers to get the movie's, which count from 0."
    )
    ids: Literal["auto", "tracks", "per-frame", "linked", "laptrack"] = Field(
        "auto",
        description="What the numbers in masks mean: tracks; cells of one frame only (per-frame); cells to be linked "
        "over time, by overlap (linked) or with LapTrack (laptrack); auto: told by the content.",
    )
    frame_interval: float | None = Field(
        None,
        gt=0,
        description="Seconds from one frame to the next, for tracks that hold times; empty: found out from the times.",
    )
    swap_xy: bool = Field(False, description="The tracks have x where y is expected: exchange the two.")
    force: bool = Field(
        False,
        description="Go on where inputs contradict each other or no cells are seen at the tracked places.",
    )

    @model_validator(mode="before")
    @classmethod
    def _ids_per_frame(cls, values: Any) -> Any:
        """Take ``ids_per_frame=True``, as :func:`morpholaw.read_tracks` calls it, for ``ids="per-frame"``."""
        if not isinstance(values, dict) or "ids_per_frame" not in values:
            return values
        others = {name: value for name, value in values.items() if name != "ids_per_frame"}
        return {**others, "ids": "per-frame"} if values["ids_per_frame"] else others


class ImportConfig(StepConfig):
    """How a folder of labelled crops becomes a crop set."""

    size: CropSize = 64
    classes: dict[str, list[str]] = Field(
        default_factory=dict,
        description="Class name to the subfolders that hold it; other subfolders are imported unlabelled.",
    )
    group_regex: str | None = Field(
        None,
        description="Regular expression for the part of a file's path that says which crops belong together (a "
        "movie, a track).",
    )
    brightness: Brightness = "cell"
    pixel_size: float | None = Field(
        None, gt=0, title="Pixel size (µm)", description="Micrometres per pixel of the crops."
    )
    channel: str | int | None = Field(
        None, description="Channel to read of images of several: a number from 0, or red, green or blue."
    )
