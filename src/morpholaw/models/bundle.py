"""A saved model: weights as safetensors, everything else as JSON. Opening one never runs code.

The weights carry their own hash in their file name and the description names them. A new model is
written beside the old one; replacing ``model.json`` is the single step that makes it the current one, so a
job that is killed at any moment leaves a model that opens.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as dump_tensors
from torch import Tensor, nn

from morpholaw.cells.files import write_bytes, write_json
from morpholaw.errors import InputError, reason
from morpholaw.models.description import (
    SCHEMA,
    encoder_weights,
    read_description,
    read_weights,
    weights_name,
)

Network = TypeVar("Network", bound=nn.Module)
Parts = TypeVar("Parts", int, list[int])


def save_bundle(
    folder: Path | str,
    tensors: dict[str, Tensor],
    description: dict[str, Any],
    identity: str | None = None,
    keep_old: bool = False,
) -> str:
    """Write a model atomically and return the fingerprint (SHA-256) of its weights.

    Parameters
    ----------
    folder : path
        The model's folder, whose parent exists; a model that is already there is replaced.
    tensors : dict
        Weights by name.
    description : dict
        Plain JSON values: kind, settings, configuration, versions, data fingerprint.
    identity : str, optional
        What the model is made of besides its weights. It is written into the file of the weights, so that its
        SHA-256 is that of the whole model.
    keep_old : bool
        Leave the files of older weights where they are.

    Returns
    -------
    str
        SHA-256 of the weights, in hexadecimal digits.

    Raises
    ------
    OSError
        When it cannot be written, e.g. on a full disk; the old model is then untouched.
    """
    folder = Path(folder)
    folder.mkdir(exist_ok=True)
    data = weights_bytes(tensors, identity)
    digest = hashlib.sha256(data).hexdigest()
    weights = folder / weights_name(digest)
    write_bytes(weights, data)
    write_json(
        folder / "model.json", {"schema": SCHEMA, "weights": weights.name, "sha256": digest, **description}
    )
    for old in () if keep_old else folder.glob("weights-*.safetensors"):
        if old != weights:
            old.unlink(missing_ok=True)
    return digest


def weights_bytes(tensors: dict[str, Tensor], identity: str | None = None) -> bytes:
    """Return weights as the bytes of a safetensors file.

    Parameters
    ----------
    tensors : dict
        Weights by name.
    identity : str, optional
        What the model is made of besides its weights.
    """
    metadata = None if identity is None else {"identity": identity}  # of several keys the order would vary
    return dump_tensors(
        {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, metadata
    )


def have_same_weights(tensors: dict[str, Tensor], others: dict[str, Tensor]) -> bool:
    """Whether two networks have the same weights, by name.

    Parameters
    ----------
    tensors, others : dict
        Weights by name, on any device.
    """
    if tensors.keys() != others.keys():
        return False
    pairs = ((tensor.detach().cpu(), others[name].detach().cpu()) for name, tensor in tensors.items())
    return all(one.dtype == other.dtype and torch.equal(one, other) for one, other in pairs)


def load_bundle(folder: Path | str, kind: str | None = None) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the weights and the description of a saved model.

    Raises
    ------
    InputError
        When there is no model, it is damaged, of another kind, of a newer schema, or names a file
        outside its own folder.
    """
    folder = Path(folder)
    description = read_description(folder, kind)
    path = folder / str(description["weights"])
    return _tensors(path, description.get("sha256")), description


def load_shared_encoder(folder: Path | str, description: dict[str, Any]) -> dict[str, Tensor]:
    """Return the weights of the encoder that a study's classifier reads and does not hold itself.

    Parameters
    ----------
    folder : path
        The classifier's folder in its study.
    description : dict
        The classifier's description.

    Raises
    ------
    InputError
        When there is no such encoder, or its weights are damaged.
    """
    digest = description.get("encoder_fingerprint")
    return _tensors(encoder_weights(folder, digest), digest)


def _tensors(path: Path, sha256: object) -> dict[str, Tensor]:
    data = read_weights(path, sha256)
    try:
        return load_tensors(data)
    except (SafetensorError, ValueError, KeyError, RuntimeError, OverflowError):
        raise InputError(
            f"The weights {path.name} of the model in {path.parent} are not a safetensors file."
        ) from None


def build_network(make: Callable[[], Network], tensors: dict[str, Tensor], folder: Path | str) -> Network:
    """Return the network that a bundle describes, with the bundle's weights, in evaluation mode.

    It is first built on torch's meta device, which holds shapes without values: a description of a network
    larger than its weights takes no memory.

    Parameters
    ----------
    make : callable
        Makes the network from the description.
    tensors : dict
        Weights by name.
    folder : path
        The model's folder, for messages.

    Raises
    ------
    InputError
        When no network can be built from the description, or the weights do not fit it.
    """
    try:
        with torch.device("meta"):
            network = make()
    except InputError:
        raise
    except Exception as error:  # constructors raise many kinds of errors for invalid settings
        raise InputError(
            f"The model in {folder} is not described in full ({reason(error)}); the bundle is damaged."
        ) from None
    if not all(bool(torch.isfinite(one).all()) for one in tensors.values() if one.is_floating_point()):
        raise InputError(
            f"The weights in {folder} are not finite numbers: its training went wrong; use an earlier model."
        )
    expected = {name: (tensor.shape, tensor.dtype) for name, tensor in network.state_dict().items()}
    if expected != {name: (tensor.shape, tensor.dtype) for name, tensor in tensors.items()}:
        raise InputError(
            f"The weights in {folder} do not fit the network its model.json describes; the bundle is damaged."
        )
    network.load_state_dict({name: tensor.clone() for name, tensor in tensors.items()}, assign=True)
    return network.eval()


def check_part_count(values: Parts, tensors: dict[str, Tensor]) -> Parts:
    """Return ``values``, a number of parts or a list with one value for each, unless there are too many.

    Raises
    ------
    ValueError
        When there are more parts than tensors; building them from a damaged description could take hours.
    """
    count = values if isinstance(values, int) else len(values)
    if not 0 <= count <= len(tensors):
        raise ValueError(f"{count} parts, but {len(tensors)} tensors")
    return values


def load_weights(module: Any, tensors: dict[str, Tensor], folder: Path | str) -> None:
    """Load ``tensors`` into a torch module; raise InputError when their names or shapes do not fit."""
    try:
        module.load_state_dict(tensors)
    except RuntimeError:
        raise InputError(
            f"The weights in {folder} do not fit the network its model.json describes; the bundle is damaged."
        ) from None


def remove_bundle(folder: Path | str) -> None:
    """Remove a model and its folder, the description first: an interrupted removal leaves no valid model."""
    folder = Path(folder)
    (folder / "model.json").unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
