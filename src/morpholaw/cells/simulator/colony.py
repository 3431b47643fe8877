"""Simulation of a colony of cells that grow, crowd, move and divide: positions and phases of all nuclei.

Growth slows down where cells are crowded, and a cell divides after it has added enough area. Dividing cells are
therefore large, and their neighbourhoods sparse, as in MDCK cells (paper, 6.5). A classifier can use this shortcut
instead of the nucleus itself.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from scipy.spatial import cKDTree

from morpholaw.cells.simulator.domains import Domain
from morpholaw.cells.simulator.patterns import pattern_bank
from morpholaw.cells.simulator.render import KIND_NAMES, Nuclei

INTERPHASE, PROMETAPHASE, METAPHASE, ANAPHASE = (
    KIND_NAMES.index(name) for name in ("interphase", "prometaphase", "metaphase", "anaphase")
)
BIRTH_AREA = 52.0  # um^2, area of a nucleus that has decondensed after division
ADDED_AREA = 92.0  # um^2, mean growth until the next division
CYCLE = 55.0  # frames for this growth without crowding
ROUNDED = 10.5  # um, radius of a cell in mitosis
WALL = 7.0  # um, minimum distance of a cell's centre from the edge of the field of view
CROWD_REACH = 17.0  # um, distance within which neighbours count as crowding


@dataclass
class Cells:
    """The state of all living cells, as arrays with one value per cell; lengths in um."""

    track: np.ndarray
    parent: np.ndarray
    y: np.ndarray
    x: np.ndarray
    vy: np.ndarray
    vx: np.ndarray
    kind: np.ndarray
    left: np.ndarray  # frames until the next phase; in interphase, frames of decondensation after birth
    area: np.ndarray  # area of the nucleus without condensation
    divides_at: np.ndarray
    log_ratio: np.ndarray
    orientation: np.ndarray
    expression: np.ndarray
    pattern: np.ndarray
    mirrored: np.ndarray
    shape_noise: np.ndarray
    lasts: np.ndarray  # drawn duration of the present phase in frames, with fractions; NaN in interphase

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self.track)

    def pick(self, index: np.ndarray) -> Cells:
        """Return the cells with the given indices."""
        return Cells(**{f.name: getattr(self, f.name)[index].copy() for f in fields(self)})

    @staticmethod
    def join(parts: list[Cells]) -> Cells:
        """Concatenate cells."""
        return Cells(**{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Cells)})


class Colony:
    """Cells in a field of view of ``height`` by ``width`` um, advanced frame by frame with `step`.

    Metaphase lasts 3 to 6 frames, unless ``metaphase`` gives its median in frames and the standard deviation of its
    logarithm.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        cells: int,
        height: float,
        width: float,
        domain: Domain,
        metaphase: tuple[float, float] | None = None,
    ) -> None:
        self._metaphase = metaphase
        self._rng = rng
        self._field = np.array([height, width])
        self._domain = domain
        self._next_track = cells + 1
        self.cells = self._seed(cells)
        for _ in range(40):
            self._push(0.3)

    def _seed(self, n: int) -> Cells:
        """Place asynchronous cells in islands, with single cells between them."""
        rng = self._rng
        islands = rng.uniform(0.1, 0.9, (max(1, n // 20), 2)) * self._field
        home = islands[rng.integers(0, len(islands), n)] + rng.normal(0, 22.0, (n, 2))
        alone = rng.random(n) < 0.3
        place = np.where(alone[:, None], rng.uniform(0, 1, (n, 2)) * self._field, home)
        place = np.clip(place, WALL, self._field - WALL)
        grown = 1 - np.log2(1 + rng.random(n))  # ages in an exponentially growing population
        zero = np.zeros(n)
        return Cells(
            track=np.arange(1, n + 1),
            parent=np.full(n, -1),
            y=place[:, 0],
            x=place[:, 1],
            vy=zero.copy(),
            vx=zero.copy(),
            kind=np.full(n, INTERPHASE),
            left=np.zeros(n, np.int64),
            area=BIRTH_AREA + grown * ADDED_AREA,
            divides_at=BIRTH_AREA + ADDED_AREA * np.exp(rng.normal(0, 0.12, n)),
            log_ratio=rng.gamma(2.2, 0.14, n),
            orientation=rng.uniform(0, np.pi, n),
            expression=np.exp(rng.normal(0, self._domain.brightness_spread, n)),
            pattern=rng.integers(0, 1 << 16, n),
            mirrored=rng.random(n) < 0.5,
            shape_noise=rng.normal(0, 1, n),
            lasts=np.full(n, np.nan),
        )

    def step(self) -> None:
        """Advance by one frame: grow, change phase, divide, move."""
        self._grow()
        self._change_phase()
        self._move()

    def _grow(self) -> None:
        cells, rng = self.cells, self._rng
        tree = cKDTree(np.stack([cells.y, cells.x], 1))
        near = tree.query_ball_point(tree.data, CROWD_REACH, return_length=True) - 1
        wall = np.minimum(tree.data, self._field - tree.data)
        in_field = np.prod(1 - 0.5 * np.clip(1 - wall / CROWD_REACH, 0, 1), axis=1)
        near = near / in_field  # assume that the area outside the field of view is equally crowded
        room = np.clip(1.5 - 0.25 * near, 0.05, 1.25)
        growing = cells.kind == INTERPHASE
        rate = ADDED_AREA / CYCLE * room * np.exp(rng.normal(0, 0.15, len(cells)))
        cells.area += np.where(growing & (cells.left == 0), rate, 0)
        cells.orientation += rng.normal(0, 0.06, len(cells))
        cells.log_ratio += np.where(
            growing, rng.normal(0, 0.03, len(cells)) - 0.05 * (cells.log_ratio - 0.3), 0
        )
        cells.log_ratio = np.abs(cells.log_ratio)

    def _change_phase(self) -> None:
        cells, rng = self.cells, self._rng
        waiting = cells.left > 0
        cells.left -= waiting
        done = waiting & (cells.left == 0)
        starts = (cells.kind == INTERPHASE) & ~waiting & (cells.area >= cells.divides_at)
        aligned = (cells.kind == PROMETAPHASE) & done
        splits = (cells.kind == METAPHASE) & done
        ends = (cells.kind == ANAPHASE) & done
        self._enter(starts, PROMETAPHASE, rng.integers(2, 4, len(cells)))
        self._enter(aligned, METAPHASE, self._draw_metaphase(len(cells)))
        self._enter(ends, INTERPHASE, rng.integers(3, 6, len(cells)))
        cells.log_ratio[ends] = rng.uniform(0.2, 0.8, ends.sum())
        if splits.any():
            self._divide(np.flatnonzero(splits))

    def _draw_metaphase(self, n: int) -> np.ndarray:
        """Draw durations of metaphase in frames, with fractions if a median is given."""
        if self._metaphase is None:
            return self._rng.integers(3, 7, n)
        median, spread = self._metaphase
        return np.asarray(np.maximum(median * np.exp(self._rng.normal(0, spread, n)), 1.0))

    def _enter(self, which: np.ndarray, kind: int, frames: np.ndarray) -> None:
        cells = self.cells
        cells.kind[which] = kind
        cells.lasts[which] = np.nan if kind == INTERPHASE else frames[which]
        if np.issubdtype(frames.dtype, np.floating):  # the movie may begin at any time within a frame
            frames = np.floor(frames + self._rng.random(len(frames))).astype(np.int64)
        cells.left[which] = frames[which]
        cells.pattern[which] = self._rng.integers(0, 1 << 16, which.sum())
        cells.shape_noise[which] = self._rng.normal(0, 1, which.sum())

    def _divide(self, mothers: np.ndarray) -> None:
        """Replace each mother by two daughters, each with its own chromosomes; the mother's track ends."""
        cells, rng = self.cells, self._rng
        n = len(mothers)
        halves = []
        shape_noise = rng.normal(0, 1, n)
        apart, frames = rng.uniform(2.4, 3.4, n), rng.integers(1, 3, n)  # um from the middle; frames
        for side in (-1, 1):
            half = cells.pick(mothers)
            half.parent = half.track.copy()
            half.track = self._next_track + np.arange(n)
            self._next_track += n
            half.y += side * apart * np.cos(half.orientation)
            half.x -= side * apart * np.sin(half.orientation)
            half.vy, half.vx = np.zeros(n), np.zeros(n)
            half.kind[:] = ANAPHASE
            half.left = frames.copy()
            half.lasts = frames.astype(np.float64)
            half.area = BIRTH_AREA * np.exp(rng.normal(0, 0.1, n))
            half.divides_at = half.area + ADDED_AREA * np.exp(rng.normal(0, 0.12, n))
            half.expression = half.expression * np.exp(rng.normal(0, 0.06, n))
            half.pattern = rng.integers(0, 1 << 16, n)
            half.mirrored = half.mirrored ^ (side > 0)
            half.shape_noise = shape_noise + rng.normal(0, 0.25, n)
            halves.append(half)
        stay = np.ones(len(cells), bool)
        stay[mothers] = False
        self.cells = Cells.join([cells.pick(np.flatnonzero(stay)), *halves])

    def _move(self) -> None:
        cells, rng = self.cells, self._rng
        calm = np.where(cells.kind == INTERPHASE, 1.0, 0.25)
        cells.vy = 0.8 * cells.vy + calm * rng.normal(0, 0.22, len(cells))
        cells.vx = 0.8 * cells.vx + calm * rng.normal(0, 0.22, len(cells))
        cells.y += cells.vy
        cells.x += cells.vx
        for _ in range(3):
            self._push(0.22)

    def _radius(self) -> np.ndarray:
        """Return the radius of the whole cell, in um."""
        cells = self.cells
        spread = 1.5 * np.sqrt(cells.area / np.pi)
        return np.select(
            [cells.kind == INTERPHASE, cells.kind == ANAPHASE], [spread, np.full(len(cells), 5.0)], ROUNDED
        )

    def _push(self, strength: float) -> None:
        """Push overlapping cells apart, keep touching ones together, and keep all in the field of view."""
        cells = self.cells
        place = np.stack([cells.y, cells.x], 1)
        radius = self._radius()
        pairs = cKDTree(place).query_pairs(2.6 * ROUNDED, output_type="ndarray")
        if len(pairs):
            i, j = pairs.T
            gap = place[j] - place[i]
            distance = np.maximum(np.hypot(*gap.T), 1e-6)
            overlap = radius[i] + radius[j] - distance
            pull = np.where(overlap > 0, overlap, 0.08 * np.maximum(overlap, -2.0) * (overlap > -5.0))
            sisters = (cells.kind[i] == ANAPHASE) & (cells.parent[i] == cells.parent[j])
            pull = np.where(sisters, np.clip(pull, 0, 1.6), pull)
            shift = (0.5 * strength * pull / distance)[:, None] * gap
            np.add.at(place, j, shift)
            np.add.at(place, i, -shift)
        place = np.clip(place, WALL, self._field - WALL)
        cells.y, cells.x = place[:, 0], place[:, 1]

    def nuclei(self, pixel_size: float) -> Nuclei:
        """Return the nuclei as the camera sees them; positions in pixels, ``image`` is zero."""
        cells, domain = self.cells, self._domain
        area, log_ratio = cells.area.copy(), cells.log_ratio.copy()
        chromatin = (area / domain.reference_area) ** 0.55
        young = (cells.kind == INTERPHASE) & (cells.left > 0)
        area[young] *= 1 - 0.09 * cells.left[young]  # still decondensing
        for kind in (PROMETAPHASE, METAPHASE, ANAPHASE):
            members = np.flatnonzero(cells.kind == kind)
            shape, bank = domain.shapes[KIND_NAMES[kind]], pattern_bank(KIND_NAMES[kind])
            log_ratio[members] = np.log(bank.axis_ratio[cells.pattern[members] % len(bank)])
            area[members] = shape.area * np.exp(shape.spread * cells.shape_noise[members])
            chromatin[members] = shape.chromatin
        return Nuclei(
            image=np.zeros(len(cells), np.intp),
            kind=cells.kind.copy(),
            pattern=cells.pattern.copy(),
            y=cells.y / pixel_size - 0.5,
            x=cells.x / pixel_size - 0.5,
            area=area / pixel_size**2,
            axis_ratio=np.exp(log_ratio),
            orientation=cells.orientation.copy(),
            brightness=cells.expression * chromatin * domain.reference_area / area,
            mirrored=cells.mirrored.copy(),
        )
