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
from typing import NamedTuple

import torch
from torch import Tensor

LOG_2PI = math.log(2 * math.pi)


class KLParts(NamedTuple):
    """Batch means in nats: I(z;n), TC(z), sum_j KL(q(z_j)||p(z_j)). Their sum estimates KL(q(z|x)||p(z))."""

    mutual_information: Tensor
    total_correlation: Tensor
    dimension_wise: Tensor


def sampling_weights(batch: int, total: int, sampling: str = "stratified", device: str = "cpu") -> Tensor:
    """Weights w (batch, batch) with q(z_i) = sum_j w_ij q(z_i|x_j).

    Parameters
    ----------
    batch : int
        Pictures in the batch, B.
    total : int
        Pictures in the data set, N >= B.
    sampling : {"stratified", "weighted"}
        The estimator; the rows of the stratified weights sum to 1.
    """
    if sampling == "weighted":
        return torch.full((batch, batch), 1 / (total * batch), device=device)
    if batch == 1:
        return torch.ones(1, 1, device=device)
    weights = torch.full((batch, batch), (total - 1) / (total * (batch - 1)), device=device)
    weights.fill_diagonal_(1 / total)
    return weights


def log_component_densities(z: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """log q(z_il | x_j), (latents, batch, batch) over l, i, j.

    The quadratic is one matrix product of three features of z with three of x, so that neither the
    differences nor their squares are ever built.
    """
    precision = torch.exp(-log_variance)
    of_z = torch.stack([z.square(), z, torch.ones_like(z)], dim=-1).transpose(0, 1)
    constant = -0.5 * (mean.square() * precision + log_variance + LOG_2PI)
    of_x = torch.stack([-0.5 * precision, mean * precision, constant], dim=-1).permute(1, 2, 0)
    return torch.bmm(of_z, of_x)


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
    log_weights = sampling_weights(batch, max(total, batch), sampling, device=str(z.device)).log()
    components = log_component_densities(z, mean, log_variance)
    log_joint = torch.logsumexp(components.sum(0) + log_weights, dim=1)
    log_marginals = torch.logsumexp(components + log_weights, dim=2).sum(0)
    log_own = torch.diagonal(components, dim1=1, dim2=2).sum(0)
    log_prior = -0.5 * (z.square() + LOG_2PI).sum(1)
    return KLParts(
        (log_own - log_joint).mean(), (log_joint - log_marginals).mean(), (log_marginals - log_prior).mean()
    )


def analytic_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(q(z|x) || N(0, I)) of each picture and latent, (batch, latents), in nats."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)
