"""Chromatin patterns of each phase: functions that draw n patterns of one kind, listed in `KINDS`.

Each function returns chromatin density and mask, both (n, GRID, GRID) float32.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import ndimage

from morpholaw.cells.simulator.drawing import (
    GRID,
    chromosomes,
    each,
    mask_of,
    outline,
    polar,
    smooth_noise,
    spots,
)

Patterns = tuple[np.ndarray, np.ndarray]


def _interphase(
    rng: np.random.Generator, n: int, irregularity: tuple[float, float] = (0.03, 0.13)
) -> Patterns:
    rho = outline(rng, n, rng.uniform(*irregularity, n))
    mask = (rho < 1).astype(np.float32)
    edge = np.clip((1 - rho) / 0.08 + 0.5, 0, 1)
    dome = np.clip(1 - 0.97 * np.minimum(rho, 1) ** 2, 0, 1) ** each(rng.uniform(0.12, 0.5, n))
    coarse = each(rng.uniform(0.05, 0.17, n)) * smooth_noise(rng, n, 0.13)
    fine = each(rng.uniform(0.08, 0.3, n)) * smooth_noise(rng, n, 0.045)
    texture = np.exp(coarse + fine)
    nucleoli = spots(rng, n, (0, 5), rng.uniform(0.05, 0.6, n))
    return edge * dome * texture * nucleoli, mask


def _prometaphase(rng: np.random.Generator, n: int) -> Patterns:
    """Draw rosettes, horseshoes and balls of chromosomes; a quarter are granular nuclei of an earlier stage."""
    count = 44
    ring = rng.uniform(0, 1, (n, 1)) < 0.6
    gap = np.where(rng.random((n, 1)) < 0.4, rng.uniform(0.4, 2.2, (n, 1)), 0)
    phi = rng.uniform(0, 1, (n, count)) * (2 * np.pi - gap) + rng.uniform(0, 2 * np.pi, (n, 1))
    spread = rng.uniform(0.12, 0.3, (n, 1))
    r = np.where(ring, rng.normal(0.62, 1, (n, 1)).clip(0.5, 0.75) + spread * rng.normal(0, 1, (n, count)), 0)
    r = np.where(ring, np.abs(r).clip(max=1.1), 0.95 * np.sqrt(rng.random((n, count))))
    stretch = rng.uniform(0.6, 1.0, (n, 1))
    lumps = chromosomes(
        stretch * r * np.sin(phi),
        r * np.cos(phi),
        rng.uniform(0, np.pi, (n, count)),
        rng.uniform(0.1, 0.4, (n, count)),
        rng.gamma(3.0, 1.0, (n, count)),
        rng.uniform(0.06, 0.11, n),
    )
    haze = np.stack([ndimage.gaussian_filter(p, 5) for p in lumps])
    lumps = lumps + each(rng.uniform(0.6, 2.4, n)) * haze
    early = int(0.22 * n)
    body, body_mask = _interphase(rng, early, (0.08, 0.25))
    grains = np.exp(
        each(rng.uniform(0.22, 0.5, early))
        * (smooth_noise(rng, early, 0.06) + 0.6 * smooth_noise(rng, early, 0.12))
    )
    mask = mask_of(lumps, level=0.28, smooth=3.0)
    lumps[:early], mask[:early] = body * grains, body_mask
    return lumps, mask


def _plate(
    rng: np.random.Generator, n: int, half_length: np.ndarray, width: np.ndarray, count: int
) -> np.ndarray:
    """Draw chromosomes side by side across a line: a metaphase plate or one half of an anaphase."""
    x = half_length[:, None] * (np.linspace(-1, 1, count) + rng.normal(0, 0.045, (n, count)))
    bend = rng.normal(0, 0.12, (n, 1))
    y = bend * (x**2 - 0.3) + rng.normal(0, 1, (n, count)) * 0.22 * width[:, None]
    return chromosomes(
        y,
        x,
        np.pi / 2 + rng.normal(0, 0.35, (n, count)),
        width[:, None] * rng.uniform(0.8, 1.7, (n, count)),
        rng.gamma(10.0, 1.0, (n, count)),
        rng.uniform(0.075, 0.125, n),
    )


def _metaphase(rng: np.random.Generator, n: int) -> Patterns:
    """Draw plates from edge-on to tilted, some with chromosomes beside the plate and a few seen from the pole."""
    width = np.where(rng.random(n) < 0.8, rng.uniform(0.3, 0.55, n), rng.uniform(0.5, 0.8, n))
    plate = _plate(rng, n, rng.uniform(0.85, 1.1, n), width, 30)
    stray = 5
    shown = (rng.random((n, 1)) < 0.3) & (np.arange(stray) < rng.integers(1, stray + 1, (n, 1)))
    side = np.where(rng.random((n, stray)) < 0.5, 1, -1)
    beside = chromosomes(
        side * (width[:, None] + rng.uniform(0.08, 0.7, (n, stray))),
        rng.uniform(-0.8, 0.8, (n, stray)),
        rng.uniform(0, np.pi, (n, stray)),
        rng.uniform(0.05, 0.3, (n, stray)),
        np.where(shown, rng.gamma(4.0, 1.0, (n, stray)), 0.0),
        rng.uniform(0.06, 0.09, n),
    )
    cloud = rng.uniform(0.4, 1.5, n) * (rng.random(n) < 0.12)  # chromosomes still congressing, out of focus
    image = plate + beside
    image += each(cloud) * np.stack([ndimage.gaussian_filter(p, 9) for p in image])
    face_on = int(0.05 * n)
    phi, r = rng.uniform(0, 2 * np.pi, (face_on, 40)), rng.normal(0.55, 0.16, (face_on, 40))
    image[:face_on] = chromosomes(
        rng.uniform(0.7, 1, (face_on, 1)) * r * np.sin(phi),
        r * np.cos(phi),
        phi,
        rng.uniform(0.2, 0.45, (face_on, 40)),
        rng.gamma(5.0, 1.0, (face_on, 40)),
        rng.uniform(0.06, 0.09, face_on),
    )
    return image, mask_of(image)


def _anaphase(rng: np.random.Generator, n: int) -> Patterns:
    """Draw one of the two separating sets of chromosomes: a short, compact, often bent bar."""
    image = _plate(rng, n, rng.uniform(0.65, 0.95, n), rng.uniform(0.26, 0.55, n), 26)
    return image, mask_of(image)


def _balls(
    rng: np.random.Generator, n: int, counts: tuple[int, int], radii: tuple[float, float], spread: float
) -> np.ndarray:
    """Draw clusters of bright balls (n, GRID, GRID)."""
    y, x, _, _ = polar()
    image = np.zeros((n, GRID, GRID), np.float32)
    number = rng.integers(counts[0], counts[1] + 1, n)
    for k in range(counts[1]):
        radius = rng.uniform(*radii, n)
        r, phi = spread * np.sqrt(rng.random(n)) * (number > 1), rng.uniform(0, 2 * np.pi, n)
        d2 = (y - each(r * np.sin(phi))) ** 2 + (x - each(r * np.cos(phi))) ** 2
        ball = np.sqrt(np.clip(1 - d2 * each(radius**-2), 0, 1))
        bright = np.where(k < number, rng.uniform(0.4, 1.0, n), 0)
        image = np.maximum(image, each(bright) * ball)
    return image


def _apoptosis(rng: np.random.Generator, n: int) -> Patterns:
    """Draw pyknotic nuclei and apoptotic bodies: smooth bright balls."""
    half = n // 2
    image = np.concatenate(
        [_balls(rng, half, (3, 12), (0.12, 0.38), 0.85), _balls(rng, n - half, (1, 4), (0.35, 0.7), 0.5)]
    )
    return image, mask_of(image, smooth=1.0, whole=True)


def _lobes(
    rng: np.random.Generator,
    n: int,
    counts: tuple[int, int],
    step: tuple[float, float],
    radii: tuple[float, float],
) -> Patterns:
    """Draw nuclei of several lobes, each next to an earlier one, with seams between them."""
    y, x, _, _ = polar()
    image, mask = np.zeros((n, GRID, GRID), np.float32), np.zeros((n, GRID, GRID), np.float32)
    number = rng.integers(counts[0], counts[1] + 1, n)
    cy, cx = np.zeros((n, counts[1])), np.zeros((n, counts[1]))
    every = np.arange(n)
    for k in range(1, counts[1]):
        parent = rng.integers(0, k, n)
        phi, far = rng.uniform(0, 2 * np.pi, n), rng.uniform(*step, n)
        cy[:, k] = cy[every, parent] + far * np.sin(phi)
        cx[:, k] = cx[every, parent] + far * np.cos(phi)
    used = np.arange(counts[1]) < number[:, None]
    cy = np.clip(cy - (cy * used).sum(1, keepdims=True) / number[:, None], -1.1, 1.1)
    cx = np.clip(cx - (cx * used).sum(1, keepdims=True) / number[:, None], -1.1, 1.1)
    for k in range(counts[1]):
        radius = rng.uniform(*radii, n)
        turn, ratio = rng.uniform(0, np.pi, n), np.sqrt(rng.uniform(1, 1.5, n))
        dy, dx = y - each(cy[:, k]), x - each(cx[:, k])
        long, wide = 1 / (radius * ratio) ** 2, (ratio / radius) ** 2
        sin, cos = np.sin(turn), np.cos(turn)
        d2 = dx**2 * each(long * cos**2 + wide * sin**2) + dy**2 * each(long * sin**2 + wide * cos**2)
        d2 += dx * dy * each(2 * (long - wide) * sin * cos)
        lobe = np.clip(1 - d2, 0, 1) ** np.float32(0.35) * each(used[:, k])
        image = np.maximum(image, lobe * each(rng.uniform(0.7, 1.0, n)))
        mask = np.maximum(mask, lobe > 0)
    texture = np.exp(each(rng.uniform(0.05, 0.2, n)) * smooth_noise(rng, n, 0.05))
    nucleoli = spots(rng, n, (0, 5), rng.uniform(0.1, 0.6, n))
    return image * texture * nucleoli, mask.astype(np.float32)


def _polylobed(rng: np.random.Generator, n: int) -> Patterns:
    return _lobes(rng, n, (2, 6), (0.5, 0.8), (0.35, 0.6))


def _grape(rng: np.random.Generator, n: int) -> Patterns:
    return _lobes(rng, n, (6, 14), (0.3, 0.6), (0.18, 0.36))


def _binuclear(rng: np.random.Generator, n: int) -> Patterns:
    return _lobes(rng, n, (2, 2), (0.9, 1.35), (0.5, 0.72))


def _hole(rng: np.random.Generator, n: int) -> Patterns:
    body, mask = _interphase(rng, n)
    y, x, _, _ = polar()
    oy, ox = rng.normal(0, 0.12, (2, n)).astype(np.float32)[:, :, None, None]
    d2 = (y - oy) ** 2 + (x - ox) ** 2
    width = each(rng.uniform(0.25, 0.55, n))
    return body * (1 - each(rng.uniform(0.5, 0.9, n)) * np.exp(-((d2 / width**2) ** 2))), mask


def _folded(rng: np.random.Generator, n: int) -> Patterns:
    body, mask = _interphase(rng, n, (0.05, 0.25))
    y, x, _, _ = polar()
    turn = each(rng.uniform(0, np.pi, n))
    across = (
        x * np.cos(turn)
        + y * np.sin(turn)
        + 0.3 * each(rng.normal(0, 1, n)) * (y * np.cos(turn) - x * np.sin(turn)) ** 2
        - each(rng.normal(0, 0.3, n))
    )
    fold = np.exp(-(across**2) / (2 * each(rng.uniform(0.05, 0.15, n)) ** 2))
    strength = each(rng.choice([-0.6, 0.5, 0.9], n)) * each(rng.uniform(0.5, 1, n))
    return body * (1 + strength * fold), mask


KINDS: dict[str, Callable[[np.random.Generator, int], Patterns]] = {
    "interphase": _interphase,
    "prometaphase": _prometaphase,
    "metaphase": _metaphase,
    "anaphase": _anaphase,
    "apoptosis": _apoptosis,
    "polylobed": _polylobed,
    "binuclear": _binuclear,
    "grape": _grape,
    "hole": _hole,
    "folded": _folded,
}
"""Kinds of patterns with the functions that draw them."""
