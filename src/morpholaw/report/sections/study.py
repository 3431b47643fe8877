"""Overview of the study, and Table 1."""

from __future__ import annotations

from collections import Counter

import numpy as np

from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Block, Paragraph, Table, photograph, with_notes
from morpholaw.store.changes import changes_since
from morpholaw.store.confounding import classifiers_confounding
from morpholaw.store.table1 import table1 as study_table1

EXAMPLES = 8
"""Number of cells shown per class."""


def overview(material: Material) -> list[Block]:
    """Show the crop sets, the number of cells per class, and the split."""
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
    columns = ("Crop set", "Kind", "Cells", "Labelled cells", "Groups", "Crop size, pixels", "Pixel size")
    counts = Counter(material.labels[material.labels != ""].tolist())
    classes = [name for name in study.classes if counts[name]]
    blocks: list[Block] = [
        Table(
            columns,
            rows,
            "A group is a track, lineage, movie or replicate. Its cells are either all in the training set or all in "
            "the test set.",
        )
    ]
    if classes:
        cells = sum(counts.values())
        shares = [(name, f"{counts[name]:,}", f"{100 * counts[name] / cells:.1f}") for name in classes]
        blocks.append(Table(("Class", "Cells", "Share, %"), shares))
        blocks.append(_examples(material, classes))
    else:
        blocks.append(Paragraph("No cells have been labelled yet.", "absent"))
    confounded = classifiers_confounding(study, material.labels, material.records.values())
    blocks += [Paragraph(sentence, "warning") for sentence in confounded]
    changed = [
        sentence
        for record in material.records.values()
        for sentence in changes_since(study, record, material.labels)
    ]
    blocks += [Paragraph(sentence, "warning") for sentence in dict.fromkeys(changed)]
    return [*blocks, _split(material), *_elsewhere(material)]


def _examples(material: Material, known: list[str]) -> Block:
    """Show randomly chosen cells of each class (paper, figure 2)."""
    from morpholaw.figures.pictures import montage

    rng = np.random.default_rng(0)
    crops, labels, rows = material.study.crops, material.labels, []
    for name in known:
        cells = np.sort(rng.permutation(np.flatnonzero(labels == name))[:EXAMPLES])
        images = crops[cells]
        rows.append(np.concatenate([images, np.zeros((EXAMPLES - len(cells), *images.shape[1:]), np.uint8)]))
    names = [name if place == 0 else "" for name in known for place in range(EXAMPLES)]
    figure = montage(
        np.concatenate(rows),
        captions=names,
        columns=EXAMPLES,
        pixel_size=material.pixel_size,
        figsize=(6.4, None),
    )
    return photograph(
        figure, "Cells of each class", "Randomly chosen cells of each class, one class per row."
    )


def _elsewhere(material: Material) -> list[Block]:
    """State which results refer to the test set of another study."""
    names = [name for name, record in material.records.items() if record.trained_elsewhere]
    if not names:
        return []
    subject = "The classifiers were" if len(names) == len(material.records) else f"{', '.join(names)} were"
    if len(material.records) > 1 and len(names) == 1:
        subject = f"{names[0]} was"
    return [
        Paragraph(
            f"{subject} trained on cells of another study, to which this split belongs. Table 1, the confusion "
            "matrices and the accuracies of laws refer to the test set of that study. All other results were computed "
            "on the labelled cells of this study."
        )
    ]


def _split(material: Material) -> Paragraph:
    splits = {
        (record.evaluation.split, record.evaluation.training_cells, record.evaluation.test_cells)
        for record in material.records.values()
    }
    if not splits:
        return Paragraph(
            "No classifier has been trained yet, so there is no split into training and test set.", "absent"
        )
    listed = "; ".join(
        f"{split} ({training:,} training cells, {test:,} test cells)"
        for split, training, test in sorted(splits)
    )
    if len(splits) > 1:
        return Paragraph(
            "The classifiers were evaluated on different test sets, so their accuracies cannot be compared. The splits "
            f"are {listed}.",
            "warning",
        )
    return Paragraph(f"The split is {listed}. Splits with the same identifier have the same test groups.")


def table1(material: Material) -> list[Block]:
    """Show Table 1 of the paper for this study, next to the paper's numbers."""
    if not material.names:
        raise Absent("No classifier has been trained yet, so Table 1 is empty.")
    table = study_table1(material.study)
    columns = {
        "Scheme": ("scheme", ""),
        "Model": ("model", ""),
        "Models": ("models", ""),
        "Head weights": ("head weights", "paper's weights"),
        "Head size": ("head expression size", "paper's size"),
        "Accuracy, %": ("accuracy %", "paper's accuracy %"),
        "Balanced accuracy, %": ("balanced accuracy %", ""),
        "95 % interval": ("balanced 95 % interval", ""),
    }
    if several := table["test set"].nunique() > 1:
        columns["Test set"] = ("test set", "")
    table = table.assign(scheme=table["scheme"].astype(object).where(table["scheme"] > 0, "baseline"))
    rows = [
        [_with_papers(str(row[own]), str(row.get(papers, "n/a"))) for own, papers in columns.values()]
        for row in table.to_dict("records")
    ]
    caption = (
        "Mean ± standard deviation over the models, on the test set. Head size is the number of nodes of the head "
        "written as an expression (appendix C). The last column is the 95 % confidence interval of the balanced "
        "accuracy of the models' median score (of law 1 for scheme 4), over groups of cells (tracks, lineages or "
        "movies)."
    )
    if (table["scheme"] == "baseline").any():
        caption += " The baselines use shapes measured in the crops, on the same split."
    if several:
        sets = table.drop_duplicates("test set")
        listed = "; ".join(
            f"{letter}: {cells:,} cells ({classes})"
            for letter, cells, classes in zip(
                sets["test set"], sets["test cells"], sets["classes"], strict=True
            )
        )
        caption += f" Only rows with the same test set can be compared. {listed}."
    if (table["paper's accuracy %"] != "n/a").any():
        caption += (
            " The paper's values are from Table 1 of Soelistyo & Lowe, which was measured on other cells (MDCK, "
            "interphase against metaphase)."
        )
    return [Table(list(columns), rows, caption)]


def _with_papers(own: str, papers: str) -> object:
    """Return a value with that of the paper below it, if there is one."""
    if papers == "n/a":
        return _unbroken(own)
    return with_notes(own, f"paper: {papers}")


def _unbroken(text: str) -> str:
    """Prevent line breaks within the names of schemes."""
    return (
        text.replace("β-", "β\u2011")
        .replace(" head", "\u00a0head")
        .replace(" expression", "\u00a0expression")
    )
