"""The files of a folder of crops: which of them are cells, and the class and group that their paths name."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from morpholaw.cells.movie_formats.frame_names import MASK_WORDS, is_mask_name
from morpholaw.errors import InputError

SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg")
_LEFTOVERS = ("__macosx",)
"""Folders that a Mac adds to archives."""
_PHASE = re.compile(r"phase|mitosis|mitotic|apopto", re.IGNORECASE)
"""What is in the name of a folder that is a class of cells, and in that of no movie."""


def crop_files(folder: Path) -> tuple[list[Path], int]:
    """Return the images below ``folder`` in the order of their paths, and how many masks of them are left out.

    A mask is an image whose name, or whose folder's name, says so, and whose name is otherwise that of another image
    ("a.tif" and "a_mask.tif"); or any that is called one, where a folder has as many of them as of images.

    Raises
    ------
    InputError
        There is no such folder, no image in it, or a name that is no text.
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
            f"{folder} holds no image; expected {', '.join(SUFFIXES)} files in it or its subfolders."
        )
    inside = folder.resolve()
    for path in files:
        if path.is_symlink() and not path.resolve().is_relative_to(inside):
            raise InputError(
                f"{path} is a link to a file outside {folder}, which is not followed; copy it there."
            )
        try:
            str(path).encode()
        except UnicodeEncodeError:
            raise InputError(f"The name of the file {str(path)!a} is no UTF-8 text; rename it.") from None
    masks = _masks(files, folder)
    return [path for path in files if path not in masks], len(masks)


def labels_of(names: list[str], classes: dict[str, list[str]], folder: Path) -> list[str]:
    """Return the class of each path, from the subfolders it lies in.

    Raises
    ------
    InputError
        A class names no subfolder, one that is absent or empty, or one that is in another class too.
    """
    inside = [[_key(part) for part in name.split("/")[:-1]] for name in names]
    if not classes:
        place = _class_place(inside)
        return [parts[place] if len(parts) >= -place else "" for parts in inside]
    present = {part for parts in inside for part in parts}
    class_of: dict[str, str] = {}
    for label, subfolders in classes.items():
        if not label.strip() or not subfolders:
            raise InputError(f"The class {label!r} names no subfolder; expected NAME=SUBFOLDER[,SUBFOLDER].")
        for subfolder in subfolders:
            key = _key(subfolder.strip().strip("/"))
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


def other_classes(names: list[str], labels: list[str]) -> str:
    """Say in a sentence that other folders than those taken may be the classes; "" where there is no doubt."""
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
        f"The folders {_some(taken)} are taken for the classes, and not {_some(above)}; if that is wrong, name the "
        "classes with --class NAME=SUBFOLDER."
    )


def _class_place(inside: list[list[str]]) -> int:
    """Return which folder of a path is the class, from the end: the innermost, -1, or one above that is called a phase.

    Crops of several movies are as often filed by class and movie as by movie and class.
    """
    for place in range(-1, -max(map(len, inside), default=0) - 1, -1):
        called = {parts[place] for parts in inside if len(parts) >= -place}
        if sum(_PHASE.search(name) is not None for name in called) > 1:
            return place
    return -1


def _some(names: list[str]) -> str:
    return ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")


def groups_of(names: list[str], pattern: str | None) -> list[str]:
    """Return the group in each path; "" for each without a pattern.

    Raises
    ------
    InputError
        The pattern is no regular expression, or does not match a path.
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
            f"The group pattern {pattern!r} does not match {len(lost)} of {len(names)} files, the first "
            f"of them {lost[0]}."
        )
    return groups


def _composed(text: str) -> str:
    """Text with its accents as one letter each (NFC); a Mac writes names with them apart (NFD)."""
    return unicodedata.normalize("NFC", text)


def _key(text: str) -> str:
    """Return what two names of a folder have in common that a person takes for the same."""
    return _composed(text).casefold()


def _subfolders(names: list[str]) -> list[str]:
    return sorted({_composed(part) for name in names for part in name.split("/")[:-1]})


def _masks(files: list[Path], folder: Path) -> set[Path]:
    """Return the files that are masks of others."""
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
    """Return the words and numbers of a name, without those that say that it is a mask."""
    words = re.findall(r"[^\W_]+", stem.casefold())
    return tuple(word for word in words if word not in MASK_WORDS and word != "cp")
