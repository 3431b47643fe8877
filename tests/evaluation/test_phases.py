"""Phases along tracks: entry, exit, gaps and censoring."""

from __future__ import annotations

from itertools import groupby

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from morpholaw.evaluation.lineages import follow_cells
from morpholaw.evaluation.phases import find_phases, is_named_after, mitotic_classes
from morpholaw.evaluation.timeline import DEATH


def phases_of(*tracks: tuple[int, int, str], **options: object) -> pd.DataFrame:
    """Phases of tracks given as (first frame, parent or -1, a letter per frame); "." is no image, "?" no class."""
    rows = [
        {
            "track_id": number,
            "t": start + k,
            "parent": parent,
            "class": "undefined" if letter == "?" else letter,
        }
        for number, (start, parent, letters) in enumerate(tracks)
        for k, letter in enumerate(letters)
        if letter != "."
    ]
    return find_phases(follow_cells(pd.DataFrame(rows)), **options)


def brief(phases: pd.DataFrame) -> list[tuple[str, float, float, bool, bool]]:
    columns = ["class", "entry", "exit", "left_censored", "right_censored"]
    return list(phases[columns].itertuples(index=False, name=None))


def test_only_a_phase_between_two_others_is_known_in_full():
    phases = phases_of((0, -1, "iiimmiii"))
    assert brief(phases) == [("i", 0, 3, True, False), ("m", 3, 5, False, False), ("i", 5, 8, False, True)]
    assert phases["before"].tolist() == ["", "i", "m"]
    assert phases["after"].tolist() == ["m", "i", ""]


def test_a_gap_or_an_image_without_a_class_is_no_change_of_phase():
    assert brief(phases_of((0, -1, "iim..mmi?i"))) == [
        ("i", 0, 2, True, False),
        ("m", 2, 7, False, False),
        ("i", 7, 10, False, True),
    ]


def test_a_change_within_a_gap_is_set_in_its_middle():
    assert brief(phases_of((0, -1, "ii...mmi")))[:2] == [
        ("i", 0, 3.5, True, False),
        ("m", 3.5, 7, False, False),
    ]


def test_a_division_ends_the_mothers_phase_and_begins_the_daughters():
    phases = phases_of((0, -1, "iimm"), (4, 0, "ii"), (4, 0, "ii"))
    assert brief(phases) == [
        ("i", 0, 2, True, False),
        ("m", 2, 4, False, False),
        ("i", 4, 6, False, True),
        ("i", 4, 6, False, True),
    ]
    assert phases["after"].tolist()[1] == "division"
    assert phases["before"].tolist()[2] == "birth"


def test_a_daughter_in_her_mothers_class_continues_it_and_is_no_short_phase():
    phases = phases_of((0, -1, "iimm"), (4, 0, "mi"), (4, 0, "ii"))
    daughter = phases[(phases["cell"] == 1) & (phases["class"] == "m")]
    assert daughter["left_censored"].all()


def test_short_phases_are_mistakes_only_where_asked():
    assert len(phases_of((0, -1, "iiimiiiii"))) == 3
    assert brief(phases_of((0, -1, "iiimiiiii"), min_frames=2)) == [("i", 0, 9, True, True)]
    assert len(phases_of((0, -1, "iiimmiiii"), min_frames=2)) == 3


def test_classes_merge_into_one_phase():
    merged = phases_of((0, -1, "iipmai"), merge=dict.fromkeys("pma", "mitosis"))
    assert brief(merged)[1] == ("mitosis", 2, 5, False, False)


def test_an_event_is_as_sure_as_the_less_sure_image_beside_it():
    table = pd.DataFrame(
        {
            "track_id": 1,
            "t": range(4),
            "class": list("iimm"),
            "probability": [0.9, 0.6, 0.8, 0.9],
            "score": [-2, -1, 1, 2],
        }
    )
    phase = find_phases(follow_cells(table)).iloc[1]
    assert phase["entry_probability"] == 0.6
    assert phase["entry_score"] == 1


@pytest.mark.parametrize(
    "name",
    [
        "non-mitotic",
        "not mitotic",
        "Nonmitotic",
        "no_mitosis",
        "pre-mitotic",
        "postmitotic",
        "not in mitosis",
    ],
)
def test_a_class_that_is_named_as_not_mitotic_is_not(name):
    phases = pd.DataFrame({"class": [], "after": []})
    assert mitotic_classes([name, "mitotic"], phases) == ("mitotic",)
    assert mitotic_classes(["late prophase", "pro-metaphase", name], phases) == (
        "late prophase",
        "pro-metaphase",
    )
    assert not is_named_after("non-apoptotic", DEATH)
    assert is_named_after("Apoptosis", DEATH)
    assert is_named_after("late apoptotic", DEATH)


def test_the_mitotic_classes_are_found_by_name_else_by_divisions():
    phases = phases_of((0, -1, "aabb"), (4, 0, "aa"), (4, 0, "aa"))
    assert mitotic_classes(["a", "b"], phases) == ("b",)
    assert mitotic_classes(["interphase", "Prometaphase", "metaphase"], phases) == (
        "Prometaphase",
        "metaphase",
    )


@given(st.lists(st.text("im.?", min_size=1, max_size=12).map(lambda s: "i" + s), min_size=1, max_size=4))
def test_phases_tile_every_track(letters):
    phases = phases_of(*((0, -1, text) for text in letters))
    for cell, text in enumerate(letters):
        mine = phases[phases["cell"] == cell]
        shown = text.rstrip(".?")
        assert mine["entry"].iloc[0] == 0
        assert mine["exit"].iloc[-1] == len(shown)
        assert (mine["exit"].to_numpy()[:-1] == mine["entry"].to_numpy()[1:]).all()
        runs = [name for name, _ in groupby(letter for letter in shown if letter in "im")]
        assert mine["class"].tolist() == runs
