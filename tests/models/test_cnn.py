"""CNNs that start from an encoder: what they give before they are trained, and which encoders they can start from."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from morpholaw.models.cnn import CNNEnsemble
from morpholaw.models.vae import BetaTCVAE

SMALL = {"filters": (4, 8), "hidden": 16, "size": 16}


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return BetaTCVAE(latents=8, **SMALL).eval()


def test_features_are_the_latents_of_the_encoder_they_start_from(encoder):
    cnn = CNNEnsemble(2, features=8, **SMALL)
    cnn.start_from(encoder, torch.rand(50, 1, 16, 16))
    assert cnn.training
    others = torch.rand(20, 1, 16, 16)
    with torch.no_grad():
        latents = encoder.encode(others)[0].numpy()
        features = cnn.eval()(others).numpy()
    for of_member in features:
        for feature, latent in zip(of_member.T, latents.T, strict=True):
            assert np.corrcoef(feature, latent)[0, 1] == pytest.approx(1, abs=1e-3)


def test_features_have_one_scale_on_the_crops_that_statistics_are_of(encoder):
    cnn, crops = CNNEnsemble(1, features=8, **SMALL), 5 * torch.rand(200, 1, 16, 16)
    cnn.start_from(encoder, crops)
    with torch.no_grad():
        features = cnn.eval()(crops)[0]
    np.testing.assert_allclose(features.mean(0), 0, atol=1e-2)
    np.testing.assert_allclose(features.std(0), 1, atol=0.2)


@pytest.mark.parametrize("other", [{"hidden": 32}, {"filters": (4, 4)}, {"size": 32}, {"features": 4}])
def test_an_encoder_of_another_layout_is_not_started_from(encoder, other):
    assert CNNEnsemble(1, features=8, **SMALL).fits(encoder)
    assert not CNNEnsemble(1, **{"features": 8, **SMALL, **other}).fits(encoder)
