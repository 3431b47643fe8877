"""Settings, seeds, versions and fingerprints: what is needed to make the results again."""

from __future__ import annotations

import json
from typing import Any

from morpholaw.config import StepConfig
from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Block, Fold, Paragraph, Table
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.store.encoder_record import EncoderRecord


def provenance(material: Material) -> list[Block]:
    """One fold for the crops, the encoder and each classifier."""
    folds: list[Block] = []
    if material.study.sets:
        folds.append(Fold("Crop sets", [_sets(material)]))
    if material.study.has_encoder:
        folds.append(Fold("Encoder", record(material.encoder_record)))
    folds += [Fold(found.title, record(found)) for found in material.records.values()]
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


def record(found: EncoderRecord | ClassifierRecord) -> list[Block]:
    """Return what is recorded of one model: when, with what, and with which settings."""
    made, config = found.provenance, found.config
    facts = {
        "Made": made.created,
        "Data fingerprint": made.data,
        "Weights fingerprint": found.sha256,
        "Seed": "unknown" if config is None else str(config.seed),
        "Versions": ", ".join(f"{name} {version}" for name, version in made.versions.items()) or "unknown",
        "Machine": made.machine,
    }
    settings: dict[str, StepConfig | None] = {"Setting": config}
    if isinstance(found, ClassifierRecord):
        facts |= {
            "Encoder fingerprint": found.encoder_fingerprint or "none",
            "Parameters of one model": f"{found.parameters:,}",
        }
        if (
            found.law_config is not None
        ):  # laws are searched for; they are not trained with epochs and batches
            settings = {"Setting of the search": found.law_config}
    blocks: list[Block] = [Table(("Record", "Value"), list(facts.items()))]
    for title, values in settings.items():
        if values is not None:
            rows = [(name, _text(value)) for name, value in values.model_dump(mode="json").items()]
            blocks.append(Table((title, "Value"), rows))
    if config is None:
        blocks.append(Paragraph("No settings were recorded.", "absent"))
    return blocks


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
