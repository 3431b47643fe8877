"""The command ``morpholaw``. Commands import what they need when they run, so that ``--help`` is fast."""

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
    "Get started": (results.demo, cells.simulate, cells.fetch_movie),
    "Prepare data": (cells.inspect, cells.crop, cells.import_crops, cells.sets, classes.classes, info.info),
    "Train": (training.train_encoder, training.train_classifier, training.tune, training.cross_validate),
    "Find and test laws": (
        training.discover_law,
        training.test_law,
        laws.improve_law,
        laws.law_stability,
        laws.apply_law,
        laws.explain_cell,
        laws.law_sheet,
        export.law_card,
    ),
    "Apply and evaluate": (
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
    "Run at scale": (cluster.run, bench.bench),
    "Set up the shell": (completion.completion,),
}
"""The commands by topic, in the order in which they are usually needed."""


class Commands(click.Group):
    """A group that lists its commands by topic, and reports bad input in one sentence with exit status 2."""

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands under the headings of :data:`SECTIONS`."""
        for heading, commands in SECTIONS.items():
            rows = [(command.name or "", command.get_short_help_str(200)) for command in commands]
            with formatter.section(heading):
                formatter.write_dl(rows)

    def invoke(self, context: click.Context) -> Any:
        """Run the command; print a foreseen error as one sentence."""
        try:
            return super().invoke(context)
        except MorpholawError as error:
            click.echo(f"morpholaw: {error}", err=True)
            context.exit(2)
        except InterruptedError as error:
            click.echo(f"morpholaw: {error}", err=True)
            context.exit(130)
        except MemoryError:
            click.echo("morpholaw: this step ran out of memory; close other programs.", err=True)
            context.exit(2)
        except OSError as error:
            file = error.filename or "a file"
            click.echo(f"morpholaw: {file} cannot be read or written: {error.strerror or error}.", err=True)
            context.exit(2)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="morpholaw")
def main() -> None:
    """Find readable laws of cell morphology in tracked live-cell movies."""


for command in chain.from_iterable(SECTIONS.values()):
    main.add_command(command)
