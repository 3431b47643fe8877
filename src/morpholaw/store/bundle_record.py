"""``model.json`` of a saved model as an object, with the shape of its networks; the weights lie beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

from morpholaw.models.description import read_description
from morpholaw.store.provenance import ResultRecord
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


LOCATION = ("schema", "weights", "sha256", "encoder_apart")
"""Keys that say where the weights are; :func:`morpholaw.models.bundle.save_bundle` writes them."""


class BundleRecord(ResultRecord):
    """A saved model.

    Attributes
    ----------
    weights, sha256 : str
        File of the weights and their SHA-256; "" before the model is saved.
    """

    KIND: ClassVar[str] = ""
    """The kind of bundle, "kind" in the file."""

    weights: str = ""
    sha256: str = ""

    @classmethod
    def read(cls, path: Path | str) -> Self:
        """Read the record of the model in the folder ``path``; InputError where it is missing or damaged."""
        return cls.parse(read_description(path, cls.KIND), Path(path) / "model.json")

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, as they stand in the file."""
        return {**super().to_json(), "kind": self.KIND}

    def description(self) -> dict[str, Any]:
        """Return what is saved beside new weights: everything but the location of the weights."""
        return {name: value for name, value in self.to_json().items() if name not in LOCATION}
