"""Is a model domain-appropriate? Accuracy under attack, and the domain constraints as numbers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache

import numpy as np
from markupsafe import Markup, escape

from morpholaw.cells.segmentation import nucleus_masks
from morpholaw.display import capitalised, classifier_title, number, percent, percent_interval
from morpholaw.interpretation.attack import AttackCurve, AttackOptions, Direction, attack_curve
from morpholaw.interpretation.attack_energy import successful_energy
from morpholaw.interpretation.constraints import (
    Constraint,
    LabelledCrops,
    domain_constraints,
    orientation_invariant,
)
from morpholaw.interpretation.latent_summary import MORPHOLOGY_SHARE
from morpholaw.models.classifier import NO_GRADIENT, Classifier
from morpholaw.report.material import Material, TestCells
from morpholaw.report.page import Absent, Block, Paragraph, Table, drawing

ATTACKED = 200
"""Test cells attacked, half of each class."""
CONSTRAINED = 100
"""Test cells that the domain constraints are measured on."""
IMAGE_EPS = (0.0, 0.025, 0.05, 0.1, 0.15, 0.2)
LATENT_EPS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0)
AT_ONE = 3
"""Place in LATENT_EPS of the paper's neighbourhood attack."""
SHADE = 2
"""Place in IMAGE_EPS of the magnitude that the Rashomon set is coloured by."""


class Attacks:
    """Attack curves of the study's classifiers, each computed once."""

    def __init__(self, material: Material) -> None:
        self.material = material
        self.image = cache(self._image)
        self.latent = cache(self._latent)

    def _image(self, name: str, direction: Direction = "gradient") -> AttackCurve:
        """Return the curve in image space, along the gradient or with random signs."""
        _check_gradient(self.material.classifier(name))
        cells = self.material.test(name).some(ATTACKED)
        options = AttackOptions(direction=direction)
        return attack_curve(self.material.classifier(name), cells.images, cells.targets, IMAGE_EPS, options)

    def _latent(
        self, name: str, held: tuple[int, ...] = (), direction: Direction = "gradient"
    ) -> AttackCurve:
        """Return the curve in latent space, with some latents fixed."""
        cells = self.material.test(name).some(ATTACKED)
        means = self.material.encode(name, cells.images)
        return attack_curve(
            self.material.classifier(name),
            means,
            cells.targets,
            LATENT_EPS,
            AttackOptions("latent", fixed=held, direction=direction),
        )

    @property
    def constraints(self) -> dict[str, dict[str, np.ndarray]]:
        """Constraints measured of every model: what is measured, to values by classifier."""
        measures: dict[str, Callable[[str], np.ndarray]] = {
            f"accuracy under attack, ε = {IMAGE_EPS[SHADE]:g}": lambda name: self.image(name).accuracy[
                :, SHADE
            ],
            f"accuracy, neighbourhood attacked, ε = {LATENT_EPS[AT_ONE]:g}": self._neighbourhood,
            "share called alike in all orientations": self._orientation,
        }
        found: dict[str, dict[str, np.ndarray]] = {}
        for meaning, measure_of in measures.items():
            for name in self.material.two_class_names:
                with suppress(Absent):
                    found.setdefault(meaning, {})[name] = measure_of(name)
        return found

    def _neighbourhood(self, name: str) -> np.ndarray:
        if self.material.records[name].scheme == 1 or not self.material.morphology:
            raise Absent("It has no neighbourhood latents.")
        return self.latent(name, self.material.morphology).accuracy[:, AT_ONE]

    def _orientation(self, name: str) -> np.ndarray:
        cells = self.material.test(name).some(CONSTRAINED)
        shares: np.ndarray = orientation_invariant(self.material.classifier(name), cells.images).mean(axis=1)
        return shares


def _check_gradient(classifier: Classifier) -> None:
    if classifier.columns is not None:
        raise Absent(NO_GRADIENT)


def attacks(material: Material, curves: Attacks) -> list[Block]:
    """Accuracy against the perturbation's magnitude, in each space."""
    if not material.names:
        raise Absent("No classifier has been trained yet, so there is nothing to attack.")
    one, missing = _tested(material)
    if not one:
        return missing
    blocks = missing + _figure(
        {scheme: curves.image(name) for scheme, name in one.items()},
        {scheme: curves.image(name, "random") for scheme, name in one.items()},
        "image",
        f"FGSM in image space (eq. 1) on at most {ATTACKED} test cells, as many of each class where there are enough, "
        "so that the accuracy at ε = 0 need not be that of Table 1: mean and standard deviation over the models. "
        "Dotted lines: random signs of the same magnitude, as a control.",
    )
    blocks.append(_energies(material, curves, one))
    with_latents = {scheme: name for scheme, name in one.items() if scheme != 1}
    if not with_latents:
        return [
            *blocks,
            Paragraph("Only scheme 1 has been trained, which has no latent space to attack.", "absent"),
        ]
    blocks += _figure(
        {scheme: curves.latent(name) for scheme, name in with_latents.items()},
        {scheme: curves.latent(name, (), "random") for scheme, name in with_latents.items()},
        "latent",
        "FGSM on all latents; dotted lines are random signs.",
    )
    if not material.morphology:
        reason = (
            f"No latent is morphology: swapped surroundings account for {percent(MORPHOLOGY_SHARE, 0)} or more of the "
            "variance of each, so there is no neighbourhood to attack apart from the cell."
        )
        return [*blocks, Paragraph(reason, "absent")]
    held = ", ".join(f"z{latent}" for latent in material.morphology)
    blocks += _figure(
        {scheme: curves.latent(name, material.morphology) for scheme, name in with_latents.items()},
        {scheme: curves.latent(name, material.morphology, "random") for scheme, name in with_latents.items()},
        "latent",
        f"The neighbourhood attack: FGSM on all latents but those of morphology ({held}), in which other surroundings "
        f"account for less than {percent(MORPHOLOGY_SHARE, 0)} of the variance. Dotted lines are random signs. Models "
        "that read no other latent cannot be moved.",
    )
    return blocks


