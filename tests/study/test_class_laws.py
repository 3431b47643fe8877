"""Laws of more than two classes, through a study and the command."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from morpholaw.cells.crop_record import CropOrigin
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.simulator import simulate_crops
from morpholaw.cli import main
from morpholaw.errors import InputError
from morpholaw.events import Monitor
from morpholaw.store import classifiers
from morpholaw.store.labelled_cells import all_labels, split_labelled
from morpholaw.study import Study, law_step

PHASES = ("interphase", "prometaphase", "metaphase", "anaphase")
QUICK = {"count": 1, "evaluations": 5_000, "processes": 1, "latents": (0, 4, 15, 16, 20, 22, 28, 31)}


@pytest.fixture(scope="module")
def phases(tmp_path_factory):
    study = Study.create(tmp_path_factory.mktemp("phases") / "study")
    images, cells = simulate_crops(phases=dict.fromkeys(PHASES, 60), seed=3)
    CropSet.write(study.path / "crops" / "simulated", images, cells, CropOrigin(kind="simulated"))
    study.load_encoder("sample")
    study.discover_law(classes=PHASES, **QUICK)
    return study


def test_four_phases_are_told_apart_on_held_out_groups(phases):
    laws = phases.class_laws()
    assert laws.classes == PHASES
    tested = classifiers.record(phases, "scheme4-hinge").evaluation
    _, test = split_labelled(phases, PHASES, None, 0)
    calls = laws.predict(phases.latents()[0][test])
    right = np.mean(np.array(PHASES)[calls] == all_labels(phases)[test])
    assert tested.ensemble_accuracy.value == pytest.approx(right)
    assert tested.ensemble_accuracy.value > 0.4
    assert np.sum(tested.confusion) == tested.test_cells - np.sum(calls < 0)


def test_the_cells_of_a_study_are_classified_by_the_laws(phases):
    table = phases.classify(4)
    laws = phases.class_laws()
    scores = laws.score(phases.latents()[0])
    assert table["class"].tolist() == np.array(PHASES)[scores.argmax(1)].tolist()
    log_softmax = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    written = table[[f"score_{name}" for name in PHASES]].to_numpy(float)
    np.testing.assert_allclose(written, log_softmax, rtol=1e-3, atol=1e-3)


def test_a_class_and_a_cell_are_put_into_words(phases):
    calls = np.array(PHASES)[phases.class_laws().predict(phases.latents()[0])]
    found = phases.explain_cell(5)
    assert found.predicted == calls[5]
    assert found.other in set(PHASES) - {found.predicted}
    said = phases.law_sentence(class_name="metaphase")
    assert "metaphase cell, changed in one input at a time, stays metaphase" in said.text
    assert said.typical is not None
    pair = phases.law_sentence(class_name=("prometaphase", "metaphase"))
    assert {one for one in PHASES if one in pair.text} <= {"prometaphase", "metaphase"}
    with pytest.raises(InputError, match="name the class: interphase, prometaphase"):
        phases.law_sentence()


def test_a_model_has_one_law_for_each_class(phases):
    classifier, record = phases.classifier(4), classifiers.record(phases, "scheme4-hinge")
    assert (classifier.members, len(classifier.laws)) == (1, 4)
    assert record.expression_sizes == (sum(law.size for law in classifier.laws),)
    assert set(record.kept_latents[0]) <= set(QUICK["latents"])
    assert classifier.select(0).laws == classifier.laws
    assert max(law.size for law in classifier.laws) <= 15


def test_latents_come_from_sparse_networks_of_the_same_classes(phases, monkeypatch):
    """Scheme 3 was not trained on these classes, so networks are trained to choose the latents."""
    asked = []

    def look(features, targets, *_, **__):
        asked.append((features.shape, np.unique(targets).tolist()))
        raise InputError("enough")

    monkeypatch.setattr(law_step, "train_heads", look)
    settings = {name: value for name, value in QUICK.items() if name != "latents"}
    with pytest.raises(InputError, match="enough"):
        phases.discover_law(classes=PHASES[:3], name="three", **settings)
    assert asked[0][0][-1] == 32
    assert asked[0][1] == [0, 1, 2]


def test_the_command_keeps_laws_under_a_name_and_shows_their_confusion(phases, tmp_path):
    chosen = ["--study", str(phases.path), "--name", "three"]
    words = ["discover-law", *chosen, "--classes", "interphase, metaphase,anaphase"]
    for key, value in (QUICK | {"latents": [0, 1, 2, 3]}).items():
        words += ["--set", f"{key}={json.dumps(value)}"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert "anaphase" in result.output
    assert "held-out cells" in result.output
    assert "recall %" in result.output
    assert set(classifiers.names(phases)) == {"scheme4-hinge", "three"}
    result = CliRunner().invoke(main, ["classify", *chosen, "--out", str(tmp_path / "scores.csv")])
    assert result.exit_code == 0, result.output
    assert "probability_anaphase" in (tmp_path / "scores.csv").read_text().splitlines()[0]


def test_laws_of_other_classes_are_not_replaced_unasked(phases):
    with pytest.raises(InputError, match=r"has scheme4-hinge for .*Choose another name"):
        phases.discover_law(classes=PHASES[:2], **QUICK)


def test_a_stopped_search_keeps_the_laws_from_before(phases, monkeypatch):
    before = phases.class_laws()
    monkeypatch.setattr(law_step, "discover_class_laws", lambda *_, **__: None)
    stopping = Monitor(should_stop=lambda: True)
    phases.discover_law(classes=PHASES, monitor=stopping, **QUICK)
    assert phases.class_laws() == before
    with pytest.raises(InterruptedError, match="nothing was stored"):
        phases.discover_law(classes=PHASES, name="none", monitor=stopping, **QUICK)


def test_what_is_missing_is_said_in_a_sentence(phases):
    with pytest.raises(InputError, match="no cell of class 'apoptosis'"):
        phases.discover_law(classes=("interphase", "prometaphase", "apoptosis"), name="new", **QUICK)
    with pytest.raises(InputError, match="no trained nothing"):
        Study.open(phases.path).class_laws("nothing")


def test_a_formula_of_ones_own_tells_one_class_from_all_others(phases):
    found = phases.test_law("z16 - z22", class_name="anaphase")
    cells, targets = phases.held_out("scheme4-hinge")
    latents = phases.latents()[0][cells]
    holds = latents[:, 16] - latents[:, 22] >= 0
    is_anaphase = targets == PHASES.index("anaphase")
    assert found.classes == ("another class", "anaphase")
    assert found.tested.accuracy.value == pytest.approx(np.mean(holds == is_anaphase))
    laws = phases.class_laws()
    calls = laws.predict(latents) == PHASES.index("anaphase")
    (law,) = found.found
    assert law.text == laws.laws["anaphase"].rounded().text()
    assert law.accuracy.value == pytest.approx(np.mean(calls == is_anaphase))
    assert law.differs == np.count_nonzero(calls != holds)
    with pytest.raises(InputError, match="name the class: interphase, prometaphase, metaphase, anaphase"):
        phases.test_law("z16 - z22")
    done = CliRunner().invoke(
        main,
        ["test-law", "--study", str(phases.path), "--class", "anaphase", "--name", "no", "z16 - z22"],
    )
    assert (done.exit_code, "no trained no" in done.output) == (2, True)


def test_laws_that_have_no_network_to_imitate_are_refused_before_anything_is_trained(phases):
    started = []
    monitor = Monitor(emit=started.append)
    with pytest.raises(
        InputError, match="scheme 3, which was not trained; train it for interphase, prometaphase,"
    ):
        phases.discover_law(classes=PHASES, loss="mse", monitor=monitor)
    assert not started


def test_a_stopped_search_continues_with_the_classes_that_are_left(phases):
    begun: list[str] = []
    stopping = Monitor(
        lambda event: begun.append(getattr(event, "text", "")),
        lambda: any("(3 of 4)" in text for text in begun),
    )
    phases.discover_law(classes=PHASES, name="continued", monitor=stopping, **QUICK)
    assert not classifiers.record(phases, "continued").complete
    assert "searching again with the same settings continues from here" in " ".join(begun)
    said: list[str] = []
    again = Monitor(lambda event: said.append(getattr(event, "text", "")))
    phases.discover_law(classes=PHASES, name="continued", monitor=again, **QUICK)
    assert sum("already finished" in text for text in said) == 2
    assert classifiers.record(phases, "continued").complete
    assert phases.class_laws("continued") == phases.class_laws()
