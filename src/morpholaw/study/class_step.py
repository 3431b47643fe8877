"""Renaming, merging, colouring, ordering and removal of classes, with the labels and classifiers of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from morpholaw.display import counted
from morpholaw.errors import InputError, MorpholawError
from morpholaw.events import SILENT, Monitor
from morpholaw.store import classifiers
from morpholaw.store.class_record import COLOUR
from morpholaw.store.study_folder import StudyFolder


def rename(
    folder: StudyFolder, names: Mapping[str, str], monitor: Monitor = SILENT, *, merge: bool = False
) -> int:
    """Rename or merge classes, and return the number of cells whose label changed.

    Classifiers are updated when a class is renamed, and earlier changes of labels can no longer be undone. When classes
    are merged, classifiers keep the classes that they were trained with.

    Raises
    ------
    InputError
        If a class does not exist, a new name is empty, or classes would be merged although ``merge`` is False.
    """
    changed = {old: new.strip() for old, new in names.items() if old != new.strip()}
    for old, new in changed.items():
        if old not in folder.classes:
            raise InputError(
                f"The study has no class {old!r} to rename; its classes are {', '.join(folder.classes)}."
            )
        if not new:
            raise InputError(f"The class {old!r} needs a new name.")
    merged = merges(folder, changed)
    if merged and not merge:
        old, new = merged[0]
        raise InputError(
            f"{old!r} and {new!r} would become one class; to merge them, use --merge {old}={new}, or merge=True."
        )
    before = folder.class_record
    arranged = before.order or folder.classes
    record = before.model_copy(update={"order": tuple(arranged)}).renamed(changed)
    hidden = (set(record.hidden) | set(changed)) - set(changed.values())
    # The record comes first: if the disk is full, writing it fails, and nothing has changed yet.
    folder.keep_classes(record.model_copy(update={"hidden": tuple(sorted(hidden))}))
    try:
        for name in classifiers.names(folder):
            _rename_in_classifier(folder, name, changed, bool(merged), monitor)
        count = folder.annotations.rename_classes(changed, *folder.sets)
        for new in dict.fromkeys(changed.values()):
            folder.annotations.add_class(new)
    except (MorpholawError, OSError):
        with suppress(MorpholawError):
            folder.keep_classes(before)
        raise
    if not merged:
        folder.annotations.forget_steps()  # undoing them would give cells the old names, unlike the classifiers
    return count


def merges(folder: StudyFolder, names: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the pairs of old and new names that merge two classes.

    A class without cells and classifiers is not merged; its name can be given to another class.
    """
    in_use = {name for name, count in folder.annotations.counts(*folder.sets).items() if count}
    for classifier in classifiers.names(folder):
        in_use |= set(classifiers.record(folder, classifier).classes)
    taken = in_use - set(names)
    merged = []
    for old, new in names.items():
        if new in taken:
            merged.append((old, new))
        taken.add(new)
    return merged


def _rename_in_classifier(
    folder: StudyFolder, name: str, names: Mapping[str, str], merged: bool, monitor: Monitor
) -> None:
    record = classifiers.record(folder, name)
    if not set(record.classes) & set(names):
        return
    if merged:
        monitor.warn(f"{name} still tells the old classes apart; train it again.")
        return
    classes = tuple(names.get(one, one) for one in record.classes)
    config = record.config.model_copy(update={"classes": classes})
    record.model_copy(update={"classes": classes, "config": config}).write(
        classifiers.place_of(folder, name) / "model.json"
    )


def arrange(folder: StudyFolder, order: Sequence[str]) -> None:
    """Show classes in another order, those that are not named after the others; InputError for an unknown one."""
    _check_known(folder, order)
    folder.keep_classes(folder.class_record.model_copy(update={"order": tuple(dict.fromkeys(order))}))


def colour(folder: StudyFolder, colours: Mapping[str, str]) -> None:
    """Set the colours "#rrggbb" of classes, or with "" the usual ones; InputError for anything else."""
    _check_known(folder, colours)
    known = dict(folder.class_record.colours)
    for name, text in colours.items():
        value = text.strip().lower()
        if value and not COLOUR.fullmatch(value):
            raise InputError(f"{text!r} is not a colour such as #009e73.")
        known.pop(name, None)
        if value:
            known[name] = value
    folder.keep_classes(folder.class_record.model_copy(update={"colours": known}))


def remove(folder: StudyFolder, name: str) -> None:
    """Remove a class that no cell has; InputError where some have it."""
    _check_known(folder, [name])
    count = sum(int((folder.annotations.labels_for(one) == name).sum()) for one in folder.sets)
    if count:
        raise InputError(
            f"{counted(count, 'cell is', 'cells are')} labelled {name}; merge it into another class, or clear "
            "their labels first."
        )
    record = folder.class_record
    update = {
        "hidden": tuple(sorted({*record.hidden, name})),
        "order": tuple(one for one in record.order if one != name),
    }
    folder.keep_classes(record.model_copy(update=update))


def _check_known(folder: StudyFolder, names: Sequence[str] | Mapping[str, str]) -> None:
    known = folder.classes
    for name in names:
        if name not in known:
            raise InputError(f"The study has no class {name!r}; its classes are {', '.join(known)}.")
