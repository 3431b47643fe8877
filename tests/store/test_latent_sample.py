"""The sample of cells that summarises latents: measured once for the same cells and encoder."""

from __future__ import annotations

import torch

from morpholaw.cells.crop_record import CropOrigin
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.simulator import simulate_crops
from morpholaw.models.vae import BetaTCVAE
from morpholaw.store.latent_sample import KEPT, latent_sample
from morpholaw.study import Study


def encoder(seed: int) -> BetaTCVAE:
    torch.manual_seed(seed)
    return BetaTCVAE(latents=2, filters=(2, 2, 4, 4), hidden=4).eval()


def test_a_sample_is_measured_again_only_for_other_cells_or_another_encoder(tmp_path):
    study, first = Study.create(tmp_path / "study"), encoder(0)
    images, cells = simulate_crops(6, seed=1)
    CropSet.write(study.new_set_folder("cells"), images, cells, CropOrigin(kind="simulated"))
    sample = latent_sample(study, first)
    assert latent_sample(Study(study.path), encoder(0)) is sample
    assert (latent_sample(study, encoder(1)).means != sample.means).any()
    table = study.sets[0].folder / "cells.csv"
    table.write_text(table.read_text())
    assert latent_sample(Study(study.path), first) is not sample
    CropSet.write(study.new_set_folder("more"), images, cells, CropOrigin(kind="simulated"))
    assert len(latent_sample(Study(study.path), first).images) == 12
    for seed in range(2, 2 + KEPT):
        latent_sample(study, encoder(seed))
    assert latent_sample(study, encoder(2)) is latent_sample(study, encoder(2))
