"""Commands that learn: train-encoder, train-classifier, tune, discover-law, test-law."""

from __future__ import annotations

import json
import sys
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from morpholaw.cli.options import (
    CLASSES,
    DRY_RUN,
    INPUTS,
    KEEP,
    LOSS,
    PRESET,
    SET,
    STUDY,
    StepCommand,
    parse_settings,
)
from morpholaw.cli.progress_bar import progress
from morpholaw.cli.study import open_study
from morpholaw.cli.table import show_confusion, show_cross_validation, show_table
from morpholaw.display import percent_interval

if TYPE_CHECKING:
    from morpholaw.store.classifier_record import ClassifierRecord
    from morpholaw.study import Study

NAME = click.option(
    "--name", help="What the classifier is called in the study; left out: after its scheme, such as scheme2."
)
REPLACE = click.option(
    "--replace", is_flag=True, help="Replace a classifier of the same name that tells other classes apart."
)


def _say_what(step: str, *arguments: Any) -> None:
    """Say what a step would do and about how long it would take."""
    from morpholaw.cli.dry_run import SAYS

    SAYS[step](*arguments)


@click.command("train-encoder", cls=StepCommand, settings="EncoderConfig")
@STUDY
@click.option("--config", "file", type=click.Path(path_type=Path), help="JSON file of settings.")
@PRESET
@SET
@click.option("--resume", is_flag=True, help="Go on from the checkpoint of a stopped training.")
@DRY_RUN
def train_encoder(
    study: Path, file: Path | None, preset: str | None, settings: tuple[str, ...], resume: bool, dry_run: bool
) -> None:
    """Train the beta-TCVAE on all crops of the study."""
    opened = open_study(study)
    values = {"preset": preset} | parse_settings(settings, file)
    if dry_run:
        return _say_what("train_encoder", opened, values)
    with progress() as monitor:
        record = opened.train_encoder(**values, resume=resume, monitor=monitor)
    if not record.complete:
        again = " ".join(["morpholaw", *sys.argv[1:], *([] if resume else ["--resume"])])
        click.echo(f"Stopped; the encoder as it is was kept. Go on with: {again}")
        raise click.exceptions.Exit(130)
    click.echo(f"The encoder is in {study / 'encoder'}.")


@click.command("train-classifier", cls=StepCommand, settings="ClassifierConfig")
@STUDY
@click.option("--scheme", required=True, type=click.IntRange(1, 4), help="1 CNN, 2 dense, 3 sparse, 4 law.")
@CLASSES
@INPUTS
@KEEP
@click.option("--models", type=int, help="Models, trained together (paper: 10).")
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
    """Train the models of one scheme and test them on held-out groups of cells."""
    settings_given = parse_settings(settings) | {
        key: value for key, value in options.items() if value is not None
    }
    opened = open_study(study)
    if dry_run:
        return _say_what("train_classifier", opened, scheme, settings_given)
    with progress() as monitor:
        record = opened.train_classifier(
            scheme, name=name, replace=replace, monitor=monitor, **settings_given
        )
    show_table(opened)
    if record is not None and not record.two_classes:
        show_confusion(record)


