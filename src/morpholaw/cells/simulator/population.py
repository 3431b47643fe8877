"""Random nuclei of a domain, with areas, axis ratios and brightnesses that fit each other."""

from __future__ import annotations

import numpy as np

from morpholaw.cells.simulator.domains import Domain
from morpholaw.cells.simulator.patterns import pattern_bank
from morpholaw.cells.simulator.render import KIND_NAMES, Nuclei


def draw_nuclei(
    rng: np.random.Generator, kinds: np.ndarray, domain: Domain, crowding: np.ndarray, pixel_size: float
) -> Nuclei:
    """Draw one nucleus of each kind. Crowded interphase nuclei are smaller. Positions are zero.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    kinds : ndarray of int, shape (n,)
        Indices into `KIND_NAMES`.
    domain : Domain
        The family of images.
    crowding : ndarray of shape (n,)
        Local density relative to its mean.
    pixel_size : float
        Micrometres per pixel.

    Returns
    -------
    Nuclei
    """
    n = len(kinds)
    area, ratio, brightness = np.empty(n), np.empty(n), np.empty(n)
    pattern = rng.integers(0, 1 << 16, n)
    level = np.exp(rng.normal(0, domain.brightness_spread, n)).clip(0.3, 3.0)
    for kind in np.unique(kinds):
        name = KIND_NAMES[kind]
        shape, members = domain.shapes[name], kinds == kind
        bank = pattern_bank(name)
        count = int(members.sum())
        log_area = np.log(shape.area) + rng.normal(0, shape.spread, count)
        if name == "interphase":
            log_area -= 0.22 * np.log(crowding[members])
            log_ratio = _log_ratio(rng, domain, count)
            # just divided: small, still bright and elongated, and easily mistaken for metaphase
            young = rng.random(count) < domain.young
            log_area[young] = np.log(0.52 * shape.area) + rng.normal(0, 0.2, young.sum())
            log_ratio[young] = rng.gamma(2.2, 0.2, young.sum())
            # brightness falls less than area rises, because DNA doubles over the cycle and small nuclei are thick
            chromatin = shape.chromatin * np.exp(0.55 * (log_area - np.log(domain.reference_area)))
        else:
            log_pattern = np.log(bank.axis_ratio[pattern[members] % len(bank)])
            log_ratio = np.abs(log_pattern + rng.normal(0, shape.ratio_jitter, count))
            if name in ("metaphase", "anaphase"):  # a tilted plate shows more of its face
                log_area += 0.3 * (np.log(2.5) - log_pattern).clip(-0.3, 1.0)
            chromatin = np.full(count, shape.chromatin)
        area[members] = np.exp(log_area)
        ratio[members] = np.exp(log_ratio)
        brightness[members] = level[members] * chromatin * domain.reference_area / area[members]
    return Nuclei(
        image=np.zeros(n, np.intp),
        kind=kinds.copy(),
        pattern=pattern,
        y=np.zeros(n),
        x=np.zeros(n),
        area=area / pixel_size**2,
        axis_ratio=ratio,
        orientation=rng.uniform(0, np.pi, n),
        brightness=brightness,
        mirrored=rng.random(n) < 0.5,
    )


def _log_ratio(rng: np.random.Generator, domain: Domain, n: int) -> np.ndarray:
    """Draw log axis ratios of interphase nuclei, with a lower limit and a tail of elongated nuclei."""
    floor, scale = domain.interphase_log_ratio
    return np.minimum(floor + rng.gamma(2.2, scale / 2.2, n), np.log(2.6))
