"""Feed every reader with changed files, in processes with little memory and a clock."""

from __future__ import annotations

import random
import resource
import shutil
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from forks import fork
from mutations import mutate, rehash

from morpholaw.errors import InputError

SECONDS, PATIENCE = 20, 300
"""A reader that computes longer hangs, and so does one that takes longer in all, on however busy a machine."""
MEMORY = 3 << 30
"""Bytes of address space that a reader may take beyond what the process had."""
BATCH = 40

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


@dataclass(frozen=True)
class Reader:
    """A way in: what makes good files, what reads them, and which of a folder's files are changed."""

    make: Callable[[Path], list[Path]]
    read: Callable[[Path], Any]
    files: str = "*"


@dataclass
class Result:
    """What became of a reader's changed files."""

    files: int = 0
    refused: int = 0
    read: int = 0
    slowest: float = 0.0
    memory: int = 0
    failures: list[str] = field(default_factory=list)


# ---- good files


def _movies(place: Path) -> list[Path]:
    import tifffile

    movie = np.random.default_rng(0).integers(0, 4000, (5, 40, 48)).astype(np.uint16)
    kinds: dict[str, dict[str, Any]] = {
        "plain": {}, "imagej": {"imagej": True, "resolution": (3.0, 3.0), "metadata": {"unit": "um", "axes": "TYX"}},
        "deflate": {"compression": "zlib"}, "lzw": {"compression": "lzw", "predictor": True},
        "tiled": {"tile": (16, 16), "compression": "zlib"}, "big": {"bigtiff": True},
    }  # fmt: skip
    paths = []
    for name, options in kinds.items():
        paths.append(place / f"{name}.tif")
        tifffile.imwrite(paths[-1], movie, **options)
    paths.append(place / "ome.ome.tif")
    tifffile.imwrite(
        paths[-1], movie, ome=True, metadata={"axes": "TYX", "PhysicalSizeX": 0.3, "PhysicalSizeY": 0.3}
    )
    paths.append(place / "pages.tif")
    with tifffile.TiffWriter(paths[-1]) as writer:
        for frame in movie:
            writer.write(frame, contiguous=False)
    for real in [
        *sorted(SHARED.glob("mdck_h2b/*/Metaphase/*.tif"))[:2],
        SHARED / "hela_ctc_02/02_GT/TRA/man_track000.tif",
    ]:
        if real.is_file():
            paths.append(_copy(real, place / real.name))
    return paths


