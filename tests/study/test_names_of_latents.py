"""More of what a latent is named after is more of the named quantity, in every study."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.oriented_shapes import measure_shapes
from morpholaw.interpretation.latent_names import BOTH_ENDS, split_sign
from morpholaw.interpretation.latent_summary import summarise_latents
from morpholaw.models.class_laws import ClassLaws
from morpholaw.models.features import FeatureTable
from morpholaw.models.law import Law
from morpholaw.report.material import Material
from morpholaw.report.page import Paragraph
from morpholaw.report.sections.study import overview
from morpholaw.sample import sample_folder
from morpholaw.store import encoders
from morpholaw.store.law_reading import read_law
from morpholaw.study import Study
from morpholaw.training.encoder import encode

AFTER = {
    "size": "area",
    "elongation": "axis_ratio",
    "neighbourhood": "neighbour_area",
    "x-position": "offset_x",
    "y-position": "offset_y",
}
"""The measured shape that a name stands for, where the two are called differently."""


def shipped(_):
    crops = CropSet.open(sample_folder() / "labelled").images[:200]
    return encoders.load(sample_folder() / "encoder"), crops


def trained(study):
    return study.encoder, study.crops[np.arange(len(study.crops))]


def reversed_latents(study):
    """The trained study with every latent negated, as another training could have found them."""
    encoder, crops = trained(study)
    with torch.no_grad():
        encoder.mean.weight.neg_()
        encoder.mean.bias.neg_()
    return encoder, crops


@pytest.mark.parametrize("cells", [shipped, trained, reversed_latents])
def test_a_named_latent_follows_what_it_is_named_after(trained_study, cells):
    encoder, crops = cells(trained_study)
    means, log_variances = encode(encoder, crops)
    shapes = measure_shapes(crops)
    summary = summarise_latents(means, log_variances, shapes)
    assert summary.words()
    for latent, word in summary.words().items():
        name, sign = split_sign(word)
        base = name.removesuffix(f", {BOTH_ENDS}").rstrip("0123456789").rstrip()
        values = sign * means[:, latent]
        if BOTH_ENDS not in name:  # that has no direction
            assert spearmanr(values, shapes[AFTER.get(base, base)]).statistic > 0, word


def test_a_reversed_latent_keeps_its_name_and_changes_its_sign(trained_study):
    names = []
    for cells in (trained, reversed_latents):
        encoder, crops = cells(trained_study)
        names.append(summarise_latents(*encode(encoder, crops), measure_shapes(crops)).words())
    assert names[0].keys() == names[1].keys()
    for latent, word in names[0].items():
        (name, sign), (other, opposite) = split_sign(word), split_sign(names[1][latent])
        assert name == other
        assert sign == -opposite or BOTH_ENDS in name


def test_a_latent_that_depends_on_the_surroundings_says_so():
    random = np.random.default_rng(0)
    images = np.zeros((60, 32, 32), np.uint8)
    for k, image in enumerate(images):
        image[16 - k // 8 - 3 : 16 + k // 8 + 3, 12:20] = 200
    shapes = measure_shapes(images)
    means = np.stack([shapes["area"], random.normal(size=60)], axis=1)
    summary = summarise_latents(means, np.zeros_like(means), shapes, np.array([0.4, 0.0]))
    assert summary.words()[0] == "size and surroundings"
    assert summarise_latents(means, np.zeros_like(means), shapes, np.array([0.1, 0.0])).words()[0] == "size"


def test_a_law_says_what_its_latents_without_a_name_follow(trained_study):
    reading = read_law(trained_study, trained_study.classifier(4))
    used = reading.law.expression.variables()
    bare = replace(reading, words={}).sentence().text
    assert bare.count("which correlates") == len(used) > 0
    named = replace(reading, words=dict.fromkeys(used, "size")).sentence().text
    assert "Without a name" not in named


def test_a_class_among_several_lists_only_latents_that_its_sentence_mentions(trained_study):
    reading = read_law(trained_study, trained_study.classifier(4))
    names = tuple(f"z{k}" for k in range(6))
    formulas = {"interphase": "z0*z1 - z2*z3 + z4*z5", "metaphase": "z0 + z2", "apoptosis": "0.3 - z0 - z2"}
    laws = ClassLaws({name: Law.parse(text, names) for name, text in formulas.items()})
    table = FeatureTable(np.random.default_rng(0).normal(size=(300, 6)), names)
    labels = np.array(laws.classes)[laws.predict(table)]
    several = replace(reading, laws=laws, cells=table, labels=labels, words={}).of_class("interphase")
    said, _, note = several.sentence().text.partition("Without a name: ")
    assert note
    for name in names:
        assert (name in note) == (name in said)


def test_a_map_over_latents_reaches_little_further_than_the_cells(trained_study):
    reading = read_law(trained_study, trained_study.classifier(4))
    used = reading.law.expression.variables()
    narrow = replace(reading, cells=FeatureTable(0.2 * reading.cells.values, reading.cells.names))
    for name, (low, high) in narrow.map_ranges(used).items():
        values = narrow.cells.select([name])[:, 0]
        assert ((values >= low) & (values <= high)).mean() > 0.99
        assert high - low <= 1.3 * np.ptp(values)
    assert all(low <= -3 and high >= 3 for low, high in narrow.ranges.values())


def test_a_classifier_keeps_the_names_of_its_own_encoder_when_the_study_gets_another(trained_study, tmp_path):
    study = Study(shutil.copytree(trained_study.path, tmp_path / "study"))
    study.name_latent(0, "stale")
    encoder = study.encoder
    with torch.no_grad():
        encoder.mean.weight.neg_()
        encoder.mean.bias.neg_()
    encoders.save(study, encoder, study.encoder_record)
    again = Study(study.path)
    again.name_latent(0, "fresh")
    assert read_law(again, again.classifier(4)).words["z0"] == "stale"
    material = Material(again)
    assert material.called(0, "scheme3") == "z0 (stale)"
    assert material.called(0) == "z0 (fresh)"
    before, after = material.latents_of("scheme3").median, material.latents.median
    assert np.allclose(before, -after, atol=1e-3)
    assert material.kept == ()  # the latents that the study's encoder calls so are others
    shown = [block.text for block in overview(material) if isinstance(block, Paragraph)]
    assert any("scheme3 was trained with another encoder" in text for text in shown)
