"""A fused copy of a classifier, which computes the same scores and gradients faster.

An attack scores every crop with every member many times, and only needs gradients with respect to pixels. Three
measures speed this up. Batch normalisation, which is a scale and a shift in evaluation mode, is fused into the
preceding convolution. The first convolution reads blocks of 2 x 2 pixels as four channels of half the width, which is
several times faster on a CPU than one channel with a stride. The backward pass of all members through a shared encoder
is implemented explicitly, with one mask per layer, so that no gradients of weights are computed.
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
Objective = Callable[[Tensor], Tensor]
FUSED_CPU_BATCH = 160
"""Number of crops per batch on a CPU, the fastest from 80 to 640."""


def fuse(classifier: Scorer) -> Scorer:
    """Return a fused copy of a classifier, or the classifier itself if its layers cannot be fused.

    The input of a fused classifier are blocks (n, 4, s / 2 + 1, s / 2 + 1), see :func:`to_blocks`, instead of images
    (n, 1, s, s). It is in evaluation mode and has a copy of the weights, so it must be created again if these change.
    """
    if not isinstance(classifier, Classifier) or classifier.training or classifier.columns is not None:
        return classifier
    head: Head
    if classifier.cnn is not None and classifier.head is not None:
        stacks, head = [list(network.children()) for network in classifier.cnn.networks], classifier.head
    elif classifier.encoder is not None:
        stacks, head = [[*classifier.encoder.encoder, classifier.encoder.mean]], classifier.score_latents
    else:
        return classifier
    if not all(_can_be_fused(stack) for stack in stacks):
        return classifier
    with torch.no_grad():
        networks = [_FusedNetwork.fuse(stack) for stack in stacks]
    return FusedClassifier(classifier.scheme, classifier.members, networks, head)


def fuse_members(classifier: Scorer) -> list[Scorer]:
    """Return a fused classifier in parts that an attack processes one after another.

    Members with separate networks are divided, so that the activations of one network fit into the cache of the CPU.
    Members that share an encoder stay together.
    """
    fused = fuse(classifier)
    if not isinstance(fused, FusedClassifier) or not fused.separate:
        return [fused]
    head = fused.score_features
    assert isinstance(head, HeadEnsemble)
    return [
        FusedClassifier(fused.scheme, 1, [network], head.member(k))
        for k, network in enumerate(fused.networks)
    ]


def to_blocks(images: Tensor) -> Tensor:
    """Rearrange images (..., 1, s, s) to blocks of 2 x 2 pixels, (..., 4, s / 2 + 1, s / 2 + 1), channels last.

    The first row and column of blocks are zero. They are the padding of the first convolution, which is thus added only
    once. Their gradients are zero, so that perturbations do not change them.
    """
    *before, _, height, width = images.shape
    pairs = (
        images.float().contiguous().view(torch.int64)[..., 0, :, :]
    )  # two neighbours of a row are copied as one
    blocks = pairs.new_zeros(*before, height // 2 + 1, width // 2 + 1, 2)
    for row in range(2):
        blocks[..., 1:, 1:, row] = pairs[..., row::2, :]
    return blocks.view(torch.float32).movedim(-1, -3)


def to_pixels(blocks: Tensor) -> Tensor:
    """Rearrange blocks to images (..., 1, s, s)."""
    return F.pixel_shuffle(blocks[..., 1:, 1:], 2)


class FusedClassifier(nn.Module):
    """A :class:`Scorer` of blocks, which is created by :func:`fuse`.

    Parameters
    ----------
    scheme, members : int
        Scheme and number of members of the classifier.
    networks : list
        Networks that read blocks, one for all members or one per member.
    head : callable
        Differentiable function from the outputs of the networks, (n, f) or (members, n, f), to scores (members, n).
    """

    batch = FUSED_CPU_BATCH
    encoder = None  # the encoder is part of the networks

    def __init__(self, scheme: int, members: int, networks: list[_FusedNetwork], head: Head) -> None:
        super().__init__()
        self.scheme, self.members, self.networks = scheme, members, networks
        self.score_features = head
        self.separate = len(networks) > 1
        self.register_buffer("first", networks[0].first, persistent=False)  # its device is where inputs go

    def score_images(self, blocks: Tensor) -> Tensor:
        """Return scores (members, n) of blocks (n, 4, h, w), or of different ones per member, (members, n, 4, h, w)."""
        if self.separate:
            inputs = blocks if blocks.dim() == 5 else [blocks] * self.members
            features = torch.stack([net.forward(x)[0] for net, x in zip(self.networks, inputs, strict=True)])
        elif blocks.dim() == 5:
            features = self.networks[0].forward(blocks.flatten(0, 1))[0].reshape(*blocks.shape[:2], -1)
        else:
            features = self.networks[0].forward(blocks)[0]
        return self.score_features(features)

    def score_latents(self, latents: Tensor) -> Tensor:
        """Return scores (members, n) of latents, as the classifier itself does."""
        return self.score_features(latents)

    def gradients(self, blocks: Tensor, objective: Objective | None = None) -> tuple[Tensor, Tensor]:
        """Return gradients (members, n, 4, h, w) of every member's scores, and the scores; see `feature_gradients`."""
        with torch.no_grad():
            outputs = [network.forward(blocks) for network in self.networks]
        features = torch.stack([output for output, _ in outputs]).expand(self.members, -1, -1)
        head_gradients, scores = feature_gradients(self.score_features, features, objective)
        with torch.no_grad():
            by_network = torch.split(head_gradients, 1 if self.separate else self.members)
            gradients = [
                network.backward(gradient, activations)
                for network, (_, activations), gradient in zip(
                    self.networks, outputs, by_network, strict=True
                )
            ]
        return torch.cat(gradients), scores


