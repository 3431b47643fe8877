"""A folder of ready-made crops, one image file a cell, as a crop set: classes and groups from the paths."""

from __future__ import annotations

import hashlib
import io
import math
import os
import re
import warnings
from collections import Counter
from pathlib import Path
from time import monotonic

import numpy as np

from morpholaw.cells.cells_table import cells_table
from morpholaw.cells.crop_record import CropOrigin
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.crop_writer import CropWriter
from morpholaw.cells.crops import file_source
from morpholaw.cells.normalise import Normalisation, fit_normalisation
from morpholaw.config import ImportConfig
from morpholaw.errors import InputError, reason
from morpholaw.events import SILENT, Message, Monitor, Progress

SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg")

_SAMPLE_CROPS = 512
_MOST_PIXELS = 2**26  # 8192 x 8192
_BATCH = 256


def import_crops(
    folder: str | os.PathLike[str],
    out: str | os.PathLike[str],
    config: ImportConfig | None = None,
    monitor: Monitor = SILENT,
    overwrite: bool = False,
) -> CropSet:
    """Import every PNG, TIFF and JPEG below ``folder``: single-channel, any real dtype, any size.

    Images that are not ``config.size`` squares are cut at their centre, or padded with the background level;
    how many, a message says. One normalisation is fitted for the folder.

    Parameters
    ----------
    folder : path
        The crops; hidden files are passed over, other files ignored.
    out : path
        The crop set's folder to be.
    config : ImportConfig, optional
        ``classes`` maps a class to the subfolders that hold it, at any depth and in any case; crops in no
        such subfolder come in unlabelled. Without any class, a crop's class is the name of the folder it
        lies in, in lower case. ``group_regex`` is searched in the path below ``folder``, with "/" between
        folders; its first group in parentheses, or the whole match, is the cell's group. Without it
        each file is a group of its own, except that files with the same pixels share one.

    Raises
    ------
    InputError
        When there is no image, a class names a subfolder that is absent or empty, a path does not match
        ``group_regex``, or a file cannot be read as one grey image.
    InterruptedError
        When ``should_stop`` said so; nothing is left behind.
    """
    config = config or ImportConfig()
    folder = Path(folder)
    files = _image_files(folder)
    names = [file.relative_to(folder).as_posix() for file in files]
    labels = _labels(names, config.classes, folder)
    groups = _groups(names, config.group_regex)
    normalisation, dtype = _fit(files, config)
    brightness: list[np.ndarray] = []
    digests: dict[bytes, str] = {}
    duplicates = resized = 0
    said = monotonic()
    with CropWriter(out, config.size, overwrite) as writer:
        for start in range(0, len(files), _BATCH):
            if monitor.should_stop():
                raise InterruptedError(f"Importing {folder} was stopped; no crops were kept.")
            batch = []
            for i in range(start, min(start + _BATCH, len(files))):
                raw = read_grey(files[i])
                if raw.dtype != dtype:
                    raise InputError(
                        f"{files[i]} has {raw.dtype} pixels and {files[0]} has {dtype}; crops imported "
                        "together must come from one camera setting."
                    )
                first = digests.setdefault(hashlib.sha256(raw.tobytes()).digest(), groups[i] or names[i])
                duplicates += first != (groups[i] or names[i])
                groups[i] = groups[i] or first
                resized += raw.shape != (config.size, config.size)
                batch.append(fit_square(raw, config.size, normalisation.background))
            crops = np.stack(batch)
            brightness.append(normalisation.brightness(crops))
            writer.append(normalisation.apply(crops, brightness[-1]))
            if monotonic() - said > 0.2 or writer.count == len(files):
                said = monotonic()
                monitor.emit(Progress(writer.count, len(files), "importing crops"))
        for text, level in _remarks(config, len(files), duplicates, resized, labels):
            monitor.emit(Message(text, level))
        origin = CropOrigin(
            kind="folder",
            normalisation=normalisation,
            pixel_size=config.pixel_size,
            classes=config.classes,
            group_regex=config.group_regex,
            resized=resized,
            duplicates=duplicates,
            sources=(file_source(folder, writer.folder),),
        )
        groups_named = [name if config.group_regex else f"{folder.name}/{name}" for name in groups]
        own = {"label": labels, "brightness": np.concatenate(brightness)}
        writer.finish(cells_table(len(files), file=names, group=groups_named, **own), origin)
    return CropSet(writer.folder)


def read_grey(path: Path) -> np.ndarray:
    """One image file as a grey image (y, x) in the file's own dtype; colour only if it is grey in disguise.

    Raises
    ------
    InputError
        When the file is damaged, in colour, a stack, or holds NaN, infinite or complex pixels.
    """
    try:
        pixels = _decode(path)
    except Exception as error:  # each codec has exceptions of its own
        raise InputError(f"{path} cannot be read as an image: {reason(error)}.") from None
    pixels = np.squeeze(pixels)
    if pixels.ndim == 3 and pixels.shape[-1] in (2, 3, 4):
        colours = pixels[..., : 3 if pixels.shape[-1] > 2 else 1]
        if (colours != colours[..., :1]).any():
            raise InputError(f"{path} is a colour image; expected one grey channel.")
        pixels = colours[..., 0]
    if pixels.ndim != 2 or 0 in pixels.shape:
        raise InputError(
            f"{path} holds an array of shape {pixels.shape}; expected one image of rows and columns."
        )
    if np.iscomplexobj(pixels) or (pixels.dtype.kind == "f" and not np.isfinite(pixels).all()):
        raise InputError(f"{path} has pixels that are NaN, infinite or complex; expected finite numbers.")
    return pixels.astype(np.uint8) if pixels.dtype == bool else pixels


