"""Commands that train and test: train-encoder, train-classifier, cross-validate, tune, discover-law and test-law."""

from __future__ import annotations

import json
import sys
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from morpholaw.cli.options import (
    CLASSES,
    DRY_RUN,
    INPUTS,
    KEEP,
    LAW_CLASSES,
    LOSS,
    PRESET,
    SCHEME_HELP,
    SET,
    STUDY,
    StepCommand,
    parse_settings,
)
from morpholaw.cli.progress_bar import progress
from morpholaw.cli.study import open_study
from morpholaw.cli.table import show_confusion, show_cross_validation, show_table
from morpholaw.display import Loss, counted, first_few, percent_interval

if TYPE_CHECKING:
    from morpholaw.store.classifier_record import ClassifierRecord
    from morpholaw.study import Study

NAME = click.option(
    "--name", help="Name of the classifier in the study. Default: after its scheme, such as scheme2."
)
REPLACE = click.option(
    "--replace", is_flag=True, help="Replace a classifier of the same name that distinguishes other classes."
)


def _describe(step: str, *arguments: Any) -> None:
    """Print what a step would do and about how long it would take."""
    from morpholaw.cli.dry_run import DESCRIPTIONS

    DESCRIPTIONS[step](*arguments)


@click.command("train-encoder", cls=StepCommand, settings="EncoderConfig")
@STUDY
@click.option("--config", "file", type=click.Path(path_type=Path), help="JSON file of settings.")
@PRESET
@SET
@click.option("--resume", is_flag=True, help="Continue from the checkpoint of a stopped training.")
@DRY_RUN
def train_encoder(
    study: Path, file: Path | None, preset: str | None, settings: tuple[str, ...], resume: bool, dry_run: bool
) -> None:
    """Train the encoder, a beta-TCVAE, on the crops of the study.

    It compresses each crop into latents, which schemes 2 to 4 read. Labels are not used by default.
    """
    opened = open_study(study)
    values = {"preset": preset} | parse_settings(settings, file)
    if dry_run:
        return _describe("train_encoder", opened, values)
    with progress() as monitor:
        record = opened.train_encoder(**values, resume=resume, monitor=monitor)
    if not record.complete:
        again = " ".join(["morpholaw", *sys.argv[1:], *([] if resume else ["--resume"])])
        click.echo(f"Stopped; the encoder trained so far was kept. To continue: {again}")
        raise click.exceptions.Exit(130)
    click.echo(f"The encoder is in {study / 'encoder'}.")


@click.command("train-classifier", cls=StepCommand, settings="ClassifierConfig")
@STUDY
@click.option("--scheme", required=True, type=click.IntRange(1, 4), help=SCHEME_HELP)
@CLASSES
@INPUTS
@KEEP
@click.option("--models", type=int, help="Number of models (10).")
@NAME
@REPLACE
@PRESET
@SET
@DRY_RUN
def train_classifier(
    study: Path,
    scheme: int,
    name: str | None,
    replace: bool,
    settings: tuple[str, ...],
    dry_run: bool,
    **options: Any,
) -> None:
    """Train a classifier on the labelled cells, and evaluate it on held-out groups.

    A group is a track, lineage, movie or replicate. The classifier consists of several models of one scheme; its score
    is the median of theirs.
    """
    values = parse_settings(settings) | {key: value for key, value in options.items() if value is not None}
    opened = open_study(study)
    if dry_run:
        return _describe("train_classifier", opened, scheme, values)
    with progress() as monitor:
        record = opened.train_classifier(scheme, name=name, replace=replace, monitor=monitor, **values)
    show_table(opened)
    if record is not None and not record.two_classes:
        show_confusion(record)


