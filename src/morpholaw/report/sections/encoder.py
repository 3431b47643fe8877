"""The encoder: what it keeps of a cell, how it was trained, and what its latents mean."""

from __future__ import annotations

import numpy as np

from morpholaw.display import correlation, number, percent
from morpholaw.interpretation.latent_names import LEAST_SHARE
from morpholaw.interpretation.latent_summary import LEAST_KL, MORPHOLOGY_SHARE, LatentSummary
from morpholaw.interpretation.traversal import TYPICAL, decode, traverse
from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Block, Paragraph, Table, drawing, photograph

SHOWN = 10
"""Cells shown beside their reconstructions."""
QUANTITIES = ("reconstruction", "mutual information", "total correlation", "dimension-wise KL")


def reconstructions(material: Material) -> list[Block]:
    """Cells, what the latents keep of them, and how much that is."""
    from morpholaw.figures.pictures import reconstructions as figure

    encoder, crops = material.encoder, material.study.crops
    chosen = _examples(material)
    means = material.encoded[0]
    pixels = crops[material.sample[:500]].astype(np.float32) / 255
    error = np.mean((decode(encoder, means[:500]) - pixels) ** 2)
    explained = 1 - error / np.mean((pixels - pixels.mean(axis=0)) ** 2)
    shown = crops[chosen]
    from morpholaw.evaluation.scoring import encode_means

    drawn = figure(
        shown,
        decode(encoder, encode_means(encoder, shown)),
        columns=len(chosen),
        pixel_size=material.pixel_size,
    )
    caption = (
        f"Cells of the study above their reconstructions from {encoder.latents} latents. Over {len(pixels):,} cells "
        f"the reconstructions explain {percent(explained)} of the pixels' variance around the mean crop "
        f"(root mean square error {number(np.sqrt(error), 3)} of the grey range)."
    )
    return [photograph(drawn, "Cells and their reconstructions", caption)]


