"""Training steps that a GPU replays from a recording, so that it does not wait for hundreds of launches a step.

A step of a small network is hundreds of short operations, and launching them takes a CPU several times as long as the
GPU computes. A CUDA graph holds all of them and is launched at once. It reads and writes the same memory every time:
the inputs of a step are copied to where the recorded one found them.

The first replay is checked against the step itself, from the same weights. Where the two differ, or the step cannot be
recorded, every step runs as it is written, which is slower and gives the same networks.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Losses = dict[str, Tensor]
Step = Callable[..., Losses]
Replay = Callable[[], Losses]

PLAIN = 3
"""Steps of each kind that run as they are written before one is recorded: libraries choose their kernels in them."""
AGREEMENT = 0.1
"""Largest difference between weights after a replay and after the step itself, as a share of how far the step moves
them. Sums of a GPU in another order differ by a hundredth of that."""


class RecordedSteps:
    """A step of training by its inputs, recorded where that is possible.

    Parameters
    ----------
    step : callable
        Takes the step's kind and tensors, moves ``state``, and returns losses by name. Steps of one kind are the same
        operations on tensors of the same shapes, apart from a batch that is cut short.
    state : callable
        Returns the tensors that a step changes: weights, statistics and the optimiser's moments.
    record : callable, optional
        Records what a function launches and returns a function that replays it; None: nothing is recorded.
    """

    def __init__(
        self, step: Step, state: Callable[[], Sequence[Tensor]], record: Callable[[Replay], Replay] | None
    ) -> None:
        self.step, self.state, self.record = step, state, record
        self._plain: dict[int, int] = {}
        self._recorded: dict[int, tuple[tuple[Tensor, ...], Replay]] = {}

    def __call__(self, inputs: tuple[Tensor, ...], kind: int = 0) -> Losses:
        """Take one step; the losses hold until the next one."""
        done = self._plain.get(kind, 0)
        if self.record is None or done < PLAIN:
            self._plain[kind] = done + 1
            return self.step(kind, *inputs)
        if kind not in self._recorded:
            return self._record(self.record, inputs, kind)
        places, replay = self._recorded[kind]
        if any(place.shape != new.shape for place, new in zip(places, inputs, strict=True)):
            return self.step(kind, *inputs)
        for place, new in zip(places, inputs, strict=True):
            place.copy_(new, non_blocking=True)
        return replay()

    def _record(self, record: Callable[[Replay], Replay], inputs: tuple[Tensor, ...], kind: int) -> Losses:
        """Record the step, and take it as it is written; the first recording is checked against that."""
        places = tuple(one.clone() for one in inputs)
        checked = bool(self._recorded)
        before = [] if checked else [one.clone() for one in self.state()]
        losses = self.step(kind, *inputs)
        try:
            replay = record(lambda: self.step(kind, *places))
            if not checked:
                after = [one.clone() for one in self.state()]
                _restore(self.state(), before)
                replay()
                apart = _distance(self.state(), after)
                _restore(self.state(), after)
                if not apart <= AGREEMENT * _distance(before, after):
                    raise RuntimeError("a replayed step moves the weights elsewhere")
        except RuntimeError as error:
            self.record = None
            warnings.warn(f"Steps are not recorded on this GPU ({error}); training is slower.", stacklevel=2)
            return losses
        self._recorded[kind] = places, replay
        return losses


def cuda_recorder() -> Callable[[Replay], Replay]:
    """Return what records steps as CUDA graphs, all of which share their memory: one is replayed at a time."""
    pool = torch.cuda.graph_pool_handle()

    def record(step: Replay) -> Replay:
        graph = torch.cuda.CUDAGraph()
        torch.cuda.synchronize()
        with torch.cuda.graph(graph, pool=pool):
            losses = step()

        def replay() -> Losses:
            graph.replay()
            return losses

        return replay

    return record


@torch.no_grad()
def _restore(state: Sequence[Tensor], values: Sequence[Tensor]) -> None:
    for one, value in zip(state, values, strict=True):
        one.copy_(value)


@torch.no_grad()
def _distance(one: Sequence[Tensor], other: Sequence[Tensor]) -> float:
    """Return the Euclidean distance between two states."""
    squares = [(a.double() - b.double()).square().sum() for a, b in zip(one, other, strict=True)]
    return float(torch.stack([square.cpu() for square in squares]).sum().sqrt())
