"""Encoder and classifiers as TorchScript that runs without this package, from crops of a camera to their result.

What comes in is a crop on its source's scale, (raw - background) / scale, which takes two
numbers. The rest of the grey scale (:mod:`morpholaw.cells.normalise`), each cell over its own brightest
chromatin, is part of the network.
"""

from __future__ import annotations

import io
import warnings
import zipfile

import numpy as np
import torch
from torch import Tensor, nn

from morpholaw.cells.normalise import BRIGHTEST, FAINTEST, PEAK, Normalisation, nucleus
from morpholaw.models.classifier import Classifier
from morpholaw.models.vae import BetaTCVAE


class CellScale(nn.Module):
    """Crops (n, 1, s, s) in units of their source's scale to the grey values in [0, 1] that the models learnt from."""

    def __init__(self, size: int, normalisation: Normalisation) -> None:
        super().__init__()
        self.ceiling, self.per = normalisation.ceiling, normalisation.per
        self.register_buffer("nucleus", torch.from_numpy(np.flatnonzero(nucleus(size))))

    def forward(self, crops: Tensor) -> Tensor:
        """Normalise crops, (n, 1, size, size) to the same shape."""
        if self.per == "cell":
            pixels = crops.flatten(1)[:, self.get_buffer("nucleus")]
            brightness = torch.quantile(pixels, PEAK / 100, dim=1).clamp(FAINTEST, BRIGHTEST)
            crops = crops / brightness.view(-1, 1, 1, 1)
        return torch.round((crops / self.ceiling).clamp(0, 1) * 255) / 255  # crops are stored as bytes


class Latents(nn.Module):
    """Images (n, 1, s, s) in [0, 1] to the means of their latents, (n, latents)."""

    def __init__(self, encoder: BetaTCVAE) -> None:
        super().__init__()
        self.hidden, self.mean = encoder.encoder, encoder.mean

    def forward(self, images: Tensor) -> Tensor:
        """Encode images, (n, 1, size, size), as the means of the latents, (n, latents)."""
        means: Tensor = self.mean(self.hidden(images))
        return means


class MedianScore(nn.Module):
    """Images (n, 1, s, s) in [0, 1] to the median of the models' scores, (n, 1); NaN where all are undefined."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        encoder, cnn = classifier.encoder, classifier.cnn
        self.features = cnn if encoder is None else Latents(encoder)
        self.head, self.laws = classifier.head, classifier.laws

    def forward(self, images: Tensor) -> Tensor:
        """Score images, (n, 1, size, size), as (n, 1)."""
        assert self.features is not None
        features = self.features(images)
        laws = [law.score_torch(features) for law in self.laws]
        scores = torch.stack(laws) if self.head is None else self.head(features)
        finite = torch.where(torch.isfinite(scores), scores, torch.nan)
        return torch.nanquantile(finite, 0.5, dim=0).unsqueeze(1)


class ClassScores(nn.Module):
    """Images (n, 1, s, s) in [0, 1] to one score per class, (n, classes), of more than two classes.

    It is the logarithm of the softmax, its median over the models; NaN where a model's score is undefined.
    """

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        encoder, cnn = classifier.encoder, classifier.cnn
        self.features = cnn if encoder is None else Latents(encoder)
        self.head, self.laws, self.classes = classifier.head, classifier.laws, len(classifier.classes)

    def forward(self, images: Tensor) -> Tensor:
        """Score images, (n, 1, size, size), as (n, classes)."""
        assert self.features is not None
        features = self.features(images)
        if self.head is None:
            laws = torch.stack([law.score_torch(features) for law in self.laws])
            scores = laws.unflatten(0, (-1, self.classes)).movedim(1, 2)
        else:
            scores = self.head(features)
        finite = torch.isfinite(scores)
        filled = torch.where(finite, scores, -torch.inf)
        logarithm = filled - torch.logsumexp(filled, dim=-1, keepdim=True)
        return torch.nanquantile(torch.where(finite, logarithm, torch.nan), 0.5, dim=0)


def portable(model: BetaTCVAE | Classifier, size: int, normalisation: Normalisation) -> nn.Module:
    """Return the network that is exported, in evaluation mode: (n, 1, size, size) to latents or scores.

    A classifier of two classes gives (n, 1), of more (n, classes).
    """
    body: nn.Module = Latents(model) if isinstance(model, BetaTCVAE) else MedianScore(model)
    if isinstance(model, Classifier) and len(model.classes) > 2:
        body = ClassScores(model)
    return nn.Sequential(CellScale(size, normalisation), body).cpu().eval()


def torchscript(network: nn.Module, crops: Tensor) -> bytes:
    """``network`` as a TorchScript file.

    It is traced with two of the crops (n, 1, s, s), n >= 3, and must then give for all of them what ``network``
    gives: nothing of the traced batch, its length for one, may have gone into the file.

    Raises
    ------
    RuntimeError
        It does not.
    """
    stream = io.BytesIO()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # checks of shapes are seen by the tracer; TorchScript is called old
        traced = torch.jit.trace(network, crops[:2], check_trace=False)
        torch.testing.assert_close(traced(crops), network(crops), rtol=1e-4, atol=1e-5, equal_nan=True)
        torch.jit.save(traced, stream)
    return _without_paths(stream)


def _without_paths(stream: io.BytesIO) -> bytes:
    """Remove the debug tables, which name the folders of the machine that wrote the file."""
    slim = io.BytesIO()
    with zipfile.ZipFile(stream) as full, zipfile.ZipFile(slim, "w") as kept:
        for part in full.infolist():
            if not part.filename.endswith(".debug_pkl"):
                kept.writestr(part, full.read(part))
    return slim.getvalue()
