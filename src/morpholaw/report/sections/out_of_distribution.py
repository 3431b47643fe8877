"""Pictures that are no cells: where they land in latent space, and what each scheme says (paper, appendix G)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from morpholaw.display import capitalised, classifier_title, number, percent
from morpholaw.evaluation.familiarity import Familiarity
from morpholaw.evaluation.performance import applied_score
from morpholaw.interpretation.components import deciding_terms
from morpholaw.interpretation.out_of_distribution import OddCrops, odd_crops, probe_odd_crops
from morpholaw.models.classes import classes_of_scores
from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Block, Paragraph, Table, photograph
from morpholaw.report.sections.law import DIGITS
from morpholaw.store.familiarity_record import familiarity

REFERENCE = 600
"""Maximum number of real crops to compare the odd ones with."""
PAIRS = 3
"""Panels of two latents each."""


def out_of_distribution(material: Material) -> list[Block]:
    """Blank, saturated, empty, noisy and defocused pictures, encoded and called by every classifier."""
    if not material.names:
        raise Absent("No classifier has been trained yet, so nothing calls pictures that are no cells.")
    names = material.names
    real = material.study.crops[_reference(material)]
    odd = odd_crops(real)
    found = {name: probe_odd_crops(material.classifier(name), real, odd) for name in names}
    blocks: list[Block] = [_pictures(odd)]
    with_latents = [name for name, results in found.items() if results[0].means is not None]
    if with_latents:
        blocks.append(_where(material, with_latents[0], found[with_latents[0]]))
    known = next(filter(None, (familiarity(material.study, name) for name in names)), None)
    blocks.append(_calls(material, found, odd, known))
    blocks.append(_unusual_cells(material, known))
    return blocks + _deciding(material, found)


def _reference(material: Material) -> np.ndarray:
    """Return indices of the real crops, spread over the whole study."""
    return material.sample[:: -(-len(material.sample) // REFERENCE)]


def _pictures(odd: dict[str, np.ndarray]) -> Block:
    from morpholaw.figures.pictures import montage

    tiles = np.stack([images[0] for images in odd.values()])
    figure = montage(tiles, captions=list(odd), columns=len(odd), figsize=(4.6, None))
    return photograph(figure, "Pictures that are no cells", "One picture of each kind.")


def _where(material: Material, name: str, results: list[OddCrops]) -> Block:
    """Figure 27: real cells in pairs of latents, with the blank picture's Gaussian over them."""
    from morpholaw.figures.latents import latent_scatter

    chosen = list(material.kept or material.classifier(name).kept_latents(0))[: 2 * PAIRS]
    sample = _reference(material)
    means = material.encode(name, material.study.crops[sample]).astype(float)
    blank = next(one for one in results if one.kind == "blank")
    assert blank.means is not None
    assert blank.variances is not None
    figure = latent_scatter(
        means[:, chosen], [f"z{latent}" for latent in chosen], material.labels[sample],
        blank=(blank.means[0, chosen], np.sqrt(blank.variances[0, chosen])), blank_name="blank picture",
        colours=material.study.class_colours(), figsize=(7.2, None),
    )  # fmt: skip
    caption = (
        f"Where a blank picture lands among {len(sample):,} real cells, with ellipses at one and two standard "
        "deviations of its encoding, in the latents that scheme 3 kept."
    )
    return photograph(figure, "A blank picture in latent space", caption)


def _calls(
    material: Material,
    found: dict[str, list[OddCrops]],
    odd: dict[str, np.ndarray],
    known: Familiarity | None,
) -> Table:
    """Return what each kind of picture is called, whether it is marked as unusual, and where it is encoded."""
    shown = next((results for results in found.values() if results[0].distance is not None), None)
    rows = []
    for place, kind in enumerate(next(iter(found.values()))):
        far = shown[place].distance if shown is not None else None
        marked = "n/a" if known is None else percent(known.unusual(odd[kind.kind]).mean(), 0)
        cells = [marked, "n/a" if far is None else number(np.median(far), 1)]
        for name, results in found.items():
            record = material.records[name]
            scores = applied_score(results[place].scores, record.scheme)
            cells.append(_in_words(classes_of_scores(scores, len(record.classes)), record.classes))
        rows.append((capitalised(kind.kind), *cells))
    limit = (
        f" Of real cells 99 % are nearer than {number(shown[0].distance_limit or np.nan, 1)}."
        if shown is not None
        else ""
    )
    titles = [classifier_title(name) for name in found]
    caption = (
        "Predicted classes by the median score of each scheme's models. Unusual: the share that is marked, as in "
        "tables of scores. Distance is Mahalanobis' from the encodings of real cells, in standard deviations, and no "
        f"test: an encoder may put a blank picture among the cells.{limit} The paper's sparse networks and laws all "
        "called a blank picture interphase (appendix G)."
    )
    return Table(("Picture", "Unusual", "Distance", *titles), rows, caption)


def _unusual_cells(material: Material, known: Familiarity | None) -> Block:
    """Count the study's own cells whose pictures are not made like those of the training cells, by crop set."""
    if known is None:
        return Paragraph(
            "Whether the study's cells are made like those that the classifiers learnt from is not known: those are "
            "not in this study, or are too few.",
            "absent",
        )
    rows = []
    sets = material.study.crops.cells["set"].to_numpy(str)[material.sample]
    for crop_set in material.study.sets:
        cells = material.sample[sets == crop_set.name]
        if len(cells):
            share = known.unusual(material.study.crops[cells]).mean()
            rows.append((crop_set.name, f"{len(cells):,}", percent(share)))
    caption = (
        f"Unusual are pictures whose grey levels, noise and sharpness are farther from the {known.cells:,} training "
        "cells than 99 % of those are from each other. Of cells of the same microscope about 1 % are marked."
    )
    return Table(("Crop set", "Looked at", "Unusual"), rows, caption)


def _in_words(calls: np.ndarray, classes: Sequence[str]) -> str:
    """Return "metaphase", or "metaphase 75 %" where the pictures of a kind are not called alike."""
    names, counts = np.unique(np.array([*classes, "undefined"])[calls], return_counts=True)
    first = int(np.argmax(counts))
    share = counts[first] / counts.sum()
    return str(names[first]) if share == 1 else f"{names[first]} {percent(share, 0)}"


def _deciding(material: Material, found: dict[str, list[OddCrops]]) -> list[Block]:
    """Which term of the best law decides each kind of picture."""
    for name, results in found.items():
        laws = material.classifier(name).laws
        if not laws or results[0].means is None or not material.records[name].two_classes:
            continue
        law = laws[0].rounded(DIGITS)
        rows = []
        for kind in results:
            assert kind.means is not None
            table = deciding_terms(law, kind.means[:, list(law.latents)])
            usual = table["decides"].mode()[0]
            rows.append((capitalised(kind.kind), number(table["score"].median()), usual or "n/a"))
        caption = (
            f"The first law of {material.title(name)}, f(z) = {law.text()}: its median score, and the additive term "
            "that decides most often, the largest with the sign of the score."
        )
        return [Table(("Picture", "Score", "Deciding term"), rows, caption)]
    return [Paragraph("There is no law of two classes, so no term of one decides.", "absent")]
