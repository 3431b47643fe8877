"""The paper's search of RigL's settings (B.3.1) against the obvious loop, timed in the same run.

The obvious loop trains one model at a time with torch.optim.Adam and autograd, on latents that were encoded once.
A sample of its models is timed and scaled to 200 trials x 5 runs x 40 epochs; ours is run, whole or in part.

    python benchmarks/rigl_search.py [--trials 200] [--batch-trials 20] [--epochs 40] [--threads 0]
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time

import numpy as np
import torch
from torch import nn

from morpholaw.config import ClassifierConfig, TuneConfig
from morpholaw.training.rigl import active_counts, decay
from morpholaw.training.tune import tune

PAPER = {"trials": 200, "runs": 5, "epochs": 40, "rows": 7200, "held": 802}


def latents(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Simulated latents in 8 orientations, float32 (8, rows, 32), of which four decide the class."""
    random = np.random.default_rng(seed)
    z = random.standard_normal((8, rows, 32)).astype(np.float32)
    z[:, :, :4] = z[0, :, :4]
    score = z[0, :, 0] * (z[0, :, 1] ** 2 + z[0, :, 2] ** 2) - z[0, :, 3]
    return z, (score > np.median(score)).astype(int)


def obvious_loop(z: torch.Tensor, y: torch.Tensor, config: ClassifierConfig, epochs: int) -> None:
    """One sparse model, as one would write it first: half of the epochs dense, then RigL."""
    widths = (z.shape[2], *config.hidden, 1)
    layers: list[nn.Module] = []
    for n_in, n_out in zip(widths[:-1], widths[1:], strict=True):  # noqa: RUF007
        layers += [nn.Linear(n_in, n_out), nn.Mish()]
    model = nn.Sequential(*layers[:-1])
    linears = [layer for layer in model if isinstance(layer, nn.Linear)]
    masks = [torch.ones_like(layer.weight) for layer in linears]
    counts = active_counts(widths, config.sparsity, "density")
    adam = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    loss_of = nn.BCEWithLogitsLoss()
    batches = -(-len(y) // config.batch_size)
    warmup, end = epochs // 2 * batches, config.update_until * (epochs - epochs // 2) * batches
    for epoch in range(epochs):
        order = torch.randperm(len(y))
        turns = torch.randint(len(z), (len(y),))
        for number, rows in enumerate(order.split(config.batch_size)):
            adam.zero_grad()
            loss_of(model(z[turns[rows], rows]).squeeze(1), y[rows]).backward()
            t = epoch * batches + number - warmup
            if 0 <= t < end and t % config.update_every == 0:
                for layer, mask, count in zip(linears, masks, counts, strict=True):
                    _move(layer, mask, count, round(decay(t, config.update_fraction, end) * count), adam)
                continue
            if t >= 0:
                for layer, mask in zip(linears, masks, strict=True):
                    layer.weight.grad *= mask
            adam.step()


def _move(layer: nn.Linear, mask: torch.Tensor, count: int, moved: int, adam: torch.optim.Adam) -> None:
    with torch.no_grad():
        size = (layer.weight.abs() - (mask == 0).float()).flatten()
        kept = size.topk(count - moved).indices
        gradient = layer.weight.grad.abs().flatten().index_fill(0, kept, -1)
        grown = gradient.topk(moved).indices
        mask.zero_().view(-1)[kept] = 1
        layer.weight *= mask
        for name in ("exp_avg", "exp_avg_sq"):
            adam.state[layer.weight][name] *= mask
        mask.view(-1)[grown] = 1


def clocks() -> np.ndarray:
    """Seconds on the wall, and of all processors in this process: the second is deaf to other work."""
    return np.array([time.perf_counter(), time.process_time()])


def main() -> None:
    """Time both and print the ratio as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=PAPER["trials"], help="trials of ours; the paper's 200")
    parser.add_argument("--batch-trials", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=PAPER["epochs"], help="epochs of every model")
    parser.add_argument("--loop-models", type=int, default=2, help="models of the obvious loop to time")
    parser.add_argument("--loop-epochs", type=int, default=4, help="epochs of each of them, of 40")
    parser.add_argument("--threads", type=int, default=0, help="threads of ours; 0: all cores")
    parser.add_argument("--loop-threads", type=int, default=1, help="one is fastest for networks this small")
    arguments = parser.parse_args()
    z, y = latents(PAPER["rows"] + PAPER["held"])
    classifier = ClassifierConfig(threads=arguments.threads)

    torch.set_num_threads(arguments.loop_threads)
    rows, targets = torch.from_numpy(z[:, : PAPER["rows"]]), torch.from_numpy(y[: PAPER["rows"]]).float()

    def time_loop() -> np.ndarray:
        start = clocks()
        for _ in range(arguments.loop_models):
            obvious_loop(rows, targets, classifier, arguments.loop_epochs)
        return (clocks() - start) / (arguments.loop_models * arguments.loop_epochs)

    obvious_loop(rows[:, :640], targets[:640], classifier, 2)  # torch.optim imports much at its first use
    before = time_loop()
    start = clocks()
    config = TuneConfig(
        trials=arguments.trials,
        batch_trials=arguments.batch_trials,
        epochs=arguments.epochs,
        runs=PAPER["runs"],
    )
    found = tune(z, y, np.arange(PAPER["rows"], len(y)), config, classifier)
    ours, ours_cpu = clocks() - start
    epoch, epoch_cpu = (
        before + time_loop()
    ) / 2  # before and after ours, since other work on the machine comes and goes
    epochs = config.epochs * config.runs * config.trials
    peer, peer_cpu = epoch * epochs, epoch_cpu * epochs
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    result = {
        "ours": round(ours, 1),
        "peer": round(peer, 1),
        "peer_name": "one model at a time",
        "ratio": round(peer / ours, 1),
        "ratio_of_processor_time": round(peer_cpu / ours_cpu, 1),
        "goal": 15,
        "unit": "s",
        "members_at_once": config.runs * min(config.batch_trials, config.trials),
        "trials": config.trials,
        "peak_memory_mb": round(memory / 2**20),
        "best": {"sparsity": found.sparsity, "update_every": found.update_every, "value": found.value},
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
