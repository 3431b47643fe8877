"""The command. Light at the top, so that ``morpholaw --help`` answers at once; steps load what they need."""

from __future__ import annotations

from typing import Any

import click

from morpholaw import __version__
from morpholaw.cli import (
    bench,
    cells,
    classes,
    cluster,
    completion,
    export,
    info,
    laws,
    results,
    timeline,
    training,
)
from morpholaw.errors import MorpholawError

SECTIONS = {
    "Begin": ("demo", "simulate", "fetch-movie"),
    "Bring data": ("inspect", "crop", "import-crops", "sets", "classes", "info"),
    "Train": ("train-encoder", "train-classifier", "tune", "cross-validate"),
    "Find laws": (
        "discover-law",
        "test-law",
        "improve-law",
        "law-stability",
        "apply-law",
        "explain-cell",
        "law-sheet",
        "law-card",
    ),
    "Use": (
        "classify",
        "adapt",
        "timeline",
        "condition-study",
        "compare",
        "interventions",
        "attack",
        "report",
        "export",
    ),
    "Large and fast": ("run", "bench"),
    "Shell": ("completion",),
}
"""The commands in the order of the work."""


class Commands(click.Group):
    """Lists commands in the order of the work; prints bad input as one sentence and exits with status 2."""

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands under the headings of :data:`SECTIONS`."""
        for heading, names in SECTIONS.items():
            found = [(name, self.get_command(context, name)) for name in names]
            rows = [(name, command.get_short_help_str(200)) for name, command in found if command is not None]
            with formatter.section(heading):
                formatter.write_dl(rows)

    def invoke(self, context: click.Context) -> Any:
        """Run the command; print an error of ours as one sentence."""
        try:
            return super().invoke(context)
        except MorpholawError as error:
            click.echo(f"morpholaw: {error}", err=True)
            context.exit(2)
        except InterruptedError as error:
            click.echo(f"morpholaw: {error}", err=True)
            context.exit(130)
        except MemoryError:
            click.echo("morpholaw: there is not enough memory for this step; free some.", err=True)
            context.exit(2)
        except OSError as error:
            where = error.filename or "a file"
            click.echo(f"morpholaw: {where} cannot be read or written: {error.strerror or error}.", err=True)
            context.exit(2)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="morpholaw")
def main() -> None:
    """Find, in tracked live-cell movies, a law a biologist can read."""


for command in (
    results.demo,
    cells.simulate,
    cells.fetch_movie,
    cells.crop,
    cells.import_crops,
    cells.inspect,
    cells.sets,
    classes.classes,
    info.info,
    training.train_encoder,
    training.train_classifier,
    training.cross_validate,
    training.tune,
    training.discover_law,
    training.test_law,
    laws.apply_law,
    laws.explain_cell,
    laws.law_sheet,
    laws.improve_law,
    laws.law_stability,
    results.classify,
    results.adapt,
    timeline.timeline,
    timeline.condition_study,
    results.compare,
    results.attack,
    results.interventions,
    results.report,
    cluster.run,
    bench.bench,
    results.law_card,
    export.export,
    completion.completion,
):
    main.add_command(command)
