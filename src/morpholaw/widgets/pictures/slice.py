"""A slice: a function of a model's inputs over one or two of them, computed in the live process, and its figure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from morpholaw.models.features import ModelColumns
from morpholaw.widgets.study.encoder_state import EncoderFile, encoder_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from morpholaw.figures.style import FigSize, Theme
    from morpholaw.study import Study

STEPS = 49
LIMIT = 3.0
"""Slices reach from -LIMIT to LIMIT standard deviations, which is 99.7 % of the prior, a unit Gaussian."""
CELLS = 300
"""Largest number of labelled cells drawn per class."""
PICTURES = (-3.0, -1.5, 0.0, 1.5, 3.0)
"""Values of a latent at which cells are decoded along an axis."""


@dataclass(frozen=True)
class Response:
    """A function of the inputs of a model, with its labels.

    Attributes
    ----------
    function : callable
        Maps standardised inputs (n, columns) to values (n,). It is sent to the live process, so it must be a function
        of a module, or a ``functools.partial`` of one.
    inputs : tuple of int
        Numbers of the inputs on which the function depends.
    columns : ModelColumns
        The inputs: latents of the encoder, measured shapes, or both.
    name, title : str
        Name of the values, and title of the figure.
    sides : tuple of str, optional
        The classes for values below and above zero. If given, labelled cells are drawn as well; the inputs must then be
        all latents of the encoder.
    colours : dict of str to str
        Colour of each class whose cells are drawn.
    """

    function: Callable[[np.ndarray], np.ndarray]
    inputs: tuple[int, ...]
    columns: ModelColumns
    name: str = "f"
    title: str = ""
    sides: tuple[str, str] | None = None
    colours: dict[str, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Number of inputs."""
        return len(self.columns.features)

    def label(self, place: int) -> str:
        """Return the name of an input, with its unit if it has one."""
        feature = self.columns.features[place]
        return f"{feature.name} ({feature.unit})" if feature.unit else feature.name


