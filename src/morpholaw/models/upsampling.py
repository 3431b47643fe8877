"""The decoder's last layers for less work: a convolution of a doubled image, computed from the image itself."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NARROW = 8
"""Filters up to which it pays: four times as many fill a CPU's vector registers, which one or two do not."""

READS = [[[1, 0, 0], [0, 1, 1], [0, 0, 0]], [[0, 0, 0], [1, 1, 0], [0, 0, 1]]]
"""For even and odd pixels of the result: which small pixel (rows) each of the kernel's three (columns) reads."""


class Upsampler(nn.Sequential):
    """A sequence of layers in which nearest-neighbour doubling and a narrow convolution are computed as one step.

    Weights, their names and the results, up to rounding, are those of the plain sequence; training the paper's network
    takes a quarter less time on a CPU. A GPU computes the layers as they are: it waits for operations to be launched,
    and this takes more of them (training took a third more time on an H200).
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return what the layers, one after the other, would return."""
        fused = x.device.type == "cpu"
        doubled = False
        for layer, following in pairwise([*self, None]):
            narrow = isinstance(following, nn.Conv2d) and following.out_channels <= NARROW
            if fused and isinstance(layer, nn.Upsample) and narrow:
                doubled = True
            elif doubled and isinstance(layer, nn.Conv2d):
                x, doubled = convolve_doubled(x, layer), False
            elif layer is not None:
                x = layer(x)
        return x


def convolve_doubled(x: Tensor, convolution: nn.Conv2d) -> Tensor:
    """Convolve an image that is doubled by nearest neighbour, with a 3 x 3 kernel and padding.

    Four neighbouring pixels of the result read the same 3 x 3 pixels of ``x``, each with its own sums of the kernel:
    they are four times the filters of a convolution of ``x`` (sub-pixel convolution, Shi et al. 2016).

    Parameters
    ----------
    x : Tensor
        (n, channels, y, x).
    convolution : Conv2d
        The convolution.

    Returns
    -------
    Tensor
        (n, filters, 2 y, 2 x).
    """
    weight = convolution.weight
    reads = weight.new_tensor(READS)
    kernels = torch.einsum("iap,jbq,fcpq->ijfcab", reads, reads, weight).reshape(-1, *weight.shape[1:])
    bias = None if convolution.bias is None else convolution.bias.repeat(4)
    n, _, height, width = x.shape
    quarters = F.conv2d(x, kernels, bias, padding=1).view(n, 2, 2, -1, height, width)
    filters = quarters.shape[3]
    if (
        filters <= 2
    ):  # in planes, as images are compared; torch's pixel_shuffle takes twice the time of either
        planes = quarters.permute(0, 3, 4, 1, 5, 2)
        return planes.reshape(n, filters, 2 * height, 2 * width)
    last = quarters.permute(0, 4, 1, 5, 2, 3).reshape(n, 2 * height, 2 * width, filters)
    return last.permute(0, 3, 1, 2)
