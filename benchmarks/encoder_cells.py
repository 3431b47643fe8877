"""The cells for ``benchmarks/encoder_table.py``: simulated ones with known factors, and real ones from several sources.

Cells are simulated or imported once and kept in a folder, so that all variants of the encoder use the same ones.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import ndimage

from morpholaw.cells.simulator import simulate_crops
from morpholaw.cells.tracks import read_tracks
from morpholaw.study import Study

TWO_CLASSES = {"interphase": ["Interphase"], "metaphase": ["Metaphase", "MetaphaseAlignment"]}
FIVE_CLASSES = {
    **TWO_CLASSES,
    "prometaphase": ["Prometaphase"],
    "anaphase": ["Anaphase"],
    "apoptosis": ["Apoptosis"],
}
SIMULATED = {
    "mdck": {"n": 12_000, "seed": 31},
    "wide": {"n": 6_000, "seed": 32, "domain": "wide"},
    "train": {"phases": {"interphase": 1500, "metaphase": 1500}, "seed": 33},
    "test": {"phases": {"interphase": 500, "metaphase": 500}, "seed": 34},
    "factors": {"n": 4_000, "seed": 35},
    "swapped": {"phases": {"interphase": 2000, "metaphase": 2000}, "seed": 36},
}
"""What is simulated: crops for the encoder alone, cells to learn classes from and to test them, known factors, and
cells to be shown in other surroundings. Those are many, because few young interphase cells decide that row."""


@dataclass(frozen=True)
class Cells:
    """Crops with their classes and groups.

    Attributes
    ----------
    images : ndarray, uint8 (n, 64, 64)
        Normalised crops.
    table : DataFrame
        The cells table, with the columns ``label``, ``group`` and ``brightness``, and factors of simulated cells.
    """

    images: np.ndarray
    table: pd.DataFrame

    def __len__(self) -> int:
        return len(self.images)

    def rows(self, chosen: np.ndarray) -> Cells:
        """Return some of the cells, by number or by mask."""
        return Cells(
            self.images[chosen], self.table[chosen] if chosen.dtype == bool else self.table.iloc[chosen]
        )

    def of(self, classes: tuple[str, ...]) -> Cells:
        """Return the cells of ``classes``."""
        return self.rows(self.table["label"].isin(classes).to_numpy())

    def targets(self, classes: tuple[str, ...]) -> np.ndarray:
        """Return class numbers, int64 (n,)."""
        return self.table["label"].map({name: k for k, name in enumerate(classes)}).to_numpy(np.int64)

    @property
    def groups(self) -> np.ndarray:
        """Track or movie of each cell."""
        return self.table["group"].to_numpy()


def simulated_cells(name: str, folder: Path) -> Cells:
    """Return one of the simulated sets, from ``folder`` if it is already there."""
    file = folder / f"{name}.npz"
    if not file.exists():
        images, table = simulate_crops(**SIMULATED[name])  # type: ignore[arg-type]
        table = table.drop(columns="label").assign(label=table["true_phase"])
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(file, images=images)
        table.to_csv(file.with_suffix(".csv"), index=False)
    return Cells(np.load(file)["images"], pd.read_csv(file.with_suffix(".csv")))


def real_cells(data: Path, folder: Path) -> dict[str, Cells]:
    """Return the cells of three laboratories: "mitocheck", "hela" (another movie) and "mdck" (another cell line)."""
    study = Study.open_or_create(folder / "real")
    there = {crop_set.name for crop_set in study.sets}
    if "mitocheck" not in there:
        study.import_crops(
            data / "mitocheck_hela", name="mitocheck", classes=FIVE_CLASSES, group_regex=r"(PL.*?___P[^_]+)"
        )
    if "hela" not in there:
        study.crop(
            data / "hela_ctc_02" / "Fluo_Hela_02_img.tif", data / "hela_ctc_02" / "02_GT" / "TRA", name="hela"
        )
    if "mdck" not in there:
        one_folder = folder / "mdck_crops"
        for file in sorted((data / "mdck_h2b").rglob("*.tif")):
            place = one_folder / file.parent.name.lower()
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, place / file.name)
        study.import_crops(one_folder, name="mdck", classes={name: [name] for name in FIVE_CLASSES})
    cells = {name: study.crop_set(name) for name in ("mitocheck", "hela", "mdck")}
    found = {
        name: Cells(np.array(one.images), one.cells.reset_index(drop=True)) for name, one in cells.items()
    }
    found["hela"] = _by_divisions(found["hela"], data / "hela_ctc_02" / "02_GT" / "TRA")
    return found


def _by_divisions(cells: Cells, tracks: Path) -> Cells:
    """Label cells of a tracked movie: last images before a division, and images three or more frames away from one."""
    table = cells.table.drop(columns="label")
    links = read_tracks(tracks)
    parents = set(links["parent"]) - {-1}
    span = links.groupby("track_id")["t"].agg(["min", "max"])
    born = links.groupby("track_id")["parent"].first() != -1
    track, t = table["track_id"], table["t"]
    left = track.map(span["max"]) - t
    age = t - track.map(span["min"])
    divides = track.isin(parents)
    label = pd.Series("", index=table.index)
    label[~divides & (left >= 3) & ((age >= 3) | ~track.map(born).astype(bool))] = "interphase"
    label[divides & (left == 0)] = "metaphase"
    return replace(cells, table=table.assign(label=label, group=track.astype(str)))


def another_microscope(images: np.ndarray) -> np.ndarray:
    """Return crops as another laboratory might show them: denoised, with enhanced local contrast and no background.

    This stands in for a source whose images are not available: optics of twice the magnification, resampled to the same
    scale, and a contrast stretched for display.
    """
    pixels = images.astype(np.float32)
    smooth = ndimage.gaussian_filter(pixels, (0, 0.7, 0.7))
    sharp = smooth + 1.0 * (smooth - ndimage.gaussian_filter(pixels, (0, 3, 3)))
    low = np.percentile(sharp, 20, axis=(1, 2), keepdims=True)
    middle = sharp[:, 18:46, 18:46].reshape(len(sharp), -1)
    high = np.percentile(middle, 97, axis=1)[:, None, None]
    stretched = np.clip((sharp - low) / np.maximum(high - low, 1), 0, 3) ** 0.8
    return np.rint(np.clip(stretched * 85, 0, 255)).astype(np.uint8)
