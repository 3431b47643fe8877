"""Linking of masks by LapTrack, which solves all links between two frames together and so copes with crowded cells.

LapTrack (Fukai and Kawaguchi, Bioinformatics 2023) is an optional package:
``pip install "napari-morpholaw[laptrack]"``.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from morpholaw.cells.linking import MISSED, REACH
from morpholaw.cells.mask_centroids import stack_centroids
from morpholaw.errors import InputError


def link_masks_by_laptrack(frames: Iterable[tuple[int, np.ndarray]]) -> pd.DataFrame:
    """Link the masks of successive frames, with gaps and divisions.

    Arguments and results are those of :func:`morpholaw.cells.linking.link_masks`.

    Raises
    ------
    InputError
        If LapTrack is not installed.
    """
    try:
        from laptrack import LapTrack
    except ImportError:
        raise InputError(
            'Linking with LapTrack needs a package that is not installed: pip install "napari-morpholaw[laptrack]". '
            "Without it, --ids linked links by overlap."
        ) from None
    table = stack_centroids(frames).rename(columns={"track_id": "mask_id"})
    if len(table) == 0:
        return table.assign(track_id=0, parent=-1)
    # LapTrack's metric is the squared distance. Daughters may be as far from their mother as a cell may move.
    reach = REACH**2 * 4 * np.median(table["area"]) / np.pi
    tracker = LapTrack(
        cutoff=reach,
        gap_closing_cutoff=reach,
        gap_closing_max_frame_count=MISSED,
        splitting_cutoff=reach,
    )
    points, splits, _ = tracker.predict_dataframe(
        table, ["y", "x"], frame_col="t", only_coordinate_cols=False
    )
    linked = points.reset_index(drop=True)
    parents = (
        dict(zip(splits["child_track_id"], splits["parent_track_id"], strict=True)) if len(splits) else {}
    )
    linked["parent"] = [parents.get(track, -2) + 1 for track in linked["track_id"]]
    linked["track_id"] += 1
    return linked[["track_id", "t", "y", "x", "area", "parent", "mask_id"]].astype(
        {"track_id": np.int64, "parent": np.int64}
    )
