"""Export of models as packages for the BioImage Model Zoo (bioimage.io): one zip file."""

from __future__ import annotations

import os
import re
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from morpholaw import __version__
from morpholaw.cells.files import atomic_file
from morpholaw.cells.normalise import Normalisation
from morpholaw.errors import InputError, reason
from morpholaw.exchange.optional import require
from morpholaw.exchange.portable import portable, torchscript
from morpholaw.models.classifier import Classifier
from morpholaw.models.vae import BetaTCVAE

if TYPE_CHECKING:
    from bioimageio.spec.model.v0_5 import ModelDescr

PAPER = "Soelistyo, Lowe: Discovering interpretable models of scientific image data with deep learning (2024)"
PAPER_DOI = "10.48550/arXiv.2402.03115"
FEWEST = 3
"""Minimum number of crops for a package: two to trace the network and one more to check it."""


@dataclass(frozen=True)
class About:
    """Description of a package.

    Attributes
    ----------
    name : str
        Name of at least five letters; characters that the zoo does not allow are replaced by "_".
    description : str
        Description in one sentence.
    result : str
        Meaning of the output, as a paragraph of Markdown.
    validation : str
        Performance on held-out cells, as a paragraph of Markdown.
    channels : tuple of str
        Names of the output channels.
    author, licence : str or None
        Name of a person and an SPDX identifier such as "CC-BY-4.0"; the zoo requires both for an upload.
    pixel_size : float or None
        Pixel size of a crop, in micrometres.
    """

    name: str
    description: str
    result: str
    validation: str
    channels: tuple[str, ...]
    author: str | None = None
    licence: str | None = None
    pixel_size: float | None = None


def write_zoo(
    path: str | os.PathLike[str],
    model: BetaTCVAE | Classifier,
    raw: np.ndarray,
    normalisation: Normalisation,
    about: About,
) -> Path:
    """Write a model as a zip package that programs of the zoo open and that passes bioimageio.core's test.

    Parameters
    ----------
    path : path
        File to write.
    model : BetaTCVAE or Classifier
        Model to export.
    raw : ndarray
        At least three crops as acquired, float32 (n, s, s); they become the test input and the cover.
    normalisation : Normalisation
        Grey scale of their source. Its two numbers become the package's preprocessing (gain and offset), which users of
        another camera replace. The scaling to each cell's own brightness is part of the network.
    about : About
        Description of the package.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If bioimageio.spec is not installed, there are too few crops, or the description breaks the zoo's rules.
    """
    require("bioimageio.spec", "zoo")
    from bioimageio.spec import ValidationContext, save_bioimageio_package_to_stream

    if len(raw) < FEWEST:
        raise InputError(f"A zoo package needs at least {FEWEST} crops; there are {len(raw)}.")
    network = portable(model, raw.shape[-1], normalisation)
    raw = raw.astype(np.float32)[:, None]
    gain, offset = _linear(normalisation)
    crops = torch.from_numpy(raw * np.float32(gain) + np.float32(offset))
    with torch.no_grad():
        result = network(crops).numpy()
    with tempfile.TemporaryDirectory(prefix="morpholaw-") as place:
        folder = Path(place)
        (folder / "weights.pt").write_bytes(torchscript(network, crops))
        np.save(folder / "raw.npy", raw, allow_pickle=False)
        np.save(folder / "result.npy", result, allow_pickle=False)
        (folder / "cover.png").write_bytes(_cover(raw[:, 0]))
        (folder / "README.md").write_text(_readme(about, normalisation), encoding="utf-8")
        with ValidationContext(root=folder, perform_io_checks=True):
            description = _describe(about, raw.shape[-1], gain, offset)
        with atomic_file(path) as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # leaves files open that it has read
            save_bioimageio_package_to_stream(description, output_stream=stream)
    return Path(path)


def _linear(normalisation: Normalisation) -> tuple[float, float]:
    """Return the gain and offset that scale raw values to background 0 and bright chromatin 1."""
    return 1 / normalisation.scale, -normalisation.background / normalisation.scale


