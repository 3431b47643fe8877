"""The convolutional beta-TCVAE, which encodes crops as latents and decodes them (paper, 5.1 and B.1)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from morpholaw.models.upsampling import Upsampler

LOG_VARIANCE_RANGE = (-12.0, 8.0)
"""Log-variances are clipped to this range, so that no crop has infinite latents."""


class BetaTCVAE(nn.Module):
    """Convolutional beta-TCVAE with an encoder and a decoder.

    The encoder consists of a 3 x 3 convolution of stride 2 per entry of ``filters``, a fully connected layer, and
    linear layers for the mean and the log-variance. The decoder mirrors it with nearest-neighbour upsampling.

    Parameters
    ----------
    latents : int
        Number of latents (paper: 32).
    filters : tuple of int
        Filters of each convolutional layer; each halves the image (paper: 8, 16, 32, 64).
    hidden : int
        Units of the fully connected layer (paper: 256).
    size : int
        Side length of a crop in pixels, a multiple of ``2 ** len(filters)``.
    texture : bool
        Decode a second image, the texture: the magnitude of the first image's residual at each pixel. The first image
        cannot show grains at random positions, so without the texture no latent describes how grainy a cell is.
    """

    def __init__(
        self,
        latents: int = 32,
        filters: tuple[int, ...] = (8, 16, 32, 64),
        hidden: int = 256,
        size: int = 64,
        texture: bool = False,
    ) -> None:
        super().__init__()
        if size % 2 ** len(filters):
            raise ValueError(f"a crop of {size} pixels cannot be halved {len(filters)} times")
        self.latents, self.filters, self.hidden, self.size = latents, tuple(filters), hidden, size
        self.texture = texture
        side = size // 2 ** len(filters)
        flat = filters[-1] * side * side
        self.encoder = nn.Sequential(
            *(
                layer
                for before, after in pairwise((1, *filters))
                for layer in (nn.Conv2d(before, after, 3, stride=2, padding=1), nn.ReLU())
            ),
            nn.Flatten(),
            nn.Linear(flat, hidden),
            nn.ReLU(),
        )
        self.mean = nn.Linear(hidden, latents)
        self.log_variance = nn.Linear(hidden, latents)
        self.decoder = Upsampler(
            nn.Linear(latents, hidden),
            nn.ReLU(),
            nn.Linear(hidden, flat),
            nn.ReLU(),
            nn.Unflatten(1, (filters[-1], side, side)),
            *(
                layer
                for before, after in pairwise((*reversed(filters), 2 if texture else 1))
                for layer in (nn.Upsample(scale_factor=2), nn.Conv2d(before, after, 3, padding=1), nn.ReLU())
            ),
        )[:-1]

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean and the log-variance of q(z|x).

        Parameters
        ----------
        images : Tensor
            Float, (n, 1, size, size), in [0, 1].

        Returns
        -------
        mean, log_variance : Tensor
            (n, latents) each.
        """
        hidden = self.encoder(images)
        return self.mean(hidden), self.log_variance(hidden).clamp(*LOG_VARIANCE_RANGE)

    def decode(self, latents: Tensor) -> Tensor:
        """Decode latents to images.

        Parameters
        ----------
        latents : Tensor
            Float, (n, latents).

        Returns
        -------
        Tensor
            (n, 1, size, size) in [0, 1]; 0 is background and 1 the brightest.
        """
        images: Tensor = self.decoder(latents)[:, :1]
        return images

    @property
    def last_bias(self) -> Tensor:
        """Biases of the decoder's last convolution, one per decoded image (grey level and texture)."""
        *_, last = (name for name, _ in self.decoder.named_parameters())
        return self.decoder.get_parameter(last)

    def settings(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain JSON values."""
        return {
            "latents": self.latents,
            "filters": list(self.filters),
            "hidden": self.hidden,
            "size": self.size,
            "texture": self.texture,
        }

    @classmethod
    def from_settings(cls, settings: dict[str, Any]) -> BetaTCVAE:
        """Return the network that :meth:`settings` described.

        Parameters
        ----------
        settings : dict
            Plain values by name.

        Returns
        -------
        BetaTCVAE
        """
        return cls(**{**settings, "filters": tuple(settings["filters"])})
