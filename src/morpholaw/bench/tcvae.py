"""Training steps of the beta-TCVAE, compared with pythae and with the bare network."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

import numpy as np
import torch
from torch import nn

from morpholaw.bench.comparison import Comparison, missing
from morpholaw.bench.timing import in_turn
from morpholaw.config import EncoderConfig
from morpholaw.models.vae import BetaTCVAE
from morpholaw.training.cores import available_cores
from morpholaw.training.devices import choose_device, choose_precision, kept_memory, lay_out, torch_threads
from morpholaw.training.encoder import EncoderTraining

BATCH = 256
CROPS = 4096
STEPS = 5
"""Number of consecutive steps. Memory is reused between ours and the bare ones, as in our trainer but not pythae's."""


def measure(full: bool = False) -> list[Comparison]:
    """Measure images per second for the paper's network and loss: ours from bytes, the others from floats."""
    with torch_threads(available_cores()):
        return _compared(25 if full else 7)


def _compared(rounds: int) -> list[Comparison]:
    crops = np.random.default_rng(0).integers(0, 256, (CROPS, 64, 64), dtype=np.uint8)
    batch = torch.from_numpy(crops[:BATCH]).unsqueeze(1).float().div_(255)
    tasks = [_ours(crops), _bare(batch, in_layers=True), _bare(batch, in_layers=False)]
    has_pythae = True
    try:
        tasks.append(_pythae(batch))
    except ImportError:
        has_pythae = False
    rates = [[STEPS * BATCH / taken for taken in times] for times in in_turn(*tasks, rounds=rounds)]
    unit, bare = "images/s", "bare forward + backward + Adam, best precision"
    limits = [
        Comparison(rates[0], rates[1], f"{bare}, torch's layers", 0.9, unit, True),
        Comparison(rates[0], rates[2], f"{bare}, our upsampling", 0.9, unit, True),
    ]
    if not has_pythae:
        return [missing(rates[0], "pythae", 3, unit, True), *limits]
    return [Comparison(rates[0], rates[3], "pythae BetaTCVAE", 3, unit, True), *limits]


def _ours(crops: np.ndarray) -> Callable[[], None]:
    config = EncoderConfig(
        batch_size=BATCH,
        edge_weight=1,
        texture=0,
        symmetry=False,
        epochs=1000,
        **EncoderConfig.PLAIN,
    )
    training = EncoderTraining(crops, config)
    batches = training.batches()

    def steps() -> None:
        with kept_memory():
            for _ in range(STEPS):
                training.advance(next(batches))
            _wait()

    return steps


def _bare(batch: torch.Tensor, in_layers: bool) -> Callable[[], None]:
    """Return the upper limit: training steps without cost for the loss terms, augmentation and input.

    Parameters
    ----------
    batch : Tensor
        Images, (n, 1, size, size).
    in_layers : bool
        Compute the decoder as a plain sequence of torch's layers.
    """
    device = choose_device()
    precision = choose_precision("auto", device)
    network = lay_out(BetaTCVAE().to(device), torch.channels_last)
    decoder = nn.Sequential(*network.decoder.children()) if in_layers else network.decoder
    adam = torch.optim.Adam(network.parameters(), 5e-4, fused=True)
    images = batch.to(device).to(memory_format=torch.channels_last)

    def steps() -> None:
        with kept_memory():
            for _ in range(STEPS):
                step()
            _wait()

    def step() -> None:
        adam.zero_grad(set_to_none=True)
        cast = nullcontext() if precision == torch.float32 else torch.autocast(device.type, precision)
        with cast:
            mean, log_variance = network.encode(images)
            decoded = decoder(mean + log_variance)
        decoded.sum().backward()
        adam.step()

    return steps


def _pythae(batch: torch.Tensor) -> Callable[[], None]:
    """Return training steps of pythae's model with our network, as in its trainer, on a batch in memory."""
    from pythae.models import BetaTCVAE as Peer
    from pythae.models import BetaTCVAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder

    network = BetaTCVAE()

    class Encoder(BaseEncoder):  # type: ignore[misc]  # pythae has no types
        def __init__(self) -> None:
            super().__init__()
            self.layers, self.mean, self.log_variance = network.encoder, network.mean, network.log_variance

        def forward(self, x: torch.Tensor) -> ModelOutput:
            hidden = self.layers(x)
            return ModelOutput(embedding=self.mean(hidden), log_covariance=self.log_variance(hidden))

    class Decoder(BaseDecoder):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(*network.decoder.children())

        def forward(self, z: torch.Tensor) -> ModelOutput:
            return ModelOutput(reconstruction=self.layers(z))

    device = choose_device()
    settings = BetaTCVAEConfig(input_dim=(1, 64, 64), latent_dim=32, alpha=1, beta=6, gamma=1, use_mss=True)
    model = Peer(settings, Encoder(), Decoder()).to(device)
    adam = torch.optim.Adam(model.parameters(), lr=5e-4)
    inputs = {"data": batch.to(device)}

    def steps() -> None:
        for _ in range(STEPS):
            loss = model(inputs, dataset_size=CROPS).loss
            adam.zero_grad()
            loss.backward()
            adam.step()
        _wait()

    return steps


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
