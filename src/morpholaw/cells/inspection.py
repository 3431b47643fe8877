"""A report on a movie, tracks and labels: how they are understood, in sentences and one image. Nothing is written."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from morpholaw.cells.files import write_bytes
from morpholaw.cells.inputs import Comparison, Inputs, compare_pixels, open_chosen_movie, open_inputs
from morpholaw.cells.label_tables import open_label_table
from morpholaw.cells.movie_cells import MovieCells
from morpholaw.cells.movies import Movie
from morpholaw.cells.tracks import Tracks, divisions
from morpholaw.config import CropConfig
from morpholaw.display import counted
from morpholaw.errors import InputError

_THUMBNAIL = 640  # pixels of the longer side
_RING = (255, 170, 0)  # orange, visible on grey for colour-blind people too


@dataclass(frozen=True)
class InputReport:
    """How inputs are understood, and whether they fit each other.

    Attributes
    ----------
    lines : tuple of str
        Known facts about each input and their origin, one sentence each.
    doubts : tuple of str
        Doubtful or missing facts and automatic decisions, one sentence each.
    contradictions : tuple of str
        Facts that cannot all be true, each with a remedy; empty if the inputs fit.
    thumbnail : ndarray or None
        A frame with a ring around each tracked position, uint8 (height, width, 3); None without a movie.
    """

    lines: tuple[str, ...]
    doubts: tuple[str, ...] = ()
    contradictions: tuple[str, ...] = ()
    thumbnail: np.ndarray | None = None

    @property
    def fits(self) -> bool:
        """Whether there are no contradictions."""
        return not self.contradictions

    def text(self) -> str:
        """Return the report as lines of text."""
        parts = [*self.lines]
        parts += [f"Doubtful: {sentence}" for sentence in self.doubts]
        parts += [f"Contradiction: {sentence}" for sentence in self.contradictions]
        if self.fits:
            parts.append("The inputs fit each other." if not self.doubts else "Nothing contradicts itself.")
        return "\n".join(parts)


def inspect_inputs(
    movie: Any,
    tracks: Any = None,
    *,
    labels: Path | str | None = None,
    config: CropConfig | None = None,
    **settings: Any,
) -> InputReport:
    """Describe and compare a movie, its tracks and labels, without writing anything.

    Parameters
    ----------
    movie : path or array
        The movie, as for :meth:`morpholaw.Study.crop`.
    tracks : path, array or DataFrame, optional
        The tracks, as for :meth:`morpholaw.Study.crop`; without them, only the movie is described.
    labels : path, optional
        Table of classes that belongs to the tracks.
    config : CropConfig, optional
        Channel, position, frame offset, pixel size and similar settings.
    **settings
        Settings of :class:`morpholaw.CropConfig` that override ``config``.

    Returns
    -------
    InputReport
        The report. Its ``fits`` is False if inputs cannot be read or contradict each other.
    """
    values = {} if config is None else config.model_dump(exclude_unset=True)
    config = CropConfig.from_values(values | settings)
    try:
        opened = open_chosen_movie(movie, config)
    except InputError as error:
        return InputReport((), contradictions=(str(error),))
    lines = _movie_lines(opened)
    if tracks is None:
        return InputReport(tuple(lines), opened.facts.notes, (), _thumbnail(opened, None, config))
    try:
        inputs = open_inputs(opened, tracks, config)
    except InputError as error:
        return InputReport(tuple(lines), opened.facts.notes, (str(error),), _thumbnail(opened, None, config))
    lines += _track_lines(inputs.tracks)
    comparison = inputs.comparison + _compare_cells(inputs, config, labels, lines)
    thumbnail = _thumbnail(opened, inputs.tracks.table, config)
    return InputReport(tuple(lines), comparison.doubts, comparison.contradictions, thumbnail)


def write_picture(path: str | os.PathLike[str], report: InputReport) -> Path:
    """Write the image of a report as a PNG file; raise InputError if there is none."""
    from PIL import Image

    if report.thumbnail is None:
        raise InputError(f"There is no image to write to {path}, because the movie cannot be read.")
    stream = io.BytesIO()
    Image.fromarray(report.thumbnail).save(stream, format="PNG")
    return write_bytes(path, stream.getvalue())


def _compare_cells(
    inputs: Inputs, config: CropConfig, labels: Path | str | None, lines: list[str]
) -> Comparison:
    """Compare facts that need the planned cells (pixels and labels), and add descriptions to ``lines``."""
    try:
        cells = MovieCells(inputs.movie, inputs.tracks.table, config)
        findings = cells.look()
        if findings is not None:
            lines.append(findings.sentence)
        comparison = compare_pixels(cells)
        if labels is not None:
            table = open_label_table(labels, cells.table, inputs.movie.name)
            counts = pd.Series(table.classes).value_counts()
            listed = ", ".join(f"{count} {name}" for name, count in counts.items()) or "no class"
            lines.append(
                f"Labels {labels}: {len(table.crops)} of {len(cells)} cells have a class ({listed})."
            )
            comparison += Comparison(tuple(table.notes))
        return comparison
    except InputError as error:
        # do not repeat what the comparison of facts has reported
        return Comparison() if inputs.comparison.contradictions else Comparison((), (str(error),))


def _movie_lines(movie: Movie) -> list[str]:
    facts = movie.facts
    lines = [
        f"Movie {movie.name}: {counted(facts.frames, 'frame')} of {facts.height} x {facts.width} pixels, "
        f"{facts.dtype}, axes {facts.axes} ({facts.format})."
    ]
    if len(facts.files) > 1:
        lines.append(
            f"It consists of {len(facts.files)} files, {facts.files[0].name} to {facts.files[-1].name}."
        )
    for name, chosen, known in (
        ("Channel", facts.channel, facts.channels),
        ("Position", facts.position, facts.positions),
    ):
        if len(known) > 1:
            shown = "none chosen" if chosen is None else known[chosen]
            lines.append(f"{name}: {shown}, of {', '.join(known)}.")
    if facts.z is not None:
        lines.append(f"Of the z-stack: {facts.z}.")
    lines.append(_with_source("Pixel size", facts.pixel_size, "µm", facts.pixel_size_source))
    lines.append(_with_source("Frame interval", facts.frame_interval, "s", facts.frame_interval_source))
    return lines


def _with_source(what: str, value: float | None, unit: str, source: str | None) -> str:
    if value is None:
        return f"{what}: not known."
    return f"{what}: {value:.4g} {unit}{f' ({source})' if source else ''}."


def _track_lines(tracks: Tracks) -> list[str]:
    facts, table = tracks.facts, tracks.table
    count = table["track_id"].nunique()
    split = len(divisions(table))
    lines = [
        f"Tracks: {counted(len(table), 'position')} of {counted(count, 'track')} in frames {facts.frames[0]} to "
        f"{facts.frames[1]}, {counted(split, 'division')} ({facts.format})."
    ]
    if facts.automatic:
        lines.append("Cells were linked over time by Morpholaw.")
    if facts.image_size is not None:
        height, width = facts.image_size
        lines.append(
            f"They are of images of {height} x {width} pixels{_source(facts.sources, 'image_size')}."
        )
    if facts.frame_count is not None:
        lines.append(
            f"They are of a movie of {counted(facts.frame_count, 'frame')}{_source(facts.sources, 'frame_count')}."
        )
    if facts.pixel_size is not None:
        lines.append(f"They state {facts.pixel_size:.4g} µm per pixel{_source(facts.sources, 'pixel_size')}.")
    if facts.unit != "unknown":
        unit = {"um": "micrometres", "pixel": "pixels"}[facts.unit]
        lines.append(f"Positions in the file are in {unit}{_source(facts.sources, 'unit')}.")
    if "label" in table and (labelled := table["label"] != "").any():
        counts = table.loc[labelled, "label"].value_counts()
        lines.append("Classes in the file: " + ", ".join(f"{n} {name}" for name, n in counts.items()) + ".")
    ids = [name for name in ("source_track", "source_id") if name in table]
    if ids:
        lines.append(f"The file's own ids are kept ({', '.join(ids)}).")
    return lines


def _source(sources: Any, name: str) -> str:
    return f" ({sources[name]})" if name in sources else ""


def _thumbnail(movie: Movie, table: pd.DataFrame | None, config: CropConfig) -> np.ndarray | None:
    """Draw the frame with the most tracked cells, or the middle one, with a ring around each tracked position."""
    t = len(movie) // 2
    if table is not None:
        inside = table.loc[table["t"].between(0, len(movie) - 1), "t"]
        t = int(inside.mode().iloc[0]) if len(inside) else t
    try:
        frame = movie.frame(t).astype(np.float32)
    except InputError:
        return None
    step = -(-max(frame.shape) // _THUMBNAIL)
    small = frame[::step, ::step]
    low, high = np.percentile(small, (1, 99.7))
    grey = (np.clip((small - low) / max(high - low, 1e-6), 0, 1) * 255).astype(np.uint8)
    picture = np.repeat(grey[:, :, np.newaxis], 3, axis=2)
    if table is not None:
        here = table[table["t"] == t]
        _draw_rings(picture, here["y"].to_numpy() / step, here["x"].to_numpy() / step, config.size / 5 / step)
    return picture


def _draw_rings(picture: np.ndarray, y: np.ndarray, x: np.ndarray, radius: float) -> None:
    angle = np.linspace(0, 2 * np.pi, max(16, int(8 * radius)), endpoint=False)
    rows = np.rint(y[:, np.newaxis] + radius * np.sin(angle)).astype(np.int64)
    columns = np.rint(x[:, np.newaxis] + radius * np.cos(angle)).astype(np.int64)
    inside = (rows >= 0) & (rows < picture.shape[0]) & (columns >= 0) & (columns < picture.shape[1])
    picture[rows[inside], columns[inside]] = _RING
