"""Neighbours of central nuclei, without overlap and with a density that depends on the phase.

Dividing cells are large and rounded, so their neighbours are fewer and farther away. A classifier could use the
neighbourhood instead of the nucleus, the shortcut that the paper describes in dense models (6.5).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morpholaw.cells.simulator.domains import PIXEL_SIZE, Domain
from morpholaw.cells.simulator.population import draw_nuclei
from morpholaw.cells.simulator.render import KIND_NAMES, Nuclei

CANDIDATES = 24
_REACH = 20.0  # pixels beyond the crop in which neighbours may be centred
_ANAPHASE = KIND_NAMES.index("anaphase")
_INTERPHASE = KIND_NAMES.index("interphase")


@dataclass(frozen=True)
class CentralNuclei:
    """The nuclei at the centres of crops.

    Attributes
    ----------
    nuclei : Nuclei
        One nucleus per crop; ``image`` is the index of the crop.
    track, frame : ndarray
        Track of each crop, and its position in the track, int (n,).
    crowding : ndarray
        Local density relative to its mean, float (n,).
    """

    nuclei: Nuclei
    track: np.ndarray
    frame: np.ndarray
    crowding: np.ndarray

    def __getitem__(self, index: slice) -> CentralNuclei:
        """Return some of the crops' nuclei."""
        return CentralNuclei(self.nuclei[index], self.track[index], self.frame[index], self.crowding[index])


def place_neighbours(
    rng: np.random.Generator, central: CentralNuclei, domain: Domain, size: int, pixel_size: float
) -> Nuclei:
    """Draw the neighbours of each central nucleus; along a track they stay the same and move slightly.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    central : CentralNuclei
        The nuclei at the centres.
    domain : Domain
        The family of images.
    size : int
        Side length of a crop, in pixels.
    pixel_size : float
        Micrometres per pixel.

    Returns
    -------
    Nuclei
        Neighbours; ``image`` is the index of the crop. They include the other half of a nucleus in anaphase.
    """
    centres, track, frame, crowding = central.nuclei, central.track, central.frame, central.crowding
    n = len(centres)
    first = np.searchsorted(track, np.arange(n)).clip(max=n - 1)  # first crop of each track
    shapes = [domain.shapes.get(k) for k in KIND_NAMES]
    room = np.array([shape.clearance if shape else 0.0 for shape in shapes]) / pixel_size
    offered = np.array([shape.neighbours if shape else 0.0 for shape in shapes])[centres.kind]
    offered = offered * np.where(centres.kind == _INTERPHASE, crowding, np.sqrt(crowding))

    names = list(domain.mixture)
    share = np.array(
        [domain.mixture[k] * (1 if k == "interphase" else domain.rare_neighbours) for k in names]
    )
    kinds = rng.choice([KIND_NAMES.index(k) for k in names], n * CANDIDATES, p=share / share.sum())
    pool = draw_nuclei(rng, kinds, domain, np.repeat(crowding[first], CANDIDATES), pixel_size)
    # cells of a field have correlated expression and size
    field = np.exp(rng.normal(0, 0.5 * domain.brightness_spread, n))
    pool.brightness *= np.repeat(field, CANDIDATES)
    half = size / 2 + _REACH * PIXEL_SIZE / pixel_size
    y, x = rng.uniform(-half, half, (2, n, CANDIDATES))
    radius = np.maximum(np.sqrt(pool.area / np.pi), room[pool.kind]).reshape(n, CANDIDATES)
    gap = rng.exponential(2.0, (n, CANDIDATES)) - 1.5
    number = rng.poisson(offered[first])
    reach = np.maximum(
        0.5 * (centres.radius + np.sqrt(centres.area / np.pi))[first], room[centres.kind][first]
    )

    sister_y, sister_x, sisters = _sisters(rng, centres, first[track], frame, pixel_size)
    accepted = np.zeros((n, CANDIDATES), bool)
    for k in range(CANDIDATES):
        free = (k < number) & (np.hypot(y[:, k], x[:, k]) > reach + radius[:, k] + gap[:, k])
        free &= (
            np.hypot(y[:, k] - sister_y[first], x[:, k] - sister_x[first]) > radius[:, k] + 4.0 / pixel_size
        )
        for j in range(k):
            apart = np.hypot(y[:, k] - y[:, j], x[:, k] - x[:, j])
            free &= ~accepted[:, j] | (apart > radius[:, k] + radius[:, j] + gap[:, k])
        accepted[:, k] = free

    crop, slot = np.nonzero(accepted[track])
    source = track[crop] * CANDIDATES + slot
    around = pool[source]
    around.image = crop
    drift = rng.normal(0, 0.5, (2, n * CANDIDATES))[:, source] * frame[crop]
    around.y = centres.y[crop] + y.reshape(-1)[source] + drift[0]
    around.x = centres.x[crop] + x.reshape(-1)[source] + drift[1]
    return Nuclei.concatenate([around, sisters])


def _sisters(
    rng: np.random.Generator, centres: Nuclei, first: np.ndarray, frame: np.ndarray, pixel_size: float
) -> tuple[np.ndarray, np.ndarray, Nuclei]:
    """Return the other halves of nuclei in anaphase, with offsets from each crop's centre (far away if none)."""
    n = len(centres)
    distance = (rng.uniform(3.6, 11.0, n)[first] + 0.8 * frame) / pixel_size
    distance = (
        np.where(centres.kind == _ANAPHASE, distance, 1e6) * np.where(rng.random(n) < 0.5, 1, -1)[first]
    )
    y, x = distance * np.cos(centres.orientation), -distance * np.sin(centres.orientation)
    sisters = centres[:]
    sisters.y, sisters.x = centres.y + y, centres.x + x
    sisters.area = centres.area * np.exp(rng.normal(0, 0.06, n))
    sisters.orientation = centres.orientation + rng.normal(0, 0.12, n)[first]
    sisters.mirrored = ~centres.mirrored
    sisters.pattern = centres.pattern + rng.integers(0, 2, n)[first]
    return y, x, sisters[centres.kind == _ANAPHASE]