def _examples(material: Material) -> np.ndarray:
    """Return some cells of every class, else any cells."""
    rng = np.random.default_rng(1)
    known = [name for name in material.study.classes if np.any(material.labels == name)]
    if not known:
        return material.sample[:SHOWN]
    each = max(1, SHOWN // len(known))
    parts = [rng.permutation(np.flatnonzero(material.labels == name))[:each] for name in known]
    return np.concatenate(parts)[:SHOWN]


def training(material: Material) -> list[Block]:
    """Show the losses while the encoder was trained."""
    from morpholaw.figures.training import training_curves

    record = material.encoder_record
    history, config = record.history, record.config
    curves = {
        name: np.asarray(values, float) for name, values in history.items() if name != "step" and len(values)
    }
    if "step" not in history or not curves:
        raise Absent("The encoder came without a record of its training.")
    named = {name: curves[name] for name in QUANTITIES if name in curves} or curves
    figure = training_curves(named, np.asarray(history["step"], float), figsize=(7.2, None))
    weights = "" if config is None else f", α = {config.alpha:g}, β = {config.beta:g}, γ = {config.gamma:g}"
    caption = (
        f"Terms of the loss (eq. 7{weights}) at each reported step, over {record.crops or 0:,} crops; "
        "the pale line is each report, the bold one their running mean."
    )
    blocks: list[Block] = [drawing(figure, "Training of the encoder", caption)]
    blocks.append(Paragraph(_seen(material)))
    if not record.complete:
        blocks.append(Paragraph("The training was stopped before its end.", "warning"))
    return blocks


def _seen(material: Material) -> str:
    """Say whether the encoder has seen the cells that classifiers are tested on."""
    left_out = material.encoder_record.test_split
    if not left_out:
        return (
            "The encoder was not kept from the cells that classifiers are tested on: where it was trained in this "
            "study, it has seen them, without labels."
        )
    others = sorted(
        {one.evaluation.split for one in material.records.values() if not one.trained_elsewhere} - {left_out}
    )
    if others:
        return (
            f"The encoder did not see the test groups of split {left_out}; it may have seen, without labels, those of "
            f"{', '.join(others)}, which classifiers are tested on."
        )
    return f"The encoder did not see the test groups of split {left_out}."


def latents(material: Material) -> list[Block]:
    """Latents by the information they carry, and the shapes they follow."""
    from morpholaw.figures.latents import latent_ranking

    summary = material.latents
    table = summary.correlations
    count = material.encoder.latents
    names = [f"z{k}" for k in range(count)]
    matrix, shapes = None, []
    if len(table):
        wide = table.pivot(index="latent", columns="shape", values="spearman").reindex(range(count))
        matrix, shapes = wide.to_numpy(), list(wide.columns)
    activity = summary.ranking.set_index("latent")["kl"].reindex(range(count)).to_numpy()
    figure = latent_ranking(
        activity, names, matrix, [shape.replace("_", " ") for shape in shapes], kept=material.kept,
        correlation_name="rank correlation", figsize=(7.2, None),
    )  # fmt: skip
    active = summary.active
    caption = (
        f"Left: information that each latent carries about {len(material.sample):,} cells, as its mean KL divergence "
        f"from the prior (eq. 6); {len(active)} of {count} carry {LEAST_KL:g} nats or more. Right: rank correlation "
        "(Spearman) with the measured shape of the central nucleus."
    )
    rows = [_latent_row(material, summary, latent) for latent in _listed(material, active)]
    columns = (
        "Latent",
        "KL, nats",
        "Follows",
        "Correlation",
        "Even correlation",
        "Due to surroundings",
        "Suggested name",
        "Given name",
        "Kept by models of scheme 3",
    )
    note = (
        "The even correlation is that with the distance from the latent's median: high where both ends of a latent "
        "look alike. Due to surroundings is the share of the latent's variance that is seen when a cell is put into "
        f"the surroundings of others; below {percent(MORPHOLOGY_SHARE, 0)} a latent is morphology: it follows the cell "
        f"itself. A name is suggested where the squared correlation is at least {LEAST_SHARE:g}, so that the "
        "shape accounts for half of the latent; a minus sign before it says that the latent decreases with it."
    )
    return [drawing(figure, "Latents by activity", caption), Table(columns, rows, note)]


def _listed(material: Material, active: list[int]) -> list[int]:
    return active + [latent for latent in material.kept if latent not in active]


def _latent_row(material: Material, summary: LatentSummary, latent: int) -> list[str]:
    kl = float(summary.ranking.loc[summary.ranking["latent"] == latent, "kl"].iloc[0])
    strongest = summary.strongest(latent)
    if len(strongest):
        best = strongest.iloc[0]
        follows = (
            str(best["shape"]).replace("_", " "),
            correlation(best["spearman"]),
            correlation(best["even"]),
        )
    else:
        follows = ("", "n/a", "n/a")
    kept = material.records["scheme3"].kept_latents if "scheme3" in material.records else ()
    survived = sum(latent in latents for latents in kept)
    return [
        f"z{latent}",
        number(kl),
        *follows,
        "n/a" if summary.surroundings is None else percent(summary.surroundings[latent], 0),
        summary.names.get(latent, ""),
        material.study.latent_names.get(latent, ""),
        f"{survived} of {len(kept)}" if kept else "not trained",
    ]


def traversals(material: Material) -> list[Block]:
    """Show what the active latents look like: of the cell (figure 4), of what is around it and where it lies (24)."""
    active = sorted(set(material.latents.active) | set(material.kept))
    if not active:
        raise Absent("No latent carries information, so there is nothing to traverse.")
    of_cell = [latent for latent in active if latent in material.morphology]
    others = [latent for latent in active if latent not in of_cell]
    blocks: list[Block] = []
    if "scheme3" not in material.names:
        blocks.append(Paragraph("Scheme 3 has not been trained, so no latents are marked as kept.", "absent"))
    limit = percent(MORPHOLOGY_SHARE, 0)
    for latents, what in (
        (of_cell, f"morphology: less than {limit} of their variance is due to surroundings"),
        (
            others,
            f"no morphology: {limit} or more of their variance is due to surroundings, or that is not known",
        ),
    ):
        if latents:
            blocks.append(_traversal(material, latents, what))
    return blocks


def _traversal(material: Material, latents: list[int], what: str) -> Block:
    from morpholaw.figures.pictures import traversal_grid

    pictures = traverse(material.encoder, material.latents.median, latents, TYPICAL)
    names = [f"{material.called(latent)}{' *' if latent in material.kept else ''}" for latent in latents]
    figure = traversal_grid(pictures, names, np.array(TYPICAL), pixel_size=material.pixel_size)
    caption = (
        f"Decoded cells along the active latents that are {what}. One row per latent, all others at their median; "
        "an asterisk marks those that scheme 3 kept."
    )
    return photograph(figure, "Latent traversals", caption)