@click.command("cross-validate", cls=StepCommand, settings="ClassifierConfig")
@STUDY
@click.option("--scheme", required=True, type=click.IntRange(1, 4), help=SCHEME_HELP)
@click.option("--folds", type=click.IntRange(2), default=5, show_default=True, help="Number of folds.")
@click.option(
    "--repeats",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Number of repetitions, each with a new assignment of groups to folds.",
)
@CLASSES
@INPUTS
@KEEP
@click.option("--models", type=int, help="Number of models per fold (10).")
@LOSS
@click.option("--evaluations", type=int, help="Formulas tried in each search for a law.")
@click.option(
    "--tune",
    "trials",
    type=click.IntRange(1),
    metavar="TRIALS",
    help="Tune scheme 3 within the training groups of each fold, with this number of trials.",
)
@click.option(
    "--shuffle", is_flag=True, help="Shuffle the labels first, as a control: accuracy should be at chance."
)
@click.option(
    "--prevalence",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Prevalence of the second class for which its precision is reported (0.02).",
)
@PRESET
@SET
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="CSV file for the results per fold. Default: a file in the study's folder cross_validation.",
)
def cross_validate(
    study: Path,
    scheme: int,
    loss: Loss,
    settings: tuple[str, ...],
    out: Path | None,
    **options: Any,
) -> None:
    """Cross-validate a scheme and the baselines, with whole groups held out.

    The classifiers of the study do not change. After a stop (Ctrl+C), the same command continues after the tested
    folds.
    """
    from morpholaw.config import ClassifierConfig, LawConfig
    from morpholaw.evaluation.cross_validation import Design
    from morpholaw.store.cross_validation import results_file, tested_folds
    from morpholaw.store.labelled_cells import chosen_classes
    from morpholaw.study import Study
    from morpholaw.study.cross_validation_step import encoder_sentence, record_of_settings, uses_encoder

    names = ("classes", "inputs", "keep", "models", "preset")
    values = {name: options[name] for name in names if options[name] is not None}
    config = ClassifierConfig.from_values(parse_settings(settings) | values)
    law_values: dict[str, Any] = {name: getattr(config, name) for name in ("seed", "inputs", "shapes")}
    law_values |= {"loss": loss, "count": config.models, "preset": options["preset"]}
    if options["evaluations"]:
        law_values["evaluations"] = options["evaluations"]
    changed = {name: options[name] for name in ("folds", "repeats", "trials", "prevalence") if options[name]}
    design = Design(**changed, shuffled=options["shuffle"])
    opened, law = Study(study), LawConfig.from_values(law_values)
    with progress() as monitor:
        table = opened.cross_validate(scheme, config, design=design, law=law, out=out, monitor=monitor)
    if uses_encoder(opened, scheme, config, law):
        click.echo(encoder_sentence(opened))
    show_cross_validation(table, chosen_classes(opened, config.classes), design.shuffled)
    record = record_of_settings(opened, scheme, config, law, design)
    file = out or results_file(opened, record, tested_folds(table) == design.tests)
    click.echo(
        f"The results per fold are in {file}, those per group in {file.stem}-groups.csv, and the confusion matrix in "
        f"{file.stem}-confusion.csv."
    )


@click.command(cls=StepCommand, settings="TuneConfig")
@STUDY
@click.option("--trials", type=int, help="Number of trials (200).")
@click.option(
    "--storage", help="URL of an Optuna storage, to share the search between processes or machines."
)
@PRESET
@SET
@DRY_RUN
def tune(
    study: Path,
    trials: int | None,
    storage: str | None,
    preset: str | None,
    settings: tuple[str, ...],
    dry_run: bool,
) -> None:
    """Tune the hyperparameters of scheme 3 with Optuna; train-classifier then uses the best."""
    from optuna import logging

    from morpholaw.cells.files import plain

    logging.set_verbosity(logging.WARNING)  # the progress bar tells the rest
    options = {"trials": trials, "storage": storage, "preset": preset}
    values = parse_settings(settings) | {k: v for k, v in options.items() if v is not None}
    if dry_run:
        return _describe("tune", open_study(study), values)
    with progress() as monitor:
        best = open_study(study).tune(monitor=monitor, **values)
    click.echo(json.dumps(plain(best.to_json()), indent=2))


