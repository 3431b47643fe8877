"""Records of a study: read without torch, checked field by field, and open to what later versions add."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from morpholaw.config import ClassifierConfig, TuneConfig
from morpholaw.errors import InputError
from morpholaw.evaluation.estimate import Estimate
from morpholaw.evaluation.performance import measure
from morpholaw.models.law import Law
from morpholaw.sample import sample_folder
from morpholaw.store import classifiers, encoders
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.store.encoder_record import EncoderRecord
from morpholaw.store.evaluation_record import ClassEvaluation, Evaluation
from morpholaw.store.provenance import Provenance
from morpholaw.store.sparse_networks import sparse_networks
from morpholaw.store.study_folder import StudyFolder
from morpholaw.store.study_record import StudyRecord
from morpholaw.store.tuned_record import TunedRecord

SHIPPED = ("scheme1", "scheme2", "scheme3", "scheme4-hinge")
TARGETS = np.repeat([0, 1], [6, 4])
SCORES = np.stack([np.where(np.arange(10) < wrong, 1, 2 * TARGETS - 1) for wrong in (1, 2)])
EVALUATION = Evaluation.of(measure(SCORES, TARGETS), "0123456789ab", 90, np.arange(10))


def laws_record(**changes) -> ClassifierRecord:
    """The record of two laws."""
    values = {
        "name": "scheme4-hinge",
        "scheme": 4,
        "classes": ("interphase", "metaphase"),
        "members": 2,
        "laws": (Law.parse("z0 - 1", ["z0"]), Law.parse("z1", ["z1"])),
        "evaluation": EVALUATION,
        "expression_sizes": (3, 1),
        "kept_latents": ((0,), (1,)),
        "parameters": 0,
        "config": ClassifierConfig(),
        "weights": f"weights-{'0' * 16}.safetensors",
        "provenance": Provenance.now("fingerprint"),
    }
    return ClassifierRecord.model_validate(values | changes)


def kept(folder: Path, record: ClassifierRecord) -> Path:
    """The folder of a classifier that has a record and no weights."""
    place = folder / record.name
    record.write(place / "model.json")
    return place


def test_a_study_is_read_without_torch(trained_study):
    code = (
        "import sys\n"
        "from morpholaw.store import classifiers, encoders, labelled_cells, sparse_networks, table1\n"
        "from morpholaw.store.study_folder import StudyFolder\n"
        f"study = StudyFolder({str(trained_study.path)!r})\n"
        "records = classifiers.records(study)\n"
        "assert set(records) == {'scheme2', 'scheme3', 'scheme4-hinge'}\n"
        "assert records['scheme4-hinge'].laws[0].text()\n"
        "assert sparse_networks.sparse_networks(study, records['scheme3'])\n"
        "assert study.encoder_record.settings.latents == 32\n"
        "assert len(table1.table1(study)) == 5\n"
        "assert len(labelled_cells.held_out(study, 'scheme2')[0])\n"
        "assert not {'torch', 'matplotlib', 'optuna'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_the_models_that_are_shipped_today_can_be_read():
    for name in SHIPPED:
        record = ClassifierRecord.read(sample_folder() / "classifiers" / name)
        assert record.name == name
        assert record.classes == ("interphase", "metaphase")
        assert record.evaluation.test_cells == 803
        assert record.config.models == 10
        assert record.provenance.versions["morpholaw"] == "0.1.0"
    assert EncoderRecord.read(sample_folder() / "encoder").settings.latents == 32


@pytest.mark.parametrize("name", SHIPPED)
def test_writing_a_record_keeps_everything_that_the_file_says(tmp_path, name):
    place = tmp_path / name
    shutil.copytree(sample_folder() / "classifiers" / name, place)
    before = json.loads((place / "model.json").read_text())
    ClassifierRecord.read(place).write(place / "model.json")
    after = json.loads((place / "model.json").read_text())
    before["evaluation"].pop(
        "ensemble_balanced_accuracy", None
    )  # which is the value of the balanced interval
    for key in ("config", "law_config"):  # settings that are newer than the file have their defaults
        if before.get(key):
            before[key] = {**after[key], **before[key]}
    assert {key: after[key] for key in before} == before


def test_a_classifier_keeps_its_record(tmp_path):
    record = laws_record(evaluation=EVALUATION.model_copy(update={"roc_auc": float("nan")}))
    again = ClassifierRecord.read(kept(tmp_path, record))
    assert again.to_json() == record.to_json()
    assert [law.text() for law in again.laws] == ["z0 - 1", "z1"]
    assert np.isnan(again.evaluation.roc_auc)


def test_classifiers_say_what_they_are_called():
    record = laws_record()
    assert (record.loss, record.short_label, record.label) == ("hinge", "4 hinge", "scheme 4: law (hinge)")
    assert record.title == "Scheme 4, β-TCVAE + symbolic expression (hinge)"
    own = laws_record(name="by-hand")
    assert (own.loss, own.label) == (None, "scheme 4: law (by-hand)")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"evaluation": None}, "the field 'evaluation' cannot be None: .*; train it again"),
        ({"members": 3}, "does not describe each of its 3 models"),
        ({"classes": ["a"]}, "the field 'classes'"),
        ({"laws": [{"expression": "z0 +", "names": ["z0"]}, {"expression": "z1", "names": ["z1"]}]}, "'laws"),
        ({"scheme": 7}, "the field 'scheme' cannot be 7"),
        ({"kind": "encoder"}, "is of kind 'encoder'; expected 'classifier'"),
        ({"schema": 99}, "newer version of Morpholaw"),
        ({"weights": "../../x.safetensors"}, "expected a file in its own folder"),
    ],
)
def test_a_damaged_file_is_one_sentence_with_the_file_and_the_field(tmp_path, change, sentence):
    place = kept(tmp_path, laws_record())
    values = json.loads((place / "model.json").read_text())
    (place / "model.json").write_text(json.dumps(values | change))
    with pytest.raises(InputError, match=sentence) as error:
        ClassifierRecord.read(place)
    assert str(place) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_field_is_named(tmp_path):
    place = kept(tmp_path, laws_record())
    values = json.loads((place / "model.json").read_text())
    del values["evaluation"]["split"]
    (place / "model.json").write_text(json.dumps(values))
    with pytest.raises(InputError, match=r"the field 'evaluation.split' is missing; train it again\.$"):
        ClassifierRecord.read(place)


def test_keys_that_this_version_does_not_know_are_passed_over(tmp_path):
    place = kept(tmp_path, laws_record())
    values = json.loads((place / "model.json").read_text())
    values["config"]["a_new_setting"] = values["evaluation"]["a_new_measure"] = values["new"] = [1]
    (place / "model.json").write_text(json.dumps(values))
    assert ClassifierRecord.read(place).to_json() == laws_record().to_json() | {
        "created": values["created"],
        "versions": values["versions"],
    }


def test_one_damaged_classifier_does_not_hide_the_others(study):
    (study.path / "classifiers" / "scheme2" / "model.json").write_text("{}")
    complaints: list[str] = []
    found = classifiers.readable_records(study, complaints.append)
    assert [record.name for record in found] == ["scheme3", "scheme4-hinge"]
    assert len(complaints) == 1
    assert "scheme2" in complaints[0]


@pytest.mark.parametrize("text", ["[]", '{"schema": "one"}', "nonsense", '{"schema": 1, "classes": "all"}'])
def test_a_file_that_describes_no_study_is_refused(tmp_path, text):
    (tmp_path / "study.json").write_text(text)
    with pytest.raises(InputError, match=r"study\.json"):
        StudyFolder(tmp_path)


def test_a_study_and_a_search_keep_their_records(tmp_path):
    study = StudyRecord.now("cells", ("a", "b", "c"))
    assert StudyRecord.read(study.write(tmp_path / "study.json")) == study
    tuned = TunedRecord(
        objective=0.97,
        sparsity=0.96,
        update_every=120,
        update_fraction=0.8,
        split="0123456789ab",
        config=TuneConfig(trials=2),
        provenance=Provenance.now("fingerprint"),
    )
    assert TunedRecord.read(tuned.write(tmp_path / "best.json")) == tuned


def test_laws_of_several_classes_keep_their_record(tmp_path):
    laws = tuple(Law.parse(text, ["z0"]) for text in ("z0", "-z0", "1"))
    targets = np.repeat([0, 1, 2], [3, 1, 3])
    measured = measure(np.eye(3)[[0, 0, 1, 1, 2, 2, 2]][None], targets, 4)
    evaluation = Evaluation.of(measured, "0123456789ab", 90, np.arange(len(targets)))
    of_three = {"classes": ("a", "b", "c"), "members": 1, "laws": laws, "evaluation": evaluation}
    record = laws_record(**of_three, expression_sizes=(3,), kept_latents=((0,),))
    again = ClassifierRecord.read(kept(tmp_path, record))
    assert again.class_laws.classes == ("a", "b", "c")
    assert list(again.class_laws.laws.values()) == list(laws)
    assert again.config.classes == ("a", "b", "c")
    with pytest.raises(InputError, match="needs a classifier with two classes"):
        assert again.pair
    with pytest.raises(InputError, match="no laws of more than two classes"):
        assert laws_record().class_laws


def test_sparse_networks_that_do_not_fit_their_record_are_refused(study):
    record = classifiers.record(study, "scheme3")
    with pytest.raises(InputError, match="do not match their record"):
        sparse_networks(study, record.model_copy(update={"members": 5}))


def test_an_adopted_classifier_was_trained_on_none_of_the_cells(study):
    adopted = classifiers.adopt(study, sample_folder() / "classifiers" / "scheme2")
    assert adopted == classifiers.record(study, "scheme2")
    assert adopted.trained_elsewhere
    assert classifiers.load(study, "scheme2").members == adopted.members


def test_latents_in_the_cache_are_read_again_without_the_network(study, monkeypatch):
    means, _ = encoders.latents(study)
    monkeypatch.setattr(encoders, "load", None)
    np.testing.assert_array_equal(encoders.latents(study)[0], means)


def test_the_crops_of_a_study_are_joined_once(study):
    crops = study.crops
    assert study.crops is crops
    shutil.copytree(study.sets[0].folder, study.new_set_folder("more"))
    assert len(study.crops) == 2 * len(crops)


@pytest.mark.parametrize("name", ["", "..", "a/b", "a b", "x" * 65])
def test_a_name_that_no_folder_should_have_is_refused(study, name):
    with pytest.raises(InputError, match="cannot be called"):
        classifiers.record(study, name)


def test_a_class_that_is_never_predicted_keeps_its_missing_precision(tmp_path):
    never = ClassEvaluation(
        cells=5,
        precision=Estimate(float("nan"), 0.0, 1.0),
        recall=Estimate(0.0, 0.0, 0.4),
        f1=Estimate(0.0, 0.0, 0.4),
    )
    evaluation = EVALUATION.model_copy(update={"by_class": (never, never)})
    again = ClassifierRecord.read(kept(tmp_path, laws_record(evaluation=evaluation)))
    assert np.isnan(again.evaluation.by_class[0].precision.value)
    assert again.evaluation.by_class[0].recall == Estimate(0.0, 0.0, 0.4)
