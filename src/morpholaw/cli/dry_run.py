"""``--dry-run``: print what a long step would do and about how long it would take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from morpholaw.config import ClassifierConfig, EncoderConfig, LawConfig, StepConfig, TuneConfig
from morpholaw.display import counted
from morpholaw.store.labelled_cells import Labelled
from morpholaw.study import Study
from morpholaw.training.cores import available_cores
from morpholaw.training.durations import (
    about,
    classifier_seconds,
    encoder_seconds,
    law_seconds,
    tuning_seconds,
)


def encoder(study: Study, values: dict[str, Any]) -> None:
    """Print what train-encoder would do."""
    config = EncoderConfig.from_values(values)
    crops, cores = len(study.crops), available_cores()
    click.echo(
        f"Would train an encoder on {crops:,} crops, {config.epochs} epochs, and write it to {study.path / 'encoder'}."
    )
    _costs(encoder_seconds(config, crops, cores), config)


def classifier(study: Study, scheme: int, values: dict[str, Any]) -> None:
    """Print what train-classifier would do; scheme 4 is a search for laws."""
    if scheme == 4:
        known = {"models": "count"} | {name: name for name in LawConfig.model_fields} | {"preset": "preset"}
        return law(study, {known[name]: value for name, value in values.items() if name in known})
    config = ClassifierConfig.from_values(values).for_scheme(scheme)
    split = study.split(config)
    click.echo(f"Would train {counted(config.models, 'model')} of scheme {scheme} {_on(split)}")
    _costs(classifier_seconds(config, scheme, len(split.train), available_cores()), config)


def tuning(study: Study, values: dict[str, Any]) -> None:
    """Print what tune would do."""
    config = TuneConfig.from_values(values)
    click.echo(
        f"Would train {counted(config.runs, 'model')} of scheme 3 in each of {counted(config.trials, 'trial')}."
    )
    _costs(tuning_seconds(config), config)


def law(study: Study, values: dict[str, Any]) -> None:
    """Print what discover-law would do."""
    config = LawConfig.from_values(values)
    seed = 0 if config.split_seed is None else config.split_seed
    split = study.split(classes=config.classes, test_fraction=config.test_fraction, split_seed=seed)
    click.echo(f"Would search for {counted(config.count, 'law')} {_on(split)}")
    _costs(law_seconds(config, config.processes or available_cores()), config)


DESCRIPTIONS: dict[str, Callable[..., None]] = {
    "train_encoder": encoder,
    "train_classifier": classifier,
    "tune": tuning,
    "discover_law": law,
}
"""For each step of a study, the function that prints what it would do."""


def _on(split: Labelled) -> str:
    classes = ", ".join(split.classes)
    return f"on {len(split.train):,} cells of {classes}, and test them on {len(split.test):,} others."


def _costs(seconds: float, config: StepConfig) -> None:
    changed = {name: getattr(config, name) for name in sorted(config.model_fields_set)}
    settings = ", ".join(f"{name}={value}" for name, value in changed.items()) or "the defaults"
    time = about(seconds).capitalize()
    click.echo(
        f"{time} on {available_cores()} CPU cores; other CPUs may need half or twice as long. Settings: {settings}."
    )
