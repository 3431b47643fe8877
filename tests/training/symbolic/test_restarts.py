"""Restarts side by side give the same as one after the other, report, and stop in time."""

import itertools
import math
import time

import numpy as np
import pytest

from morpholaw.events import Front, Metrics, Monitor, Progress
from morpholaw.training.symbolic import Budget, SearchSpec, search_restarts
from morpholaw.training.symbolic.embedded import EmbeddedEngine
from morpholaw.training.symbolic.engine import candidate_front

X = np.random.default_rng(0).standard_normal((300, 2))
Y = np.where(X[:, 0] > X[:, 1] ** 2, 1.0, -1.0)


def specs(count, evaluations):
    return [SearchSpec(("z3", "z17"), seed=seed, budget=Budget(evaluations)) for seed in range(count)]


def texts(results):
    return [[c.text for c in result.front] for result in results]


def test_processes_do_not_change_the_result():
    events = []
    alone = search_restarts(
        EmbeddedEngine(), X, Y, specs(2, 1500), processes=1, monitor=Monitor(events.append)
    )
    assert texts(alone) == texts(search_restarts(EmbeddedEngine(), X, Y, specs(2, 1500), processes=2))
    assert [result.seed for result in alone] == [0, 1]
    done = [event.done for event in events if isinstance(event, Progress)]
    assert done == sorted(done)
    assert done[-1] == 3000
    losses = [event.values["loss"] for event in events if isinstance(event, Metrics)]
    assert math.isclose(losses[-1], min(c.loss for result in alone for c in result.front))


@pytest.mark.parametrize("processes", [1, 2])
def test_the_front_grows_and_ends_as_the_merged_front_of_the_results(processes):
    fronts = []

    def report(event):
        if isinstance(event, Front):
            fronts.append(event)

    results = search_restarts(
        EmbeddedEngine(), X, Y, specs(2, 20_000), processes=processes, monitor=Monitor(report)
    )
    assert len(fronts) > 1
    for front in fronts:
        assert front.complexity == sorted(set(front.complexity))
        assert front.loss == sorted(set(front.loss), reverse=True)
    for before, after in itertools.pairwise(fronts):  # whatever was found stays matched
        for complexity, loss in zip(before.complexity, before.loss, strict=True):
            pairs = zip(after.complexity, after.loss, strict=True)
            assert min(v for c, v in pairs if c <= complexity) <= loss
    merged = candidate_front(candidate for result in results for candidate in result.front)
    last = dict(zip(fronts[-1].complexity, fronts[-1].loss, strict=True))
    assert min(last.values()) == pytest.approx(merged[-1].loss)
    assert all(last[c.complexity] == pytest.approx(c.loss) for c in merged if c.complexity in last)


def test_a_stop_is_answered_within_seconds_by_all_processes():
    begun = []

    def report(event):
        if isinstance(event, Progress) and event.done:
            begun.append(time.monotonic())

    results = search_restarts(
        EmbeddedEngine(),
        X,
        Y,
        specs(4, 10**9),
        processes=2,
        monitor=Monitor(report, should_stop=lambda: len(begun) > 3),
    )
    assert time.monotonic() - begun[3] < 2
    assert 1 <= len(results) <= 4  # a slow process may not have begun, a quick one be at its next search
    assert all(result.stopped_by == "cancel" and result.front for result in results)
