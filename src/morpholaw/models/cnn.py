"""The CNN of scheme 1: features of a crop, one network per model of the ensemble (paper, B.2)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from morpholaw.models.vae import BetaTCVAE

LEAST_DEVIATION = 1e-3
"""Added to the standard deviation that a latent is divided by: one that never changes stays near zero."""


class CNNEnsemble(nn.Module):
    """Convolutional feature extractors with 8, 16, 32 and 64 filters and batch normalisation.

    Each has the layout of the beta-TCVAE's encoder, so that schemes 1 and 2 differ in how the features are learnt and
    not in how they are computed. The networks run one after the other: grouped convolutions are no faster on CPUs.

    Parameters
    ----------
    members : int
        Number of networks.
    features : int
        Features of a crop (32, as many as latents).
    filters, hidden, size
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
            float32 (n, 1, size, size), or (members, n, 1, size, size) for other crops per member.

        Returns
        -------
        Tensor
            float32 (members, n, features).
        """
        if images.dim() == 4:
            return torch.stack([network(images) for network in self.networks])
        return torch.stack([network(crops) for network, crops in zip(self.networks, images, strict=True)])

    def fits(self, encoder: BetaTCVAE) -> bool:
        """Return whether the networks have the layout of an encoder, so that they can start from its weights.

        Parameters
        ----------
        encoder : BetaTCVAE
            The encoder.
        """
        layout = {name: self.settings[name] for name in ("filters", "hidden", "size")}
        theirs = {"filters": list(encoder.filters), "hidden": encoder.hidden, "size": encoder.size}
        return layout == theirs and self.settings["features"] == encoder.latents

    @torch.no_grad()
    def start_from(self, encoder: BetaTCVAE, images: Tensor) -> None:
        """Give every network the weights of an encoder whose layout it has.

        The features are then the encoder's latents, standardised over ``images``: batch normalisation, which the
        encoder does not have, begins with scales and shifts that undo it.

        Parameters
        ----------
        encoder : BetaTCVAE
            On the CPU.
        images : Tensor
            float32 (n, 1, size, size), the crops that statistics are taken from.
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
