"""Accuracy on the test cells: ROC curves, confusion matrices and misclassified cells."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np

from morpholaw.display import counted, number, percent, percent_interval
from morpholaw.evaluation.bootstrap import precision_interval
from morpholaw.evaluation.performance import applied_score, margins
from morpholaw.models.classes import classes_of_scores
from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Block, Paragraph, Table, drawing, photograph
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.store.guessing import guessing_mark, guessing_sentence
from morpholaw.store.overview import start_sentence

WRONG = 8
"""Number of misclassified cells shown per classifier."""
WORST = 3
"""Number of groups listed on which a classifier is least accurate."""
PREVALENCES = (0.5, 0.1, 0.02)
"""Prevalences for which precision is reported."""


def doubts(record: ClassifierRecord) -> list[Block]:
    """Return a warning if the accuracy of a classifier cannot be distinguished from guessing."""
    return _warning(guessing_sentence(record))


def mark(record: ClassifierRecord) -> list[Block]:
    """Return the short form of this warning, for the sections that follow the one on performance."""
    return _warning(guessing_mark(record))


def _warning(sentence: str) -> list[Block]:
    return [Paragraph(sentence, "warning")] if sentence else []


def performance(material: Material) -> list[Block]:
    """Show ROC curves, confusion matrices, and accuracy by class and by group, on the test cells."""
    from morpholaw.figures.performance import roc

    if not material.names:
        raise Absent("No classifier has been trained yet, so there is nothing to compare.")
    blocks = [block for name in material.names for block in doubts(material.records[name])]
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
            "each scheme."
        )
        if "scheme4-mse" in material.names and same.get(4) == "scheme4-hinge":
            caption += " For scheme 4, the laws found with the hinge loss are shown."
        blocks.append(drawing(figure, "ROC curves", caption))
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
    """Show the confusion matrix of a classifier of more than two classes, and each class against the rest."""
    return [_confusion(material, name), *_one_against_the_rest(material, name)]


def _confusion(material: Material, name: str) -> Block:
    from morpholaw.figures.performance import confusion

    record = material.records[name]
    evaluation, members = record.evaluation, record.members
    width = min(2.7 + 0.55 * (len(record.classes) - 2), 7.2)
    figure = confusion(np.array(evaluation.confusion), record.classes, figsize=(width, None))
    subject = f"median score of {members} models" if members > 1 else "one model"
    if evaluation.law is not None:
        subject = f"law {evaluation.law + 1}" if record.two_classes else "largest law"
    accuracy = percent_interval(*astuple(evaluation.ensemble_accuracy))
    caption = (
        f"{material.title(name)}, {subject}: confusion matrix on the test cells. The accuracy is {accuracy}."
    )
    if evaluation.undefined:
        agree = "is not finite and counts as an error"
        if evaluation.undefined > 1:
            agree = "are not finite and count as errors"
        caption += f" {counted(evaluation.undefined, 'score')} of single models {agree}."
    if start := start_sentence(record):
        caption += f" {start}"
    return drawing(figure, f"Confusion matrix of {name}", caption)


def _one_against_the_rest(material: Material, name: str) -> list[Block]:
    """Show precision, recall and ROC curve of each class against the rest."""
    from morpholaw.figures.performance import class_roc

    record = material.records[name]
    blocks: list[Block] = [_by_class(material, name)]
    if not _tested(material, name):
        return blocks
    scores = applied_score(material.scores(name), record.scheme)
    colours = material.study.class_colours(record.classes)
    figure = class_roc(scores, material.test(name).targets, record.classes, colours, figsize=(5.2, None))
    caption = (
        f"{material.title(name)}: ROC curve of each class against the rest. The score is the logarithm of the softmax"
        f"{'' if record.scheme == 4 else ' (median of the models)'}."
    )
    return [*blocks, drawing(figure, f"ROC curves of {name}, each class against the rest", caption)]


def _correct(material: Material, name: str) -> np.ndarray:
    """Return whether each model classifies each test cell correctly, bool (members, n); of laws, only the first."""
    scores, cells = material.scores(name), material.test(name)
    if material.records[name].scheme == 4:
        scores = scores[:1]
    correct: np.ndarray = classes_of_scores(scores, len(material.records[name].classes)) == cells.targets
    return correct


def _by_group(material: Material, names: list[str]) -> Table:
    """Return a table of the accuracy by group, with the groups of lowest accuracy."""
    rows = []
    for name in names:
        correct, groups = _correct(material, name).mean(axis=0), material.test(name).groups
        labels, inverse = np.unique(groups, return_inverse=True)
        sizes = np.bincount(inverse)
        accuracy = np.bincount(inverse, correct) / sizes
        worst = np.argsort(accuracy - 1e-6 * sizes, kind="stable")[:WORST]
        listed = "; ".join(
            f"{labels[k]}: {percent(accuracy[k])} of {sizes[k]}" for k in worst if accuracy[k] < 1
        )
        rows.append(
            (
                material.title(name),
                f"{len(labels):,}",
                percent(np.median(accuracy)),
                f"{(accuracy < 1).sum():,}",
                listed or "none",
            )
        )
    caption = (
        "Accuracy per group (track, lineage or movie) of test cells. Accuracies are means over the models; of several "
        f"laws, the first is used. The last column lists the {WORST} groups of lowest accuracy with their number of "
        "cells."
    )
    return Table(("Classifier", "Groups", "Median accuracy", "Groups with errors", "Lowest"), rows, caption)


def _where_rare(material: Material, names: list[str]) -> Table:
    """Return a table of the precision for the second class at several prevalences."""
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
        "Precision (share of the cells predicted to be of a class that are) at three prevalences of the class, "
        "calculated from the test cells by Bayes' rule, with 95 % confidence intervals over groups. If there are no "
        "false positives among the test cells, the lower limit accounts for those that so few groups cannot exclude."
    )
    return Table(
        ("Classifier and class", *(f"Prevalence {percent(p, 0)}" for p in PREVALENCES)), rows, caption
    )


def _by_class(material: Material, name: str) -> Table:
    """Return a table of precision, recall, F1 and area under the ROC curve of each class."""
    record = material.records[name]
    rows = []
    for label, metrics in zip(record.classes, record.evaluation.by_class, strict=True):
        shares = [
            "n/a" if np.isnan(share.value) else percent_interval(*astuple(share))
            for share in (metrics.recall, metrics.precision, metrics.f1)
        ]
        rows.append((label, f"{metrics.cells:,}", *shares, number(metrics.roc_auc, 3)))
    balanced = percent_interval(*astuple(record.evaluation.balanced_interval))
    caption = (
        f"{material.title(name)}: each class against the rest, with the class frequencies of the test set and 95 % "
        f"confidence intervals over groups of cells. The balanced accuracy is {balanced}."
    )
    return Table(("Class", "Test cells", "Recall", "Precision", "F1", "ROC AUC"), rows, caption)


def _tested(material: Material, name: str) -> bool:
    try:
        return len(material.test(name)) > 0
    except Absent:
        return False


def wrong_cells(material: Material) -> list[Block]:
    """Show the test cells that each classifier misclassifies with the largest scores."""
    if not material.names:
        raise Absent("No classifier has been trained yet, so there are no misclassified cells.")
    blocks: list[Block] = []
    for name in material.names:
        try:
            scheme = material.records[name].scheme
            predictor = "law 1" if scheme == 4 else "median score"
            score = applied_score(material.scores(name), scheme)
            blocks += most_wrong(material, name, score, f"{material.title(name)}, {predictor}")
        except Absent as absent:
            blocks.append(Paragraph(f"{material.title(name)}: {absent}", "absent"))
    return blocks


def most_wrong(material: Material, name: str, scores: np.ndarray, subject: str) -> list[Block]:
    """Show misclassified test cells in the order of their scores, largest first, after those without a score."""
    from morpholaw.figures.pictures import montage

    cells = material.test(name)
    classes = np.array(material.records[name].classes)
    predicted = classes_of_scores(scores, len(classes))
    wrong = np.flatnonzero(predicted != cells.targets)
    if len(classes) > 2:
        scores = margins(scores)
    if not len(wrong):
        return [Paragraph(f"{subject}: all {len(cells):,} test cells are classified correctly.")]
    size = np.where(np.isfinite(scores[wrong]), np.abs(scores[wrong]), np.inf)
    shown = wrong[np.argsort(-size, kind="stable")[:WRONG]]
    table = material.study.crops.cells.iloc[cells.index[shown]]
    listed = ", ".join(f"{row['set']} #{row['crop']}" for row in table[["set", "crop"]].to_dict("records"))
    truth = classes[cells.targets[shown]]
    captions = None
    score = "score"
    if len(classes) > 2:
        captions = [f"→ {classes[number]}" if number >= 0 else "→ n/a" for number in predicted[shown]]
        score = "predicted class; f is its margin over the next class"
    figure = montage(
        cells.images[shown], scores=scores[shown], labels=list(truth), captions=captions, columns=len(shown),
        pixel_size=material.pixel_size,
    )  # fmt: skip
    which = (
        "The figure shows those with the largest scores" if len(wrong) > WRONG else "The figure shows them"
    )
    caption = (
        f"{subject}: {len(wrong):,} of {counted(len(cells), 'test cell')} {'is' if len(wrong) == 1 else 'are'} "
        f"not classified as labelled; the label may be wrong. {which}, with label and {score}. From left to right: "
        f"{listed}."
    )
    return [photograph(figure, f"Misclassified cells, {name}", caption)]
