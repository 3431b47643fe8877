"""One interface to all four schemes: an ensemble of models that scores crops or latents (paper, 4.2)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from morpholaw.display import MODELS
from morpholaw.errors import InputError
from morpholaw.models.bundle import build_network, load_bundle, load_shared_encoder, save_bundle
from morpholaw.models.classes import pair_of
from morpholaw.models.classifier_layout import ClassifierParts, identity_of, layout_of, parts_of
from morpholaw.models.cnn import CNNEnsemble
from morpholaw.models.expression_size import batchnorm_size, dense_size, sparse_size
from morpholaw.models.features import Inputs, ModelColumns, latent_names
from morpholaw.models.heads import HeadEnsemble
from morpholaw.models.law import Law
from morpholaw.models.vae import BetaTCVAE

NO_GRADIENT = (
    "These models read shapes measured in the crop, which have no gradient, so they cannot be attacked; choose a "
    "classifier that reads latents."
)
NO_LATENTS = (
    "These models read measured shapes, so latents alone have no score; "
    "choose a classifier that reads latents."
)

_ENCODER = "encoder."
"""What the names of the encoder's weights begin with."""


class Classifier(nn.Module):
    """The models of one scheme; of two classes f(x) < 0 is the first, f(x) >= 0 the second (eq. 2).

    Models of more than two classes have one score per class, and the largest is the class; those of scheme 4 have one
    law per class.

    Build one with :meth:`dense_cnn`, :meth:`with_head` or :meth:`with_laws`.

    Attributes
    ----------
    scheme : int
        1 to 4, see :data:`morpholaw.display.MODELS`.
    classes : tuple of str
        Names of the classes.
    encoder : BetaTCVAE or None
        The frozen encoder of schemes 2-4; None for models that read shapes alone.
    columns : ModelColumns or None
        The columns that models of schemes 2-4 read; None where they read all latents of the encoder.
    """

    def __init__(
        self,
        scheme: int,
        classes: Sequence[str],
        encoder: BetaTCVAE | None = None,
        cnn: CNNEnsemble | None = None,
        head: HeadEnsemble | None = None,
        laws: Sequence[Law] = (),
        columns: ModelColumns | None = None,
    ) -> None:
        super().__init__()
        self.scheme = scheme
        self.classes = tuple(classes)
        self.columns = columns
        self.encoder, self.cnn, self.head, self.laws = encoder, cnn, head, tuple(laws)
        if encoder is not None:
            encoder.requires_grad_(False)
        self._check_columns()

    def _check_columns(self) -> None:
        """Check that everything the models read is there."""
        count = 0 if self.encoder is None else self.encoder.latents
        read = [name for law in self.laws for name in law.names]
        if self.columns is not None:
            missing = [name for name in read if name not in self.columns.names]
            if missing:
                raise InputError(
                    f"A law reads {missing[0]!r}, which is not among the columns of its classifier."
                )
            read = [f"z{number}" for number in self.columns.latents]
        elif self.laws:
            read = [f"z{z}" for law in self.laws for z in law.latents]
        known = latent_names(count)
        missing = [name for name in read if name not in known]
        if missing:
            raise InputError(f"A law reads the latent {missing[0]}, but the encoder has {count}.")

    @classmethod
    def dense_cnn(cls, cnn: CNNEnsemble, head: HeadEnsemble, classes: Sequence[str]) -> Classifier:
        """Return a classifier of scheme 1: a CNN and its dense head, trained end to end.

        Parameters
        ----------
        cnn : CNNEnsemble
            Convolutions of every model.
        head : HeadEnsemble
            Dense head of every model.
        classes : sequence of str
            Class names; of two, the second is that of f(x) >= 0.
        """
        return cls(1, classes, cnn=cnn, head=head)

    @classmethod
    def with_head(
        cls,
        encoder: BetaTCVAE | None,
        head: HeadEnsemble,
        classes: Sequence[str],
        sparse: bool,
        columns: ModelColumns | None = None,
    ) -> Classifier:
        """Return a classifier of scheme 2, or of scheme 3 if the head is ``sparse``.

        It reads all latents of the encoder, or ``columns``; an encoder is not needed for shapes.

        Parameters
        ----------
        encoder : BetaTCVAE or None
            The encoder that gives the latents; None where shapes alone are read.
        head : HeadEnsemble
            The heads, one per model.
        classes : sequence of str
            Class names; of two, the second is that of f(x) >= 0.
        sparse : bool
            Whether it is scheme 3.
        columns : ModelColumns, optional
            The columns that are read in place of all latents.
        """
        return cls(3 if sparse else 2, classes, encoder, head=head, columns=columns)

    @classmethod
    def with_laws(
        cls,
        encoder: BetaTCVAE | None,
        laws: Sequence[Law],
        classes: Sequence[str],
        columns: ModelColumns | None = None,
    ) -> Classifier:
        """Return a classifier of scheme 4, with one model for each law.

        With more than two classes, a model has one law per class: ``laws`` holds those of the first model in the order
        of the classes, then those of the next.

        Laws read latents of the encoder, or ``columns``; an encoder is not needed for shapes.

        Parameters
        ----------
        encoder : BetaTCVAE or None
            The encoder that gives the latents; None where shapes alone are read.
        laws : sequence of Law
            The laws, one per model, or one per model and class.
        classes : sequence of str
            Class names; of two, the second is that of f(x) >= 0.
        columns : ModelColumns, optional
            The columns that are read in place of all latents.
        """
        if not laws:
            raise InputError("Scheme 4 needs at least one law; discover one first.")
        if len(classes) > 2 and len(laws) % len(classes):
            raise InputError(f"{len(classes)} classes need one law each; there are {len(laws)} laws.")
        return cls(4, classes, encoder, laws=laws, columns=columns)

    @property
    def inputs(self) -> Inputs:
        """What the models of schemes 2-4 read: "latents", "shapes" or "both"."""
        return "latents" if self.columns is None else self.columns.inputs

    @property
    def negative(self) -> str:
        """The class of f < 0; InputError where there are more than two classes."""
        return pair_of(self.classes)[0]

    @property
    def positive(self) -> str:
        """The class of f >= 0; InputError where there are more than two classes."""
        return pair_of(self.classes)[1]

    @property
    def members(self) -> int:
        """Models in the ensemble."""
        return len(self.laws) // self.laws_per_model if self.head is None else self.head.members

    @property
    def laws_per_model(self) -> int:
        """Laws that make a model of scheme 4: one for two classes, else one per class."""
        return 1 if len(self.classes) == 2 else len(self.classes)

    def laws_of(self, k: int) -> tuple[Law, ...]:
        """Return the laws of model ``k`` of scheme 4.

        Parameters
        ----------
        k : int
            The model, from 0.
        """
        return self.laws[k * self.laws_per_model : (k + 1) * self.laws_per_model]

    @property
    def name(self) -> str:
        """The scheme in words."""
        return MODELS[self.scheme]

    def score_images(self, images: Tensor) -> Tensor:
        """Return f(x) of every model, (members, n), for images (n, 1, size, size) in [0, 1].

        More than two classes have scores (members, n, classes), here and in the other methods.
        Differentiable, except where shapes are read, which have no gradient.

        Parameters
        ----------
        images : Tensor
            Float, (n, 1, size, size), in [0, 1].
        """
        if self.cnn is not None and self.head is not None:
            scores: Tensor = self.head(self.cnn(images))
            return scores
        if self.columns is not None:
            return self.score_columns(self.read_columns(images))
        return self.score_latents(self._encoder().encode(images)[0])

    def read_columns(self, images: Tensor) -> Tensor:
        """Return the standardised columns (n, columns) of images (n, 1, size, size) in [0, 1]; NaN without a nucleus.

        Parameters
        ----------
        images : Tensor
            Float, (n, 1, size, size), in [0, 1].

        Raises
        ------
        InputError
            If a gradient is wanted, or the models read latents alone.
        """
        columns = self._columns()
        if images.requires_grad:
            raise InputError(NO_GRADIENT)
        crops = np.rint(images[:, 0].detach().cpu().numpy() * 255).astype(np.uint8)
        latents = None
        if columns.latents:
            with torch.no_grad():
                latents = self._encoder().encode(images)[0].cpu().numpy()
        values = columns.standardise(columns.table(latents, columns.measure(crops)))
        return torch.from_numpy(values.astype(np.float32)).to(images.device)

    def score_columns(self, values: Tensor) -> Tensor:
        """Return f of every model, (members, n), for standardised columns (n, columns); differentiable.

        A law that is undefined at a point gives NaN there, as a head does where a column is NaN.

        Parameters
        ----------
        values : Tensor
            Float, (n, columns), standardised.
        """
        names = self._columns().names
        if self.head is not None:
            scores: Tensor = self.head(values)
            return scores
        return self._by_model([law.score_torch(values, names) for law in self.laws])

    def _by_model(self, scores: list[Tensor]) -> Tensor:
        """Return the scores (n,) of all laws as those of models, (members, n) or (members, n, classes)."""
        if self.laws_per_model == 1:
            return torch.stack(scores)
        by_row = torch.stack(scores, dim=-1)
        return by_row.reshape(len(by_row), self.members, self.laws_per_model).transpose(0, 1)

    def _columns(self) -> ModelColumns:
        if self.columns is None:
            raise InputError("These models read latents and no shapes.")
        return self.columns

    def score_latents(self, latents: Tensor) -> Tensor:
        """Return f(z) of every model, (members, n), for latents (n, L) or (members, n, L); differentiable.

        A law that is undefined at a point gives NaN there.

        Parameters
        ----------
        latents : Tensor
            Float, (n, L), or (members, n, L) for latents of each model's own.
        """
        if self.columns is not None:
            raise InputError(NO_LATENTS)
        self._encoder()
        if self.head is not None:
            scores: Tensor = self.head(latents)
            return scores
        by_member = latents if latents.dim() == 3 else latents.unsqueeze(0).expand(self.members, -1, -1)
        return self._by_model(
            [law.score_torch(by_member[place // self.laws_per_model]) for place, law in enumerate(self.laws)]
        )

    forward = score_images

    def _encoder(self) -> BetaTCVAE:
        if self.encoder is None:
            raise InputError("Scheme 1 has no latent space; choose scheme 2, 3 or 4.")
        return self.encoder

    @property
    def head_weights(self) -> list[int] | None:
        """Active connection weights of each model's head; None for laws."""
        return None if self.head is None else [int(n) for n in self.head.active_weights()]

    @property
    def expression_sizes(self) -> list[int]:
        """Nodes of each model's head written as one expression (paper, appendix C)."""
        if self.head is None:
            return [sum(law.size for law in self.laws_of(k)) for k in range(self.members)]
        if self.scheme == 3:
            return [int(n) for n in sparse_size(self.head.masks)]
        size = batchnorm_size if self.head.normalise else dense_size
        return [size(self.head.widths)] * self.members

    @property
    def parameters_per_model(self) -> int:
        """Parameters of one whole model: its CNN or encoder and its head, without the decoder (paper, B.2)."""
        own = [part for part in (self.cnn, self.head) if part is not None]
        count = sum(tensor.numel() for part in own for tensor in part.parameters()) // self.members
        if self.encoder is not None:
            parts = (self.encoder.encoder, self.encoder.mean, self.encoder.log_variance)
            count += sum(tensor.numel() for part in parts for tensor in part.parameters())
        return count

    def kept_latents(self, k: int) -> tuple[int, ...]:
        """Return the latents that model ``k`` reads; empty for scheme 1.

        Parameters
        ----------
        k : int
            The model, from 0.
        """
        if self.laws:
            used = self.kept_columns(k)
            if self.columns is not None:
                return tuple(sorted(z for z in self.columns.latents if f"z{z}" in used))
            law = self.laws[k * self.laws_per_model]
            return tuple(sorted(z for name, z in zip(law.names, law.latents, strict=True) if name in used))
        if self.scheme == 1 or self.head is None:
            return ()
        kept = self.head.kept_inputs(k)
        if self.columns is None:
            return kept
        names = [self.columns.names[column] for column in kept]
        return tuple(sorted(z for z in self.columns.latents if f"z{z}" in names))

    def kept_columns(self, k: int) -> tuple[str, ...]:
        """Return the names of the columns that model ``k`` reads, such as "z3" or "width"; empty for scheme 1.

        Parameters
        ----------
        k : int
            The model, from 0.
        """
        if self.laws:
            return tuple(
                dict.fromkeys(name for law in self.laws_of(k) for name in law.expression.variables())
            )
        if self.columns is None or self.head is None:
            return tuple(f"z{latent}" for latent in self.kept_latents(k))
        return tuple(self.columns.names[column] for column in self.head.kept_inputs(k))

    @property
    def applied(self) -> Classifier:
        """What scores new cells where nothing else is chosen: of laws the first, else all models."""
        return self.select(0) if self.scheme == 4 else self

    def select(self, k: int) -> Classifier:
        """Return a classifier of model ``k`` alone, which shares the encoder.

        Parameters
        ----------
        k : int
            The model, from 0.
        """
        classes = self.classes
        if self.laws:
            return Classifier.with_laws(self.encoder, self.laws_of(k), classes, self.columns)
        assert self.head is not None
        cnn = None
        if self.cnn is not None:
            cnn = CNNEnsemble(1, **self.cnn.settings)
            cnn.networks[0].load_state_dict(self.cnn.networks[k].state_dict())
            cnn.train(self.training)
        head = self.head.member(k)
        return Classifier(self.scheme, classes, self.encoder, cnn, head, columns=self.columns)

    def save(
        self,
        folder: Path | str,
        description: dict[str, Any] | None = None,
        shared_encoder: str | None = None,
    ) -> str:
        """Write a bundle that holds everything a prediction needs; return its fingerprint.

        Parameters
        ----------
        folder : path
            A folder; it is made where it is missing, and what it holds stays valid until the new bundle is complete.
        description : dict, optional
            Plain values that are kept beside the models.
        shared_encoder : str, optional
            SHA-256 of the encoder's weights where the study keeps them for all its classifiers
            (:mod:`morpholaw.store.encoder_weights`). The bundle then goes without them, and opens in its study alone.
        """
        tensors = dict(self.state_dict())
        values = {**(description or {}), **layout_of(self), "encoder_apart": shared_encoder is not None}
        if shared_encoder is not None:
            tensors = {name: tensor for name, tensor in tensors.items() if not name.startswith(_ENCODER)}
            values["encoder_fingerprint"] = shared_encoder
        return save_bundle(folder, tensors, values, identity_of(self, shared_encoder))

    @classmethod
    def load(cls, folder: Path | str) -> Classifier:
        """Read a bundle; raise InputError when it or its encoder is missing, damaged or of another kind.

        Parameters
        ----------
        folder : path
            The folder that :meth:`save` wrote, or that of a classifier in a study.
        """
        tensors, values = load_bundle(folder, "classifier")
        if values.get("encoder_apart") is True:
            encoder = load_shared_encoder(folder, values)
            tensors |= {f"{_ENCODER}{name}": tensor for name, tensor in encoder.items()}
        return build_network(lambda: cls._of_parts(parts_of(values, tensors)), tensors, folder)

    @classmethod
    def _of_parts(cls, parts: ClassifierParts) -> Classifier:
        classifier = cls(
            parts.scheme, parts.classes, parts.encoder, parts.cnn, parts.head, parts.laws, parts.columns
        )
        if len(parts.laws) % classifier.laws_per_model:
            raise ValueError(f"{len(parts.laws)} laws of {len(parts.classes)} classes")
        return classifier
