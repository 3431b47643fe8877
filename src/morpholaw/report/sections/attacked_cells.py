"""Cells before and after an attack, with their scores (figures 15, 16, 18 and 20)."""

from __future__ import annotations

from morpholaw.evaluation.scoring import Space
from morpholaw.interpretation.attack import AttackOptions
from morpholaw.interpretation.counterfactuals import counterfactuals
from morpholaw.models.classifier import NO_GRADIENT
from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Block, Paragraph, photograph

CELLS = 6
"""Number of test cells shown, balanced over the classes."""
IMAGE_EPS, LATENT_EPS = (0.1, 0.5), 1.0
"""Magnitudes of the perturbation; the paper uses 0.5 (figure 16) and 1 (figures 18 and 20)."""


def attacked_cells(material: Material) -> list[Block]:
    """Show a few attacked test cells in each space, for the first model of each scheme."""
    if not material.names:
        raise Absent("No classifier has been trained yet, so there is nothing to attack.")
    blocks: list[Block] = []
    for scheme, name in material.one_a_scheme.items():
        try:
            for eps in IMAGE_EPS:
                blocks += _panel(material, name, "image", eps)
            if scheme != 1:
                blocks += _panel(material, name, "latent", LATENT_EPS)
            if scheme != 1 and (held := material.morphology_of(name)):
                blocks += _panel(material, name, "latent", LATENT_EPS, held)
        except Absent as absent:
            blocks.append(Paragraph(f"{material.title(name)}: {absent}", "absent"))
    return blocks


def _panel(
    material: Material, name: str, space: Space, eps: float, held: tuple[int, ...] = ()
) -> list[Block]:
    from morpholaw.figures.attacks import attack_panels

    if material.classifier(name).columns is not None:
        raise Absent(NO_GRADIENT)
    cells = material.test(name).some(CELLS)
    if not len(cells):
        raise Absent("It has no test cells to attack.")
    result = counterfactuals(
        material.classifier(name), cells.images, eps, options=AttackOptions(space, fixed=held)
    )
    classes = material.records[name].classes
    margins = result.margins
    figure = attack_panels(
        result.images, result.perturbed, difference=result.difference,
        reconstruction=result.perturbed_reconstruction if space == "image" else None,
        scores_before=margins[0], scores_after=margins[1],
        labels=[classes[target] for target in cells.targets],
        pixel_size=material.pixel_size, figsize=(4.5, None),
    )  # fmt: skip
    target = "all latents" if space == "latent" else "the image"
    if held:
        target = f"all latents except {', '.join(f'z{latent}' for latent in held)}"
    flipped = int(result.flipped.sum())
    caption = (
        f"{material.title(name)}, model 1: attack on {target} with ε = {eps:g}. The predicted class changes in "
        f"{flipped} of {len(cells)} cells."
    )
    if len(classes) > 2:
        caption += (
            " Numbers are the margin of the originally predicted class over all others, before and after."
        )
    if space == "latent":
        caption += " Perturbed latents are decoded, and compared with the reconstruction of the cell."
    return [photograph(figure, f"Attacked cells, {name}, {space} space", caption)]
