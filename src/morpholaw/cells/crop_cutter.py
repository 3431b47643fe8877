"""Cutting of crops from one frame, which is resampled if necessary and padded once."""

from __future__ import annotations

import numpy as np

from morpholaw.cells.normalise import Normalisation
from morpholaw.config import CropConfig


class CropCutter:
    """Cuts crops from frames of one size: resamples them if necessary, pads them once, and cuts all crops together."""

    def __init__(self, config: CropConfig, shape: tuple[int, int]) -> None:
        self.size, self.edge, self.shape = config.size, config.edge, shape

    def cut(
        self, raw: np.ndarray, y: np.ndarray, x: np.ndarray, normalisation: Normalisation
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return crops, uint8 (k, s, s), centred on pixels (y, x), and the brightness of their cells, float32 (k,)."""
        crops = self.cut_raw(raw, y, x, normalisation.background)
        brightness = normalisation.brightness(crops)
        return normalisation.apply(crops, brightness), brightness

    def cut_raw(
        self, raw: np.ndarray, y: np.ndarray, x: np.ndarray, background: float | None = None
    ) -> np.ndarray:
        """Return crops (k, s, s) in the movie's grey values, padded by default with the frame's background."""
        frame = raw if raw.shape == self.shape else _resample(raw, self.shape)
        windows = np.lib.stride_tricks.sliding_window_view(
            self._pad(frame, background), (self.size, self.size)
        )
        crops: np.ndarray = windows[y, x]
        return crops

    def _pad(self, frame: np.ndarray, background: float | None) -> np.ndarray:
        half = self.size // 2
        if self.edge == "reflect":
            return np.pad(frame, half, mode="symmetric")
        level = float(np.percentile(frame[::4, ::4], 5)) if background is None else background
        if np.issubdtype(frame.dtype, np.integer):
            limits = np.iinfo(frame.dtype)
            level = min(max(round(level), limits.min), limits.max)
        return np.pad(frame, half, constant_values=level)


def _resample(frame: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    from skimage.transform import resize

    shrinks = shape[0] < frame.shape[0]
    resized: np.ndarray = resize(
        frame.astype(np.float32), shape, order=1, anti_aliasing=shrinks, preserve_range=True
    )
    return resized
