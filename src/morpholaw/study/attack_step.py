"""Accuracy under attack on a study's test cells (paper, 5.4 and 6.5)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from morpholaw.cells.splits import split_fingerprint
from morpholaw.config import AttackConfig
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Message, Monitor
from morpholaw.interpretation.attack import AttackCurve, AttackOptions, attack_curve, attack_pairs
from morpholaw.interpretation.attack_energy import successful_energy
from morpholaw.models.classifier import NO_GRADIENT, Classifier
from morpholaw.store import classifiers
from morpholaw.store.changes import tell_changes
from morpholaw.store.classifier_record import name_of
from morpholaw.store.labelled_cells import held_out
from morpholaw.store.latent_sample import morphology_latents
from morpholaw.store.study_folder import StudyFolder


def attack_schemes(
    folder: StudyFolder,
    schemes: Sequence[int],
    config: AttackConfig,
    monitor: Monitor = SILENT,
) -> pd.DataFrame:
    """Attack several schemes in the same way, on the cells that were held out from all of them.

    Returns
    -------
    DataFrame
        One row per model and eps: scheme, loss (of laws), space, keep, model, eps, accuracy, random_signs
        (accuracy under random signs of the same size, the control), energy_inside and nucleus_area (of the attacks on
        crops that succeeded: the mean share of the gradient's energy that lies inside the nucleus, and the nucleus'
        share of the crop), split; towards a class also ``towards`` and
        ``success``, the share of the other classes' cells that are taken for it. Schemes that a stop left out are
        missing.

    Raises
    ------
    InputError
        When a scheme was not trained, has no such space, or the schemes have no held-out cell in common.
    """
    configs = [config] if config.name else [config.model_copy(update={"scheme": one}) for one in schemes]
    configs = [AttackConfig.from_values(one.model_dump()) for one in configs]
    names = [_name(one) for one in configs]
    tell_changes(folder, names, monitor)
    cells = common_cells(folder, names)
    tables: list[pd.DataFrame] = []
    for one in configs:
        if tables and monitor.should_stop():
            break
        if len(configs) > 1:
            monitor.emit(Message(f"Scheme {one.scheme}."))
        tables.append(attack(folder, one, cells, monitor))
    return pd.concat(tables, ignore_index=True)


def common_cells(folder: StudyFolder, names: Sequence[str]) -> np.ndarray:
    """Return the cells that were held out from all of some classifiers, sorted indices int64 (n,).

    Raises
    ------
    InputError
        When the classifiers tell different classes apart, or have no held-out cell in common.
    """
    cells = [held_out(folder, name)[0] for name in names]
    classes = {frozenset(classifiers.record(folder, name).classes) for name in names}
    if len(classes) > 1:
        raise InputError(
            f"{', '.join(names)} tell different classes apart, so their accuracies cannot be compared; attack them "
            "one at a time."
        )
    common = reduce(np.intersect1d, cells)
    if not len(common):
        raise InputError(
            f"{', '.join(names)} have no held-out cell in common; train them again with the same split_seed and "
            "test_fraction."
        )
    return common


def _name(config: AttackConfig) -> str:
    return config.name or name_of(config.scheme, config.loss)


class _Attacked(NamedTuple):
    """What is attacked of a study: a classifier, the inputs of the space, and true classes."""

    classifier: Classifier
    inputs: torch.Tensor
    targets: np.ndarray
    options: AttackOptions
    split: str


def _prepare(folder: StudyFolder, config: AttackConfig, cells: np.ndarray) -> _Attacked:
    name = _name(config)
    classifier = classifiers.load(folder, name)
    if classifier.columns is not None:
        raise InputError(f"{name} cannot be attacked. {NO_GRADIENT}")
    if config.towards and config.towards not in classifier.classes:
        raise InputError(
            f"{name} does not know the class {config.towards!r} to move towards; its classes are "
            f"{', '.join(classifier.classes)}."
        )
    held, its_targets = held_out(folder, name)
    x = torch.from_numpy(folder.crops[cells]).unsqueeze(1).float() / 255
    if config.space == "latent":
        if classifier.encoder is None:
            raise InputError("Scheme 1 has no latent space to attack; choose space=image or another scheme.")
        with torch.no_grad():
            x = classifier.encoder.encode(x)[0]
    options = AttackOptions(
        space=config.space,
        fixed=held_latents(folder, classifier, config.keep),
        target=config.target,
        towards=classifier.classes.index(config.towards) if config.towards else None,
        loss=config.gradient_loss,
    )
    split = split_fingerprint(folder.crops.cells["group"].to_numpy(str)[cells])
    return _Attacked(classifier, x, its_targets[np.isin(held, cells)], options, split)


def attack(
    folder: StudyFolder, config: AttackConfig, cells: np.ndarray, monitor: Monitor = SILENT
) -> pd.DataFrame:
    """Attack one scheme on some of its held-out cells; the table is that of :func:`attack_schemes`."""
    one = _prepare(folder, config, cells)
    curve = attack_curve(one.classifier, one.inputs, one.targets, (0.0, *config.eps), one.options, monitor)
    energy, area = _inside(one, folder.crops[cells], curve)
    random = replace(one.options, direction="random")
    control = attack_curve(one.classifier, one.inputs, one.targets, config.eps, random, monitor)
    members, count = len(curve.accuracy), len(config.eps)
    table: dict[str, Any] = {
        "scheme": one.classifier.scheme,
        "loss": config.loss if one.classifier.scheme == 4 else "",
        "space": config.space,
        "keep": config.keep,
        "model": np.repeat(np.arange(members), count),
        "eps": np.tile(np.asarray(config.eps), members),
        "accuracy": curve.accuracy[:, 1:].ravel(),
        "random_signs": control.accuracy.ravel(),
        "energy_inside": energy.ravel(),
        "nucleus_area": area.ravel(),
        "split": one.split,
    }
    if config.towards:
        table["towards"] = config.towards
        others = curve.truth != one.options.towards
        reached = (curve.predicted == one.options.towards)[:, 1:, others]
        table["success"] = reached.mean(axis=2).ravel() if others.any() else np.nan
    return pd.DataFrame(table)


def _inside(attacked: _Attacked, images: np.ndarray, curve: AttackCurve) -> tuple[np.ndarray, np.ndarray]:
    """Return what of the successful attacks lies inside the nucleus, each (members, eps); NaN where none succeeded.

    It is known of attacks on crops. The first eps of the curve is 0, and left out.
    """
    if attacked.options.space != "image" or curve.crops < len(images):
        energy, area = np.full((2, *curve.correct.shape[:2]), np.nan)
    else:
        energy, area = successful_energy(attacked.classifier, images, curve)
    return energy[:, 1:], area[:, 1:]


def pairs(folder: StudyFolder, config: AttackConfig, monitor: Monitor = SILENT) -> pd.DataFrame:
    """Attack the held-out cells of a classifier towards each class; see :meth:`morpholaw.Study.attack_pairs`."""
    name = _name(config)
    tell_changes(folder, [name], monitor)
    one = _prepare(folder, config.model_copy(update={"towards": ""}), common_cells(folder, [name]))
    classes = one.classifier.classes
    args = (one.classifier, one.inputs, one.targets, len(classes), config.eps)
    found = attack_pairs(*args, one.options, monitor)
    control = attack_pairs(*args, replace(one.options, direction="random"), monitor)
    rows = [
        {
            "classifier": name,
            "space": config.space,
            "keep": config.keep,
            "eps": magnitude,
            "class": classes[own],
            "towards": classes[towards],
            "cells": int(found.cells[own]),
            "success": float(found.success[:, place, own, towards].mean()),
            "deviation": float(found.success[:, place, own, towards].std()),
            "random_signs": float(control.success[:, place, own, towards].mean()),
            "split": one.split,
        }
        for place, magnitude in enumerate(found.eps)
        for own in range(len(classes))
        for towards in range(len(classes))
        if own != towards
    ]
    return pd.DataFrame(rows)


def held_latents(folder: StudyFolder, classifier: Classifier, keep: str) -> tuple[int, ...]:
    """Return the latents that an attack holds fixed.

    ``keep`` is "morphology", for those that follow the cell whatever its surroundings
    (:attr:`morpholaw.interpretation.latent_summary.LatentSummary.morphology`), or names such as "z3, cell size".

    Raises
    ------
    InputError
        For a name that is neither, and where no latent is morphology.
    """
    if not keep.strip():
        return ()
    if keep.strip() == "morphology":
        if classifier.encoder is None:
            raise InputError("This classifier reads no latents, so there are none to keep.")
        return morphology_latents(folder, classifier.encoder)
    named = {name: latent for latent, name in folder.latent_names.items()}
    held = []
    for name in filter(None, map(str.strip, keep.split(","))):
        match = re.fullmatch(r"z(\d+)", name)
        latent = named.get(name, int(match[1]) if match else -1)
        if classifier.encoder is None or not 0 <= latent < classifier.encoder.latents:
            raise InputError(
                f"There is no latent {name!r} to keep; expected 'morphology' or names such as 'z3,z17'."
            )
        held.append(latent)
    return tuple(held)
