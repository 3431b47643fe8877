"""The search finds settings, can be interrupted and shared, and gives every trial what it would get alone."""

from pathlib import Path

import numpy as np
import pytest

from morpholaw.config import ClassifierConfig, TuneConfig
from morpholaw.errors import InputError
from morpholaw.events import Metrics, Monitor, Progress
from morpholaw.training.heads import accuracies, train_heads
from morpholaw.training.rigl import RigL
from morpholaw.training.tune import tune

CLASSIFIER = ClassifierConfig(batch_size=32, warmup_epochs=2, threads=1)


def rows(n: int = 200) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    z = random.standard_normal((1, n, 8)).astype(np.float32)
    return z, (z[0, :, 0] + z[0, :, 1] > 0).astype(int), np.arange(0, n, 5)


def search(**values: object) -> TuneConfig:
    defaults = {"trials": 6, "runs": 2, "epochs": 6, "batch_trials": 3, "update_every": (3, 6)}
    return TuneConfig.model_validate(defaults | values)


def test_the_objective_is_accuracy_plus_sparsity_of_models_trained_alone() -> None:
    z, y, held = rows()
    found = tune(z, y, held, search(), CLASSIFIER)
    assert len(found.study.trials) == 6
    assert found.value == max(trial.value for trial in found.study.trials)
    config = found.applied(CLASSIFIER).model_copy(update={"epochs": 6})
    kept = np.setdiff1d(np.arange(len(y)), held)
    values = []
    for seed in range(2):
        one = config.model_copy(update={"models": 1, "seed": seed})
        head = train_heads(z[:, kept], y[kept], one, rigl=RigL())
        active = int(head.active_weights()[0]) / sum(mask[0].numel() for mask in head.masks)
        values.append(float(accuracies(head, z[0, held], y[held])[0]) + 1 - active)
    assert found.value == pytest.approx(np.mean(values), abs=1e-6)


def test_a_search_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    z, y, held = rows()
    url = f"sqlite:///{tmp_path / 'search.db'}"
    first = tune(z, y, held, search(trials=3, storage=url), CLASSIFIER)
    before = [trial.params for trial in first.study.trials]
    assert len(before) == 3
    events: list[object] = []
    second = tune(z, y, held, search(storage=url), CLASSIFIER, monitor=Monitor(events.append))
    assert [trial.params for trial in second.study.trials[:3]] == before
    assert len({str(trial.params) for trial in second.study.trials}) == 6
    assert [event.done for event in events if isinstance(event, Progress)] == [3, 6]
    best = [event for event in events if isinstance(event, Metrics)][-1].values
    assert best["objective"] == second.value
    assert best["sparsity"] == second.sparsity


def test_the_same_seed_gives_the_same_search() -> None:
    z, y, held = rows()
    one, other = (tune(z, y, held, search(), CLASSIFIER).study for _ in range(2))
    assert [trial.value for trial in one.trials] == [trial.value for trial in other.trials]


def test_hopeless_trials_are_pruned_and_the_rest_keep_their_values() -> None:
    z, y, held = rows()
    wide = {"trials": 12, "epochs": 12, "sparsity": (0.2, 0.99), "batch_trials": 6}
    whole = tune(z, y, held, search(**wide), CLASSIFIER).study
    short = tune(z, y, held, search(**wide, pruning=True), CLASSIFIER).study
    states = [trial.state.name for trial in short.trials]
    assert "PRUNED" in states[6:]  # the median pruner begins when five trials are finished
    left = [number for number, state in enumerate(states[:6]) if state == "COMPLETE"]
    assert left
    for number in left:
        assert short.trials[number].value == pytest.approx(whole.trials[number].value, abs=1e-6)


def test_a_stop_leaves_no_trial_running() -> None:
    z, y, held = rows()
    asked = 0

    def stop_in_the_second_round() -> bool:
        nonlocal asked
        asked += 1
        return asked > 40

    study = tune(
        z, y, held, search(), CLASSIFIER, monitor=Monitor(should_stop=stop_in_the_second_round)
    ).study
    assert [trial.state.name for trial in study.trials] == ["COMPLETE"] * 3 + ["FAIL"] * 3


def test_bad_input_is_said_in_a_sentence(tmp_path: Path) -> None:
    z, y, held = rows()
    with pytest.raises(InputError, match="validation cells must be some"):
        tune(z, y, np.arange(len(y)), search(), CLASSIFIER)
    with pytest.raises(InputError, match="storage 'nowhere' cannot be used"):
        tune(z, y, held, search(storage="nowhere"), CLASSIFIER)
    with pytest.raises(InputError, match="stopped before its first trials"):
        tune(z, y, held, search(), CLASSIFIER, monitor=Monitor(should_stop=lambda: True))
