import threading

import numpy as np
import pytest
import torch

from morpholaw.config import EncoderConfig
from morpholaw.training.batch_parts import SMALLEST, at_once, chunks
from morpholaw.training.devices import shared_threads
from morpholaw.training.encoder import EncoderTraining

SMALL = {
    "latents": 4, "filters": (4, 4), "hidden": 16, "batch_size": 2 * SMALLEST, "precision": "float32", "device": "cpu",
    "plain_share": 0.0,
}  # fmt: skip


def trained(parts, **settings):
    """An encoder after three steps on the same random crops, and the losses of the last step."""
    crops = np.random.default_rng(0).integers(0, 256, (3 * SMALLEST, 16, 16), dtype=np.uint8)
    training = EncoderTraining(crops, EncoderConfig.from_values({**SMALL, **settings}))
    training.parts = parts
    steps = training.batches()
    for _ in range(3):
        losses = training.advance(next(steps))
    return training, losses


@pytest.mark.parametrize(
    "settings", [EncoderConfig.PLAIN, {}, {"split": True}], ids=["plain", "default", "split"]
)
def test_training_in_parts_is_training_on_the_whole_batch(settings):
    (whole, expected), (parts, losses) = trained(1, **settings), trained(2, **settings)
    for name, value in expected.items():
        assert float(losses[name]) == pytest.approx(float(value), rel=1e-4, abs=1e-4), name
    for weights, same in zip(whole.model.parameters(), parts.model.parameters(), strict=True):
        assert torch.allclose(weights, same, atol=2e-4)


def test_each_part_has_a_thread_of_its_own():
    together = threading.Barrier(2, timeout=20)  # passes only when two threads wait
    pairs = chunks(8, torch.arange(2 * SMALLEST), torch.arange(2 * SMALLEST))
    assert len(pairs) == 2
    starts = at_once(lambda pair: (together.wait(), int(pair[0][0]))[1], pairs)
    assert starts == [0, SMALLEST]


@pytest.mark.parametrize(
    ("free", "fixed", "processes", "parts"),
    [(2, 0, 1, 1), (1, 0, 1, 1), (0, 0, 1, 2), (0, 1, 1, 1), (0, 0, 2, 1)],
)
def test_batches_are_divided_only_while_no_core_is_free(monkeypatch, free, fixed, processes, parts):
    monkeypatch.setattr("morpholaw.training.devices.most_threads", lambda: 2)
    monkeypatch.setattr("morpholaw.training.cores.CoresLeft.count", lambda self, threads: free)
    with shared_threads(fixed, processes) as decide:
        assert decide() == parts
        assert torch.get_num_threads() <= max(1, free, fixed)
