"""One law in detail: formula, description, components, decision boundary, and inputs that exclude a class."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from morpholaw.display import capitalised, in_print, number, percent, significant
from morpholaw.interpretation.boundary import Score, member_score, slice_scores, undecided_cells
from morpholaw.interpretation.components import sample_parts
from morpholaw.interpretation.law_sentence import QUANTILES
from morpholaw.interpretation.oriented_law import law_in_words
from morpholaw.interpretation.traversal import decode
from morpholaw.models.law import Law
from morpholaw.models.law_units import law_in_units
from morpholaw.report.formula import typeset
from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Block, Bullets, Formula, Paragraph, Table, drawing, photograph
from morpholaw.store.law_reading import LEAST, MARGIN
from morpholaw.store.law_stability import stability_sentence

if TYPE_CHECKING:
    from morpholaw.models.features import ModelColumns
    from morpholaw.models.vae import BetaTCVAE

DIGITS = 3
"""Significant digits of displayed constants."""
TYPICAL_RANGE = 3.0
"""Latents are shown from -3 to 3 if no cells determine their range."""
STEPS = 61
PICTURES = 7
UNDECIDED = 8
"""Number of cells shown on the boundary."""
SLICES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles of the test cells at which the boundary is sliced."""
ROMAN = {"2": "II", "3": "III", "4": "IV", "5": "V", "6": "VI", "7": "VII", "8": "VIII", "9": "IX"}
WITHIN = (
    f"within the range of {percent(QUANTILES[1] - QUANTILES[0], 0)} of the labelled cells (of a latent, at least "
    f"{number(-TYPICAL_RANGE, 0)} to {number(TYPICAL_RANGE, 0)})"
)
"""The range over which statements about a law were proved."""


def law_figures(material: Material, name: str, k: int) -> list[Block]:
    """Show the formula of a law, its description, its components, its decision boundary and its vetoes."""
    classifier = material.classifier(name)
    law = classifier.laws[k]
    if classifier.columns is not None:
        return _over_columns(material, name, k)
    words, digits = material.reading(name, k).words, material.reading(name, k).digits
    blocks: list[Block] = [Formula(typeset(law, digits=digits, size=19)), *_sentence(material, name, k)]
    used = {z: words[z] for z in law.expression.variables() if z in words}
    if used:
        named_law, names = law_in_words(law, used)
        names = {latent: _in_formula(name) for latent, name in names.items()}
        named_by_hand = {f"z{latent}" for latent in material.given_names(name)}
        origin = (
            "given names of latents" if set(used) <= named_by_hand else "given or suggested names of latents"
        )
        blocks.append(Formula(typeset(named_law, names, digits, size=15), f"The same law with {origin}."))
    blocks += _components(law, _cloud(material, name))
    blocks += _boundary(material, name, k)
    blocks += _vetoes(material, name, k)
    return blocks


def _sentence(material: Material, name: str, k: int) -> list[Block]:
    """Return the description of the law, the law as an inequality, and its stability."""
    sentence = material.reading(name, k).sentence()
    stable = stability_sentence(material.study, name, material.classifier(name).laws[k].text())
    return [
        Paragraph(sentence.text),
        Paragraph(
            f"{capitalised(material.classifier(name).positive)} where {in_print(sentence.inequality)}."
        ),
        *([Paragraph(stable)] if stable else []),
    ]


def _over_columns(material: Material, name: str, k: int) -> list[Block]:
    """Show a law over shapes: its description, its formula in units and in standard deviations, and its inputs."""
    classifier = material.classifier(name)
    law, columns = classifier.laws[k], classifier.columns
    assert columns is not None
    digits = material.reading(name, k).digits
    return [
        *_sentence(material, name, k),
        Formula(typeset(law_in_units(law, columns), digits=digits, size=17), "The law in units."),
        Formula(
            typeset(law, digits=DIGITS, size=15),
            "The law as it was found, with each shape standardised to the mean and standard deviation of the training "
            "set.",
        ),
        inputs_table(columns, law.expression.variables()),
        *_input_boundary(material, name, k),
        *_vetoes(material, name, k),
    ]


