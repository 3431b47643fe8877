"""Tracks of a movie arranged by generation, for models along lineages."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from morpholaw.evaluation.lineages import follow_cells


@dataclass(frozen=True)
class Generation:
    """Tracks whose mothers belong to the previous generation, aligned at their first frames.

    Attributes
    ----------
    row, frame, track : ndarray, int64 (cells,)
        Row of each cell in the table, and its frame and track in the arrays below.
    last : ndarray, int64 (tracks,)
        Last frame of each track, counted from its first.
    first, cut_off, divided : ndarray, bool (tracks,)
        Whether a track begins in the first frame of the movie, ends in the last frame, or ends in a linked division.
    mother : ndarray, int64 (tracks,)
        Mother of each track, an index into the previous generation; empty for the first generation.
    mothers_of_next : ndarray, int64 (tracks of the next generation,)
        Mothers of the next generation, indices into this one.
    likelihood : ndarray, float64 (frames, tracks, C)
        Likelihood of each stage given the image; 1 for missing images.
    """

    row: np.ndarray
    frame: np.ndarray
    track: np.ndarray
    last: np.ndarray
    first: np.ndarray
    cut_off: np.ndarray
    divided: np.ndarray
    mother: np.ndarray
    mothers_of_next: np.ndarray
    likelihood: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 0)))

    def with_rows(self, likelihood: np.ndarray) -> Generation:
        """Return the generation with likelihoods (n, C) for the rows of the table."""
        frames = np.ones((int(self.last.max()) + 1, len(self.last), likelihood.shape[1]))
        frames[self.frame, self.track] = likelihood[self.row]
        return replace(self, likelihood=frames)

    def product_of_sisters(self, values: np.ndarray) -> np.ndarray:
        """Return the product of the values of each track's sisters, (tracks, C); 1 without sisters."""
        logs = np.log(np.where(values > 0, values, 1.0))
        zeros = (values <= 0).astype(np.int64)
        mothers = int(self.mother.max(initial=-1)) + 1
        all_logs, all_zeros = np.zeros((mothers, values.shape[1])), np.zeros((mothers, values.shape[1]))
        np.add.at(all_logs, self.mother, logs)
        np.add.at(all_zeros, self.mother, zeros)
        possible = all_zeros[self.mother] == zeros
        product: np.ndarray = np.where(possible, np.exp(all_logs[self.mother] - logs), 0.0)
        return product


def generations_of(cells: pd.DataFrame) -> list[Generation]:
    """Return the generations of all cells, mothers before daughters.

    Parameters
    ----------
    cells : DataFrame
        ``track_id``, ``t`` and ``parent`` (-1: none), one row per image of a cell. A track whose parent has no other
        child continues the parent, and daughters of a division that do not begin after their mother are on their own.
    """
    _, t = np.unique(cells["t"].to_numpy(), return_inverse=True)  # frames without any cell do not count
    lineages = follow_cells(cells.assign(t=t, row=np.arange(len(cells)), **{"class": ""}), infer=False)
    images, tracks = lineages.images, lineages.cells
    row, frame, track = (images[name].to_numpy() for name in ("row", "t", "cell"))
    first, last, mother = (tracks[name].to_numpy() for name in ("first", "last", "mother"))
    level = np.zeros(len(tracks), np.int64)
    for one in np.argsort(first, kind="stable"):  # mothers begin before their daughters
        if mother[one] >= 0:
            level[one] = level[mother[one]] + 1
    generations: list[Generation] = []
    place = np.zeros(len(tracks), np.int64)
    for number in range(int(level.max()) + 1):
        members = np.flatnonzero(level == number)
        above = place[mother[members]] if number else np.zeros(0, np.int64)
        place[members] = np.arange(len(members))
        if generations:
            generations[-1] = replace(generations[-1], mothers_of_next=above)
        of_level = level[track] == number
        generations.append(
            Generation(
                row[of_level],
                frame[of_level] - first[track[of_level]],
                place[track[of_level]],
                last[members] - first[members],
                first[members] == 0,
                last[members] == t.max(),
                np.isin(members, mother),
                above,
                np.zeros(0, np.int64),
            )
        )
    return generations
