"""The three parts of the beta-TCVAE's KL divergence, estimated from a minibatch (paper, eq. 6-7).

q(z) is a mixture over the whole data set of N crops. A batch of B holds B of its components; how they are weighted is
the estimator (Chen et al. 2018, appendix C):

- *stratified*: the crop that z was drawn from is known to be one of N, so its component has weight 1/N; the other B - 1
  crops stand for the N - 1 others and share the rest. Chen et al. give B - 2 of them 1/(B-1) and the last one what is
  left to make the sum 1; averaged over which one is last, every one has (N-1) / (N (B-1)), which has the same
  expectation and less variance. q(z) is unbiased.
- *weighted*: every component has weight 1 / (N B), a lower bound.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

LOG_2PI = math.log(2 * math.pi)


class KLParts(NamedTuple):
    """Batch means in nats: I(z;n), TC(z), sum_j KL(q(z_j)||p(z_j)). Their sum estimates KL(q(z|x)||p(z))."""

    mutual_information: Tensor
    total_correlation: Tensor
    dimension_wise: Tensor


def sampling_weights(batch: int, total: int, sampling: str = "stratified") -> tuple[float, float]:
    """Return the weight of the component that z was drawn from in the estimate of q(z), and that of each other one.

    Parameters
    ----------
    batch : int
        Crops in the batch, B.
    total : int
        Crops in the data set, N >= B.
    sampling : {"stratified", "weighted"}
        The estimator; the stratified weights sum to 1 over a batch.
    """
    if sampling == "weighted":
        return 1 / (total * batch), 1 / (total * batch)
    if batch == 1:
        return 1.0, 1.0
    return 1 / total, (total - 1) / (total * (batch - 1))


def log_mixture(components: Tensor, own: float, other: float) -> Tensor:
    """Return the log of mixtures of components.

    There are only two weights, so that a diagonal is shifted instead of adding a matrix of weights.

    Parameters
    ----------
    components : Tensor
        log q(z_i | x_j), (..., batch, batch) over i, j.
    own, other : float
        Weights of the components with i = j, and of the others.

    Returns
    -------
    Tensor
        (..., batch).
    """
    top = components.detach().amax(-1, keepdim=True)
    relative = components - top
    torch.diagonal(relative, dim1=-2, dim2=-1).add_(math.log(own / other))
    return top.squeeze(-1) + relative.exp().sum(-1).log() + math.log(other)


class LogDensities(torch.autograd.Function):
    """log q(z_i | x_j) summed over latents, and the sum over latents of their mixtures' logs (batch,).

    The densities of all latents, (latents, batch, batch), are by far the largest arrays of the loss. Here the quadratic
    is one matrix product of three features of z, (latents, batch, 3), with three of x, (latents, 3, batch), so that no
    difference is ever built; and a mixture's gradient is the softmax of its components, the only such array that is
    kept.
    """

    @staticmethod
    def forward(context: Any, of_z: Tensor, of_x: Tensor, own: float, other: float) -> tuple[Tensor, Tensor]:
        """Return the summed densities (batch, batch), and the summed logs of the mixtures (batch,)."""
        components = torch.bmm(of_z, of_x)
        joint = components.sum(0)
        torch.diagonal(components, dim1=-2, dim2=-1).add_(math.log(own / other))
        share = torch.softmax(components, -1)
        # log sum exp = c_k - log softmax_k for any k; the largest component's softmax cannot underflow
        mixtures = components.amax(-1) - share.amax(-1).log() + math.log(other)
        context.save_for_backward(of_z, of_x, share)
        return joint, mixtures.sum(0)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        """Return the gradients with respect to the features of z and of x."""
        of_z, of_x, share = context.saved_tensors
        of_joint, of_mixtures = gradients[0], gradients[1].unsqueeze(-1)
        gradient_z = of_joint @ of_x.mT + of_mixtures * torch.bmm(share, of_x.mT)
        gradient_x = of_z.mT @ of_joint + torch.bmm((of_mixtures * of_z).mT, share)
        return gradient_z, gradient_x, None, None


_apply: Callable[[Tensor, Tensor, float, float], tuple[Tensor, Tensor]] = LogDensities.apply


def log_densities(
    z: Tensor, mean: Tensor, log_variance: Tensor, own: float, other: float
) -> tuple[Tensor, Tensor]:
    """Return log q(z_i | x_j) summed over latents, (batch, batch), and the sum of the log q(z_il) over latents.

    Parameters
    ----------
    z, mean, log_variance : Tensor
        (batch, latents), samples and parameters of q(z|x).
    own, other : float
        Weights of the components, as from `sampling_weights`.
    """
    z, mean, log_variance = z.T, mean.T, log_variance.T
    precision = torch.exp(-log_variance)
    constant = -0.5 * (mean.square() * precision + log_variance + LOG_2PI)
    of_z = torch.stack([z.square(), z, torch.ones_like(z)], dim=2)
    of_x = torch.stack([-0.5 * precision, mean * precision, constant], dim=1)
    return _apply(of_z, of_x, own, other)


def kl_parts(
    z: Tensor, mean: Tensor, log_variance: Tensor, total: int, sampling: str = "stratified"
) -> KLParts:
    """Estimate I(z;n), TC(z) and the dimension-wise KL (eq. 6) from one sample z of each q(z|x).

    Parameters
    ----------
    z, mean, log_variance : Tensor
        float32 (batch, latents), samples and parameters of q(z|x).
    total : int
        Crops in the data set, N.
    sampling : {"stratified", "weighted"}
        The estimator of q(z).
    """
    batch = z.shape[0]
    own, other = sampling_weights(batch, max(total, batch), sampling)
    joint, log_marginals = log_densities(z, mean, log_variance, own, other)
    log_joint = log_mixture(joint, own, other)
    log_conditional = torch.diagonal(joint)
    log_prior = -0.5 * (z.square() + LOG_2PI).sum(1)
    return KLParts(
        (log_conditional - log_joint).mean(),
        (log_joint - log_marginals).mean(),
        (log_marginals - log_prior).mean(),
    )
