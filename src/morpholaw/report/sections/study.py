"""What the study is, and Table 1."""

from __future__ import annotations

from collections import Counter

import numpy as np

from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Block, Paragraph, Table, photograph
from morpholaw.store.condition_record import condition_notes
from morpholaw.store.table1 import table1 as study_table1

EXAMPLES = 8
"""Cells shown of each class."""


def overview(material: Material) -> list[Block]:
    """Crop sets, class counts and the split."""
    study = material.study
    if not study.sets:
        raise Absent("The study has no crops yet; cut some from a movie or import a folder first.")
    rows = []
    ends = np.cumsum([0, *(len(crop_set) for crop_set in study.sets)])
    for crop_set, start, stop in zip(study.sets, ends[:-1], ends[1:], strict=True):
        labelled = int(np.count_nonzero(material.labels[start:stop] != ""))
        pixel_size = crop_set.record.pixel_size
        rows.append(
            (
                crop_set.name,
                crop_set.record.kind,
                f"{len(crop_set):,}",
                f"{labelled:,}",
                f"{crop_set.cells['group'].nunique():,}",
                f"{crop_set.size} × {crop_set.size}",
                "unknown" if pixel_size is None else f"{pixel_size:.3g} µm",
            )
        )
    columns = ("Crop set", "Kind", "Cells", "With a class", "Groups", "Pixels", "Pixel size")
    counts = Counter(material.labels[material.labels != ""].tolist())
    known = [name for name in study.classes if counts[name]]
    blocks: list[Block] = [
        Table(
            columns,
            rows,
            "A group is a track, a lineage, a movie or a replicate: it is never split between training and test.",
        )
    ]
    if known:
        cells = sum(counts.values())
        shares = [(name, f"{counts[name]:,}", f"{100 * counts[name] / cells:.1f}") for name in known]
        blocks.append(Table(("Class", "Cells", "%"), shares))
        blocks.append(_examples(material, known))
    else:
        blocks.append(Paragraph("No cell has a class yet.", "absent"))
    blocks += [Paragraph(sentence, "warning") for sentence in condition_notes(study)]
    return [*blocks, _split(material), *_elsewhere(material)]


def _examples(material: Material, known: list[str]) -> Block:
    """Show cells of each class, chosen at random (paper, figure 2)."""
    from morpholaw.figures.pictures import montage

    rng = np.random.default_rng(0)
    crops, labels, blank = material.study.crops, material.labels, []
    for name in known:
        cells = np.sort(rng.permutation(np.flatnonzero(labels == name))[:EXAMPLES])
        images = crops[cells]
        blank.append(np.concatenate([images, np.zeros((EXAMPLES - len(cells), *images.shape[1:]), np.uint8)]))
    names = [name if place == 0 else "" for name in known for place in range(EXAMPLES)]
    figure = montage(
        np.concatenate(blank),
        captions=names,
        columns=EXAMPLES,
        pixel_size=material.pixel_size,
        figsize=(6.4, None),
    )
    return photograph(
        figure, "Cells of each class", "Cells of each class, chosen at random: one row per class."
    )


def _elsewhere(material: Material) -> list[Block]:
    """Say of which cells the numbers of classifiers are that were trained on another study."""
    names = [name for name, record in material.records.items() if record.trained_elsewhere]
    if not names:
        return []
    who = "The classifiers were" if len(names) == len(material.records) else f"{', '.join(names)} were"
    if len(material.records) > 1 and len(names) == 1:
        who = f"{names[0]} was"
    return [
        Paragraph(
            f"{who} trained on the cells of another study, to which this split belongs. Table 1, the confusions and "
            "the accuracies of laws are of the held-out cells of that study. All else is computed here, with the "
            "labelled cells of this study as test cells."
        )
    ]


def _split(material: Material) -> Paragraph:
    recorded = {
        (record.evaluation.split, record.evaluation.training_cells, record.evaluation.test_cells)
        for record in material.records.values()
    }
    if not recorded:
        return Paragraph(
            "No classifier has been trained yet, so there is no split into training and test cells.", "absent"
        )
    listed = "; ".join(
        f"{split} ({training:,} cells in training, {test:,} in test)"
        for split, training, test in sorted(recorded)
    )
    if len(recorded) > 1:
        return Paragraph(
            f"The classifiers were not all tested on the same cells, so their numbers cannot be compared: {listed}.",
            "warning",
        )
    return Paragraph(
        f"Split by group, fingerprint {listed}: the same fingerprint names the same groups in test."
    )


def table1(material: Material) -> list[Block]:
    """Show the paper's Table 1 for this study, beside the paper's own."""
    if not material.names:
        raise Absent("No classifier has been trained yet, so Table 1 is empty.")
    table = study_table1(material.study)
    wanted = {
        "scheme": "Scheme",
        "model": "Model",
        "models": "Models",
        "head weights": "Head weights",
        "paper's weights": "paper",
        "head expression size": "Head size",
        "paper's size": "paper ",
        "accuracy %": "Accuracy, %",
        "paper's accuracy %": "paper  ",
        "balanced accuracy %": "Balanced accuracy, %",
        "balanced 95 % interval": "95 % interval",
    }
    papers = [name for name in wanted if name.startswith("paper")]
    beside = not (table[papers].astype(str) == "n/a").all(axis=None)
    if not beside:
        wanted = {name: title for name, title in wanted.items() if name not in papers}
    table = table.assign(scheme=table["scheme"].astype(object).where(table["scheme"] > 0, "baseline"))
    rows = [[_unbroken(str(row[name])) for name in wanted] for row in table.to_dict("records")]
    caption = (
        "Mean ± standard deviation over the models, on the test cells; the head size is that of its expression, in "
        "nodes (appendix C). The interval is that of the balanced accuracy of the models' median score, over groups of "
        "cells (tracks, lineages or movies). Baselines read shapes that are measured in the crops, on the same split."
    )
    if beside:
        caption += (
            " Columns headed “paper” hold the numbers of Soelistyo & Lowe's Table 1, which were measured on other "
            "cells (MDCK, interphase against metaphase)."
        )
    return [Table(list(wanted.values()), rows, caption)]


def _unbroken(text: str) -> str:
    """Keep the names of the schemes readable in a narrow column."""
    return (
        text.replace("β-", "β\u2011")
        .replace(" head", "\u00a0head")
        .replace(" expression", "\u00a0expression")
    )
