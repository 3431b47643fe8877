import json
import pickle

import pytest
import torch

from morpholaw.errors import InputError
from morpholaw.models.bundle import load_bundle, save_bundle


@pytest.fixture
def bundle(tmp_path):
    save_bundle(tmp_path / "model", {"w": torch.arange(6.0).reshape(2, 3)}, {"kind": "toy", "note": "é"})
    return tmp_path / "model"


def edit(bundle, **values):
    path = bundle / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_a_bundle_comes_back_as_it_was(bundle):
    tensors, description = load_bundle(bundle, "toy")
    assert torch.equal(tensors["w"], torch.arange(6.0).reshape(2, 3))
    assert description["note"] == "é"


def test_a_new_model_replaces_the_old_and_leaves_no_weights_behind(bundle):
    save_bundle(bundle, {"w": torch.zeros(1)}, {"kind": "toy"})
    assert len(list(bundle.glob("weights-*"))) == 1
    assert torch.equal(load_bundle(bundle)[0]["w"], torch.zeros(1))


def test_a_write_that_dies_before_the_last_step_leaves_the_old_model(bundle, monkeypatch):
    monkeypatch.setattr(
        "morpholaw.models.bundle.write_json", lambda *_: (_ for _ in ()).throw(OSError("disk full"))
    )
    with pytest.raises(OSError, match="disk full"):
        save_bundle(bundle, {"w": torch.ones(9)}, {"kind": "toy"})
    assert load_bundle(bundle)[0]["w"].shape == (2, 3)


def test_damaged_weights_are_noticed(bundle):
    weights = next(bundle.glob("weights-*"))
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(bytes(data))
    with pytest.raises(InputError, match="damaged"):
        load_bundle(bundle)


@pytest.mark.parametrize("name", ["../secret.safetensors", "/etc/passwd", "weights.pkl", 3])
def test_a_path_outside_of_the_bundle_is_refused(bundle, name):
    edit(bundle, weights=name)
    with pytest.raises(InputError, match="expected a file in its own folder"):
        load_bundle(bundle)


def test_a_pickle_is_never_opened(bundle, tmp_path):
    class Payload:
        def __reduce__(self):
            return (open, (str(tmp_path / "hacked"), "w"))

    weights = next(bundle.glob("weights-*"))
    data = pickle.dumps(Payload())
    weights.write_bytes(data)
    import hashlib

    edit(bundle, sha256=hashlib.sha256(data).hexdigest())
    with pytest.raises(InputError, match="not a safetensors file"):
        load_bundle(bundle)
    assert not (tmp_path / "hacked").exists()


def test_a_newer_layout_and_another_kind_are_refused(bundle):
    with pytest.raises(InputError, match="expected 'encoder'"):
        load_bundle(bundle, "encoder")
    edit(bundle, schema=99)
    with pytest.raises(InputError, match="newer version"):
        load_bundle(bundle)


def test_a_missing_model_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match="There is no file"):
        load_bundle(tmp_path)
