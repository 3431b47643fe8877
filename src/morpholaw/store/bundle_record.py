"""``model.json`` of a saved model, with the layout of its networks. The weights are in a separate file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

from morpholaw.models.description import read_description
from morpholaw.store.provenance import ResultRecord
from morpholaw.store.record import Part


class EncoderLayout(Part):
    """Layout of a beta-TCVAE, the arguments of :class:`morpholaw.models.vae.BetaTCVAE`."""

    latents: int
    filters: tuple[int, ...]
    hidden: int
    size: int
    texture: bool = False


class CNNLayout(Part):
    """Layout of the CNN of scheme 1, the arguments of :class:`morpholaw.models.cnn.CNNEnsemble`."""

    features: int
    filters: tuple[int, ...]
    hidden: int
    size: int
    dropout: float


class HeadLayout(Part):
    """Layout of a head, the arguments of :class:`morpholaw.models.heads.HeadEnsemble`."""

    inputs: int
    hidden: tuple[int, ...]
    outputs: int = 1
    normalise: bool = False
    dropout: float = 0.0


LOCATION = ("schema", "weights", "sha256", "encoder_apart")
"""Keys for the location of the weights, which :func:`morpholaw.models.bundle.save_bundle` writes."""


class BundleRecord(ResultRecord):
    """A saved model.

    Attributes
    ----------
    weights, sha256 : str
        Name of the file of weights and their SHA-256; "" before the model is saved.
    """

    KIND: ClassVar[str] = ""
    """The kind of bundle, "kind" in the file."""

    weights: str = ""
    sha256: str = ""

    @classmethod
    def read(cls, path: Path | str) -> Self:
        """Read the record of the model in the folder ``path``; InputError if it is missing or damaged."""
        return cls.parse(read_description(path, cls.KIND), Path(path) / "model.json")

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, as they stand in the file."""
        return {**super().to_json(), "kind": self.KIND}

    def description(self) -> dict[str, Any]:
        """Return the record without the location of the weights, to be saved with new weights."""
        return {name: value for name, value in self.to_json().items() if name not in LOCATION}
