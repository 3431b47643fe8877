"""The recorded sweep behind the encoder's defaults: disentanglement on simulated factors for each setting.

Run ``python benchmarks/encoder_sweep.py [--crops N] [--out docs]``. Writes OUT/encoder_sweep.md and a traversal
picture for each setting.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from disentanglement import mutual_information_gap

from morpholaw.cells.files import write_bytes
from morpholaw.cells.simulator import simulate_crops
from morpholaw.config import EncoderConfig
from morpholaw.figures.pictures import traversal_grid
from morpholaw.interpretation.latent_summary import summarise_latents
from morpholaw.interpretation.traversal import traverse
from morpholaw.models.vae import BetaTCVAE
from morpholaw.training.encoder import encode, train_encoder

FACTORS = (
    "true_size",
    "true_aspect",
    "true_diagonality",
    "true_offset_x",
    "true_offset_y",
    "true_brightness",
)
SETTINGS: dict[str, dict[str, float | str]] = {
    "default": {},
    "no symmetry": {"symmetry": False},
    "plain VAE": {"beta": 1.0},
    "beta 24": {"beta": 24.0},
    "beta 6": {"beta": 6.0},
    "alpha 0": {"alpha": 0.0},
    "reconstruction 3000": {"reconstruction": 3000.0},
    "reconstruction 300": {"reconstruction": 300.0},
    "edge weight 0.2": {"edge_weight": 0.2},
    "paper's loss": {"beta": 6.0, "edge_weight": 1.0, "texture": 0.0, "symmetry": False},
    "weighted sampling": {"sampling": "weighted"},
}


INTRODUCTION = """\
Each setting of the encoder is trained on the same simulated crops for the same number of steps. The mutual
information gap (MIG), which measures how well latents separate the simulated factors, is computed on other crops.
"""


def measure(model: BetaTCVAE, images: np.ndarray, cells: pd.DataFrame) -> dict[str, object]:
    """Return the MIG, the number of active latents, and the names of the most informative ones."""
    means, log_variances = encode(model, images)
    gap = mutual_information_gap(means, cells[list(FACTORS)])
    summary = summarise_latents(means, log_variances, cells[list(FACTORS)])
    active, names = summary.active, summary.names
    return {
        "mutual information gap (MIG)": round(float(gap.score), 3),
        "active latents": len(active),
        "KL (nats)": round(float(summary.ranking["kl"].sum()), 1),
        "most informative latents and their names": ", ".join(
            f"z{z} {names.get(z, '')}".strip() for z in active[:8]
        ),
    }


def picture(model: BetaTCVAE, images: np.ndarray, path: Path) -> None:
    """Save traversals of the eight most informative latents, starting from the median cell."""
    means, log_variances = encode(model, images)
    chosen = summarise_latents(means, log_variances).active[:8]
    values = np.linspace(-3, 3, 9)
    pictures = np.clip(traverse(model, np.median(means, axis=0), chosen, values), 0, 1)
    figure = traversal_grid(pictures, [f"z{z}" for z in chosen], values)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crops", type=int, default=300_000)
    parser.add_argument("--settings", nargs="*", default=list(SETTINGS))
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("docs"))
    options = parser.parse_args()
    training, _ = simulate_crops(30_000, seed=21)
    images, cells = simulate_crops(4_000, seed=22)
    rows = []
    for name in options.settings:
        config = EncoderConfig.from_values(
            {"epochs": 1, "epoch_crops": options.crops, "threads": options.threads, **SETTINGS[name]}
        )
        model, history = train_encoder(training, config)  # type: ignore[arg-type]
        rows.append({"setting": name, **measure(model, images, cells)})
        rows[-1]["reconstruction error"] = round(history["reconstruction"][-1], 2)
        picture(model, images, options.out / "images" / picture_name(name))
        print(rows[-1], flush=True)
    command = f"python benchmarks/encoder_sweep.py --crops {options.crops} --settings " + " ".join(
        f'"{name}"' for name in options.settings
    )
    write_bytes(options.out / "encoder_sweep.md", page(rows, command).encode())


def picture_name(setting: str) -> str:
    return f"sweep_{setting.replace(' ', '_').replace(chr(39), '')}.png"


def page(rows: list[dict[str, object]], command: str) -> str:
    """Return the page in Markdown: the table and the figures."""
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + " --- |" * len(rows[0])]
    lines += ["| " + " | ".join(str(value) for value in row.values()) + " |" for row in rows]
    pictures = [
        f"![{row['setting']}: the eight most informative latents](images/{picture_name(str(row['setting']))})"
        for row in rows
    ]
    return (
        "# The sweep behind the encoder's defaults\n\n"
        f"{INTRODUCTION}\n```\n{command}\n```\n\n" + "\n".join(lines) + "\n\n" + "\n\n".join(pictures) + "\n"
    )


if __name__ == "__main__":
    main()
