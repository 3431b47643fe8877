"""The laws of scheme 4: their formulas, how good they are, what they are made of and where they are zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from morpholaw.models.expressions import Call
from morpholaw.models.law import Law
from morpholaw.probes.agreement import Estimate, accuracy
from morpholaw.probes.boundary import Score, member_score, slice_scores
from morpholaw.probes.components import components
from morpholaw.probes.traversal import decode
from morpholaw.probes.veto import find_vetoes, in_words
from morpholaw.report.formula import typeset
from morpholaw.report.material import Material
from morpholaw.report.page import (
    Absent,
    Block,
    Bullets,
    Formula,
    Paragraph,
    Table,
    drawing,
    percent,
    photograph,
)

if TYPE_CHECKING:
    from morpholaw.figures.laws import Component
    from morpholaw.models.expressions import Expression
    from morpholaw.models.vae import BetaTCVAE

DIGITS = 3
"""Significant digits of the constants that are shown."""
LOSSES = {"hinge": "hinge loss on the labels", "mse": "squared error to scheme 3's outputs"}
GRID = np.linspace(-3, 3, 61)
ROMAN = {"2": "II", "3": "III", "4": "IV", "5": "V", "6": "VI"}
PAIRS = 4
"""Vetoes of pairs of latents that are listed, at the most."""
PICTURED = np.linspace(-3, 3, 7)


def name_of(loss: str) -> str:
    """The classifier that holds the laws found with a loss."""
    return f"scheme4-{loss}"


def laws(material: Material, loss: str) -> list[Block]:
    """All laws found with a loss, and the best of them in detail."""
    found = list(
        material.need(name_of(loss), f"No laws have been searched for with the {LOSSES[loss]}.").laws
    )
    blocks: list[Block] = [_table(material, loss, found)]
    blocks += [Paragraph("The first law, the best on the training cells:"), *anatomy(material, loss, 0)]
    return blocks


def _table(material: Material, loss: str, found: list[Law]) -> Table:
    evaluation = material.descriptions[name_of(loss)]["evaluation"]
    rounded = rounding(material, loss)
    rows = []
    for k, law in enumerate(found):
        share = recorded_accuracy(evaluation, k)
        rows.append(
            (
                str(k + 1),
                typeset(law, digits=DIGITS, size=13),
                str(law.size),
                str(law.complexity),
                percent(share.value),
                f"{percent(share.low)} to {percent(share.high)}",
                rounded[k],
            )
        )
    columns = ("", "Law", "Nodes", "Complexity", "Accuracy, %", "95 % interval", f"With {DIGITS} digits")
    caption = (
        f"Laws found with the {LOSSES[loss]}, best first on the training cells; f ≥ 0 is "
        f"{material.classifier(name_of(loss)).positive}. Accuracy on {evaluation['test_cells']:,} test cells, with "
        f"Wilson's interval over cells. Constants are shown with {DIGITS} significant digits and used in full; the "
        "last column says what rounding them changes. The paper's laws have 11 to 20 nodes at 96.9 to 97.8 %."
    )
    return Table(columns, rows, caption)


def recorded_accuracy(evaluation: dict[str, object], k: int) -> Estimate:
    """Test accuracy of law ``k`` as it was measured, with Wilson's interval."""
    share, n = float(evaluation["accuracy"][k]), int(evaluation["test_cells"])  # type: ignore[index, call-overload]
    return accuracy(np.arange(n) < round(share * n))


def rounding(material: Material, loss: str) -> list[str]:
    """For every law, what rounding its constants does on the test cells."""
    found = material.classifier(name_of(loss)).laws
    try:
        latents, targets = material.test_latents(name_of(loss)), material.test(name_of(loss)).targets
    except Absent:
        return ["n/a"] * len(found)
    texts = []
    for law in found:
        z = latents[:, list(law.latents)]
        short = law.rounded(DIGITS)
        changed = int(np.count_nonzero(law.calls(z) != short.calls(z)))
        texts.append(
            "no call changes"
            if not changed
            else f"{percent(short.accuracy(z, targets))} %, {changed} calls change"
        )
    return texts


def anatomy(material: Material, loss: str, k: int) -> list[Block]:
    """One law: its formula in symbols and words, its components, its boundary and its vetoes."""
    classifier = material.classifier(name_of(loss))
    law = classifier.laws[k]
    blocks: list[Block] = [Formula(typeset(law, digits=DIGITS, size=19))]
    used = {
        name: _in_formula(material.words[name])
        for name in law.expression.variables()
        if name in material.words
    }
    if used:
        given = {f"z{latent}" for latent in material.study.latent_names}
        origin = (
            "names given by a person"
            if set(used) <= given
            else "names suggested by measured shapes where none was given"
        )
        blocks.append(Formula(typeset(law, used, DIGITS, size=15), f"The same with {origin}."))
    blocks += _components(law)
    blocks += _boundary(material, loss, k)
    blocks += _vetoes(material, law, classifier.negative, classifier.positive)
    return blocks


def _in_formula(word: str) -> str:
    """A suggested name such as "size 2" would read as a factor of 2 among numbers."""
    name, _, count = word.rpartition(" ")
    return f"{name} {ROMAN[count]}" if name and count in ROMAN else word


