"""Weights of encoders in a study's folder ``encoder/``: those of its encoder, and older ones that classifiers use.

Weights are stored once. A classifier stores its heads or laws and the SHA-256 of its encoder's weights, which is part
of the name of their file. When the study gets another encoder, the older weights are kept until no classifier uses
them. Files are never moved, so that all classifiers can be read even if a step is interrupted.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from morpholaw.cells.files import write_bytes
from morpholaw.errors import InputError
from morpholaw.models.description import encoder_folder, encoder_weights, read_description, read_weights
from morpholaw.models.description import weights_name as name_of_weights

if TYPE_CHECKING:
    from morpholaw.models.vae import BetaTCVAE

# torch is imported when an encoder is kept, so that classifiers are copied without it.


def keep(place: Path, encoder: BetaTCVAE) -> str:
    """Store the weights of a classifier's encoder in its study, and return their SHA-256.

    Parameters
    ----------
    place : path
        The classifier's folder in the study.
    encoder : BetaTCVAE
        The encoder.

    Raises
    ------
    OSError
        If they cannot be written.
    """
    from morpholaw.models.bundle import have_same_weights, load_bundle, weights_bytes

    tensors = encoder.state_dict()
    try:
        weights, description = load_bundle(encoder_folder(place), "encoder")
    except InputError:  # the study has no encoder, or a damaged one
        weights, description = {}, {}
    if have_same_weights(weights, tensors):  # whatever version of safetensors wrote them
        return str(description["sha256"])
    data = weights_bytes(tensors)
    digest = hashlib.sha256(data).hexdigest()
    _write(place, data, digest)
    return digest


def copy(source: Path, place: Path, sha256: str | None) -> None:
    """Copy the weights of the encoder of a classifier from another study.

    Parameters
    ----------
    source, place : path
        Folder of the classifier in the other study and in this study.
    sha256 : str, optional
        SHA-256 of the weights, from the record of the classifier.

    Raises
    ------
    InputError
        If they are missing or damaged.
    """
    data = read_weights(encoder_weights(source, sha256), sha256)
    _write(place, data, str(sha256))


def _write(place: Path, data: bytes, sha256: str) -> None:
    folder = encoder_folder(place)
    folder.mkdir(exist_ok=True)  # not its parents: a study that is deleted meanwhile stays deleted
    path = folder / name_of_weights(sha256)
    try:
        if path.read_bytes() == data:
            return
    except OSError:  # it is not there, or is written anew
        pass
    write_bytes(path, data)


def remove_unread(study: Path) -> None:
    """Remove weights of encoders that neither the study nor any of its classifiers uses.

    Nothing is removed if a model is damaged, as it may be restored. The study must be locked for writing.

    Parameters
    ----------
    study : path
        Folder of the study.
    """
    encoder = study / "encoder"
    kept = list(encoder.glob("weights-*.safetensors"))
    if len(kept) < 2:
        return
    read: set[str] = set()
    try:
        if (encoder / "model.json").exists():
            read.add(str(read_description(encoder)["weights"]))
        # also those that are being replaced, whose names begin with a dot
        for path in study.glob("classifiers/*/model.json"):
            described = read_description(path.parent)
            if described.get("encoder_apart") is True:
                read.add(name_of_weights(str(described.get("encoder_fingerprint"))))
    except InputError:
        return
    for path in kept:
        if path.name not in read:
            path.unlink(missing_ok=True)
