import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp
from scipy.stats import norm

from morpholaw.training.total_correlation import kl_parts, log_densities, log_mixture, sampling_weights


def posteriors(n, latents, seed=0):
    rng = np.random.default_rng(seed)
    mean = rng.normal(0, 1, (n, latents))
    log_variance = rng.normal(-1.5, 0.5, (n, latents))
    return mean, log_variance


def exact_parts(mean, log_variance, z, own):
    """I, TC and KL with q(z) over all n pictures, by brute force in float64."""
    sd = np.exp(0.5 * log_variance)
    log_density = norm.logpdf(z[:, None, :], mean[None], sd[None])
    n = len(mean)
    joint = logsumexp(log_density.sum(2), axis=1) - math.log(n)
    marginals = (logsumexp(log_density, axis=1) - math.log(n)).sum(1)
    conditional = norm.logpdf(z, mean[own], sd[own]).sum(1)
    prior = norm.logpdf(z).sum(1)
    return (conditional - joint).mean(), (joint - marginals).mean(), (marginals - prior).mean()


@given(st.integers(2, 60), st.integers(0, 1000))
def test_rows_of_the_stratified_weights_sum_to_one_with_one_over_n_on_the_diagonal(batch, more):
    own, other = sampling_weights(batch, batch + more, "stratified")
    assert own + (batch - 1) * other == pytest.approx(1)
    assert own == pytest.approx(1 / (batch + more))


def test_weighted_sampling_is_one_over_n_times_b():
    assert sampling_weights(4, 100, "weighted") == (1 / 400, 1 / 400)


@settings(deadline=None)
@given(st.integers(2, 12), st.integers(0, 500), st.sampled_from(["stratified", "weighted"]))
def test_the_mixture_is_the_weighted_sum_of_its_components_however_far_apart_they_are(batch, more, sampling):
    components = 200 * torch.randn(
        3, batch, batch, dtype=torch.float64, generator=torch.Generator().manual_seed(more)
    )
    own, other = sampling_weights(batch, batch + more, sampling)
    weights = torch.full((batch, batch), other, dtype=torch.float64).fill_diagonal_(own)
    expected = torch.logsumexp(components + weights.log(), dim=2)
    torch.testing.assert_close(log_mixture(components, own, other), expected)


@settings(deadline=None)
@given(st.integers(2, 12), st.integers(0, 500), st.sampled_from(["stratified", "weighted"]))
def test_densities_and_their_gradients_are_those_of_normal_distributions(batch, more, sampling):
    """Against torch's own distributions, the mixtures one after another and autograd."""
    mean, log_variance = (torch.tensor(a) for a in posteriors(batch, 3, seed=more))
    z = mean + 0.3
    own, other = sampling_weights(batch, batch + more, sampling)
    gradients = []
    for compute in (log_densities, _by_torch):
        inputs = [value.clone().requires_grad_() for value in (z, mean, log_variance)]
        joint, mixtures = compute(*inputs, own, other)
        weights = torch.linspace(-1, 1, batch, dtype=torch.float64)
        total = (joint * weights.outer(weights)).sum() + (mixtures * weights).sum()
        gradients.append([joint, mixtures, *torch.autograd.grad(total, inputs)])
    for got, want in zip(*gradients, strict=True):
        torch.testing.assert_close(got, want, rtol=1e-8, atol=1e-9)


def _by_torch(z, mean, log_variance, own, other):
    components = torch.distributions.Normal(mean, torch.exp(0.5 * log_variance)).log_prob(z[:, None])
    weights = torch.full((len(z), len(z)), other, dtype=z.dtype).fill_diagonal_(own)
    return components.sum(2), torch.logsumexp(components + weights.log()[:, :, None], 1).sum(1)


def test_a_batch_of_the_whole_set_gives_the_exact_parts():
    mean, log_variance = posteriors(40, 4)
    rng = np.random.default_rng(1)
    z = mean + np.exp(0.5 * log_variance) * rng.standard_normal(mean.shape)
    parts = kl_parts(*(torch.tensor(a) for a in (z, mean, log_variance)), total=40, sampling="stratified")
    np.testing.assert_allclose(
        [float(p) for p in parts], exact_parts(mean, log_variance, z, np.arange(40)), rtol=2e-6
    )


def test_the_stratified_density_is_unbiased_over_batches():
    mean, log_variance = posteriors(30, 2, seed=3)
    rng = np.random.default_rng(0)
    z = mean[0] + 0.2
    sd = np.exp(0.5 * log_variance)
    exact = np.exp(norm.logpdf(z, mean, sd).sum(1)).mean()
    estimates = []
    for _ in range(4000):
        batch = np.concatenate([[0], rng.choice(np.arange(1, 30), 7, replace=False)])
        own, other = sampling_weights(8, 30, "stratified")
        weights = np.array([own, *[other] * 7])
        estimates.append((weights * np.exp(norm.logpdf(z, mean[batch], sd[batch]).sum(1))).sum())
    error = np.std(estimates) / math.sqrt(len(estimates))
    assert abs(np.mean(estimates) - exact) < 4 * error


@settings(deadline=None, max_examples=10)
@given(st.sampled_from(["stratified", "weighted"]), st.integers(0, 10_000))
def test_the_three_parts_add_up_to_the_kl_divergence_on_average(sampling, seed):
    mean, log_variance = (torch.tensor(a) for a in posteriors(16, 3, seed))
    generator = torch.Generator().manual_seed(seed)
    totals = []
    for _ in range(200):
        noise = torch.randn(mean.shape, generator=generator, dtype=torch.float64)
        z = mean + torch.exp(0.5 * log_variance) * noise
        totals.append(float(sum(kl_parts(z, mean, log_variance, 160, sampling))))
    exact = float(0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean())
    assert np.mean(totals) == pytest.approx(exact, abs=4.5 * np.std(totals) / math.sqrt(len(totals)))


def test_independent_latents_have_less_total_correlation_than_copies():
    torch.manual_seed(0)
    mean = torch.randn(256, 2)
    small = torch.full((256, 2), -3.0)
    copies = mean[:, :1].expand(-1, 2)

    def correlation(m):
        return float(kl_parts(m + 0.2 * torch.randn_like(m), m, small, 256).total_correlation)

    assert correlation(copies) > correlation(mean) + 0.5