def _energies(material: Material, curves: Attacks, names: dict[int, str]) -> Table:
    """Return where the gradients of successful attacks on crops lie."""
    rows = []
    for name in names.values():
        images = material.test(name).some(ATTACKED).images
        energy, area = successful_energy(material.classifier(name), images, curves.image(name))
        shares = [
            f"{percent(inside.mean())} ({percent(own.mean())})" if np.isfinite(inside).all() else "n/a"
            for inside, own in zip(energy.T[1:], area.T[1:], strict=True)
        ]
        rows.append((material.title(name), *shares))
    caption = (
        "Of the attacks on crops that succeed: the share of the gradient's energy inside the nucleus, and in brackets "
        "the nucleus' share of the crop, as chance would give. n/a: a model withstands all attacks of this magnitude."
    )
    return Table(("Classifier", *(f"ε = {eps:g}" for eps in IMAGE_EPS[1:])), rows, caption)


def _tested(material: Material) -> tuple[dict[int, str], list[Block]]:
    """Scheme to classifier, of those whose test cells are known, and why others are left out."""
    found: dict[int, str] = {}
    missing: list[Block] = []
    for scheme, name in material.one_a_scheme.items():
        try:
            material.test(name)
            _check_gradient(material.classifier(name))
            found[scheme] = name
        except Absent as absent:
            missing.append(Paragraph(f"{material.title(name)}: {absent}", "absent"))
    return found, missing


def _figure(
    curves: dict[int, AttackCurve], controls: dict[int, AttackCurve], space: str, caption: str
) -> list[Block]:
    from morpholaw.figures.attacks import attack_curves

    figure = attack_curves(
        next(iter(curves.values())).eps,
        _accuracy(curves),
        schemes=list(curves),
        control=_accuracy(controls),
        space=space,
        figsize=(3.6, None),
    )
    return [drawing(figure, f"Accuracy under attack in {space} space", caption)]


def _accuracy(curves: dict[int, AttackCurve]) -> np.ndarray:
    """Return the accuracy of several schemes, (schemes, members, eps); NaN where a scheme has fewer models."""
    members = max(len(curve.accuracy) for curve in curves.values())
    accuracy = np.full((len(curves), members, len(next(iter(curves.values())).eps)), np.nan)
    for row, curve in enumerate(curves.values()):
        accuracy[row, : len(curve.accuracy)] = curve.accuracy
    return accuracy


def constraints(material: Material) -> list[Block]:
    """Show a table: one row per constraint, one column per scheme."""
    if not material.names:
        raise Absent("No classifier has been trained yet, so no constraint can be measured.")
    blocks: list[Block] = []
    measured: dict[str, list[Constraint]] = {}
    for name in material.names:
        try:
            measured[name] = measure(material.classifier(name), material.test(name), material.morphology)
        except Absent as absent:
            blocks.append(Paragraph(f"{material.title(name)}: {absent}", "absent"))
    if measured:
        blocks.insert(0, _table(measured))
    return blocks


def measure(classifier: Classifier, cells: TestCells, kept: tuple[int, ...]) -> list[Constraint]:
    """Show the domain constraints of a classifier on some of its test cells; Absent where it has no gradient."""
    _check_gradient(classifier)
    some = cells.some(CONSTRAINED)
    crops = LabelledCrops(some.images, some.targets, nucleus_masks(some.images), some.groups)
    return domain_constraints(classifier, crops, kept)


def _table(measured: dict[str, list[Constraint]]) -> Table:
    columns = ("Constraint", *(classifier_title(name) for name in measured))
    rows = [
        (capitalised(found[0].meaning), *(_two_lines(in_words(one)) for one in found))
        for found in zip(*measured.values(), strict=True)
    ]
    caption = (
        f"Measured on at most {CONSTRAINED} test cells, with 95 % bootstrap intervals over groups of cells and models. "
        "Only the smallest perturbation is in units of the grey range [0, 1]; “> 0.5” stands for no change of class up "
        "to 0.5."
    )
    return Table(columns, rows, caption)


def _two_lines(text: str) -> Markup:
    """Return the interval under its number."""
    value, _, interval = text.partition(" (")
    return Markup("{}<br><small>({}</small>").format(value, interval) if interval else escape(text)


def in_words(constraint: Constraint) -> str:
    """Return "97.0 % (95.1 to 98.2)", or why there is no number."""
    if constraint.estimate is None:
        return f"n/a: {constraint.reason}"
    value, low, high = constraint.estimate.value, constraint.estimate.low, constraint.estimate.high
    if constraint.limit is not None:
        above = f"> {constraint.limit:g}"
        texts = [number(v, 3) if np.isfinite(v) else above for v in (value, low, high)]
        return f"{texts[0]} ({texts[1]} to {texts[2]})"
    return percent_interval(value, low, high)