def inputs_table(columns: ModelColumns, used: Collection[str]) -> Table:
    """Return a table of the inputs of a law: unit, meaning, and mean and standard deviation of shapes."""
    rows = [
        (
            feature.name,
            feature.unit,
            feature.meaning,
            *(("", "") if feature.source == "latent" else (significant(centre), significant(scale))),
        )
        for feature, centre, scale in zip(columns.features, columns.centre, columns.scale, strict=True)
        if feature.name in used
    ]
    caption = "Inputs of the law. Mean and standard deviation of measured shapes refer to the training set."
    return Table(("Input", "Unit", "Meaning", "Mean", "Standard deviation"), rows, caption)


def _input_boundary(material: Material, name: str, k: int) -> list[Block]:
    """Show the score over the two inputs that change it most, with the labelled cells."""
    from morpholaw.figures.law_boundary import cells_on_map, law_boundary
    from morpholaw.interpretation.input_slice import held_text, input_slice

    reading = material.reading(name, k)
    if not reading.law.expression.variables():
        return []
    ranges = reading.map_ranges(reading.law.expression.variables())
    computed = input_slice(reading.law, reading.cells, ranges)
    labels = tuple(reading.axis_label(name) for name in computed.names)
    cells = None
    if len(computed.names) == 2:
        x, y = reading.cells.select(computed.names).T
        cells = cells_on_map(x, y, reading.labels, material.study.class_colours(reading.classes))
    held = held_text(computed.held, reading.units)
    title = f"Others at their median: {held}" if held else ""
    figure = law_boundary(computed, labels, reading.classes, cells, held=title, figsize=(5.4, None))
    caption = (
        "Score over the inputs that change it most, with all others at their median. The dashed line is the decision "
        "boundary; dots are labelled cells."
    )
    return [drawing(figure, "Decision boundary", caption)]


def _in_formula(word: str) -> str:
    """Return a name that is unambiguous in a formula, where "size 2" would be a product and a hyphen a minus sign."""
    name, _, count = word.rpartition(" ")
    return (f"{name} {ROMAN[count]}" if name and count in ROMAN else word).replace("-", " ")


def _components(law: Law, cloud: np.ndarray) -> list[Block]:
    from morpholaw.figures.laws import law_components

    axes = {name: span_of_cells(cloud, latent) for name, latent in zip(law.names, law.latents, strict=True)}
    parts = sample_parts(law, axes, digits=DIGITS)
    if not parts:
        return [Paragraph("The law is linear in its latents, so there are no components to show.")]
    caption = (
        "Components of the law over the latents they depend on; the dashed purple line is zero. Terms of more than two "
        "latents are divided further, and linear terms are omitted."
    )
    return [drawing(law_components(parts), "Components of the law", caption)]


def _boundary(material: Material, name: str, k: int) -> list[Block]:
    """Show where the law is zero: in slices for three latents or more, as a map for two, as a curve for one."""
    classifier = material.classifier(name)
    assert classifier.encoder is not None
    cloud = _cloud(material, name)
    base, score = np.median(cloud, axis=0), member_score(classifier, k)
    latents = _by_effect(classifier.kept_latents(k), cloud, score)
    if not latents:
        return [
            Paragraph("The law is a constant, so all cells are predicted to be of the same class.", "warning")
        ]
    if len(latents) > 2:
        classes = (classifier.negative, classifier.positive)
        shown = _slices(cloud, latents, score, classes, material.study.class_colours(classes))
    else:
        shown = _map(cloud, latents, score, classifier.encoder, base)
    return shown + _undecided(material, score, cloud, classifier.encoder)


def _undecided(material: Material, score: Score, cloud: np.ndarray, encoder: BetaTCVAE) -> list[Block]:
    """Show decoded cells on the boundary, between test cells of the two predicted classes."""
    from morpholaw.figures.pictures import montage

    if len(np.unique(score(cloud) >= 0)) < 2:
        return []
    points = undecided_cells(score, cloud, UNDECIDED)
    figure = montage(decode(encoder, points), columns=UNDECIDED, pixel_size=material.pixel_size)
    caption = (
        "Decoded cells on the decision boundary, f(z) = 0. Each is between a test cell and the nearest test cell of "
        "the other predicted class."
    )
    return [photograph(figure, "Cells on the decision boundary", caption)]


