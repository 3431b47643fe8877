"""How well each scheme calls the test cells: ROC, confusion, the Rashomon set, the most wrong cells."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

import numpy as np

from morpholaw.display import number, percent, percent_interval
from morpholaw.evaluation.bootstrap import precision_interval
from morpholaw.evaluation.performance import applied_score, margins
from morpholaw.interpretation.rashomon import ModelPoint, model_points, smallest_within
from morpholaw.models.classes import classes_of_scores
from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Block, Paragraph, Table, drawing, photograph
from morpholaw.store.overview import guessing_sentence, start_sentence

WRONG = 8
"""Most wrong cells shown of a scheme."""
WORST = 3
"""Groups shown that a classifier is worst on."""
PREVALENCES = (0.5, 0.1, 0.02)
"""Shares of all cells at which the precision of a class is given."""
TOLERANCE = 0.01
"""How far below the best a small model may be and still be good enough."""


def performance(material: Material) -> list[Block]:
    """ROC curves and confusion matrices on the test cells."""
    from morpholaw.figures.performance import roc

    if not material.names:
        raise Absent("No classifier has been trained yet, so there is nothing to compare.")
    blocks: list[Block] = [
        Paragraph(sentence, "warning")
        for name in material.names
        if (sentence := guessing_sentence(material.records[name]))
    ]
    curves = {
        scheme: name
        for scheme, name in material.one_a_scheme.items()
        if material.records[name].two_classes and _tested(material, name)
    }
    if curves:
        first = next(iter(curves.values()))
        same = {
            s: n
            for s, n in curves.items()
            if np.array_equal(material.test(n).index, material.test(first).index)
        }
        figure = roc(
            {scheme: material.scores(name) for scheme, name in same.items()}, material.test(first).targets
        )
        caption = (
            f"ROC curves on {len(material.test(first)):,} test cells: mean and standard deviation over the models of "
            "each scheme"
        )
        hinge = (
            " (of scheme 4, the laws found with the hinge loss)"
            if "scheme4-mse" in material.names and same.get(4) == "scheme4-hinge"
            else ""
        )
        blocks.append(drawing(figure, "ROC curves", f"{caption}{hinge}."))
    for name in material.names:
        blocks.append(_confusion(material, name))
        if not material.records[name].two_classes:
            blocks += _one_against_the_rest(material, name)
        else:
            blocks.append(_by_class(material, name))
    tested = [name for name in material.names if _tested(material, name)]
    if tested:
        blocks.append(_by_group(material, tested))
    pairs = [name for name in tested if material.records[name].two_classes]
    if pairs:
        blocks.append(_where_rare(material, pairs))
    return blocks


def of_classes(material: Material, name: str) -> list[Block]:
    """Return the confusion matrix of a classifier of more than two classes, and each class against the rest."""
    return [_confusion(material, name), *_one_against_the_rest(material, name)]


def _confusion(material: Material, name: str) -> Block:
    from morpholaw.figures.performance import confusion

    record = material.records[name]
    evaluation, members = record.evaluation, record.members
    width = min(2.7 + 0.55 * (len(record.classes) - 2), 7.2)
    figure = confusion(np.array(evaluation.confusion), record.classes, figsize=(width, None))
    whose = f"median score of {members} models" if members > 1 else "one model"
    if evaluation.law is not None:
        whose = f"law {evaluation.law + 1}" if record.two_classes else "the largest of the laws"
    right = percent_interval(*astuple(evaluation.ensemble_accuracy))
    caption = f"{material.title(name)}: {whose}, right: {right}."
    if evaluation.undefined:
        caption += f" {evaluation.undefined} scores of single models are not finite and count as wrong."
    if start := start_sentence(record):
        caption += f" {start}"
    return drawing(figure, f"Confusion matrix of {name}", caption)


def _one_against_the_rest(material: Material, name: str) -> list[Block]:
    """Return precision, recall and ROC curve of each class, where they were or can be measured."""
    from morpholaw.figures.performance import class_roc

    record = material.records[name]
    blocks: list[Block] = [_by_class(material, name)]
    if not _tested(material, name):
        return blocks
    scores = applied_score(material.scores(name), record.scheme)
    colours = material.study.class_colours(record.classes)
    figure = class_roc(scores, material.test(name).targets, record.classes, colours, figsize=(5.2, None))
    caption = (
        f"{material.title(name)}: ROC curve of each class against the rest, by the logarithm of the softmax"
        f"{'' if record.scheme == 4 else ', its median over the models'}."
    )
    return [*blocks, drawing(figure, f"ROC curves of {name}, each class against the rest", caption)]


def _correct(material: Material, name: str) -> np.ndarray:
    """Return which test cells each model is right about, bool (members, n); of laws the first, which is applied."""
    scores, cells = material.scores(name), material.test(name)
    if material.records[name].scheme == 4:
        scores = scores[:1]
    correct: np.ndarray = classes_of_scores(scores, len(material.records[name].classes)) == cells.targets
    return correct


def _by_group(material: Material, names: list[str]) -> Table:
    """Return how accuracy differs between groups, and the groups that are worst."""
    rows = []
    for name in names:
        share, groups = _correct(material, name).mean(axis=0), material.test(name).groups
        labels, number = np.unique(groups, return_inverse=True)
        sizes = np.bincount(number)
        each = np.bincount(number, share) / sizes
        worst = np.argsort(each - 1e-6 * sizes, kind="stable")[:WORST]
        shown = "; ".join(f"{labels[k]}: {percent(each[k])} of {sizes[k]}" for k in worst if each[k] < 1)
        rows.append(
            (
                material.title(name),
                f"{len(labels):,}",
                percent(np.median(each)),
                f"{(each < 1).sum():,}",
                shown or "none",
            )
        )
    caption = (
        "Accuracy on the test cells by group (track, lineage or movie), mean over the models, of laws the first; the "
        f"{WORST} worst groups with the number of their cells."
    )
    return Table(("Classifier", "Groups", "Median", "With a wrong cell", "Worst"), rows, caption)


def _where_rare(material: Material, names: list[str]) -> Table:
    """Return what a predicted class means where it is rarer than in the labelled set."""
    rows = []
    for name in names:
        cells = material.test(name)
        shares = [
            precision_interval(_correct(material, name), cells.groups, cells.targets, prevalence)
            for prevalence in PREVALENCES
        ]
        of_class = f"{material.title(name)}, {material.records[name].classes[1]}"
        rows.append((of_class, *(percent_interval(*astuple(share)) for share in shares)))
    caption = (
        "Precision: how many of the cells that are predicted to be of the class are, where it is the stated share of "
        "all cells, by Bayes' rule from the test cells; 95 % intervals over groups. Where no test cell is given "
        "the class wrongly, the lower end allows for as many as the number of groups cannot exclude."
    )
    return Table(("Classifier and class", *(f"At {percent(p, 0)}" for p in PREVALENCES)), rows, caption)


def _by_class(material: Material, name: str) -> Table:
    """Return precision, recall, F1 and area under the ROC curve of each class."""
    record = material.records[name]
    rows = []
    for label, one in zip(record.classes, record.evaluation.by_class, strict=True):
        shares = [
            "n/a" if np.isnan(share.value) else percent_interval(*astuple(share))
            for share in (one.recall, one.precision, one.f1)
        ]
        rows.append((label, f"{one.cells:,}", *shares, number(one.roc_auc, 3)))
    balanced = percent_interval(*astuple(record.evaluation.balanced_interval))
    caption = (
        f"{material.title(name)}: each class of the test cells against the rest, at the shares that the classes have "
        f"among them, with 95 % intervals over groups of cells. Balanced over the classes, {balanced} are right."
    )
    return Table(("Class", "Test cells", "Recall", "Precision", "F1", "ROC area"), rows, caption)


def _tested(material: Material, name: str) -> bool:
    try:
        return len(material.test(name)) > 0
    except Absent:
        return False


def rashomon_set(
    material: Material, constraints: dict[str, dict[str, np.ndarray]] | None = None
) -> list[Block]:
    """Every model of the study by size and accuracy, once for each measured constraint, which is its colour."""
    from morpholaw.figures.rashomon import rashomon

    points: list[ModelPoint] = []
    titles: list[str] = []
    shades: dict[str, list[np.ndarray]] = {meaning: [] for meaning in constraints or {}}
    for name, record in material.records.items():
        own = model_points(record.scheme, record.evaluation.accuracy, record.expression_sizes)
        points += own
        titles += [material.title(name)] * len(own)
        for meaning, values in (constraints or {}).items():
            shades[meaning].append(values.get(name, np.full(len(own), np.nan)))
    if not points:
        raise Absent("No classifier has been trained yet, so there is no set of models to compare.")
    smallest = smallest_within(points, TOLERANCE)
    sizes, accuracies = (
        np.array([getattr(point, name) for point in points]) for name in ("size", "accuracy")
    )
    options: list[dict[str, Any]] = [
        {"colour": np.concatenate(values), "colour_name": meaning} for meaning, values in shades.items()
    ]
    caption = (
        f"All {len(points)} models of the study. The smallest within {percent(TOLERANCE, 0)} of the best is model "
        f"{smallest.member + 1} of {titles[points.index(smallest)]}: {smallest.size} nodes at "
        f"{percent(smallest.accuracy)}."
    )
    blocks: list[Block] = []
    for place, option in enumerate(options or [{}]):
        figure = rashomon(
            sizes, accuracies, [point.scheme for point in points],
            within=TOLERANCE, figsize=(5.6, None), **option,
        )  # fmt: skip
        text = caption if not place else f"The same models; the colour is the {option['colour_name']}."
        blocks.append(drawing(figure, "The Rashomon set", text))
    return blocks


def wrong_cells(material: Material) -> list[Block]:
    """Show the most confidently misjudged test cells of each scheme."""
    if not material.names:
        raise Absent("No classifier has been trained yet, so no cell is wrong.")
    blocks: list[Block] = []
    for name in material.names:
        try:
            scheme = material.records[name].scheme
            which = "first law" if scheme == 4 else "median score"
            score = applied_score(material.scores(name), scheme)
            blocks += most_wrong(material, name, score, f"{material.title(name)}, {which}")
        except Absent as absent:
            blocks.append(Paragraph(f"{material.title(name)}: {absent}", "absent"))
    return blocks


def most_wrong(material: Material, name: str, scores: np.ndarray, of: str) -> list[Block]:
    """Return the test cells of the wrong class, the largest score first; those without a score come before them."""
    from morpholaw.figures.pictures import montage

    cells = material.test(name)
    classes = np.array(material.records[name].classes)
    called = classes_of_scores(scores, len(classes))
    wrong = np.flatnonzero(called != cells.targets)
    if len(classes) > 2:
        scores = margins(scores)
    if not len(wrong):
        return [Paragraph(f"{of}: none of the {len(cells):,} test cells is called wrong.")]
    far = np.where(np.isfinite(scores[wrong]), np.abs(scores[wrong]), np.inf)
    shown = wrong[np.argsort(-far, kind="stable")[:WRONG]]
    table = material.study.crops.cells.iloc[cells.index[shown]]
    where = [f"{row['set']} #{row['crop']}" for row in table[["set", "crop"]].to_dict("records")]
    truth = classes[cells.targets[shown]]
    captions = None
    score = "score"
    if len(classes) > 2:
        captions = [f"→ {classes[one]}" if one >= 0 else "→ n/a" for one in called[shown]]
        score = "the class that they were given, which is ahead of the next by f"
    figure = montage(
        cells.images[shown], scores=scores[shown], labels=list(truth), captions=captions, columns=len(shown),
        pixel_size=material.pixel_size,
    )  # fmt: skip
    caption = (
        f"{of}: the most wrong of {len(wrong):,} wrong among {len(cells):,} test cells, with their true class and "
        f"{score}: {', '.join(where)}."
    )
    return [photograph(figure, f"Most wrong cells of {name}", caption)]