def fit_square(image: np.ndarray, size: int, background: float) -> np.ndarray:
    """Cut an image (y, x) at its centre to (size, size), or pad it with the background level."""
    for axis in (0, 1):
        extra = image.shape[axis] - size
        if extra > 0:
            image = np.take(image, np.arange(extra // 2, extra // 2 + size), axis=axis)
        elif extra < 0:
            width = [(0, 0), (0, 0)]
            width[axis] = (-extra // 2, -extra - (-extra // 2))
            level = round(background) if image.dtype.kind in "iu" else background
            image = np.pad(image, width, constant_values=level)
    return image


def _decode(path: Path) -> np.ndarray:
    """The pixels of a file, whose header is looked at first."""
    if path.suffix.lower() in (".tif", ".tiff"):
        import tifffile

        with tifffile.TiffFile(path) as tif:
            _check_claim(tuple(tif.series[0].shape))
            return tif.asarray()
    import imagecodecs
    from PIL import Image, UnidentifiedImageError

    data = path.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
                _check_claim(image.size)
        except UnidentifiedImageError:
            raise ValueError("it is not a PNG or JPEG image") from None
    return (imagecodecs.png_decode if path.suffix.lower() == ".png" else imagecodecs.jpeg_decode)(data)


def _check_claim(shape: tuple[int, ...]) -> None:
    if math.prod(shape) > _MOST_PIXELS:
        raise ValueError(f"its header claims {' x '.join(map(str, shape))} pixels, more than any crop has")


def _image_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.")
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )
    if not files:
        raise InputError(
            f"{folder} holds no image; expected {', '.join(SUFFIXES)} files in it or its subfolders."
        )
    return files


def _labels(names: list[str], classes: dict[str, list[str]], folder: Path) -> list[str]:
    """The class of each path, from the subfolders it lies in."""
    inside = [[part.lower() for part in name.split("/")[:-1]] for name in names]
    if not classes:
        return [parts[-1] if parts else "" for parts in inside]
    present = {part for parts in inside for part in parts}
    class_of: dict[str, str] = {}
    for label, subfolders in classes.items():
        if not label.strip() or not subfolders:
            raise InputError(f"The class {label!r} names no subfolder; expected NAME=SUBFOLDER[,SUBFOLDER].")
        for subfolder in subfolders:
            key = subfolder.strip().strip("/").lower()
            if key not in present:
                raise InputError(
                    f"The class {label!r} names the subfolder {subfolder!r}, which {folder} does not have or "
                    f"which holds no image; its subfolders are {', '.join(_subfolders(names)) or 'none'}."
                )
            if class_of.setdefault(key, label) != label:
                raise InputError(
                    f"The subfolder {subfolder!r} is in two classes, {class_of[key]!r} and {label!r}."
                )
    return [next((class_of[part] for part in reversed(parts) if part in class_of), "") for parts in inside]


def _subfolders(names: list[str]) -> list[str]:
    return sorted({part for name in names for part in name.split("/")[:-1]})


def _groups(names: list[str], pattern: str | None) -> list[str]:
    """The group in each path; "" for each without a pattern."""
    if not pattern:
        return [""] * len(names)
    try:
        regex = re.compile(pattern)
    except re.error as error:
        raise InputError(f"The group pattern {pattern!r} is not a regular expression: {error}.") from None
    found = [regex.search(name) for name in names]
    groups = ["" if match is None else (match[1] if regex.groups else match[0]) or "" for match in found]
    lost = [name for name, group in zip(names, groups, strict=True) if not group]
    if lost:
        raise InputError(
            f"The group pattern {pattern!r} does not match {len(lost)} of {len(names)} files, the first "
            f"of them {lost[0]}."
        )
    return groups


def _fit(files: list[Path], config: ImportConfig) -> tuple[Normalisation, np.dtype]:
    """The folder's normalisation, from files spread evenly over it, and the dtype of the first file."""
    chosen = np.unique(np.linspace(0, len(files) - 1, min(len(files), _SAMPLE_CROPS)).round().astype(int))
    sample = [read_grey(files[i]) for i in chosen]
    level = float(np.median([np.percentile(image, 5) for image in sample]))
    crops = np.stack([fit_square(image, config.size, level) for image in sample])
    return fit_normalisation(crops, f"The crops in {files[0].parent}", config.brightness), sample[0].dtype


def _remarks(
    config: ImportConfig, n: int, duplicates: int, resized: int, labels: list[str]
) -> list[tuple[str, str]]:
    """What the person should know about the import: (sentence, level) each."""
    counts = Counter(label or "unlabelled" for label in labels)
    remarks = [
        (
            f"{n} crops: " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) + ".",
            "info",
        )
    ]
    if resized:
        side = f"{config.size} x {config.size}"
        remarks.append(
            (
                f"{resized} of {n} images were not {side}: cut at their centre or padded with background.",
                "info",
            )
        )
    if not config.group_regex:
        remarks.append(
            (
                "No group pattern was given, so each file is taken for a cell of its own; crops of one "
                "track or movie may then be on both sides of a split.",
                "warning",
            )
        )
    if duplicates:
        text = f"{duplicates} of {n} images have the same pixels as an earlier one"
        text += " in another group." if config.group_regex else "; they share its group."
        remarks.append((text, "warning"))
    return remarks
