"""Draw a figure with Agg and say what came out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


@pytest.fixture
def draw() -> Callable[[Figure], np.ndarray]:
    """Render a figure, check that it isn't blank and that nothing sticks out of it; returns RGBA pixels."""

    def render(figure: Figure, colours: int = 20, margin: float = 2.0) -> np.ndarray:
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        pixels = np.asarray(canvas.buffer_rgba())
        seen = len(np.unique(pixels.view(np.uint32)))  # one number per colour: rows take long to sort
        assert seen > colours, f"only {seen} colours: the figure looks empty"
        box = figure.get_tightbbox(canvas.get_renderer())
        width, height = figure.get_size_inches()
        beyond = 72 * np.array([-box.x0, -box.y0, box.x1 - width, box.y1 - height])
        assert (beyond < margin).all(), f"clipped by {beyond.round(1)} points (left, bottom, right, top)"
        return pixels

    return render


@pytest.fixture
def texts() -> Callable[[Figure], set[str]]:
    """All text that a figure shows."""

    def collect(figure: Figure) -> set[str]:
        from matplotlib.text import Text

        found = figure.findobj(lambda artist: isinstance(artist, Text) and artist.get_visible())
        return {text.get_text() for text in found} - {""}

    return collect


@pytest.fixture
def cells() -> np.ndarray:
    """Twelve crops of a blob with noise, uint8 (12, 32, 32)."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:32, :32] - 15.5
    radius = np.linspace(4, 9, 12)[:, None, None]
    blobs = 0.8 / (1 + np.exp(np.hypot(x, y) - radius)) + rng.uniform(0, 0.1, (12, 32, 32))
    return np.round(255 * blobs).astype(np.uint8)
