"""Running of many jobs on a Dask cluster: an existing scheduler, or local processes.

The jobs are those of :mod:`morpholaw.jobs`. First, all movies are cut in parallel, each into a temporary study beside
the job's study, into which the crop set is then moved. Next come the steps that change a study, one after another per
study. Last, movies are classified in parallel. All machines must see the same files.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from morpholaw.errors import InputError, MorpholawError
from morpholaw.events import SILENT, Monitor, Progress
from morpholaw.jobs import Job, run
from morpholaw.study import Study
from morpholaw.study.crop_step import adopt
from morpholaw.study.scale import study_scale

if TYPE_CHECKING:
    from distributed import Client

READING = ("classify", "compare")
"""Steps that do not change their study."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of a job; ``error`` is one sentence, or "" on success."""

    job: Job
    error: str = ""


@contextmanager
def connected(scheduler: str | None = None, workers: int = 2) -> Iterator[Client]:
    """Connect to a Dask scheduler, or start local worker processes.

    Parameters
    ----------
    scheduler : str, optional
        Address such as ``tcp://node1:8786``; by default local processes are started.
    workers : int
        Number of local processes.

    Yields
    ------
    Client

    Raises
    ------
    InputError
        If Dask's ``distributed`` is not installed or no scheduler answers.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise InputError(
            "Running jobs on a cluster needs Dask's distributed: pip install 'napari-morpholaw[cluster]'."
        ) from None
    if scheduler is None:
        with (
            LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster,
            Client(cluster) as client,
        ):
            yield client
        return
    try:
        client = Client(scheduler, timeout="20s")
    except (OSError, ValueError) as error:
        raise InputError(f"No Dask scheduler answers at {scheduler} ({error}).") from None
    with client:
        yield client


def run_jobs(jobs: Sequence[Job], client: Client, monitor: Monitor = SILENT) -> list[Outcome]:
    """Run all jobs and wait for them; a failed job does not stop the others.

    Parameters
    ----------
    jobs : sequence of Job
        Jobs to run.
    client : Client
        Connection to the scheduler.
    monitor : Monitor
        Receives progress, and failures as warnings.

    Returns
    -------
    list of Outcome
        In the order of ``jobs``.
    """
    numbered = list(enumerate(jobs))
    cuts = [(k, job) for k, job in numbered if job.step == "crop"]
    reads = [(k, job) for k, job in numbered if job.step in READING]
    writes: dict[str, list[tuple[int, Job]]] = {}
    for k, job in numbered:
        if job.step != "crop" and job.step not in READING:
            writes.setdefault(str(Path(job.study).absolute()), []).append((k, job))
    outcomes: dict[int, Outcome] = {}

    def note(finished: list[tuple[int, Outcome]]) -> None:
        for k, outcome in finished:
            outcomes[k] = outcome
            if outcome.error:
                monitor.warn(f"{outcome.job.step}: {outcome.error}")
            monitor.emit(Progress(len(outcomes), len(jobs), "jobs"))

    apart = [[(k, _apart(job, k))] for k, job in cuts]
    placed = _each(client, apart, lambda finished: None)
    note([(k, _adopt(job, k, outcome)) for (k, job), (_, outcome) in zip(cuts, placed, strict=True)])
    _each(client, list(writes.values()), note)
    _each(client, [[one] for one in reads], note)
    return [outcomes[k] for k in range(len(jobs))]


def _each(
    client: Client, groups: list[list[tuple[int, Job]]], note: Callable[[list[tuple[int, Outcome]]], None]
) -> list[tuple[int, Outcome]]:
    """Run groups of jobs in parallel, with the jobs of a group in sequence; return outcomes in the given order."""
    from distributed import as_completed

    futures = [client.submit(_work, group, pure=False) for group in groups]
    for _, finished in as_completed(futures, with_results=True):
        note(finished)
    return [outcome for future in futures for outcome in future.result()]


def _work(group: list[tuple[int, Job]]) -> list[tuple[int, Outcome]]:
    """Run a group of jobs on a worker in sequence."""
    done = []
    for k, job in group:
        error = ""
        try:
            run(job)
        except (MorpholawError, InterruptedError, OSError, MemoryError) as problem:
            error = str(problem) or type(problem).__name__
        done.append((k, Outcome(job, error)))
    return done


def _beside(job: Job, number: int) -> Path:
    """Return the path of a job's temporary study, at the same depth because paths in crop sets are relative."""
    path = Path(job.study).absolute()
    return path.with_name(f".{path.name}.job{number}")


def _apart(job: Job, number: int) -> Job:
    """Return the job on a temporary study with the scale of the job's study; labels are added when it is adopted."""
    arguments = {name: value for name, value in job.arguments.items() if name not in ("labels", "replace")}
    config = dict(job.config)
    if (Path(job.study) / "study.json").exists():
        scale = study_scale(Study(job.study))
        if scale is not None and config.get("model_pixel_size") is None:
            config["model_pixel_size"] = scale.pixel_size
    return replace(job, study=str(_beside(job, number)), arguments=arguments, config=config)


def _adopt(job: Job, number: int, outcome: Outcome) -> Outcome:
    """Move a crop set from the temporary study into the job's study."""
    beside = _beside(job, number)
    try:
        if outcome.error:
            return Outcome(job, outcome.error)
        (crop_set,) = Study(beside).sets
        choices = {
            name: job.arguments[name] for name in ("name", "labels", "replace") if name in job.arguments
        }
        adopt(Study.open_or_create(job.study), crop_set, force=bool(job.config.get("force")), **choices)
        return Outcome(job)
    except (MorpholawError, OSError) as problem:
        return Outcome(job, str(problem))
    finally:
        shutil.rmtree(beside, ignore_errors=True)
