"""What is known about a movie and its tracks is compared before anything is cut."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest

from morpholaw.cells.inputs import Comparison, compare, open_inputs
from morpholaw.cells.movies import Movie, open_movie
from morpholaw.cells.track_formats.facts import TrackFacts, Tracks
from morpholaw.config import CropConfig
from morpholaw.errors import InputError
from morpholaw.events import Message, Monitor

FRAMES, HEIGHT, WIDTH = 6, 200, 300


def movie(shape: tuple[int, int, int] = (FRAMES, HEIGHT, WIDTH), **facts: Any) -> Movie:
    opened = open_movie(np.zeros(shape, np.uint8), name="film", pixel_size=facts.pop("pixel_size", None))
    opened.facts = dataclasses.replace(opened.facts, **facts)
    return opened


def tracks(first: int = 0, last: int = FRAMES - 1, places: int = 4, **facts: Any) -> Tracks:
    rows = [(k, t, 20.0 + 40 * k, 250.0 - 60 * k, -1) for k in range(places) for t in range(first, last + 1)]
    table = pd.DataFrame(rows, columns=["track_id", "t", "y", "x", "parent"])
    return Tracks(table, TrackFacts(**({"format": "CSV", "frames": (first, last)} | facts)))


def moved(change: Any, **facts: Any) -> Tracks:
    fine = tracks(**facts)
    return Tracks(change(fine.table), fine.facts)


def test_inputs_that_fit_are_not_doubted():
    stated = {"image_size": (HEIGHT, WIDTH), "frame_count": FRAMES, "pixel_size": 0.645}
    assert compare(movie(pixel_size=0.65), tracks(**stated), CropConfig()) == Comparison()
    assert compare(movie(), tracks(), CropConfig()) == Comparison()


@pytest.mark.parametrize(
    ("of_movie", "of_tracks", "words"),
    [
        (movie(), tracks(1, 6), "frames 1 to 6, and film has 6 frames (0 to 5). They seem to start at one; give"),
        (movie(), tracks(3, 8), "seem to start at 3; give --frame-offset -3"),
        (movie(), tracks(4, 7), "8 of 16 positions are after its end"),
        (movie(), tracks(0, 40), "to a longer movie, or their times are not frame numbers"),
        (movie(), tracks(frame_count=4), "a movie of 4 frames, but film has 6 frames"),
        (movie(), tracks(image_size=(100, 150)), "a copy reduced 2 times"),
        (movie(), tracks(image_size=(400, 600)), "an image 2 times as large"),
        (movie(), tracks(image_size=(WIDTH, HEIGHT)), "rows and columns are exchanged"),
        (movie(), tracks(image_size=(512, 512)), "another movie or to a part of it"),
        (movie(), moved(lambda t: t.rename(columns={"x": "y", "y": "x"})), "x and y seem to be exchanged"),
        (movie(), moved(lambda t: t.assign(x=t.x * 3)), "are outside the 200 x 300 pixels of film"),
        (movie(pixel_size=0.5), moved(lambda t: t.assign(x=t.x * 2, y=t.y * 2)), "to an image of another size"),
        (movie(), moved(lambda t: t.assign(x=(t.x + 1) / 301, y=(t.y + 1) / 201)), "between 0 and 1, as fractions"),
        (movie((6, 200, 24)), tracks(), "Its axes seem to be in another order; name them with --axes"),
    ],
)  # fmt: skip
def test_contradictions_come_with_a_remedy(of_movie, of_tracks, words):
    found = compare(of_movie, of_tracks, CropConfig())
    assert words in " ".join(found.contradictions)


@pytest.mark.parametrize(
    ("of_movie", "of_tracks", "words"),
    [
        (movie(pixel_size=0.65), tracks(pixel_size=0.325), "state 0.325 µm per pixel but film 0.65"),
        (movie(frame_numbers=(0, 1, 2, 4, 5, 6)), tracks(), "numbered 0 to 6 without 3"),
        (movie(notes=("the second channel was left out",)), tracks(notes=["ids were joined"]), "ids were joined"),
    ],
)  # fmt: skip
def test_doubts_do_not_stop_anybody(of_movie, of_tracks, words):
    found = compare(of_movie, of_tracks, CropConfig())
    assert found.contradictions == ()
    assert words in " ".join(found.doubts)


def test_files_that_are_numbered_by_hours_miss_none():
    assert compare(movie(frame_numbers=(0, 12, 24, 36, 48, 60)), tracks(), CropConfig()) == Comparison()
    some = compare(movie(frame_numbers=(0, 12, 24, 48, 60, 72)), tracks(), CropConfig())
    assert "numbered 0 to 72 without 36" in some.doubts[0]


def test_frames_of_masks_that_are_matched_by_file_numbers_need_not_be_all_of_the_movie():
    some = tracks(2, 4, frame_count=3, frame_numbering="file numbers", frame_numbers=(2, 3, 4))
    assert compare(movie(frame_numbers=tuple(range(6))), some, CropConfig()) == Comparison()


def test_a_cell_at_the_border_and_made_up_positions_may_lie_outside():
    at_border = moved(lambda t: t.assign(x=t.x.where(t.index > 0, WIDTH + 3.0)))
    assert compare(movie(), at_border, CropConfig()).contradictions == ()
    made_up = moved(lambda t: t.assign(dummy=t.index < 2, y=t.y.where(t.index > 1, -400.0)))
    assert compare(movie(), made_up, CropConfig()).contradictions == ()


def test_a_stray_position_does_not_hide_that_x_and_y_are_exchanged():
    table = tracks().table.rename(columns={"x": "y", "y": "x"})
    table["y"] = (table["y"] + 40).where(table.index > 0, 900)
    opened = open_inputs(np.zeros((FRAMES, HEIGHT, WIDTH), np.uint8), table, CropConfig())
    assert "give --swap-xy" in opened.comparison.contradictions[0]


def test_contradictions_are_errors_and_warnings_for_those_who_insist():
    found = Comparison(("doubtful.",), ("wrong.",))
    said: list[Any] = []
    with pytest.raises(InputError, match=r"^wrong\. Use --force"):
        found.tell(Monitor(said.append), force=False)
    found.tell(Monitor(said.append), force=True)
    assert said == [
        Message("doubtful.", "warning"),
        Message("doubtful.", "warning"),
        Message("wrong.", "warning"),
    ]
