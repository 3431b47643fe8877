"""The CNNs of scheme 1, which extract features from crops (paper, B.2)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from morpholaw.models.vae import BetaTCVAE

LEAST_DEVIATION = 1e-3
"""Added to the standard deviation by which a latent is divided, so that a constant latent stays near zero."""


class CNNEnsemble(nn.Module):
    """An ensemble of convolutional feature extractors with batch normalisation.

    Each network has the architecture of the beta-TCVAE's encoder, so that schemes 1 and 2 differ only in how the
    features are learnt. The networks run one after the other, because grouped convolutions are no faster on CPUs.

    Parameters
    ----------
    members : int
        Number of networks.
    features : int
        Features per crop (32, the number of latents).
    filters : tuple of int
        Filters of each convolutional layer.
    hidden : int
        Units of the fully connected layer.
    size : int
        Side length of a crop, in pixels.
        As for :class:`morpholaw.models.vae.BetaTCVAE`.
    dropout : float
        Dropout on the fully connected layer (paper: 0.3).
    """

    def __init__(
        self,
        members: int,
        features: int = 32,
        filters: tuple[int, ...] = (8, 16, 32, 64),
        hidden: int = 256,
        size: int = 64,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.settings: dict[str, Any] = {
            "features": features,
            "filters": list(filters),
            "hidden": hidden,
            "size": size,
            "dropout": dropout,
        }
        self.networks = nn.ModuleList(
            _network(features, tuple(filters), hidden, size, dropout) for _ in range(members)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return the features of crops.

        Parameters
        ----------
        images : Tensor
            float32 (n, 1, size, size), or (members, n, 1, size, size) for different crops per member.

        Returns
        -------
        Tensor
            float32 (members, n, features).
        """
        if images.dim() == 4:
            return torch.stack([network(images) for network in self.networks])
        return torch.stack([network(crops) for network, crops in zip(self.networks, images, strict=True)])

    def fits(self, encoder: BetaTCVAE) -> bool:
        """Return whether the networks have the architecture of an encoder and can start from its weights.

        Parameters
        ----------
        encoder : BetaTCVAE
            The encoder to compare with.

        Returns
        -------
        bool
        """
        layout = {name: self.settings[name] for name in ("filters", "hidden", "size")}
        theirs = {"filters": list(encoder.filters), "hidden": encoder.hidden, "size": encoder.size}
        return layout == theirs and self.settings["features"] == encoder.latents

    @torch.no_grad()
    def start_from(self, encoder: BetaTCVAE, images: Tensor) -> None:
        """Initialise every network with the weights of an encoder of the same architecture.

        The initial features are the encoder's latents, standardised over `images`. Batch normalisation, which the
        encoder does not have, is initialised so that it has no effect on `images`.

        Parameters
        ----------
        encoder : BetaTCVAE
            The encoder, on the CPU.
        images : Tensor
            float32 (n, 1, size, size); crops over which the statistics are computed.
        """
        sources = [
            *(layer for layer in encoder.encoder if isinstance(layer, nn.Conv2d | nn.Linear)),
            encoder.mean,
        ]
        for network in self.networks:
            layers = iter(sources)
            training, x = network.training, images
            network.eval()
            for layer in network.children():
                if isinstance(layer, nn.Conv2d | nn.Linear):
                    layer.load_state_dict(next(layers).state_dict())
                elif isinstance(layer, nn.BatchNorm2d):
                    variance, mean = torch.var_mean(x, (0, 2, 3))
                    layer.running_mean, layer.running_var = mean.clone(), variance.clone()
                    layer.weight.copy_((variance + layer.eps).sqrt())
                    layer.bias.copy_(mean)
                x = layer(x)
            deviation, mean = torch.std_mean(x, 0)
            last = list(network.children())[-1]
            assert isinstance(last, nn.Linear)
            last.weight.div_(deviation[:, None] + LEAST_DEVIATION)
            last.bias.sub_(mean).div_(deviation + LEAST_DEVIATION)
            network.train(training)


def _network(
    features: int, filters: tuple[int, ...], hidden: int, size: int, dropout: float
) -> nn.Sequential:
    side = size // 2 ** len(filters)
    return nn.Sequential(
        *(
            layer
            for before, after in pairwise((1, *filters))
            for layer in (nn.Conv2d(before, after, 3, stride=2, padding=1), nn.BatchNorm2d(after), nn.ReLU())
        ),
        nn.Flatten(),
        nn.Linear(filters[-1] * side * side, hidden),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(hidden, features),
    )
