"""Images without cells: their place in latent space, and the classes that are predicted (paper, appendix G)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from morpholaw.display import capitalised, classifier_title, number, percent
from morpholaw.evaluation.familiarity import Familiarity
from morpholaw.evaluation.performance import applied_score
from morpholaw.interpretation.components import deciding_terms
from morpholaw.interpretation.out_of_distribution import OddCrops, odd_crops, probe_odd_crops
from morpholaw.models.classes import UNDEFINED, classes_of_scores
from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Block, Paragraph, Table, photograph
from morpholaw.report.sections.law import DIGITS
from morpholaw.store.familiarity_record import familiarity

REFERENCE = 600
"""Maximum number of real crops for comparison."""
PAIRS = 3
"""Number of panels, each with two latents."""


def out_of_distribution(material: Material) -> list[Block]:
    """Show how blank, saturated, empty, noisy and defocused images are encoded and classified."""
    if not material.names:
        raise Absent("No classifier has been trained yet, so images without cells cannot be classified.")
    names = material.names
    real = material.study.crops[_reference(material)]
    odd = odd_crops(real)
    probed = {name: probe_odd_crops(material.classifier(name), real, odd) for name in names}
    blocks: list[Block] = [_examples(odd)]
    with_latents = [name for name, results in probed.items() if results[0].means is not None]
    if with_latents:
        blocks.append(_latent_space(material, with_latents[0], probed[with_latents[0]]))
    known = next(filter(None, (familiarity(material.study, name) for name in names)), None)
    blocks.append(_predictions(material, probed, odd, known))
    blocks.append(_unusual_cells(material, known))
    return blocks + _deciding(material, probed)


def _reference(material: Material) -> np.ndarray:
    """Return the indices of real crops, spread over the whole study."""
    return material.sample[:: -(-len(material.sample) // REFERENCE)]


def _examples(odd: dict[str, np.ndarray]) -> Block:
    from morpholaw.figures.pictures import montage

    tiles = np.stack([images[0] for images in odd.values()])
    figure = montage(tiles, captions=list(odd), columns=len(odd), figsize=(4.6, None))
    caption = "Images without a cell, or with a cell out of focus; one example of each kind."
    return photograph(figure, "Images without cells", caption)


def _latent_space(material: Material, name: str, results: list[OddCrops]) -> Block:
    """Figure 27: real cells in pairs of latents, with the encoding of the blank image."""
    from morpholaw.figures.latents import latent_scatter

    kept = material.kept if material.reads_present_encoder(name) else ()
    latents = list(kept or material.classifier(name).kept_latents(0))[: 2 * PAIRS]
    which = "the latents that scheme 3 kept" if kept else f"latents of {material.title(name)}"
    sample = _reference(material)
    means = material.encode(name, material.study.crops[sample]).astype(float)
    blank = next(result for result in results if result.kind == "blank")
    assert blank.means is not None
    assert blank.variances is not None
    figure = latent_scatter(
        means[:, latents], [f"z{latent}" for latent in latents], material.labels[sample],
        blank=(blank.means[0, latents], np.sqrt(blank.variances[0, latents])), blank_name="blank image",
        colours=material.study.class_colours(), figsize=(7.2, None),
    )  # fmt: skip
    caption = (
        f"A blank image among {len(sample):,} real cells, in {which}. Ellipses show one and two standard "
        "deviations of its encoding."
    )
    return photograph(figure, "A blank image in latent space", caption)


def _predictions(
    material: Material,
    probed: dict[str, list[OddCrops]],
    odd: dict[str, np.ndarray],
    known: Familiarity | None,
) -> Table:
    """Return a table of the predicted classes of each kind of image, how many are unusual, and their distance."""
    encoded = next((results for results in probed.values() if results[0].distance is not None), None)
    rows = []
    for place, kind in enumerate(next(iter(probed.values()))):
        distance = encoded[place].distance if encoded is not None else None
        unusual = "n/a" if known is None else percent(known.unusual(odd[kind.kind]).mean(), 0)
        cells = [unusual, "n/a" if distance is None else number(np.median(distance), 1)]
        for name, results in probed.items():
            record = material.records[name]
            scores = applied_score(results[place].scores, record.scheme)
            cells.append(_in_words(classes_of_scores(scores, len(record.classes)), record.classes))
        rows.append((capitalised(kind.kind), *cells))
    limit = (
        f" For 99 % of real cells it is below {number(encoded[0].distance_limit or np.nan, 1)}."
        if encoded is not None
        else ""
    )
    titles = [classifier_title(name) for name in probed]
    caption = (
        "Classes predicted for images without cells. Unusual: share of images that are marked as unusual in tables of "
        "scores. Distance: median Mahalanobis distance from the encodings of real cells, in standard deviations."
        f"{limit} It is not a reliable test, as an encoder can place a blank image among the cells. In the paper, all "
        "sparse networks and laws classified a blank image as interphase (appendix G)."
    )
    return Table(("Image", "Unusual", "Distance", *titles), rows, caption)


def _unusual_cells(material: Material, known: Familiarity | None) -> Block:
    """Return a table of the share of unusual cells in each crop set of the study."""
    if known is None:
        return Paragraph(
            "The study's cells could not be compared with the training cells of the classifiers, because these are "
            "not in this study or are too few.",
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
        "Cells with unusual images: their grey levels, noise and sharpness are farther from those of the "
        f"{known.cells:,} training cells than 99 % of these are from each other. About 1 % is expected for cells from "
        "the same microscope."
    )
    return Table(("Crop set", "Cells examined", "Unusual"), rows, caption)


def _in_words(predicted: np.ndarray, classes: Sequence[str]) -> str:
    """Return the predicted class of a kind of image: "metaphase", or "metaphase 75 %" if they differ."""
    names, counts = np.unique(np.array([*classes, UNDEFINED])[predicted], return_counts=True)
    first = int(np.argmax(counts))
    share = counts[first] / counts.sum()
    return str(names[first]) if share == 1 else f"{names[first]} {percent(share, 0)}"


def _deciding(material: Material, probed: dict[str, list[OddCrops]]) -> list[Block]:
    """Show which term of the first law is decisive for each kind of image."""
    for name, results in probed.items():
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
            f"Law 1 of {material.title(name)}, f(z) = {law.text()}: median score of each kind of image, and the term "
            "that is most often decisive, which is the largest term with the sign of the score."
        )
        return [Table(("Image", "Score", "Decisive term"), rows, caption)]
    return [
        Paragraph("There is no law of two classes over latents, so decisive terms cannot be shown.", "absent")
    ]
