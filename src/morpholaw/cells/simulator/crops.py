"""Simulation of labelled crops with known factors, rendered directly without a movie.

Crops are made in blocks with separate random streams, so that the same seed gives the same crops whether they are made
at once, in parts or by several processes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from scipy import ndimage

from morpholaw.cells.cells_table import cells_table
from morpholaw.cells.crop_record import CropOrigin
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.normalise import Normalisation
from morpholaw.cells.simulator.domains import DOMAINS, PIXEL_SIZE, Domain, domain_named
from morpholaw.cells.simulator.neighbours import CentralNuclei, place_neighbours
from morpholaw.cells.simulator.population import draw_nuclei
from morpholaw.cells.simulator.render import KIND_NAMES, Nuclei, blur, draw, expose
from morpholaw.cells.simulator.truth import in_view, labels_of, true_columns
from morpholaw.errors import InputError

BLOCK = 256
"""Number of crops per block."""
_MIXED = len(KIND_NAMES)  # number of the random stream for blocks of mixed phases


def simulate_crops(
    n: int | None = None,
    seed: int = 0,
    phases: Mapping[str, int] | None = None,
    *,
    domain: str = "mdck",
    size: int = 64,
    pixel_size: float = PIXEL_SIZE,
) -> tuple[np.ndarray, pd.DataFrame]:
    """Simulate crops around nuclei of known phase, area, axis ratio, orientation, position and surroundings.

    Parameters
    ----------
    n : int, optional
        Number of crops, with the domain's own mixture of phases. Optional if ``phases`` is given.
    seed : int
        Random seed; the same seed gives the same crops.
    phases : mapping of phase to count, optional
        Number of crops of each phase, generated one phase after the other, such as
        ``{"interphase": 4092, "metaphase": 3929}``.
    domain : {"mdck", "wide"}
        "mdck" resembles the MDCK recordings; "wide" varies much more, for pre-training an encoder.
    size : int
        Side length of a crop, in pixels.
    pixel_size : float
        Micrometres per pixel.

    Returns
    -------
    images : ndarray of uint8, shape (n, size, size)
        Crops, normalised like real crops; see `simulated_normalisation`.
    cells : DataFrame
        One row per crop with the columns of a cells table. ``group`` is the simulated track: one to five crops show the
        same nucleus in successive frames. The columns ``true_...`` are in um, um^2 and radians; ``true_orientation``
        is the angle of the major axis from the x axis towards y.

    Raises
    ------
    InputError
        If a phase, the domain or a count is invalid.
    """
    parts = list(simulate_blocks(n, seed, phases, domain=domain, size=size, pixel_size=pixel_size))
    if not parts:
        raise InputError("No crops to simulate: the number of crops must be at least 1.")
    cells = pd.concat([c for _, c in parts], ignore_index=True)
    cells["crop"] = np.arange(len(cells))
    return np.concatenate([images for images, _ in parts]), cells


def simulate_blocks(
    n: int | None = None,
    seed: int = 0,
    phases: Mapping[str, int] | None = None,
    *,
    domain: str = "mdck",
    size: int = 64,
    pixel_size: float = PIXEL_SIZE,
    blocks: slice = slice(None),
) -> Iterator[tuple[np.ndarray, pd.DataFrame]]:
    """Yield the results of `simulate_crops` in blocks of at most `BLOCK` crops, for sets larger than memory.

    ``blocks`` selects some of the blocks, so that several processes can share the work. Other arguments and errors are
    those of `simulate_crops`; ``crop`` counts within each block.
    """
    recipe = domain_named(domain)
    plan = _plan(n, phases, recipe)
    stream = list(DOMAINS).index(domain)
    for place in range(len(plan))[blocks]:
        kind, number, count = plan[place]
        rng = np.random.default_rng([seed, stream, kind, number])
        images, cells = _block(rng, kind, count, recipe, size, pixel_size)
        name = "mixed" if kind == _MIXED else KIND_NAMES[kind]
        cells["group"] = [f"{domain}-{seed}-{name}-{number}-{t}" for t in cells["track_id"]]
        cells["track_id"] += place * BLOCK
        yield images, cells


def _plan(n: int | None, phases: Mapping[str, int] | None, domain: Domain) -> list[tuple[int, int, int]]:
    """Return blocks as (kind, number of the block within its kind, number of crops)."""
    if phases is None:
        if n is None or n < 1:
            raise InputError(f"The number of crops to simulate must be at least 1, not {n!r}.")
        wanted = {_MIXED: n}
    else:
        unknown = [p for p in phases if p not in domain.shapes]
        if unknown:
            raise InputError(
                f"There is no simulated phase {unknown[0]!r}; the phases are {', '.join(domain.shapes)}."
            )
        if any(c < 0 for c in phases.values()) or not sum(phases.values()):
            raise InputError("The counts of crops per phase must be 0 or more, and not all 0.")
        if n is not None and n != sum(phases.values()):
            raise InputError(
                f"The number of crops, {n}, is not the sum of the counts per phase, {sum(phases.values())}."
            )
        wanted = {KIND_NAMES.index(p): c for p, c in phases.items()}
    return [
        (kind, number, min(BLOCK, count - number * BLOCK))
        for kind, count in wanted.items()
        for number in range(-(-count // BLOCK))
    ]


def simulated_normalisation(domain: Domain) -> Normalisation:
    """Return the result of `fit_normalisation` on crops of ``domain``, so that simulated and real crops share a scale.

    It applies to simulated brightness, in units of a typical interphase nucleus above background.
    """
    return Normalisation(background=0.0, scale=domain.typical_peak)


def _block(
    rng: np.random.Generator, kind: int, count: int, domain: Domain, size: int, pixel_size: float
) -> tuple[np.ndarray, pd.DataFrame]:
    """Draw the random numbers of a whole block, and only the first ``count`` of its crops."""
    centres = _draw_centres(rng, kind, domain, size, pixel_size)
    around = place_neighbours(rng, centres, domain, size, pixel_size)
    centres, around = centres[:count], around[around.image < count]
    everything = Nuclei.concatenate([centres.nuclei, around])
    images = _render(rng, everything, count, domain, size, pixel_size)
    scale = simulated_normalisation(domain)
    brightness = scale.brightness(images)
    table = _table(centres, around, size, pixel_size).assign(brightness=brightness)
    return scale.apply(images, brightness), table


def _draw_centres(
    rng: np.random.Generator, kind: int, domain: Domain, size: int, pixel_size: float
) -> CentralNuclei:
    lengths = rng.integers(1, 6, BLOCK)
    track = np.repeat(np.arange(BLOCK), lengths)[:BLOCK]
    frame = np.arange(BLOCK) - np.searchsorted(track, track)
    if kind == _MIXED:
        names = list(domain.mixture)
        share = np.array([domain.mixture[p] for p in names])
        of_track = rng.choice([KIND_NAMES.index(p) for p in names], BLOCK, p=share / share.sum())
    else:
        of_track = np.full(BLOCK, kind)
    crowd = rng.gamma(2.5, 1 / 2.5, BLOCK)
    per_track = draw_nuclei(rng, of_track, domain, crowd, pixel_size)
    nuclei = per_track[track]
    nuclei.image = np.arange(BLOCK)
    step = frame.astype(float)
    growth = rng.normal(0.0, 0.015, BLOCK)[track] * step
    nuclei.area = nuclei.area * np.exp(growth + rng.normal(0, 0.01, BLOCK))
    nuclei.brightness = nuclei.brightness * np.exp(-growth)
    nuclei.orientation = (
        nuclei.orientation + rng.normal(0, 0.08, BLOCK)[track] * step + rng.normal(0, 0.04, BLOCK)
    )
    nuclei.axis_ratio = np.maximum(1.0, nuclei.axis_ratio * np.exp(rng.normal(0, 0.02, BLOCK)))
    middle = (size - 1) / 2
    nuclei.y = middle + rng.normal(0, domain.offset, BLOCK)
    nuclei.x = middle + rng.normal(0, domain.offset, BLOCK)
    return CentralNuclei(nuclei, track, frame, crowd[track])


def _render(
    rng: np.random.Generator, nuclei: Nuclei, count: int, domain: Domain, size: int, pixel_size: float
) -> np.ndarray:
    margin = domain.margin
    side = size + 2 * margin
    shifted = nuclei[:]
    shifted.y, shifted.x = nuclei.y + margin, nuclei.x + margin
    clean = draw(shifted, (count, side, side))
    if domain.debris:
        clean += _debris(rng, count, domain, side)
    scale = PIXEL_SIZE / pixel_size
    sigma = rng.uniform(*domain.blur, BLOCK) * scale
    lost = rng.random(BLOCK) < domain.out_of_focus
    sigma = np.where(lost, rng.uniform(2.5, 5.5, BLOCK) * scale, sigma)
    images = blur(clean, sigma[:count], rng.uniform(*domain.haze, BLOCK)[:count])
    images = images[:, margin:-margin, margin:-margin]
    ramp = np.linspace(-1, 1, size, dtype=np.float32)
    slope = rng.normal(0, domain.gradient / 2, (2, BLOCK)).astype(np.float32)
    noise = _log_uniform(rng, domain.read_noise)
    # normalisation subtracts the fifth percentile, which is below the mean background because of its noise
    level = 1.645 * noise + rng.normal(0, domain.background, BLOCK)
    images = images + level[:count].astype(np.float32)[:, None, None]
    slope = slope[:, :count, None, None]
    images += slope[0] * ramp[:, None] + slope[1] * ramp
    return expose(rng, images, noise[:count], _log_uniform(rng, domain.photons)[:count])


def _log_uniform(rng: np.random.Generator, limits: tuple[float, float]) -> np.ndarray:
    values: np.ndarray = np.exp(rng.uniform(np.log(limits[0]), np.log(limits[1]), BLOCK))
    return values


def _debris(rng: np.random.Generator, count: int, domain: Domain, side: int) -> np.ndarray:
    """Draw small bright specks in some of the images."""
    specks = np.zeros((count, side, side), np.float32)
    number = rng.poisson(domain.debris * 3, BLOCK) * (rng.random(BLOCK) < 0.5)
    index = np.repeat(np.arange(BLOCK), number)
    y, x = rng.integers(0, side, (2, len(index)))
    light = rng.gamma(1.5, 4.0, len(index))
    drawn = index < count
    specks[index[drawn], y[drawn], x[drawn]] = light[drawn]
    for axis in (1, 2):
        specks = ndimage.gaussian_filter1d(specks, 0.8, axis=axis)
    return specks


def _table(centres: CentralNuclei, around: Nuclei, size: int, pixel_size: float) -> pd.DataFrame:
    nuclei = centres.nuclei
    middle = (size - 1) / 2
    seen = in_view(around, size)
    count = np.bincount(around.image[seen], minlength=len(nuclei))
    distance = np.full(len(nuclei), np.inf)
    apart = np.hypot(around.y - nuclei.y[around.image], around.x - nuclei.x[around.image]) * pixel_size
    np.minimum.at(distance, around.image[seen], apart[seen])
    truth = true_columns(nuclei, pixel_size)
    return cells_table(
        len(nuclei),
        track_id=centres.track,
        t=centres.frame,
        y=nuclei.y,
        x=nuclei.x,
        label=labels_of(nuclei),
        **truth,
        true_offset_y=nuclei.y - middle,
        true_offset_x=nuclei.x - middle,
        true_neighbours=count,
        true_neighbour_distance=np.where(np.isinf(distance), np.nan, distance),
    )


def simulate_crop_set(
    folder: str | os.PathLike[str],
    n: int | None = None,
    seed: int = 0,
    phases: Mapping[str, int] | None = None,
    *,
    domain: str = "mdck",
    labels: bool = True,
) -> CropSet:
    """Write simulated crops to a crop set.

    Parameters
    ----------
    folder : path
        Folder of the crop set to create.
    n, seed, phases, domain
        As for :func:`simulate_crops`.
    labels : bool
        If False, crops have no labels, for the training of an encoder only.

    Returns
    -------
    CropSet
    """
    images, cells = simulate_crops(n, seed, phases, domain=domain)
    if not labels:
        cells["label"] = ""
    scale = simulated_normalisation(domain_named(domain))
    origin = CropOrigin(kind="simulated", pixel_size=PIXEL_SIZE, normalisation=scale)
    return CropSet.write(folder, images, cells, origin)
