"""The sparse heads of scheme 3 as arrays. Does not load torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from morpholaw.cells.files import refuse_special
from morpholaw.errors import InputError
from morpholaw.interpretation.subnetworks import SparseNetwork
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.store.classifiers import place_of

if TYPE_CHECKING:
    from morpholaw.store.study_folder import StudyFolder

_TENSORS = ("head.weights.{}", "head.mask_{}", "head.biases.{}")


def sparse_networks(folder: StudyFolder, record: ClassifierRecord) -> tuple[SparseNetwork, ...]:
    """Read the network of each model of scheme 3.

    Raises
    ------
    InputError
        If the weights cannot be read or do not match the record.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    path = place_of(folder, record.name) / record.weights
    refuse_special(path)
    try:
        tensors = load(path.read_bytes())
    except (OSError, SafetensorError):
        raise InputError(f"The weights {path} cannot be read; train scheme 3 again.") from None
    if record.head is None:
        raise InputError(f"{record.name} has no network; train scheme 3 again.")
    layers = range(len(record.head.hidden) + 1)
    try:
        weights, masks, biases = ([tensors[name.format(layer)] for layer in layers] for name in _TENSORS)
        networks = tuple(
            SparseNetwork.from_arrays([w[k] for w in weights], [m[k] for m in masks], [b[k] for b in biases])
            for k in range(record.members)
        )
        if any(network.widths[0] != len(record.columns_read.names) for network in networks):
            raise ValueError("as many inputs as columns")
        return networks
    except (KeyError, TypeError, ValueError, IndexError):
        raise InputError(f"The weights {path} do not match their record; train scheme 3 again.") from None
