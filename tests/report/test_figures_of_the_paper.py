"""The report has the paper's figures: what each shows, on a study whose networks and latents are known."""

from __future__ import annotations

import numpy as np
import pytest

from morpholaw.interpretation.latent_summary import LatentSummary
from morpholaw.report.material import Material
from morpholaw.report.page import Picture
from morpholaw.report.sections import attacked_cells, networks, study, traversals


def captions(blocks):
    return [block.caption for block in blocks if isinstance(block, Picture)]


@pytest.fixture
def material(study, monkeypatch):
    monkeypatch.setattr(LatentSummary, "morphology", [0, 1])
    monkeypatch.setattr(LatentSummary, "active", [3, 0, 2])
    return Material(study)


def test_every_class_is_shown(material):
    assert any("cells of each class" in caption for caption in captions(study.overview(material)))


def test_all_active_and_kept_latents_are_traversed_those_of_the_cell_first(material, monkeypatch):
    traversed = []
    monkeypatch.setattr(
        "morpholaw.figures.pictures.traversal_grid",
        lambda pictures, names, values, **_: traversed.append(names) or _figure(),
    )
    of_cell, _, others, _ = captions(traversals.traversals(material))
    # the networks keep z0, z1 and z3; a figure starts from a cell of either class
    assert [[name.split()[0] for name in names] for names in traversed[::2]] == [["z0", "z1"], ["z2", "z3"]]
    assert [[name.endswith("*") for name in names] for names in traversed[::2]] == [
        [True, True],
        [False, True],
    ]
    assert "describe morphology (less than 20 %" in of_cell
    assert "Other active latents (20 % or more" in others


def test_traversals_start_from_a_typical_cell_of_each_class(material):
    typical = material.typical_cells("scheme4-hinge")
    assert list(typical) == ["interphase", "metaphase"]
    means, labels = material.encoded[0], material.labels[material.sample]
    for label, start in typical.items():
        cells = means[labels == label]
        assert (cells == start).all(axis=1).any()
        distances = np.linalg.norm(cells - np.median(cells, axis=0), axis=1)
        assert np.linalg.norm(start - np.median(cells, axis=0)) == pytest.approx(distances.min())
    shown = captions(traversals.traversals(material))
    assert [("metaphase" in one, "interphase" in one) for one in shown[:2]].count((False, True)) == 1


def test_a_network_is_taken_apart(material):
    blocks = networks.network_parts(material)
    shown = captions(blocks)
    assert [caption.split(":")[0].split()[2] for caption in shown[:3]] == ["z0", "z1", "z3"]
    assert any(caption.startswith("Response to z0") for caption in shown)
    assert any("Monotonicity" in caption for caption in shown)


def test_cells_are_attacked_as_strongly_as_in_the_paper(material):
    shown = " ".join(captions(attacked_cells.attacked_cells(material)))
    assert "ε = 0.5" in shown
    assert "ε = 1." in shown


def _figure():
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1, 1))
    figure.add_subplot().imshow(np.zeros((2, 2)))
    return figure