def _components(law: Law) -> list[Block]:
    from morpholaw.figures.laws import law_components

    parts: list[tuple[int, Expression]] = []
    for term in components(law):
        whole = len(term.expression.variables()) <= 2
        parts += [(term.sign, term.expression)] if whole else [(1, factor) for factor in term.factors]
    drawn = [_component(law, sign, part) for sign, part in parts if 1 <= len(part.variables()) <= 2]
    if not drawn:
        return [Paragraph("The law has no part of one or two latents to draw by itself.", "absent")]
    caption = (
        "Parts of the law over the latents they depend on; dashed purple is zero. A term of more than two latents is "
        "split into its factors."
    )
    return [drawing(law_components(drawn), "Components of the law", caption)]


def _component(law: Law, sign: int, part: Expression) -> Component:
    from morpholaw.figures.laws import Component

    names = part.variables()
    axes = np.meshgrid(*[GRID] * len(names), indexing="xy")
    z = np.zeros((axes[0].size, len(law.names)))
    for name, values in zip(names, axes, strict=True):
        z[:, law.names.index(name)] = values.ravel()
    with np.errstate(all="ignore"):
        values = sign * part.evaluate(z).reshape(axes[0].shape)
    values = np.where(np.isfinite(values), values, np.nan)
    latex = part.latex(digits=DIGITS)
    if sign < 0:
        is_sum = isinstance(part, Call) and part.operator in ("+", "-")
        latex = rf"-\left({latex}\right)" if is_sum else f"-{latex}"
    return Component(latex, names, (GRID,) * len(names), values)


def _boundary(material: Material, loss: str, k: int) -> list[Block]:
    """Where the law is zero: slices through three latents, a map of two, a curve of one."""
    classifier = material.classifier(name_of(loss))
    encoder = classifier.encoder
    assert encoder is not None
    base, origin = _typical(material, loss, encoder.latents)
    score = member_score(classifier, k)
    latents = _by_effect(classifier.kept_latents(k), base, score)
    if not latents:
        return [Paragraph("The law is a constant: it calls every cell alike.", "warning")]
    names = [f"z{latent}" for latent in latents]
    shown = latents[:3]
    with np.errstate(all="ignore"):
        grid = slice_scores(score, base, shown, GRID)
    rest = ", ".join(f"z{latent} = {base[latent]:.2f}" for latent in latents[3:])
    held = f" Held at {origin}: {rest}." if rest else ""
    if len(shown) == 3:
        from morpholaw.figures.boundary import boundary_slices

        levels = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
        with np.errstate(all="ignore"):
            grid = slice_scores(score, base, (shown[2], shown[1], shown[0]), [levels, GRID, GRID])
        figure = boundary_slices(
            grid, GRID, GRID, levels, (names[0], names[1], names[2]),
            classes=(classifier.negative, classifier.positive), held=rest, figsize=(7.2, None),
        )  # fmt: skip
        caption = (
            f"Where the law decides for which class, in slices through {names[2]}; the latents that change the score "
            f"most are on the axes.{held}"
        )
        return [drawing(figure, "Decision boundary in slices", caption)]
    pictures = [_along(encoder, base, latent) for latent in shown]
    if len(shown) == 2:
        from morpholaw.figures.response import response_map_2d

        figure = response_map_2d(
            GRID, GRID, _finite(grid.T), (names[0], names[1]), pictures_x=pictures[0], values_x=PICTURED,
            pictures_y=pictures[1], values_y=PICTURED, response_name="score f(z)",
        )  # fmt: skip
        caption = "The score over both latents, with decoded cells along the axes; the boundary is where it is zero."
        return [photograph(figure, "Score over both latents", caption)]
    from morpholaw.figures.response import response_map_1d

    figure = response_map_1d(
        GRID,
        _finite(grid),
        names[0],
        pictures=pictures[0],
        picture_values=PICTURED,
        response_name="score f(z)",
    )
    return [
        photograph(
            figure,
            "Score over the latent",
            "The score over the law's only latent, with decoded cells along the axis.",
        )
    ]


def _finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)


def _along(encoder: BetaTCVAE, base: np.ndarray, latent: int) -> np.ndarray:
    points = np.tile(base, (len(PICTURED), 1))
    points[:, latent] = PICTURED
    return decode(encoder, points)


def _typical(material: Material, loss: str, latents: int) -> tuple[np.ndarray, str]:
    """Values that latents are held at, and what they are."""
    try:
        return np.median(material.test_latents(name_of(loss)), axis=0), "their medians over the test cells"
    except Absent:
        return np.zeros(latents), "zero"


def _by_effect(latents: tuple[int, ...], base: np.ndarray, score: Score) -> list[int]:
    """Latents by how much the score changes along them, most first; each is squeezed, as laws may overflow."""

    def effect(latent: int) -> float:
        with np.errstate(all="ignore"):
            f = np.nan_to_num(slice_scores(score, base, (latent,), GRID), posinf=1e9, neginf=-1e9)
        return float(np.std(f / (1 + np.abs(f))))

    return sorted(latents, key=lambda latent: (-effect(latent), latent))


def _vetoes(material: Material, law: Law, negative: str, positive: str) -> list[Block]:
    found = find_vetoes(law) if law.expression.variables() else []
    single = [veto for veto in found if len(veto.latents) == 1]
    pairs = [veto for veto in found if len(veto.latents) == 2][:PAIRS]
    if not single and not pairs:
        return [
            Paragraph(
                "No latent, and no pair of latents, can be proved to exclude a class by itself within −3 to 3."
            )
        ]
    words = {name: word for name, word in material.words.items() if name in law.names}
    intro = Paragraph(
        "Which latents exclude a class whatever the others are, within −3 to 3 (proved by interval arithmetic):"
    )
    return [intro, Bullets([in_words(veto, negative, positive, words) for veto in (*single, *pairs)])]
