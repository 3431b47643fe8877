"""Cost per crop as a study grows: storage, reading in a global shuffle, training and encoding."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import numpy as np

from morpholaw.bench.comparison import Comparison
from morpholaw.bench.machine import peak_memory_mb
from morpholaw.cells.cells_table import cells_table
from morpholaw.cells.crop_set import Crops, CropSet
from morpholaw.config import EncoderConfig
from morpholaw.models.vae import BetaTCVAE
from morpholaw.training.encoder import EncoderTraining, encode

SMALL, LARGE, WHOLE = 10_000, 100_000, 2_100_000
SIDE = 64
BLOCK = 2_000
SAMPLE = 8_000
"""Number of crops read in a shuffle and encoded at each size, the same for all sizes."""
STEPS = 4
ROUNDS = 5
MEMORY_LIMIT = 1500.0
"""Limit of the resident memory at the largest size, in MiB."""


def measure(full: bool = False) -> list[Comparison]:
    """Measure microseconds per crop at a small and a large size, and the resident memory at the large one."""
    sizes = (SMALL, WHOLE if full else LARGE)
    with tempfile.TemporaryDirectory(prefix="morpholaw-bench-", dir=Path.cwd()) as place:
        stored, studies = {}, {}
        for n in sizes:
            begin = perf_counter()
            crop_set = CropSet.write(Path(place) / str(n), _blocks(n), cells_table(n))
            stored[n] = 1e6 * (perf_counter() - begin) / n
            studies[n] = _Study(Crops([crop_set]))
        taken: dict[int, dict[str, list[float]]] = {n: {} for n in sizes}
        for _ in range(ROUNDS):
            for n, study in studies.items():
                for step, cost in study.costs().items():
                    taken[n].setdefault(step, []).append(cost)
    small, large = (taken[n] for n in sizes)
    unit, note = "us/crop", f"{sizes[1]} crops against {sizes[0]}."
    whole = [np.sum([values for values in one.values()], axis=0).tolist() for one in (large, small)]
    rows = [Comparison(whole[0], whole[1], f"itself at {SMALL} crops", 0.9, unit, note=note)]
    for step in small:
        rows.append(Comparison(large[step], small[step], f"{step}, {SMALL} crops", 0.9, unit, note=note))
    rows.append(
        Comparison([stored[sizes[1]]], [stored[SMALL]], f"written, {SMALL} crops", 0.9, unit, note=note)
    )
    rows.append(
        Comparison([peak_memory_mb()], [MEMORY_LIMIT], "limit of resident memory", 1, "MiB", note=note)
    )
    return rows


class _Study:
    """Crops on disk and the training of an encoder on them."""

    def __init__(self, crops: Crops) -> None:
        self.crops = crops
        self.training = EncoderTraining(
            crops, EncoderConfig(epochs=1000, epoch_crops=0, **EncoderConfig.PLAIN)
        )
        self.batches = self.training.batches()
        self.model = BetaTCVAE().eval()

    def costs(self) -> dict[str, float]:
        """Return the microseconds per crop of each step."""
        costs = {}
        size, begin = self.training.batch, perf_counter()
        for _ in range(SAMPLE // size):
            self.crops[next(self.batches)]
        costs["shuffled"] = 1e6 * (perf_counter() - begin) / (SAMPLE // size * size)
        begin = perf_counter()
        for _ in range(STEPS):
            self.training.advance(next(self.batches))
        costs["trained"] = 1e6 * (perf_counter() - begin) / (STEPS * size)
        first = len(self.crops) - SAMPLE
        crops, begin = _Slice(self.crops, first), perf_counter()
        encode(self.model, crops)
        costs["encoded"] = 1e6 * (perf_counter() - begin) / SAMPLE
        return costs


class _Slice:
    """The crops from number ``first`` on, read on demand."""

    def __init__(self, crops: Crops, first: int) -> None:
        self.crops, self.first = crops, first

    def __len__(self) -> int:
        return len(self.crops) - self.first

    def __getitem__(self, key: slice) -> np.ndarray:
        return self.crops[self.first + key.start : self.first + min(key.stop, len(self))]


def _blocks(n: int) -> Iterator[np.ndarray]:
    random = np.random.default_rng(0)
    block = random.integers(0, 256, (BLOCK, SIDE, SIDE), dtype=np.uint8)
    for start in range(0, n, BLOCK):
        yield np.roll(block, start // BLOCK, axis=1)[: n - start]
