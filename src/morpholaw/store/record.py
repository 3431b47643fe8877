"""Base classes of records: reading, validation and writing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from morpholaw.cells.files import read_json, write_json
from morpholaw.config import StepConfig
from morpholaw.errors import InputError

Settings = TypeVar("Settings", bound=StepConfig)


class Part(BaseModel):
    """Values inside a record. Unknown keys of a file are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Record(Part):
    """A JSON file of a study.

    Files with a newer layout are rejected. Files with the same layout may have unknown keys, which are ignored.

    Attributes
    ----------
    layout : int
        Version of the file's layout; ``schema`` in the file.
    """

    NEWEST: ClassVar[int] = 1
    """Newest layout that this version reads."""
    WHAT: ClassVar[str] = "record"
    """What the file describes, for messages."""
    REMEDY: ClassVar[str] = "restore it from a backup"
    """What to do about a damaged file, for messages."""

    layout: int = Field(1, alias="schema")

    @classmethod
    def read(cls, path: Path | str) -> Self:
        """Read the record from a file.

        Raises
        ------
        InputError
            If the file is missing or damaged, or has a newer layout.
        """
        values = read_json(path)
        if not isinstance(values, dict) or not isinstance(values.get("schema"), int):
            raise InputError(
                f"{path} does not describe a {cls.WHAT}; expected a JSON object with the layout's number, schema."
            )
        if values["schema"] > cls.NEWEST:
            raise InputError(
                f"{path} was written by a newer version of Morpholaw (layout {values['schema']}); this version reads "
                f"layouts up to {cls.NEWEST}."
            )
        return cls.parse(values, path)

    @classmethod
    def parse(cls, values: dict[str, Any], path: Path | str) -> Self:
        """Validate the values of a file; raise an InputError that names the invalid field."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise InputError(f"{path} is damaged: {_first_problem(error)}; {cls.REMEDY}.") from None

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, as written to the file."""
        return self.model_dump(mode="json", by_alias=True)

    def write(self, path: Path | str) -> Path:
        """Write the complete file, or raise an OSError and leave it unchanged."""
        return write_json(path, self.to_json())


def _first_problem(error: ValidationError) -> str:
    """Describe the first problem, e.g. "the field 'evaluation.split' is missing"."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"] if not str(part).startswith("function-"))
    place = f"the field {field!r}" if field else "it"
    if first["type"] == "missing":
        return f"{place} is missing"
    value = repr(first["input"])
    shown = value if len(value) <= 60 else f"{value[:57]}..."
    message = first["msg"].removeprefix("Value error, ").rstrip(".")
    return f"{place} cannot be {shown}: {message[:1].lower()}{message[1:]}"


def known_settings(kind: type[Settings]) -> BeforeValidator:
    """Return a validator that drops settings that this version of ``kind`` does not have."""

    def drop_unknown(values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        return {name: value for name, value in values.items() if name in kind.model_fields}

    return BeforeValidator(drop_unknown)


def _null_is_nan(value: Any) -> Any:
    return float("nan") if value is None else value


Number = Annotated[float, BeforeValidator(_null_is_nan)]
"""A number that may be NaN, which is stored as null in JSON files."""