def _describe(about: About, size: int, gain: float, offset: float) -> ModelDescr:
    from bioimageio.spec.model import v0_5 as spec
    from pydantic import ValidationError

    unit: dict[str, Any] = {"unit": "micrometer", "scale": about.pixel_size} if about.pixel_size else {}
    space = [spec.SpaceInputAxis(id=spec.AxisId(name), size=size, **unit) for name in "yx"]
    numbers = spec.IntervalOrRatioDataDescr(type="float32")
    try:
        return spec.ModelDescr(
            name=re.sub(r"[^\w+\- ()]", "_", about.name, flags=re.ASCII)[:128],
            description=about.description,
            documentation=_file("README.md"),
            covers=[_file("cover.png")],
            authors=[spec.Author(name=about.author)] if about.author else [],
            license=about.licence,
            cite=[spec.CiteEntry(text=PAPER, doi=spec.Doi(PAPER_DOI))],
            tags=[
                "nuclei",
                "cells",
                "2d",
                "fluorescence-light-microscopy",
                "pytorch",
                "representation-learning",
            ],
            inputs=[
                spec.InputTensorDescr(
                    id=spec.TensorId("raw"),
                    description="Crops centred on a nucleus, histone channel, as acquired.",
                    axes=[spec.BatchAxis(), spec.ChannelAxis(channel_names=["histone"]), *space],
                    data=numbers,
                    test_tensor=_file("raw.npy"),
                    preprocessing=[
                        spec.ScaleLinearDescr(kwargs=spec.ScaleLinearKwargs(gain=gain, offset=offset))
                    ],
                )
            ],
            outputs=[
                spec.OutputTensorDescr(
                    id=spec.TensorId("result"),
                    axes=[spec.BatchAxis(), spec.ChannelAxis(channel_names=list(about.channels))],
                    data=numbers,
                    test_tensor=_file("result.npy"),
                )
            ],
            weights=spec.WeightsDescr(
                torchscript=spec.TorchscriptWeightsDescr(
                    source=Path("weights.pt"), pytorch_version=spec.Version(torch.__version__.split("+")[0])
                )
            ),
        )
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise InputError(
            f"The zoo does not accept the {field} of this package: {reason(ValueError(first['msg']))}."
        ) from None


def _file(name: str) -> Any:
    from bioimageio.spec.model.v0_5 import FileDescr

    return FileDescr(source=Path(name))


def _cover(raw: np.ndarray) -> bytes:
    """Return crops side by side in the 2:1 format of the zoo's covers, each scaled to its own brightest pixel."""
    from io import BytesIO

    from PIL import Image

    shown = raw[np.arange(8) % len(raw)]
    low, high = shown.min(axis=(1, 2), keepdims=True), shown.max(axis=(1, 2), keepdims=True)
    grey = np.rint((shown - low) / np.maximum(high - low, 1e-6) * 255).astype(np.uint8)
    rows = [np.concatenate(list(grey[k : k + 4]), axis=1) for k in (0, 4)]
    stream = BytesIO()
    Image.fromarray(np.concatenate(rows)).save(stream, format="png")
    return stream.getvalue()


def _readme(about: About, normalisation: Normalisation) -> str:
    gain, offset = _linear(normalisation)
    cell = (
        "The network then divides each crop by the brightest chromatin of the central cell, so that dim and bright "
        "cells are treated alike."
        if normalisation.per == "cell"
        else "All crops have the same scale, so the brightness of a cell matters."
    )
    return f"""# {about.name}

{about.description}

## Input

Crops centred on one nucleus, histone fluorescence, as acquired: `(batch, 1, y, x)`.

The preprocessing subtracts the background of the camera, {normalisation.background:g}, and divides by the brightness of
typical chromatin, {normalisation.scale:g} above background: gain {gain:g}, offset {offset:g}. **For another camera, put
your own two numbers in `rdf.yaml`**: gain = 1 / scale, offset = -background / scale. The background must be accurate;
the scale only needs to be about right. {cell}

## Output

{about.result}

## Validation

{about.validation}

To validate the model on your own cells, label some of them, score them, and compare the sign of the score (or the
quantity that you derive from the latents) with your labels. Hold out whole movies.

Made by Morpholaw {__version__} (napari-morpholaw). The test input consists of crops of the data it was made from.
"""
