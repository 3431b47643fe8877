"""Training steps recorded as CUDA graphs, so that a GPU does not wait for hundreds of kernel launches per step.

A step of a small network consists of hundreds of short operations, and launching them takes a CPU several times longer
than the GPU computes. A CUDA graph contains all of them and is launched at once. It always uses the same memory, so the
inputs of each step are copied to where the recorded step read its inputs.

The first replay is checked against the plain step, from the same weights. If the two differ or recording fails, every
step runs without a recording, which is slower and gives the same networks.
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
"""Plain steps of each kind before the recording, in which libraries choose their kernels."""
AGREEMENT = 0.1
"""Largest accepted difference between the weights after a replay and after the plain step, relative to the size of the
step. A different order of summation on the GPU causes a hundredth of that."""


class RecordedSteps:
    """A training step that is recorded where possible.

    Parameters
    ----------
    step : callable
        Takes the kind of step and its tensors, updates ``state`` and returns losses by name. Steps of the same kind
        must run the same operations on tensors of the same shapes, except for an incomplete batch.
    state : callable
        Returns the tensors that a step changes: weights, batch statistics and the optimiser's moments.
    record : callable, optional
        Records the kernels that a function launches and returns a function that replays them; None to record nothing.
    """

    def __init__(
        self, step: Step, state: Callable[[], Sequence[Tensor]], record: Callable[[Replay], Replay] | None
    ) -> None:
        self.step, self.state, self.record = step, state, record
        self._plain: dict[int, int] = {}
        self._recorded: dict[int, tuple[tuple[Tensor, ...], Replay]] = {}

    def __call__(self, inputs: tuple[Tensor, ...], kind: int = 0) -> Losses:
        """Take one step; the returned losses are valid until the next one."""
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
        """Take a plain step and record it; the first recording is checked against the plain step."""
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
                    raise RuntimeError("a replayed step gives different weights")
        except RuntimeError as error:
            self.record = None
            warnings.warn(
                f"Steps cannot be recorded on this GPU ({error}); training is slower.", stacklevel=2
            )
            return losses
        self._recorded[kind] = places, replay
        return losses


def cuda_recorder() -> Callable[[Replay], Replay]:
    """Return a function that records steps as CUDA graphs, which share their memory because only one runs at a time."""
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
