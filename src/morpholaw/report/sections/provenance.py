"""Settings, seeds, versions and fingerprints: what is needed to make the results again."""

from __future__ import annotations

import json
from typing import Any

from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Block, Fold, Paragraph, Table


def provenance(material: Material) -> list[Block]:
    """One fold for the crops, the encoder and each classifier."""
    folds: list[Block] = []
    if material.study.sets:
        folds.append(Fold("Crop sets", [_sets(material)]))
    if material.study.has_encoder:
        folds.append(Fold("Encoder", record(material.encoder_description)))
    folds += [Fold(material.title(name), record(made)) for name, made in material.descriptions.items()]
    if not folds:
        raise Absent("The study is empty, so there is nothing to record.")
    return folds


def _sets(material: Material) -> Table:
    rows = [
        (
            crop_set.name,
            crop_set.record.created[:19],
            _text([one.model_dump() for one in crop_set.record.sources] or "none recorded"),
            _text(crop_set.normalisation.to_json() if crop_set.normalisation else "none recorded"),
        )
        for crop_set in material.study.sets
    ]
    return Table(("Crop set", "Made", "Sources", "Normalisation"), rows)


def record(made: dict[str, Any]) -> list[Block]:
    """What is recorded of one result: when, with what, and with which settings."""
    versions = made.get("versions", {})
    config = made.get("config", {})
    facts = {
        "Made": made.get("created", "unknown"),
        "Data fingerprint": made.get("data", "unknown"),
        "Weights fingerprint": made.get("sha256", "unknown"),
        "Encoder fingerprint": made.get("encoder_fingerprint") or "",
        "Parameters": f"{made['parameters']:,}" if "parameters" in made else "",
        "Seed": config.get("seed", "unknown"),
        "Versions": ", ".join(f"{name} {version}" for name, version in versions.items()) or "unknown",
        "Machine": made.get("machine", "unknown"),
    }
    rows = [(name, str(value)) for name, value in facts.items() if value != ""]
    blocks: list[Block] = [Table(("Record", "Value"), rows)]
    for title, settings in (("Setting", config), ("Setting of the search", made.get("law_config", {}))):
        if settings:
            blocks.append(Table((title, "Value"), [(name, _text(value)) for name, value in settings.items()]))
    if not config:
        blocks.append(Paragraph("No settings were recorded.", "absent"))
    return blocks


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
