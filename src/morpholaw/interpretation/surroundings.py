"""Crops with other surroundings: a cell's own pixels stay, everything else comes from another cell, or is removed.

The grey values are those of the movie. A crop is divided by the brightness of its own cell
(:mod:`morpholaw.cells.normalise`), so that the same neighbour has another grey level in the crop of a dim cell than in
that of a bright one. The brightness of each cell is kept beside its crop: multiplied by it, crops of one source are
proportional to the movie's grey values above the background again (those of other sources to units of their own typical
cell). The new crop is put together there and divided by the brightness that a cell in it would be measured to have,
as if it had been cut from a movie with these surroundings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morpholaw.cells.cell_pixels import nuclei
from morpholaw.cells.normalise import BRIGHTEST, CEILING, FAINTEST, peak
from morpholaw.cells.segmentation import foreground_masks, with_margin
from morpholaw.cells.tracker_masks import nuclei_with_masks
from morpholaw.errors import InputError


@dataclass(frozen=True)
class CellCrops:
    """Crops with what is needed to exchange their surroundings.

    Attributes
    ----------
    images : ndarray, uint8 (n, s, s)
        Normalised crops.
    brightness : ndarray, float (n,)
        What each crop was divided by; 1 for all where they have one scale (``brightness=source``).
    cells : ndarray, bool (n, s, s)
        The cell's own pixels.
    background : ndarray, bool (n, s, s)
        Pixels that are of no nucleus.
    tracked : ndarray, bool (n,)
        Cells whose own pixels are the tracker's; those of others are segmented in the crop.
    """

    images: np.ndarray
    brightness: np.ndarray
    cells: np.ndarray
    background: np.ndarray
    tracked: np.ndarray

    @classmethod
    def of(
        cls, images: np.ndarray, brightness: np.ndarray | None = None, masks: np.ndarray | None = None
    ) -> CellCrops:
        """Find each cell's own pixels: its nucleus and a rim (:func:`morpholaw.cells.cell_pixels.cell_pixels`).

        Parameters
        ----------
        images : ndarray, uint8 (n, s, s)
            Normalised crops.
        brightness : ndarray, float (n,), optional
            What each crop was divided by; 1 where it is left out.
        masks : ndarray, bool (n, s, s), optional
            The tracker's masks of the cells. Where there is none, or one that is too small for an outline
            (:func:`morpholaw.cells.tracker_masks.nuclei_with_masks`), the nucleus is segmented in the crop, and
            where no nucleus is seen either, the disc in which the brightest chromatin is sought stands for it.

        Raises
        ------
        InputError
            When the arrays do not fit each other.
        """
        crops = np.asarray(images)
        if crops.ndim != 3 or crops.dtype != np.uint8 or not len(crops):
            raise InputError(f"Crops must be uint8 (n, s, s), at least one, not {crops.dtype} {crops.shape}.")
        each = np.ones(len(crops), np.float32) if brightness is None else np.asarray(brightness, np.float32)
        if each.shape != (len(crops),) or (masks is not None and np.shape(masks) != crops.shape):
            raise InputError(f"There must be one brightness and one mask for each of the {len(crops)} crops.")
        central, tracked = nuclei(crops), np.zeros(len(crops), bool)
        if masks is not None:
            central, tracked = nuclei_with_masks(central, np.asarray(masks, bool))
        foreground = with_margin(foreground_masks(crops) | central)
        return cls(
            crops,
            np.where(np.isfinite(each) & (each > 0), each, 1),
            with_margin(central),
            ~foreground,
            tracked,
        )

    def __len__(self) -> int:
        """Return the number of crops."""
        return len(self.images)

    @property
    def per_cell(self) -> bool:
        """Whether each crop has a scale of its own."""
        return bool(np.any(self.brightness != self.brightness[0]))


def swap_surroundings(
    crops: CellCrops, donors: np.ndarray, keep_donor: bool = True, seed: int = 0
) -> np.ndarray:
    """Replace all pixels outside each cell by those of another crop.

    Parameters
    ----------
    crops : CellCrops
        The cells.
    donors : ndarray, int (n,)
        The crop that the surroundings of each cell come from.
    keep_donor : bool
        Whether the donor's own cell stays visible where it is larger than the cell that is put over it, as a rim;
        otherwise the donor's background is continued there.
    seed : int
        Of the pixels drawn from the donor's background.

    Returns
    -------
    ndarray, uint8 (n, s, s)
        Normalised crops.
    """
    images = crops.images if keep_donor else _without_cells(crops, seed)
    return _composed(crops, images[donors] * crops.brightness[donors, None, None])


def remove_surroundings(crops: CellCrops, seed: int = 0) -> np.ndarray:
    """Replace all pixels outside each cell by background, drawn from the background pixels of the same crop.

    Parameters
    ----------
    crops : CellCrops
        The cells.
    seed : int
        Of the draws.

    Returns
    -------
    ndarray, uint8 (n, s, s)
        Normalised crops.
    """
    rng = np.random.default_rng(seed)
    empty = np.stack([_background(crops, k, rng) for k in range(len(crops))])
    return _composed(crops, empty * crops.brightness[:, None, None])


def choose_donors(
    targets: np.ndarray, same: bool | None, groups: np.ndarray | None = None, seed: int = 0
) -> np.ndarray:
    """Choose at random the crop that each cell gets its surroundings from.

    Parameters
    ----------
    targets : ndarray, int (n,)
        Classes.
    same : bool or None
        True for a donor of the same class, False for one of another class, None for any.
    groups : ndarray, optional
        A donor is of another group (track, movie) than the cell where there is one of the wanted class.
    seed : int
        Of the choice.

    Returns
    -------
    ndarray, int64 (n,)

    Raises
    ------
    InputError
        When a cell has no possible donor.
    """
    rng = np.random.default_rng(seed)
    names = np.arange(len(targets)) if groups is None else np.asarray(groups)
    donors = np.empty(len(targets), np.int64)
    for k, (target, group) in enumerate(zip(targets, names, strict=True)):
        allowed = np.ones(len(targets), bool) if same is None else (targets == target) == same
        allowed[k] = False
        apart = allowed & (names != group)
        candidates = np.flatnonzero(apart if apart.any() else allowed)
        if not len(candidates):
            which = {True: "the same", False: "another", None: "any"}[same]
            raise InputError(f"There is no other cell of {which} class to take surroundings from.")
        donors[k] = rng.choice(candidates)
    return donors


def has_donor(targets: np.ndarray) -> np.ndarray:
    """Return whether another cell has the class of each cell, so that surroundings can be exchanged.

    Parameters
    ----------
    targets : ndarray, int (n,)
        Classes.

    Returns
    -------
    ndarray, bool (n,)
    """
    _, number, counts = np.unique(targets, return_inverse=True, return_counts=True)
    found: np.ndarray = counts[number] > 1
    return found


def _composed(crops: CellCrops, surroundings: np.ndarray) -> np.ndarray:
    """Return normalised crops of the cells in ``surroundings``, which are in grey values of the movie."""
    grey = np.where(crops.cells, crops.images * crops.brightness[:, None, None], surroundings)
    scale = crops.brightness
    if crops.per_cell:
        measured = peak(grey.astype(np.float32)) * (CEILING / 255)
        scale = np.clip(measured, FAINTEST, BRIGHTEST)
    level: np.ndarray = np.clip(np.rint(grey / scale[:, None, None]), 0, 255)
    return level.astype(np.uint8)


def _without_cells(crops: CellCrops, seed: int) -> np.ndarray:
    """Return the crops with background where their own cells are, float32."""
    rng = np.random.default_rng(seed)
    filled = crops.images.astype(np.float32)
    for k in range(len(crops)):
        filled[k][crops.cells[k]] = _background(crops, k, rng)[crops.cells[k]]
    return filled


def _background(crops: CellCrops, k: int, rng: np.random.Generator) -> np.ndarray:
    """Return pixels drawn from the background of a crop, float32 (s, s)."""
    image = crops.images[k]
    values = image[crops.background[k]]
    if not len(values):  # nuclei everywhere: the darkest pixels are as near to background as there is
        values = np.sort(image, axis=None)[: max(1, image.size // 20)]
    drawn: np.ndarray = rng.choice(values, image.shape)
    return drawn.astype(np.float32)
