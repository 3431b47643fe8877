"""Settings, seeds, versions and fingerprints, which are needed to reproduce the results."""

from __future__ import annotations

import json
from typing import Any

from morpholaw.config import StepConfig
from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Block, Fold, Paragraph, Table
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.store.encoder_record import EncoderRecord


def provenance(material: Material) -> list[Block]:
    """Show one fold each for the crop sets, the encoder and every classifier."""
    folds: list[Block] = []
    if material.study.sets:
        folds.append(Fold("Crop sets", [_sets(material)]))
    if material.study.has_encoder:
        folds.append(Fold("Encoder", record(material.encoder_record)))
    folds += [Fold(classifier.title, record(classifier)) for classifier in material.records.values()]
    if not folds:
        raise Absent("The study is empty.")
    return folds


def _sets(material: Material) -> Table:
    rows = [
        (
            crop_set.name,
            crop_set.record.created[:19],
            _text([source.model_dump() for source in crop_set.record.sources] or "not recorded"),
            _text(crop_set.normalisation.to_json() if crop_set.normalisation else "not recorded"),
        )
        for crop_set in material.study.sets
    ]
    return Table(("Crop set", "Created", "Sources", "Normalisation"), rows)


def record(model: EncoderRecord | ClassifierRecord) -> list[Block]:
    """Show the provenance and the settings of one model."""
    origin, config = model.provenance, model.config
    facts = {
        "Created": origin.created,
        "Data fingerprint": origin.data,
        "Weights fingerprint": model.sha256,
        "Seed": "unknown" if config is None else str(config.seed),
        "Versions": ", ".join(f"{name} {version}" for name, version in origin.versions.items()) or "unknown",
        "Machine": origin.machine,
    }
    settings: dict[str, StepConfig | None] = {"Setting": config}
    if isinstance(model, ClassifierRecord):
        facts |= {
            "Encoder fingerprint": model.encoder_fingerprint or "none",
            "Parameters per model": f"{model.parameters:,}",
        }
        if model.law_config is not None:  # settings such as epochs and batch size do not apply to laws
            settings = {"Setting of the search": model.law_config}
    blocks: list[Block] = [Table(("Property", "Value"), list(facts.items()))]
    for title, values in settings.items():
        if values is not None:
            rows = [(name, _text(value)) for name, value in values.model_dump(mode="json").items()]
            blocks.append(Table((title, "Value"), rows))
    if config is None:
        blocks.append(Paragraph("No settings were recorded.", "absent"))
    return blocks


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
