"""The encoder: reconstructions, training, and the meaning of its latents."""

from __future__ import annotations

import numpy as np

from morpholaw.display import correlation, number, percent
from morpholaw.interpretation.latent_names import LEAST_SHARE
from morpholaw.interpretation.latent_summary import LEAST_KL, MORPHOLOGY_SHARE, LatentSummary
from morpholaw.interpretation.traversal import decode
from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Block, Paragraph, Table, drawing, photograph

EXAMPLES = 10
"""Number of cells shown with their reconstructions."""
QUANTITIES = ("reconstruction", "mutual information", "total correlation", "dimension-wise KL")


def reconstructions(material: Material) -> list[Block]:
    """Show cells with their reconstructions, and the variance that these explain."""
    from morpholaw.figures.pictures import reconstructions as figure

    encoder, crops = material.encoder, material.study.crops
    examples = _examples(material)
    means = material.encoded[0]
    pixels = crops[material.sample[:500]].astype(np.float32) / 255
    error = np.mean((decode(encoder, means[:500]) - pixels) ** 2)
    explained = 1 - error / np.mean((pixels - pixels.mean(axis=0)) ** 2)
    images = crops[examples]
    from morpholaw.evaluation.scoring import encode_means

    drawn = figure(
        images,
        decode(encoder, encode_means(encoder, images)),
        columns=len(examples),
        pixel_size=material.pixel_size,
    )
    caption = (
        f"Cells of the study (top) and their reconstructions from {encoder.latents} latents (bottom). Over "
        f"{len(pixels):,} cells, the reconstructions explain {percent(explained)} of the variance of the pixels around "
        f"the mean crop; the root mean square error is {number(np.sqrt(error), 3)} of the grey range."
    )
    return [photograph(drawn, "Cells and their reconstructions", caption)]


def _examples(material: Material) -> np.ndarray:
    """Return some cells of every class, or any cells if none are labelled."""
    rng = np.random.default_rng(1)
    classes = [name for name in material.study.classes if np.any(material.labels == name)]
    if not classes:
        return material.sample[:EXAMPLES]
    per_class = max(1, EXAMPLES // len(classes))
    parts = [rng.permutation(np.flatnonzero(material.labels == name))[:per_class] for name in classes]
    return np.concatenate(parts)[:EXAMPLES]


def training(material: Material) -> list[Block]:
    """Show the losses during the training of the encoder."""
    from morpholaw.figures.training import training_curves

    record = material.encoder_record
    history, config = record.history, record.config
    curves = {
        name: np.asarray(values, float) for name, values in history.items() if name != "step" and len(values)
    }
    if "step" not in history or not curves:
        raise Absent("The losses of the encoder's training were not recorded.")
    shown = {name: curves[name] for name in QUANTITIES if name in curves} or curves
    figure = training_curves(shown, np.asarray(history["step"], float), figsize=(7.2, None))
    weights = "" if config is None else f", α = {config.alpha:g}, β = {config.beta:g}, γ = {config.gamma:g}"
    caption = (
        f"Terms of the loss (eq. 7{weights}) during the training on {record.crops or 0:,} crops: recorded values "
        "(pale) and running mean (bold)."
    )
    blocks: list[Block] = [drawing(figure, "Training of the encoder", caption)]
    blocks.append(Paragraph(_test_cells_seen(material)))
    if not record.complete:
        blocks.append(Paragraph("The training was stopped before it was complete.", "warning"))
    return blocks


def _test_cells_seen(material: Material) -> str:
    """State whether the encoder was trained on test cells of the classifiers."""
    left_out = material.encoder_record.test_split
    if not left_out:
        return (
            "If the encoder was trained in this study, its training set includes the test cells of the classifiers, "
            "without their labels."
        )
    splits = {record.evaluation.split for record in material.records.values() if not record.trained_elsewhere}
    sentence = f"The encoder was trained without the test groups of split {left_out}."
    if others := sorted(splits - {left_out}):
        sentence += (
            f" Its training set may include the test groups of {', '.join(others)}, without their labels; classifiers "
            "of this study were tested on these."
        )
    return sentence


def latents(material: Material) -> list[Block]:
    """Show the information in each latent, and the shapes that it correlates with."""
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
        f"Left: information in each latent, measured as its mean KL divergence from the prior (eq. 6) over "
        f"{len(material.sample):,} cells; {len(active)} of {count} latents are active (at least {LEAST_KL:g} nats). "
        "Right: Spearman correlation of each latent with measured shapes of the central nucleus and its surroundings."
    )
    rows = [_latent_row(material, summary, latent) for latent in _listed(material, active)]
    columns = (
        "Latent",
        "KL, nats",
        "Closest shape",
        "Correlation",
        "Even correlation",
        "Due to surroundings",
        "Suggested name",
        "Given name",
        "Kept by models of scheme 3",
    )
    note = (
        "Correlation is Spearman's correlation with the closest shape. Even correlation is the same with the "
        "distance of the latent from its median; it is high if both ends of a latent look alike. Due to surroundings "
        "is the share of the latent's variance that the surroundings of the cell cause, measured by placing cells into "
        f"the surroundings of others. A latent with less than {percent(MORPHOLOGY_SHARE, 0)} describes morphology, "
        f"that is the cell itself. A name is suggested if the squared correlation is at least {LEAST_SHARE:g}, "
        "and the latent alone changes the shape of decoded cells in this direction; a minus "
        "sign means that the latent decreases with the shape."
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
    kept = material.kept_by_each
    survived = sum(latent in latents for latents in kept)
    return [
        f"z{latent}",
        number(kl),
        *follows,
        "n/a" if summary.surroundings is None else percent(summary.surroundings[latent], 0),
        summary.names.get(latent, ""),
        material.study.latent_names.get(latent, ""),
        f"{survived} of {len(kept)}" if kept else "n/a",
    ]
