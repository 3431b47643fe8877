"""Provenance of a result: data, time, versions and machine."""

from __future__ import annotations

import importlib.metadata
import platform
from datetime import UTC, datetime
from typing import Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from morpholaw import __version__
from morpholaw.store.record import Part, Record

PACKAGES = ("numpy", "torch", "scikit-image", "optuna", "pysr")
"""Packages whose versions are recorded."""


class Provenance(Part):
    """Provenance of a result, except for its settings.

    Attributes
    ----------
    data : str
        Fingerprint of the study's crops.
    created : str
        Time in UTC, ISO 8601.
    versions : dict
        Versions of Morpholaw, Python and the packages that matter.
    machine : str
        Operating system and processor architecture.
    pixels : dict of str to str
        Fingerprint of the pixels of each crop set, by its name; empty if not recorded.
    labels_digest : str
        Fingerprint of the labels that were used; "" if none were used or it was not recorded.
    """

    data: str = "unknown"
    created: str = "unknown"
    versions: dict[str, str] = Field(default_factory=dict)
    machine: str = "unknown"
    pixels: dict[str, str] = Field(default_factory=dict)
    labels_digest: str = ""

    @classmethod
    def now(cls, data: str) -> Provenance:
        """Return the provenance of a new result from crops with the fingerprint ``data``."""
        versions = {name: version for name in PACKAGES if (version := _version(name))}
        return cls(
            data=data,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            versions={"morpholaw": __version__, "python": platform.python_version(), **versions},
            machine=f"{platform.system()} {platform.machine()}",
        )


def _version(package: str) -> str:
    """Return the version of a package; "" if it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


class ResultRecord(Record):
    """A record with provenance, whose values are at the top level of the file."""

    provenance: Provenance = Provenance()

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, values: Any) -> Any:
        if not isinstance(values, dict) or "provenance" in values:
            return values
        return {**values, "provenance": {k: values[k] for k in Provenance.model_fields if k in values}}

    @model_serializer(mode="wrap")
    def _spread(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = handler(self)
        provenance = values.pop("provenance")
        return {**values, **provenance}
