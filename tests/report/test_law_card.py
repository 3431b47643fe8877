"""The card of one law, as HTML and Markdown."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from pypdf import PdfReader

from morpholaw.cells.crop_record import CropOrigin
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.simulator import simulate_crops
from morpholaw.cli import main
from morpholaw.errors import InputError
from morpholaw.models.law import Law
from morpholaw.report import law_card
from morpholaw.report.material import Material
from morpholaw.report.page import Paragraph, Section, Table
from morpholaw.report.pdf import render_pdf
from morpholaw.report.sections import class_laws
from morpholaw.sample import sample_folder
from morpholaw.store.classifiers import adopt, record
from morpholaw.store.law_reading import LawReading
from morpholaw.store.overview import performance
from morpholaw.study import Study

LAWS = {("hinge", 0): 12, ("hinge", 1): 8, ("hinge", 2): 3, ("mse", 0): 5}
"""Losses and places of the study's laws, and their nodes."""


@pytest.fixture(scope="module")
def cards(study: Study, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], Path]:
    """A card of every law, each made once: the first by the study, the second by the command."""
    folder = tmp_path_factory.mktemp("cards")
    made = {(loss, k): folder / f"{loss}-{k}.html" for loss, k in LAWS}
    study.law_card(made["hinge", 0])
    arguments = ["law-card", "--study", str(study.path), "--law", "2", "--out", str(made["hinge", 1])]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert "hinge-1.pdf" in result.output
    for loss, k in (("hinge", 2), ("mse", 0)):
        law_card(study, f"scheme4-{loss}", k, made[loss, k])
    return made


@pytest.mark.parametrize("law", LAWS)
def test_every_law_has_a_card(
    read_page: Any, cards: dict[tuple[str, int], Path], law: tuple[str, int]
) -> None:
    assert all(cards[law].with_suffix(f".{ending}").exists() for ending in ("html", "pdf", "md"))
    page = read_page(cards[law])
    assert page.headings == [
        "The law", "Inputs", "Accuracy", "Misclassified cells", "Domain constraints",
        "Dependence on surroundings", "Provenance",
    ]  # fmt: skip
    assert f"{LAWS[law]} nodes" in page.prose
    assert 'class="absent"' not in page.text
    assert page.count("figure") >= 3


