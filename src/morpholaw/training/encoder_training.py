"""One training step of the beta-TCVAE at a time (paper, 5.1 and B.1).

The random choices of step k depend only on the seed and k. A run that is stopped and resumed therefore uses the same
batches, orientations and samples as an uninterrupted one. The same holds for a run of several processes: each takes its
part of the same batch, and the total correlation is that of the whole batch. Only surroundings are swapped within the
part of each process.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from morpholaw.cells.orientations import COUNT, orient
from morpholaw.config import EncoderConfig
from morpholaw.errors import InputError
from morpholaw.models.symmetry import cell_latents, transform_latents
from morpholaw.models.vae import BetaTCVAE
from morpholaw.training.adam import adam_tensors, new_adam, set_rate
from morpholaw.training.augment import another_microscope, gradient_signs
from morpholaw.training.batch_parts import at_once, chunks, in_parts
from morpholaw.training.devices import choose_device, choose_precision, lay_out
from morpholaw.training.distributed import all_reduce_sum, gather, world_size
from morpholaw.training.encoder_batches import Batch, BatchLoader, mixed, part_of
from morpholaw.training.encoding import Images
from morpholaw.training.joint_objective import EncoderLabels, JointObjective
from morpholaw.training.reconstruction import ReconstructionError
from morpholaw.training.recorded_steps import RecordedSteps, cuda_recorder
from morpholaw.training.shape_objective import ShapeObjective, telling_latents
from morpholaw.training.total_correlation import kl_parts

WARM_UP = 100
"""Steps over which the learning rate rises."""
GRADIENT_MEMORY = 0.9
"""Adam's beta 1. Its beta 2 is a setting: with the usual 0.999, one batch with steep gradients once destroyed most of
what a network had learnt."""


class EncoderTraining:
    """The state of a training: network, optimiser and step.

    Parameters
    ----------
    images : Images
        Crops, uint8 (n, size, size).
    config : EncoderConfig
        Training settings.
    model : BetaTCVAE, optional
        Network to start from; by default a new one, initialised from the seed.
    labels : EncoderLabels, optional
        Labelled crops for the joint objective, if ``config.task`` is above 0.

    Attributes
    ----------
    parts : int
        Number of parts of a batch that are processed at the same time, each on a thread of its own.

    Raises
    ------
    InputError
        If there are too few crops, labels are missing, or a batch cannot be divided evenly among the processes.
    """

    def __init__(
        self,
        images: Images,
        config: EncoderConfig,
        model: BetaTCVAE | None = None,
        labels: EncoderLabels | None = None,
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
        self.model = model or BetaTCVAE(
            config.latents, config.filters, config.hidden, size, config.texture > 0
        )
        lay_out(self.model.to(self.device), torch.channels_last)
        sampled = _Sampled(self.model)
        self.sampled = sampled if world_size() == 1 else DistributedDataParallel(sampled)
        self.joint: JointObjective | None = None
        if labels is not None and config.task:
            joint = JointObjective(labels, config.latents, config.task_share, config.seed)
            self.joint = joint.to(self.device)
        self.shapes: ShapeObjective | None = None
        if config.shape_weight:
            self.shapes = ShapeObjective(images, telling_latents(config)).to(self.device)
        betas = GRADIENT_MEMORY, config.adam_memory
        self.optimiser = new_adam(self.parameters(), config.learning_rate, self.device, betas)
        gpu = self.device.type == "cuda"
        record = cuda_recorder() if gpu and self._recordable() else None
        self.recorded = None if record is None else RecordedSteps(self._update, self._state, record)
        self.step = 0
        self.parts = 1
        self.history: dict[str, list[float]] = {}
        self.batch = min(config.batch_size, len(images))
        if self.batch % world_size():
            raise InputError(
                f"A batch of {self.batch} crops cannot be divided evenly among {world_size()} processes; "
                "choose a batch size that is a multiple of their number."
            )
        self.epoch_steps = max(1, math.ceil(max(len(images), config.epoch_crops) / self.batch))
        self.total_steps = self.epoch_steps * config.epochs
        first_plain = model is None and not config.plain
        self.plain_steps = round(config.plain_share * self.total_steps) if first_plain else 0
        error = ReconstructionError(size, config.edge_weight, config.texture, config.grain_smoothing)
        self.reconstruction_error = error.to(self.device)
        self.loader = BatchLoader(images, config, self.device, self.shapes)
        self.cell_latents = torch.tensor(cell_latents(config.latents), device=self.device)
        self.data_size = len(images) * (COUNT if config.augment else 1)
        if model is None and config.first_image == "mean":
            self._start_at_the_mean_image()

    @property
    def plain(self) -> bool:
        """Whether the only objective at this step is the reconstruction of unmodified crops."""
        return self.step < self.plain_steps

    def parameters(self) -> list[torch.nn.Parameter]:
        """Return the trained parameters in the optimiser's order: the network, then the heads of added objectives."""
        heads = [objective for objective in (self.joint, self.shapes) if objective is not None]
        return [*self.model.parameters(), *(weight for head in heads for weight in head.parameters())]

    def _start_at_the_mean_image(self) -> None:
        # Starting at the mean grey level saves the first hundreds of steps, which would only learn that.
        sample = self.images[0 : min(len(self.images), 512)]
        with torch.no_grad():
            self.model.last_bias[0] = float(np.mean(sample)) / 255

    def batches(self) -> Iterator[np.ndarray]:
        """Yield the crop numbers of each step from the current one on, shuffled over the whole study."""
        n, step = len(self.images), self.step
        per_pass = n // self.batch
        while step < self.total_steps:
            order = np.random.default_rng((self.config.seed, step // per_pass)).permutation(n)
            for k in range(step % per_pass, per_pass):
                yield np.sort(order[k * self.batch : (k + 1) * self.batch])
                step += 1
                if step >= self.total_steps:
                    return

    def _encoded(self, batch: Batch) -> Tensor:
        """Return the encoder's input: the crops with simulated microscopes and perturbations."""
        images, config, generator = batch.images, self.config, batch.generator
        if self.plain:
            return images
        if config.microscopes:
            images = another_microscope(images, config.microscopes, generator)
        if config.perturbation:
            toward = torch.randn(len(images), config.latents, generator=generator).to(images.device)
            signs = self._gradient_signs(images, toward)
            size = config.perturbation * torch.rand(len(images), 1, 1, 1, generator=generator)
            images = (images + size.to(images.device) * signs).clamp_(0, 1)
        return images.to(memory_format=torch.channels_last)

    def _gradient_signs(self, images: Tensor, toward: Tensor) -> Tensor:
        pairs = chunks(self.parts, images, toward)
        return torch.cat(at_once(lambda pair: gradient_signs(pair[0], self._means, pair[1]), pairs))

    def _means(self, images: Tensor) -> Tensor:
        with self._autocast():
            return self.model.encode(images)[0].float()

    def advance(self, index: np.ndarray) -> dict[str, Tensor]:
        """Take one optimiser step.

        If several processes train together, DDP averages the gradients of their losses. The reconstruction error is
        averaged over each process's own crops. Terms estimated from the whole batch are equal in all processes, because
        they use latents that were gathered with their gradients.

        Parameters
        ----------
        index : ndarray
            Numbers of the crops in the batch, int64 (batch,).

        Returns
        -------
        dict of Tensor
            Terms of the loss by name (eq. 7), in nats.
        """
        config = self.config
        generator = torch.Generator().manual_seed((config.seed * 1_000_003 + self.step) % 2**63)
        classes = None
        if self.joint is not None:
            index, classes = self.joint.draw(index, self.step)
        batch = self.loader.load(index, generator, self.step, self.plain)
        noise = torch.randn(len(index), config.latents, generator=generator)[part_of(len(index))]
        noise = self.loader.on_device(noise)
        # Transformed latents must decode to the crop in the same orientation (see models.symmetry).
        k = int(torch.randint(COUNT, (), generator=generator)) if config.symmetry else 0
        set_rate(self.optimiser, config.learning_rate * self._rate())
        kind = k + COUNT * self.plain
        if self.recorded is not None:
            losses = self.recorded((batch.images, noise, batch.shapes, self._encoded(batch)), kind)
        else:
            decoded, others = mixed(batch) if config.split else (batch.images, None)
            labels = None if classes is None else self.loader.on_device(classes[batch.order])
            losses = self._update(kind, decoded, noise, batch.shapes, self._encoded(batch), others, labels)
        self.step += 1
        return losses

    def _update(
        self,
        kind: int,
        images: Tensor,
        noise: Tensor,
        shapes: Tensor,
        encoded: Tensor,
        others: Tensor | None = None,
        labels: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Update the weights; all computations and tensors are on the device.

        Parameters
        ----------
        kind : int
            Orientation of the target; plus COUNT while the shape loss does not affect the latents.
        images : Tensor
            Target images, (n, 1, size, size).
        noise : Tensor
            Noise of the sampled latents, (n, latents).
        shapes : Tensor
            Measured shapes, (n, shapes); no columns without shape loss.
        encoded : Tensor
            Input of the encoder, (n, 1, size, size).
        others : Tensor, optional
            Positions of the donors of surroundings, int64 (n,); see `mixed`.
        labels : Tensor, optional
            Classes for the joint objective, int64 (batch,).

        Returns
        -------
        dict of Tensor
            Terms of the loss by name.
        """
        config, plain, k = self.config, kind >= COUNT, kind % COUNT
        posterior, error = self._posterior_and_error(encoded, noise, images, k, others)
        z, mean, log_variance = gather(posterior)
        parts = kl_parts(z, mean, log_variance, self.data_size, config.sampling)
        loss = (
            config.reconstruction * error
            + config.alpha * parts.mutual_information
            + config.beta * parts.total_correlation
            + config.gamma * parts.dimension_wise
        )
        added: dict[str, Tensor] = {}
        if self.shapes is not None:
            added["shape error"] = self.shapes(z.detach() if plain else z, gather(shapes.unsqueeze(0))[0])
            loss = loss + config.shape_weight * added["shape error"]
        if self.joint is not None and labels is not None:
            cross_entropy = self.joint(mean, labels)
            added["class cross-entropy"] = cross_entropy
            loss = loss + config.task * cross_entropy
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        mean_error = all_reduce_sum(error.detach()) / world_size()
        return {
            "loss": loss.detach() + config.reconstruction * (mean_error - error.detach()),
            "reconstruction": mean_error,
            "mutual information": parts.mutual_information.detach(),
            "total correlation": parts.total_correlation.detach(),
            "dimension-wise KL": parts.dimension_wise.detach(),
            **{name: value.detach() for name, value in added.items()},
        }

    def _posterior_and_error(
        self, encoded: Tensor, noise: Tensor, images: Tensor, k: int, others: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Return z, mean and log-variance of this process's crops, and their reconstruction error."""

        def network(encoded: Tensor, noise: Tensor, images: Tensor) -> tuple[Tensor, Tensor]:
            with self._autocast():
                posterior, decoded = self.sampled(encoded, noise, k, others, self.cell_latents)
            return posterior, self.reconstruction_error(decoded.float(), orient(images, k))

        parts = (
            self.parts if others is None else 1
        )  # a crop decoded with another one's latents depends on both
        return in_parts(network, parts, encoded, noise, images, list(self.model.parameters()))

    def _recordable(self) -> bool:
        """Return whether every step runs the same operations and depends on its arguments only."""
        return self.joint is None and not self.config.split and world_size() == 1

    def _state(self) -> list[Tensor]:
        """Return everything that a step changes: the weights and the optimiser's moments."""
        return [*(weight.detach() for weight in self.parameters()), *adam_tensors(self.optimiser).values()]

    def _rate(self) -> float:
        # Relative learning rate: constant as in the paper, then down to a tenth over the last fifth, which sharpens the
        # images. It rises at the start, and again when objectives are added, because Adam's first steps move each
        # weight by the full rate and would destroy the weights of a trained encoder.
        if self.config.schedule == "constant":
            return 1.0
        late = max(0.0, (self.step / self.total_steps - 0.8) / 0.2)
        begun = self.step if self.plain else self.step - self.plain_steps
        early = min(1.0, (begun + 1) / min(WARM_UP, self.total_steps))
        return early * (0.55 + 0.45 * math.cos(math.pi * late))

    def _autocast(self) -> AbstractContextManager[Any]:
        if self.precision == torch.float32:
            return nullcontext()
        # A recorded step must cast its weights each time, which a cache of casts would skip; threads share that cache.
        cached = self.recorded is None and self.parts == 1
        return torch.autocast(self.device.type, self.precision, cache_enabled=cached)

    @torch.no_grad()
    def preview(self) -> np.ndarray:
        """Return up to eight crops and their reconstructions, float32 (2, n, size, size)."""
        index = np.unique(np.linspace(0, len(self.images) - 1, 8).astype(int))
        images = torch.from_numpy(np.array(self.images[index])).to(self.device).unsqueeze(1).float() / 255
        decoded = self.model.decode(self.model.encode(images)[0]).clamp(0, 1)
        return torch.stack([images[:, 0], decoded[:, 0]]).float().cpu().numpy()

    def is_finite(self) -> bool:
        """Return whether all weights are finite numbers."""
        return all(bool(torch.isfinite(parameter).all()) for parameter in self.parameters())


class _Sampled(nn.Module):
    """Encoding, sampling and decoding as one module that DDP can wrap."""

    def __init__(self, model: BetaTCVAE) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, images: Tensor, noise: Tensor, k: int, others: Tensor | None, cell_latents: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return z, mean and log-variance, float32 (3, n, latents), and the decoded images in orientation ``k``.

        If ``others`` is given, int64 (n,), the latents of the surroundings come from the crops at these positions of
        the batch; ``cell_latents``, bool (latents,), marks the latents of the cell.
        """
        mean, log_variance = self.model.encode(images)
        mean, log_variance = mean.float(), log_variance.float()
        z = mean + noise * torch.exp(0.5 * log_variance)
        decoded = z if others is None else torch.where(cell_latents, z, z[others])
        return torch.stack([z, mean, log_variance]), self.model.decoder(transform_latents(decoded, k))
