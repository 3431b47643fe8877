"""Accuracy under attack, and the domain constraints, which say whether a model is appropriate for its domain."""

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
from morpholaw.report.page import Absent, Block, Paragraph, Table, drawing, with_notes

ATTACKED = 200
"""Number of test cells attacked, balanced over the classes."""
CONSTRAINED = 100
"""Number of test cells for the domain constraints."""
IMAGE_EPS = (0.0, 0.025, 0.05, 0.1, 0.15, 0.2)
LATENT_EPS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0)
AT_ONE = 3
"""Index in LATENT_EPS of the magnitude of the paper's neighbourhood attack."""
SHADE = 2
"""Index in IMAGE_EPS of the magnitude by which the Rashomon set is coloured."""


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
        """Constraints measured for every model: the values of each classifier, by the meaning of the constraint."""
        measures: dict[str, Callable[[str], np.ndarray]] = {
            f"accuracy under attack, ε = {IMAGE_EPS[SHADE]:g}": lambda name: self.image(name).accuracy[
                :, SHADE
            ],
            f"accuracy under neighbourhood attack, ε = {LATENT_EPS[AT_ONE]:g}": self._neighbourhood,
            "share of cells with one class in all orientations": self._orientation,
        }
        values: dict[str, dict[str, np.ndarray]] = {}
        for meaning, measure_of in measures.items():
            for name in self.material.two_class_names:
                with suppress(Absent):
                    values.setdefault(meaning, {})[name] = measure_of(name)
        return values

    def _neighbourhood(self, name: str) -> np.ndarray:
        if self.material.records[name].scheme == 1 or not self.material.morphology_of(name):
            raise Absent("This classifier does not read neighbourhood latents.")
        return self.latent(name, self.material.morphology_of(name)).accuracy[:, AT_ONE]

    def _orientation(self, name: str) -> np.ndarray:
        cells = self.material.test(name).some(CONSTRAINED)
        shares: np.ndarray = orientation_invariant(self.material.classifier(name), cells.images).mean(axis=1)
        return shares


def _check_gradient(classifier: Classifier) -> None:
    if classifier.columns is not None:
        raise Absent(NO_GRADIENT)


def attacks(material: Material, curves: Attacks) -> list[Block]:
    """Show accuracy over the magnitude of the perturbation, in image space and in latent space."""
    if not material.names:
        raise Absent("No classifier has been trained yet, so there is nothing to attack.")
    attacked, missing = _tested(material)
    if not attacked:
        return missing
    blocks = missing + _figure(
        {scheme: curves.image(name) for scheme, name in attacked.items()},
        {scheme: curves.image(name, "random") for scheme, name in attacked.items()},
        "image",
        f"Accuracy under fast gradient sign attacks (FGSM, eq. 1) on the image: mean and standard deviation over the "
        f"models, on at most {ATTACKED} test cells. The cells are balanced over the classes as far as possible, so the "
        "accuracy at ε = 0 can differ from that in Table 1. Dotted lines are controls: perturbations of the same "
        f"magnitude with random signs.{_different_classes(material, attacked)}",
    )
    blocks.append(_energies(material, curves, attacked))
    with_latents = {scheme: name for scheme, name in attacked.items() if scheme != 1}
    if not with_latents:
        return [
            *blocks,
            Paragraph("Only scheme 1 has been trained, which has no latents to attack.", "absent"),
        ]
    blocks += _figure(
        {scheme: curves.latent(name) for scheme, name in with_latents.items()},
        {scheme: curves.latent(name, (), "random") for scheme, name in with_latents.items()},
        "latent",
        "Accuracy under attacks on all latents. Dotted lines are controls with random signs.",
    )
    if not material.morphology:
        reason = (
            f"Surroundings account for {percent(MORPHOLOGY_SHARE, 0)} or more of the variance of every latent, so no "
            "latent describes the morphology of the cell alone, and the neighbourhood cannot be attacked separately."
        )
        return [*blocks, Paragraph(reason, "absent")]
    held = ", ".join(f"z{latent}" for latent in material.morphology)
    blocks += _figure(
        {scheme: curves.latent(name, material.morphology_of(name)) for scheme, name in with_latents.items()},
        {
            scheme: curves.latent(name, material.morphology_of(name), "random")
            for scheme, name in with_latents.items()
        },
        "latent",
        f"Accuracy under neighbourhood attacks: attacks on all latents except those that describe the morphology of "
        f"the cell ({held}), less than {percent(MORPHOLOGY_SHARE, 0)} of whose variance is due to surroundings. Dotted "
        "lines are controls with random signs. Models that read only latents of morphology are not affected.",
    )
    return blocks


