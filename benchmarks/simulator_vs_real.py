"""Simulated crops compared with real MDCK H2B crops: a montage and a table, written to docs/.

    python benchmarks/simulator_vs_real.py FOLDER_OF_MDCK_CROPS

The folder has images of 64 x 64 pixels (0.333 um per pixel) in subfolders named after their class. Real and
simulated crops are normalised and measured in the same way.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import ndimage

from morpholaw.cells.normalise import Normalisation, fit_normalisation
from morpholaw.cells.simulator import PHASES, simulate_crops

DOCS = Path(__file__).resolve().parent.parent / "docs"
PIXEL_SIZE = 0.333
SHOWN = ("interphase", "prometaphase", "metaphase", "anaphase")
COLUMNS = 14
FACTORS = {
    "area": "area (µm²)",
    "axis_ratio": "axis ratio",
    "brightness": "brightness, relative to interphase",
    "noise": "noise (sd), relative to interphase brightness",
    "texture": "texture (sd / mean)",
}


def real_crops(folder: Path) -> dict[str, np.ndarray]:
    """Return the raw crops (n, 64, 64) of each class, without duplicates."""
    import tifffile

    crops: dict[str, dict[bytes, np.ndarray]] = {phase: {} for phase in SHOWN}
    for path in sorted(folder.rglob("*.tif*")):
        phase = path.parent.name.lower()
        picture = np.squeeze(tifffile.imread(path))
        if phase in crops and picture.shape == (64, 64) and picture.min() > 0:
            crops[phase].setdefault(picture.tobytes(), picture)
    return {phase: np.stack(list(pictures.values())) for phase, pictures in crops.items()}


def simulate(phase: str, count: int) -> np.ndarray:
    """Return crops of one phase as brightness above background; 1 is the brightest chromatin of a typical cell."""
    images, cells = simulate_crops(phases={phase: count}, seed=7)
    return Normalisation(0.0, 1.0).invert(images, cells["brightness"].to_numpy())


def measure(picture: np.ndarray) -> dict[str, float] | None:
    """Measure the nucleus nearest to the centre of a crop of brightness above background."""
    smooth = ndimage.gaussian_filter(picture, 1.0)
    floor = float(np.median(picture[picture <= np.percentile(picture, 40)]))
    seed = smooth[24:40, 24:40].max() - floor
    pieces, count = ndimage.label(smooth > floor + 0.4 * seed)
    if not count:
        return None
    centres = np.array(ndimage.center_of_mass(pieces > 0, pieces, range(1, count + 1))) - 31.5
    sizes = np.bincount(pieces.ravel())[1:]
    mine = pieces == 1 + np.argmin(np.hypot(*centres.T) + np.where(sizes < 30, 99, 0))
    border = np.ones_like(mine)
    border[1:-1, 1:-1] = False
    if (mine & border).sum() > 3 or mine.sum() < 30:
        return None
    level = floor + 0.5 * (np.percentile(smooth[mine], 75) - floor)
    pieces, _ = ndimage.label(smooth > level)
    name = pieces[mine & (smooth > level)]
    mine = pieces == np.bincount(name[name > 0]).argmax()
    yx = np.argwhere(mine)
    variance = np.linalg.eigvalsh(np.cov(yx.T) + np.eye(2) / 12)
    mean = picture[mine].mean() - floor
    far = smooth < floor + 0.12 * mean
    step = np.diff(picture, axis=0)[far[1:] & far[:-1]]
    inside = ndimage.binary_erosion(mine, iterations=2)
    return {
        "area": mine.sum() * PIXEL_SIZE**2,
        "axis_ratio": float(np.sqrt(variance[1] / variance[0])),
        "brightness": float(mean),
        "noise": float(step.std() / np.sqrt(2)),
        "texture": float(ndimage.gaussian_filter(picture, 0.7)[inside].std() / mean)
        if inside.any()
        else np.nan,
    }


def measured(crops: dict[str, np.ndarray]) -> pd.DataFrame:
    """Measure every crop; brightness and noise are relative to the median interphase nucleus."""
    rows = [
        {"phase": phase, **found}
        for phase, pictures in crops.items()
        for picture in pictures
        if (found := measure(picture)) is not None
    ]
    table = pd.DataFrame(rows)
    unit = table.loc[table.phase == "interphase", "brightness"].median()
    table[["brightness", "noise"]] /= unit
    return table


def markdown(real: pd.DataFrame, simulated: pd.DataFrame) -> str:
    """Return the table of medians with the central 80 %, real beside simulated."""
    lines = [
        "| phase | factor | real: median (10th to 90th percentile) "
        "| simulated: median (10th to 90th percentile) | simulated / real |",
        "| --- | --- | --- | --- | --- |",
    ]
    for phase in SHOWN:
        pair = [t[t.phase == phase] for t in (real, simulated)]
        for factor, title in FACTORS.items():
            q = [np.nanpercentile(t[factor], (50, 10, 90)) for t in pair]
            text = [f"{m:.2f} ({lo:.2f}-{hi:.2f})" for m, lo, hi in q]
            lines.append(f"| {phase} | {title} | {text[0]} | {text[1]} | {q[1][0] / q[0][0]:.2f} |")
        lines.append(f"| {phase} | number of crops measured | {len(pair[0])} | {len(pair[1])} | |")
    return "\n".join(lines)


def montage(real: dict[str, np.ndarray], simulated: dict[str, np.ndarray]) -> np.ndarray:
    """Return the montage, uint8 (y, x): for each phase two rows of real crops, then two of simulated ones."""

    def rows(crops: np.ndarray, count: int) -> np.ndarray:
        chosen = crops[np.linspace(0, len(crops) - 1, count * COLUMNS).astype(int)]
        framed = np.pad(chosen, ((0, 0), (0, 2), (0, 2)), constant_values=60)
        return framed.reshape(count, COLUMNS, 66, 66).swapaxes(1, 2).reshape(count * 66, COLUMNS * 66)

    strips = []
    for phase in SHOWN:
        strips += [rows(real[phase], 2), rows(simulated[phase], 2)]
        strips.append(np.full((6, COLUMNS * 66), 255, np.uint8))
    return np.concatenate(strips[:-1])


def figure(picture: np.ndarray, path: Path) -> None:
    """Save the montage with names beside its rows."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height, width = picture.shape
    canvas = Figure(figsize=((width + 110) / 72, height / 72), dpi=144)
    FigureCanvasAgg(canvas)
    axes = canvas.add_axes((110 / (width + 110), 0, width / (width + 110), 1))
    axes.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest", aspect="auto")
    axes.set_axis_off()
    for k, phase in enumerate(SHOWN):
        for j, origin in enumerate(("real", "simulated")):
            y = (k * 270 + j * 132 + 66) / height
            canvas.text(0.005, 1 - y, f"{phase}\n{origin}", fontsize=9, va="center")
    path.parent.mkdir(parents=True, exist_ok=True)
    canvas.savefig(path)


