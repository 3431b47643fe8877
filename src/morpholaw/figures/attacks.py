"""Figures of adversarial attacks: accuracy against magnitude, and attacked cells (paper, fig. 14-20)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from morpholaw.display import number
from morpholaw.figures import validation
from morpholaw.figures.mosaic import (
    caption,
    caption_size,
    draw_mosaic,
    draw_scale_bar,
    grey,
    limits_of,
    names_width,
    signed,
)
from morpholaw.figures.style import (
    LIGHT,
    FigSize,
    Theme,
    figure_width,
    heading,
    legend,
    one_panel,
    plain,
    scheme_look,
    scheme_name,
    short_name,
)


def attack_curves(
    eps: np.ndarray,
    accuracy: np.ndarray,
    *,
    schemes: Sequence[int | str] = (1, 2, 3, 4),
    control: np.ndarray | None = None,
    space: str = "image",
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Plot test accuracy against perturbation magnitude, as mean and standard deviation (paper, fig. 14, 17, 19).

    Parameters
    ----------
    eps : ndarray
        Magnitudes, (k,), increasing, in units of the attacked space.
    accuracy : ndarray
        Accuracy of each model, (schemes, members, k), in [0, 1]; NaN for missing models.
    schemes : sequence of int or str
        Numbers or names of the schemes, in the order of ``accuracy``.
    control : ndarray, optional
        The same for random signs of the same magnitude; the mean is drawn as a thin dotted line.
    space : str
        The attacked space, for the axis label: "image" or "latent".
    theme : Theme
        Colours of the figure.
    figsize : tuple of float, optional
        Width and height in inches; with a height of None, the function chooses it.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the shapes do not match.
    """
    eps = validation.numbers(eps, ("k",), "eps")
    accuracy = validation.numbers(accuracy, ("schemes", "members", len(eps)), "accuracy") * 100
    validation.same_length(schemes, len(accuracy), "schemes")
    if control is not None:
        control = validation.numbers(control, accuracy.shape, "accuracy of the control") * 100
    figure, axes = one_panel(figsize, theme, 4.2, 0.7)
    for position, (scheme, runs) in enumerate(zip(schemes, accuracy, strict=True)):
        runs = runs[np.isfinite(runs).all(1)]
        if not len(runs):
            continue
        mean, sd = runs.mean(0), runs.std(0, ddof=1 if len(runs) > 1 else 0)
        look = scheme_look(scheme, position, theme)
        axes.fill_between(eps, mean - sd, mean + sd, color=look["color"], alpha=0.22, linewidth=0)
        axes.plot(eps, mean, markersize=3.5, linewidth=1.4, label=scheme_name(scheme), **look)
        if control is not None:
            unmoved = control[position][np.isfinite(control[position]).all(1)]
            if len(unmoved):
                axes.plot(eps, unmoved.mean(0), color=look["color"], linewidth=1.0, linestyle=":")
    if control is not None:
        axes.plot([], [], color=theme.muted, linewidth=1.0, linestyle=":", label="random signs")
    axes.set_xlabel(f"perturbation magnitude ε ({plain(space)} space)")
    axes.set(ylabel="test accuracy (%)", ylim=(-3, 103))
    legend(axes, theme, loc="best")
    return figure