def _copy(source: Path, target: Path) -> Path:
    """A copy that may be written to, whatever the original allows."""
    if source.is_dir():
        for file in sorted(source.rglob("*")):
            if file.is_file():
                (target / file.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
                _copy(file, target / file.relative_to(source))
    else:
        target.write_bytes(source.read_bytes())
    return target


def _labels(place: Path) -> list[Path]:
    import tifffile

    masks = np.zeros((5, 40, 48), np.uint16)
    for t in range(5):
        masks[t, 5 + t : 12 + t, 5:12], masks[t, 25:32, 30 - t : 37 - t] = 3, 9
    tifffile.imwrite(place / "masks.tif", masks)
    tifffile.imwrite(place / "masks-z.tif", masks, compression="zlib")
    return [place / "masks.tif", place / "masks-z.tif"]


def _zarrs(place: Path) -> list[Path]:
    import zarr

    paths = []
    movie = np.random.default_rng(0).integers(0, 4000, (4, 1, 40, 48)).astype(np.uint16)
    for version in (2, 3):
        path = place / f"v{version}.ome.zarr"
        group = zarr.open_group(path, mode="w", zarr_format=version)
        array = group.create_array("0", shape=movie.shape, dtype=movie.dtype, chunks=(1, 1, 40, 48))
        array[...] = movie
        axes = [
            {"name": n, "type": k} for n, k in zip("tcyx", ("time", "channel", "space", "space"), strict=True)
        ]
        scale = [{"type": "scale", "scale": [1, 1, 0.3, 0.3]}]
        image = {
            "version": "0.4",
            "axes": axes,
            "datasets": [{"path": "0", "coordinateTransformations": scale}],
        }
        group.attrs.update({"multiscales": [image]} if version == 2 else {"ome": {"multiscales": [image]}})
        paths.append(path)
    return paths


def _pngs(place: Path) -> list[Path]:
    from PIL import Image

    folder = place / "frames"
    folder.mkdir()
    for t in range(3):
        frame = np.random.default_rng(t).integers(0, 255, (40, 48)).astype(np.uint8)
        Image.fromarray(frame).save(folder / f"t{t}.png")
    return [folder]


def _ctc(place: Path) -> list[Path]:
    import pandas as pd
    import tifffile

    from ctc_folders import write_ctc

    masks = tifffile.imread(_labels(place)[0])
    rows = [(k, t, 8.0, 8.0, -1 if k == 3 else 3) for k in (3, 9) for t in range(4)]
    paths = [
        write_ctc(place / "made", masks, pd.DataFrame(rows, columns=["track_id", "t", "y", "x", "parent"]))
    ]
    if SHARED.is_dir():
        real = place / "real"
        real.mkdir()
        for name in ("man_track.txt", "man_track000.tif", "man_track001.tif"):
            _copy(SHARED / "hela_ctc_02/02_GT/TRA" / name, real / name)
        paths.append(real)
    return paths


def _btrack(place: Path) -> list[Path]:
    import h5py

    t = np.arange(6)
    path = place / "tracks.h5"
    with h5py.File(path, "w") as file:
        objects, tracks = file.create_group("objects/obj_type_1"), file.create_group("tracks/obj_type_1")
        objects["coords"] = np.column_stack([t, 200 + t, 10 * t, 0 * t, 0 * t]).astype("f4")
        objects["labels"] = np.full((6, 1), 2, "f4")
        objects["properties/area"] = np.full(6, 50, "f4")
        tracks["tracks"] = np.array([0, 1, -1, 3, 4, 5], "i4")
        tracks["map"] = np.array([[0, 4], [4, 6]], "u4")
        tracks["LBEPR"] = np.array([[7, 0, 3, 7, 7, 0], [9, 4, 5, 7, 7, 1]], "i4")
        tracks["dummies"] = np.array([[2, 202.5, 20.5, 0, 1]], "f4")
        tracks.attrs["f_expr"] = "area>10"
    real = SHARED / "btrack_tracks" / "tracks.h5"
    return [path, path, path, *([_copy(real, place / "real.h5")] if real.is_file() else [])]


TRACKMATE = """<?xml version="1.0" encoding="UTF-8"?>
<TrackMate version="7.11.1"><Model spatialunits="micron" timeunits="sec"><AllSpots>
<SpotsInFrame frame="0"><Spot ID="1" FRAME="0" POSITION_X="1.5" POSITION_Y="2.0" VISIBILITY="1"/></SpotsInFrame>
<SpotsInFrame frame="1"><Spot ID="2" FRAME="1" POSITION_X="1.7" POSITION_Y="2.1" VISIBILITY="1"/></SpotsInFrame>
<SpotsInFrame frame="2"><Spot ID="3" FRAME="2" POSITION_X="1.9" POSITION_Y="2.2" VISIBILITY="1"/>
<Spot ID="4" FRAME="2" POSITION_X="1.1" POSITION_Y="2.9" VISIBILITY="1"/></SpotsInFrame>
</AllSpots><AllTracks><Track name="a" TRACK_ID="0">
<Edge SPOT_SOURCE_ID="1" SPOT_TARGET_ID="2"/>
<Edge SPOT_SOURCE_ID="2" SPOT_TARGET_ID="3"/>
<Edge SPOT_SOURCE_ID="2" SPOT_TARGET_ID="4"/>
</Track></AllTracks><FilteredTracks><TrackID TRACK_ID="0"/></FilteredTracks></Model>
<Settings><ImageData nslices="1" pixelwidth="0.5" pixelheight="0.5"/></Settings></TrackMate>
"""


def _trackmate(place: Path) -> list[Path]:
    path = place / "made.xml"
    path.write_text(TRACKMATE)
    real = SHARED / "trackmate_geff" / "Celegans-5pc-17timepoints.xml"
    return [path, *([_copy(real, place / "real.xml")] if real.is_file() else [])]


def _geff(place: Path) -> list[Path]:
    import zarr

    path = place / "made.geff"
    group = zarr.open_group(path, mode="w", zarr_format=2)
    axes = [{"name": n, "type": "time" if n == "t" else "space"} for n in "tyx"]
    group.attrs["geff"] = {"geff_version": "0.5", "directed": True, "axes": axes}
    values = {"t": [0, 1, 2, 2], "y": [1.0, 2, 3, 4], "x": [1.0, 2, 3, 4]}
    for name, column in {
        "nodes/ids": [1, 2, 3, 4],
        **{f"nodes/props/{k}/values": v for k, v in values.items()},
    }.items():
        made = np.asarray(column)
        group.create_array(name, shape=made.shape, dtype=made.dtype)[...] = made
    group.create_array("edges/ids", shape=(3, 2), dtype="i8")[...] = [[1, 2], [2, 3], [2, 4]]
    real = SHARED / "trackmate_geff" / "Ecoli_growth_on_agar_pad.geff"
    return [path, *([_copy(real, place / "real.geff")] if real.is_dir() else [])]


def _csv(place: Path) -> list[Path]:
    path = place / "made.csv"
    rows = [f"{k},{t},{10 + t},{20 * k},{-1 if k == 1 else 1},\n" for k in (1, 2, 3) for t in range(5)]
    path.write_text("ID,t,y,x,parent,label\n" + "".join(rows))
    paths = [path]
    if (real := SHARED / "btrack_tracks" / "tracks.csv").is_file():
        with real.open() as lines:
            (place / "real.csv").write_text("".join(next(lines) for _ in range(200)))
        paths.append(place / "real.csv")
    return paths


def _crop_folder(place: Path) -> list[Path]:
    import imagecodecs
    import tifffile
    from PIL import Image

    folder = place / "crops"
    for label in ("interphase", "metaphase"):
        (folder / label).mkdir(parents=True)
        for k in range(3):
            crop = np.random.default_rng(k).integers(0, 255, (32, 32)).astype(np.uint8)
            Image.fromarray(crop).save(folder / label / f"{k}.png")
            tifffile.imwrite(folder / label / f"t{k}.tif", crop)
            (folder / label / f"j{k}.jpg").write_bytes(imagecodecs.jpeg_encode(crop))
    return [folder]


def _study(place: Path) -> list[Path]:
    """A whole study; made once for the readers that need one."""
    import crashes

    from morpholaw.study import Study

    base = place.parent / "making" / "base" / "study"
    if not (base.parent / "complete").exists():
        study = Study(base if base.exists() else crashes.make_base(base.parents[1]))
        study.annotations.set_labels(
            {("cells", k): study.labels[k] for k in range(5)}
        )  # as they are: one split
        study.name_latent(3, "size")
        study.latents()
        study.tune(trials=1, batch_trials=1, runs=1, epochs=2, device="cpu")
        shutil.rmtree(base / "classifiers" / "scheme1")
        (base.parent / "complete").touch()
    return [_copy(base, place / "study")]


def _bundle(place: Path) -> list[Path]:
    """Bundles that hold all that they need, as they are sent: each is copied, changed and read alone."""
    from morpholaw.models.classifier import Classifier
    from morpholaw.store.classifier_record import ClassifierRecord

    base = _study(place)[0]
    folders = [base / "classifiers" / name for name in ("scheme2", "scheme3", "scheme4-hinge")]
    for folder in folders:
        Classifier.load(folder).save(folder, ClassifierRecord.read(folder).description())
    return [base / "encoder", *folders]


# ---- readers


def _read_movie(path: Path) -> None:
    from morpholaw.cells.movies import open_movie

    movie = open_movie(path)
    for t in {0, 1, len(movie) - 1}:
        if t < len(movie):
            movie.frame(t)


def _read_tracks(path: Path) -> None:
    from morpholaw.cells.tracks import read_tracks

    read_tracks(path, (10, 1024, 1024), 0.5)


def _import_folder(path: Path) -> None:
    from morpholaw.cells.import_crops import import_crops
    from morpholaw.config import ImportConfig

    out = path.parent / "imported"
    try:
        import_crops(path, out, ImportConfig(size=32))
    finally:
        shutil.rmtree(out, ignore_errors=True)
        left = [p.name for p in out.parent.iterdir() if p.name.startswith("imported")]
        assert not left, f"left behind: {left}"


def _import_labels(path: Path) -> None:
    from morpholaw.cells.annotations import Annotations
    from morpholaw.cells.cells_table import cells_table
    from morpholaw.cells.crop_set import CropSet

    folder = path.parent / "set"
    if not folder.exists():
        cells = cells_table(9, track_id=np.repeat([1, 2, 3], 3), t=np.tile([0, 1, 2], 3))
        CropSet.write(folder, np.zeros((9, 16, 16), np.uint8), cells)
    labels = Annotations(path.parent / "labels.json")
    labels.import_csv(path, CropSet(folder))
    Annotations(path.parent / "labels.json").labels_for(CropSet(folder))


def _read_study(path: Path) -> None:
    """Everything a person can look at; each may refuse by itself."""
    from morpholaw.study import Study
    from morpholaw.study.checkpoint import Checkpoint

    study = Study(path)
    looks: list[Callable[[], Any]] = [
        lambda: study.classes,
        lambda: [(len(one), one.images[:3].sum(), one.cells.head(), one.normalisation) for one in study.sets],
        lambda: study.labels,
        lambda: study.latent_names,
        lambda: study.tuned,
        lambda: study.table1(),
        lambda: study.encoder,
        lambda: study.latents(),
        lambda: study.classify(2),
        lambda: study.laws(),
        lambda: study.attack(scheme=2, space="latent", eps=(0.1,), keep="morphology"),
        lambda: study.crops[:6],
        lambda: Checkpoint(path / "classifiers" / "scheme2" / "checkpoint", 1).read(),
    ]
    refused: InputError | None = None
    for look in looks:
        try:
            look()
        except InputError as error:
            refused = error
    if refused is not None:
        raise refused


def _read_bundle(path: Path) -> None:
    from morpholaw.models.classifier import Classifier
    from morpholaw.store import encoders

    rehash(path)
    if path.name == "encoder":
        encoders.load(path)
    else:
        import torch

        classifier = Classifier.load(path)
        classifier.head_weights, classifier.expression_sizes  # noqa: B018
        if classifier.encoder is not None and classifier.encoder.size <= 64:
            with torch.no_grad():
                classifier.score_latents(torch.zeros(2, classifier.encoder.latents))


def _read_job(path: Path) -> None:
    from morpholaw.jobs import STEPS, Job

    job = Job.read(path)
    if job.step in STEPS:
        STEPS[job.step].from_values(job.config)


def _jobs(place: Path) -> list[Path]:
    from morpholaw.jobs import Job

    return [
        Job("train_encoder", "study", {"epochs": 3, "filters": [4, 8]}, {"resume": True}).write(
            place / "job.json"
        )
    ]


READERS: dict[str, Reader] = {
    "TIFF movie": Reader(_movies, _read_movie),
    "TIFF label stack": Reader(_labels, _read_tracks),
    "OME-Zarr": Reader(_zarrs, _read_movie),
    "PNG frames": Reader(_pngs, _read_movie),
    "CTC": Reader(_ctc, _read_tracks),
    "btrack HDF5": Reader(_btrack, _read_tracks),
    "TrackMate XML": Reader(_trackmate, _read_tracks),
    "GEFF": Reader(_geff, _read_tracks),
    "napari CSV": Reader(_csv, _read_tracks),
    "labels CSV": Reader(
        lambda place: [_text_file(place / "labels.csv", "track_id,t,label\n1,0,a\n1,1,b\n2,0,a\n3,2,c\n")],
        _import_labels,
    ),
    "crop folder": Reader(_crop_folder, _import_folder),
    "study": Reader(_study, _read_study, files="*[!.]?[!b]*"),
    "bundle JSON": Reader(_bundle, _read_bundle, files="model.json"),
    "safetensors": Reader(_bundle, _read_bundle, files="*.safetensors"),
    "job": Reader(_jobs, _read_job),
}  # fmt: skip


def _text_file(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


# ---- the fuzzer


class Fuzzer:
    """Changed files for one reader after the other; ``results`` by reader."""

    def __init__(self, place: Path, seed: int = 0) -> None:
        self.place, self.seed = place, seed
        self.results = {name: Result() for name in READERS}
        self._good: dict[str, list[Path]] = {}

    def feed(self, name: str, count: int) -> Result:
        """Change and read ``count`` more files, ``BATCH`` to a process."""
        if name not in self._good:
            folder = self.place / "good" / name.replace(" ", "-")
            folder.mkdir(parents=True)
            made = fork(lambda tell: tell("\n".join(map(str, READERS[name].make(folder)))))
            if made.code or not made.lines:
                raise RuntimeError(f"the good files of {name} could not be made: {made.lines} {made.code}")
            self._good[name] = [Path(line) for line in made.lines]
            for path in set(self._good[name]):  # what is refused unchanged would test nothing
                done = fork(lambda _, path=path: READERS[name].read(self._fresh(path)))
                if done.code:
                    raise RuntimeError(f"{name} does not read the good {path}: {done.lines}")
        result = self.results[name]
        first, end = result.files, result.files + count
        while first < end:
            first = self._batch(name, result, first, min(first + BATCH, end))
        return result

    def _batch(self, name: str, result: Result, first: int, end: int) -> int:
        """Numbers ``first`` to ``end`` - 1 in a process; one that ends it is a failure, and the rest goes on."""

        def work(tell: Callable[[str], None]) -> None:
            _limit()
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            for number in range(first, end):
                tell(f"begin {number}")
                tell(f"{self._one(name, number)}")
            tell(f"memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before}")

        done = fork(work)
        number = first
        for line in done.lines:
            kind, _, rest = line.partition(" ")
            if kind == "begin":
                number = int(rest)
                result.files += 1
            elif kind == "memory":
                result.memory = max(result.memory, int(rest) << 10)
            else:
                seconds, _, error = rest.partition(" ")
                result.slowest = max(result.slowest, float(seconds))
                if kind == "failed":
                    result.failures.append(f"{name} {number} (seed {self.seed}): {error}")
                else:
                    setattr(result, kind, getattr(result, kind) + 1)
        if done.code:
            result.failures.append(f"{name} {number} (seed {self.seed}): the process ended with {done.code}")
            return number + 1
        return end

    def _one(self, name: str, number: int) -> str:
        """Change one file and read it: "refused", "read" or "failed", the seconds, and the error."""
        reader = READERS[name]
        rng = random.Random(f"{self.seed} {name} {number}")
        path = self._fresh(rng.choice(self._good[name]))
        files = sorted(p for p in path.rglob(reader.files) if p.is_file()) if path.is_dir() else [path]
        mutate(rng.choice(files), rng)
        began = time.process_time()
        _set_clocks(SECONDS, PATIENCE)
        try:
            reader.read(path)
            outcome = "read"
        except InputError as error:
            outcome = (
                "refused" if _is_plain(str(error)) else f"failed\0no plain sentence: {str(error)[:300]!r}"
            )
        except BaseException:
            outcome = f"failed\0{traceback.format_exc()[-900:]!r}"
        finally:
            _set_clocks(0, 0)
        kind, _, error = outcome.partition("\0")
        return f"{kind} {time.process_time() - began:.3f} {error}".replace("\n", " ").rstrip()

    def _fresh(self, good: Path) -> Path:
        """A copy of a good file in a folder of its own."""
        place = self.place / "changed"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        return _copy(good, place / good.name)


def _is_plain(sentence: str) -> bool:
    """One line of text that is not a traceback and ends like a sentence."""
    return "\n" not in sentence and "Traceback" not in sentence and len(sentence) < 8000


def judge(path: Path, make: Callable[[Path], None], read: Callable[[Path], None]) -> tuple[str, int]:
    """Make a file and read it in a process of its own: "refused", "read" or what went wrong; its memory, bytes."""
    path.parent.mkdir(parents=True)

    def work(tell: Callable[[str], None]) -> None:
        make(path)
        _limit()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        _set_clocks(SECONDS, PATIENCE)
        try:
            read(path)
            outcome = "read"
        except InputError as error:
            outcome = "refused" if _is_plain(str(error)) else f"no plain sentence: {str(error)[:300]!r}"
        except BaseException:
            outcome = repr(traceback.format_exc()[-600:])
        if list(path.parents[1].rglob("hacked")):
            outcome = "its payload ran"
        tell(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before} {outcome}")

    done = fork(work)
    if done.code or not done.lines:
        return f"the process ended with {done.code}: {done.lines}", 0
    kilobytes, _, outcome = done.lines[-1].partition(" ")
    if int(kilobytes) > 512 << 10:
        outcome = f"took {int(kilobytes) >> 10} MB"
    return outcome, int(kilobytes) << 10


def _set_clocks(computing: int, waiting: int) -> None:
    """Have the kernel end this process after so many seconds; 0 for no more."""
    signal.setitimer(signal.ITIMER_PROF, computing)
    signal.alarm(waiting)


def _limit() -> None:
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
