"""``class_laws/*.json``: laws of more than two classes, and how good they are."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field, PlainSerializer, PlainValidator

from morpholaw.config import ClassLawConfig
from morpholaw.models.class_laws import ClassLaws
from morpholaw.store.classifier_record import EstimateInFile
from morpholaw.store.provenance import ResultRecord
from morpholaw.store.record import Part, known_settings


class ClassLawsEvaluation(Part):
    """How laws of several classes do on held-out cells.

    Attributes
    ----------
    split : str
        Fingerprint of the test groups.
    training_cells, test_cells : int
        Cells trained on and tested on.
    accuracy : Estimate
        Share of test cells whose largest score is that of their class, with its 95 % interval.
    balanced_accuracy : float
        Mean of that share over the classes.
    confusion : tuple of tuple of int
        True classes in rows, predicted classes in columns.
    undefined : int
        Test cells for which a law has no finite value.
    sparse_accuracy : tuple of float, optional
        Of each sparse network that the latents or the targets were taken from.
    """

    split: str = ""
    training_cells: int = 0
    test_cells: int = Field(ge=0)
    accuracy: EstimateInFile
    balanced_accuracy: float
    confusion: tuple[tuple[int, ...], ...]
    undefined: int = 0
    sparse_accuracy: tuple[float, ...] | None = None


def _read_laws(value: Any) -> ClassLaws:
    return value if isinstance(value, ClassLaws) else ClassLaws.from_json({"laws": value})


class ClassLawsRecord(ResultRecord):
    """Laws of several classes, found with one loss.

    Attributes
    ----------
    laws : ClassLaws
        One law for each class.
    evaluation : ClassLawsEvaluation
        Performance on held-out cells.
    encoder_fingerprint : str, optional
        SHA-256 of the encoder whose latents the laws read.
    config : ClassLawConfig, optional
        Settings of the search.
    """

    WHAT: ClassVar[str] = "set of laws"
    REMEDY: ClassVar[str] = "search for them again"

    laws: Annotated[
        ClassLaws, PlainValidator(_read_laws), PlainSerializer(lambda laws: laws.to_json()["laws"])
    ]
    evaluation: ClassLawsEvaluation
    encoder_fingerprint: str | None = None
    config: Annotated[ClassLawConfig | None, known_settings(ClassLawConfig)] = None
