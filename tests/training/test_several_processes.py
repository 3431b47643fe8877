"""Several processes do what one does: a shared training of the encoder, a shared search."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from morpholaw.cells.cells_table import cells_table
from morpholaw.cells.crop_set import CropSet
from morpholaw.errors import InputError
from morpholaw.job_process import JobProcess
from morpholaw.jobs import Job, run
from morpholaw.study import Study
from morpholaw.training.augment import orient_batch

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
SMALL = {
    "latents": 4, "filters": [4, 4], "hidden": 16, "epochs": 2, "epoch_crops": 0, "batch_size": 32, "threads": 1,
    "precision": "float32", "device": "cpu", "gain_jitter": 0.1, "start_from": "none", "swap": 0, "perturbation": 0,
}  # fmt: skip


def crops(n=96, size=16):
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:size, :size] - size / 2
    radius = rng.uniform(2, 6, (n, 1, 1))
    return (255 * np.exp(-((y**2 + x**2) / radius**2))).astype(np.uint8)


def study(folder):
    made = Study.create(folder)
    labels, groups = np.repeat(["a", "b"], 48), np.arange(96).astype(str)
    CropSet.write(made.new_set_folder("blobs"), crops(), cells_table(96, label=labels, group=groups))
    return made


@pytest.fixture
def two_processes(forked_children):
    """Runs a job in two processes with the variables that torchrun sets; returns what each ended with."""

    def ends(job):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        shared = {
            "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
            "OMP_NUM_THREADS": "1",
        }  # fmt: skip
        started = []
        with pytest.MonkeyPatch.context() as environment:
            for name, value in shared.items():
                environment.setenv(name, value)
            for rank in "01":
                environment.setenv("RANK", rank)
                environment.setenv("LOCAL_RANK", rank)
                started.append(JobProcess(job))
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(end, started))

    return ends


def end(process):
    """The last event of a process, or the error that it ended with."""
    try:
        return list(process.events())[-1:]
    except InputError as error:
        return error
    finally:
        process.close()


def torchrun(job, processes=2):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    return subprocess.run(
        [*command, "-m", "morpholaw.jobs", str(job)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=240,
    )


@pytest.mark.slow
@pytest.mark.parametrize("task", [0.0, 1.0])
def test_two_processes_train_the_encoder_of_one(tmp_path, task, two_processes):
    """The same batches, the total correlation over the whole batch: the same weights to 1e-4 after 6 steps."""
    settings = {**SMALL, "task": task}
    alone, together = study(tmp_path / "alone"), study(tmp_path / "together")
    run(Job("train_encoder", str(alone.path), settings))
    job = Job("train_encoder", str(together.path), settings)
    if task:
        assert all(isinstance(last, list) for last in two_processes(job))
    else:
        done = torchrun(job.write(tmp_path / "job.json"))
        assert done.returncode == 0, done.stderr
    for name, weight in alone.encoder.state_dict().items():
        torch.testing.assert_close(
            together.encoder.state_dict()[name], weight, atol=1e-4, rtol=1e-3, msg=name
        )
    one, two = alone.encoder_record, together.encoder_record
    assert one.last_step == two.last_step == 6
    for part in ("loss", "reconstruction", "total correlation"):
        assert two.history[part][-1] == pytest.approx(one.history[part][-1], rel=1e-3, abs=1e-3)


def test_a_batch_that_cannot_be_shared_evenly_is_refused(tmp_path, two_processes):
    made = study(tmp_path / "s")
    for error in two_processes(Job("train_encoder", str(made.path), {**SMALL, "batch_size": 33})):
        assert isinstance(error, InputError)
        assert "A batch of 33 crops cannot be divided evenly among 2 processes" in str(error)
    assert not made.has_encoder


def test_the_parts_of_a_batch_are_turned_as_the_whole():
    batch = torch.arange(19.0 * 16).reshape(19, 4, 4)
    whole = orient_batch(batch)
    for cut in (0, 1, 7, 10, 19):
        parts = orient_batch(batch[:cut], 0, 19), orient_batch(batch[cut:], cut, 19)
        assert torch.equal(torch.cat(parts), whole)


SEARCH = """
import sys
import numpy as np
from morpholaw.config import ClassifierConfig, TuneConfig
from morpholaw.training.tune import TrialStorage, tune
z = np.random.default_rng(0).standard_normal((1, 160, 6)).astype(np.float32)
y = (z[0, :, 0] * z[0, :, 1] > 0).astype(int)
config = TuneConfig(trials=12, runs=1, epochs=2, batch_trials=2, storage=sys.argv[1])
found = tune(z, y, np.arange(120, 160), config, ClassifierConfig(hidden=(4,), threads=1), trials=TrialStorage("shared"))
print(found.value)
"""


@pytest.mark.slow
def test_two_processes_share_one_search(tmp_path):
    """Together they finish the trials asked for, none twice, and both see the best."""
    import optuna

    storage = f"sqlite:///{tmp_path / 'search.db'}"
    optuna.create_study(storage=storage, study_name="shared", direction="maximize")
    begun = [
        subprocess.Popen(
            [sys.executable, "-c", SEARCH, storage], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    values = [float(process.communicate(timeout=240)[0]) for process in begun]
    assert [process.returncode for process in begun] == [0, 0]
    trials = optuna.load_study(storage=storage, study_name="shared").get_trials()
    finished = [trial for trial in trials if trial.state == optuna.trial.TrialState.COMPLETE]
    assert 12 <= len(finished) <= 14  # the last rounds of both may overlap
    assert len({tuple(trial.params.values()) for trial in finished}) == len(finished)
    assert max(values) == max(trial.value for trial in finished)