def _slices(
    cloud: np.ndarray, latents: list[int], score: Score, classes: tuple[str, str], colours: dict[str, str]
) -> list[Block]:
    from morpholaw.figures.boundary import boundary_slices

    base = np.median(cloud, axis=0)
    x, y = span_of_cells(cloud, latents[0]), span_of_cells(cloud, latents[1])
    levels = np.quantile(cloud[:, latents[2]], SLICES)
    if np.ptp(levels) == 0:
        levels = np.linspace(-2, 2, len(SLICES))
    grid = _finite(slice_scores(score, base, (latents[2], latents[1], latents[0]), [levels, y, x]))
    names = [f"z{latent}" for latent in latents]
    rest = ", ".join(f"z{latent} = {number(base[latent])}" for latent in latents[3:])
    figure = boundary_slices(
        grid, x, y, levels, (names[0], names[1], names[2]), classes=classes, held=rest,
        colours=colours, figsize=(7.2, None),
    )  # fmt: skip
    held = f" The other latents are held at their medians: {rest}." if rest else ""
    caption = (
        f"Predicted class over the two latents that change the score most, in slices at quantiles of {names[2]} over "
        f"the test cells.{held}"
    )
    return [drawing(figure, "Decision boundary in slices", caption)]


def _map(
    cloud: np.ndarray, latents: list[int], score: Score, encoder: BetaTCVAE, base: np.ndarray
) -> list[Block]:
    from morpholaw.figures.response import ResponseAxis, response_map_1d, response_map_2d

    axes = []
    for latent in latents:
        values = span_of_cells(cloud, latent)
        at = np.linspace(values[0], values[-1], PICTURES)
        axes.append(ResponseAxis(values, f"z{latent}", _along(encoder, base, latent, at), at))
    grid = _finite(slice_scores(score, base, latents, [axis.values for axis in axes]))
    if len(latents) == 1:
        figure = response_map_1d(axes[0], grid, response_name="score f(z)")
        caption = "Score over the only latent of the law, with decoded cells along the axis."
        return [photograph(figure, "Score over the latent", caption)]
    figure = response_map_2d(axes[0], axes[1], grid.T, response_name="score f(z)")
    caption = (
        f"Score over {axes[0].name} (horizontal) and {axes[1].name} (vertical), with decoded cells along the axes. The "
        "dashed line is the decision boundary."
    )
    return [photograph(figure, "Score over both latents", caption)]


def _cloud(material: Material, name: str) -> np.ndarray:
    """Return the latents of the test cells, (n, latents); only the origin if there are no test cells."""
    try:
        return material.test_latents(name)
    except Absent:
        encoder = material.classifier(name).encoder
        return np.zeros((1, encoder.latents if encoder is not None else 0))


def span_of_cells(cloud: np.ndarray, latent: int) -> np.ndarray:
    """Return values over the range of a latent in the cells with a margin, or its typical range if all are equal."""
    low, high = np.quantile(cloud[:, latent], [0.005, 0.995])
    if low == high:
        return np.linspace(-TYPICAL_RANGE, TYPICAL_RANGE, STEPS)
    margin = MARGIN * (high - low)
    return np.linspace(low - margin, high + margin, STEPS)


def _finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)


def _along(encoder: BetaTCVAE, base: np.ndarray, latent: int, values: np.ndarray) -> np.ndarray:
    points = np.tile(base, (len(values), 1))
    points[:, latent] = values
    return decode(encoder, points)


def _by_effect(latents: tuple[int, ...], cloud: np.ndarray, score: Score) -> list[int]:
    """Sort latents by their effect on the score, largest first. Scores are squashed, as laws can overflow."""
    base = np.median(cloud, axis=0)

    def effect(latent: int) -> float:
        f = np.nan_to_num(
            slice_scores(score, base, (latent,), span_of_cells(cloud, latent)), posinf=1e9, neginf=-1e9
        )
        return float(np.std(f / (1 + np.abs(f))))

    return sorted(latents, key=lambda latent: (-effect(latent), latent))


def _vetoes(material: Material, name: str, k: int) -> list[Block]:
    """List the inputs that exclude a class, alone or in pairs."""
    return excluding(material.reading(name, k).vetoes())


def excluding(vetoes: list[str]) -> list[Block]:
    """List the inputs that exclude a class."""
    if not vetoes:
        least = percent(LEAST, 0)
        return [
            Paragraph(
                f"No input was proved to exclude a class regardless of the other inputs for {least} or more of its "
                f"values, {WITHIN}."
            )
        ]
    intro = (
        f"The following inputs exclude a class regardless of all other inputs, {WITHIN}, as "
        "proved by interval arithmetic:"
    )
    return [Paragraph(intro), Bullets(vetoes)]
