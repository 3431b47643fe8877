"""Renaming and deletion of crop sets, with their labels and stored latents."""

from __future__ import annotations

import os
import shutil

from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.files import remove_folder, sync_folder
from morpholaw.errors import InputError
from morpholaw.store.study_folder import StudyFolder


def rename(folder: StudyFolder, name: str, new_name: str) -> CropSet:
    """Rename a crop set. Its labels exist under both names until the folder is renamed."""
    crop_set = folder.crop_set(name)
    place = folder.new_set_folder(new_name)
    if place.name != new_name:
        reason = "is taken" if (folder.path / "crops" / new_name).exists() else "cannot be a folder's name"
        raise InputError(f"The name {new_name!r} {reason}; use {place.name!r}, for example.")
    folder.annotations.copy_set(name, new_name)
    os.replace(crop_set.folder, place)
    sync_folder(place.parent)
    folder.annotations.replace_set(name, {})
    latents = folder.path / "latents"
    if (latents / name).is_dir():
        shutil.rmtree(latents / new_name, ignore_errors=True)
        os.replace(latents / name, latents / new_name)
    return folder.crop_set(new_name)


def delete(folder: StudyFolder, name: str) -> None:
    """Delete a crop set completely, even if it is damaged."""
    place = folder.path / "crops" / name
    if not name or place.parent != folder.path / "crops" or not place.is_dir():
        raise InputError(
            f"The study {folder.path} has no crop set {name!r}; its sets are "
            f"{', '.join(one.name for one in folder.sets) or 'none'}."
        )
    remove_folder(place)
    folder.annotations.replace_set(name, {})
    shutil.rmtree(folder.path / "latents" / name, ignore_errors=True)
