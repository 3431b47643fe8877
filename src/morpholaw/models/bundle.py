"""Saved models: weights as safetensors, everything else as JSON. Opening a model never runs code.

The name of the weights file contains its hash, and the description ``model.json`` refers to it by name. A new model is
written beside the old one, and replacing ``model.json`` is the single step that makes it current. A job that is killed
at any moment therefore leaves a model that opens.
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
    """Write a model atomically and return the SHA-256 of its weights.

    Parameters
    ----------
    folder : path
        Folder of the model; its parent must exist. An existing model is replaced.
    tensors : dict
        Weights by name.
    description : dict
        Plain JSON values: kind, settings, configuration, versions, data fingerprint.
    identity : str, optional
        Everything that defines the model besides its weights. It is stored in the weights file, so that the
        SHA-256 identifies the whole model.
    keep_old : bool
        Keep the weights files of earlier models.

    Returns
    -------
    str
        SHA-256 of the weights, in hexadecimal digits.

    Raises
    ------
    OSError
        If the files cannot be written, for example on a full disk. The old model is then unchanged.
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


def weights_digest(tensors: dict[str, Tensor]) -> str:
    """Return the SHA-256 of weights as in the file that `weights_bytes` makes, in hexadecimal digits."""
    return hashlib.sha256(weights_bytes(tensors)).hexdigest()


def weights_bytes(tensors: dict[str, Tensor], identity: str | None = None) -> bytes:
    """Return weights as the bytes of a safetensors file, the same bytes for the same weights.

    Parameters
    ----------
    tensors : dict
        Weights by name.
    identity : str, optional
        Everything that defines the model besides its weights.

    Returns
    -------
    bytes
    """
    metadata = None if identity is None else {"identity": identity}  # several keys would be in no fixed order
    return dump_tensors(
        {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, metadata
    )


def have_same_weights(tensors: dict[str, Tensor], others: dict[str, Tensor]) -> bool:
    """Return whether two networks have the same weights under the same names.

    Parameters
    ----------
    tensors, others : dict
        Weights by name, on any device.

    Returns
    -------
    bool
    """
    if tensors.keys() != others.keys():
        return False
    pairs = ((tensor.detach().cpu(), others[name].detach().cpu()) for name, tensor in tensors.items())
    return all(one.dtype == other.dtype and torch.equal(one, other) for one, other in pairs)


def load_bundle(folder: Path | str, kind: str | None = None) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the weights and the description of a saved model.

    Parameters
    ----------
    folder : path
        Folder of the model.
    kind : str, optional
        Expected kind of model, such as "classifier".

    Returns
    -------
    tensors : dict
        Weights by name.
    description : dict
        Contents of ``model.json``.

    Raises
    ------
    InputError
        If there is no model, or if it is damaged, of another kind, of a newer schema, or refers to a file outside its
        folder.
    """
    folder = Path(folder)
    description = read_description(folder, kind)
    path = folder / str(description["weights"])
    return _tensors(path, description.get("sha256")), description


def load_shared_encoder(folder: Path | str, description: dict[str, Any]) -> dict[str, Tensor]:
    """Return the weights of the encoder that a classifier shares with the rest of its study.

    Parameters
    ----------
    folder : path
        The classifier's folder in its study.
    description : dict
        Description of the classifier.

    Returns
    -------
    dict
        Weights by name.

    Raises
    ------
    InputError
        If the encoder is missing or its weights are damaged.
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
    """Build the network that a bundle describes and load the bundle's weights into it, in evaluation mode.

    The network is first built on torch's meta device, which stores shapes but no values. A damaged description of a
    huge network therefore takes no memory.

    Parameters
    ----------
    make : callable
        Builds the network from the description.
    tensors : dict
        Weights by name.
    folder : path
        Folder of the model, for error messages.

    Returns
    -------
    Module

    Raises
    ------
    InputError
        If the description is invalid or the weights do not fit the network.
    """
    try:
        with torch.device("meta"):
            network = make()
    except InputError:
        raise
    except Exception as error:  # constructors raise many kinds of errors for invalid settings
        raise InputError(
            f"The description of the model in {folder} is incomplete ({reason(error)}); the bundle is damaged."
        ) from None
    if not all(bool(torch.isfinite(one).all()) for one in tensors.values() if one.is_floating_point()):
        raise InputError(
            f"The weights in {folder} are not finite: the training diverged. Use an earlier model."
        )
    expected = {name: (tensor.shape, tensor.dtype) for name, tensor in network.state_dict().items()}
    if expected != {name: (tensor.shape, tensor.dtype) for name, tensor in tensors.items()}:
        raise InputError(
            f"The weights in {folder} do not fit the network that model.json describes; the bundle is damaged."
        )
    network.load_state_dict({name: tensor.clone() for name, tensor in tensors.items()}, assign=True)
    return network.eval()


def check_part_count(values: Parts, tensors: dict[str, Tensor]) -> Parts:
    """Return `values` unless they describe more parts than the bundle has tensors.

    Parameters
    ----------
    values : int or list of int
        The number of parts, or a list with one value per part.
    tensors : dict
        Weights by name.

    Returns
    -------
    int or list of int

    Raises
    ------
    ValueError
        If there are more parts than tensors. Building them from a damaged description could take hours.
    """
    count = values if isinstance(values, int) else len(values)
    if not 0 <= count <= len(tensors):
        raise ValueError(f"{count} parts, but {len(tensors)} tensors")
    return values


def load_weights(module: Any, tensors: dict[str, Tensor], folder: Path | str) -> None:
    """Load `tensors` into a torch module; raise InputError if their names or shapes do not fit.

    Parameters
    ----------
    module : Module
        Module to fill.
    tensors : dict of Tensor
        Weights by name.
    folder : path
        Folder of the bundle, for messages.

    Raises
    ------
    InputError
        If names or shapes do not fit.
    """
    try:
        module.load_state_dict(tensors)
    except RuntimeError:
        raise InputError(
            f"The weights in {folder} do not fit the network that model.json describes; the bundle is damaged."
        ) from None


def remove_bundle(folder: Path | str) -> None:
    """Delete a model and its folder, the description first, so that an interruption leaves no valid model."""
    folder = Path(folder)
    (folder / "model.json").unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
