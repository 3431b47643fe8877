"""A decoder that doubles and convolves in one step is the decoder."""

import pytest
import torch
from torch import nn

from morpholaw.models.upsampling import NARROW, Upsampler, convolve_doubled
from morpholaw.models.vae import BetaTCVAE


@pytest.mark.parametrize("filters", [1, 2, NARROW])
@pytest.mark.parametrize("bias", [True, False])
def test_the_convolution_of_a_doubled_picture_its_edges_and_gradients(filters, bias):
    torch.manual_seed(filters)
    x = torch.randn(2, 3, 4, 6, dtype=torch.float64, requires_grad=True)
    convolution = nn.Conv2d(3, filters, 3, padding=1, bias=bias).double()
    wanted = (x, *convolution.parameters())
    expected = convolution(nn.Upsample(scale_factor=2)(x))
    got = convolve_doubled(x, convolution)
    torch.testing.assert_close(got, expected)
    weights = torch.randn_like(expected)
    ours = torch.autograd.grad((got * weights).sum(), wanted)
    for mine, theirs in zip(ours, torch.autograd.grad((expected * weights).sum(), wanted), strict=True):
        torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize("texture", [False, True])
def test_a_decoder_draws_what_its_layers_draw_one_after_another(texture):
    torch.manual_seed(0)
    decoder = BetaTCVAE(texture=texture).decoder
    assert isinstance(decoder, Upsampler)
    z = torch.randn(4, 32)
    torch.testing.assert_close(decoder(z), nn.Sequential(*decoder)(z), atol=1e-6, rtol=1e-5)
