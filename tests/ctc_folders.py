"""Cell Tracking Challenge folders of masks and tracks made by a test."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import tifffile


def write_ctc(folder: Path, masks: Iterable[np.ndarray], tracks: pd.DataFrame) -> Path:
    """Write masks of track ids (0: background) and their lineage: man_track.txt, man_track000.tif, ..."""
    folder.mkdir(parents=True, exist_ok=True)
    for t, mask in enumerate(masks):
        tifffile.imwrite(folder / f"man_track{t:03d}.tif", np.asarray(mask, np.uint16), compression="zlib")
    spans = tracks.groupby("track_id").agg(begin=("t", "min"), end=("t", "max"), parent=("parent", "first"))
    spans["parent"] = spans["parent"].clip(lower=0)
    lines = [f"{track} {row.begin} {row.end} {row.parent}\n" for track, row in spans.iterrows()]
    (folder / "man_track.txt").write_text("".join(lines))
    return folder
