"""Steps that are replayed from a recording train the same networks, and one that would not is not replayed.

A processor records nothing: here a recording is the step itself on the tensors that it was recorded with, which is what
a CUDA graph is. The recording on a GPU is tested by ``test_on_a_gpu.py``.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from morpholaw.config import ClassifierConfig, EncoderConfig
from morpholaw.training.cnn import CNNTraining
from morpholaw.training.encoder_training import EncoderTraining
from morpholaw.training.recorded_steps import PLAIN, RecordedSteps

CROPS = np.random.default_rng(0).integers(0, 256, (100, 16, 16), dtype=np.uint8)
SMALL = {
    "batch_size": 16,
    "filters": (4, 8),
    "hidden": 16,
    "latents": 16,
    "threads": 1,
    "precision": "float32",
}


class Recorder:
    """Counts what is recorded and replayed."""

    def __init__(self):
        self.recorded = self.replayed = 0

    def __call__(self, step):
        self.recorded += 1

        def replay():
            self.replayed += 1
            return step()

        return replay


def encoder_training():
    return EncoderTraining(CROPS, EncoderConfig(**SMALL, epoch_crops=1600, epochs=2))


def cnn_training():
    config = ClassifierConfig(models=2, batch_size=32, epochs=20, dropout=0.2)
    return CNNTraining(CROPS, np.arange(100) % 2, config)


def train(training, steps):
    """Take steps; return their losses and the weights at the end."""
    losses = []
    if isinstance(training, EncoderTraining):
        batches = training.batches()
        for _ in range(steps):
            losses.append({name: float(value) for name, value in training.advance(next(batches)).items()})
        return losses, [weight.detach().clone() for weight in training.parameters()]
    for _ in range(steps):
        losses.append([float(value) for value in training.advance()])
    return losses, [value.clone() for value in training._weights().values()]


@pytest.mark.parametrize("make", [encoder_training, cnn_training])
def test_replayed_steps_are_the_steps(make):
    plain, recorded, recorder = make(), make(), Recorder()
    recorded.recorded = RecordedSteps(recorded._update, recorded._state, recorder)
    losses, weights = train(plain, 60)
    again, same = train(recorded, 60)
    assert again == losses
    assert all(torch.equal(one, other) for one, other in zip(same, weights, strict=True))
    kinds = 8 if make is encoder_training else 1  # one for each orientation of what is decoded
    assert recorder.recorded == kinds
    assert recorder.replayed >= 60 - kinds * (PLAIN + 1)


def test_a_recording_that_moves_the_weights_elsewhere_is_not_used():
    plain, training = encoder_training(), encoder_training()

    def record(step):
        def replay():
            with torch.no_grad():
                training.model.last_bias.add_(1)
            return step()

        return replay

    training.recorded = RecordedSteps(training._update, training._state, record)
    with pytest.warns(UserWarning, match="Steps cannot be recorded on this GPU"):
        again, same = train(training, 60)
    losses, weights = train(plain, 60)
    assert again == losses
    assert all(torch.equal(one, other) for one, other in zip(same, weights, strict=True))


def test_a_step_that_cannot_be_recorded_is_taken_as_it_is_written():
    def record(step):
        raise RuntimeError("operation not permitted when stream is capturing")

    training = cnn_training()
    training.recorded = RecordedSteps(training._update, training._state, record)
    with pytest.warns(UserWarning, match="not permitted"):
        losses, _ = train(training, 12)
    assert losses == train(cnn_training(), 12)[0]


def test_a_batch_that_was_cut_short_is_not_replayed_on_the_wrong_tensors():
    taken = []

    def step(kind, values):
        taken.append((values.shape[0], kind))
        weights.add_(values.sum())
        return {"sum": values.sum()}

    weights, recorder = torch.zeros(1), Recorder()
    steps = RecordedSteps(step, lambda: [weights], recorder)
    for count in [4] * (PLAIN + 3) + [2, 4]:
        assert float(steps((torch.ones(count),))["sum"]) == count
    assert taken[-2:] == [(2, 0), (4, 0)]
    assert recorder.replayed == 4  # the check, two steps, and the last one
    assert float(weights) == 4 * (PLAIN + 4) + 2
