"""Networks that differ from the shipped encoder, for ``encoder_table.py``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from unittest.mock import patch

from torch import Tensor, nn

from morpholaw.models.bundle import load_bundle, load_weights
from morpholaw.models.vae import BetaTCVAE
from morpholaw.training import encoder_training
from morpholaw.training.augment import blur
from morpholaw.training.reconstruction import WINDOW, ReconstructionError, block_mean


def load_default(folder: Path) -> BetaTCVAE:
    """Return the encoder in ``folder``, in evaluation mode."""
    tensors, description = load_bundle(folder, "encoder")
    model = BetaTCVAE.from_settings(description["settings"])
    load_weights(model, tensors, folder)
    return model.eval().requires_grad_(False)


def load_antialiased(folder: Path) -> BetaTCVAE:
    """Return the encoder in ``folder`` with a binomial blur before each of its convolutions, which have stride 2."""
    model = load_default(folder)
    for layer in model.encoder:
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_pre_hook(lambda _, read: (blur(read[0]),))
    return model


def load_two_textures(folder: Path) -> BetaTCVAE:
    """Return the encoder in ``folder`` with a decoder of three images: grey levels, fine texture, coarse texture.

    If the decoder has one texture, both textures start from it.
    """
    tensors, description = load_bundle(folder, "encoder")
    model = BetaTCVAE.from_settings(description["settings"])
    last = model.decoder[-1]
    model.decoder[-1] = nn.Conv2d(last.in_channels, 3, 3, padding=1)
    for name in [f"decoder.{len(model.decoder) - 1}.{part}" for part in ("weight", "bias")]:
        if len(tensors[name]) == 2:
            tensors[name] = tensors[name][[0, 1, 1]]
    load_weights(model, tensors, folder)
    return model.eval().requires_grad_(False)


class TwoTextures(ReconstructionError):
    """A reconstruction error with two textures: of the fine part of the residual, and of the blurred residual."""

    def forward(self, decoded: Tensor, images: Tensor) -> Tensor:
        """Return the error, a scalar, from decoded images, (n, 3, size, size), and crops, (n, 1, size, size)."""
        grey = decoded[:, :1].contiguous()
        weight = self.get_buffer("weight")
        blocks = block_mean(weight) * WINDOW**2
        left_out = images - grey.detach()
        coarse = blur(left_out)
        squares = ((grey - images).square() * weight).sum()
        for part, texture in ((left_out - coarse, decoded[:, 1:2]), (coarse, decoded[:, 2:])):
            difference = block_mean(texture.contiguous()) - block_mean(part.square()).sqrt()
            squares = squares + self.texture * (difference.square() * blocks).sum()
        return squares / len(images)


NETWORKS: dict[str, Callable[[Path], BetaTCVAE]] = {
    "default": load_default,
    "anti-aliased": load_antialiased,
    "two textures": load_two_textures,
}


def objective(network: str) -> AbstractContextManager[object]:
    """Return a context in which encoders are trained with the reconstruction error that a network needs."""
    if network == "two textures":
        return patch.object(encoder_training, "ReconstructionError", TwoTextures)
    return nullcontext()
