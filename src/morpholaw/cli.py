"""The command. Light at the top, so that ``morpholaw --help`` answers at once; each step loads what it needs."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from morpholaw import __version__
from morpholaw.errors import InputError

if TYPE_CHECKING:
    from morpholaw.events import Report, ShouldStop

STUDY = click.option("--study", required=True, type=click.Path(path_type=Path), help="The study's folder.")
SET = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="A setting of the step; repeatable."
)


class Commands(click.Group):
    """Prints bad input as one sentence and exits with status 2."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except InputError as error:
            click.echo(f"morpholaw: {error}", err=True)
            context.exit(2)
        except InterruptedError as error:
            click.echo(f"morpholaw: {error}", err=True)
            context.exit(130)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="morpholaw")
def main() -> None:
    """Find, in tracked live-cell movies, a law a biologist can read."""


@main.command()
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("morpholaw-demo"), help="Where the study goes."
)
def demo(out: Path) -> None:
    """The whole story on the shipped sample: ends with Table 1 and report.html."""
    from morpholaw.demo import run_demo

    with progress() as (report, should_stop):
        run_demo(out, report, should_stop)


@main.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--frames", type=int, help="Frames in the movie.")
@click.option("--cells", type=int, help="Cells in the first frame.")
@click.option("--seed", type=int, help="The same seed makes the same movie.")
@SET
def simulate(
    out: Path, frames: int | None, cells: int | None, seed: int | None, settings: tuple[str, ...]
) -> None:
    """Simulate a tracked H2B movie with known factors."""
    from morpholaw.cells.simulator import simulate_movie
    from morpholaw.config import SimulateConfig

    given = {"frames": frames, "cells": cells, "seed": seed}
    config = SimulateConfig.from_values(
        {k: v for k, v in given.items() if v is not None} | parse_settings(settings)
    )
    simulate_movie(config).write(out)  # type: ignore[arg-type]
    click.echo(f"Wrote a movie of {config.frames} frames, its masks, tracks and truth to {out}.")  # type: ignore[attr-defined]


@main.command()
@click.argument("movie", type=click.Path(path_type=Path))
@click.argument("tracks", type=click.Path(path_type=Path))
@STUDY
@click.option("--size", type=int, help="Side of a crop, in pixels.")
@click.option("--labels", type=click.Path(path_type=Path), help="CSV of labels, keyed by track_id and t.")
@click.option("--name", help="Name of the crop set; by default the movie's.")
@SET
def crop(
    movie: Path,
    tracks: Path,
    study: Path,
    size: int | None,
    labels: Path | None,
    name: str | None,
    settings: tuple[str, ...],
) -> None:
    """Cut a crop around every tracked cell of MOVIE (TIFF, frames, OME-Zarr)."""
    from morpholaw.study import Study

    given = parse_settings(settings) | ({"size": size} if size else {})
    with progress() as (report, should_stop):
        made = Study.open_or_create(study).crop(
            movie, tracks, labels=labels, name=name, report=report, should_stop=should_stop, **given
        )
    click.echo(
        f"{len(made)} crops of {made.size} x {made.size} pixels are in the set {made.name} of {study}."
    )


@main.command("import-crops")
@click.argument("folder", type=click.Path(path_type=Path))
@STUDY
@click.option(
    "--class", "classes", multiple=True, metavar="NAME=SUBFOLDER[,SUBFOLDER]", help="A class; repeatable."
)
@click.option("--group-regex", help="The part of a file's path that says which crops belong together.")
@click.option("--name", help="Name of the crop set; by default the folder's.")
@SET
def import_crops(
    folder: Path,
    study: Path,
    classes: tuple[str, ...],
    group_regex: str | None,
    name: str | None,
    settings: tuple[str, ...],
) -> None:
    """Import a folder of crops, one image a cell, labelled by subfolder."""
    from morpholaw.study import Study

    named = {}
    for text in classes:
        label, separator, subfolders = text.partition("=")
        if not separator or not label.strip() or not subfolders.strip():
            raise InputError(f"--class {text!r} is not NAME=SUBFOLDER[,SUBFOLDER].")
        named[label.strip()] = [part.strip() for part in subfolders.split(",") if part.strip()]
    given = parse_settings(settings) | {"classes": named, "group_regex": group_regex}
    with progress() as (report, should_stop):
        made = Study.open_or_create(study).import_crops(
            folder, name=name, report=report, should_stop=should_stop, **given
        )
    counts = made.cells["label"].replace("", "unlabelled").value_counts()
    told = ", ".join(f"{count} {label}" for label, count in counts.items())
    click.echo(f"{len(made)} crops are in the set {made.name} of {study}: {told}.")


