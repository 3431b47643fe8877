"""``classifiers/*/model.json``: the models, training settings and evaluation of a classifier."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, PlainSerializer, PlainValidator, model_validator

from morpholaw.config import ClassifierConfig, LawConfig
from morpholaw.display import LOSSES, Loss, scheme_models, scheme_short, scheme_title
from morpholaw.errors import InputError
from morpholaw.models.class_laws import ClassLaws
from morpholaw.models.classes import pair_of
from morpholaw.models.description import read_description
from morpholaw.models.features import Inputs, ModelColumns
from morpholaw.models.law import Law
from morpholaw.store.bundle_record import BundleRecord, CNNLayout, EncoderLayout, HeadLayout
from morpholaw.store.evaluation_record import Evaluation
from morpholaw.store.provenance import Provenance
from morpholaw.store.record import known_settings

if TYPE_CHECKING:
    from morpholaw.models.classifier import Classifier


Start = Literal["", "study", "shipped"]
"""The encoder with whose weights the CNNs of scheme 1 were initialised; "" for random weights."""
STARTS: dict[Start, str] = {"study": "the study's encoder", "shipped": "the shipped encoder"}
"""Descriptions of these encoders."""


def name_of(scheme: int | str, loss: str | None = None) -> str:
    """Return the name of a classifier from its scheme and, for scheme 4, its loss. Names are returned unchanged."""
    if isinstance(scheme, str):
        return scheme
    return f"scheme4-{loss}" if scheme == 4 else f"scheme{scheme}"


def _read_law(value: Any) -> Law:
    return value if isinstance(value, Law) else Law.from_json(value)


def _read_columns(value: Any) -> ModelColumns:
    return value if isinstance(value, ModelColumns) else ModelColumns.from_json(value)


ColumnsInFile = Annotated[
    ModelColumns, PlainValidator(_read_columns), PlainSerializer(lambda columns: columns.to_json())
]
LawInFile = Annotated[Law, PlainValidator(_read_law), PlainSerializer(lambda law: law.to_json())]


class ClassifierRecord(BundleRecord):
    """Record of a classifier.

    Attributes
    ----------
    name : str
        Name in the study and of its folder, such as "scheme3", "scheme4-hinge", or a name given by the user.
    scheme : int
        Scheme, 1 to 4; see :data:`morpholaw.display.MODELS`.
    classes : tuple of str
        Names of the classes. With two classes, f < 0 is the first and f >= 0 the second (eq. 2).
    inputs : {"latents", "shapes", "both"}
        Inputs of schemes 2 to 4.
    members : int
        Number of models.
    encoder, cnn, head
        Layouts of the networks; None for networks that the scheme does not have.
    laws : tuple of Law
        Laws of scheme 4: first the one that is applied, then the others in the order of their accuracy on the training
        set. With more than two classes, one law per class.
    columns : ModelColumns, optional
        Columns that the models read, and their scales; None if they read all latents of the encoder.
    evaluation : Evaluation
        Performance on held-out cells.
    head_weights : tuple of int, optional
        Number of non-zero weights of each model's head.
    expression_sizes : tuple of int
        Number of nodes of each model's head written as one expression (eqs. 11-14).
    kept_latents : tuple of tuple of int
        Latents that each model reads.
    parameters : int
        Number of parameters of one model as counted in the paper (B.2): CNN or encoder and head, without decoder.
    encoder_fingerprint : str, optional
        SHA-256 of the weights of the encoder that the models were trained with.
    encoder_apart : bool
        Whether the weights of the encoder are stored in the study's folder ``encoder/`` and not with the models
        (:mod:`morpholaw.store.encoder_weights`).
    trained_elsewhere : bool
        Whether the models were trained on cells of another study, none of which are in this one.
    complete : bool
        Whether the training, or the search for laws, was completed; a search that was stopped stores the laws found so
        far.
    started_from : str
        The encoder with whose weights the CNNs of scheme 1 were initialised, "study" or "shipped"; "" for random
        weights, if it was not recorded, and for other schemes.
    config : ClassifierConfig
        Settings of the training and of the split.
    law_config : LawConfig, optional
        Settings of the search for laws.
    """

    WHAT: ClassVar[str] = "classifier"
    KIND: ClassVar[str] = "classifier"
    REMEDY: ClassVar[str] = "train it again"

    name: str
    scheme: Literal[1, 2, 3, 4]
    classes: tuple[str, ...] = Field(min_length=2)
    inputs: Inputs = "latents"
    members: int = Field(ge=1)
    encoder: EncoderLayout | None = None
    cnn: CNNLayout | None = None
    head: HeadLayout | None = None
    laws: tuple[LawInFile, ...] = ()
    columns: ColumnsInFile | None = None
    evaluation: Evaluation
    head_weights: tuple[int, ...] | None = None
    expression_sizes: tuple[int, ...]
    kept_latents: tuple[tuple[int, ...], ...]
    parameters: int = Field(ge=0)
    encoder_fingerprint: str | None = None
    encoder_apart: bool = False
    trained_elsewhere: bool = False
    complete: bool = True
    started_from: Start = ""
    config: Annotated[ClassifierConfig, known_settings(ClassifierConfig)]
    law_config: Annotated[LawConfig | None, known_settings(LawConfig)] = None

    @classmethod
    def read(cls, path: Path | str) -> Self:
        """Read the record of the classifier in the folder ``path``; InputError if it is missing or damaged."""
        path = Path(path)
        return cls.parse({**read_description(path, cls.KIND), "name": path.name}, path / "model.json")

    @classmethod
    def of(
        cls,
        classifier: Classifier,
        name: str,
        evaluation: Evaluation,
        config: ClassifierConfig,
        provenance: Provenance,
        encoder_fingerprint: str | None = None,
        law_config: LawConfig | None = None,
    ) -> Self:
        """Return the record of a classifier that is about to be saved."""
        from morpholaw.models.classifier_layout import layout_of  # loads torch

        members = range(classifier.members)
        values: dict[str, Any] = {
            **layout_of(classifier),
            "name": name,
            "evaluation": evaluation,
            "head_weights": classifier.head_weights,
            "expression_sizes": classifier.expression_sizes,
            "kept_latents": [classifier.kept_latents(k) for k in members],
            "parameters": classifier.parameters_per_model,
            "encoder_fingerprint": encoder_fingerprint,
            "config": config,
            "law_config": law_config,
            "provenance": provenance,
        }
        return cls.model_validate(values)

    @model_validator(mode="before")
    @classmethod
    def _with_classes_of_the_split(cls, values: Any) -> Any:
        """Complete the settings with the chosen classes, and those of older records with what was implied."""
        if not isinstance(values, dict) or "classes" not in values:
            return values
        config, classes = values.get("config"), values["classes"]
        if isinstance(config, ClassifierConfig):
            config = config.model_copy(update={"classes": tuple(classes)})
        elif isinstance(config, dict):
            # Before these settings existed, CNNs had random weights and no deformed crops.
            config = {"start_from": "none", "deformation": 0.0, **config, "classes": classes}
        return {**values, "config": config}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        evaluation, members, count = self.evaluation, self.members, len(self.classes)
        lengths = [
            len(evaluation.accuracy),
            len(evaluation.balanced_accuracy),
            len(evaluation.intervals),
            len(self.expression_sizes),
            len(self.kept_latents),
            members if self.head_weights is None else len(self.head_weights),
            members if self.scheme != 4 else len(self.laws) // self.laws_per_model,
        ]
        if lengths != [members] * len(lengths):
            raise ValueError(f"it does not describe each of its {members} models")
        if len(evaluation.by_class) != count:
            raise ValueError(f"it does not measure each of its {count} classes")
        if [len(row) for row in evaluation.confusion] != [count] * count:
            raise ValueError(f"its confusion matrix is not one of {count} classes")
        return self

    @property
    def laws_per_model(self) -> int:
        """Number of laws in a model of scheme 4: one for two classes, otherwise one per class."""
        return 1 if self.two_classes else len(self.classes)

    @property
    def columns_read(self) -> ModelColumns:
        """Inputs of the heads or laws, in order: ``columns``, or all latents of the encoder."""
        if self.columns is not None:
            return self.columns
        if self.encoder is None:
            raise InputError(f"{self.name} reads pixels and has no named inputs.")
        return ModelColumns.of_latents(self.encoder.latents)

    @property
    def class_laws(self) -> ClassLaws:
        """The laws of more than two classes, one per class; InputError if there are none."""
        if self.scheme != 4 or self.two_classes:
            raise InputError(f"{self.name} has no laws of more than two classes.")
        return ClassLaws(dict(zip(self.classes, self.laws, strict=False)), {"name": self.name})

    @property
    def two_classes(self) -> bool:
        """Whether there are two classes, which are distinguished by the sign of one score (eq. 2)."""
        return len(self.classes) == 2

    @property
    def pair(self) -> tuple[str, str]:
        """The classes of f < 0 and of f >= 0; InputError if there are more than two."""
        return pair_of(self.classes)

    @property
    def negative(self) -> str:
        """The class of f < 0; InputError if there are more than two."""
        return self.pair[0]

    @property
    def positive(self) -> str:
        """The class of f >= 0; InputError if there are more than two."""
        return self.pair[1]

    @property
    def loss(self) -> Loss | None:
        """Loss that the laws of scheme 4 were found with; None for other schemes and for laws entered by hand."""
        if self.scheme != 4:
            return None
        if self.law_config is not None:
            return self.law_config.loss
        return next((loss for loss in LOSSES if self.name == name_of(4, loss)), None)

    @property
    def beats_guessing(self) -> bool:
        """Whether the balanced accuracy on held-out cells is significantly higher than that of guessing."""
        return self.evaluation.balanced_interval.low > 1 / len(self.classes)

    @property
    def variant(self) -> str:
        """Distinction from other classifiers of the scheme: the loss of its laws, or its own name."""
        return (self.loss or "") if self.name == name_of(self.scheme, self.loss) else self.name

    @property
    def model(self) -> str:
        """Description of the model, e.g. "β-TCVAE + symbolic expression (hinge)"."""
        return scheme_models(self.scheme, self.variant, self.inputs)

    @property
    def title(self) -> str:
        """Title, e.g. "Scheme 4, β-TCVAE + symbolic expression (hinge)"."""
        return f"Scheme {self.scheme}, {self.model}"

    @property
    def label(self) -> str:
        """Label in panels, e.g. "scheme 4: law (hinge)"."""
        return scheme_title(self.scheme, self.variant)

    @property
    def short_label(self) -> str:
        """Short label for narrow columns, e.g. "3 sparse" or "4 hinge"."""
        return scheme_short(self.scheme, self.variant)
