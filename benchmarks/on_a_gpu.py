"""Rates of training and encoding on a GPU, or on a CPU if there is none, as a table for docs/performance.md.

Run by ``benchmarks/on_a_gpu.sh``, which first runs the tests that need a GPU. ``--seconds`` is the time per row.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch

from morpholaw.config import ClassifierConfig, EncoderConfig
from morpholaw.models.vae import BetaTCVAE
from morpholaw.training.cnn import CNNTraining
from morpholaw.training.devices import choose_device, describe_device, kept_memory, shared_threads
from morpholaw.training.encoder_training import EncoderTraining
from morpholaw.training.encoding import encode

CROPS = np.random.default_rng(0).integers(0, 256, (16_384, 64, 64), dtype=np.uint8)


def rate(step: Callable[[], int], seconds: float) -> float:
    """Return crops per second over some seconds, after three warm-up steps."""
    for _ in range(3):
        step()
    wait()
    begin, done = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        done += step()
    wait()
    return done / (time.perf_counter() - begin)


def wait() -> None:
    """Wait until the GPU is idle."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def encoder(batch: int, precision: str) -> Callable[[], int]:
    config = EncoderConfig(epochs=1000, batch_size=batch, precision=precision, **EncoderConfig.PLAIN)
    training = EncoderTraining(CROPS, config)
    batches = training.batches()

    def step() -> int:
        training.advance(next(batches))
        return batch

    return step


def cnn() -> Callable[[], int]:
    training = CNNTraining(CROPS, np.arange(len(CROPS)) % 2, ClassifierConfig(epochs=10_000))

    def step() -> int:
        training.advance()
        return training.batch

    return step


def encoding() -> Callable[[], int]:
    network = BetaTCVAE().eval().to(choose_device())

    def step() -> int:
        encode(network, CROPS)
        return len(CROPS)

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15)
    options = parser.parse_args()
    device = choose_device()
    with shared_threads(), kept_memory():
        print(f"{describe_device(device)}, torch {torch.__version__}\n\n| | crops/s |\n| --- | --- |")
        for batch in (256, 1024):
            for precision in ("bfloat16", "float32"):
                found = rate(encoder(batch, precision), options.seconds)
                print(f"| training, batch {batch}, {precision} | {found:,.0f} |", flush=True)
        print(f"| encoding | {rate(encoding(), options.seconds):,.0f} |", flush=True)
        print(f"| ten CNNs, each of which sees them | {rate(cnn(), options.seconds):,.0f} |", flush=True)


if __name__ == "__main__":
    main()
