import shutil

import numpy as np
import pytest
import torch

from morpholaw.errors import InputError
from morpholaw.evaluation.familiarity import Familiarity
from morpholaw.models.classifier import Classifier
from morpholaw.models.heads import HeadEnsemble
from morpholaw.models.law import Law
from morpholaw.models.vae import BetaTCVAE
from morpholaw.store import classifiers, encoders
from morpholaw.store.bundle_record import EncoderLayout
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.store.encoder_record import EncoderRecord
from morpholaw.store.familiarity_record import carry_familiarity, familiarity, write_familiarity
from morpholaw.store.provenance import Provenance
from morpholaw.study import Study

CLASSES = ("interphase", "metaphase")
IMAGES = torch.rand(3, 1, 64, 64, generator=torch.Generator().manual_seed(0))


def give_encoder(study, seed):
    torch.manual_seed(seed)
    model = BetaTCVAE(latents=4, filters=(2, 2, 4, 4), hidden=8)
    settings = EncoderLayout.model_validate(model.settings())
    with study.writing():
        encoders.save(study, model, EncoderRecord(settings=settings, provenance=Provenance.now("no data")))


def with_head(study):
    return Classifier.with_head(study.encoder, HeadEnsemble(2, inputs=4, hidden=(3,)), CLASSES, sparse=False)


def with_law(study, text="z3 - 0.5"):
    return Classifier.with_laws(study.encoder, [Law.parse(text, ["z3"])], CLASSES)


def scores(place):
    with torch.no_grad():
        return Classifier.load(place).score_images(IMAGES)


def kept_encoders(study):
    return sorted(path.name for path in (study.path / "encoder").glob("weights-*"))


@pytest.fixture
def small(tmp_path, keep_unmeasured):
    """A study with an encoder and two classifiers that read it."""
    study = Study.create(tmp_path / "small", classes=CLASSES)
    give_encoder(study, 1)
    keep_unmeasured(study, with_head(study), "scheme2")
    keep_unmeasured(study, with_law(study), "scheme4-hinge")
    return study


def test_the_encoder_of_a_study_is_stored_once_and_its_classifiers_score_with_it(tmp_path, keep_unmeasured):
    study = Study.create(tmp_path / "study", classes=CLASSES)
    give_encoder(study, 1)
    classifier = with_head(study).eval()
    record = keep_unmeasured(study, classifier, "scheme2")
    assert kept_encoders(study) == [study.encoder_record.weights]
    weights = study.path / "classifiers" / "scheme2" / record.weights
    assert weights.stat().st_size < (study.path / "encoder" / study.encoder_record.weights).stat().st_size / 2
    assert record.encoder_fingerprint == study.encoder_record.sha256
    with torch.no_grad():
        assert torch.equal(scores(weights.parent), classifier.score_images(IMAGES))


def test_older_classifiers_work_after_the_encoder_is_replaced_until_none_reads_the_old_one(
    small, keep_unmeasured
):
    places = [small.path / "classifiers" / name for name in ("scheme2", "scheme4-hinge")]
    before, old = [scores(place) for place in places], small.encoder_record.weights
    for seed in (2, 3):  # that of seed 2 is read by nobody
        give_encoder(small, seed)
        assert [torch.equal(scores(place), one) for place, one in zip(places, before, strict=True)] == [
            True
        ] * 2
        assert kept_encoders(small) == sorted([old, small.encoder_record.weights])
    keep_unmeasured(small, with_head(small), "scheme2")
    assert torch.equal(scores(places[1]), before[1])
    assert old in kept_encoders(small)
    keep_unmeasured(small, with_law(small), "scheme4-hinge")
    assert kept_encoders(small) == [small.encoder_record.weights]
    assert all(len(scores(place)) for place in places)


def test_a_classifier_of_an_older_encoder_that_is_saved_anew_keeps_that_encoder(small, keep_unmeasured):
    old = classifiers.load(small, "scheme2")
    fingerprint = small.encoder_record.sha256
    give_encoder(small, 2)
    record = keep_unmeasured(small, old, "again")
    assert record.encoder_fingerprint == fingerprint
    assert torch.equal(
        scores(small.path / "classifiers" / "again"), scores(small.path / "classifiers/scheme2")
    )


