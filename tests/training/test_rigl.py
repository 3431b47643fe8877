"""RigL's counts, schedule and moves are the paper's (5.2, B.3, algorithm 1)."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from morpholaw.config import ClassifierConfig
from morpholaw.training.rigl import (
    MEASURED,
    RigLMethod,
    RigLSettings,
    Schedule,
    active_counts,
    decay,
    moved_topology,
)

HEAD = (32, 16, 16, 16, 1)


@given(st.floats(0.0, 0.99))
def test_the_sparsity_holds_over_the_network(sparsity: float) -> None:
    counts = active_counts(HEAD, sparsity)
    assert sum(counts) == round((1 - sparsity) * 1040)
    assert all(1 <= count <= size for count, size in zip(counts, (512, 256, 256, 16), strict=True))


def test_the_papers_head_has_51_weights_at_the_sparsity_it_found() -> None:
    assert active_counts(HEAD, 0.951, "density") == (19, 13, 12, 7)
    assert active_counts(HEAD, 0.951, "sparsity") == (9, 13, 13, 16)  # the last layer stays dense


def test_a_layer_that_would_pass_full_density_stays_dense_and_the_rest_absorb_it() -> None:
    counts = active_counts(HEAD, 0.8)
    assert counts[-1] == 16
    assert sum(counts) == 208


def test_decay_begins_at_alpha_and_ends_at_zero() -> None:
    assert decay(0, 0.758, 100) == pytest.approx(0.758)
    assert decay(50, 0.758, 100) == pytest.approx(0.379)
    assert decay(100, 0.758, 100) == pytest.approx(0)


def test_each_member_moves_at_its_own_interval_until_t_end() -> None:
    schedule = Schedule(RigLSettings((0.9, 0.9), (10, 15), (0.5, 0.8)), HEAD, 100, 200, 0.75, MEASURED)
    due = {step: schedule.due(step) for step in range(200) if schedule.due(step)}
    assert [step for step, members in due.items() if 0 in members] == [100, 110, 120, 130, 140, 150, 160, 170]
    assert [step for step, members in due.items() if 1 in members] == [100, 115, 130, 145, 160]
    assert schedule.moved(100, [0]).tolist() == [[0, 0, 0, 0]]  # the first choice is by magnitude alone
    moved = schedule.moved(110, [0, 1])
    for k, alpha in enumerate((0.5, 0.8)):
        share = alpha / 2 * (1 + math.cos(10 * math.pi / 75))
        expected = [round(share * count) for count in active_counts(HEAD, 0.9, "density")]
        assert moved[k].tolist() == expected


def test_algorithm_1_gives_alpha_of_the_weights_away_at_once() -> None:
    settings = RigLSettings.same(ClassifierConfig(), 1)
    schedule = Schedule(settings, HEAD, 100, 200, 0.75, RigLMethod.paper())
    assert schedule.moved(100, [0]).tolist() == [[round(0.758 * n) for n in (9, 13, 13, 16)]]
    assert not any(schedule.trimmed(step) for step in range(200))


def test_what_carries_nothing_goes_only_once_the_topology_rests() -> None:
    schedule = Schedule(RigLSettings((0.9,), (10,), (0.5,)), HEAD, 100, 200, 0.5, MEASURED)
    assert max(step for step in range(200) if schedule.due(step)) == 140
    assert [step for step in range(200) if schedule.trimmed(step)] == [150, 160, 170, 180, 190]


def test_the_smallest_go_and_the_steepest_come() -> None:
    weight = torch.tensor([[3.0, -2.0, 1.0, 0.0, 0.0, 0.0]] * 2)
    gradient = torch.tensor([[0.0, 0.0, 0.1, 0.2, -0.9, 0.0]] * 2)
    active, moved = torch.tensor([3, 3]), torch.tensor([1, 2])
    keep, grow = moved_topology(weight, gradient, weight != 0, active, moved)
    assert keep.int().tolist() == [[1, 1, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0]]
    assert grow.int().tolist() == [[0, 0, 0, 0, 1, 0], [0, 0, 0, 1, 1, 0]]


def test_a_dropped_weight_may_return_and_an_active_zero_outlives_an_inactive_one() -> None:
    weight = torch.tensor([[1.0, 0.0, 0.0]])
    mask = torch.tensor([[True, False, True]])
    keep, grow = moved_topology(
        weight, torch.tensor([[0.0, 0.1, 0.5]]), mask, torch.tensor([2]), torch.tensor([1])
    )
    assert grow.tolist() == [[False, False, True]]
    keep, _ = moved_topology(weight, torch.zeros(1, 3), mask, torch.tensor([2]), torch.tensor([0]))
    assert keep.tolist() == [[True, False, True]]
