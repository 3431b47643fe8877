"""Frames named by date and time of day: their order across midnight and the ends of months."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from morpholaw.cells.movie_formats.frame_names import read_names
from morpholaw.errors import InputError

EVENING = datetime(2026, 11, 30, 22, 3, 17, tzinfo=UTC)


def times(form: str, minutes: float = 7, count: int = 40, start: datetime = EVENING) -> list[str]:
    return [(start + timedelta(minutes=minutes * k)).strftime(form) for k in range(count)]


def in_order(names: list[str]) -> list[str]:
    shuffled = random.Random(1).sample(names, len(names))
    found = read_names(shuffled, None, "the folder")
    assert {(one.channel, one.position) for one in found} == {("", "")}
    return [one.stem for one in sorted(found, key=lambda one: one.t)]


@pytest.mark.parametrize(
    "form",
    [
        *(
            "%d.%m.%Y_%H.%M.%S",
            "%m-%d-%Y %H-%M-%S",
            "%d%m%Y_%H%M%S",
            "%d%m%y_%H%M",
            "%y%m%d_%H%M%S",
            "%d-%m-%y_%H-%M",
        ),
        *(
            "%d%b%Y_%H%M",
            "%H%M%S",
            "%H-%M-%S",
            "%Hh%M",
            "%Hh%Mm%Ss",
            "%I-%M-%S %p",
            "%Y%m%d_%H%M",
            "%d.%m.%Y %I.%M %p",
        ),
    ],
)
def test_a_movie_from_november_to_december_over_midnight_is_in_order(form: str) -> None:
    names = times(f"cells_{form}")
    assert in_order(names) == names


def test_one_image_a_day_is_in_order_over_the_end_of_a_month() -> None:
    names = times("cells_%d.%m.%Y", minutes=1440, count=12)
    assert in_order(names) == names


def test_times_that_go_round_the_clock_or_dates_of_two_meanings_are_refused() -> None:
    with pytest.raises(InputError, match="go round the clock"):
        in_order(times("x_%H%M%S", minutes=10, count=144))
    both = times("x_%d.%m.%Y", minutes=28 * 1440, count=2, start=datetime(2026, 3, 12, tzinfo=UTC))
    with pytest.raises(InputError, match="with the day or the month first"):
        in_order([*both, "x_03.12.2026"])


def test_running_numbers_are_no_times() -> None:
    for names in (
        [f"img_{k:06d}" for k in range(200)],
        [f"img_20240131_{k:04d}" for k in range(130)],
        [f"img_20240131_{k:04d}" for k in range(9)],
    ):
        assert in_order(names) == names
    assert not read_names([f"img_20240131_{k:04d}" for k in range(9)], None, "the folder")[0].clock


def test_a_working_day_with_a_pause_does_not_begin_after_the_pause() -> None:
    names = ["x_090000", "x_093000", "x_140000", "x_143000", "x_150000"]
    assert in_order(names) == names
