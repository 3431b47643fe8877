"""Simulation of a tracked H2B movie in which every factor is known."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from morpholaw.cells.files import atomic_file, write_table
from morpholaw.cells.simulator.colony import Colony
from morpholaw.cells.simulator.domains import MDCK, PIXEL_SIZE
from morpholaw.cells.simulator.render import Nuclei, blur, draw, draw_masks, expose
from morpholaw.cells.simulator.truth import in_view, labels_of, true_columns
from morpholaw.config import SimulateConfig
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Monitor, Progress

CAMERA_OFFSET = 200.0
"""Grey level of the empty background."""
CAMERA_GAIN = 400.0
"""Grey levels per unit of brightness: a typical interphase nucleus above background."""
TRACK_COLUMNS = ["track_id", "t", "y", "x", "parent", "label"]
VIEW = 64
"""Side length of the crop in which neighbours are counted, in pixels."""
_MOST_TRACKS = np.iinfo(np.uint16).max


@dataclass(frozen=True)
class SimulatedMovie:
    """A simulated movie with its ground truth and settings.

    Attributes
    ----------
    movie : ndarray of uint16, shape (t, y, x)
        Raw grey levels of the camera.
    masks : ndarray of uint16, shape (t, y, x)
        Track id of the nucleus at each pixel; 0 for background.
    tracks : DataFrame
        Columns ``track_id, t, y, x, parent, label`` and ``true_...``; ``parent`` is -1 without a parent.
        ``true_phase_frames`` is the duration of the present phase of mitosis, with fractions of a frame. A mother's
        track ends with her last metaphase frame; her daughters start in anaphase in the next frame.
    config : SimulateConfig
        Settings of the simulation.
    """

    movie: np.ndarray
    masks: np.ndarray
    tracks: pd.DataFrame
    config: SimulateConfig

    def write(self, folder: str | os.PathLike[str]) -> Path:
        """Write ``movie.tif``, ``masks.tif``, ``tracks.csv`` and ``truth.csv``; return the folder."""
        folder = Path(folder)
        for name, frames in (("movie.tif", self.movie), ("masks.tif", self.masks)):
            _write_tiff(folder / name, frames, self.config.pixel_size, self.config.frame_interval)
        write_table(folder / "tracks.csv", self.tracks[TRACK_COLUMNS])
        truth = [c for c in self.tracks if c.startswith("true_")]
        write_table(folder / "truth.csv", self.tracks[["track_id", "t", *truth]])
        return folder


def simulate_movie(config: SimulateConfig, monitor: Monitor = SILENT) -> SimulatedMovie:
    """Simulate cells that grow, crowd, move and divide, as recorded by a camera.

    Parameters
    ----------
    config : SimulateConfig
        Frames, cells in the first frame, size of a frame, pixel size and seed.
    monitor : Monitor
        Receives progress per frame. If it asks to stop, the movie ends at the last finished frame.

    Returns
    -------
    SimulatedMovie

    Raises
    ------
    InputError
        If there would be more tracks than fit in a 16-bit mask.
    """
    size = (config.height, config.width)
    optics = _Optics(config)
    movie, masks, tables = [], [], []
    for nuclei, table in _frames(config, monitor):
        track = table["track_id"].to_numpy()
        movie.append(optics.expose(draw(nuclei, (1, *size))))
        masks.append(draw_masks(nuclei, track, (1, *size))[0].astype(np.uint16))
        tables.append(table)
        monitor.emit(Progress(len(tables), config.frames, "simulating"))
    tracks = pd.concat(tables).sort_values(["track_id", "t"], ignore_index=True)
    return SimulatedMovie(np.stack(movie), np.stack(masks), tracks, config)


def simulate_tracks(config: SimulateConfig) -> pd.DataFrame:
    """Return the tracks of :func:`simulate_movie` without rendering images.

    Parameters
    ----------
    config : SimulateConfig
        Settings, as for the movie.

    Returns
    -------
    DataFrame
        The ``tracks`` of :class:`SimulatedMovie`.
    """
    tables = [table for _, table in _frames(config, SILENT)]
    return pd.concat(tables).sort_values(["track_id", "t"], ignore_index=True)


def without_links(table: pd.DataFrame, share: float, rng: np.random.Generator) -> pd.DataFrame:
    """Return tracks without the links from mothers to daughters for a share of the divisions, drawn at random.

    Parameters
    ----------
    table : DataFrame
        Tracks with ``track_id`` and ``parent``.
    share : float
        Share of the mothers whose daughters lose their parent.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    DataFrame
    """
    mothers = table.loc[table["parent"] >= 0, "parent"].unique()
    lost = rng.choice(mothers, int(share * len(mothers)), replace=False)
    return table.assign(parent=np.where(table["parent"].isin(lost), -1, table["parent"]))


def _frames(config: SimulateConfig, monitor: Monitor) -> Iterator[tuple[Nuclei, pd.DataFrame]]:
    """Yield the nuclei and the table of each frame."""
    colony = Colony(
        np.random.default_rng([config.seed, 1]),
        config.cells,
        config.height * config.pixel_size,
        config.width * config.pixel_size,
        MDCK,
        None if config.metaphase is None else (config.metaphase, config.metaphase_spread),
    )
    for t in range(config.frames):
        if t and monitor.should_stop():
            return
        if t:
            colony.step()
        nuclei, cells = colony.nuclei(config.pixel_size), colony.cells
        if cells.track.max() > _MOST_TRACKS:
            raise InputError(
                f"By frame {t}, the simulated movie has more than {_MOST_TRACKS} tracks, the maximum for masks; "
                "simulate fewer cells or frames."
            )
        table = _table(nuclei, cells.track, cells.parent, t, config.pixel_size)
        yield nuclei, table.assign(true_phase_frames=cells.lasts)


class _Optics:
    """A microscope with the same blur, uneven background and noise for the whole movie."""

    def __init__(self, config: SimulateConfig) -> None:
        self._rng = rng = np.random.default_rng([config.seed, 2])
        self._sigma = np.array([rng.uniform(1.0, 1.4)]) * PIXEL_SIZE / config.pixel_size
        self._haze = np.array([rng.uniform(0.03, 0.06)])
        self._read_noise = np.array([rng.uniform(0.05, 0.07)])
        self._photons = np.array([rng.uniform(250.0, 500.0)])
        y, x = (np.linspace(-1, 1, n, dtype=np.float32) for n in (config.height, config.width))
        tilt = rng.normal(0, 0.03, 2).astype(np.float32)
        self._background = tilt[0] * y[:, None] + tilt[1] * x[None]

    def expose(self, clean: np.ndarray) -> np.ndarray:
        """Return the grey levels (y, x) uint16 for the chromatin of one frame (1, y, x)."""
        pad = 24  # the blur wraps around
        wide = np.pad(clean, ((0, 0), (pad, pad), (pad, pad)))
        seen = blur(wide, self._sigma, self._haze)[:, pad:-pad, pad:-pad]
        noisy = expose(self._rng, seen + self._background, self._read_noise, self._photons)[0]
        counts = np.rint(CAMERA_OFFSET + CAMERA_GAIN * noisy)
        levels: np.ndarray = np.clip(counts, 0, np.iinfo(np.uint16).max).astype(np.uint16)
        return levels


def _table(nuclei: Nuclei, track: np.ndarray, parent: np.ndarray, t: int, pixel_size: float) -> pd.DataFrame:
    number, distance = _neighbours(nuclei)
    return pd.DataFrame(
        {
            "track_id": track.astype(np.int64),
            "t": np.int64(t),
            "y": nuclei.y,
            "x": nuclei.x,
            "parent": parent.astype(np.int64),
            "label": labels_of(nuclei),
            **true_columns(nuclei, pixel_size),
            "true_offset_y": 0.0,
            "true_offset_x": 0.0,
            "true_neighbours": number,
            "true_neighbour_distance": distance * pixel_size,
        }
    )


def _neighbours(nuclei: Nuclei) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of nuclei that extend into the crop around each nucleus, and the distance to the nearest."""
    place = np.stack([nuclei.y, nuclei.x], 1)
    pairs = cKDTree(place).query_pairs(VIEW / np.sqrt(2) + float(nuclei.radius.max()), output_type="ndarray")
    i, j = np.concatenate([pairs, pairs[:, ::-1]]).T
    other = nuclei[j]
    middle = (VIEW - 1) / 2
    other.y, other.x = nuclei.y[j] - nuclei.y[i] + middle, nuclei.x[j] - nuclei.x[i] + middle
    seen = in_view(other, VIEW)
    number = np.bincount(i[seen], minlength=len(nuclei)).astype(np.int64)
    distance = np.full(len(nuclei), np.inf)
    np.minimum.at(distance, i[seen], np.hypot(*(place[j] - place[i])[seen].T))
    return number, np.where(number > 0, distance, np.nan)


def _write_tiff(path: Path, frames: np.ndarray, pixel_size: float, frame_interval: float | None) -> None:
    import tifffile

    metadata: dict[str, str | float] = {
        "axes": "TYX",
        "PhysicalSizeX": pixel_size,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": pixel_size,
        "PhysicalSizeYUnit": "µm",
    }
    if frame_interval is not None:
        metadata |= {"TimeIncrement": frame_interval, "TimeIncrementUnit": "s"}
    with atomic_file(path) as handle:
        tifffile.imwrite(handle, frames, ome=True, compression="zlib", predictor=True, metadata=metadata)