def test_formulas_are_printed_with_the_digits_that_the_classes_of_the_cells_need(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed: list[int] = []
    monkeypatch.setattr(class_laws, "typeset", lambda *_, digits, **__: printed.append(digits))
    monkeypatch.setattr(LawReading, "digits", 7)
    class_laws.formulas(Material(study), "phases", 0)
    assert set(printed) == {7}


def test_laws_of_three_classes_have_one_card(read_page: Any, study: Study, tmp_path: Path) -> None:
    page = read_page(law_card(study, "phases", 0, tmp_path / "phases.html"))
    assert page.headings[:3] == ["The laws", "Pairs of classes", "Inputs"]
    assert "Classes: 1 interphase, 2 metaphase, 3 anaphase." in page.prose
    for name in ("interphase", "metaphase"):
        assert re.search(f"typical {name} cell|labelled cells of {name} is classified correctly", page.prose)
    assert re.search(
        r"\| anaphase \| .*(above|below) \S+", (tmp_path / "phases.md").read_text(encoding="utf-8")
    )
    text = (tmp_path / "phases.md").read_text(encoding="utf-8")
    assert "$$\nf_{2}(z) = z_{1}^{2} - 0.25" in text
    pages = PdfReader(tmp_path / "phases.pdf").pages
    assert any("metaphase rather than" in page.extract_text() for page in pages)


def test_markdown_has_the_formula_and_the_numbers(cards: dict[tuple[str, int], Path]) -> None:
    text = cards["hinge", 0].with_suffix(".md").read_text(encoding="utf-8")
    assert "$$\nf(z) = z_{2}" in text
    assert "z2 * (square(z0) + square(z1)) - exp(z3) + 0.123456" in text
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert any(line.startswith("| Test accuracy | ") for line in lines)
    assert "<" not in text.replace("<br>", "")


def test_the_pdf_holds_the_same_sections_numbers_and_pictures(cards: dict[tuple[str, int], Path]) -> None:
    card = cards["hinge", 0]
    pages = PdfReader(card.with_suffix(".pdf")).pages
    assert 1 < len(pages) < 8
    assert sum(len(page.images) for page in pages) >= 2
    text = "\n".join(page.extract_text() for page in pages)
    for section in (
        "The law",
        "Inputs",
        "Accuracy",
        "Misclassified cells",
        "Domain constraints",
        "Dependence on surroundings",
        "Provenance",
    ):
        assert section in text
    accuracy = re.search(r"Test accuracy \| ([\d.]+ %)", card.with_suffix(".md").read_text(encoding="utf-8"))
    assert accuracy is not None
    assert accuracy[1] in text
    assert f"Page {len(pages)} of {len(pages)}." in text


def test_a_pdf_says_that_its_font_lacks_characters(caplog: pytest.LogCaptureFixture) -> None:
    table = Table(("Class", "Cells"), [("\u9577\u3044", "3")], "")
    pages = [
        PdfReader(io.BytesIO(render_pdf(name, "", [Section("Classes", [table])], "foot")))
        .pages[0]
        .extract_text()
        for name in ("\u7d30\u80de", "cells")
    ]
    plain = render_pdf("cells", "", [Section("Classes", [Paragraph("interphase")])], "foot")
    assert "missing" not in caplog.text  # the library's own sentence
    for page in pages:
        assert "lacks are shown as \u25a1" in page
        assert "\u25a1\u25a1 3" in page
    assert "lacks" not in PdfReader(io.BytesIO(plain)).pages[0].extract_text()


def test_a_law_that_is_not_there_is_one_sentence(study: Study, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no law 8; scheme4-hinge has laws 1 to 3"):
        law_card(study, "scheme4-hinge", 7, tmp_path / "card.html")
    with pytest.raises(InputError, match=r"no laws called 'law'; its laws are called .*scheme4-hinge"):
        law_card(study, "law", 0, tmp_path / "card.html")
    with pytest.raises(InputError, match="no laws called 'scheme4-mse'; discover some first"):
        law_card(Study.create(tmp_path / "s"), "scheme4-mse", 0, tmp_path / "card.html")
    with pytest.raises(InputError, match=r"must end in \.html"):
        law_card(study, "scheme4-hinge", 0, tmp_path / "card.pdf")


def test_the_card_of_an_adopted_law_over_shapes_is_in_units_and_says_where_it_was_measured(
    tmp_path: Path,
) -> None:
    study = Study.create(tmp_path / "study")
    images, cells = simulate_crops(phases={"interphase": 40, "metaphase": 40}, seed=5)
    CropSet.write(study.path / "crops" / "own", images, cells, CropOrigin(kind="simulated", pixel_size=0.333))
    adopt(study, sample_folder() / "classifiers" / "measured")
    text = law_card(study, "measured", 0, tmp_path / "card.html").with_suffix(".md").read_text("utf-8")

    # the formula at the top gives the scores that the study gives, from shapes in units
    assert "(z)" not in text  # it reads no latent
    assert "f ≥ 0 is metaphase, f &#60; 0 is interphase" in text
    assert "$$\nf = " in text
    formula = re.search(r"```text\n(.+)\n```", text)
    assert formula is not None
    law = Law.parse(formula[1], ["area", "roundness"])
    shapes = study.shapes()[["area", "roundness"]]
    scores = study.classify("measured")["score"].to_numpy(float)
    assert np.allclose(law.score(shapes), scores, atol=1e-3)

    right = np.mean(np.where(scores >= 0, "metaphase", "interphase") == study.labels)
    assert "| Test accuracy in the study of origin | " in text
    assert (
        f"| Accuracy on the labelled cells of this study, which were not in the training set | {100 * right:.1f} % ("
        in text
    )
    assert "with standardised shapes" in text
    assert "| epochs |" not in text
    assert "held-out cells of the study of origin" in performance(record(study, "measured"))
