"""Make the moving picture at the top of the README: a movie becomes cells, classes and a law, in the running program.

The sample's movie is played in a real viewer, its panels are opened one after another and used as a person would, and
what is on the screen is kept as docs/images/movie_to_law.gif. Without a screen::

    xvfb-run -a -s "-screen 0 1400x1000x24" python docs/make_moving_picture.py
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import napari
import numpy as np
from make_screenshots import OUT, SIZE, use_cells, use_classify, use_laws, wait
from PIL import Image, ImageDraw, ImageFont

from morpholaw.study import Study
from morpholaw.widgets.cells.panel import CellsWidget
from morpholaw.widgets.classify.panel import ClassifyWidget
from morpholaw.widgets.laws.panel import LawsWidget
from morpholaw.widgets.napari_readers import sample_data
from morpholaw.widgets.study.current_study import CurrentStudy

WIDTH = 800
CAPTION = 34
"""Height of the line of text below the window."""
GREYS, COLOURS = 24, 100
"""Of the GIF's palette: few greys make the movie's noise compress, and colours of their own keep the classes apart."""


def main() -> None:
    """Play the scenes, and write their pictures as one GIF."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=OUT.parent / "movie_to_law.gif")
    arguments = parser.parse_args()
    study = sample_data.study_copy(Path(tempfile.mkdtemp()) / "sample-study")
    viewer = napari.Viewer()
    viewer.window._qt_window.resize(*SIZE)
    viewer.window._qt_viewer.dockLayerControls.hide()
    viewer.window._qt_viewer.dockLayerList.hide()
    shown = [(captioned(window(viewer), text), seconds) for text, seconds in scenes(viewer, study)]
    viewer.close()
    colours = palette([picture for picture, _ in shown])
    pictures = [picture.quantize(palette=colours, dither=Image.Dither.NONE) for picture, _ in shown]
    durations = [round(1000 * seconds) for _, seconds in shown]
    pictures[0].save(
        arguments.out, save_all=True, append_images=pictures[1:], duration=durations, loop=0, optimize=True
    )
    print(f"wrote {arguments.out}: {len(shown)} pictures, {arguments.out.stat().st_size / 1e6:.2f} MB")


def scenes(viewer: Any, study: Path) -> Iterator[tuple[str, float]]:
    """Set each scene; yields its caption and how many seconds it is shown."""
    for data, options, kind in sample_data.sample_movie():
        getattr(viewer, f"add_{kind}")(data, **options)
    for t in range(0, 30, 3):
        viewer.dims.set_point(0, t)
        wait(0.4)
        yield "1  A movie of tracked cells", 0.25
    CurrentStudy.of(viewer).open(study)
    cells = opened(viewer, CellsWidget)
    use_cells(viewer, cells)
    yield "2  Every cell of every frame is cut out and labelled: green interphase, orange metaphase", 3.0
    classify = opened(viewer, ClassifyWidget)
    use_classify(viewer, classify)
    for t in range(0, 30, 3):
        viewer.dims.set_point(0, t)
        wait(0.4)
        yield "3  What was learnt classifies the cells of the movie, along their tracks", 0.3
    laws = opened(viewer, LawsWidget)
    use_laws(viewer, laws)
    wait(1)
    law = Study(study).law_sentence(name="measured").inequality
    yield f"4  The law: metaphase where {law}, and its boundary among the cells", 5.0


def opened(viewer: Any, kind: type) -> Any:
    """Open a panel in place of the one before."""
    viewer.window.remove_dock_widget("all")
    panel: Any = kind(viewer)
    viewer.window.add_dock_widget(panel, name=kind.__name__.removesuffix("Widget"), area="right")
    viewer.window._qt_window.resize(*SIZE)
    wait(2)
    return panel


def window(viewer: Any) -> Image.Image:
    """Return what is on the screen, smaller."""
    wait(0.3)
    shot = Image.fromarray(viewer.screenshot(canvas_only=False, flash=False)[..., :3])
    return shot.resize((WIDTH, round(shot.height * WIDTH / shot.width)), Image.Resampling.LANCZOS)


def palette(pictures: list[Image.Image]) -> Image.Image:
    """Return an image whose palette is even greys and the colours that the pictures have."""
    pixels = np.concatenate([np.asarray(picture).reshape(-1, 3) for picture in pictures])
    vivid = pixels[np.ptp(pixels, axis=1) > 40]
    found = Image.fromarray(vivid[None]).quantize(COLOURS).getpalette() or []
    greys = [round(level) for level in np.linspace(0, 255, GREYS)]
    whole = Image.new("P", (1, 1))
    whole.putpalette([grey for level in greys for grey in (level, level, level)] + found[: 3 * COLOURS])
    return whole


def captioned(picture: Image.Image, text: str) -> Image.Image:
    """Return the picture with a line of text below it."""
    whole = Image.new("RGB", (picture.width, picture.height + CAPTION), "white")
    whole.paste(picture)
    ImageDraw.Draw(whole).text((12, picture.height + 8), text, "black", ImageFont.load_default(16))
    return whole


if __name__ == "__main__":
    main()
