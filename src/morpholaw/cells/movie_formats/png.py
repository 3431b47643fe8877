"""PNG files as movies of one frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from morpholaw.cells.movie_formats.colour_table import grows_brighter
from morpholaw.cells.movie_formats.planes import Planes, select_movie
from morpholaw.cells.movie_formats.source import NO_CHOICES, Choices, FrameSource
from morpholaw.errors import InputError

_SAMPLES = {"L": 1, "P": 1, "I": 1, "I;16": 1, "I;16B": 1, "I;16L": 1, "1": 1, "RGB": 3, "RGBA": 4}


def open_png(path: Path, choices: Choices = NO_CHOICES) -> FrameSource:
    """Open a PNG file as a movie of one frame.

    Raises
    ------
    InputError
        If the file cannot be read, or is in colour and no channel was chosen.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=("PNG",)) as image:
            mode, (width, height) = image.mode, image.size
            palette = np.array(image.getpalette() or (), np.uint8).reshape(-1, 3)
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} cannot be read as a PNG file.") from error
    samples = _SAMPLES.get(mode)
    if samples is None:
        raise InputError(
            f"{path} is a PNG image of mode {mode}; expected a greyscale image with 8 or 16 bits per pixel."
        )
    dtype = np.dtype("uint16" if mode.startswith("I") else "uint8")

    def read(index: tuple[int, ...]) -> np.ndarray:
        with Image.open(path, formats=("PNG",)) as image:
            pixels = np.asarray(image).astype(dtype, copy=False)
        return pixels[..., index[0]] if samples > 1 else pixels

    planes = Planes(
        axes="s" if samples > 1 else "",
        sizes=(samples,) if samples > 1 else (),
        height=height,
        width=width,
        dtype=dtype,
        read=read,
        stored="yxs" if samples > 1 else "yx",
        format="PNG",
        files=(path,),
        colour_table=not grows_brighter(palette),
    )
    return select_movie(planes, choices, str(path), one_frame=True)
