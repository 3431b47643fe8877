"""The command. Light at the top, so that ``morpholaw --help`` answers at once; steps load what they need."""

from __future__ import annotations

from typing import Any

import click

from morpholaw import __version__
from morpholaw.cli import bench, cells, cluster, export, results, training
from morpholaw.errors import MorpholawError


class Commands(click.Group):
    """Prints bad input as one sentence and exits with status 2."""

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
    cells.crop,
    cells.import_crops,
    cells.inspect,
    cells.sets,
    training.train_encoder,
    training.train_classifier,
    training.tune,
    training.discover_law,
    results.classify,
    results.attack,
    results.report,
    cluster.run,
    bench.bench,
    results.law_card,
    export.export,
):
    main.add_command(command)
