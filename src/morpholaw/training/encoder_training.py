"""One step of the beta-TCVAE's training after another (paper, 5.1 and B.1).

Every random choice of step k depends only on the seed and k, so a run that is stopped and resumed goes
through the same batches, orientations and samples as one that is not; and so does one that several processes
share: each takes its part of the same batch, and the total correlation is that of the whole batch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from morpholaw.cells.orientations import COUNT, orient
from morpholaw.config import EncoderConfig
from morpholaw.errors import InputError
from morpholaw.models.symmetry import turned
from morpholaw.models.vae import BetaTCVAE
from morpholaw.training.augment import orient_batch
from morpholaw.training.devices import choose_device, choose_precision, lay_out
from morpholaw.training.distributed import all_reduce_sum, gather, rank, world_size
from morpholaw.training.encoding import Images
from morpholaw.training.reconstruction import ReconstructionError
from morpholaw.training.task import ClassTask, TaskLabels
from morpholaw.training.total_correlation import kl_parts

WARM_UP = 100
"""Steps over which the step size rises."""
BETAS = 0.9, 0.99
"""Adam's memory of the gradient and of its square. The usual 0.999 of the latter remembers a thousand calm steps, after
which one steep batch moves all weights threefold: a training once lost most of what it had learnt so."""


class EncoderTraining:
    """The state of one training: network, optimiser and step.

    Parameters
    ----------
    images : Images
        Crops, uint8 (n, size, size).
    config : EncoderConfig
        The settings.
    model : BetaTCVAE, optional
        Weights to start from; by default fresh ones from the seed.
    labels : TaskLabels, optional
        Crops whose classes the latents learn to tell apart, where ``config.task`` is above 0.
    """

    def __init__(
        self,
        images: Images,
        config: EncoderConfig,
        model: BetaTCVAE | None = None,
        labels: TaskLabels | None = None,
    ) -> None:
        if config.task and labels is None:
            raise InputError("A joint objective (task above 0) needs labelled crops; label some first.")
        if len(images) < 2:
            raise InputError(f"Training an encoder needs at least 2 crops; the study has {len(images)}.")
        size = images[0:1].shape[-1]
        self.images, self.config = images, config
        self.device = choose_device(config.device)
        self.precision = choose_precision(config.precision, self.device)
        torch.manual_seed(config.seed)
        fresh = model is None
        self.model = (
            BetaTCVAE(config.latents, config.filters, config.hidden, size, config.texture > 0)
            if model is None
            else model
        )
        lay_out(self.model.to(self.device), torch.channels_last)
        sampled = _Sampled(self.model)
        self.sampled = sampled if world_size() == 1 else DistributedDataParallel(sampled)
        self.task = (
            ClassTask(labels, config.latents, config.task_share, config.seed).to(self.device)
            if labels is not None and config.task
            else None
        )
        self.optimiser = torch.optim.Adam(self.parameters(), config.learning_rate, BETAS, fused=True)
        self.step = 0
        self.history: dict[str, list[float]] = {}
        self.batch = min(config.batch_size, len(images))
        if self.batch % world_size():
            raise InputError(
                f"A batch of {self.batch} crops cannot be shared evenly by {world_size()} processes; "
                "choose a batch size that is a multiple of their number."
            )
        self.epoch_steps = max(1, math.ceil(max(len(images), config.epoch_crops) / self.batch))
        self.total_steps = self.epoch_steps * config.epochs
        self.reconstruction_error = ReconstructionError(size, config.edge_weight, config.texture).to(
            self.device
        )
        self.data_size = len(images) * (8 if config.augment else 1)
        if fresh:
            self._start_at_the_mean_picture()

    def parameters(self) -> list[torch.nn.Parameter]:
        """What is learnt, in the optimiser's order: the network, then the head of the joint objective."""
        return [*self.model.parameters(), *(self.task.parameters() if self.task is not None else ())]

    def _start_at_the_mean_picture(self) -> None:
        # A decoder whose bias is the mean grey level skips the first hundreds of steps, which only learn that.
        sample = self.images[0 : min(len(self.images), 512)]
        with torch.no_grad():
            self.model.last_bias[0] = float(np.mean(sample)) / 255

    def batches(self) -> Iterator[np.ndarray]:
        """Indices of the crops of every step from the current one on: shuffled over the whole study."""
        n, step = len(self.images), self.step
        per_pass = n // self.batch
        while step < self.total_steps:
            order = np.random.default_rng((self.config.seed, step // per_pass)).permutation(n)
            for k in range(step % per_pass, per_pass):
                yield np.sort(order[k * self.batch : (k + 1) * self.batch])
                step += 1
                if step >= self.total_steps:
                    return

    def load(self, index: np.ndarray, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """This process's part of a batch, and the order of the whole.

        Parameters
        ----------
        index : ndarray, int64 (batch,)
            The crops of the whole batch.
        generator : torch.Generator
            In the same state in every process.

        Returns
        -------
        images : Tensor
            float32 (batch / processes, 1, size, size) in [0, 1] on the device, turned and flipped.
        order : Tensor
            int64 (batch,): the place in ``index`` of every crop of the whole batch.
        """
        config, total, part = self.config, len(index), self._part(len(index))
        order = torch.randperm(total, generator=generator) if config.augment else torch.arange(total)
        crops = torch.from_numpy(np.array(self.images[index[order[part].numpy()]]))
        if config.augment:
            crops = orient_batch(crops, part.start, total)
        batch = self._sent(crops).unsqueeze(1).float().div_(255)
        if config.gain_jitter:
            gain = torch.randn(total, 1, 1, 1, generator=generator).mul_(config.gain_jitter).exp_()
            batch = (batch * self._sent(gain[part])).clamp_(0, 1)
        return batch.to(memory_format=torch.channels_last), order

    def advance(self, index: np.ndarray) -> dict[str, Tensor]:
        """One optimiser step on the crops at ``index``; returns the parts of the loss (eq. 7), in nats.

        Where several processes train together, DDP averages the gradients of their losses. The reconstruction is each
        one's own mean; what is estimated from the whole batch is the same number everywhere, of latents that
        were gathered with their gradients.
        """
        config = self.config
        generator = torch.Generator().manual_seed((config.seed * 1_000_003 + self.step) % 2**63)
        targets = None
        if self.task is not None:
            index, targets = self.task.join(index, self.step)
        images, order = self.load(index, generator)
        noise = torch.randn(len(index), config.latents, generator=generator)[self._part(len(index))]
        # Latents that turn with the picture: turned ones are to be decoded to the turned picture.
        k = int(torch.randint(COUNT, (), generator=generator)) if config.symmetry else 0
        with self._autocast():
            own, decoded = self.sampled(images, self._sent(noise), k)
        error = self.reconstruction_error(decoded.float(), orient(images, k))
        z, mean, log_variance = gather(own)
        parts = kl_parts(z, mean, log_variance, self.data_size, config.sampling)
        loss = (
            config.reconstruction * error
            + config.alpha * parts.mutual_information
            + config.beta * parts.total_correlation
            + config.gamma * parts.dimension_wise
        )
        learnt: dict[str, Tensor] = {}
        if self.task is not None and targets is not None:
            learnt["class cross-entropy"] = self.task(mean, self._sent(targets[order]))
            loss = loss + config.task * learnt["class cross-entropy"]
        for group in self.optimiser.param_groups:
            group["lr"] = config.learning_rate * self._rate()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.step += 1
        whole = all_reduce_sum(error.detach()) / world_size()
        return {
            "loss": loss.detach() + config.reconstruction * (whole - error.detach()),
            "reconstruction": whole,
            "mutual information": parts.mutual_information.detach(),
            "total correlation": parts.total_correlation.detach(),
            "dimension-wise KL": parts.dimension_wise.detach(),
            **{name: value.detach() for name, value in learnt.items()},
        }

    def _sent(self, tensor: Tensor) -> Tensor:
        """On the device; a GPU computes meanwhile."""
        if self.device.type == "cuda":
            tensor = tensor.pin_memory()
        return tensor.to(self.device, non_blocking=True)

    def _part(self, total: int) -> slice:
        """This process's part of a batch of ``total`` crops."""
        share = total // world_size()
        return slice(rank() * share, (rank() + 1) * share)

    def _rate(self) -> float:
        # Constant as in the paper, then down to a tenth over the last fifth: the last steps sharpen the pictures.
        # The first ones are short: Adam's go a full step in each weight, which undoes an encoder to start from.
        late = max(0.0, (self.step / self.total_steps - 0.8) / 0.2)
        early = min(1.0, (self.step + 1) / min(WARM_UP, self.total_steps))
        return early * (0.55 + 0.45 * math.cos(math.pi * late))

    def _autocast(self) -> Any:
        if self.precision == torch.float32:
            return nullcontext()
        return torch.autocast(self.device.type, self.precision)

    @torch.no_grad()
    def preview(self, count: int = 8) -> np.ndarray:
        """Inputs and their reconstructions, float32 (2, count, size, size)."""
        index = np.unique(np.linspace(0, len(self.images) - 1, count).astype(int))
        images = torch.from_numpy(np.array(self.images[index])).to(self.device).unsqueeze(1).float() / 255
        pictures = self.model.decode(self.model.encode(images)[0]).clamp(0, 1)
        return torch.stack([images[:, 0], pictures[:, 0]]).float().cpu().numpy()

    def is_finite(self) -> bool:
        """Whether all weights are numbers."""
        return all(bool(torch.isfinite(parameter).all()) for parameter in self.parameters())


class _Sampled(nn.Module):
    """Crops to samples of their latents and the pictures of these: one pass, so that DDP can wrap it."""

    def __init__(self, model: BetaTCVAE) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor, noise: Tensor, k: int = 0) -> tuple[Tensor, Tensor]:
        """z, mean and log-variance, float32 (3, n, latents), and the decoded pictures, in orientation ``k``."""
        mean, log_variance = self.model.encode(images)
        mean, log_variance = mean.float(), log_variance.float()
        z = mean + noise * torch.exp(0.5 * log_variance)
        return torch.stack([z, mean, log_variance]), self.model.decoder(turned(z, k))
