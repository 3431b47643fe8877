"""How much the latents of a study's encoder reveal about its labelled cells, independently of any head.

Run ``python benchmarks/latent_limits.py STUDY [--splits 6]`` on a study with an encoder and labelled cells. Prints the
balanced accuracy of logistic regressions on latents, on shapes measured in the crops and on shapes measured in the
reconstructions; the share of each shape that the latents explain, as the mean over five folds; and the share of each
latent's variance that violates its symmetry in other orientations.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from morpholaw.cells.oriented_shapes import measure_shapes
from morpholaw.config import ClassifierConfig
from morpholaw.evaluation.metrics import balanced_accuracy
from morpholaw.interpretation.traversal import decode
from morpholaw.models.symmetry import transform_latents
from morpholaw.models.vae import BetaTCVAE
from morpholaw.store.labelled_cells import labelled_cells
from morpholaw.study import Study
from morpholaw.study.latent_rows import oriented_posteriors
from morpholaw.training.encoder import encode

TOLD_BY = ["area", "axis_ratio", "brightness", "texture"]
"""Measurements that a regression on shapes reads."""
EXPLAINED = ["area", "aspect", "diagonality", "axis_ratio", "brightness", "texture"]


def products(latents: np.ndarray) -> np.ndarray:
    """Return latents (n, L) and all their products, (n, L + L (L + 1) / 2)."""
    first, second = np.triu_indices(latents.shape[1])
    return np.hstack([latents, latents[:, first] * latents[:, second]])


def calls(train: np.ndarray, targets: np.ndarray, test: np.ndarray, strength: float = 1.0) -> np.ndarray:
    """Return the classes, int (n,), that a balanced logistic regression fitted to ``train`` predicts for ``test``."""
    regression = LogisticRegression(C=strength, class_weight="balanced", max_iter=2_000)
    return make_pipeline(StandardScaler(), regression).fit(train, targets).predict(test)


def told_apart(study: Study, encoder: BetaTCVAE, seed: int) -> dict[str, float]:
    """Return the balanced test accuracy of each kind of regression on one grouped split."""
    cells = labelled_cells(study, ClassifierConfig(split_seed=seed))
    targets, truth = cells.train_targets > 0, (cells.test_targets > 0).astype(int)
    train, test = study.crops[cells.train], study.crops[cells.test]
    oriented, latents = oriented_posteriors(encoder, train)[0], encode(encoder, test)[0]
    rows, repeated = oriented.reshape(-1, encoder.latents), np.tile(targets, len(oriented))
    drawn, drawn_test = _drawn(encoder, oriented[0]), _drawn(encoder, latents)
    found = {
        "latents": calls(rows, repeated, latents),
        "latents and their products": calls(products(rows), repeated, products(latents), 0.03),
        "shapes of crops": calls(_shapes(train), targets, _shapes(test)),
        "shapes of reconstructions": calls(_shapes(drawn), targets, _shapes(drawn_test)),
    }
    return {
        "split": cells.fingerprint,
        **{k: balanced_accuracy(truth, v.astype(int)) for k, v in found.items()},
    }


def explained(study: Study, encoder: BetaTCVAE) -> pd.DataFrame:
    """Return the share of each shape's variance that a ridge regression on latents explains, over five folds."""
    cells = labelled_cells(study, ClassifierConfig())
    images = study.crops[np.sort(np.concatenate([cells.train, cells.test]))]
    shapes, oriented = measure_shapes(images)[EXPLAINED], oriented_posteriors(encoder, images)[0]
    latents, mean = oriented[0], oriented.mean(0)
    ridge = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-1, 4, 8)))

    def share(columns: np.ndarray, values: np.ndarray) -> float:
        return float(1 - np.mean((cross_val_predict(ridge, columns, values) - values) ** 2) / np.var(values))

    return pd.DataFrame(
        {
            name: {
                "one latent": float(max(np.corrcoef(one, shapes[name])[0, 1] ** 2 for one in latents.T)),
                "all": share(latents, shapes[name].to_numpy()),
                "all and their products": share(products(latents), shapes[name].to_numpy()),
                "all, mean of eight orientations": share(mean, shapes[name].to_numpy()),
            }
            for name in EXPLAINED
        }
    ).T


def strayed(study: Study, encoder: BetaTCVAE) -> np.ndarray:
    """Return the share of each latent's variance, (L,), that violates its symmetry in the other orientations."""
    cells = labelled_cells(study, ClassifierConfig())
    own, *others = torch.from_numpy(
        oriented_posteriors(encoder, study.crops[np.concatenate([cells.train, cells.test])])[0]
    )
    off = [(other - transform_latents(own, k)).square().mean(0) for k, other in enumerate(others, 1)]
    return (torch.stack(off).mean(0) / (2 * own.var(0))).numpy()


def _shapes(images: np.ndarray) -> np.ndarray:
    return measure_shapes(images)[TOLD_BY].to_numpy()


def _drawn(encoder: BetaTCVAE, latents: np.ndarray) -> np.ndarray:
    return np.rint(255 * decode(encoder, latents).clip(0, 1)).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path)
    parser.add_argument("--splits", type=int, default=6)
    options = parser.parse_args()
    study = Study.open(options.study)
    encoder = study.encoder
    table = pd.DataFrame([told_apart(study, encoder, seed) for seed in range(options.splits)])
    print(table.round(3).to_string(index=False))
    print("mean", table.drop(columns="split").mean().round(3).to_dict())
    print(explained(study, encoder).round(2).to_string())
    print("strayed", strayed(study, encoder).astype(float).round(2).tolist())


if __name__ == "__main__":
    main()
