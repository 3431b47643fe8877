"""Accuracy under image-space FGSM for ten models, compared with torchattacks model by model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from morpholaw.bench.comparison import Comparison, missing
from morpholaw.bench.timing import in_turn
from morpholaw.cells.simulator import simulate_crops
from morpholaw.interpretation.attack import attack_curve
from morpholaw.models.classifier import Classifier
from morpholaw.models.cnn import CNNEnsemble
from morpholaw.models.heads import HeadEnsemble
from morpholaw.models.vae import BetaTCVAE
from morpholaw.training.cores import available_cores

MODELS = 10
EPS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25)
SAMPLED = 2
"""Number of models that torchattacks attacks per round unless ``full``; its time is scaled to ten models."""
PEER_BATCH = 128
"""Batch size of torchattacks, the fastest of 32, 128 and 256 on two cores."""


def measure(full: bool = False) -> list[Comparison]:
    """Measure the seconds for curves of scheme 2 (shared encoder) and scheme 1 (ten CNNs), untrained."""
    torch.set_num_threads(available_cores())
    torch.manual_seed(0)
    crops, cells = simulate_crops(phases={"interphase": 64, "metaphase": 64}, seed=1)
    truth = (cells["label"] == "metaphase").to_numpy().astype(np.int64)
    classes = ("interphase", "metaphase")
    shared = Classifier.with_head(BetaTCVAE(), HeadEnsemble(MODELS), classes, sparse=False).eval()
    cnn = CNNEnsemble(MODELS)
    separate = Classifier.dense_cnn(cnn, HeadEnsemble(MODELS, normalise=True), classes).eval()
    return [
        _compare(one, crops, truth, name, full)
        for one, name in ((shared, "scheme 2"), (separate, "scheme 1"))
    ]


def _compare(
    classifier: Classifier, crops: np.ndarray, truth: np.ndarray, name: str, full: bool
) -> Comparison:
    models = MODELS if full else SAMPLED
    correct = attack_curve(classifier, crops, truth, EPS).correct

    def ours() -> None:
        attack_curve(classifier, crops, truth, EPS)

    try:
        peer = _torchattacks(classifier, crops, truth, models)
    except ImportError:
        return missing(in_turn(ours)[0], "torchattacks", 5, "s")
    mine, other = in_turn(ours, peer, rounds=11 if full else 7)
    agree = float(np.mean(correct[:models] == peer()))
    scaled = [taken * MODELS / models for taken in other]
    note = f"{len(crops)} crops, {len(EPS)} magnitudes; {100 * agree:.2f} % of the predicted classes agree."
    return Comparison(mine, scaled, f"torchattacks, {name}", 5, "s", note=note)


def _torchattacks(
    classifier: Classifier, crops: np.ndarray, truth: np.ndarray, models: int
) -> Callable[[], np.ndarray]:
    """Return a function that computes which crops keep their true class, bool (models, eps, crops)."""
    import torchattacks

    members = [_TwoLogits(classifier.select(k)).eval() for k in range(models)]
    images = torch.from_numpy(crops).float().div_(255).unsqueeze(1)
    targets = torch.from_numpy(truth)

    def curves() -> np.ndarray:
        correct = []
        for member in members:
            for eps in EPS:
                attack = torchattacks.FGSM(member, eps=eps)
                for x, y in zip(
                    torch.split(images, PEER_BATCH), torch.split(targets, PEER_BATCH), strict=True
                ):
                    moved = attack(x, y)
                    with torch.no_grad():
                        correct.append(member(moved).argmax(1) == y)
        return torch.cat(correct).view(models, len(EPS), -1).numpy()

    return curves


class _TwoLogits(nn.Module):
    """Converts a score to the two logits 0 and f(x), for the cross-entropy."""

    def __init__(self, one: Classifier) -> None:
        super().__init__()
        self.one = one

    def forward(self, images: Tensor) -> Tensor:
        score = self.one.score_images(images)[0]
        return torch.stack([torch.zeros_like(score), score], dim=1)
