"""Laws from latents: distinct, counted, reproducible, with their provenance, and fewer when stopped."""

import time

import numpy as np
import pytest

from morpholaw.config import LawConfig
from morpholaw.errors import InputError
from morpholaw.events import Message, Metrics, Monitor
from morpholaw.models.expressions import skeleton
from morpholaw.models.features import FeatureTable
from morpholaw.training.laws import discover_laws
from morpholaw.training.symbolic import Availability
from morpholaw.training.symbolic.pysr_engine import PySREngine

NAMES = ("z3", "z17", "z29")


def cells(rows=300, seed=0):
    x = np.random.default_rng(seed).standard_normal((rows, 3))
    return FeatureTable(x, NAMES), 6 * ((x[:, 2] - x[:, 0]) * np.abs(x[:, 1]) - 0.8)


def config(**changes):
    return LawConfig(**{"engine": "embedded", "count": 3, "evaluations": 15_000, "processes": 1, **changes})


@pytest.fixture(scope="module")
def found():
    x, f = cells()
    events = []
    laws = discover_laws(x, f > 0, config(), monitor=Monitor(events.append))
    return laws, events


def test_laws_are_distinct_and_the_most_accurate_comes_first(found):
    laws, _ = found
    assert len(laws) == 3
    assert len({skeleton(law.expression) for law in laws}) == 3
    accuracies = [law.metadata["accuracy"] for law in laws]
    assert accuracies == sorted(accuracies, reverse=True)
    assert accuracies[0] > 0.9


def test_what_is_said_of_a_law_is_true(found):
    x, f = cells()
    for law in found[0]:
        said = law.metadata
        assert law.names == tuple(NAMES)
        assert said["accuracy"] == law.accuracy(x, f > 0)
        assert said["loss"] == pytest.approx(np.mean(np.maximum(1 - np.sign(f) * law.score(x), 0)))
        assert (said["complexity"], said["size"]) == (law.complexity, law.size)
        assert said["complexity"] <= 20
        assert said["loss_kind"] == "hinge"
        assert said["engine"] == "embedded"
        assert said["undefined"] == law.undefined(x) == 0
        assert said["evaluations"] >= 15_000


def test_the_engine_and_the_outcome_are_reported(found):
    events = found[1]
    assert any(isinstance(event, Message) and "embedded" in event.text for event in events)


def test_mse_distils_a_networks_outputs():
    x, f = cells()
    laws = discover_laws(
        x, f > 0, config(loss="mse", count=1, evaluations=20_000, max_complexity=20), outputs=f
    )
    assert laws[0].metadata["accuracy"] > 0.9
    assert laws[0].metadata["loss_kind"] == "censored"


def test_what_few_cells_say_is_worth_fewer_nodes():
    x, f = cells(80)
    rng = np.random.default_rng(1)
    noisy = (rng.random(80) < 0.1) ^ (f > 0)
    cell = np.tile(np.arange(80), 4)
    views = FeatureTable(x.values[cell] + rng.normal(0, 0.05, (len(cell), 3)), NAMES)
    independent, grouped = (
        sum(law.size for law in discover_laws(views, noisy[cell], config(evaluations=5_000), cells=ids))
        for ids in (None, cell)
    )
    assert grouped < independent


def test_the_same_seed_finds_the_same_laws():
    x, f = cells(200)
    one, two, other = (
        [law.text() for law in discover_laws(x, f > 0, config(evaluations=1500, count=2, seed=seed))]
        for seed in (1, 1, 2)
    )
    assert one == two
    assert one != other


def test_a_stop_returns_the_laws_so_far():
    x, f = cells(200)
    laws = discover_laws(x, f > 0, config(evaluations=10**9), monitor=Monitor(should_stop=lambda: True))
    assert 1 <= len(laws) <= 3


def test_a_stop_is_answered_within_a_second_with_what_was_found():
    x, f = cells(2000)
    asked_at = []

    def report(event):
        if isinstance(event, Metrics) and not asked_at:
            asked_at.append(time.monotonic())

    laws = discover_laws(
        x,
        f > 0,
        config(evaluations=10**9),
        monitor=Monitor(report, should_stop=lambda: bool(asked_at)),
    )
    assert time.monotonic() - asked_at[0] < 1
    assert laws
    assert laws[0].metadata["accuracy"] > 0.6
    assert laws[0].metadata["stopped_by"] == "cancel"


def test_auto_falls_back_when_pysr_fails(monkeypatch):
    monkeypatch.setattr(PySREngine, "availability", lambda self: Availability(True, "it is set up"))
    monkeypatch.setattr(PySREngine, "seen_to_run", True)
    monkeypatch.setattr("morpholaw.training.symbolic.choice.PySREngine", lambda: PySREngine(["false"]))
    monkeypatch.setattr(PySREngine, "name", "pysr")
    x, f = cells(200)
    events = []
    laws = discover_laws(
        x, f > 0, config(engine="auto", evaluations=1500, count=1), monitor=Monitor(events.append)
    )
    assert laws[0].metadata["engine"] == "embedded"
    assert any(
        isinstance(e, Message) and e.level == "warning" and "PySR could not run" in e.text for e in events
    )


@pytest.mark.parametrize(
    ("targets", "outputs", "changes", "message"),
    [
        (np.ones(200), None, {}, "both must occur"),
        (np.tile([-1, 1], 100), None, {}, "classes 0 and 1"),
        (np.ones(3), None, {}, "one target for each"),
        (np.tile([0, 1], 100), np.full(200, np.nan), {"loss": "mse"}, "finite"),
        (np.tile([0, 1], 100), None, {"loss": "mse"}, "the outputs of a network"),
        (np.tile([0, 1], 100), np.ones(200), {"loss": "mse"}, "both signs"),
        (np.tile([0, 1], 100), None, {"engine": "feyn"}, "no engine 'feyn'"),
    ],
)
def test_bad_input_ends_in_one_sentence(targets, outputs, changes, message):
    with pytest.raises(InputError, match=message):
        discover_laws(cells(200)[0], targets, config(**changes), outputs=outputs)
