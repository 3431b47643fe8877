"""The three terms of the beta-TCVAE's KL divergence, estimated from a minibatch (paper, eq. 6-7).

q(z) is a mixture over the whole data set of N crops, of which a batch contains B components. Estimators differ in how
they weight these components (Chen et al. 2018, appendix C):

- *stratified*: the component from which z was drawn has the weight 1/N, and the other B - 1 components represent the
  remaining N - 1 crops. Chen et al. give B - 2 of them the weight 1/(B-1) and the last one the remainder to a sum of 1.
  Averaged over the choice of the last one, each has the weight (N-1) / (N (B-1)), with the same expectation and less
  variance. This estimate of q(z) is unbiased.
- *weighted*: every component has the weight 1 / (N B), which gives a lower bound.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

LOG_2PI = math.log(2 * math.pi)


class KLParts(NamedTuple):
    """Batch means in nats of I(z;n), TC(z) and sum_j KL(q(z_j)||p(z_j)); their sum estimates KL(q(z|x)||p(z))."""

    mutual_information: Tensor
    total_correlation: Tensor
    dimension_wise: Tensor


def sampling_weights(batch: int, total: int, sampling: str = "stratified") -> tuple[float, float]:
    """Return the weights, in the estimate of q(z), of the component from which z was drawn and of each other one.

    Parameters
    ----------
    batch : int
        Number of crops in the batch, B.
    total : int
        Number of crops in the data set, N >= B.
    sampling : {"stratified", "weighted"}
        The estimator; stratified weights sum to 1 over a batch.

    Returns
    -------
    same, other : float
    """
    if sampling == "weighted":
        return 1 / (total * batch), 1 / (total * batch)
    if batch == 1:
        return 1.0, 1.0
    return 1 / total, (total - 1) / (total * (batch - 1))


def log_mixture(components: Tensor, same: float, other: float) -> Tensor:
    """Return the logarithms of mixtures of components.

    As there are only two weights, the diagonal is shifted instead of adding a matrix of weights.

    Parameters
    ----------
    components : Tensor
        log q(z_i | x_j), (..., batch, batch), indexed by i and j.
    same, other : float
        Weights of the components with i = j and of the others.

    Returns
    -------
    Tensor
        (..., batch).
    """
    top = components.detach().amax(-1, keepdim=True)
    relative = components - top
    torch.diagonal(relative, dim1=-2, dim2=-1).add_(math.log(same / other))
    return top.squeeze(-1) + relative.exp().sum(-1).log() + math.log(other)


class LogDensities(torch.autograd.Function):
    """log q(z_i | x_j) summed over latents, and the logarithms of the mixtures summed over latents (batch,).

    The densities of all latents, (latents, batch, batch), are by far the largest arrays of the loss. The quadratic form
    is computed as one matrix product of three features of z, (latents, batch, 3), with three of x, (latents, 3, batch),
    so that no differences are stored. The gradient of a mixture is the softmax of its components, which is the only
    such array that is kept.
    """

    @staticmethod
    def forward(context: Any, of_z: Tensor, of_x: Tensor, same: float, other: float) -> tuple[Tensor, Tensor]:
        """Return the summed densities (batch, batch) and the summed logarithms of the mixtures (batch,)."""
        components = torch.bmm(of_z, of_x)
        joint = _beside(of_z) @ of_x.flatten(0, 1)
        torch.diagonal(components, dim1=-2, dim2=-1).add_(math.log(same / other))
        share = torch.softmax(components, -1)
        # log sum exp = c_k - log softmax_k for any k; the largest component's softmax cannot underflow
        mixtures = components.amax(-1) - share.amax(-1).log() + math.log(other)
        context.save_for_backward(of_z, of_x, share)
        return joint, mixtures.sum(0)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        """Return the gradients with respect to the features of z and x."""
        of_z, of_x, share = context.saved_tensors
        of_joint, of_mixtures = gradients[0], gradients[1].unsqueeze(-1)
        of_sums = (of_joint @ _beside(of_x.mT)).unflatten(1, of_x.shape[:2]).transpose(0, 1)
        gradient_z = of_sums + of_mixtures * torch.bmm(share, of_x.mT)
        gradient_x = of_z.mT @ of_joint + torch.bmm((of_mixtures * of_z).mT, share)
        return gradient_z, gradient_x, None, None


def _beside(features: Tensor) -> Tensor:
    """Place the features of all latents, (latents, batch, 3), beside each other, (batch, 3 latents).

    A product with them sums over latents, ten times faster than a batch of products that is added up.
    """
    return features.transpose(0, 1).flatten(1)


_apply: Callable[[Tensor, Tensor, float, float], tuple[Tensor, Tensor]] = LogDensities.apply


def log_densities(
    z: Tensor, mean: Tensor, log_variance: Tensor, same: float, other: float
) -> tuple[Tensor, Tensor]:
    """Return log q(z_i | x_j) summed over latents, (batch, batch), and log q(z_il) summed over latents, (batch,).

    Parameters
    ----------
    z, mean, log_variance : Tensor
        Samples and parameters of q(z|x), (batch, latents).
    same, other : float
        Weights of the components, from `sampling_weights`.

    Returns
    -------
    joint, log_marginals : Tensor
    """
    z, mean, log_variance = z.T, mean.T, log_variance.T
    precision = torch.exp(-log_variance)
    constant = -0.5 * (mean.square() * precision + log_variance + LOG_2PI)
    of_z = torch.stack([z.square(), z, torch.ones_like(z)], dim=2)
    of_x = torch.stack([-0.5 * precision, mean * precision, constant], dim=1)
    return _apply(of_z, of_x, same, other)


def kl_parts(
    z: Tensor, mean: Tensor, log_variance: Tensor, total: int, sampling: str = "stratified"
) -> KLParts:
    """Estimate I(z;n), TC(z) and the dimension-wise KL (eq. 6) from one sample z of each q(z|x).

    Parameters
    ----------
    z, mean, log_variance : Tensor
        Samples and parameters of q(z|x), float32 (batch, latents).
    total : int
        Number of crops in the data set, N.
    sampling : {"stratified", "weighted"}
        The estimator of q(z).

    Returns
    -------
    KLParts
    """
    batch = z.shape[0]
    same, other = sampling_weights(batch, max(total, batch), sampling)
    joint, log_marginals = log_densities(z, mean, log_variance, same, other)
    log_joint = log_mixture(joint, same, other)
    log_conditional = torch.diagonal(joint)
    log_prior = -0.5 * (z.square() + LOG_2PI).sum(1)
    return KLParts(
        (log_conditional - log_joint).mean(),
        (log_joint - log_marginals).mean(),
        (log_marginals - log_prior).mean(),
    )
