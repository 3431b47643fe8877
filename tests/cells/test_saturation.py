"""Saturated cells are noticed; few grey levels, noise and bright cells are not taken for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from morpholaw.cells.import_crops import import_crops
from morpholaw.cells.inspection import inspect_inputs
from morpholaw.cells.saturation import saturated
from morpholaw.events import Message, Monitor


def nuclei(n: int = 12) -> np.ndarray:
    """Crops of one round nucleus each, with noise, in 12 bits."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[-32:32, -32:32]
    wide = rng.uniform(6, 9, n)[:, None, None]
    light = 200 + 3000 * np.exp(-(y**2 + x**2) / (2 * wide**2))
    return rng.normal(light, np.sqrt(light)).astype(np.uint16)


@pytest.mark.parametrize(
    "change",
    [
        lambda crops: crops,
        lambda crops: (crops // 16).astype(np.uint8),
        lambda crops: (crops // 300).astype(np.uint8),
        lambda crops: crops.astype(np.float32) / 4095,
        np.zeros_like,
    ],
    ids=["12 bits", "8 bits", "eleven grey levels", "float", "blank"],
)
def test_cells_that_are_not_saturated(change) -> None:
    assert saturated(change(nuclei())).mean() < 0.1


@pytest.mark.parametrize(
    "change",
    [
        lambda crops: np.minimum(crops, 2000),
        lambda crops: np.clip((crops.astype(int) - 200) // 6, 0, 255).astype(np.uint8),
        lambda crops: (crops > 1500) * np.uint8(255),
    ],
    ids=["saturated camera", "stretched contrast", "black and white"],
)
def test_cells_whose_brightest_parts_are_cut_off(change) -> None:
    assert saturated(change(nuclei())).mean() > 0.9


def test_a_saturated_movie_and_saturated_crops_are_reported(tmp_path: Path) -> None:
    crops = np.minimum(nuclei(), 2000)
    frame = np.concatenate([np.concatenate(list(crops[k : k + 4]), axis=1) for k in (0, 4, 8)])
    places = [(k + 1, t, 32 + 64 * (k // 4), 32 + 64 * (k % 4)) for k in range(12) for t in range(2)]
    tracks = pd.DataFrame(places, columns=["track_id", "t", "y", "x"])
    report = inspect_inputs(np.stack([frame, frame + np.uint16(1)]), tracks)
    assert [doubt for doubt in report.doubts if "has the same, brightest value" in doubt]
    folder = tmp_path / "crops" / "metaphase"
    folder.mkdir(parents=True)
    for k, crop in enumerate(crops):
        Image.fromarray(crop).save(folder / f"{k}.png")
    messages: list[str] = []

    def keep(event: object) -> None:
        if isinstance(event, Message):
            messages.append(event.text)

    import_crops(folder.parent, tmp_path / "set", monitor=Monitor(emit=keep))
    assert [text for text in messages if "In 100 % of the cells of crops" in text]