@click.command("discover-law", cls=StepCommand, settings="LawConfig")
@STUDY
@click.option(
    "--loss",
    type=click.Choice(["hinge", "mse"]),
    help="What laws are fitted to: the labels, by hinge loss (default), or the outputs of scheme 3, by squared error.",
)
@click.option("--engine", help="Search engine: auto (default), pysr or embedded.")
@click.option("--count", type=int, help="Number of laws (10).")
@LAW_CLASSES
@INPUTS
@NAME
@REPLACE
@PRESET
@SET
@DRY_RUN
def discover_law(
    study: Path, name: str | None, replace: bool, settings: tuple[str, ...], dry_run: bool, **options: Any
) -> None:
    """Search for laws: short formulas of latents or measured shapes.

    The sign of a law is the class. With more than two classes, each has a law, and the largest determines the class.
    """
    from morpholaw.models.law_units import law_in_units
    from morpholaw.store import classifiers
    from morpholaw.store.classifier_record import name_of
    from morpholaw.store.guessing import imbalance

    opened = open_study(study)
    values = parse_settings(settings) | {k: v for k, v in options.items() if v is not None}
    if dry_run:
        return _describe("discover_law", opened, values)
    with progress() as monitor:
        opened.discover_law(name=name, replace=replace, monitor=monitor, **values)
    record = classifiers.record(opened, name or name_of(4, values.get("loss", "hinge")))
    if not record.two_classes:
        _show_class_laws(opened, record)
        return
    for law, share in zip(record.laws, record.evaluation.intervals, strict=True):
        shown = law_in_units(law, record.columns).rounded()
        click.echo(
            f"{counted(law.size, 'node'):>10}  accuracy on held-out cells {percent_interval(*astuple(share))}  {shown}"
        )
    sentence = opened.law_sentence(loss=values.get("loss", "hinge"), name=name)
    evaluation = record.evaluation
    accuracy = percent_interval(*astuple(evaluation.ensemble_accuracy))
    click.echo(f"Law 1, which classify applies: {record.positive} where {sentence.inequality}.")
    click.echo(sentence.text)
    cells = f"{evaluation.test_cells} held-out cells"
    click.echo(f"It classifies {accuracy} of {cells} correctly{imbalance(record)}.")


def _show_class_laws(opened: Study, record: ClassifierRecord) -> None:
    """Print the law of each class and its sentence, and the accuracy of all laws together."""
    from morpholaw.store import classifiers
    from morpholaw.store.law_reading import laws_in_units, read_law

    classifier = classifiers.load(opened, record.name)
    reading = read_law(opened, classifier, 0, record.classes[0])
    shown = laws_in_units(classifier).rounded()
    for name, law in record.class_laws.laws.items():
        sentence = reading.of_class(name).sentence()
        click.echo(f"{name}: {counted(law.size, 'node')}, {shown.laws[name]}. {sentence.text}")
    evaluation = record.evaluation
    click.echo(
        f"The laws classify {percent_interval(*astuple(evaluation.ensemble_accuracy))} of {evaluation.test_cells} "
        f"held-out cells correctly; balanced accuracy {percent_interval(*astuple(evaluation.balanced_interval))}."
    )
    show_confusion(record)


@click.command("test-law")
@STUDY
@click.argument("expression")
@click.option(
    "--class",
    "class_name",
    help="Class of the cells for which the formula is true, or 0 or larger. Default: the second of two classes. "
    "Required with more than two classes.",
)
@click.option(
    "--loss",
    type=click.Choice(["hinge", "mse"]),
    default="hinge",
    show_default=True,
    help="Loss of the laws to compare with.",
)
@click.option("--name", help="Name of the laws to compare with; replaces --loss.")
def test_law(study: Path, expression: str, class_name: str | None, loss: Loss, name: str | None) -> None:
    """Evaluate a formula of your own on the held-out cells, and compare it with the laws of the study.

    EXPRESSION is a formula of latents and of shapes in their units, such as "width < 9 and axis_ratio > 1.9" or
    "z1 - 0.8*z3". It may contain numbers, + - * /, squares (^2), the functions abs exp log sin sqrt min max,
    comparisons, and the words and, or, not.
    """
    from morpholaw.study import Study

    result = Study(study).test_law(expression, loss=loss, name=name, class_name=class_name)
    negative, positive = result.classes
    units = "".join(f", {name} in {unit}" for name, unit in result.units.items())
    condition = "" if any(sign in expression for sign in "<>") else " >= 0"
    click.echo(f"{positive} where {expression.strip()}{condition}, else {negative}{units}.")
    click.echo(
        f"Accuracy on {result.cells} held-out cells {percent_interval(*astuple(result.tested.accuracy))}; "
        f"balanced accuracy {percent_interval(*astuple(result.tested.balanced_accuracy))}."
    )
    if result.doubt:
        click.echo(result.doubt)
    if result.undefined:
        agree = "has no finite value and counts as an error"
        if result.undefined > 1:
            agree = "have no finite value and count as errors"
        click.echo(f"{counted(result.undefined, 'cell')} {agree}.")
    if len(result.wrong):
        shown = first_few(result.wrong, 20)
        click.echo(
            f"Errors: {counted(len(result.wrong), 'cell')}, by their index among the study's crops: {shown}"
        )
    for number, law in enumerate(result.found, 1):
        click.echo(
            f"law {number}: accuracy {percent_interval(*astuple(law.accuracy))}, "
            f"balanced {percent_interval(*astuple(law.balanced_accuracy))}, "
            f"differs on {counted(law.differs, 'cell')}: {counted(law.nodes, 'node')}, {law.text}"
        )
