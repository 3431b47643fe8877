"""The three parts of the beta-TCVAE's KL divergence, estimated from a minibatch (paper, eq. 6-7).

q(z) is a mixture over the whole data set of N pictures. A batch of B sees B of its components; how they
are weighted is the estimator (Chen et al. 2018, appendix C):

- *stratified*: the picture that z was drawn from is known to be one of N, so its component has weight 1/N;
  the other B - 1 pictures stand for the N - 1 others and share the rest. Chen et al. give B - 2 of them
  1/(B-1) and the last one what is left to make the sum 1; averaged over which one is last, every one has
  (N-1) / (N (B-1)), which has the same expectation and less variance. q(z) is unbiased.
- *weighted*: every component has weight 1 / (N B), a lower bound that needs no care.
"""

from __future__ import annotations

import math
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
    """Weight of the component that z was drawn from in its batch's estimate of q(z), and that of each other one.

    Parameters
    ----------
    batch : int
        Pictures in the batch, B.
    total : int
        Pictures in the data set, N >= B.
    sampling : {"stratified", "weighted"}
        The estimator; the stratified weights sum to 1 over a batch.
    """
    if sampling == "weighted":
        return 1 / (total * batch), 1 / (total * batch)
    if batch == 1:
        return 1.0, 1.0
    return 1 / total, (total - 1) / (total * (batch - 1))


def log_mixture(components: Tensor, own: float, other: float) -> Tensor:
    """log of the mixture of components q(z_i | x_j), (..., batch, batch) over i, j; returns (..., batch).

    There are two weights only, so that only a diagonal is shifted, and no matrix of weights is added to every latent's.
    """
    top = components.detach().amax(-1, keepdim=True)
    relative = components - top
    torch.diagonal(relative, dim1=-2, dim2=-1).add_(math.log(own / other))
    return top.squeeze(-1) + relative.exp().sum(-1).log() + math.log(other)


class LogDensities(torch.autograd.Function):
    """log q(z_i | x_j) summed over latents, and the sum over latents of their mixtures' logs (batch,).

    The densities of all latents, (latents, batch, batch), are by far the largest thing that the loss builds. Here the
    quadratic is one matrix product of three features of z, (latents, batch, 3), with three of x, (latents, 3, batch),
    so that no difference is ever built; and a mixture's gradient is the softmax of its components, the one such array
    that is kept.
    """

    @staticmethod
    def forward(context: Any, of_z: Tensor, of_x: Tensor, own: float, other: float) -> tuple[Tensor, Tensor]:
        components = torch.bmm(of_z, of_x)
        joint = components.sum(0)
        torch.diagonal(components, dim1=-2, dim2=-1).add_(math.log(own / other))
        share = torch.softmax(components, -1)
        # log sum exp = c_k - log softmax_k for any k; that of the largest cannot be too small for a number
        mixtures = components.amax(-1) - share.amax(-1).log() + math.log(other)
        context.save_for_backward(of_z, of_x, share)
        return joint, mixtures.sum(0)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        of_z, of_x, share = context.saved_tensors
        of_joint, of_mixtures = gradients[0], gradients[1].unsqueeze(-1)
        gradient_z = of_joint @ of_x.mT + of_mixtures * torch.bmm(share, of_x.mT)
        gradient_x = of_z.mT @ of_joint + torch.bmm((of_mixtures * of_z).mT, share)
        return gradient_z, gradient_x, None, None


def log_densities(
    z: Tensor, mean: Tensor, log_variance: Tensor, own: float, other: float
) -> tuple[Tensor, Tensor]:
    """log q(z_i | x_j) summed over latents, (batch, batch), and the sum of the log q(z_il) over latents, (batch,)."""
    z, mean, log_variance = z.T, mean.T, log_variance.T
    precision = torch.exp(-log_variance)
    constant = -0.5 * (mean.square() * precision + log_variance + LOG_2PI)
    of_z = torch.stack([z.square(), z, torch.ones_like(z)], dim=2)
    of_x = torch.stack([-0.5 * precision, mean * precision, constant], dim=1)
    joint, mixtures = LogDensities.apply(of_z, of_x, own, other)
    return joint, mixtures


def kl_parts(
    z: Tensor, mean: Tensor, log_variance: Tensor, total: int, sampling: str = "stratified"
) -> KLParts:
    """Estimate I(z;n), TC(z) and the dimension-wise KL (eq. 6) from one sample z of each q(z|x).

    Parameters
    ----------
    z, mean, log_variance : Tensor, (batch, latents), float32
        Samples and parameters of q(z|x).
    total : int
        Pictures in the data set, N.
    """
    batch = z.shape[0]
    own, other = sampling_weights(batch, max(total, batch), sampling)
    joint, log_marginals = log_densities(z, mean, log_variance, own, other)
    log_joint = log_mixture(joint, own, other)
    log_own = torch.diagonal(joint)
    log_prior = -0.5 * (z.square() + LOG_2PI).sum(1)
    return KLParts(
        (log_own - log_joint).mean(), (log_joint - log_marginals).mean(), (log_marginals - log_prior).mean()
    )


def analytic_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(q(z|x) || N(0, I)) of each picture and latent, (batch, latents), in nats."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)