@click.command("cross-validate", cls=StepCommand, settings="ClassifierConfig")
@STUDY
@click.option("--scheme", required=True, type=click.IntRange(1, 4), help="1 CNN, 2 dense, 3 sparse, 4 law.")
@click.option(
    "--folds", type=click.IntRange(2), default=5, show_default=True, help="Folds; a group is in one."
)
@click.option(
    "--repeats", type=click.IntRange(1), default=1, show_default=True, help="How often groups are dealt anew."
)
@CLASSES
@INPUTS
@KEEP
@click.option("--models", type=int, help="Models of each fold, trained together (10).")
@LOSS
@click.option("--evaluations", type=int, help="Expressions tried in each search for a law.")
@click.option(
    "--tune",
    "trials",
    type=click.IntRange(1),
    help="Search scheme 3's settings within the training groups of each fold, with so many trials.",
)
@click.option(
    "--shuffle", is_flag=True, help="Shuffle the labels first: a control, which is to come out at chance."
)
@click.option(
    "--prevalence",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Share of cells of the second class at which its precision is given (0.02).",
)
@PRESET
@SET
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The table, CSV; by default in the study's cross_validation.",
)
def cross_validate(
    study: Path,
    scheme: int,
    loss: Literal["hinge", "mse"],
    settings: tuple[str, ...],
    out: Path | None,
    **options: Any,
) -> None:
    """Test a scheme and the baselines on all labelled groups of cells; changes no model."""
    from morpholaw.config import ClassifierConfig, LawConfig
    from morpholaw.evaluation.cross_validation import Design
    from morpholaw.store.labelled_cells import chosen_classes
    from morpholaw.study import Study
    from morpholaw.study.cross_validation_step import FOLDER, encoder_sentence, table_name, uses_encoder

    named = ("classes", "inputs", "keep", "models", "preset")
    stated = {name: options[name] for name in named if options[name] is not None}
    config = ClassifierConfig.from_values(parse_settings(settings) | stated)
    law: dict[str, Any] = {name: getattr(config, name) for name in ("seed", "inputs", "shapes")}
    law |= {"loss": loss, "count": config.models, "preset": options["preset"]}
    if options["evaluations"]:
        law["evaluations"] = options["evaluations"]
    chosen = {name: options[name] for name in ("folds", "repeats", "trials", "prevalence") if options[name]}
    design = Design(**chosen, shuffled=options["shuffle"])
    opened, searched = Study(study), LawConfig.from_values(law)
    with progress() as monitor:
        table = opened.cross_validate(scheme, config, design=design, law=searched, out=out, monitor=monitor)
    if (config.inputs != "shapes" or scheme == 1) and uses_encoder(opened, scheme, config, searched):
        click.echo(encoder_sentence(opened))
    show_cross_validation(table, chosen_classes(opened, config.classes), design.shuffled)
    place = out or opened.path / FOLDER / f"{table_name(scheme, searched, config, design)}.csv"
    click.echo(f"The folds are in {place}, the groups in {place.stem}-groups.csv.")


@click.command(cls=StepCommand, settings="TuneConfig")
@STUDY
@click.option("--trials", type=int, help="Trials (paper: 200).")
@click.option("--storage", help="Optuna storage URL, to share the search between processes or machines.")
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
    """Search the settings of scheme 3 with Optuna."""
    from morpholaw.cells.files import plain

    stated = {"trials": trials, "storage": storage, "preset": preset}
    values = parse_settings(settings) | {k: v for k, v in stated.items() if v is not None}
    if dry_run:
        return _say_what("tune", open_study(study), values)
    with progress() as monitor:
        best = open_study(study).tune(monitor=monitor, **values)
    click.echo(json.dumps(plain(best.to_json()), indent=2))


