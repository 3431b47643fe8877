"""Crops of the shipped sample: to simulate as many would take a new process four seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from morpholaw.cells.crop_record import CropOrigin
from morpholaw.cells.crop_set import CropSet
from morpholaw.sample import sample_folder


def write_sample_crops(folder: Path, **counts: int) -> np.ndarray:
    """Write a crop set with so many crops of each class, evenly spaced over the sample; return the crops."""
    sample = CropSet(sample_folder() / "labelled")
    labels = sample.cells["label"].to_numpy(str)
    chosen = np.concatenate(
        [
            (of_class := np.flatnonzero(labels == name))[np.linspace(0, len(of_class) - 1, count).astype(int)]
            for name, count in counts.items()
        ]
    )
    images = sample.images[chosen]
    CropSet.write(
        folder, images, sample.cells.iloc[chosen].reset_index(drop=True), CropOrigin(kind="simulated")
    )
    return images
