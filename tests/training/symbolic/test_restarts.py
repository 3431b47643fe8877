"""Restarts side by side give the same as one after the other, report, and stop in time."""

import itertools
import math
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from morpholaw.events import Front, Message, Metrics, Monitor, Progress
from morpholaw.models.expressions import parse
from morpholaw.training.symbolic import Budget, SearchSpec, search_restarts
from morpholaw.training.symbolic.embedded import EmbeddedEngine
from morpholaw.training.symbolic.engine import candidate_front
from morpholaw.training.symbolic.refit import measured

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
    told = []
    in_children = search_restarts(
        EmbeddedEngine(), X, Y, specs(2, 1500), processes=2, monitor=Monitor(told.append)
    )
    assert texts(alone) == texts(in_children)
    assert not [event for event in told if isinstance(event, Message)]  # they could be started
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
    law = parse(fronts[-1].law, specs(1, 1)[0].variables)
    best = min(merged, key=lambda candidate: candidate.loss + 0.001 * candidate.complexity)
    assert measured(law, X, Y, "hinge") == pytest.approx(best.loss, abs=0.02)


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


def test_a_script_without_a_main_guard_searches_in_processes_and_runs_once(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "print('begun')\n"
        "import numpy as np\n"
        "from morpholaw.training.symbolic import Budget, SearchSpec, search_restarts\n"
        "from morpholaw.training.symbolic.embedded import EmbeddedEngine\n"
        "x = np.random.default_rng(0).standard_normal((20_000, 2))\n"  # more than a pipe holds
        "y = np.where(x[:, 0] > 0, 1.0, -1.0)\n"
        "specs = [SearchSpec(('z0', 'z1'), seed=seed, budget=Budget(300)) for seed in range(2)]\n"
        "print(len(search_restarts(EmbeddedEngine(), x, y, specs, processes=2)))\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["begun", "2"], done.stderr


def test_a_child_whose_parent_is_killed_ends(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import numpy as np\n"
        "from morpholaw.events import Monitor, Progress\n"
        "from morpholaw.training.symbolic import Budget, SearchSpec, search_restarts\n"
        "from morpholaw.training.symbolic.embedded import EmbeddedEngine\n"
        "x = np.random.default_rng(0).standard_normal((300, 2))\n"
        "y = np.where(x[:, 0] > 0, 1.0, -1.0)\n"
        "specs = [SearchSpec(('z0', 'z1'), seed=seed, budget=Budget(10**9)) for seed in range(2)]\n"
        "tell = lambda event: isinstance(event, Progress) and event.done and print('begun', flush=True)\n"
        "search_restarts(EmbeddedEngine(), x, y, specs, processes=2, monitor=Monitor(tell))\n"
    )
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout.readline() == "begun\n"
        children = psutil.Process(parent.pid).children()
        parent.kill()
        assert children
        assert psutil.wait_procs(children, timeout=10)[1] == []
