"""Simulated crops as a crop set on disk, with or without their labels."""

from __future__ import annotations

import os
from collections.abc import Mapping

from morpholaw.cells.crop_record import CropOrigin
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.simulator.crops import simulate_crops, simulated_normalisation
from morpholaw.cells.simulator.domains import PIXEL_SIZE, domain_named


def simulate_crop_set(
    folder: str | os.PathLike[str],
    n: int | None = None,
    seed: int = 0,
    phases: Mapping[str, int] | None = None,
    *,
    domain: str = "mdck",
    labels: bool = True,
) -> CropSet:
    """Write simulated crops to a folder; other arguments as for :func:`simulate_crops`.

    Parameters
    ----------
    folder : path
        Where the crop set is written.
    labels : bool
        False leaves the labels out, for crops that only the encoder is to see.
    """
    images, cells = simulate_crops(n, seed, phases, domain=domain)
    if not labels:
        cells["label"] = ""
    scale = simulated_normalisation(domain_named(domain))
    origin = CropOrigin(kind="simulated", pixel_size=PIXEL_SIZE, normalisation=scale)
    return CropSet.write(folder, images, cells, origin)
