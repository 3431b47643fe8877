"""Numbers with marks between thousands, and decimals that look like them."""

from __future__ import annotations

from pathlib import Path

import pytest

from morpholaw.cells.text_table import read_text_table

POSITIONS = [749.0, 1271.6, 985.2, 12.0, 1272.0]


@pytest.mark.parametrize(
    "cells",
    [
        ["749,0", "1.271,6", "985,2", "12", "1.272,0"],
        ["749.0", '"1,271.6"', "985.2", "12", '"1,272.0"'],
        ["749.0", "1'271.6", "985.2", "12", "1'272"],
        ["749,0", "1\u202f271,6", "985,2", "12", "1\u202f272"],
    ],
    ids=["German", "English", "Swiss", "French"],
)
def test_thousands_are_read_as_their_country_writes_them(tmp_path: Path, cells: list[str]) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x;t\n" + "".join(f"{cell};{i}\n" for i, cell in enumerate(cells)), encoding="utf-8")
    assert read_text_table(path).values["x"].tolist() == POSITIONS


@pytest.mark.parametrize("mark", [".", ","])
def test_whole_numbers_with_a_mark_are_told_from_decimals_by_their_size(tmp_path: Path, mark: str) -> None:
    cells = [890, 910, 960, 1010, 1200, 1271]
    path = tmp_path / "t.csv"
    path.write_text("x;t\n" + "".join(f"{cell:,};0\n".replace(",", mark) for cell in cells))
    assert read_text_table(path).values["x"].tolist() == cells


def test_decimals_with_three_digits_stay_decimals(tmp_path: Path) -> None:
    decimals = ["12", "12.125", "13.375", "14", "15.625", "16"]
    path = tmp_path / "t.csv"
    path.write_text("x;t\n" + "".join(f"{cell};0\n" for cell in decimals))
    assert read_text_table(path).values["x"].tolist() == [float(cell) for cell in decimals]
