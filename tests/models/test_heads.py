"""A batch of heads is the same as each head alone, and says what it is connected to."""

import pytest
import torch
from torch import nn

from morpholaw.models.heads import HeadEnsemble


def reference(head: HeadEnsemble, k: int) -> nn.Sequential:
    """Member ``k`` built from torch's own layers."""
    layers: list[nn.Module] = []
    for layer, (weight, bias, mask) in enumerate(zip(head.weights, head.biases, head.masks, strict=True)):
        linear = nn.Linear(weight.shape[1], weight.shape[2])
        linear.weight.data = (weight[k] * mask[k]).T.detach().clone()
        linear.bias.data = bias[k].detach().clone()
        layers.append(linear)
        if layer < len(head.weights) - 1:
            if head.normalise:
                norm = nn.BatchNorm1d(weight.shape[2])
                norm.weight.data = head.scales[layer][k].detach().clone()
                norm.bias.data = head.shifts[layer][k].detach().clone()
                layers.append(norm)
            layers.append(nn.Mish())
    return nn.Sequential(*layers)


@pytest.mark.parametrize("normalise", [False, True])
def test_every_member_computes_what_torchs_own_layers_compute(normalise: bool) -> None:
    head = HeadEnsemble(3, 6, (5, 4), normalise=normalise, seeds=[7, 8, 9])
    head.masks[0][1, 2] = False
    peers = [reference(head, k) for k in range(3)]
    z = torch.randn(20, 6)
    for _ in range(3):  # running statistics move in training mode
        scores = head(z)
        expected = torch.stack([peer(z).squeeze(1) for peer in peers])
        torch.testing.assert_close(scores, expected, rtol=1e-4, atol=1e-5)
    head.eval()
    expected = torch.stack([peer.eval()(z).squeeze(1) for peer in peers])
    torch.testing.assert_close(head(z), expected, rtol=1e-4, atol=1e-5)


def test_the_papers_head_has_1040_weights() -> None:
    assert HeadEnsemble(2).active_weights().tolist() == [1040, 1040]


def test_initial_weights_depend_on_the_members_own_seed_alone() -> None:
    many, one = HeadEnsemble(3, seeds=[4, 5, 6]), HeadEnsemble(1, seeds=[5])
    for name, tensor in many.member(1).state_dict().items():
        assert torch.equal(tensor, one.state_dict()[name])
    assert not torch.equal(many.weights[0][0], many.weights[0][1])


def test_as_many_seeds_as_members() -> None:
    with pytest.raises(ValueError, match="2 members need 2 seeds, not 1"):
        HeadEnsemble(2, seeds=[1])


def test_masked_connections_carry_nothing_and_learn_nothing() -> None:
    head = HeadEnsemble(2, 4, (3,))
    head.masks[0][1, 3] = False
    z = torch.randn(10, 4)
    moved = z.clone()
    moved[:, 3] += 1
    assert torch.equal(head(z)[1], head(moved)[1])
    assert not torch.equal(head(z)[0], head(moved)[0])
    head(z).sum().backward()
    assert (head.weights[0].grad[1, 3] == 0).all()
    assert head.kept_inputs(0) == (0, 1, 2, 3)
    assert head.kept_inputs(1) == (0, 1, 2)
    assert head.active_weights().tolist() == [15, 12]


def test_dropout_differs_between_members_and_rests_in_evaluation() -> None:
    head = HeadEnsemble(2, 4, (50,), dropout=0.5)
    for tensors in (head.weights, head.biases):
        for tensor in tensors:
            tensor.data[1] = tensor.data[0]
    z = torch.randn(10, 4)
    assert not torch.allclose(*head(z))
    torch.testing.assert_close(*head.eval()(z))  # a batched product may round members differently


def test_a_member_apart_scores_as_it_did() -> None:
    head = HeadEnsemble(3, 4, (3,), outputs=5, normalise=True).eval()
    z = torch.randn(7, 4)
    assert head(z).shape == (3, 7, 5)
    torch.testing.assert_close(head.member(2)(z)[0], head(z)[2])
    torch.testing.assert_close(head(z.expand(3, 7, 4)), head(z))


@pytest.mark.parametrize("dropout", [-0.1, 1.0, 3e8, float("nan")])
def test_a_dropout_that_is_no_share_is_refused(dropout: float) -> None:
    with pytest.raises(ValueError, match="dropout"):
        HeadEnsemble(2, dropout=dropout)