@click.command("discover-law", cls=StepCommand, settings="LawConfig")
@STUDY
@click.option(
    "--loss", type=click.Choice(["hinge", "mse"]), help="Hinge on labels, or MSE to scheme 3's outputs."
)
@click.option("--engine", help="auto, pysr or embedded.")
@click.option("--count", type=int, help="Expressions to find (paper: 10).")
@CLASSES
@INPUTS
@NAME
@REPLACE
@PRESET
@SET
@DRY_RUN
def discover_law(
    study: Path, name: str | None, replace: bool, settings: tuple[str, ...], dry_run: bool, **options: Any
) -> None:
    """Search for laws: expressions of latents or of measured shapes.

    The sign of a law tells two classes apart; more than two have one law each, and the largest is the class.
    """
    from morpholaw.models.law_units import law_in_units
    from morpholaw.store import classifiers
    from morpholaw.store.classifier_record import name_of

    opened = open_study(study)
    values = parse_settings(settings) | {k: v for k, v in options.items() if v is not None}
    if dry_run:
        return _say_what("discover_law", opened, values)
    with progress() as monitor:
        opened.discover_law(name=name, replace=replace, monitor=monitor, **values)
    record = classifiers.record(opened, name or name_of(4, values.get("loss", "hinge")))
    if not record.two_classes:
        _show_class_laws(opened, record)
        return
    for law, share in zip(record.laws, record.evaluation.intervals, strict=True):
        shown = law_in_units(law, record.columns).rounded()
        click.echo(
            f"{law.size:4d} nodes  right in {percent_interval(*astuple(share))} of the held-out cells  {shown}"
        )
    sentence = opened.law_sentence(loss=values.get("loss", "hinge"), name=name)
    tested = record.evaluation
    right = percent_interval(*astuple(tested.ensemble_accuracy))
    click.echo(f"Law 1, which classify applies: {record.positive} where {sentence.inequality}.")
    click.echo(sentence.text)
    click.echo(f"It is right in {right} of {tested.test_cells} held-out cells.")


def _show_class_laws(opened: Study, record: ClassifierRecord) -> None:
    """Print the law of each class and its sentence, and how often the largest is right."""
    from morpholaw.models.law_units import law_in_units

    for name, law in record.class_laws.laws.items():
        shown = law_in_units(law, record.columns).rounded()
        click.echo(
            f"{name}: {law.size:4d} nodes  {shown}. {opened.law_sentence(class_name=name, name=record.name).text}"
        )
    tested = record.evaluation
    click.echo(
        f"The class of the largest is right in {percent_interval(*astuple(tested.ensemble_accuracy))} of "
        f"{tested.test_cells} held-out cells, {percent_interval(*astuple(tested.balanced_interval))} balanced over "
        "the classes."
    )
    show_confusion(record)


@click.command("test-law")
@STUDY
@click.argument("expression")
@click.option(
    "--class",
    "class_name",
    help="The class where the formula holds, or is 0 or more; by default the second of two. Of more it is told from "
    "all others.",
)
@click.option("--loss", type=click.Choice(["hinge", "mse"]), default="hinge", help="Of the laws beside it.")
@click.option("--name", help="The laws beside it by their name in the study, in place of --loss.")
def test_law(
    study: Path, expression: str, class_name: str | None, loss: Literal["hinge", "mse"], name: str | None
) -> None:
    """Test a formula of your own on the held-out cells, beside the laws that were found.

    EXPRESSION reads latents, and shapes in units: "width < 9 and axis_ratio > 1.9", "z1 - 0.8*z3". Allowed are
    numbers, + - * /, squares (^2), abs exp log sin sqrt min max, comparisons, and or not.
    """
    from morpholaw.study import Study

    found = Study(study).test_law(expression, loss=loss, name=name, class_name=class_name)
    negative, positive = found.classes
    units = "".join(f", {name} in {unit}" for name, unit in found.units.items())
    click.echo(f"{positive} where {expression.strip()}, else {negative}{units}.")
    own = found.tested
    click.echo(
        f"Right in {percent_interval(*astuple(own.accuracy))} of {found.cells} held-out cells, "
        f"{percent_interval(*astuple(own.balanced_accuracy))} balanced over the classes."
    )
    if found.undefined:
        click.echo(f"{found.undefined} cells have no finite value and count as wrong.")
    if len(found.wrong):
        shown = ", ".join(map(str, found.wrong[:20])) + (", ..." if len(found.wrong) > 20 else "")
        click.echo(f"Wrong on {len(found.wrong)} cells, by their index among the study's crops: {shown}")
    for place, law in enumerate(found.found, 1):
        click.echo(
            f"law {place}: {percent_interval(*astuple(law.accuracy))}, "
            f"{percent_interval(*astuple(law.balanced_accuracy))} balanced, "
            f"differs on {law.differs} cells: {law.nodes} nodes  {law.text}"
        )
