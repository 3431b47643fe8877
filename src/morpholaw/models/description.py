"""The description of a saved model, ``model.json``, and the bytes of its weights, read without torch."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Any

from morpholaw.cells.files import read_json, refuse_special
from morpholaw.errors import InputError

SCHEMA = 2
"""Version of the layout; a bundle of a newer one is refused, older ones are read.

In layout 1 every classifier holds its encoder's weights.
"""

_WEIGHTS_NAME = re.compile(r"weights-[0-9a-f]{16}\.safetensors")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def read_description(folder: Path | str, kind: str | None = None) -> dict[str, Any]:
    """Read what ``model.json`` says of the model in ``folder``.

    Parameters
    ----------
    folder : path
        The bundle's folder.
    kind : str, optional
        The kind of model that is expected, e.g. "classifier".

    Returns
    -------
    dict
        Plain JSON values. The name of the weights is that of a file in the folder; the other values are unchecked.

    Raises
    ------
    InputError
        When there is no model, or it is of another kind, of a newer layout, or names weights outside its folder.
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
            f"this version reads layouts up to {SCHEMA}."
        )
    if kind is not None and description.get("kind") != kind:
        raise InputError(f"The model in {folder} is of kind {description.get('kind')!r}; expected {kind!r}.")
    name = description["weights"]
    if not isinstance(name, str) or not _WEIGHTS_NAME.fullmatch(name):
        raise InputError(
            f"The model in {folder} names the weights {name!r}; expected a file in its own folder."
        )
    return description


def weights_name(sha256: str) -> str:
    """Return the name of the file with the weights of this SHA-256.

    Parameters
    ----------
    sha256 : str
        64 hexadecimal digits.
    """
    return f"weights-{sha256[:16]}.safetensors"


def read_weights(path: Path, sha256: object) -> bytes:
    """Return the bytes of a file of weights.

    Parameters
    ----------
    path : path
        The file.
    sha256 : object
        Its SHA-256, as it is recorded.

    Raises
    ------
    InputError
        When it cannot be read, or its hash is another.
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
            f"The weights {path.name} of the model in {path.parent} are damaged; expected their recorded hash."
        )
    return data


def encoder_folder(classifier: Path | str) -> Path:
    """Return the folder with the weights of encoders, ``encoder/``, of the study that a classifier's folder is in.

    Parameters
    ----------
    classifier : path
        The classifier's folder, ``classifiers/<name>/`` of a study.
    """
    return Path(os.path.abspath(classifier)).parent.parent / "encoder"


def encoder_weights(classifier: Path | str, sha256: object) -> Path:
    """Return the file with the weights of the encoder that a study's classifier reads and does not hold itself.

    Parameters
    ----------
    classifier : path
        The classifier's folder.
    sha256 : object
        SHA-256 of the encoder's weights, as the classifier's description has it.

    Raises
    ------
    InputError
        When the hash is none, or there is no such file.
    """
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise InputError(
            f"The model in {classifier} does not say which encoder it reads; its model.json is damaged."
        )
    path = encoder_folder(classifier) / weights_name(sha256)
    if not path.exists():
        raise InputError(
            f"The models in {classifier} read an encoder that is not there: {path} is missing. Copy that file from the "
            "study that the models come from, or train them again."
        )
    return path
