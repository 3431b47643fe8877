"""Exchange or removal of the surroundings of cells in crops.

Surroundings are exchanged in the grey values of the movie. A crop is divided by the brightness of its own cell
(:mod:`morpholaw.cells.normalise`), so the same neighbour has different grey levels in the crops of a dim cell and of a
bright one. Crops are therefore multiplied by the stored brightness of their cells, which makes crops of one source
proportional to the movie's grey values above background (and those of other sources to units of their own typical
cell). The new crop is combined in these units, and divided by the brightness that is then measured for the cell, as if
it had been cut from a movie with these surroundings.
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
    """Crops with the masks that are needed to exchange their surroundings.

    Attributes
    ----------
    images : ndarray, uint8 (n, s, s)
        Normalised crops.
    brightness : ndarray, float (n,)
        Brightness by which each crop was divided; 1 if all crops have the same scale (``brightness=source``).
    cells : ndarray, bool (n, s, s)
        Mask of the cell.
    background : ndarray, bool (n, s, s)
        Mask of the background, outside all nuclei.
    tracked : ndarray, bool (n,)
        Whether the mask of the cell is from the tracker. Others are segmented in the crop.
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
        """Determine the mask of each cell: its nucleus and a rim (:func:`morpholaw.cells.cell_pixels.cell_pixels`).

        Parameters
        ----------
        images : ndarray, uint8 (n, s, s)
            Normalised crops.
        brightness : ndarray, float (n,), optional
            Brightness by which each crop was divided. The default is 1.
        masks : ndarray, bool (n, s, s), optional
            Masks of the cells from the tracker. If a mask is missing or too small
            (:func:`morpholaw.cells.tracker_masks.nuclei_with_masks`), the nucleus is segmented in the crop. If no
            nucleus is found, the disc in which brightness is measured is used.

        Returns
        -------
        CellCrops
            The crops with their masks.

        Raises
        ------
        InputError
            If the arrays do not match.
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
        """Whether each crop has its own scale."""
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
        Index of the crop that provides the surroundings of each cell.
    keep_donor : bool
        Keep the cell of the donor, which remains visible as a rim if it is larger than the cell placed over it.
        Otherwise, it is replaced by the background of the donor.
    seed : int
        Seed of the pixels drawn from the background of the donor.

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
        Seed of the draws.

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
    """Choose a random donor of surroundings for each cell.

    Parameters
    ----------
    targets : ndarray, int (n,)
        Classes.
    same : bool or None
        True for a donor of the same class, False for one of another class, None for any.
    groups : ndarray, optional
        Groups (tracks or movies). Donors are chosen from other groups if possible.
    seed : int
        Seed of the choice.

    Returns
    -------
    ndarray, int64 (n,)
        Indices of the donors.

    Raises
    ------
    InputError
        If a cell has no possible donor.
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
    """Return whether there is another cell of the same class, with which surroundings can be exchanged.

    Parameters
    ----------
    targets : ndarray, int (n,)
        Classes.

    Returns
    -------
    ndarray, bool (n,)
        Whether each cell has a donor.
    """
    _, number, counts = np.unique(targets, return_inverse=True, return_counts=True)
    available: np.ndarray = counts[number] > 1
    return available


def _composed(crops: CellCrops, surroundings: np.ndarray) -> np.ndarray:
    """Return normalised crops of the cells in ``surroundings``, which have the grey values of the movie."""
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
