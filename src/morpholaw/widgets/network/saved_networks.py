"""The sparse heads of a study as arrays, read without torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from morpholaw.cells.files import read_json
from morpholaw.errors import InputError
from morpholaw.interpretation.subnetworks import SparseNetwork, SubNetwork, activations

if TYPE_CHECKING:
    from morpholaw.study import Study


@dataclass(frozen=True)
class SavedNetworks:
    """The models of scheme 3.

    Attributes
    ----------
    networks : tuple of SparseNetwork
        One for each model.
    accuracy : ndarray, float64 (models,)
        Share of test cells that each gets right.
    kept : tuple of tuple of int
        Latents that each model reads.
    sizes : tuple of int
        Each model's expression size (eq. 14).
    classes : tuple of str
        The classes of f < 0 and of f >= 0 (eq. 2).
    """

    networks: tuple[SparseNetwork, ...]
    accuracy: np.ndarray
    kept: tuple[tuple[int, ...], ...]
    sizes: tuple[int, ...]
    classes: tuple[str, str]


def saved_networks(study: Study) -> SavedNetworks | None:
    """Read scheme 3 of a study; None where it was not trained, InputError where its files are damaged."""
    folder = study.path / "classifiers" / "scheme3"
    if not (folder / "model.json").is_file():
        return None
    values = read_json(folder / "model.json")
    try:
        tensors = _tensors(folder / Path(values["weights"]).name)
        layers = range(len(values["head"]["hidden"]) + 1)
        members = int(values["members"])
        networks = tuple(
            SparseNetwork.from_arrays(
                *([tensors[name.format(layer)][k] for layer in layers] for name in _NAMES)
            )
            for k in range(members)
        )
        negative, positive = (str(name) for name in values["classes"])
        return SavedNetworks(
            networks,
            np.asarray(values["evaluation"]["accuracy"], dtype=np.float64).reshape(members),
            tuple(tuple(int(z) for z in kept) for kept in values["kept_latents"]),
            tuple(int(size) for size in values["expression_sizes"]),
            (negative, positive),
        )
    except (KeyError, TypeError, ValueError, IndexError):
        raise InputError(
            f"The networks in {folder} are not described in full; train scheme 3 again."
        ) from None


def neuron_response(network: SparseNetwork, part: SubNetwork, z: np.ndarray) -> np.ndarray:
    """Activation, (n,), of the one target of a sub-network at all latents of the encoder (n, latents)."""
    return activations(network, part, z[:, [unit for _, unit in part.sources]])[:, 0]


_NAMES = ("head.weights.{}", "head.mask_{}", "head.biases.{}")


def _tensors(path: Path) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return load(path.read_bytes())
    except (OSError, SafetensorError):
        raise InputError(f"The weights {path} cannot be read; train scheme 3 again.") from None
