"""Text in the encodings of old Macs, DOS and Windows."""

from __future__ import annotations

from pathlib import Path

import pytest

from morpholaw.cells.text_table import read_text_table

WORDS = {
    "fr": ["Métaphase", "anaphase précoce", "Début", "arrêt"],
    "de": ["Prophase", "Überlebend", "Größe", "spät"],
    "sv": ["död", "levande", "ångest", "håll"],
    "es": ["división", "mañana", "célula"],
}


@pytest.mark.parametrize("encoding", ["cp1252", "mac_roman", "cp850", "latin-1"])
@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_words_are_read_in_the_encoding_in_which_they_are_words(
    tmp_path: Path, words: list[str], encoding: str
) -> None:
    rows = "\n".join(f"{k},1.5,{word}" for k, word in enumerate(words))
    path = tmp_path / "labels.csv"
    path.write_text(f"crop,x (px),class\n{rows}\n", encoding=encoding)
    assert read_text_table(path).values["class"].tolist() == words


def test_words_of_other_alphabets(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    for encoding, words in (("cp1251", ["метафаза", "Интерфаза"]), ("gb18030", ["中期", "间期"])):
        path.write_text(
            "crop;class\n" + "\n".join(f"{k};{w}" for k, w in enumerate(words)), encoding=encoding
        )
        assert read_text_table(path).values["class"].tolist() == words


def test_an_old_encoding_that_shows_only_far_below_the_header(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    rows = "".join(f"{k},interphase\n" for k in range(80_000))
    path.write_text(f"crop,class\n{rows}80000,métaphase\n", encoding="mac_roman")
    assert read_text_table(path).values["class"].iloc[-1] == "métaphase"
