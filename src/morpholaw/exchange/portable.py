"""Export of encoders and classifiers to TorchScript that runs without this package.

The input is a crop on the scale of its source, (raw - background) / scale, which needs two numbers. Scaling each cell
to its own brightest chromatin (:mod:`morpholaw.cells.normalise`) is part of the network.
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
    """Scales crops (n, 1, s, s), in units of their source's scale, to the grey levels in [0, 1] of the training."""

    def __init__(self, size: int, normalisation: Normalisation) -> None:
        super().__init__()
        self.ceiling, self.per = normalisation.ceiling, normalisation.per
        self.register_buffer("nucleus", torch.from_numpy(np.flatnonzero(nucleus(size))))

    def forward(self, crops: Tensor) -> Tensor:
        """Return scaled crops of the same shape, (n, 1, size, size)."""
        if self.per == "cell":
            pixels = crops.flatten(1)[:, self.get_buffer("nucleus")]
            brightness = torch.quantile(pixels, PEAK / 100, dim=1).clamp(FAINTEST, BRIGHTEST)
            crops = crops / brightness.view(-1, 1, 1, 1)
        return torch.round((crops / self.ceiling).clamp(0, 1) * 255) / 255  # crops are stored as bytes


class Latents(nn.Module):
    """Encodes images (n, 1, s, s) in [0, 1] as means of latents, (n, latents)."""

    def __init__(self, encoder: BetaTCVAE) -> None:
        super().__init__()
        self.hidden, self.mean = encoder.encoder, encoder.mean

    def forward(self, images: Tensor) -> Tensor:
        """Return the latent means, (n, latents), of images (n, 1, size, size)."""
        means: Tensor = self.mean(self.hidden(images))
        return means


class MedianScore(nn.Module):
    """Scores images (n, 1, s, s) in [0, 1] with the median over models, (n, 1); NaN if no score is defined."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        encoder, cnn = classifier.encoder, classifier.cnn
        self.features = cnn if encoder is None else Latents(encoder)
        self.head, self.laws = classifier.head, classifier.laws

    def forward(self, images: Tensor) -> Tensor:
        """Return the scores, (n, 1), of images (n, 1, size, size)."""
        assert self.features is not None
        features = self.features(images)
        laws = [law.score_torch(features) for law in self.laws]
        scores = torch.stack(laws) if self.head is None else self.head(features)
        finite = torch.where(torch.isfinite(scores), scores, torch.nan)
        return torch.nanquantile(finite, 0.5, dim=0).unsqueeze(1)


class ClassScores(nn.Module):
    """Scores images (n, 1, s, s) in [0, 1] for each of more than two classes, (n, classes).

    The scores are the median over models of the log-softmax; NaN if the score of a model is undefined.
    """

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        encoder, cnn = classifier.encoder, classifier.cnn
        self.features = cnn if encoder is None else Latents(encoder)
        self.head, self.laws, self.classes = classifier.head, classifier.laws, len(classifier.classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return the scores, (n, classes), of images (n, 1, size, size)."""
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
    """Return a network in evaluation mode that maps crops (n, 1, size, size) to latents or scores.

    A classifier returns (n, 1) for two classes and (n, classes) for more.
    """
    body: nn.Module = Latents(model) if isinstance(model, BetaTCVAE) else MedianScore(model)
    if isinstance(model, Classifier) and len(model.classes) > 2:
        body = ClassScores(model)
    return nn.Sequential(CellScale(size, normalisation), body).cpu().eval()


def torchscript(network: nn.Module, crops: Tensor) -> bytes:
    """Return a network as the bytes of a TorchScript file.

    The network is traced with the first two of the crops and must then give the original results for all of them. This
    detects properties of the traced batch, such as its length, that would have become constants.

    Parameters
    ----------
    network : Module
        Network from `portable`.
    crops : Tensor
        At least three crops, (n, 1, s, s).

    Returns
    -------
    bytes

    Raises
    ------
    RuntimeError
        If the results differ.
    """
    stream = io.BytesIO()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer warns about shape checks, and TorchScript is deprecated
        traced = torch.jit.trace(network, crops[:2], check_trace=False)
        torch.testing.assert_close(traced(crops), network(crops), rtol=1e-4, atol=1e-5, equal_nan=True)
        torch.jit.save(traced, stream)
    return _without_paths(stream)


def _without_paths(stream: io.BytesIO) -> bytes:
    """Remove the debug tables, which contain folder names of the machine that wrote the file."""
    slim = io.BytesIO()
    with zipfile.ZipFile(stream) as full, zipfile.ZipFile(slim, "w") as kept:
        for part in full.infolist():
            if not part.filename.endswith(".debug_pkl"):
                kept.writestr(part, full.read(part))
    return slim.getvalue()
