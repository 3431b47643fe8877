"""The card of one law, as HTML and Markdown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pypdf import PdfReader

from morpholaw.cli import main
from morpholaw.errors import InputError
from morpholaw.report import law_card
from morpholaw.study import Study


@pytest.mark.parametrize(
    ("loss", "k", "nodes"), [("hinge", 0, 12), ("hinge", 1, 8), ("hinge", 2, 3), ("mse", 0, 5)]
)
def test_every_law_has_a_card(
    read_page: Any, study: Study, tmp_path: Path, loss: str, k: int, nodes: int
) -> None:
    page = read_page(law_card(study, loss, k, tmp_path / "card.html"))  # type: ignore[arg-type]
    assert page.headings == [
        "The law", "Its latents", "Accuracy", "Where it fails", "Domain constraints", "Provenance",
    ]  # fmt: skip
    assert f"{nodes} nodes" in page.prose
    assert 'class="absent"' not in page.text
    assert page.count("figure") >= 3


def test_markdown_has_the_formula_and_the_numbers(study: Study, tmp_path: Path) -> None:
    law_card(study, "hinge", 0, tmp_path / "card.html")
    text = (tmp_path / "card.md").read_text(encoding="utf-8")
    assert "$$\nf(z) = z_{2}" in text
    assert "z2 * (square(z0) + square(z1)) - exp(z3) + 0.123456" in text
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert any(line.startswith("| Test accuracy | ") for line in lines)
    assert "<" not in text.replace("<br>", "")


def test_the_pdf_holds_the_same_sections_numbers_and_pictures(study: Study, tmp_path: Path) -> None:
    card = study.law_card(tmp_path / "card.html")
    pages = PdfReader(card.with_suffix(".pdf")).pages
    assert 1 < len(pages) < 8
    assert sum(len(page.images) for page in pages) >= 2
    text = "\n".join(page.extract_text() for page in pages)
    for section in (
        "The law",
        "Its latents",
        "Accuracy",
        "Where it fails",
        "Domain constraints",
        "Provenance",
    ):
        assert section in text
    accuracy = re.search(r"Test accuracy \| ([\d.]+ %)", card.with_suffix(".md").read_text(encoding="utf-8"))
    assert accuracy is not None
    assert accuracy[1] in text
    assert f"Page {len(pages)} of {len(pages)}." in text


def test_the_command_writes_a_card(study: Study, tmp_path: Path) -> None:
    arguments = ["law-card", "--study", str(study.path), "--law", "2", "--out", str(tmp_path / "law.html")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert all((tmp_path / f"law.{ending}").exists() for ending in ("html", "pdf", "md"))
    assert "law.pdf" in result.output


def test_a_law_that_is_not_there_is_one_sentence(study: Study, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no law 8; the study has laws 1 to 3"):
        law_card(study, "hinge", 7, tmp_path / "card.html")
    with pytest.raises(InputError, match="no laws found"):
        law_card(Study.create(tmp_path / "s"), "mse", 0, tmp_path / "card.html")
    with pytest.raises(InputError, match=r"must end in \.html"):
        law_card(study, "hinge", 0, tmp_path / "card.pdf")
