"""The layout of a classifier: its description in ``model.json``, and how to rebuild the parts from it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor

from morpholaw.display import MODELS
from morpholaw.models.bundle import check_part_count
from morpholaw.models.cnn import CNNEnsemble
from morpholaw.models.features import ModelColumns
from morpholaw.models.heads import HeadEnsemble
from morpholaw.models.law import Law
from morpholaw.models.vae import BetaTCVAE

if TYPE_CHECKING:
    from morpholaw.models.classifier import Classifier


@dataclass(frozen=True)
class ClassifierParts:
    """The parts of a classifier, as its constructor expects them."""

    scheme: int
    classes: tuple[str, ...]
    encoder: BetaTCVAE | None
    cnn: CNNEnsemble | None
    head: HeadEnsemble | None
    laws: tuple[Law, ...]
    columns: ModelColumns | None


def layout_of(classifier: Classifier) -> dict[str, Any]:
    """Return everything that is needed to rebuild a classifier except its weights.

    Parameters
    ----------
    classifier : Classifier
        A classifier of any scheme.

    Returns
    -------
    dict
        Plain JSON values.
    """
    head = classifier.head
    return {
        "kind": "classifier",
        "scheme": classifier.scheme,
        "classes": list(classifier.classes),
        "members": classifier.members,
        "encoder": None if classifier.encoder is None else classifier.encoder.settings(),
        "cnn": None if classifier.cnn is None else classifier.cnn.settings,
        "head": None
        if head is None
        else {
            "inputs": head.inputs,
            "hidden": list(head.hidden),
            "outputs": head.outputs,
            "normalise": head.normalise,
            "dropout": head.dropout,
        },
        "laws": [law.to_json() for law in classifier.laws],
        "inputs": classifier.inputs,
        "columns": None if classifier.columns is None else classifier.columns.to_json(),
    }


def identity_of(classifier: Classifier, shared_encoder: str | None) -> str:
    """Return a fingerprint of everything besides the bundle's weights that scores depend on: encoder, laws, columns.

    Parameters
    ----------
    classifier : Classifier
        A classifier of any scheme.
    shared_encoder : str or None
        SHA-256 of the encoder's weights if the bundle omits them.

    Returns
    -------
    str
    """
    laws = [law.to_json() for law in classifier.laws]
    columns = None if classifier.columns is None else classifier.columns.to_json()
    text = json.dumps([shared_encoder, laws, columns], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def parts_of(values: dict[str, Any], tensors: dict[str, Tensor]) -> ClassifierParts:
    """Build the parts that a layout describes; their weights are not loaded yet.

    Parameters
    ----------
    values : dict
        As returned by `layout_of`.
    tensors : dict of Tensor
        Weights by name; they limit the number of parts.

    Returns
    -------
    ClassifierParts

    Raises
    ------
    ValueError
        If the parts do not belong to one scheme.
    """
    members, classes = int(values["members"]), tuple(map(str, values["classes"]))
    encoder = cnn = head = None
    if (settings := values["encoder"]) is not None:
        encoder = BetaTCVAE.from_settings(
            {**settings, "filters": check_part_count(settings["filters"], tensors)}
        )
    if (settings := values["cnn"]) is not None:
        check_part_count(settings["filters"], tensors)
        cnn = CNNEnsemble(check_part_count(members, tensors), **settings)
    if (settings := values["head"]) is not None:
        hidden = check_part_count(settings["hidden"], tensors)
        head = HeadEnsemble(members, **{**settings, "hidden": hidden})
    laws = tuple(Law.from_json(law) for law in values["laws"])
    columns = None if values.get("columns") is None else ModelColumns.from_json(values["columns"])
    scheme = int(values["scheme"])
    needs_encoder = scheme != 1 and (columns is None or bool(columns.latents))
    if scheme not in MODELS or (scheme == 4) != bool(laws) or (needs_encoder and encoder is None):
        raise ValueError(f"scheme {scheme} with the parts of another scheme")
    if scheme != 4 and (head is None or (scheme == 1) != (cnn is not None)):
        raise ValueError(f"scheme {scheme} with the parts of another scheme")
    return ClassifierParts(scheme, classes, encoder, cnn, head, laws, columns)
