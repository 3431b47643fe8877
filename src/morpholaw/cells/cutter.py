"""Crops out of frames: resampled, padded, cut together and brought to the crops' grey scale."""

from __future__ import annotations

import numpy as np

from morpholaw.cells.normalise import Normalisation
from morpholaw.config import CropConfig


class Cutter:
    """Takes crops out of frames of one size: resampled once if need be, padded once, cut together."""

    def __init__(self, config: CropConfig, shape: tuple[int, int]) -> None:
        self.size, self.edge, self.shape = config.size, config.edge, shape

    def cut(
        self, raw: np.ndarray, y: np.ndarray, x: np.ndarray, normalisation: Normalisation
    ) -> tuple[np.ndarray, np.ndarray]:
        """Crops uint8 (k, s, s) centred on pixels (y, x), and the brightness of their cells, float32 (k,)."""
        crops = self.cut_raw(raw, y, x, normalisation.background)
        brightness = normalisation.brightness(crops)
        return normalisation.apply(crops, brightness), brightness

    def cut_raw(
        self, raw: np.ndarray, y: np.ndarray, x: np.ndarray, background: float | None = None
    ) -> np.ndarray:
        """Crops (k, s, s) in the movie's grey values; the background is the frame's where it is not given."""
        frame = raw if raw.shape == self.shape else _resample(raw, self.shape)
        return self._slice(self._pad(frame, background), y, x)

    def _pad(self, frame: np.ndarray, background: float | None) -> np.ndarray:
        half = self.size // 2
        if self.edge == "reflect":
            return np.pad(frame, half, mode="symmetric")
        level = float(np.percentile(frame[::4, ::4], 5)) if background is None else background
        if np.issubdtype(frame.dtype, np.integer):
            limits = np.iinfo(frame.dtype)
            level = min(max(round(level), limits.min), limits.max)
        return np.pad(frame, half, constant_values=level)

    def _slice(self, padded: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        windows = np.lib.stride_tricks.sliding_window_view(padded, (self.size, self.size))
        return windows[y, x]


def _resample(frame: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    from skimage.transform import resize

    shrinks = shape[0] < frame.shape[0]
    return resize(frame.astype(np.float32), shape, order=1, anti_aliasing=shrinks, preserve_range=True)
