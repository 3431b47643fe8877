"""Scores of all members of a classifier on crops, computed in batches that fit the CPU's cache."""

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
        The classifier that reads them.
    x : ndarray or Tensor
        Crops, uint8 (n, s, s) or float32 (n, 1, s, s); in latent space latents, float32 (n, latents).
    space : {"image", "latent"}
        What ``x`` holds.

    Returns
    -------
    Tensor
        Images (n, 1, s, s) or latents (n, latents). For a fused classifier images become blocks
        (n, 4, s / 2, s / 2); an attack works pixel by pixel and does not need to know.

    Raises
    ------
    InputError
        When the classifier has no such space, or ``x`` has another number of axes.
    """
    check_space(classifier, space)
    tensor = as_images(x) if space == "image" else torch.as_tensor(x, dtype=torch.float32)
    tensor = tensor.detach().to(device_of(classifier.encoder, classifier))
    return to_blocks(tensor) if isinstance(classifier, FusedClassifier) else tensor


def scorer(classifier: Classifier, threads: int | None = None) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that scores crops with every model of a classifier.

    A cell has the same score, to the last bit, alone, in its frame and in its study: crops are scored in parts on one
    core each, because a sum that several cores share rounds differently.

    Parameters
    ----------
    classifier : Classifier
        In evaluation mode.
    threads : int, optional
        Parts that are scored at the same time, by default as many as there are cores. With 1 the calling thread scores
        them, which suits a caller that has a thread per core already; torch keeps to one core in it from then on.

    Returns
    -------
    callable
        From crops, uint8 (n, size, size), to f(x), float32 (members, n), or (members, n, classes) for more than two
        classes.
    """
    fast = fuse(classifier)

    @torch.no_grad()
    def score_part(crops: np.ndarray) -> np.ndarray:
        missing = -len(crops) % WHOLE
        whole = np.concatenate([crops, np.zeros((missing, *crops.shape[1:]), crops.dtype)])
        scores = fast.score_images(prepare_inputs(fast, whole, "image")).float().cpu().numpy()
        return scores[:, : len(crops)]

    def score(crops: np.ndarray) -> np.ndarray:
        parts = list(batches(crops, CPU_BATCH))  # activations of a part stay in the CPU's cache
        if threads == 1:
            torch.set_num_threads(1)
            return np.concatenate([_no_scores(classifier), *map(score_part, parts)], axis=1)
        workers = max(1, min(threads or most_threads(), len(parts)))
        with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return np.concatenate([_no_scores(classifier), *pool.map(score_part, parts)], axis=1)

    return score


def score_crops(
    classifier: Classifier, images: Any, batch: int = 512, monitor: Monitor = SILENT
) -> np.ndarray:
    """Score crops with every model of a classifier.

    Parameters
    ----------
    classifier : Classifier
        In evaluation mode.
    images : array_like
        Crops, uint8 (n, size, size); read ``batch`` at a time, so that they need not be in memory.
    batch : int
        Crops that are read at a time.
    monitor : Monitor
        Progress and cancellation.

    Returns
    -------
    ndarray
        f(x), float32 (members, n), or (members, n, classes) for more than two classes; shorter than the crops where
        the step was asked to stop.
    """
    score, scores = scorer(classifier), [_no_scores(classifier)]
    for begin in range(0, len(images), batch):
        if monitor.should_stop():
            break
        monitor.emit(Progress(begin, len(images), "score"))
        scores.append(score(np.array(images[begin : begin + batch])))
    return np.concatenate(scores, axis=1)


def _no_scores(classifier: Classifier) -> np.ndarray:
    """Return the scores of no crop."""
    classes = len(classifier.classes)
    return np.zeros((classifier.members, 0, classes) if classes > 2 else (classifier.members, 0), np.float32)
