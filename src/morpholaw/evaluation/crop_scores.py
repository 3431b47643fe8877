"""Scoring of crops with all models of a classifier, in batches that fit the cache of the CPU."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor

from morpholaw.evaluation.fused_classifier import FusedClassifier, fuse, to_blocks
from morpholaw.evaluation.scoring import (
    CPU_BATCH,
    Scorer,
    Space,
    as_images,
    batches,
    check_space,
    device_of,
)
from morpholaw.events import SILENT, Monitor, Progress
from morpholaw.models.classifier import Classifier
from morpholaw.training.cores import most_threads

WHOLE = 32
"""Crops that a batch is filled up to a multiple of, with black ones: smaller ones are multiplied by other routines."""


def prepare_inputs(classifier: Scorer, x: np.ndarray | Tensor, space: Space) -> Tensor:
    """Return inputs as float32 on the classifier's device.

    Parameters
    ----------
    classifier : Scorer
        The classifier.
    x : ndarray or Tensor
        Crops, uint8 (n, s, s) or float32 (n, 1, s, s), or latents, float32 (n, latents).
    space : {"image", "latent"}
        Whether ``x`` holds crops or latents.

    Returns
    -------
    Tensor
        Images (n, 1, s, s) or latents (n, latents). For a fused classifier, images are rearranged to
        (n, 4, s / 2, s / 2), which makes no difference to an attack on pixels.

    Raises
    ------
    InputError
        If the classifier does not have the space, or ``x`` has a wrong number of axes.
    """
    check_space(classifier, space)
    tensor = as_images(x) if space == "image" else torch.as_tensor(x, dtype=torch.float32)
    tensor = tensor.detach().to(device_of(classifier.encoder, classifier))
    return to_blocks(tensor) if isinstance(classifier, FusedClassifier) else tensor


def thread_scorer(classifier: Classifier) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that scores crops in the calling thread, in which torch then uses a single core.

    It suits callers with one thread per core. The score of a cell is identical, to the last bit, whichever other cells
    are scored with it: sums over several cores, or over batches of another size, would be rounded differently.

    Parameters
    ----------
    classifier : Classifier
        The classifier, in evaluation mode.

    Returns
    -------
    callable
        Function that maps crops, uint8 (n, size, size), to scores f(x), float32 (members, n), or (members, n, classes)
        for more than two classes.
    """
    fast = fuse(classifier)

    def score_part(crops: np.ndarray) -> np.ndarray:
        missing = -len(crops) % WHOLE
        whole = np.concatenate([crops, np.zeros((missing, *crops.shape[1:]), crops.dtype)])
        scores = fast.score_images(prepare_inputs(fast, whole, "image")).float().cpu().numpy()
        return scores[:, : len(crops)]

    @torch.no_grad()
    def score(crops: np.ndarray) -> np.ndarray:
        torch.set_num_threads(1)
        parts = batches(crops, CPU_BATCH)  # activations of a part stay in the CPU's cache
        return np.concatenate([_no_scores(classifier), *map(score_part, parts)], axis=1)

    return score


def scorer(classifier: Classifier) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that scores crops like :func:`thread_scorer`, in as many threads as there are cores."""
    score_part = thread_scorer(classifier)

    def score(crops: np.ndarray) -> np.ndarray:
        parts = list(batches(crops, CPU_BATCH))
        with ThreadPoolExecutor(max(1, min(most_threads(), len(parts)))) as pool:
            return np.concatenate([_no_scores(classifier), *pool.map(score_part, parts)], axis=1)

    return score


def score_crops(
    classifier: Classifier, images: Any, batch: int = 512, monitor: Monitor = SILENT
) -> np.ndarray:
    """Score crops with every model of a classifier.

    Parameters
    ----------
    classifier : Classifier
        The classifier, in evaluation mode.
    images : array_like
        Crops, uint8 (n, size, size). They are read in batches and need not be in memory.
    batch : int
        Number of crops that are read at once.
    monitor : Monitor
        Receives progress and can cancel.

    Returns
    -------
    ndarray
        Scores f(x), float32 (members, n), or (members, n, classes) for more than two classes. There are fewer scores
        than crops if the step was cancelled.
    """
    score, scores = scorer(classifier), [_no_scores(classifier)]
    for begin in range(0, len(images), batch):
        if monitor.should_stop():
            break
        monitor.emit(Progress(begin, len(images), "score"))
        scores.append(score(np.array(images[begin : begin + batch])))
    return np.concatenate(scores, axis=1)


def _no_scores(classifier: Classifier) -> np.ndarray:
    """Return an empty array of scores."""
    classes = len(classifier.classes)
    return np.zeros((classifier.members, 0, classes) if classes > 2 else (classifier.members, 0), np.float32)
