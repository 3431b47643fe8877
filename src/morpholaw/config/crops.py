"""Settings for cutting crops from a movie and for importing them from a folder."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from morpholaw.config.step import InWords, StepConfig

CropSize = Annotated[
    int,
    Field(
        ge=16, le=256, multiple_of=16, title="Crop size (pixels)", description="Side of a crop, in pixels."
    ),
]


Brightness = Annotated[
    Literal["cell", "source"],
    InWords({"source": "movie or folder (source)"}),
    Field(
        title="Grey scale per",
        description="Grey scale. cell: each cell is divided by its own brightest chromatin, so expression does not "
        "matter, but shape and texture do; source: one scale for the whole movie or folder.",
    ),
]


class CropConfig(StepConfig):
    """Settings for cutting crops from a movie (paper, 5.1: 64 x 64 pixels, 21.3 um per side)."""

    size: CropSize = 64
    edge: Annotated[
        Literal["background", "reflect", "drop"],
        InWords(
            {
                "background": "pad (background)",
                "reflect": "mirror the frame (reflect)",
                "drop": "drop the cell",
            }
        ),
    ] = Field(
        "background",
        title="Cells at the border",
        description="Cells near the border: pad with the frame's background level, mirror the frame (reflect), or "
        "drop the cell.",
    )
    brightness: Brightness = "cell"
    pixel_size: float | None = Field(
        None,
        gt=0,
        title="Pixel size (µm)",
        description="Micrometres per pixel of the movie; empty: what the file states.",
    )
    model_pixel_size: float | None = Field(
        None,
        gt=0,
        title="Resample to (µm per pixel)",
        description="Micrometres per pixel that crops are resampled to; empty: those of the study, if it has a scale.",
    )
    channel: str | int | None = Field(
        None, description="Channel of a movie with several: its name, or its number from 0."
    )
    position: str | int | None = Field(
        None,
        description="Position (field, scene) of a movie with several: its name, or its number from 0.",
    )
    z: str | int | None = Field(
        None,
        title="Z-stack",
        description="Part of a z-stack to read: max or mean projection, or the number of a slice from 0.",
    )
    axes: str | None = Field(
        None,
        title="Order of axes",
        description="One letter per axis (tyx, yxt, tcyx), if the file does not name its axes or names them wrongly.",
    )
    frame_offset: int | None = Field(
        None,
        title="Frame offset (frames)",
        description="Number to add to the frames of the tracks; those of the movie count from 0.",
    )
    ids: Annotated[
        Literal["auto", "tracks", "per-frame", "linked", "laptrack"],
        InWords(
            {
                "auto": "automatic",
                "per-frame": "cells of one frame (per-frame)",
                "linked": "link by overlap",
                "laptrack": "link with LapTrack",
            }
        ),
    ] = Field(
        "auto",
        title="Numbers in masks",
        description="Meaning of the numbers in masks. tracks: tracks; per-frame: cells of one frame only; linked, "
        "laptrack: cells to link over time, by overlap or with LapTrack; auto: recognised by the content.",
    )
    frame_interval: float | None = Field(
        None,
        gt=0,
        title="Frame interval (s)",
        description="Seconds between frames, for tracks with times instead of frames; empty: inferred from the times.",
    )
    swap_xy: bool = Field(False, title="Swap x and y", description="Exchange x and y of the tracks.")
    force: bool = Field(
        False,
        description="Continue even if the inputs contradict each other or no cells are visible at the tracked "
        "positions.",
    )

    @model_validator(mode="before")
    @classmethod
    def _ids_per_frame(cls, values: Any) -> Any:
        """Accept ``ids_per_frame=True``, as in :func:`morpholaw.read_tracks`, for ``ids="per-frame"``."""
        if not isinstance(values, dict) or "ids_per_frame" not in values:
            return values
        others = {name: value for name, value in values.items() if name != "ids_per_frame"}
        return {**others, "ids": "per-frame"} if values["ids_per_frame"] else others


class ImportConfig(StepConfig):
    """Settings for importing a folder of labelled crops."""

    size: CropSize = 64
    classes: dict[str, list[str]] = Field(
        default_factory=dict,
        description="Subfolders of each class, by its name; others are imported without labels. Empty: each subfolder "
        "is a class.",
    )
    group_regex: str | None = Field(
        None,
        title="Group by (regex)",
        description="Regular expression that matches the part of a file's path by which crops are grouped (a movie, a "
        "track).",
    )
    brightness: Brightness = "cell"
    pixel_size: float | None = Field(
        None,
        gt=0,
        title="Pixel size (µm)",
        description="Micrometres per pixel of the crops; empty: what TIFF files state.",
    )
    channel: str | int | None = Field(
        None, description="Channel of images with several: a number from 0, or red, green or blue."
    )