def feature_gradients(
    score: Any, features: Tensor, objective: Objective | None = None
) -> tuple[Tensor, Tensor]:
    """Return gradients with respect to the features of every member, (members, n, f), and the scores.

    The gradient is that of ``objective``, a function from scores to values (members, n), or of the scores by default.
    """
    with torch.enable_grad():
        inputs = features.detach().clone().requires_grad_()
        scores = score(inputs)
        values = scores if objective is None else objective(scores)
        total = values.sum() + 0 * inputs.sum()  # autograd has no gradient, not even 0, for a constant law
        return torch.autograd.grad(total, inputs)[0], scores.detach()


@dataclass(frozen=True)
class _FusedNetwork:
    """Convolutions and linear layers with ReLU between them. The first convolution reads blocks."""

    convolutions: list[tuple[Tensor, Tensor]]
    linears: list[tuple[Tensor, Tensor]]
    first: Tensor
    """The first convolution's weight on blocks, (filters, 4, 2, 2)."""

    @staticmethod
    def fuse(layers: list[nn.Module]) -> _FusedNetwork:
        """Copy the layers of a network, with batch normalisation fused into the convolutions."""
        last = torch.channels_last
        convolutions, linears = [], []
        for layer, following in pairwise([*layers, None]):
            if isinstance(layer, nn.Conv2d):
                weight, bias = _fuse_batch_norm(layer, following)
                convolutions.append((weight.contiguous(memory_format=last), bias))
            elif isinstance(layer, nn.Linear):
                linears.append((layer.weight.detach(), layer.bias.detach()))
        first = _on_blocks(convolutions[0][0]).contiguous(memory_format=last)
        # Channels-last convolutions return features pixel by pixel: reorder the weights rather than the features.
        weight, bias = linears[0]
        filters = convolutions[-1][0].shape[0]
        by_pixel = weight.reshape(len(weight), filters, -1).transpose(1, 2).flatten(1).contiguous()
        return _FusedNetwork(convolutions, [(by_pixel, bias), *linears[1:]], first)

    def forward(self, blocks: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return features (n, f) of blocks (n, 4, h, w), and the output of each ReLU."""
        x = F.conv2d(blocks, self.first, self.convolutions[0][1]).relu_()
        activations = [x]
        for weight, bias in self.convolutions[1:]:
            x = F.conv2d(x, weight, bias, stride=2, padding=1).relu_()
            activations.append(x)
        x = x.permute(0, 2, 3, 1).flatten(1)
        for weight, bias in self.linears[:-1]:
            x = F.linear(x, weight, bias).relu_()
            activations.append(x)
        weight, bias = self.linears[-1]
        return F.linear(x, weight, bias), activations

    def backward(self, gradient: Tensor, activations: list[Tensor]) -> Tensor:
        """Return gradients (m, n, 4, h, w) of the blocks, given those of the features, (m, n, f)."""
        masks = [value.sign_() for value in activations]  # ReLU returns 0 or more
        for weight, _ in reversed(self.linears[1:]):
            gradient = (gradient @ weight).mul_(masks.pop())
        gradient = gradient @ self.linears[0][0]
        n, filters, height, width = masks[-1].shape
        members = len(gradient)
        x = gradient.view(members * n, height, width, filters).permute(0, 3, 1, 2)
        for weight, _ in reversed(self.convolutions[1:]):
            x = F.conv_transpose2d(_masked(x, masks.pop(), members), weight, None, 2, 1, 1)
        x = _masked(x, masks.pop(), members)
        # The transpose of a convolution of stride 1 is a convolution with the kernel rotated by 180 degrees.
        rotated = self.first.flip(2, 3).transpose(0, 1).contiguous(memory_format=torch.channels_last)
        blocks = F.conv2d(x, rotated, padding=1)
        blocks[..., 0, :] = blocks[..., 0] = 0  # the padding is constant
        return blocks.view(members, n, *blocks.shape[1:])


def _masked(x: Tensor, mask: Tensor, members: int) -> Tensor:
    """Multiply ``x`` (members * n, c, h, w) by the masks (n, c, h, w) of the crops, in place."""
    return x.view(members, len(mask), *x.shape[1:]).mul_(mask).flatten(0, 1)


def _can_be_fused(layers: list[nn.Module]) -> bool:
    """Return whether the layers are 3 x 3 convolutions of stride 2, then two linear layers, with ReLU between."""
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


def _fuse_batch_norm(convolution: nn.Conv2d, following: nn.Module | None) -> tuple[Tensor, Tensor]:
    """Return weight and bias of a convolution together with the batch normalisation that may follow it."""
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
    """Convert a 3 x 3 kernel of stride 2 and padding 1, (f, 1, 3, 3), to a 2 x 2 kernel on blocks, (f, 4, 2, 2).

    Output pixel i reads the rows 2i - 1, 2i and 2i + 1: the second row of block i - 1 and both rows of block i. These
    are three of the four rows of two blocks, so the kernel is padded with a row of zeros and divided into blocks.
    """
    padded = F.pad(weight, (1, 0, 1, 0))
    return F.pixel_unshuffle(padded, 2)
