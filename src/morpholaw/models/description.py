"""The description of a saved model, ``model.json``, and its weights as bytes, read without torch."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Any

from morpholaw.cells.files import read_json, refuse_special
from morpholaw.errors import InputError

SCHEMA = 2
"""Version of the layout of bundles. Older layouts can be read; newer ones are rejected.

In layout 1, every classifier contains its encoder's weights.
"""

_WEIGHTS_NAME = re.compile(r"weights-[0-9a-f]{16}\.safetensors")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def read_description(folder: Path | str, kind: str | None = None) -> dict[str, Any]:
    """Read and check the description of the model in `folder`.

    Parameters
    ----------
    folder : path
        Folder of the bundle.
    kind : str, optional
        Expected kind of model, such as "classifier".

    Returns
    -------
    dict
        Plain JSON values. The weights file is checked to be in the folder; other values are unchecked.

    Raises
    ------
    InputError
        If there is no model, or it is of another kind or a newer layout, or refers to weights outside its folder.
    """
    folder = Path(folder)
    description = read_json(folder / "model.json")
    if not isinstance(description, dict) or "weights" not in description:
        raise InputError(f"{folder / 'model.json'} does not describe a model; expected a Morpholaw bundle.")
    schema = description.get("schema")
    if not isinstance(schema, int):
        raise InputError(f"{folder / 'model.json'} has no layout number; expected a Morpholaw bundle.")
    if schema > SCHEMA:
        raise InputError(
            f"The model in {folder} has layout {schema!r}, made by a newer version of Morpholaw; "
            f"this version reads up to layout {SCHEMA}."
        )
    if kind is not None and description.get("kind") != kind:
        raise InputError(f"The model in {folder} is of kind {description.get('kind')!r}; expected {kind!r}.")
    name = description["weights"]
    if not isinstance(name, str) or not _WEIGHTS_NAME.fullmatch(name):
        raise InputError(
            f"The model in {folder} refers to the weights {name!r}; expected a file in its own folder."
        )
    return description


def weights_name(sha256: str) -> str:
    """Return the file name for weights with a given SHA-256.

    Parameters
    ----------
    sha256 : str
        64 hexadecimal digits.

    Returns
    -------
    str
    """
    return f"weights-{sha256[:16]}.safetensors"


def read_weights(path: Path, sha256: object) -> bytes:
    """Read a weights file and verify its hash.

    Parameters
    ----------
    path : path
        Path of the file.
    sha256 : object
        SHA-256 from the model's description.

    Returns
    -------
    bytes
        Contents of the file.

    Raises
    ------
    InputError
        If the file cannot be read or its hash differs.
    """
    refuse_special(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"The weights {path.name} of the model in {path.parent} cannot be read: {error.strerror or error}."
        ) from None
    if hashlib.sha256(data).hexdigest() != sha256:
        raise InputError(
            f"The weights {path.name} of the model in {path.parent} are damaged: their hash is not the recorded one."
        )
    return data


def encoder_folder(classifier: Path | str) -> Path:
    """Return the folder ``encoder/`` of the study that contains a classifier.

    Parameters
    ----------
    classifier : path
        Folder of the classifier, ``classifiers/<name>/`` in a study.

    Returns
    -------
    Path
    """
    return Path(os.path.abspath(classifier)).parent.parent / "encoder"


def encoder_weights(classifier: Path | str, sha256: object) -> Path:
    """Return the path of the weights of the encoder that a classifier shares with its study.

    Parameters
    ----------
    classifier : path
        Folder of the classifier.
    sha256 : object
        SHA-256 of the encoder's weights, from the classifier's description.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If the SHA-256 is invalid or there is no such file.
    """
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise InputError(f"The model in {classifier} does not state its encoder; its model.json is damaged.")
    path = encoder_folder(classifier) / weights_name(sha256)
    if not path.exists():
        raise InputError(
            f"The models in {classifier} need their encoder, but {path} is missing. Copy that file from the "
            "study that the models come from, or train them again."
        )
    return path
