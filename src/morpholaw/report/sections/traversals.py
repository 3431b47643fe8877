"""Traversals: typical cells, decoded as one of their latents varies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from morpholaw.display import percent
from morpholaw.interpretation.latent_summary import MORPHOLOGY_SHARE
from morpholaw.interpretation.traversal import TYPICAL, traverse
from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Block, Paragraph, photograph

WIDTH = 4.5
"""Width of a figure in inches; two fit side by side."""


def traversals(material: Material) -> list[Block]:
    """Show traversals of the latents that describe the cell (figure 4), and of those that do not (figure 24)."""
    active = sorted(set(material.latents.active) | set(material.kept))
    if not active:
        raise Absent("No latent is active, so there is nothing to show.")
    of_cell = [latent for latent in active if latent in material.morphology]
    others = [latent for latent in active if latent not in of_cell]
    blocks: list[Block] = []
    if "scheme3" not in material.names:
        blocks.append(Paragraph("Scheme 3 has not been trained, so no latents are marked as kept.", "absent"))
    limit = percent(MORPHOLOGY_SHARE, 0)
    for latents, subject in (
        (
            of_cell,
            f"Latents that describe morphology (less than {limit} of their variance is due to surroundings)",
        ),
        (
            others,
            f"Other active latents ({limit} or more of their variance is due to surroundings, or this is not known)",
        ),
    ):
        names = [f"{material.called(latent)}{' *' if latent in material.kept else ''}" for latent in latents]
        if latents:
            note = "Asterisks mark latents that scheme 3 kept."
            blocks += pictures(material, latents, names, subject, note=note)
    return blocks


def pictures(
    material: Material,
    latents: Sequence[int],
    names: Sequence[str],
    subject: str,
    classifier: str = "",
    note: str = "",
) -> list[Block]:
    """Show one figure per typical cell, in which each row is a latent and each column one of its values.

    Parameters
    ----------
    material : Material
        The study.
    latents : sequence of int
        Latents to vary.
    names : sequence of str
        Their names.
    subject : str
        What the latents are, at the beginning of the caption.
    classifier : str
        Name of the classifier whose latents and classes these are; "" for the study's encoder.
    note : str
        The end of the caption.
    """
    from morpholaw.figures.pictures import traversal_grid

    encoder = material.classifier(classifier).encoder if classifier else material.encoder
    assert encoder is not None
    blocks: list[Block] = []
    for label, start in material.typical_cells(classifier).items():
        figure = traversal_grid(
            traverse(encoder, start, latents, TYPICAL),
            names,
            np.array(TYPICAL),
            pixel_size=material.pixel_size,
            figsize=(WIDTH, None),
        )
        cell = (
            f"the labelled {label} cell nearest to the median of its class"
            if label
            else "the median of all cells"
        )
        caption = (
            f"{subject}, starting from {cell}. Each row shows decoded cells for increasing values of one latent, with "
            f"all others as they are. {note}"
        )
        blocks.append(
            photograph(figure, f"Latent traversals{f', {label}' if label else ''}", caption.strip())
        )
    return blocks
