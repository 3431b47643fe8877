"""The embedded engine finds a known law, the same one for the same seed, within its caps, and stops when told."""

import time

import numpy as np
import pytest

from morpholaw.errors import InputError
from morpholaw.training.symbolic.embedded import EmbeddedEngine
from morpholaw.training.symbolic.engine import Budget, SearchSpec
from morpholaw.training.symbolic.refit import measured

NAMES = ("z3", "z17", "z29")


def easy(rows=400, seed=0):
    """(z29 - z3) |z17| - 0.8, whose sign is the class."""
    x = np.random.default_rng(seed).standard_normal((rows, 3))
    return x, (x[:, 2] - x[:, 0]) * np.abs(x[:, 1]) - 0.8


def spec(**changes):
    return SearchSpec(NAMES, **{"budget": Budget(6000), **changes})


@pytest.fixture(scope="module")
def found():
    x, f = easy()
    return EmbeddedEngine().search(x, np.where(f >= 0, 1.0, -1.0), spec(budget=Budget(20_000), seed=1))


def test_a_known_law_is_found(found):
    x, f = easy(4000, seed=9)
    score = found.front[-1].expression.evaluate(x)
    assert np.mean((score >= 0) == (f >= 0)) > 0.97
    assert found.stopped_by == "budget"
    assert 20_000 <= found.evaluations < 21_000


def test_the_front_is_counted_by_our_own_code(found):
    x, f = easy()
    y = np.where(f >= 0, 1.0, -1.0)
    complexities = [c.complexity for c in found.front]
    losses = [c.loss for c in found.front]
    assert complexities == sorted(set(complexities))
    assert losses == sorted(losses, reverse=True)
    for candidate in found.front:
        assert candidate.complexity == candidate.expression.complexity() <= 20
        assert candidate.loss == pytest.approx(measured(candidate.expression, x, y, "hinge"))


def test_the_same_seed_finds_the_same_and_another_seed_another():
    x, f = easy(300)
    y = np.where(f >= 0, 1.0, -1.0)
    runs = [EmbeddedEngine().search(x, y, spec(budget=Budget(1500), seed=seed)) for seed in (4, 4, 5)]
    fronts = [[(c.text, c.loss) for c in run.front] for run in runs]
    assert fronts[0] == fronts[1]
    assert fronts[0] != fronts[2]


@pytest.mark.parametrize("loss", ["mse", "censored"])
def test_other_losses_find_it_too(loss):
    x, f = easy()
    y = np.clip(f, -1, 1) if loss == "censored" else f
    front = EmbeddedEngine().search(x, y, spec(loss=loss, budget=Budget(15_000), seed=2)).front
    assert np.mean((front[-1].expression.evaluate(x) >= 0) == (f >= 0)) > 0.9


@pytest.mark.parametrize("cap", [3, 7])
def test_the_complexity_cap_holds(cap):
    x, f = easy(200)
    front = EmbeddedEngine().search(x, np.sign(f), spec(max_complexity=cap, budget=Budget(1500))).front
    assert front
    assert all(c.complexity <= cap for c in front)


def test_only_the_operators_asked_for_occur():
    x, f = easy(200)
    grammar = spec(binary=("+", "*"), unary=("abs",), budget=Budget(2500))
    front = EmbeddedEngine().search(x, np.sign(f), grammar).front
    used = {node.operator for c in front for node in c.expression.nodes() if node.arguments}
    assert used <= {"+", "*", "abs"}


def test_a_stopped_search_gives_what_it_has_within_a_second():
    x, f = easy(7200)
    stopped = []

    def progress(p):
        stopped.append(time.perf_counter())

    result = EmbeddedEngine().search(
        x, np.sign(f), spec(budget=Budget(None)), progress=progress, should_stop=lambda: len(stopped) > 0
    )
    assert time.perf_counter() - stopped[0] < 1.0
    assert result.stopped_by == "cancel"
    assert result.front


def test_seconds_end_a_search_too():
    x, f = easy(300)
    result = EmbeddedEngine().search(x, np.sign(f), spec(budget=Budget(None, max_seconds=0.2)))
    assert result.stopped_by == "budget"
    assert result.front


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.zeros((5, 2)), np.ones(5), "3 variables"),
        (np.zeros((5, 3)), np.ones(4), "one target per row and at least two rows; got 5 rows"),
        (np.full((5, 3), np.nan), np.ones(5), "finite"),
        (np.zeros((5, 3)), np.ones(5), "both must occur"),
        (np.zeros((5, 3)), np.arange(5.0), "-1 and \\+1"),
    ],
)
def test_data_that_cannot_be_searched_are_refused(x, y, message):
    with pytest.raises(InputError, match=message):
        EmbeddedEngine().search(x, y, spec())