def test_weights_of_an_encoder_stay_while_a_classifier_cannot_be_described(small):
    old = small.encoder_record.weights
    path = small.path / "classifiers" / "scheme2" / "model.json"
    whole = path.read_text()
    shutil.rmtree(small.path / "classifiers" / "scheme4-hinge")
    path.write_text("{")
    give_encoder(small, 2)
    path.write_text(whole)  # restored from a backup
    assert old in kept_encoders(small)
    assert len(scores(path.parent))


def test_an_encoder_that_is_missing_or_damaged_is_one_sentence(small):
    weights = small.path / "encoder" / small.encoder_record.weights
    data = weights.read_bytes()
    weights.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(InputError, match="damaged"):
        classifiers.load(small, "scheme2")
    weights.unlink()
    with pytest.raises(InputError, match=rf"{weights} is missing\. Copy that file from the study"):
        classifiers.load(small, "scheme2")
    assert classifiers.record(small, "scheme2").classes == CLASSES
    path = small.path / "classifiers" / "scheme2" / "model.json"
    path.write_text(
        path.read_text().replace(classifiers.record(small, "scheme2").encoder_fingerprint, "../x")
    )
    with pytest.raises(InputError, match="does not state its encoder"):
        classifiers.load(small, "scheme2")


def test_a_classifier_that_is_saved_outside_its_study_holds_its_encoder(small, tmp_path):
    classifiers.load(small, "scheme2").save(
        tmp_path / "sent",
        classifiers.record(small, "scheme2").description(),
    )
    expected = scores(small.path / "classifiers" / "scheme2")
    shutil.rmtree(small.path)
    assert torch.equal(scores(tmp_path / "sent"), expected)
    assert not ClassifierRecord.read(tmp_path / "sent").encoder_apart


def test_a_classifier_with_its_own_copy_of_the_encoder_as_older_studies_have_is_read(small):
    place = small.path / "classifiers" / "scheme2"
    expected = scores(place)
    classifiers.load(small, "scheme2").save(place, classifiers.record(small, "scheme2").description())
    shutil.rmtree(small.path / "encoder")
    assert torch.equal(scores(place), expected)


@pytest.mark.parametrize("other_encoder", [True, False])
def test_a_classifier_that_is_adopted_brings_its_encoder(small, tmp_path, other_encoder):
    another = Study.create(tmp_path / "another", classes=CLASSES)
    if other_encoder:
        give_encoder(another, 2)
    source = small.path / "classifiers" / "scheme4-hinge"
    expected = scores(source)
    with another.writing():
        classifiers.adopt(another, source)
    shutil.rmtree(small.path)
    assert torch.equal(scores(another.path / "classifiers" / "scheme4-hinge"), expected)
    assert another.has_encoder is other_encoder
    give_encoder(another, 3)
    assert torch.equal(scores(another.path / "classifiers" / "scheme4-hinge"), expected)


def test_opening_a_classifier_writes_nothing_and_does_not_depend_on_the_current_folder(small, monkeypatch):
    give_encoder(small, 2)
    before = {path: path.stat().st_mtime_ns for path in small.path.rglob("*")}
    monkeypatch.chdir(small.path / "classifiers" / "scheme2")
    assert torch.equal(scores("."), scores("../scheme2"))
    assert {path: path.stat().st_mtime_ns for path in small.path.rglob("*")} == before


def test_other_laws_and_the_same_laws_over_another_encoder_have_another_fingerprint(small, keep_unmeasured):
    found = {classifiers.record(small, "scheme4-hinge").sha256}
    found.add(keep_unmeasured(small, with_law(small, "z3 - 0.7"), "scheme4-hinge").sha256)
    give_encoder(small, 2)
    found.add(keep_unmeasured(small, with_law(small, "z3 - 0.7"), "scheme4-hinge").sha256)
    assert len(found) == 3
    assert keep_unmeasured(small, with_law(small, "z3 - 0.7"), "scheme4-hinge").sha256 in found


def test_what_is_known_of_training_cells_stays_where_laws_change_places(small, keep_unmeasured):
    place = small.path / "classifiers" / "scheme4-hinge"
    before = classifiers.record(small, "scheme4-hinge")
    write_familiarity(place, before.sha256, Familiarity(np.zeros(2), np.eye(2), 1.0, 9))
    after = keep_unmeasured(small, with_law(small, "z3 - 0.7"), "scheme4-hinge")
    carry_familiarity(small, before, after)
    assert familiarity(small, "scheme4-hinge").cells == 9
