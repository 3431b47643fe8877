"""Shape features of nuclei with names and units, for laws and heads.

Features are measured in the segmentation of the crop (:mod:`morpholaw.cells.segmentation`), for all crops of a batch at
once. They do not change when a crop is rotated by 90 degrees or flipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from morpholaw.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from morpholaw.cells.segmentation import Components

# pandas and scipy are imported on first use, so that panels open and crops are cut without them.

Source = Literal["latent", "shape"]
About = Literal["cell", "neighbourhood"]
Kind = Literal["length", "area", "per length", "count", "none"]

TEXTURE_DISTANCE = 1.0
"""Distance in micrometres between the two pixels whose difference is the contrast."""
TEXTURE_PIXELS = 3
"""The same in pixels, for crops of unknown pixel size."""

_UNITS: dict[Kind, tuple[str, str]] = {
    "length": ("µm", "px"),
    "area": ("µm²", "px²"),
    "per length": ("1/µm", "1/px"),
    "count": ("", ""),
    "none": ("", ""),
}


@dataclass(frozen=True)
class Feature:
    """A column of a feature table.

    Attributes
    ----------
    name : str
        Name in formulas and tables, such as ``axis_ratio``.
    unit : str
        Unit; "" if there is none.
    meaning : str
        Description in a few words.
    source : {"shape", "latent"}
        Whether it is measured or a latent of the encoder.
    about : {"cell", "neighbourhood"}
        What the feature describes.
    more, less : str
        Description of a cell with a larger or smaller value, such as "wider" and "narrower".
    """

    name: str
    unit: str = ""
    meaning: str = ""
    source: Source = "shape"
    about: About = "cell"
    more: str = ""
    less: str = ""


_CELL: tuple[tuple[str, Kind, str, str, str], ...] = (
    ("area", "area", "area of the nucleus", "larger", "smaller"),
    ("length", "length", "major axis of the ellipse with the same second moments", "longer", "shorter"),
    ("width", "length", "minor axis of that ellipse", "wider", "narrower"),
    ("axis_ratio", "none", "length over width, at least 1", "more elongated", "rounder"),
    ("solidity", "none", "area over the area of the convex hull, at most 1", "more solid", "more indented"),
    (
        "roundness",
        "none",
        "4π area / perimeter², about 1 for a disk, less for an elongated or ragged outline",
        "rounder in outline",
        "less round in outline",
    ),
    (
        "brightness",
        "none",
        "mean over the nucleus, in [0, 1]; by default relative to the brightest chromatin of the cell itself",
        "brighter on the grey scale of the crop",
        "dimmer on the grey scale of the crop",
    ),
    (
        "brightness_spread",
        "none",
        "standard deviation of the brightness over its mean",
        "more unevenly bright",
        "more evenly bright",
    ),
    (
        "contrast",
        "none",
        "root mean square difference of two pixels 1 µm apart (3 pixels where the scale is unknown), over the mean",
        "grainier",
        "smoother in texture",
    ),
    (
        "edge_sharpness",
        "per length",
        "mean slope of the brightness along the outline, over the mean brightness",
        "sharper at the edge",
        "more blurred at the edge",
    ),
)
_NEIGHBOURHOOD: tuple[tuple[str, Kind, str, str, str], ...] = (
    ("neighbours", "count", "other nuclei in the crop", "with more neighbours", "with fewer neighbours"),
    (
        "neighbour_distance",
        "length",
        "from centre to centre of the nearest other nucleus; the crop's side where there is none",
        "farther from the next nucleus",
        "nearer to the next nucleus",
    ),
    (
        "neighbour_area",
        "area",
        "area of the other nuclei in the crop",
        "with a larger area of neighbours",
        "with a smaller area of neighbours",
    ),
)
SHAPE_NAMES = tuple(entry[0] for entry in _CELL)
"""Names of the features of the cell itself."""
NEIGHBOURHOOD_NAMES = tuple(entry[0] for entry in _NEIGHBOURHOOD)
"""Names of the features of its surroundings."""


def shape_features(pixel_size: float | None = None, neighbourhood: bool = False) -> tuple[Feature, ...]:
    """Return the features that `measure_features` measures, in the order of its columns.

    Parameters
    ----------
    pixel_size : float, optional
        Micrometres per pixel; if unknown, lengths are in pixels.
    neighbourhood : bool
        Include features of the cell's surroundings.

    Returns
    -------
    tuple of Feature
    """
    known = 0 if pixel_size is not None else 1
    features = [
        Feature(name, _UNITS[kind][known], meaning, "shape", "cell", more, less)
        for name, kind, meaning, more, less in _CELL
    ]
    if neighbourhood:
        features += [
            Feature(name, _UNITS[kind][known], meaning, "shape", "neighbourhood", more, less)
            for name, kind, meaning, more, less in _NEIGHBOURHOOD
        ]
    return tuple(features)


def choose_features(names: Sequence[str], pixel_size: float | None = None) -> tuple[Feature, ...]:
    """Return the features with the given names; raise InputError if one does not exist."""
    known = {feature.name: feature for feature in shape_features(pixel_size, neighbourhood=True)}
    for name in names:
        if name not in known:
            raise InputError(f"There is no shape {name!r}; the shapes are {', '.join(known)}.")
    return tuple(known[name] for name in names)


def measure_features(
    images: np.ndarray, pixel_size: float | None = None, neighbourhood: bool = False
) -> pd.DataFrame:
    """Measure shape features of the central nucleus of every crop.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, s, s)
        Normalised crops.
    pixel_size : float, optional
        Micrometres per pixel; if omitted, lengths are in pixels.
    neighbourhood : bool
        Also measure the other nuclei in the crop.

    Returns
    -------
    DataFrame
        One row per crop and one column per feature of `shape_features`; NaN if no nucleus was found.

    Raises
    ------
    InputError
        If the images are not uint8 crops, or the pixel size is not positive.

    Examples
    --------
    >>> disk = np.hypot(*np.mgrid[-31.5:32, -31.5:32]) < 10
    >>> measure_features(np.uint8(200 * disk)[None], pixel_size=0.5)[["width", "axis_ratio"]].round(1)
       width  axis_ratio
    0   10.5         1.0
    """
    if images.ndim != 3 or images.dtype != np.uint8:
        raise InputError(
            f"Shapes are measured in crops of type uint8, (n, s, s); got {images.dtype} {images.shape}."
        )
    if pixel_size is not None and not (np.isfinite(pixel_size) and pixel_size > 0):
        raise InputError(f"The pixel size must be a positive number of micrometres, not {pixel_size}.")
    from morpholaw.cells.segmentation import BLOCK

    names = [feature.name for feature in shape_features(pixel_size, neighbourhood)]
    parts = [_measure(images[i : i + BLOCK], pixel_size, neighbourhood) for i in range(0, len(images), BLOCK)]
    import pandas as pd

    if not parts:
        return pd.DataFrame(columns=names, dtype=float)
    return pd.DataFrame({name: np.concatenate([part[name] for part in parts]) for name in names})


def _measure(images: np.ndarray, pixel_size: float | None, neighbourhood: bool) -> dict[str, np.ndarray]:
    from morpholaw.cells.convex_hull import hull_pixels
    from morpholaw.cells.nucleus_moments import nucleus_moments
    from morpholaw.cells.segmentation import segment

    um = pixel_size or 1.0
    components = segment(images)
    mask = components.central_mask
    nucleus = nucleus_moments(images, mask)
    length, width, brightness = nucleus.length, nucleus.width, nucleus.brightness
    pixels = np.where(nucleus.area > 0, nucleus.area, np.nan)
    perimeter = _perimeter(mask)
    with np.errstate(invalid="ignore", divide="ignore"):
        measured = {
            "area": pixels * um**2,
            "length": length * um,
            "width": width * um,
            "axis_ratio": length / width,
            "solidity": pixels / hull_pixels(mask),
            "roundness": np.where(perimeter > 0, 4 * np.pi * pixels / perimeter**2, np.nan),
            "brightness": brightness,
            "brightness_spread": nucleus.deviation / brightness,
            "contrast": _contrast(images, mask, _texture_pixels(pixel_size)) / brightness,
            "edge_sharpness": _edge_slope(images, mask) / brightness / um,
        }
    if neighbourhood:
        centre = np.stack([nucleus.y, nucleus.x])
        measured |= _neighbours(components, centre, nucleus.area, images.shape[-1], um)
    return measured


def _texture_pixels(pixel_size: float | None) -> int:
    """Return the distance at which the contrast is measured, in whole pixels."""
    return TEXTURE_PIXELS if pixel_size is None else max(1, round(TEXTURE_DISTANCE / pixel_size))


def _inner(mask: np.ndarray) -> np.ndarray:
    """Return the pixels whose four neighbours are in the mask; none at the border of the crop."""
    inner = np.zeros_like(mask)
    inner[:, 1:-1, 1:-1] = (
        mask[:, 1:-1, 1:-1] & mask[:, :-2, 1:-1] & mask[:, 2:, 1:-1] & mask[:, 1:-1, :-2] & mask[:, 1:-1, 2:]
    )
    return inner


def _perimeter(mask: np.ndarray) -> np.ndarray:
    """Return the length of the outline in pixels, as in scikit-image (Benkrid and Crookes 2000)."""
    border = (mask & ~_inner(mask)).astype(np.uint8)
    padded = np.pad(border, ((0, 0), (1, 1), (1, 1)))
    straight = padded[:, :-2, 1:-1] + padded[:, 2:, 1:-1] + padded[:, 1:-1, :-2] + padded[:, 1:-1, 2:]
    diagonal = padded[:, :-2, :-2] + padded[:, :-2, 2:] + padded[:, 2:, :-2] + padded[:, 2:, 2:]
    code = border + 2 * straight + 10 * diagonal
    lengths = np.zeros(64)
    lengths[[5, 7, 15, 17, 25, 27]] = 1
    lengths[[21, 33]] = np.sqrt(2)
    lengths[[13, 23]] = (1 + np.sqrt(2)) / 2
    total: np.ndarray = (lengths[code] * border).sum(axis=(1, 2))
    return total


def _contrast(images: np.ndarray, mask: np.ndarray, distance: int) -> np.ndarray:
    """Return the root mean square difference between pixels of the mask ``distance`` apart along rows and columns."""
    square, count = np.zeros(len(images)), np.zeros(len(images))
    for axis in (1, 2):
        near = [slice(None)] * 3
        far = [slice(None)] * 3
        near[axis], far[axis] = slice(None, -distance), slice(distance, None)
        crop, row, column = np.nonzero(mask[tuple(near)] & mask[tuple(far)])
        one = images[tuple(near)][crop, row, column] / 255.0
        other = images[tuple(far)][crop, row, column] / 255.0
        square += np.bincount(crop, (one - other) ** 2, minlength=len(images))
        count += np.bincount(crop, minlength=len(images))
    nothing = count == 0  # a nucleus smaller than the distance has no contrast
    contrast: np.ndarray = np.sqrt(square / np.where(nothing, 1, count))
    return contrast


def _edge_slope(images: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the mean gradient of the brightness along the outline, per pixel, by central differences."""
    crop, row, column = np.nonzero(mask & ~_inner(mask))
    last = images.shape[-1] - 1

    def value(y: np.ndarray, x: np.ndarray) -> np.ndarray:
        at: np.ndarray = images[crop, np.clip(y, 0, last), np.clip(x, 0, last)] / 255.0
        return at

    slope_y = (value(row + 1, column) - value(row - 1, column)) / 2
    slope_x = (value(row, column + 1) - value(row, column - 1)) / 2
    total = np.bincount(crop, np.hypot(slope_y, slope_x), minlength=len(images))
    count = np.bincount(crop, minlength=len(images))
    slope: np.ndarray = total / np.maximum(count, 1)
    return slope


def _neighbours(
    components: Components, centre: np.ndarray, area: np.ndarray, size: int, um: float
) -> dict[str, np.ndarray]:
    """Return count, nearest distance and area of the other nuclei of each crop; NaN without a central nucleus."""
    n, count = len(area), len(components.area)
    labels = components.labels
    crop, row, column = np.nonzero(labels)
    label = labels[crop, row, column]
    pixels = np.maximum(components.area, 1)
    y = np.bincount(label, row, minlength=count) / pixels
    x = np.bincount(label, column, minlength=count) / pixels
    other = (components.area > 0) & (np.arange(count) != components.central[components.owner])
    owner = components.owner[other]
    apart = np.hypot(y[other] - centre[0, owner], x[other] - centre[1, owner])
    nearest = np.full(n, float(size))
    np.minimum.at(nearest, owner, apart)
    some = np.where(area > 0, 1.0, np.nan)
    return {
        "neighbours": np.bincount(owner, minlength=n) * some,
        "neighbour_distance": nearest * um * some,
        "neighbour_area": np.bincount(owner, components.area[other], minlength=n) * um**2 * some,
    }
