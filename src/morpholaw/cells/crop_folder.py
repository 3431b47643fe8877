"""The files of a folder of crops: which ones are cells, and their classes and groups by path."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from morpholaw.cells.movie_formats.frame_names import MASK_WORDS, is_mask_name
from morpholaw.display import first_few
from morpholaw.errors import InputError

SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg")
_LEFTOVERS = ("__macosx",)
"""Folders that macOS adds to archives."""
_PHASE = re.compile(r"phase|mitosis|mitotic|apopto", re.IGNORECASE)
"""Pattern in the names of folders that are classes of cells rather than movies."""


def crop_files(folder: Path) -> tuple[list[Path], int]:
    """Return the images below ``folder`` sorted by path, and the number of masks that were left out.

    An image is a mask if its name or the name of its folder says so, and its name is otherwise that of another image
    ("a.tif" and "a_mask.tif"). If a folder has as many files called masks as images, all of these are masks.

    Raises
    ------
    InputError
        If the folder does not exist or has no images, or a file name is not valid text.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.")
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES
        and not any(
            part.startswith(".") or part.lower() in _LEFTOVERS for part in path.relative_to(folder).parts
        )
        and path.is_file()
    )
    if not files:
        raise InputError(
            f"There are no images in {folder}; expected {', '.join(SUFFIXES)} files in it or its subfolders."
        )
    inside = folder.resolve()
    for path in files:
        if path.is_symlink() and not path.resolve().is_relative_to(inside):
            raise InputError(
                f"{path} is a link to a file outside {folder}, which is not followed; copy the file there."
            )
        try:
            str(path).encode()
        except UnicodeEncodeError:
            raise InputError(f"The name of the file {str(path)!a} is not valid UTF-8; rename it.") from None
    masks = _masks(files, folder)
    return [path for path in files if path not in masks], len(masks)


def labels_of(names: list[str], classes: dict[str, list[str]], folder: Path) -> list[str]:
    """Return the class of each path, determined by its subfolders.

    Raises
    ------
    InputError
        If the subfolders of a class are not given, do not exist, are empty, or belong to another class too.
    """
    inside = [[_key(part) for part in name.split("/")[:-1]] for name in names]
    if not classes:
        place = _class_place(inside)
        return [parts[place] if len(parts) >= -place else "" for parts in inside]
    present = {part for parts in inside for part in parts}
    class_of: dict[str, str] = {}
    for label, subfolders in classes.items():
        if not label.strip() or not subfolders:
            raise InputError(f"The class {label!r} has no subfolder; expected NAME=SUBFOLDER[,SUBFOLDER].")
        for subfolder in subfolders:
            key = _key(subfolder.strip().strip("/"))
            if key not in present:
                raise InputError(
                    f"The subfolder {subfolder!r} of the class {label!r} does not exist in {folder} or has no images; "
                    f"its subfolders are {', '.join(_subfolders(names)) or 'none'}."
                )
            if class_of.setdefault(key, label) != label:
                raise InputError(
                    f"The subfolder {subfolder!r} is in two classes, {class_of[key]!r} and {label!r}."
                )
    return [next((class_of[part] for part in reversed(parts) if part in class_of), "") for parts in inside]


def other_classes(names: list[str], labels: list[str]) -> str:
    """Return a sentence about other folders that could be the classes; "" if there is no doubt."""
    inside = [[_key(part) for part in name.split("/")[:-1]] for name in names]
    taken = sorted(set(labels) - {""})
    above = sorted({part for parts in inside for part in parts} - set(taken))
    parents: dict[str, set[str]] = {}
    for parts in inside:
        if len(parts) > 1:
            parents.setdefault(parts[-1], set()).add(parts[-2])
    if not any(len(found) > 1 for found in parents.values()):
        return ""
    return (
        f"The folders {first_few(taken, 4)} are used as classes, and not {first_few(above, 4)}; if that is wrong, set "
        "the classes with --class NAME=SUBFOLDER."
    )


def _class_place(inside: list[list[str]]) -> int:
    """Return the position of the class folder in a path from the end: -1 (innermost), or a parent named after a phase.

    Crops of several movies may be filed by class and movie or by movie and class.
    """
    for place in range(-1, -max(map(len, inside), default=0) - 1, -1):
        called = {parts[place] for parts in inside if len(parts) >= -place}
        if sum(_PHASE.search(name) is not None for name in called) > 1:
            return place
    return -1


def groups_of(names: list[str], pattern: str | None) -> list[str]:
    """Return the group of each path; "" without a pattern.

    Raises
    ------
    InputError
        If the pattern is not a regular expression, or does not match a path.
    """
    if not pattern:
        return [""] * len(names)
    try:
        regex = re.compile(_composed(pattern))
    except re.error as error:
        raise InputError(f"The group pattern {pattern!r} is not a regular expression: {error}.") from None
    matches = [regex.search(_composed(name)) for name in names]
    groups = ["" if match is None else (match[1] if regex.groups else match[0]) or "" for match in matches]
    lost = [name for name, group in zip(names, groups, strict=True) if not group]
    if lost:
        raise InputError(
            f"The group pattern {pattern!r} does not match {len(lost)} of {len(names)} files; the first "
            f"of them is {lost[0]}."
        )
    return groups


def _composed(text: str) -> str:
    """Return text with composed accents (NFC); file names on a Mac have decomposed ones (NFD)."""
    return unicodedata.normalize("NFC", text)


def _key(text: str) -> str:
    """Return the part of a folder name that is the same in all its spellings."""
    return _composed(text).casefold()


def _subfolders(names: list[str]) -> list[str]:
    return sorted({_composed(part) for name in names for part in name.split("/")[:-1]})


def _masks(files: list[Path], folder: Path) -> set[Path]:
    """Return the files that are masks of other files."""
    named = {path: _is_mask(path, folder) for path in files}
    if all(named.values()):
        return set()
    images = {_words(path.stem) for path, is_mask in named.items() if not is_mask}
    folders = {path.parent: 0 for path in files}
    for path, is_mask in named.items():
        folders[path.parent] += 1 if not is_mask else -1
    return {
        path
        for path, is_mask in named.items()
        if is_mask and (_words(path.stem) in images or folders[path.parent] == 0)
    }


def _is_mask(path: Path, folder: Path) -> bool:
    return is_mask_name(path.stem) or any(is_mask_name(part) for part in path.relative_to(folder).parts[:-1])


def _words(stem: str) -> tuple[str, ...]:
    """Return the words and numbers of a name, without those that mark a mask."""
    words = re.findall(r"[^\W_]+", stem.casefold())
    return tuple(word for word in words if word not in MASK_WORDS and word != "cp")
