"""A classifier as attacks run it: the same numbers from less work.

An attack evaluates every member on every crop many times and needs gradients for pixels only. Three things
are taken out of that loop. Batch normalisation in evaluation is a scale and a shift, folded into the
convolution before it. The first convolution sees a crop as blocks of 2 x 2 pixels, four channels of half the
side, which processors multiply several times faster than one channel with a stride. And the pull-back of all
members through a shared encoder is written out, with one mask for each layer; no weight gets a gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from morpholaw.evaluation.scoring import Scorer
from morpholaw.models.classifier import Classifier
from morpholaw.models.heads import HeadEnsemble

Head = Callable[[Tensor], Tensor]
IN_CACHE = 160
"""Crops that a network takes in one pass on a processor: measured fastest of 80 to 640."""


def folded(classifier: Scorer) -> Scorer:
    """The classifier, folded where its network has the layout that folding knows, else as it is.

    A folded classifier reads blocks (n, 4, s / 2 + 1, s / 2 + 1), see :func:`to_blocks`, where others read
    images (n, 1, s, s). It is for evaluation mode and holds copies: fold again after the weights change.
    """
    if not isinstance(classifier, Classifier) or classifier.training:
        return classifier
    head: Head
    if classifier.cnn is not None and classifier.head is not None:
        stacks, head = [list(network.children()) for network in classifier.cnn.networks], classifier.head
    elif classifier.encoder is not None:
        stacks, head = [[*classifier.encoder.encoder, classifier.encoder.mean]], classifier.score_latents
    else:
        return classifier
    if not all(_is_known(stack) for stack in stacks):
        return classifier
    with torch.no_grad():
        networks = [_Network.fold(stack) for stack in stacks]
    return FoldedClassifier(classifier.scheme, classifier.members, networks, head)


def folded_apart(classifier: Scorer) -> list[Scorer]:
    """The classifier folded, in the parts that an attack is run on one after another.

    Members that have networks of their own come one by one, so that what one network reads and writes stays in the
    processor's cache; others together, as they share what their encoder does.
    """
    whole = folded(classifier)
    if not isinstance(whole, FoldedClassifier) or not whole.separate:
        return [whole]
    head = whole.score_features
    assert isinstance(head, HeadEnsemble)
    return [
        FoldedClassifier(whole.scheme, 1, [network], head.member(k))
        for k, network in enumerate(whole.networks)
    ]


def to_blocks(images: Tensor) -> Tensor:
    """Images (..., 1, s, s) as blocks of 2 x 2 pixels, channels last in memory.

    A row and a column of zeros before them, (..., 4, s / 2 + 1, s / 2 + 1), are the first convolution's padding,
    added once and not in every pass. Gradients are zero there, so that no perturbation moves them.
    """
    *before, _, height, width = images.shape
    blocks = images.new_zeros(*before, height // 2 + 1, width // 2 + 1, 4)
    for k in range(4):
        blocks[..., 1:, 1:, k] = images[..., 0, k // 2 :: 2, k % 2 :: 2]
    return blocks.movedim(-1, -3)


def to_pixels(blocks: Tensor) -> Tensor:
    """The images (..., 1, s, s) of blocks."""
    return F.pixel_shuffle(blocks[..., 1:, 1:], 2)


class FoldedClassifier(nn.Module):
    """A :class:`Scorer` of blocks; build one with :func:`folded`.

    Parameters
    ----------
    scheme, members : int
        Those of the classifier.
    networks : list
        What reads the blocks: one for all members, or one for each.
    head : callable
        Scores (members, n) of what the networks return, (n, f) or (members, n, f); differentiable.
    """

    evaluations = IN_CACHE
    encoder = None  # what reads the latents is asked of the classifier itself

    def __init__(self, scheme: int, members: int, networks: list[_Network], head: Head) -> None:
        super().__init__()
        self.scheme, self.members, self.networks = scheme, members, networks
        self.score_features = head
        self.separate = len(networks) > 1
        self.register_buffer("first", networks[0].first, persistent=False)  # says where inputs are to be

    def score_images(self, blocks: Tensor) -> Tensor:
        """Scores (members, n) of blocks (n, 4, h, w), or of each member's own (members, n, 4, h, w)."""
        if self.separate:
            own = blocks if blocks.dim() == 5 else [blocks] * self.members
            features = torch.stack([net.forward(x)[0] for net, x in zip(self.networks, own, strict=True)])
        elif blocks.dim() == 5:
            features = self.networks[0].forward(blocks.flatten(0, 1))[0].unflatten(0, blocks.shape[:2])
        else:
            features = self.networks[0].forward(blocks)[0]
        return self.score_features(features)

    def score_latents(self, latents: Tensor) -> Tensor:
        """As the classifier itself."""
        return self.score_features(latents)

    def gradients(self, blocks: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients (members, n, 4, h, w) of every member's scores, and the scores (members, n)."""
        with torch.no_grad():
            passes = [network.forward(blocks) for network in self.networks]
        features = torch.stack([result for result, _ in passes]).expand(self.members, -1, -1)
        pulled, scores = feature_gradients(self.score_features, features)
        with torch.no_grad():
            shares = pulled.split(1 if self.separate else self.members)
            parts = [
                network.pull_back(share, masks)
                for network, (_, masks), share in zip(self.networks, passes, shares, strict=True)
            ]
        return torch.cat(parts), scores


def feature_gradients(score: Any, features: Tensor) -> tuple[Tensor, Tensor]:
    """Gradient of every member's scores at its own features (members, n, f), and the scores (members, n)."""
    with torch.enable_grad():
        own = features.detach().clone().requires_grad_()
        scores = score(own)
        total = scores.sum() + 0 * own.sum()  # a law that is a constant has the gradient 0, not none
        return torch.autograd.grad(total, own)[0], scores.detach()


@dataclass(frozen=True)
class _Network:
    """Convolutions and linear layers with ReLU between them, the first on blocks."""

    convolutions: list[tuple[Tensor, Tensor]]
    linears: list[tuple[Tensor, Tensor]]
    first: Tensor
    """The first convolution's weight on blocks, (filters, 4, 2, 2)."""

    @staticmethod
    def fold(layers: list[nn.Module]) -> _Network:
        last = torch.channels_last
        convolutions, linears = [], []
        for layer, following in pairwise([*layers, None]):
            if isinstance(layer, nn.Conv2d):
                weight, bias = _folded(layer, following)
                convolutions.append((weight.contiguous(memory_format=last), bias))
            elif isinstance(layer, nn.Linear):
                linears.append((layer.weight.detach(), layer.bias.detach()))
        first = _on_blocks(convolutions[0][0]).contiguous(memory_format=last)
        # After channels-last convolutions the features come pixel by pixel: reorder the weights, not them.
        weight, bias = linears[0]
        filters = convolutions[-1][0].shape[0]
        by_pixel = weight.unflatten(1, (filters, -1)).transpose(1, 2).flatten(1).contiguous()
        return _Network(convolutions, [(by_pixel, bias), *linears[1:]], first)

    def forward(self, blocks: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Features (n, f) of blocks (n, 4, h, w), and what each ReLU returned."""
        x = F.conv2d(blocks, self.first, self.convolutions[0][1]).relu_()
        kept = [x]
        for weight, bias in self.convolutions[1:]:
            x = F.conv2d(x, weight, bias, stride=2, padding=1).relu_()
            kept.append(x)
        x = x.permute(0, 2, 3, 1).flatten(1)
        for weight, bias in self.linears[:-1]:
            x = F.linear(x, weight, bias).relu_()
            kept.append(x)
        weight, bias = self.linears[-1]
        return F.linear(x, weight, bias), kept

    def pull_back(self, gradient: Tensor, kept: list[Tensor]) -> Tensor:
        """Gradients (m, n, 4, h, w) for the blocks from gradients (m, n, f) for the features."""
        masks = [value.sign_() for value in kept]  # ReLU's results: 0 or more
        for weight, _ in reversed(self.linears[1:]):
            gradient = (gradient @ weight).mul_(masks.pop())
        gradient = gradient @ self.linears[0][0]
        n, filters, height, width = masks[-1].shape
        members = len(gradient)
        x = gradient.view(members * n, height, width, filters).permute(0, 3, 1, 2)
        for weight, _ in reversed(self.convolutions[1:]):
            x = F.conv_transpose2d(_masked(x, masks.pop(), members), weight, None, 2, 1, 1)
        x = _masked(x, masks.pop(), members)
        # The transpose of a convolution of stride 1 is one with the kernel turned round.
        turned = self.first.flip(2, 3).transpose(0, 1).contiguous(memory_format=torch.channels_last)
        pulled = F.conv2d(x, turned, padding=1)
        pulled[..., 0, :] = pulled[..., 0] = 0  # nothing moves the zeros that stand before the blocks
        return pulled.unflatten(0, (members, n))


def _masked(x: Tensor, mask: Tensor, members: int) -> Tensor:
    """``x`` (members * n, c, h, w) times the mask (n, c, h, w) of its crop."""
    return (x.unflatten(0, (members, len(mask))).mul_(mask)).flatten(0, 1)


def _is_known(layers: list[nn.Module]) -> bool:
    kinds = [layer for layer in layers if not isinstance(layer, nn.Dropout | nn.BatchNorm2d)]
    convolutions = [layer for layer in kinds if isinstance(layer, nn.Conv2d)]
    count = len(convolutions)
    expected: list[type[nn.Module]] = [nn.Conv2d, nn.ReLU] * count + [
        nn.Flatten,
        nn.Linear,
        nn.ReLU,
        nn.Linear,
    ]
    shapes = all(
        (layer.kernel_size, layer.stride, layer.padding) == ((3, 3), (2, 2), (1, 1)) for layer in convolutions
    )
    return (
        count > 0
        and convolutions[0].in_channels == 1
        and shapes
        and [type(layer) for layer in kinds] == expected
    )


def _folded(convolution: nn.Conv2d, following: nn.Module | None) -> tuple[Tensor, Tensor]:
    """Weight and bias, with the batch normalisation that may follow."""
    weight, bias = convolution.weight.detach(), convolution.bias
    assert bias is not None
    if not isinstance(following, nn.BatchNorm2d):
        return weight, bias.detach()
    assert following.running_mean is not None
    assert following.running_var is not None
    scale = following.weight * (following.running_var + following.eps).rsqrt()
    shifted = (bias - following.running_mean) * scale + following.bias
    return (weight * scale.view(-1, 1, 1, 1)).detach(), shifted.detach()


def _on_blocks(weight: Tensor) -> Tensor:
    """A 3 x 3 kernel of stride 2 and padding 1, (f, 1, 3, 3), as a 2 x 2 kernel on blocks, (f, 4, 2, 2).

    Output pixel i reads the rows 2i - 1, 2i and 2i + 1: the second row of block i - 1 and both of block i. Three
    rows of four in the two blocks, so the kernel is padded by a row of zeros and cut into blocks.
    """
    padded = F.pad(weight, (1, 0, 1, 0))
    return F.pixel_unshuffle(padded, 2)
