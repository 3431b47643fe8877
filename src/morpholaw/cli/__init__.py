"""The command. Light at the top, so that ``morpholaw --help`` answers at once; steps load what they need."""

from __future__ import annotations

from itertools import chain
from typing import Any

import click

from morpholaw import __version__
from morpholaw.cli import (
    attack,
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

SECTIONS: dict[str, tuple[click.Command, ...]] = {
    "Begin": (results.demo, cells.simulate, cells.fetch_movie),
    "Bring data": (cells.inspect, cells.crop, cells.import_crops, cells.sets, classes.classes, info.info),
    "Train": (training.train_encoder, training.train_classifier, training.tune, training.cross_validate),
    "Find laws": (
        training.discover_law,
        training.test_law,
        laws.improve_law,
        laws.law_stability,
        laws.apply_law,
        laws.explain_cell,
        laws.law_sheet,
        export.law_card,
    ),
    "Use": (
        results.classify,
        results.adapt,
        timeline.timeline,
        timeline.condition_study,
        results.compare,
        attack.interventions,
        attack.attack,
        export.report,
        export.export,
    ),
    "Large and fast": (cluster.run, bench.bench),
    "Shell": (completion.completion,),
}
"""The commands in the order of the work."""


class Commands(click.Group):
    """Lists commands in the order of the work; prints bad input as one sentence and exits with status 2."""

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands under the headings of :data:`SECTIONS`."""
        for heading, commands in SECTIONS.items():
            rows = [(command.name or "", command.get_short_help_str(200)) for command in commands]
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


for command in chain.from_iterable(SECTIONS.values()):
    main.add_command(command)
