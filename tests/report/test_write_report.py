"""The report of a study: complete, one file, safe, and honest about what is missing."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from morpholaw.cli.table import show_table
from morpholaw.errors import InputError
from morpholaw.events import Monitor, Progress
from morpholaw.interpretation.latent_summary import LatentSummary
from morpholaw.report import write_report
from morpholaw.report.card import law_card
from morpholaw.report.material import Material, TestCells
from morpholaw.report.sections.cell_alone import cell_alone
from morpholaw.report.sections.interventions import Surroundings, inputs_from_surroundings
from morpholaw.store import classifiers
from morpholaw.study import Study


@pytest.fixture(scope="module")
def page(study: Study, read_page: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with (
        pytest.MonkeyPatch.context() as patch
    ):  # an encoder of seconds has no latent that follows the cell alone
        patch.setattr(LatentSummary, "morphology", [0, 1, 3])
        return read_page(write_report(study, tmp_path_factory.mktemp("out") / "report.html"))


def test_a_complete_study_has_every_section_filled(page: Any) -> None:
    assert page.headings == [
        "In short", "The study", "Table 1", "Reconstructions", "Training of the encoder", "Latents", "Traversals",
        "Sparse networks", "Parts of a sparse network", "Laws, hinge loss", "Laws, squared error",
        "Laws of more than two classes", "Accuracy by class and group", "Misclassified cells",
        "Behaviour of tracked cells", "Attacks", "Attacked cells", "Domain constraints", "Dependence on surroundings",
        "Images without cells", "Rashomon set", "Settings and provenance",
    ]  # fmt: skip
    assert (
        page.text.count('class="absent"') == 4
    )  # no timeline without a movie; three times: phases has no test cells
    assert page.prose.count("The study no longer has cells of all classes of phases.") >= 3
    assert "The behaviour of cells over time has not been analysed" in page.prose
    assert page.count("figure") >= 20
    assert "Groups with errors" in page.prose
    assert "Prevalence 2 %" in page.prose


def test_pictures_that_are_no_cells_are_called_by_every_scheme_and_decided_by_a_term(page: Any) -> None:
    for kind in ("Blank", "Saturated", "Empty", "Noise", "Defocused"):
        assert kind in page.words
    assert "Decisive term" in page.words
    assert "For 99 % of real cells it is below" in page.prose
    # A blank picture is marked beside what it is called: 18 numbers of 240 training cells suffice to tell.
    assert re.search(r"Blank 100 % [\d.]+ (interphase|metaphase)", page.prose)


def test_laws_of_three_classes_are_read_class_by_class_and_pair_by_pair(page: Any) -> None:
    assert re.search(
        r"Of 50 held-out cells, 84\.0 % \([\d.]+ to [\d.]+\) are classified correctly; the "
        r"balanced accuracy is 82\.\d % \(",
        page.prose,
    )
    assert "For 2 of the held-out cells, a law of phases has no finite value" in page.prose
    assert re.search(
        "typical interphase cell|labelled cells of interphase is classified correctly", page.prose
    )
    assert "No labelled cell is anaphase." in page.prose
    assert "metaphase rather than interphase" in page.prose
    assert "Regions of the classes" in page.text


def test_the_rashomon_set_is_coloured_by_each_constraint(page: Any) -> None:
    assert "coloured by accuracy under neighbourhood attack" in page.prose
    assert "coloured by share of cells with one class in all orientations" in page.prose


def test_only_models_of_the_same_classes_and_test_cells_are_compared(
    study: Study, page: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "Only rows with the same test set can be compared. A: " in page.prose
    table = study.table1().set_index("name")
    of_phases, of_two = table.loc["phases"], table.loc["scheme2"]
    assert of_phases["test set"] != of_two["test set"]
    for row in (of_phases, of_two):
        assert f"{row['test set']}: {row['test cells']} cells ({row['classes']})" in page.prose
        assert f"that distinguish {row['classes']}, on the same {row['test cells']} test cells" in page.prose
    show_table(study)
    printed = capsys.readouterr().out
    assert (
        f"Test set {of_two['test set']} ({of_two['classes']}): {of_two['test cells']} test cells" in printed
    )
    assert "train them again" not in printed  # which would not help: the classes differ


def test_the_page_needs_nothing_else(page: Any) -> None:
    for tag, attributes in page.seen:
        assert tag not in ("script", "link", "iframe", "object")
        for name in ("src", "href", "xlink:href", "data"):
            value = attributes.get(name) or ""
            assert value.startswith(("#", "data:image/png;base64,")) or not value, (tag, name, value[:60])
    assert not re.search(r"url\((?!#)", page.text)


def test_links_inside_the_page_lead_somewhere(page: Any) -> None:
    ids = {attributes.get("id") for _, attributes in page.seen}
    links = [attributes["href"] for tag, attributes in page.seen if tag == "a"]
    assert links
    assert {str(link)[1:] for link in links} <= ids


def test_numbers_are_those_of_the_study(study: Study, page: Any) -> None:
    assert classifiers.record(study, "scheme1").evaluation.split in page.prose
    for row in study.table1().to_dict("records"):
        assert row["head expression size"] in page.prose
        assert row["accuracy %"] in page.prose
    assert "99.7 ± 0.1" in page.prose  # the paper's
    assert "interphase 120 50.0 metaphase 120 50.0" in page.prose
    assert "z0" in page.prose
    assert "2 of 2" in page.prose  # inputs survive in both models


def test_a_law_is_read_aloud_with_its_rounded_constants(page: Any) -> None:
    spoken = [attributes.get("aria-label") for tag, attributes in page.seen if tag == "svg"]
    assert "z2 * (square(z0) + square(z1)) - exp(z3) + 0.123" in spoken


def test_an_order_of_laws_that_is_not_known_is_not_stated(page: Any) -> None:
    assert "Law 1 is the one that is applied. Accuracies" in page.prose  # these laws were not searched for


def test_every_section_is_announced(simulated_study: Any, study: Study, tmp_path: Path) -> None:
    events: list[Progress] = []
    write_report(simulated_study(tmp_path / "few"), tmp_path / "report.html", Monitor(events.append))  # type: ignore[arg-type]
    assert [event.done for event in events] == list(range(events[0].total + 1))  # type: ignore[operator]
    assert events[0].stage == "The study"


EVIL = "<script>alert(1)</script>"


def test_names_from_files_are_text(complete_study: Any, read_page: Any, tmp_path: Path) -> None:
    study = complete_study(tmp_path / "a & <i>b", classes=("<b onload=1>inter$\\frac</b>", EVIL))
    for record in (study.path / "classifiers").glob("*/model.json"):
        values = json.loads(record.read_text())
        values["config"]["note"] = values["versions"]["torch"] = values["machine"] = EVIL
        for law in values["laws"]:
            law["metadata"]["engine"] = law["metadata"][EVIL] = EVIL
        record.write_text(json.dumps(values))
    study = Study(study.path)
    study.name_latent(0, "<img src=x onerror=alert(2)>")
    study.name_latent(1, "50 % $x_")
    page = read_page(write_report(study, tmp_path / "report.html"))
    card = read_page(law_card(study, "scheme4-hinge", 0, tmp_path / "card.html"))
    for one in (page, card):
        assert one.count("script") == 0
        assert not any({"onerror", "onload"} & attributes.keys() for _, attributes in one.seen)
        assert EVIL in one.prose
    assert "a & <i>b" in page.prose


def test_an_empty_study_says_what_it_lacks(read_page: Any, tmp_path: Path) -> None:
    page = read_page(write_report(Study.create(tmp_path / "empty"), tmp_path / "report.html"))
    assert len(page.headings) == 22
    assert page.count("figure") == 0
    assert page.text.count('class="absent"') == 22
    assert "No encoder has been trained or loaded yet." in page.prose
    assert str(tmp_path) not in page.text


def test_crops_alone_show_their_counts(simulated_study: Any, read_page: Any, tmp_path: Path) -> None:
    page = read_page(write_report(simulated_study(tmp_path / "crops"), tmp_path / "report.html"))
    assert "labelled simulated 240 240" in page.prose
    assert "No classifier has been trained yet" in page.prose
    assert "Scheme 3 has not been trained, so there are no sparse networks to show." in page.prose


def test_the_report_says_what_the_classifiers_read(page: Any) -> None:
    assert re.search(r"(prediction (may |hardly )?depends?|No dependence) on the surroundings", page.prose)
    assert "Surroundings of a cell of another class" in page.prose
    assert "Surroundings removed" in page.prose
    assert "Due to surroundings" in page.words


def test_the_page_begins_with_the_laws_in_words_and_how_far_to_trust_each_classifier(page: Any) -> None:
    short = page.prose[page.prose.index("In short") : page.prose.index("A group is a track")]
    assert "Metaphase where z2 >= -0.0988" not in short  # a law that is not applied
    assert re.search(r"Metaphase where .*? \(scheme4-hinge\)\. [A-Z]", short)
    assert re.search(r"Metaphase where .*? \(scheme4-mse\)\. [A-Z]", short)
    for title in ("Scheme 1, CNN", "Scheme 2", "Scheme 3", "(hinge)", "(mse)"):
        assert re.search(re.escape(title) + r".* \d+\.\d \(\d+\.\d to \d+\.\d\)", short), title


def test_a_model_is_said_to_read_the_surroundings_if_its_own_inputs_do(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    material = Material(study)
    shares = np.array([0.0, 0.9, 0.1, 0.3, 0.8, 0.8])
    summary = replace(material.latents, surroundings=shares, suggestions={})
    monkeypatch.setattr(material, "latents_of", lambda name: summary)
    monkeypatch.setattr(LatentSummary, "active", range(6))
    active = [f"z{k}: {shares[k]:.0%}".replace("%", " %") for k in summary.active]

    def among(*inputs: int) -> list[str]:
        return [one for one in active if one.startswith(tuple(f"z{k}:" for k in inputs))]

    assert inputs_from_surroundings(material, "scheme4-hinge") == among(1, 3)  # the law reads z0 to z3
    assert inputs_from_surroundings(material, "scheme4-hinge", 2) == []  # the third law reads z2
    assert inputs_from_surroundings(material, "scheme3") == among(1, 3)  # of z0, z1 and z3
    assert inputs_from_surroundings(material, "scheme2") == among(1, 3, 4, 5)
    assert inputs_from_surroundings(material, "scheme1") == []  # reads pixels

    around = Surroundings(material)
    text = cell_alone(material, around, "scheme4-hinge")[0].text
    assert "Law 3 of the same search uses no input that the surroundings affect: metaphase where z2 " in text
    assert re.search(r"Law 3: accuracy \S+ % \(.*\), \S+ % of classes change .* Law 1: accuracy", text)
    assert cell_alone(material, around, "scheme4-hinge", 2) == []
    assert cell_alone(material, around, "scheme4-mse") == []  # its only law reads z1


def test_test_cells_are_not_guessed_when_labels_change(
    read_page: Any, study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LatentSummary, "morphology", [])
    shutil.copytree(study.path, tmp_path / "changed")
    changed = Study(tmp_path / "changed")
    for other in ("scheme1", "scheme4-hinge", "scheme4-mse"):  # two schemes are enough, and much quicker
        shutil.rmtree(changed.path / "classifiers" / other)
    record = classifiers.record(changed, "scheme2")
    evaluation = record.evaluation.model_copy(update={"split": "0123456789ab"})
    record.model_copy(update={"evaluation": evaluation}).write(
        changed.path / "classifiers" / "scheme2" / "model.json"
    )
    page = read_page(write_report(changed, tmp_path / "report.html"))
    assert "Surroundings account for 20 % or more of the variance of every latent" in page.prose
    assert "have changed since scheme2 was trained" in page.prose
    assert "were evaluated on different test sets" in page.prose
    careful = page.text[page.text.index("To be careful about") : page.text.index('id="the-study"')]
    assert "were evaluated on different test sets" in careful
    assert '<a href="#the-study">The study</a>' in careful


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        write_report(Study.create(tmp_path / "s"), tmp_path / "file" / "report.html")


def test_a_few_test_cells_are_as_many_of_each_class_and_of_many_classes_one_of_some() -> None:
    targets = np.repeat(np.arange(16), 4)
    cells = TestCells(np.arange(64), np.zeros((64, 2, 2), np.uint8), targets, targets)
    assert np.bincount(cells.some(40).targets).tolist() == [2] * 16
    few = cells.some(6).targets
    assert len(few) == len(set(few)) == 6


def test_test_cells_are_those_the_models_were_tested_on(study: Study) -> None:
    from morpholaw.evaluation.performance import measure

    material = Material(study)
    tested = {name: record for name, record in material.records.items() if name != "phases"}
    assert len(tested) == 5  # phases tells classes apart of which the study has no cells
    for name, record in tested.items():
        again = measure(material.scores(name), material.test(name).targets)
        np.testing.assert_allclose(again.accuracy, record.evaluation.accuracy, atol=1e-6)


def test_a_stopped_report_leaves_the_one_before(tmp_path: Path) -> None:
    study = Study.create(tmp_path / "study")
    (tmp_path / "report.html").write_text("earlier")
    with pytest.raises(InterruptedError, match="an earlier one was kept"):
        study.report(tmp_path / "report.html", monitor=Monitor(should_stop=lambda: True))
    assert (tmp_path / "report.html").read_text() == "earlier"
