"""Write scores and classes of cells to the layers of a movie: tracks, labels and points.

The table of scores comes from :meth:`morpholaw.Study.classify`. It has one row per cell, with ``track_id``, ``t``,
``y``, ``x``, ``score`` and ``class``. Rows are matched to layers by (track_id, t).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels, Points, Tracks
from napari.utils.colormaps.colormap import Colormap, DirectLabelColormap
from napari.utils.colormaps.standardize_color import transform_color

from morpholaw.errors import InputError
from morpholaw.figures.palette import class_colours

if TYPE_CHECKING:
    import pandas as pd


class ScoreColormap(Colormap):  # type: ignore[misc]  # napari declares no types
    """Colours of scores: white at f = 0, the colour of one class at -limit, that of the other at +limit."""

    limit: float = 1.0

    def map(self, values: Any) -> np.ndarray:
        """Return colours, float (n, 4), of scores (n,); NaN is grey."""
        colours: np.ndarray = super().map(
            np.clip(0.5 + np.asarray(values, np.float32) / (2 * self.limit), 0, 1)
        )
        return colours


class ClassColormap(Colormap):  # type: ignore[misc]  # napari declares no types
    """One colour per class number."""

    def map(self, values: Any) -> np.ndarray:
        """Return colours, float (n, 4), of class numbers (n,); -1 is grey."""
        numbers = np.asarray(values, np.float32)
        centres = (numbers + 0.5) / len(self.colors)
        colours: np.ndarray = super().map(np.where(numbers < 0, np.nan, centres))
        return colours


def score_limit(scores: np.ndarray) -> float:
    """Return the score that has the full colour: the 98th percentile of |f|."""
    finite = np.abs(scores[np.isfinite(scores)])
    return max(float(np.percentile(finite, 98)), 1e-6) if len(finite) else 1.0


def class_numbers(names: Any, classes: Sequence[str]) -> np.ndarray:
    """Return the number of each class in ``names``, int64 (n,); -1 for a name that is not among the classes."""
    names = np.asarray(names, dtype=object)
    numbers = np.full(len(names), -1, dtype=np.int64)
    for number, name in enumerate(classes):
        numbers[names == name] = number
    return numbers


def score_tracks(
    layer: Tracks, table: pd.DataFrame, classes: Sequence[str], colours: Mapping[str, str] | None = None
) -> int:
    """Write ``score`` and ``class`` (the number of the class, -1 for none) to a tracks layer and colour it.

    Tracks are coloured by score if there are two classes, and by class if there are more. The names of the class
    numbers are stored in ``layer.metadata["classes"]``.

    Returns
    -------
    int
        Number of matched vertices.

    Raises
    ------
    InputError
        If no vertex matches, as for the tracks of another movie.
    """
    rows = _match(layer.data[:, 0], layer.data[:, 1], table)
    matched = rows >= 0
    if not matched.any():
        raise InputError(
            f"No vertex of the tracks layer {layer.name!r} is among the {len(table)} scored cells; choose the tracks "
            "of the scored movie, not of another movie."
        )
    score = np.where(matched, table["score"].to_numpy(np.float64)[rows], np.nan)
    number = np.where(matched, class_numbers(table["class"], classes)[rows], -1)
    features = layer.features.drop(columns=["score", "class", "track_id"], errors="ignore")
    # napari sets features in the order of the original vertices, but returns them sorted
    original = np.argsort(_input_order(layer))
    features = features.assign(score=score, **{"class": number}).iloc[original].reset_index(drop=True)
    layer.features = features
    shown = list((colours or class_colours(classes)).values())
    two = len(classes) == 2
    ends = [shown[0], "white", shown[-1]] if two else ["grey", "white", "white"]
    controls = np.linspace(0, 1, len(classes) + 1)
    layer.colormaps_dict = {
        **layer.colormaps_dict,
        "score": ScoreColormap(
            colors=ends, controls=[0, 0.5, 1], limit=score_limit(score), nan_color="grey", name="score"
        ),
        "class": ClassColormap(
            colors=shown, controls=controls, interpolation="zero", nan_color="grey", name="class"
        ),
    }
    layer.metadata["classes"] = {**dict(enumerate(classes)), -1: ""}
    layer.color_by = "score" if two else "class"
    return int(matched.sum())


def _input_order(layer: Tracks) -> np.ndarray:
    """Return the index among the original vertices of each vertex of the sorted layer."""
    layer.features = layer.features.assign(order=np.arange(len(layer.data)))
    order: np.ndarray = layer.features["order"].to_numpy()
    return order


def score_labels(
    layer: Labels, table: pd.DataFrame, classes: Sequence[str], colours: Mapping[str, str] | None = None
) -> int:
    """Write one row of features per label: ``index``, ``score`` (median over time), ``class`` and ``frames``.

    With two classes, the class is that of the median score; with more, it is the most frequent one over the frames.
    Label values must be track ids. With ``colours``, a colour for each class, the labels are also coloured.

    Returns
    -------
    int
        Number of labels.
    """
    cells = table[table["track_id"].notna() & np.isfinite(table["score"])]
    grouped = cells.groupby(cells["track_id"].astype(np.int64))["score"]
    score, frames = grouped.median(), grouped.size()
    ids = score.index.to_numpy()
    if len(classes) == 2:
        names = np.where(score.to_numpy() >= 0, classes[1], classes[0])
    else:
        of_track = cells["class"].groupby(cells["track_id"].astype(np.int64))
        names = of_track.agg(lambda track_classes: track_classes.mode().iloc[0]).to_numpy(dtype=str)
    layer.features = {"index": ids, "score": score.to_numpy(), "class": names, "frames": frames.to_numpy()}
    if colours:
        known: dict[int | None, str] = {None: "grey", 0: "transparent"}
        known |= {int(i): colours[name] for i, name in zip(ids, names, strict=True)}
        layer.colormap = DirectLabelColormap(color_dict=known)
    return len(ids)


def score_points(
    viewer: Any,
    table: pd.DataFrame,
    classes: Sequence[str],
    name: str,
    like: Any = None,
    colours: Mapping[str, str] | None = None,
) -> Points:
    """Add the scored cells as a points layer; it replaces a layer of the same name.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer to which the layer is added.
    table : DataFrame
        The table of scores.
    classes : sequence of str
        The classes.
    name : str
        Name of the layer.
    like : layer, optional
        Image, tracks or labels layer of the movie, whose scale and translation the points take.
    colours : mapping of str to str, optional
        Colour of each class.

    Raises
    ------
    InputError
        If no cell has a place in a movie.
    """
    places = table[["t", "y", "x"]].astype(np.float64).to_numpy()
    placed = np.isfinite(places).all(axis=1)
    if not placed.any():
        raise InputError("None of the scored cells has a place in a movie; there is nothing to show.")
    shown = table[placed]
    features = {
        "track_id": shown["track_id"].astype("Int64").fillna(-1).to_numpy(np.int64),
        "score": shown["score"].to_numpy(),
        "class": shown["class"].astype(str).to_numpy(),
    }
    drawn = (*(colours or class_colours(classes)).values(), "grey")
    borders = np.stack([transform_color(colour)[0] for colour in drawn])
    if name in viewer.layers:
        viewer.layers.remove(name)
    points: Points = viewer.add_points(
        places[placed],
        features=features,
        name=name,
        size=14,
        face_color="transparent",
        border_color=borders[class_numbers(shown["class"], classes)],
        border_width=0.12,
        metadata={"classes": list(classes)},
        **_layer_place(like),
    )
    return points


def _layer_place(layer: Any) -> dict[str, Any]:
    if layer is None or layer.ndim < 3:
        return {}
    return {"scale": layer.scale[-3:], "translate": layer.translate[-3:]}


def _match(track_ids: np.ndarray, frames: np.ndarray, table: pd.DataFrame) -> np.ndarray:
    """Return the row of the table for each (track, frame), int64 (n,); -1 if there is none."""
    known = table["track_id"].notna() & table["t"].notna()
    rows = np.flatnonzero(known.to_numpy())
    if not len(rows):
        return np.full(len(track_ids), -1)
    t = table["t"].to_numpy(np.float64, na_value=-1)[rows].astype(np.int64)
    span = max(int(t.max()), int(np.max(frames, initial=0))) + 1
    keys = table["track_id"].to_numpy(np.float64, na_value=-1)[rows].astype(np.int64) * span + t
    order = np.argsort(keys, kind="stable")
    wanted = np.asarray(track_ids).astype(np.int64) * span + np.round(frames).astype(np.int64)
    place = np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)
    candidate = order[place]
    return np.where(keys[candidate] == wanted, rows[candidate], -1)
