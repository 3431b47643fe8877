"""How many cells a report, law card or panel in a test attacks, constrains and places in other surroundings."""

from __future__ import annotations

FEW_CELLS = {
    "morpholaw.report.sections.constraints.ATTACKED": 12,
    "morpholaw.report.sections.constraints.CONSTRAINED": 6,
    "morpholaw.report.sections.interventions.CELLS": 24,
    "morpholaw.store.latent_sample.SWAPPED": 48,
}