def _different_classes(material: Material, names: dict[int, str]) -> str:
    """Return a sentence if classifiers distinguish different classes, so that their curves cannot be compared."""
    if len({material.records[name].classes for name in names.values()}) == 1:
        return ""
    numbers = (
        f"scheme {scheme} distinguishes {len(material.records[name].classes)} classes"
        for scheme, name in names.items()
    )
    return f" Curves for different classes cannot be compared: {', '.join(numbers)}."


def _energies(material: Material, curves: Attacks, names: dict[int, str]) -> Table:
    """Return a table of the share of the gradient inside the nucleus, for successful attacks on images."""
    rows = []
    for name in names.values():
        images = material.test(name).some(ATTACKED).images
        energy, area = successful_energy(material.classifier(name), images, curves.image(name))
        shares = [
            f"{percent(inside.mean())} ({percent(nucleus.mean())})" if np.isfinite(inside).all() else "n/a"
            for inside, nucleus in zip(energy.T[1:], area.T[1:], strict=True)
        ]
        rows.append((material.title(name), *shares))
    caption = (
        "Share of the gradient's energy inside the nucleus, for successful attacks on images. The share expected by "
        "chance, which is that of the crop's area covered by the nucleus, is in brackets. n/a: no attack of this "
        "magnitude succeeds on one of the models."
    )
    return Table(("Classifier", *(f"ε = {eps:g}" for eps in IMAGE_EPS[1:])), rows, caption)


def _tested(material: Material) -> tuple[dict[int, str], list[Block]]:
    """Return one classifier per scheme that can be attacked, and the reasons for leaving out others."""
    names: dict[int, str] = {}
    missing: list[Block] = []
    for scheme, name in material.one_a_scheme.items():
        try:
            material.test(name)
            _check_gradient(material.classifier(name))
            names[scheme] = name
        except Absent as absent:
            missing.append(Paragraph(f"{material.title(name)}: {absent}", "absent"))
    return names, missing


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
    """Return the accuracy of several schemes, (schemes, members, eps), padded with NaN."""
    members = max(len(curve.accuracy) for curve in curves.values())
    accuracy = np.full((len(curves), members, len(next(iter(curves.values())).eps)), np.nan)
    for row, curve in enumerate(curves.values()):
        accuracy[row, : len(curve.accuracy)] = curve.accuracy
    return accuracy


def constraints(material: Material) -> list[Block]:
    """Show a table of the constraints, one row per constraint and one column per classifier."""
    if not material.names:
        raise Absent("No classifier has been trained yet, so no constraints can be measured.")
    blocks: list[Block] = []
    measured: dict[str, list[Constraint]] = {}
    for name in material.names:
        try:
            measured[name] = measure(
                material.classifier(name), material.test(name), material.morphology_of(name)
            )
        except Absent as absent:
            blocks.append(Paragraph(f"{material.title(name)}: {absent}", "absent"))
    if measured:
        blocks.insert(0, _table(measured))
    return blocks


def measure(classifier: Classifier, cells: TestCells, kept: tuple[int, ...]) -> list[Constraint]:
    """Measure the domain constraints of a classifier on some of its test cells.

    Raises
    ------
    Absent
        If the classifier has no gradient.
    """
    _check_gradient(classifier)
    sample = cells.some(CONSTRAINED)
    crops = LabelledCrops(sample.images, sample.targets, nucleus_masks(sample.images), sample.groups)
    return domain_constraints(classifier, crops, kept)


def _table(measured: dict[str, list[Constraint]]) -> Table:
    columns = ("Constraint", *(classifier_title(name) for name in measured))
    rows = [
        (capitalised(row[0].meaning), *(_two_lines(in_words(constraint)) for constraint in row))
        for row in zip(*measured.values(), strict=True)
    ]
    caption = (
        f"Domain constraints, measured on at most {CONSTRAINED} test cells, with 95 % confidence intervals "
        "over groups of cells and models. The smallest perturbation is given in units of the grey range [0, 1]; "
        "“> 0.5” means that the class does not change up to 0.5."
    )
    return Table(columns, rows, caption)


def _two_lines(text: str) -> Markup:
    """Return the interval on a line below its value."""
    value, _, interval = text.partition(" (")
    return with_notes(value, f"({interval}") if interval else escape(text)


def in_words(constraint: Constraint) -> str:
    """Return "97.0 % (95.1 to 98.2)", or the reason why there is no value."""
    if constraint.estimate is None:
        return f"n/a: {constraint.reason}"
    value, low, high = constraint.estimate.value, constraint.estimate.low, constraint.estimate.high
    if constraint.limit is not None:
        above = f"> {constraint.limit:g}"
        texts = [number(v, 3) if np.isfinite(v) else above for v in (value, low, high)]
        return f"{texts[0]} ({texts[1]} to {texts[2]})"
    return percent_interval(value, low, high)