@main.command("train-encoder")
@STUDY
@click.option("--config", "file", type=click.Path(path_type=Path), help="JSON file of settings.")
@SET
@click.option("--resume", is_flag=True, help="Go on from the checkpoint of a stopped training.")
def train_encoder(study: Path, file: Path | None, settings: tuple[str, ...], resume: bool) -> None:
    """Train the beta-TCVAE on all crops of the study."""
    from morpholaw.study import Study

    opened = Study(study)
    with progress() as (report, should_stop):
        made = opened.train_encoder(
            **parse_settings(settings, file), resume=resume, report=report, should_stop=should_stop
        )
    if not made["complete"]:
        again = " ".join(["morpholaw", *sys.argv[1:], *([] if resume else ["--resume"])])
        click.echo(f"Stopped; the encoder as it is was kept. Go on with: {again}")
        raise click.exceptions.Exit(130)
    click.echo(f"The encoder is in {study / 'encoder'}.")


@main.command("train-classifier")
@STUDY
@click.option("--scheme", required=True, type=click.IntRange(1, 4), help="1 CNN, 2 dense, 3 sparse, 4 law.")
@click.option("--models", type=int, help="Models, trained together (paper: 10).")
@SET
def train_classifier(study: Path, scheme: int, models: int | None, settings: tuple[str, ...]) -> None:
    """Train the models of one scheme and test them on held-out groups of cells."""
    from morpholaw.study import Study

    given = parse_settings(settings) | ({"models": models} if models else {})
    opened = Study(study)
    with progress() as (report, should_stop):
        opened.train_classifier(scheme, report=report, should_stop=should_stop, **given)
    show_table(opened)


@main.command()
@STUDY
@click.option("--trials", type=int, help="Trials (paper: 200).")
@click.option("--storage", help="Optuna storage URL, to share the search between processes or machines.")
@SET
def tune(study: Path, trials: int | None, storage: str | None, settings: tuple[str, ...]) -> None:
    """Search the settings of scheme 3 with Optuna."""
    from morpholaw.study import Study

    given = {"trials": trials, "storage": storage}
    values = parse_settings(settings) | {k: v for k, v in given.items() if v is not None}
    with progress() as (report, should_stop):
        best = Study(study).tune(report=report, should_stop=should_stop, **values)
    click.echo(json.dumps(best, indent=2))


@main.command("discover-law")
@STUDY
@click.option(
    "--loss", type=click.Choice(["hinge", "mse"]), help="Hinge on labels, or MSE to scheme 3's outputs."
)
@click.option("--engine", help="auto, pysr or embedded.")
@click.option("--count", type=int, help="Expressions to find (paper: 10).")
@SET
def discover_law(
    study: Path, loss: str | None, engine: str | None, count: int | None, settings: tuple[str, ...]
) -> None:
    """Search for laws: expressions of the kept latents whose sign is the class."""
    from morpholaw.study import Study

    given = {"loss": loss, "engine": engine, "count": count}
    opened = Study(study)
    values = parse_settings(settings) | {k: v for k, v in given.items() if v is not None}
    with progress() as (report, should_stop):
        opened.discover_law(report=report, should_stop=should_stop, **values)
    for law in opened.laws(values.get("loss", "hinge")):
        click.echo(f"{law.size:4d} nodes  {law.rounded()}")


@main.command()
@STUDY
@click.option("--scheme", required=True, type=click.IntRange(1, 4))
@click.option("--crops", type=click.Path(path_type=Path), help="A folder of crops.")
@click.option("--movie", type=click.Path(path_type=Path), help="A movie, with --tracks.")
@click.option("--tracks", type=click.Path(path_type=Path), help="The movie's tracks.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The table of scores, CSV.")
def classify(
    study: Path, scheme: int, crops: Path | None, movie: Path | None, tracks: Path | None, out: Path
) -> None:
    """Score cells and write scores.csv: crop,file,track_id,t,y,x,score,class."""
    from morpholaw.cells.files import write_table
    from morpholaw.study import Study

    if crops is not None and movie is not None:
        raise InputError("Give --crops or --movie with --tracks, not both.")
    with progress() as (report, should_stop):
        table = Study(study).classify(
            scheme, crops=crops, movie=movie, tracks=tracks, report=report, should_stop=should_stop
        )
    write_table(out, table.drop(columns="set", errors="ignore"))
    counts = ", ".join(f"{count} {name}" for name, count in table["class"].value_counts().items())
    click.echo(f"{len(table)} cells scored: {counts}. The table is {out}.")