def attack_matrix(
    success: np.ndarray,
    classes: Sequence[str],
    *,
    eps: float,
    space: str = "image",
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Plot how often cells of each class are classified as another class after an attack towards it.

    Parameters
    ----------
    success : ndarray
        Success rates, (C, C), in [0, 1], by true class (rows) and target class (columns); NaN if not attacked.
    classes : sequence of str
        Names of the classes.
    eps : float
        Perturbation magnitude.
    space : str
        The attacked space: "image" or "latent".
    theme : Theme
        Colours of the figure.
    figsize : tuple of float, optional
        Width and height in inches; with a height of None, the function chooses it.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the matrix does not have one row and one column per class.
    """
    count = len(classes)
    success = validation.numbers(success, (count, count), "success of an attack")
    width = figure_width(figsize, min(1.8 + 0.6 * count, 7.0))
    figure, axes = one_panel(figsize, theme, width, 0.92, fixed_aspect=True)
    axes.imshow(success, cmap="Oranges", vmin=0, vmax=1)
    size = float(np.clip(72 * (width - 1.2) / count / 3.2, 4, 9))
    for (row, column), share in np.ndenumerate(success):
        text = "" if np.isnan(share) else f"{100 * share:.0f}"
        colour = "white" if share > 0.6 else "#1a1a1a"
        axes.text(column, row, text, ha="center", va="center", fontsize=size, color=colour)
    names = [short_name(name) for name in classes]
    axes.set_xticks(range(count), names, rotation=0 if count < 3 else 90 if count > 8 else 35,
                    ha="right" if 2 < count <= 8 else "center")  # fmt: skip
    axes.set_yticks(range(count), names)
    axes.tick_params(length=0, labelsize=9 if count <= 8 else 6.5)
    axes.set(xlabel="attacked towards", ylabel="true class")
    for spine in axes.spines.values():
        spine.set_visible(False)
    heading(axes, f"classified as the target, %: ε = {eps:g}, {plain(space)} space", theme)
    return figure


def attack_panels(
    original: np.ndarray,
    perturbed: np.ndarray,
    *,
    reconstruction: np.ndarray | None = None,
    difference: np.ndarray | None = None,
    scores_before: np.ndarray | None = None,
    scores_after: np.ndarray | None = None,
    labels: Sequence[str] | None = None,
    pixel_size: float | None = None,
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Plot cells before and after an attack, with their scores (paper, fig. 15, 16, 18, 20).

    Parameters
    ----------
    original, perturbed : ndarray
        Images, (n, s, s), uint8 or float in [0, 1], one column each. Perturbed images may exceed this range.
    reconstruction : ndarray, optional
        Reconstructions of the perturbed images by the beta-TCVAE, (n, s, s).
    difference : ndarray, optional
        Differences to show, (n, s, s); by default perturbed minus original.
    scores_before, scores_after : ndarray, optional
        Scores f(x), (n,), written below the columns as "before → after", or alone if only one is given.
    labels : sequence of str, optional
        Names of the classes, written above the columns.
    pixel_size : float, optional
        Micrometres per pixel, for a scale bar.
        Micrometres per pixel, for a scale bar.
    theme : Theme
        Colours of the figure.
    figsize : tuple of float, optional
        Width and height in inches; with a height of None, the function chooses it.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the shapes do not match.
    """
    original = validation.pictures(original, ("n", "s", "s"), "original images")
    perturbed = validation.pictures(perturbed, original.shape, "perturbed images")
    change = (
        perturbed - original
        if difference is None
        else validation.numbers(difference, original.shape, "difference")
    )
    stacks, names = [original, perturbed], ["original", "perturbed"]
    if reconstruction is not None:
        stacks.append(validation.pictures(reconstruction, original.shape, "reconstructions"))
        names.append("reconstruction")
    limits, limit = limits_of(*stacks), float(np.nanmax(np.abs(change), initial=0)) or 1.0
    tiles = np.stack([*(grey(stack, limits) for stack in stacks), signed(change, limit)])
    names.append(f"difference\n(±{limit:.2g})")
    count, tile = len(original), (original.shape[1], original.shape[2])
    width = figure_width(figsize, min(6.4, 1.1 + 0.9 * count))
    inches = (width - names_width(names)) / count
    texts = _score_texts(count, scores_before, scores_after)
    if caption_size(texts, inches) < 5:
        texts = [text.replace(" →", "\n→") for text in texts]
    height = inches * len(tiles) * 1.03 + 0.15 * (texts[0].count("\n") + 1 if texts else 0) + 0.3
    figure, axes = one_panel(figsize, theme, width, height=height, fixed_aspect=True)
    tops = (
        [plain(label) for label in validation.same_length(labels, count, "labels")]
        if labels is not None
        else []
    )
    corners = draw_mosaic(axes, tiles, theme, row_names=names, column_names=tops)
    axes.tick_params(
        axis="x", top=False, labeltop=True, labelbottom=False, labelsize=caption_size(tops, inches)
    )
    for corner, text in zip(corners[-1], texts, strict=False):
        caption(axes, np.add(corner, (1, 0)), tile, text, theme, caption_size(texts, inches))
    if pixel_size and not tops:
        draw_scale_bar(axes, tile[1], pixel_size, theme)
    return figure


def _score_texts(count: int, before: np.ndarray | None, after: np.ndarray | None) -> list[str]:
    """Return one caption per column."""
    present = [
        validation.numbers(scores, (count,), "scores") for scores in (before, after) if scores is not None
    ]
    digits = 1 if len(present) == 2 else 2
    texts = [" → ".join(number(score, digits) for score in pair) for pair in zip(*present, strict=True)]
    return [f"f: {text}" for text in texts]