@dataclass(frozen=True)
class Slice:
    """The values of a function over one or two inputs, with cells decoded along the axes.

    Attributes
    ----------
    x, y : int
        The inputs on the x and y axes; ``y`` is None for a curve over ``x``.
    axis : ndarray, float64 (steps,)
        Values of the inputs, in standard deviations from the mean.
    values : ndarray, float64 (steps,) or (steps, steps)
        Values of the function; rows are ``y``.
    pictures_x, pictures_y : ndarray or None
        Cells decoded along each axis; None if the input is not a latent.
    cells : LabelledLatents or None
        Latents of labelled cells, if requested.
    """

    x: int
    y: int | None
    axis: np.ndarray
    values: np.ndarray
    pictures_x: np.ndarray | None = None
    pictures_y: np.ndarray | None = None
    cells: LabelledLatents | None = None

    def dots(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the positions of labelled cells on the map, float (n, 2), and their global indices, int64 (n,)."""
        if self.cells is None or self.y is None or not len(self.cells.labels):
            return np.empty((0, 2)), np.empty(0, np.int64)
        return self.cells.means[:, [self.x, self.y]].astype(np.float64), self.cells.indices


@dataclass(frozen=True)
class LabelledLatents:
    """Labelled cells of a study in latent space.

    Attributes
    ----------
    means : ndarray, float32 (n, latents)
        Latents of the cells.
    labels : ndarray of str, (n,)
        Classes of the cells.
    indices : ndarray, int64 (n,)
        Global indices of the cells.
    """

    means: np.ndarray
    labels: np.ndarray
    indices: np.ndarray


@dataclass(frozen=True)
class CellsWanted:
    """Which labelled cells to draw; equal values stand for the same cells.

    Attributes
    ----------
    classes : tuple of str
        Classes of the cells.
    crops : int
        Number of crops in the study.
    labels_changed : int
        Time of the last change of the labels, in ns.
    """

    classes: tuple[str, ...]
    crops: int
    labels_changed: int

    @classmethod
    def of(cls, study: Study, crops: int, classes: Iterable[str]) -> CellsWanted:
        """Describe the current labelled cells of a study."""
        try:
            changed = study.annotations.path.stat().st_mtime_ns
        except OSError:  # no cell was labelled by hand yet
            changed = 0
        return cls(tuple(classes), crops, changed)


@dataclass(frozen=True)
class DecodedInputs:
    """The encoder that decodes cells along the axes, and the inputs that are its latents.

    Attributes
    ----------
    encoder : EncoderFile
        The study's encoder.
    latent_places : dict of int to int
        Number of the latent for each input that is a latent.
    """

    encoder: EncoderFile
    latent_places: dict[int, int]

    def pictures(self, base: np.ndarray, axes: Sequence[int]) -> dict[int, np.ndarray]:
        """Decode cells along the axes that are latents, around ``base`` (inputs,); only the live process calls this."""
        from morpholaw.interpretation.traversal import traverse
        from morpholaw.training.devices import torch_threads

        moved = [axis for axis in axes if axis in self.latent_places]
        if not moved:
            return {}
        encoder = encoder_of(self.encoder)
        start = np.zeros(max(encoder.latents, 1 + max(self.latent_places.values())))
        start[list(self.latent_places.values())] = base[list(self.latent_places)]
        with torch_threads(1):
            images = traverse(encoder, start, [self.latent_places[axis] for axis in moved], PICTURES)
        return dict(zip(moved, images, strict=True))


def slice_of(
    function: Callable[[np.ndarray], np.ndarray],
    x: int,
    y: int | None,
    base: np.ndarray,
    decoded: DecodedInputs | None,
    wanted: CellsWanted | None = None,
) -> Slice:
    """Return the slice of a function over the inputs ``x`` and ``y``, with the other inputs at ``base``.

    It imports torch, so only the live process calls this.
    """
    from morpholaw.interpretation.boundary import slice_scores

    axis = np.linspace(-LIMIT, LIMIT, STEPS)
    chosen = [x] if y is None else [y, x]
    with np.errstate(all="ignore"):  # the map stays empty where a law is not finite
        values = slice_scores(function, base, chosen, axis)
    if decoded is None:
        return Slice(x, y, axis, values)
    pictures = decoded.pictures(base, chosen)
    cells = labelled_latents(decoded.encoder, wanted) if wanted is not None else None
    return Slice(x, y, axis, values, pictures.get(x), None if y is None else pictures.get(y), cells)


@lru_cache(maxsize=1)
def labelled_latents(encoder: EncoderFile, wanted: CellsWanted) -> LabelledLatents:
    """Encode at most :data:`CELLS` labelled crops per class, evenly spaced in the study, in the live process."""
    from morpholaw.evaluation.scoring import encode_means
    from morpholaw.store.labelled_cells import all_labels
    from morpholaw.study import Study
    from morpholaw.training.devices import torch_threads

    study = Study(Path(encoder.study))
    labels = all_labels(study).astype(str)
    chosen = []
    for name in wanted.classes:
        of_class = np.flatnonzero(labels == name)
        chosen.append(of_class[:: max(1, -(-len(of_class) // CELLS))])
    cells = np.sort(np.concatenate(chosen)).astype(np.int64)
    if not len(cells):
        return LabelledLatents(np.zeros((0, 1), np.float32), labels[cells], cells)
    with torch_threads(1):
        means = encode_means(encoder_of(encoder), study.crops[cells]).numpy()
    return LabelledLatents(means, labels[cells], cells)


def _possible(columns: ModelColumns, place: int, axis: np.ndarray) -> np.ndarray:
    """Return which values of an input, in standard deviations, are possible, bool; shapes cannot be negative."""
    possible: np.ndarray = columns.in_units(place, axis) >= 0
    return possible if columns.features[place].source == "shape" else np.ones(len(axis), bool)


def slice_figure(
    response: Response, computed: Slice, names: dict[int, str], held: str, figsize: FigSize, theme: Theme
) -> Figure:
    """Draw a slice as a map or a curve, with decoded cells along its axes; ``held`` states the other inputs."""
    from morpholaw.figures.response import CellsOnMap, ResponseAxis, response_map_1d, response_map_2d
    from morpholaw.interpretation.components import readable

    def axis(place: int, pictures: np.ndarray | None) -> ResponseAxis:
        values = response.columns.in_units(
            place, computed.axis[_possible(response.columns, place, computed.axis)]
        )
        return ResponseAxis(values, names.get(place, response.label(place)), pictures, np.asarray(PICTURES))

    cells = None
    if computed.cells is not None and len(computed.cells.labels) and computed.y is not None:
        means = computed.cells.means
        cells = CellsOnMap(
            means[:, computed.x], means[:, computed.y], computed.cells.labels, response.colours
        )
    across = axis(computed.x, computed.pictures_x)
    there = _possible(response.columns, computed.x, computed.axis)
    title = response.title + (f"\n{held}" if held else "")
    if computed.y is None:
        return response_map_1d(
            across,
            readable(computed.values[there], gaps=True),
            response_name=response.name,
            title=title or None,
            theme=theme,
            figsize=figsize,
        )
    above = _possible(response.columns, computed.y, computed.axis)
    return response_map_2d(
        across,
        axis(computed.y, computed.pictures_y),
        readable(computed.values[np.ix_(above, there)]),
        arrows=0,
        cells=cells,
        sides=response.sides,
        response_name=response.name,
        title=title or None,
        theme=theme,
        figsize=figsize,
    )
