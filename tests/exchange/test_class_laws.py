"""Laws of three classes outside this program give the classes that they give inside."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import torch

from morpholaw.cells.normalise import Normalisation
from morpholaw.errors import InputError
from morpholaw.exchange.class_laws import write_class_laws
from morpholaw.exchange.formula_table import write_class_laws_table
from morpholaw.exchange.portable import ClassScores, portable, torchscript
from morpholaw.models.class_laws import ClassLaws
from morpholaw.models.classifier import Classifier
from morpholaw.models.features import FeatureTable
from morpholaw.models.law import Law
from morpholaw.models.vae import BetaTCVAE

NAMES = ("z1", "z4")
TEXTS = {'inter"phase': "1 - z1", "metaphase": "log(z4)", "=ana'phase": "z1/z4 - exp(z1)"}
LAWS = ClassLaws({name: Law.parse(text, NAMES) for name, text in TEXTS.items()})
VALUES = np.random.default_rng(0).normal(size=(200, 2))


def test_python_names_the_class_of_the_largest_law(tmp_path):
    source = write_class_laws(tmp_path / "laws.py", LAWS, {"z4": "size\n__import__('os')"}).read_text()
    space: dict[str, object] = {}
    exec(compile(source, "laws.py", "exec"), space)  # our own file
    named = [space["predicted_class"](*row) for row in VALUES.tolist()]
    assert named == [LAWS.classes[k] for k in LAWS.predict(FeatureTable(VALUES, NAMES))]
    assert space["predicted_class"](float("nan"), float("nan")) == "undefined"
    assert set(named) == set(LAWS.classes)


def test_latex_and_spreadsheet_hold_every_law(tmp_path):
    text = write_class_laws(tmp_path / "laws.tex", LAWS).read_text()
    assert text.count("&=") == 3
    assert "f_{2}(z) &= \\log" in text
    about = {"cell": [str(k) for k in range(200)]}
    table = write_class_laws_table(tmp_path / "laws.csv", LAWS, VALUES, about)
    with table.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows[0][:3] == ["cell", "z1", "z4"]
    assert rows[0][-1] == "class"
    assert not any(title.startswith("=") for title in rows[0])
    assert rows[1][3] == "=1-B2"
    assert rows[1][-1].endswith('"inter""phase","metaphase","=ana\'phase"),"undefined")')
    with pytest.raises(InputError, match="these laws have 3"):
        write_class_laws(tmp_path / "laws.xml", LAWS)


def test_a_package_for_the_zoo_scores_each_class():
    torch.manual_seed(0)
    encoder = BetaTCVAE(latents=6).eval()
    laws = [Law.parse(text, ["z1", "z4"]) for text in ("1 - z1", "z4", "square(z1) - 3*z4")]
    classifier = Classifier.with_laws(encoder, laws, ("a", "b", "c")).eval()
    images = torch.rand(5, 1, 64, 64)
    with torch.no_grad():
        own = classifier(images)[0]
        found = ClassScores(classifier)(images)
    torch.testing.assert_close(found, torch.log_softmax(own.float(), dim=-1), rtol=1e-4, atol=1e-5)
    network = portable(classifier, 64, Normalisation(0.0, 1.0))
    assert network(images).shape == (5, 3)
    assert len(torchscript(network, images)) > 1000
