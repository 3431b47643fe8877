"""Base classes of all settings, which validate values and write the docstrings that ``help`` shows."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, Self, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from morpholaw.errors import SettingError


@dataclass(frozen=True)
class InWords:
    """Names of the choices of a setting in forms, for choices whose value alone does not say what they are.

    Attributes
    ----------
    names : dict of str to str
        Name by value.
    """

    names: dict[str, str]


Device = Annotated[
    Literal["auto", "cpu", "cuda", "mps"],
    InWords({"auto": "automatic", "cpu": "CPU", "cuda": "NVIDIA GPU (cuda)", "mps": "Apple GPU (mps)"}),
]


class StepConfig(BaseModel):
    """Base class of all settings; unknown names are rejected, and values are validated on assignment."""

    PAPER: ClassVar[dict[str, Any]] = {}
    """Preset "paper": the settings of the paper that differ from the defaults."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True, frozen=False)

    @classmethod
    def __pydantic_init_subclass__(cls, **keywords: Any) -> None:
        """Write the settings into the docstring, so that ``help`` shows them."""
        super().__pydantic_init_subclass__(**keywords)
        lines = [(cls.__doc__ or "").rstrip(), "", "Parameters", "----------"]
        for name, field in cls.model_fields.items():
            lines += [
                f"{name} : {_type_name(field.annotation)}, default {field.get_default(call_default_factory=True)!r}"
            ]
            lines += textwrap.wrap(
                field.description or "", 112, initial_indent="    ", subsequent_indent="    "
            )
        cls.__doc__ = "\n".join(lines)

    @field_validator("*", mode="before")
    @classmethod
    def _listed(cls, value: Any, info: ValidationInfo) -> Any:
        """Split a text such as "1, 3, 17" into a list, for fields that hold several values."""
        annotation = cls.model_fields[info.field_name or ""].annotation
        union = get_origin(annotation) in (Union, UnionType)
        kinds = get_args(annotation) if union else (annotation,)
        if isinstance(value, str) and any(get_origin(kind) is tuple for kind in kinds) and str not in kinds:
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @classmethod
    def from_values(cls, values: dict[str, Any]) -> Self:
        """Validate plain values, e.g. from ``--set KEY=VALUE``.

        Parameters
        ----------
        values : dict
            Settings by name; all others have their defaults or, with ``preset`` "paper", the values of the paper.

        Returns
        -------
        StepConfig
            The settings.

        Raises
        ------
        SettingError
            If a value is not valid; the message names the first such setting and what it should be.
        """
        others = {name: value for name, value in values.items() if name != "preset"}
        preset = values.get("preset") or ""
        if preset not in ("", "paper"):
            raise SettingError(f"There is no preset {preset!r}; there is 'paper'.", "preset")
        try:
            return cls.model_validate({**(cls.PAPER if preset else {}), **others})
        except ValidationError as error:
            raise _setting_error(cls, error) from None

    @classmethod
    def of(cls, config: Self | None, settings: dict[str, Any]) -> Self:
        """Return a step's configuration, updated with single settings.

        Parameters
        ----------
        config : StepConfig or None
            The configuration; None stands for the default one.
        settings : dict
            Settings that take precedence, as for :meth:`from_values`.

        Returns
        -------
        StepConfig

        Raises
        ------
        SettingError
            As for :meth:`from_values`.
        """
        if config is None:
            return cls.from_values(settings)
        return cls.from_values({**config.model_dump(exclude_unset=True), **settings}) if settings else config


def _setting_error(kind: type[StepConfig], error: ValidationError) -> SettingError:
    """Return the first validation error as a sentence."""
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    setting = str(first["loc"][0]) if first["loc"] else ""
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        known = ", ".join(kind.model_fields)
        sentence = f"There is no setting {name!r} here; the settings are {known}."
    elif not name:  # the settings do not fit each other
        sentence = message[:1].upper() + message[1:].rstrip(".") + "."
    else:
        verb = "be" if len(first["loc"]) == 1 else "contain"
        sentence = f"The setting {setting!r} cannot {verb} {first['input']!r}: {message.lower()}."
    return SettingError(sentence, setting)


def _type_name(annotation: Any) -> str:
    """Return a type as shown in a docstring: "int", "float or None", "{'cell', 'source'}"."""
    if get_origin(annotation) is Literal:
        return "{" + ", ".join(map(repr, get_args(annotation))) + "}"
    if get_origin(annotation) in (Union, UnionType):
        return " or ".join(map(_type_name, get_args(annotation)))
    if annotation is NoneType:
        return "None"
    return (
        annotation.__name__ if isinstance(annotation, type) and not get_args(annotation) else str(annotation)
    )


class TrainingConfig(StepConfig):
    """Settings that all training steps share."""

    seed: int = Field(0, ge=0, title="Random seed", description="Seed of every random choice in this step.")
    device: Device = Field(
        "auto",
        title="Compute on",
        description="Device; auto: CUDA if available, otherwise Apple's MPS, otherwise the CPU.",
    )
