"""Movies cut and classified by a local Dask cluster come out as one process makes them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from morpholaw.cells.simulator import simulate_movie
from morpholaw.cli import main
from morpholaw.cluster import connected, run_jobs
from morpholaw.config import SimulateConfig
from morpholaw.errors import InputError
from morpholaw.events import Message, Monitor
from morpholaw.jobs import Job, run
from morpholaw.models.classifier import Classifier
from morpholaw.models.heads import HeadEnsemble
from morpholaw.models.vae import BetaTCVAE
from morpholaw.study import Study

pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def movies(tmp_path_factory):
    """Three small simulated movies with their tracks."""
    folders = []
    for seed in range(3):
        folder = tmp_path_factory.mktemp("movies") / f"movie{seed}"
        simulate_movie(SimulateConfig(frames=3, cells=4, height=96, width=96, seed=seed)).write(folder)
        folders.append(folder)
    return folders


@pytest.fixture(scope="module")
def client():
    with connected(workers=2) as client:
        yield client


def cutting(movies, study):
    return [
        Job(
            "crop",
            str(study),
            {"size": 32},
            {"movie": f"{m}/movie.tif", "tracks": f"{m}/tracks.csv", "name": f"{letter}-{m.name}"},
        )
        for letter, m in zip("cab", movies, strict=False)  # the order of the jobs is not that of the names
    ]


def with_classifier(path, keep):
    study = Study.create(path)
    encoder = BetaTCVAE(4, (4, 4), 16, 32)
    classifier = Classifier.with_head(
        encoder, HeadEnsemble(2, 4, (4,), seeds=(0, 1)), ("a", "b"), sparse=False
    )
    keep(study, classifier, "scheme2")
    return study


@pytest.mark.slow
def test_cutting_and_classifying_many_movies_gives_what_one_process_gives(
    movies, client, tmp_path, keep_unmeasured
):
    alone = Study.create(tmp_path / "alone")
    together = with_classifier(tmp_path / "together", keep_unmeasured)
    for job in cutting(movies, alone.path):
        run(job)
    scoring = [
        Job(
            "classify", str(together.path), {},
            {"scheme": 2, "movie": f"{m}/movie.tif", "tracks": f"{m}/tracks.csv"}, str(tmp_path / f"{m.name}.csv"),
        )
        for m in movies
    ]  # fmt: skip
    outcomes = run_jobs([*scoring, *cutting(movies, together.path)], client)
    assert [outcome.error for outcome in outcomes] == [""] * 6
    assert [one.name for one in together.sets] == [one.name for one in alone.sets]
    for mine, theirs in zip(together.sets, alone.sets, strict=True):
        assert np.array_equal(mine.images, theirs.images)
        pd.testing.assert_frame_equal(mine.cells, theirs.cells)
        assert mine.record.sources == theirs.record.sources
    for job in scoring:
        expected = together.classify(**job.arguments)
        pd.testing.assert_series_equal(pd.read_csv(job.out)["score"], expected["score"], check_dtype=False)
    assert not list(tmp_path.glob(".*job*"))


@pytest.mark.slow
def test_a_job_that_fails_says_so_and_the_others_are_done(movies, client, tmp_path):
    jobs = cutting(movies[:1], tmp_path / "s")
    jobs.append(
        Job("crop", str(tmp_path / "s"), {}, {"movie": str(tmp_path / "none.tif"), "tracks": "none.csv"})
    )
    jobs.append(Job("tune", str(tmp_path / "s"), {"trials": 1}))
    events = []
    outcomes = run_jobs(jobs, client, Monitor(events.append))
    assert outcomes[0].error == ""
    assert "none.tif" in outcomes[1].error
    assert outcomes[2].error
    assert sum(isinstance(event, Message) for event in events) == 2
    assert len(Study(tmp_path / "s").sets) == 1


def test_a_scheduler_that_is_not_there_is_one_sentence(tmp_path, monkeypatch):
    import distributed

    def refuse(*_, **__):
        raise OSError("timed out")

    monkeypatch.setattr(distributed, "Client", refuse)
    with (
        pytest.raises(InputError, match="No Dask scheduler answers at tcp:"),
        connected("tcp://127.0.0.1:1"),
    ):
        pass
    done = CliRunner().invoke(main, ["run", str(tmp_path / "job.json")])
    assert done.exit_code == 2
    assert "job.json" in done.output
