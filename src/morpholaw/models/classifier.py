"""The classifier: an ensemble of models of any of the four schemes that scores crops or latents (paper, 4.2)."""

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
    "These models use shapes measured in the crop, which have no gradient, so they cannot be attacked; choose a "
    "classifier that uses latents."
)
NO_LATENTS = (
    "These models use measured shapes, so they cannot score latents alone; "
    "choose a classifier that uses latents."
)

_ENCODER = "encoder."
"""Prefix of the names of the encoder's weights."""


class Classifier(nn.Module):
    """An ensemble of models of one scheme.

    With two classes each model has one score f(x): f(x) < 0 is the first class and f(x) >= 0 the second (eq. 2). With
    more classes each model has one score per class, and the largest wins; scheme 4 then has one law per class.

    Create a classifier with :meth:`dense_cnn`, :meth:`with_head`, :meth:`with_laws` or :meth:`load`.

    Attributes
    ----------
    scheme : int
        1 to 4; see :data:`morpholaw.display.MODELS`.
    classes : tuple of str
        Names of the classes.
    encoder : BetaTCVAE or None
        The frozen encoder of schemes 2 to 4; None for models that use shapes only.
    columns : ModelColumns or None
        The input columns of schemes 2 to 4; None if all latents of the encoder are used.
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
        """Check that every input of the models exists."""
        count = 0 if self.encoder is None else self.encoder.latents
        read = [name for law in self.laws for name in law.names]
        if self.columns is not None:
            missing = [name for name in read if name not in self.columns.names]
            if missing:
                raise InputError(
                    f"A law uses {missing[0]!r}, which is not among the columns of its classifier."
                )
            read = [f"z{number}" for number in self.columns.latents]
        elif self.laws:
            read = [f"z{z}" for law in self.laws for z in law.latents]
        known = latent_names(count)
        missing = [name for name in read if name not in known]
        if missing:
            raise InputError(f"A law uses the latent {missing[0]}, but the encoder has {count}.")

    @classmethod
    def dense_cnn(cls, cnn: CNNEnsemble, head: HeadEnsemble, classes: Sequence[str]) -> Classifier:
        """Return a scheme 1 classifier: a CNN with a dense head, trained end to end.

        Parameters
        ----------
        cnn : CNNEnsemble
            Convolutional networks, one per model.
        head : HeadEnsemble
            Dense heads, one per model.
        classes : sequence of str
            Names of the classes; with two, the second is the class of f(x) >= 0.

        Returns
        -------
        Classifier
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
        """Return a scheme 2 classifier, or scheme 3 if the head is sparse.

        The head uses all latents of the encoder, or `columns`. Shapes alone need no encoder.

        Parameters
        ----------
        encoder : BetaTCVAE or None
            Encoder that computes the latents; None if only shapes are used.
        head : HeadEnsemble
            Heads, one per model.
        classes : sequence of str
            Names of the classes; with two, the second is the class of f(x) >= 0.
        sparse : bool
            Whether the head is sparse (scheme 3).
        columns : ModelColumns, optional
            Input columns; by default all latents.

        Returns
        -------
        Classifier
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
        """Return a scheme 4 classifier with one model per law, or per set of laws if there are more than two classes.

        The laws use latents of the encoder, or `columns`. Shapes alone need no encoder.

        Parameters
        ----------
        encoder : BetaTCVAE or None
            Encoder that computes the latents; None if only shapes are used.
        laws : sequence of Law
            With two classes, one law per model. With more, one law per model and class: the laws of the first model in
            the order of the classes, then those of the second model, and so on.
        classes : sequence of str
            Names of the classes; with two, the second is the class of f(x) >= 0.
        columns : ModelColumns, optional
            Input columns; by default all latents.

        Returns
        -------
        Classifier
        """
        if not laws:
            raise InputError("Scheme 4 needs at least one law; discover a law first.")
        if len(classes) > 2 and len(laws) % len(classes):
            raise InputError(f"{len(classes)} classes need one law each, but there are {len(laws)} laws.")
        return cls(4, classes, encoder, laws=laws, columns=columns)

    @property
    def inputs(self) -> Inputs:
        """Inputs of the models of schemes 2 to 4: "latents", "shapes" or "both"."""
        return "latents" if self.columns is None else self.columns.inputs

    @property
    def negative(self) -> str:
        """Name of the class of f < 0; InputError if there are more than two classes."""
        return pair_of(self.classes)[0]

    @property
    def positive(self) -> str:
        """Name of the class of f >= 0; InputError if there are more than two classes."""
        return pair_of(self.classes)[1]

    @property
    def members(self) -> int:
        """Number of models in the ensemble."""
        return len(self.laws) // self.laws_per_model if self.head is None else self.head.members

    @property
    def laws_per_model(self) -> int:
        """Number of laws per scheme 4 model: 1 with two classes, else one per class."""
        return 1 if len(self.classes) == 2 else len(self.classes)

    def laws_of(self, k: int) -> tuple[Law, ...]:
        """Return the laws of one scheme 4 model.

        Parameters
        ----------
        k : int
            Number of the model, counted from 0.

        Returns
        -------
        tuple of Law
        """
        return self.laws[k * self.laws_per_model : (k + 1) * self.laws_per_model]

    @property
    def name(self) -> str:
        """Description of the scheme in words."""
        return MODELS[self.scheme]

    def score_images(self, images: Tensor) -> Tensor:
        """Return the score of each image by each model.

        Differentiable, except for models that use shapes, which have no gradient.

        Parameters
        ----------
        images : Tensor
            Float, (n, 1, size, size), in [0, 1].

        Returns
        -------
        Tensor
            (members, n), or (members, n, classes) with more than two classes.
        """
        if self.cnn is not None and self.head is not None:
            scores: Tensor = self.head(self.cnn(images))
            return scores
        if self.columns is not None:
            return self.score_columns(self.read_columns(images))
        return self.score_latents(self._encoder().encode(images)[0])

    def read_columns(self, images: Tensor) -> Tensor:
        """Measure the standardised input columns in images.

        Parameters
        ----------
        images : Tensor
            Float, (n, 1, size, size), in [0, 1].

        Returns
        -------
        Tensor
            (n, columns); NaN where no nucleus was found.

        Raises
        ------
        InputError
            If a gradient is required, or the models use latents only.
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
        """Return the score of standardised columns by each model; differentiable.

        The score is NaN where a law is undefined or a column that a head uses is NaN.

        Parameters
        ----------
        values : Tensor
            Float, (n, columns), standardised.

        Returns
        -------
        Tensor
            (members, n), or (members, n, classes) with more than two classes.
        """
        names = self._columns().names
        if self.head is not None:
            scores: Tensor = self.head(values)
            return scores
        return self._by_model([law.score_torch(values, names) for law in self.laws])

    def _by_model(self, scores: list[Tensor]) -> Tensor:
        """Arrange the scores (n,) of all laws by model: (members, n) or (members, n, classes)."""
        if self.laws_per_model == 1:
            return torch.stack(scores)
        by_row = torch.stack(scores, dim=-1)
        return by_row.reshape(len(by_row), self.members, self.laws_per_model).transpose(0, 1)

    def _columns(self) -> ModelColumns:
        if self.columns is None:
            raise InputError("These models use latents and no shapes.")
        return self.columns

    def score_latents(self, latents: Tensor) -> Tensor:
        """Return the score of latents by each model; differentiable. A law that is undefined at a point gives NaN.

        Parameters
        ----------
        latents : Tensor
            Float, (n, L), or (members, n, L) for different latents per model.

        Returns
        -------
        Tensor
            (members, n), or (members, n, classes) with more than two classes.
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
        """Number of active connections in each model's head; None for laws."""
        return None if self.head is None else [int(n) for n in self.head.active_weights()]

    @property
    def expression_sizes(self) -> list[int]:
        """Number of nodes of each model's head when written as one expression (paper, appendix C)."""
        if self.head is None:
            return [sum(law.size for law in self.laws_of(k)) for k in range(self.members)]
        if self.scheme == 3:
            return [int(n) for n in sparse_size(self.head.masks)]
        size = batchnorm_size if self.head.normalise else dense_size
        return [size(self.head.widths)] * self.members

    @property
    def parameters_per_model(self) -> int:
        """Number of parameters of one model: CNN or encoder and head, without the decoder (paper, B.2)."""
        trained = [part for part in (self.cnn, self.head) if part is not None]
        count = sum(tensor.numel() for part in trained for tensor in part.parameters()) // self.members
        if self.encoder is not None:
            parts = (self.encoder.encoder, self.encoder.mean, self.encoder.log_variance)
            count += sum(tensor.numel() for part in parts for tensor in part.parameters())
        return count

    def kept_latents(self, k: int) -> tuple[int, ...]:
        """Return the numbers of the latents that one model uses; empty for scheme 1.

        Parameters
        ----------
        k : int
            Number of the model, counted from 0.

        Returns
        -------
        tuple of int
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
        """Return the names of the columns that one model uses, such as "z3" or "width"; empty for scheme 1.

        Parameters
        ----------
        k : int
            Number of the model, counted from 0.

        Returns
        -------
        tuple of str
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
        """The classifier that scores new cells by default: the first law of scheme 4, else all models."""
        return self.select(0) if self.scheme == 4 else self

    def select(self, k: int) -> Classifier:
        """Return a classifier with one of the models, which shares the encoder.

        Parameters
        ----------
        k : int
            Number of the model, counted from 0.

        Returns
        -------
        Classifier
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
        """Write a bundle with everything that a prediction needs.

        Parameters
        ----------
        folder : path
            Folder to write to; created if missing. Its previous contents stay valid until the new bundle is complete.
        description : dict, optional
            Plain JSON values to store beside the models.
        shared_encoder : str, optional
            SHA-256 of the encoder's weights, for a classifier whose encoder is stored once for the whole study
            (:mod:`morpholaw.store.encoder_weights`). The bundle then omits the encoder and opens only in its study.

        Returns
        -------
        str
            Fingerprint (SHA-256) of the models.
        """
        tensors = dict(self.state_dict())
        values = {**(description or {}), **layout_of(self), "encoder_apart": shared_encoder is not None}
        if shared_encoder is not None:
            tensors = {name: tensor for name, tensor in tensors.items() if not name.startswith(_ENCODER)}
            values["encoder_fingerprint"] = shared_encoder
        return save_bundle(folder, tensors, values, identity_of(self, shared_encoder))

    @classmethod
    def load(cls, folder: Path | str) -> Classifier:
        """Read a classifier from a bundle.

        Parameters
        ----------
        folder : path
            Folder that :meth:`save` wrote, or the folder of a classifier in a study.

        Returns
        -------
        Classifier

        Raises
        ------
        InputError
            If the bundle or its encoder is missing, damaged or of another kind.
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
            raise ValueError(f"{len(parts.laws)} laws for {len(parts.classes)} classes")
        return classifier
