"""Shapes of networks, as their bundles describe them."""

from __future__ import annotations

from morpholaw.store.record import Part


class EncoderLayout(Part):
    """The beta-TCVAE: arguments of :class:`morpholaw.models.vae.BetaTCVAE`."""

    latents: int
    filters: tuple[int, ...]
    hidden: int
    size: int
    texture: bool = False


class CNNLayout(Part):
    """The CNN of scheme 1: arguments of :class:`morpholaw.models.cnn.CNNEnsemble`."""

    features: int
    filters: tuple[int, ...]
    hidden: int
    size: int
    dropout: float


class HeadLayout(Part):
    """A head: arguments of :class:`morpholaw.models.heads.HeadEnsemble`."""

    inputs: int
    hidden: tuple[int, ...]
    outputs: int = 1
    normalise: bool = False
    dropout: float = 0.0
