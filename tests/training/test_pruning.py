"""Post-training pruning removes what is not used, and never what is."""

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from morpholaw.models.heads import HeadEnsemble
from morpholaw.training.pruning import prune, prune_layers


def random_head(seed: int, widths: list[int], density: float, members: int = 3) -> HeadEnsemble:
    inputs, *hidden, outputs = widths
    head = HeadEnsemble(members, inputs, hidden, outputs, seeds=range(seed, seed + members)).eval()
    random = torch.Generator().manual_seed(seed)
    for mask, weight in zip(head.masks, head.weights, strict=True):
        mask.copy_(torch.rand(mask.shape, generator=random) < density)
        weight.data *= 4
    return head


@given(
    seed=st.integers(0, 10_000),
    widths=st.lists(st.integers(1, 7), min_size=2, max_size=6),
    density=st.floats(0.0, 1.0),
)
@settings(deadline=None, max_examples=80)
def test_outputs_are_unchanged_to_float_precision(seed: int, widths: list[int], density: float) -> None:
    head = random_head(seed, widths, density)
    pruned = prune(head)
    z = torch.randn(50, widths[0], generator=torch.Generator().manual_seed(seed)) * 3
    torch.testing.assert_close(pruned(z), head(z), rtol=1e-4, atol=1e-4)
    assert (pruned.active_weights() <= head.active_weights()).all()


@given(seed=st.integers(0, 10_000), density=st.floats(0.05, 0.9))
@settings(deadline=None, max_examples=40)
def test_every_hidden_neuron_left_has_both_sources_and_targets(seed: int, density: float) -> None:
    masks = prune(random_head(seed, [6, 5, 4, 4, 2], density)).masks
    for before, after in pairwise(masks):
        assert torch.equal(before.any(1), after.any(2))


def chain() -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """Two inputs; hidden neuron 0 is used, 1 is a leaf, 2 has no source but a target."""
    weights = [torch.tensor([[[2.0, 3.0, 0.0], [0.0, 0.0, 0.0]]]), torch.tensor([[[5.0], [0.0], [7.0]]])]
    biases = [torch.tensor([[0.1, 0.2, 0.3]]), torch.tensor([[0.5]])]
    return weights, biases, [weight != 0 for weight in weights]


def test_a_leaf_goes_and_a_bias_weight_is_folded() -> None:
    weights, biases, masks = prune_layers(*chain())
    assert masks[0].tolist() == [[[True, False, False], [False, False, False]]]
    assert masks[1].tolist() == [[[True], [False], [False]]]
    assert weights[0][0, 0].tolist() == [2.0, 0.0, 0.0]
    expected = 0.5 + 7.0 * F.mish(torch.tensor(0.3))
    torch.testing.assert_close(biases[1], expected.view(1, 1))
    assert biases[0][0, 1:].tolist() == [0.0, 0.0]


def test_a_network_without_a_path_becomes_its_constant() -> None:
    head = random_head(1, [4, 3, 3, 1], 1.0, members=1)
    head.masks[1].zero_()
    pruned = prune(head)
    assert pruned.active_weights().tolist() == [0]
    assert pruned.kept_inputs(0) == ()
    torch.testing.assert_close(pruned(torch.randn(5, 4)), head(torch.randn(5, 4)))


def test_batch_normalisation_is_refused() -> None:
    with pytest.raises(ValueError, match="batch normalisation"):
        prune(HeadEnsemble(1, normalise=True))