@main.command()
@STUDY
@click.option("--scheme", required=True, type=click.IntRange(1, 4))
@click.option("--space", type=click.Choice(["image", "latent"]), default="image", show_default=True)
@click.option("--keep", default="", help="Latents held fixed: morphology, or names such as z3,z17.")
@click.option(
    "--eps", default="0,0.05,0.1,0.15,0.2,0.25", show_default=True, help="Magnitudes, comma-separated."
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A folder for the curve.")
def attack(study: Path, scheme: int, space: str, keep: str, eps: str, out: Path) -> None:
    """Accuracy under fast gradient sign attacks: a table and a figure."""
    from morpholaw.cells.files import write_table
    from morpholaw.study import Study

    try:
        magnitudes = tuple(float(part) for part in eps.split(","))
    except ValueError:
        raise InputError(f"--eps {eps!r} is not a list of numbers such as 0.1,0.2.") from None
    with progress() as (report, should_stop):
        table = Study(study).attack(
            scheme=scheme, space=space, keep=keep, eps=magnitudes, report=report, should_stop=should_stop
        )
    name = f"scheme{scheme}-{space}" + (f"-keep-{keep.replace(',', '-')}" if keep else "")
    write_table(out / f"{name}.csv", table)
    _attack_figure(table, out / f"{name}.png")
    click.echo(table.groupby("eps")["accuracy"].agg(["mean", "std"]).round(4).to_string())
    click.echo(f"The table and the figure are in {out}.")


def _attack_figure(table: Any, path: Path) -> None:
    from morpholaw.cells.files import atomic_file
    from morpholaw.figures.attacks import attack_curves

    eps = sorted(table["eps"].unique())
    accuracy = table.pivot(index="model", columns="eps", values="accuracy").to_numpy()
    figure = attack_curves(eps, {f"scheme {table['scheme'].iloc[0]}": accuracy})
    with atomic_file(path) as stream:
        figure.savefig(stream, format="png", dpi=150)


@main.command()
@STUDY
@click.option("--out", type=click.Path(path_type=Path), default=Path("report.html"), show_default=True)
def report(study: Path, out: Path) -> None:
    """Write a self-contained HTML report of the study."""
    from morpholaw.study import Study

    with progress() as (say, _):
        path = Study(study).report(out, say)
    click.echo(f"The report is {path}.")


def show_table(study: Any) -> None:
    """Print the study's Table 1."""
    from rich.console import Console
    from rich.table import Table

    rows = study.table1()
    columns = [
        "scheme",
        "model",
        "models",
        "head weights",
        "head expression size",
        "accuracy %",
        "balanced accuracy %",
    ]
    table = Table(title=f"Table 1 of {study.name}: mean ± sd over models, held-out groups")
    for column in [*columns, "paper's accuracy %"]:
        table.add_column(column, justify="right" if column not in ("model",) else "left")
    for _, row in rows.iterrows():
        table.add_row(*(str(row[column]) for column in columns), row["paper's accuracy %"])
    Console().print(table)
    if len(rows):
        click.echo(f"{rows['test cells'].iloc[0]} test cells, split {rows['split'].iloc[0]}.")


def parse_settings(pairs: tuple[str, ...], file: Path | None = None) -> dict[str, Any]:
    """KEY=VALUE pairs over a JSON file of settings; a value that is JSON is read as such, else as text."""
    values: dict[str, Any] = {}
    if file is not None:
        from morpholaw.cells.files import read_json

        values = read_json(file)
        if not isinstance(values, dict):
            raise InputError(f"{file} holds no settings; expected a JSON object.")
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator:
            raise InputError(f"--set {pair!r} is not KEY=VALUE.")
        try:
            values[key.strip()] = json.loads(value)
        except ValueError:
            values[key.strip()] = value
    return values


@contextmanager
def progress() -> Iterator[tuple[Report, ShouldStop]]:
    """A progress bar with losses and time left. The first Ctrl-C asks the step to stop, the second ends it."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    from morpholaw.events import Event, Message, Metrics
    from morpholaw.events import Progress as Done

    asked = {"stop": False}

    def interrupt(number: int, frame: Any) -> None:
        if asked["stop"]:
            raise KeyboardInterrupt
        asked["stop"] = True
        bar.console.print("Stopping at the next batch; press Ctrl-C again to end at once.")

    columns = (TextColumn("{task.description:<16}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    bar = Progress(
        *columns,
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[numbers]}"),
        console=Console(stderr=True),
        refresh_per_second=4,
    )
    tasks: dict[str, TaskID] = {}
    numbers = {"text": ""}

    def report(event: Event) -> None:
        if isinstance(event, Message):
            bar.console.print(
                event.text if event.level == "info" else f"Warning: {event.text}", highlight=False
            )
        elif isinstance(event, Metrics):
            numbers["text"] = "  ".join(
                f"{name} {value:.4g}" for name, value in list(event.values.items())[:5]
            )
        elif isinstance(event, Done):
            if event.stage not in tasks:
                tasks[event.stage] = bar.add_task(event.stage or "working", total=event.total, numbers="")
            bar.update(tasks[event.stage], completed=event.done, total=event.total, numbers=numbers["text"])

    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, interrupt)
    try:
        with bar:
            yield report, lambda: asked["stop"]
    finally:
        signal.signal(signal.SIGINT, before)


def _seconds(since: float) -> str:
    minutes, seconds = divmod(round(time.monotonic() - since), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
