"""What searches on resampled groups say about a law, in words."""

from __future__ import annotations

from morpholaw.evaluation.law_stability import compared
from morpholaw.models.expressions import parse

NAMES = ("area", "width", "contrast")


def text(*found: str) -> str:
    laws = [parse(one, NAMES) for one in found]
    return compared(
        parse("area - width", NAMES), {"area": 1, "width": -1}, laws, [{"area": 1}] * len(laws), 1000
    ).text


def test_an_input_that_never_came_back_has_no_direction_to_agree_with():
    assert "area was found in 2, in 2 with the same direction; width was not found again" in text(
        "area + contrast", "area - 2 * contrast"
    )


def test_one_search_is_one():
    assert text("area - 2 * width").startswith(
        "In one search on resampled groups of cells (1,000 evaluations"
    )
    assert "the form of the law was found in none" in text("contrast")
