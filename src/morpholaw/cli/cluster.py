"""The command ``run``: many jobs on a Dask cluster."""

from __future__ import annotations

from pathlib import Path

import click

from morpholaw.cli.progress_bar import progress


@click.command()
@click.argument("jobs", nargs=-1, required=True, metavar="JOB...", type=click.Path(path_type=Path))
@click.option(
    "--scheduler",
    help="Address of a Dask scheduler, e.g. tcp://node1:8786. Without it, jobs run in local processes.",
)
@click.option(
    "--workers", type=click.IntRange(1), default=2, show_default=True, help="Number of local processes."
)
def run(jobs: tuple[Path, ...], scheduler: str | None, workers: int) -> None:
    """Run JOB files in parallel on a Dask cluster, to cut and classify many movies.

    A JOB is a JSON file with a step, a study and settings.
    """
    from morpholaw.cluster import connected, run_jobs
    from morpholaw.jobs import Job

    jobs_to_run = [Job.read(path) for path in jobs]
    with progress() as monitor, connected(scheduler, workers) as client:
        outcomes = run_jobs(jobs_to_run, client, monitor)
    failed = sum(bool(outcome.error) for outcome in outcomes)
    click.echo(f"{len(outcomes) - failed} of {len(outcomes)} jobs are done.")
    if failed:
        raise click.exceptions.Exit(2)
