"""A convolution of a picture that was doubled, from the picture itself: the decoder's last layers for less work."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NARROW = 8
"""Filters up to which it pays: four times as many fill a processor's registers, and one or two of them do not."""


class Upsampler(nn.Sequential):
    """Layers one after another, where doubling by nearest neighbour and a narrow convolution are one step.

    The network is that of its layers, weights and names and numbers up to rounding; training the paper's takes a
    quarter less time on a processor. A GPU takes the layers as they are: it waits for operations to be started, and
    this is more of them (training took a third more time on an H200).
    """

    def forward(self, x: Tensor) -> Tensor:
        """What the layers one after another would return."""
        if x.device.type != "cpu":
            return super().forward(x)
        doubled = False
        for layer, following in pairwise([*self, None]):
            narrow = isinstance(following, nn.Conv2d) and following.out_channels <= NARROW
            if isinstance(layer, nn.Upsample) and narrow:
                doubled = True
            elif doubled and isinstance(layer, nn.Conv2d):
                x, doubled = convolve_doubled(x, layer), False
            elif layer is not None:
                x = layer(x)
        return x


def convolve_doubled(x: Tensor, convolution: nn.Conv2d) -> Tensor:
    """A 3 x 3 convolution with padding of ``x`` (n, c, y, x) doubled by nearest neighbour: (n, f, 2 y, 2 x).

    Four neighbouring pixels of the result read the same 3 x 3 pixels of ``x``, each with its own sums of the
    kernel: they are four times the filters of a convolution of ``x`` (sub-pixel convolution, Shi et al. 2016).
    """
    weight, bias = convolution.weight, convolution.bias
    reads = weight.new_tensor(READS)
    kernels = torch.einsum("iap,jbq,fcpq->ijfcab", reads, reads, weight).reshape(-1, *weight.shape[1:])
    bias = None if bias is None else bias.repeat(4)
    quarters = F.conv2d(x, kernels, bias, padding=1).unflatten(1, (2, 2, -1))
    n, _, _, filters, height, width = quarters.shape
    if (
        filters <= 2
    ):  # in planes, as pictures are compared; torch's pixel_shuffle takes twice the time of either
        return quarters.permute(0, 3, 4, 1, 5, 2).reshape(n, filters, 2 * height, 2 * width)
    last = quarters.permute(0, 4, 1, 5, 2, 3).reshape(n, 2 * height, 2 * width, filters)
    return last.permute(0, 3, 1, 2)


READS = [[[1, 0, 0], [0, 1, 1], [0, 0, 0]], [[0, 0, 0], [1, 1, 0], [0, 0, 1]]]
"""Of the even and the odd pixels of the result: which small pixel (rows) each of the kernel's three (columns) reads."""