def main() -> None:
    """Make the montage and the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--docs", type=Path, default=DOCS)
    parser.add_argument("--count", type=int, default=300, help="simulated crops per phase")
    options = parser.parse_args()
    raw = real_crops(options.folder)
    simulated = {p: simulate(p, options.count) for p in PHASES if p in SHOWN}
    # a typical interphase is as bright in both pictures, and a plate up to five times brighter
    scales = [replace(fit_normalisation(x["interphase"], per="source"), ceiling=5) for x in (raw, simulated)]
    shown = [
        {p: c.apply(x) for p, x in pictures.items()}
        for c, pictures in zip(scales, (raw, simulated), strict=True)
    ]
    figure(montage(*shown), options.docs / "images" / "simulator_montage.png")
    # real crops are measured unclipped: those of one session have a lower background
    unclipped = {p: (c - scales[0].background) / scales[0].scale for p, c in raw.items()}
    table = markdown(measured(unclipped), measured(simulated))
    print(table)
    page = options.docs / "simulator.md"
    if page.exists():
        head, _, rest = page.read_text().partition("<!-- table -->")
        _, _, tail = rest.partition("<!-- end of table -->")
        page.write_text(f"{head}<!-- table -->\n{table}\n<!-- end of table -->{tail}")


if __name__ == "__main__":
    main()
