"""Accuracy under attack on the test cells of a study (paper, 5.4 and 6.5)."""

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
from morpholaw.display import classifier_name
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Monitor
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
        One row per model and eps; see :meth:`morpholaw.Study.attack`. Schemes that were not reached before a
        cancellation are missing.

    Raises
    ------
    InputError
        If a scheme was not trained, does not have the space, or the schemes have no held-out cells in common.
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
            monitor.tell(f"Scheme {one.scheme}.")
        tables.append(attack(folder, one, cells, monitor))
    return pd.concat(tables, ignore_index=True)


def common_cells(folder: StudyFolder, names: Sequence[str]) -> np.ndarray:
    """Return the cells that were held out from all of some classifiers, sorted indices int64 (n,).

    Raises
    ------
    InputError
        If the classifiers distinguish different classes, or have no held-out cells in common.
    """
    cells = [held_out(folder, name)[0] for name in names]
    classes = {frozenset(classifiers.record(folder, name).classes) for name in names}
    if len(classes) > 1:
        raise InputError(
            f"{', '.join(names)} distinguish different classes, so their accuracies cannot be compared; attack them "
            "one at a time."
        )
    common = reduce(np.intersect1d, cells)
    if not len(common):
        raise InputError(
            f"{', '.join(names)} have no held-out cells in common; train them again with the same split_seed and "
            "test_fraction."
        )
    return common


def _name(config: AttackConfig) -> str:
    return config.name or name_of(config.scheme, config.loss)


class _Attacked(NamedTuple):
    """A classifier to attack, with its inputs in the attacked space and their true classes."""

    classifier: Classifier
    inputs: torch.Tensor
    targets: np.ndarray
    options: AttackOptions
    split: str


def _prepare(folder: StudyFolder, config: AttackConfig, cells: np.ndarray) -> _Attacked:
    name = _name(config)
    classifier = classifiers.load(folder, name)
    if classifier.columns is not None:
        raise InputError(f"{classifier_name(name)} cannot be attacked. {NO_GRADIENT}")
    if config.towards and config.towards not in classifier.classes:
        raise InputError(
            f"{name} does not know the class {config.towards!r} to move towards; its classes are "
            f"{', '.join(classifier.classes)}."
        )
    held, its_targets = held_out(folder, name)
    x = torch.from_numpy(folder.crops[cells]).unsqueeze(1).float() / 255
    if config.space == "latent":
        if classifier.encoder is None:
            raise InputError(
                "Scheme 1 has no latent space; attack it in image space, or choose another scheme."
            )
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
    """Attack one scheme on some of its held-out cells; return a table as :func:`attack_schemes` does."""
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
    """Return the gradient's energy inside the nucleus and the area of the nucleus, each (members, eps).

    Both are shares, averaged over the successful attacks on crops, and NaN if there are none. The first eps of the
    curve, 0, is left out.
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
            "class": classes[class_number],
            "towards": classes[towards],
            "cells": int(found.cells[class_number]),
            "success": float(found.success[:, place, class_number, towards].mean()),
            "deviation": float(found.success[:, place, class_number, towards].std()),
            "random_signs": float(control.success[:, place, class_number, towards].mean()),
            "split": one.split,
        }
        for place, magnitude in enumerate(found.eps)
        for class_number in range(len(classes))
        for towards in range(len(classes))
        if class_number != towards
    ]
    return pd.DataFrame(rows)


def held_latents(folder: StudyFolder, classifier: Classifier, keep: str) -> tuple[int, ...]:
    """Return the latents that an attack holds fixed.

    Parameters
    ----------
    folder : StudyFolder
        The study.
    classifier : Classifier
        The attacked classifier.
    keep : str
        "morphology", for the latents that describe the cell itself
        (:attr:`morpholaw.interpretation.latent_summary.LatentSummary.morphology`), or names such as "z3, cell size".

    Raises
    ------
    InputError
        If there is no latent of a name, or no latent describes morphology.
    """
    if not keep.strip():
        return ()
    if keep.strip() == "morphology":
        if classifier.encoder is None:
            raise InputError("This classifier reads no latents, so none can be held fixed.")
        return morphology_latents(folder, classifier.encoder)
    named = {name: latent for latent, name in folder.latent_names.items()}
    held = []
    for name in filter(None, map(str.strip, keep.split(","))):
        match = re.fullmatch(r"z(\d+)", name)
        latent = named.get(name, int(match[1]) if match else -1)
        if classifier.encoder is None or not 0 <= latent < classifier.encoder.latents:
            raise InputError(
                f"There is no latent {name!r} to hold fixed; expected 'morphology' or names such as 'z3,z17'."
            )
        held.append(latent)
    return tuple(held)
