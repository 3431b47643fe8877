"""The folder of a study: its files, and the lock for writing.

::

    study.json            name, classes, schema
    crops/<set>/          crop sets: images.npy, cells.csv, set.json
    annotations.jsonl     labels given by the user, one change per line
    annotations.json      the present label of each crop, for scripts
    latent_names.json     names given to latents, by encoder
    classes.json          colours and order of the classes, and the order of stages along tracks
    encoder/              the trained beta-TCVAE, weights of older ones that classifiers use, and checkpoint/ during a
                          training
    latents/<set>/        means and log variances by encoder, as a cache
    classifiers/<name>/   one bundle per classifier: scheme1, scheme2, scheme3, scheme4-hinge, scheme4-mse, or another
                          name; the weights of their encoders are in encoder/
    timeline/             tables of the timeline, and timeline.json
    search/               the Optuna storage and the best settings
    jobs/                 jobs and their outcomes
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from morpholaw.cells.annotations import Annotations
from morpholaw.cells.crop_set import Crops, CropSet
from morpholaw.cells.files import is_temporary, read_json, remove_leftovers, restore_set_aside, write_json
from morpholaw.display import counted
from morpholaw.errors import InputError, MorpholawError, StudyGoneError, StudyLockedError, file_error
from morpholaw.escape import file_name
from morpholaw.figures.palette import class_colours
from morpholaw.store.class_record import ClassRecord
from morpholaw.store.encoder_record import EncoderRecord
from morpholaw.store.study_record import DEFAULT_CLASSES, StudyRecord
from morpholaw.store.tuned_record import TunedRecord


class StudyFolder:
    """The files of a study. Use :class:`morpholaw.Study`, which adds the steps.

    Raises
    ------
    InputError
        If the folder is not a study, or was written by a newer version of Morpholaw.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        if not (self.path / "study.json").is_file():
            raise InputError(
                f"{self.path} is not a Morpholaw study; expected a folder with study.json in it."
            )
        self._crops: Crops | None = None  # cached, because its table is joined from those of the sets
        self.record = StudyRecord.read(self.path / "study.json")

    @classmethod
    def make(cls, path: Path | str, classes: tuple[str, ...] = DEFAULT_CLASSES) -> Path:
        """Create an empty study at ``path``.

        Parameters
        ----------
        path : path
            A new or empty folder.
        classes : tuple of str
            Names of the initial classes.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        InputError
            If the folder is not empty or cannot be written to.
        """
        path = Path(path)
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise InputError(f"{path} exists and is not empty; expected a new folder for the study.")
        try:
            path.mkdir(parents=True, exist_ok=True)
            StudyRecord.now(path.name, classes).write(path / "study.json")
        except OSError as error:
            raise file_error(f"A study cannot be created at {path}", error) from None
        return path

    @property
    def name(self) -> str:
        """Name of the study, which is that of its folder."""
        return self.path.name

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order that was set, followed by the initial classes and those of labelled cells.

        Classes that were named when crops were imported keep this order, as long as it agrees with that of the initial
        classes.
        """
        kept = self.class_record
        sets = self.sets
        labels = [set(crop_set.cells["label"]) - {""} for crop_set in sets]
        named = [
            [name for name in crop_set.record.classes if name in own]
            for crop_set, own in zip(sets, labels, strict=True)
        ]
        first = list(self.record.classes)
        begun = next((order for order in named if [one for one in order if one in first] == first), first)
        known = [*kept.order, *begun, *self.annotations.classes]
        for order, own in zip(named, labels, strict=True):
            known += [*order, *sorted(own)]
        if kept.hidden:
            used = {label for crop_set in sets for label in self.annotations.labels_for(crop_set)}
            gone = set(kept.hidden) - used
            known = [name for name in known if name not in gone]
        return tuple(dict.fromkeys(known))

    def class_colours(self, classes: Sequence[str] | None = None) -> dict[str, str]:
        """Return "#rrggbb" of each of some classes, by default of all: the colours that were set, else the usual ones.

        Figures draw them as they are seen on their background (:func:`morpholaw.figures.palette.colours_on`).

        Parameters
        ----------
        classes : sequence of str, optional
            The classes; all of the study where left out.
        """
        every = self.classes
        shown = every if classes is None else classes
        usual = class_colours(shown, among=every)
        chosen = self.class_record.colours
        return {name: chosen.get(name, colour) for name, colour in usual.items()}

    def add_class(self, name: str) -> None:
        """Add a class without cells; InputError if its name is empty.

        Parameters
        ----------
        name : str
            The class.
        """
        self.annotations.add_class(name)
        record = self.class_record
        if name.strip() in record.hidden:
            hidden = tuple(one for one in record.hidden if one != name.strip())
            self.keep_classes(record.model_copy(update={"hidden": hidden}))

    @property
    def class_record(self) -> ClassRecord:
        """User settings for the classes; InputError if the file is damaged."""
        path = self.path / "classes.json"
        return ClassRecord.read(path) if path.exists() else ClassRecord.model_validate({})

    def keep_classes(self, record: ClassRecord) -> None:
        """Write the user settings for the classes.

        Parameters
        ----------
        record : ClassRecord
            The settings.
        """
        with self._saving():
            record.write(self.path / "classes.json")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the study's lock for a ``with`` block. The operating system releases it if the process dies.

        Raises
        ------
        StudyLockedError
            If another process holds the lock.
        StudyGoneError
            If the folder was moved or deleted, before or during the block.
        NoSpaceError
            If the disk is full or the quota is exceeded.
        InputError
            If the folder cannot be written to for another reason.
        """
        if not self.path.is_dir():
            raise self._unwritable(FileNotFoundError())
        try:
            lock = FileLock(self.path / ".lock", timeout=0.5)
            lock.acquire()
        except Timeout:
            raise StudyLockedError(
                f"Another process is working on the study {self.path}; wait until it has finished, or stop it."
            ) from None
        except OSError as error:
            raise self._unwritable(error) from None
        try:
            self._remove_leftovers()
            for name in ("encoder", "classifiers", "crops"):  # so that no later write has to make them:
                (self.path / name).mkdir(exist_ok=True)  # a study that is deleted meanwhile stays deleted
            yield
            if not (self.path / "study.json").exists():
                raise FileNotFoundError
        except OSError as error:
            raise self._unwritable(error) from None
        except InputError:  # files may be missing because the study was deleted meanwhile
            self._check_is_there()
            raise
        finally:
            lock.release()

    def _remove_leftovers(self) -> None:
        """Remove remains of interrupted writes. While the lock is held, no other process writes crop sets."""
        restore_set_aside(self.path / "crops")
        for path in self.path.glob("crops/.*.tmp"):
            if is_temporary(path):
                shutil.rmtree(path, ignore_errors=True)
        remove_leftovers(self.path)

    def _check_is_there(self) -> None:
        """Raise StudyGoneError if the folder of the study no longer exists."""
        if not (self.path / "study.json").exists():
            raise StudyGoneError(
                f"The study {self.path} no longer exists; it was moved or deleted."
            ) from None

    @contextmanager
    def _saving(self) -> Iterator[None]:
        """Explain why a small file of the study cannot be written, which needs no lock."""
        try:
            if not self.path.is_dir():  # a study that was deleted stays deleted
                raise FileNotFoundError
            yield
        except OSError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> MorpholawError:
        """Return the error that explains why nothing can be written."""
        if (self.path / "study.json").exists():
            return file_error(f"The study {self.path} cannot be written to", error)
        return StudyGoneError(f"The study {self.path} no longer exists; it was moved or deleted.")

    @property
    def sets(self) -> list[CropSet]:
        """Crop sets in the order of their creation, without damaged ones (:attr:`damaged_sets`)."""
        sets, _ = self._readable_sets()
        return sorted(sets, key=lambda crop_set: (crop_set.record.created, crop_set.name))

    @property
    def damaged_sets(self) -> list[str]:
        """Sentences on crop sets that cannot be read. The study works without them."""
        _, problems = self._readable_sets()
        return problems

    @property
    def problems(self) -> list[str]:
        """Sentences on parts of the study that are damaged, left out or out of date. The rest of it works."""
        strays = [(one.name, self.annotations.strays(one)) for one in self.sets]
        sentences = [
            f"{counted(count, 'label given by hand belongs', 'labels given by hand belong')} to other images than "
            f"those in the set {name}: kept, but not used."
            for name, count in strays
            if count
        ]
        return [*self.damaged_sets, *self.annotations.problems, *sentences]

    def _readable_sets(self) -> tuple[list[CropSet], list[str]]:
        sets, problems = [], []
        for folder in sorted(self.path.glob("crops/*/")):
            if folder.name.startswith("."):  # incomplete, or being removed
                continue
            try:
                sets.append(self.crop_set(folder.name))
            except InputError as error:
                problems.append(f"The crop set {folder.name} is left out: {error}")
        return sets, problems

    @cached_property
    def _opened(self) -> dict[tuple[str, float], CropSet]:
        return {}

    def crop_set(self, name: str) -> CropSet:
        """Return the crop set ``name``; InputError if there is none.

        Parameters
        ----------
        name : str
            Name of the set.
        """
        # Sets stay open, so that their tables are read only once.
        folder = self.path / "crops" / name
        try:
            key = (name, (folder / "set.json").stat().st_mtime)
        except OSError:
            problem = "is damaged: set.json is missing" if folder.is_dir() else "does not exist"
            raise InputError(f"The crop set {name!r} of {self.path} {problem}.") from None
        if key not in self._opened:
            crop_set = CropSet(folder)
            crop_set.check()
            self._opened[key] = crop_set
        return self._opened[key]

    @property
    def crops(self) -> Crops:
        """All crops of the study as one sequence; InputError if there are none."""
        sets = self.sets
        if not sets:
            self._check_is_there()
        if self._crops is None or not _are_same(self._crops.sets, sets):
            self._crops = Crops(sets)
        return self._crops

    def new_set_folder(self, name: str) -> Path:
        """Return the folder for a new crop set. A number is added to names that are in use.

        Parameters
        ----------
        name : str
            Name of the set. Characters that are not allowed in names of folders are replaced.
        """
        safe = file_name(name, "crops")
        folder, count = self.path / "crops" / safe, 1
        while folder.exists():
            count += 1
            folder = self.path / "crops" / f"{safe}-{count}"
        return folder

    @cached_property
    def annotations(self) -> Annotations:
        """Labels given by the user, which are saved at every change."""
        return Annotations(self.path / "annotations.jsonl", self._set_or_none)

    def _set_or_none(self, name: str) -> CropSet | None:
        """Return the crop set ``name``; None if it does not exist or cannot be read."""
        try:
            return self.crop_set(name) if name == Path(name).name else None
        except InputError:
            return None

    @property
    def tuned(self) -> TunedRecord | None:
        """Tuned settings of scheme 3; None if it was not tuned."""
        path = self.path / "search" / "best.json"
        return TunedRecord.read(path) if path.exists() else None

    @property
    def has_encoder(self) -> bool:
        """Whether the study has an encoder."""
        return (self.path / "encoder" / "model.json").exists()

    @property
    def encoder_record(self) -> EncoderRecord:
        """Record of the study's encoder; InputError if there is none."""
        if not self.has_encoder:
            raise InputError(f"The study {self.path} has no encoder yet; train or load one first.")
        return EncoderRecord.read(self.path / "encoder")

    @property
    def can_resume(self) -> bool:
        """Whether there is a checkpoint from which a stopped training of the encoder can be resumed."""
        return (self.path / "encoder" / "checkpoint" / "model.json").exists()

    @property
    def latent_names(self) -> dict[int, str]:
        """Names given to latents of the present encoder, e.g. {17: "elongation"}."""
        return self._names_of(self._encoder_digest)

    def latent_names_of(self, sha256: str) -> dict[int, str]:
        """Return the names given to latents of an encoder, by the SHA-256 of its weights.

        Parameters
        ----------
        sha256 : str
            SHA-256 of the weights.
        """
        return self._names_of(sha256[:16])

    def _names_of(self, digest: str) -> dict[int, str]:
        named = self._optional_json("latent_names.json").get(digest, {})
        if not isinstance(named, dict):
            raise InputError(
                f"{self.path / 'latent_names.json'} does not name latents by encoder and number."
            )
        return {int(key): str(name) for key, name in named.items() if key.isdecimal()}

    def name_latent(self, latent: int, name: str) -> None:
        """Give a latent a name, or remove it with an empty name.

        Parameters
        ----------
        latent : int
            Number of the latent, 3 for z3.
        name : str
            The name.
        """
        names = self.latent_names
        names.pop(latent, None)
        if name.strip():
            names[latent] = name.strip()
        written = {str(key): value for key, value in sorted(names.items())}
        every = {**self._optional_json("latent_names.json"), self._encoder_digest: written}
        with self._saving():
            write_json(self.path / "latent_names.json", every)

    @property
    def _encoder_digest(self) -> str:
        return self.encoder_record.sha256[:16] if self.has_encoder else "none"

    def _optional_json(self, name: str) -> dict[str, Any]:
        """Return the object in a JSON file of the study; empty if there is no such file."""
        path = self.path / name
        values = read_json(path) if path.exists() else {}
        if not isinstance(values, dict):
            raise InputError(
                f"{path} is damaged: a JSON object was expected; delete it or restore it from a backup."
            )
        return values


def _are_same(known: list[CropSet], sets: list[CropSet]) -> bool:
    """Whether both lists hold the same open crop sets."""
    return len(known) == len(sets) and all(old is new for old, new in zip(known, sets, strict=True))
