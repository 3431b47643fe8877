"""Importing folders of crops: classes and groups from paths, any grey image, what is wrong in a sentence."""

from __future__ import annotations

import io
import re
import tracemalloc
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from morpholaw.cells.crop_images import fit_square, read_grey
from morpholaw.cells.import_crops import import_crops
from morpholaw.config import ImportConfig
from morpholaw.errors import InputError
from morpholaw.events import Message, Monitor
from morpholaw.study import Study

PATTERN = r"(m\d+)_"


def picture(seed: int, side: int = 64, dtype: Any = np.uint8) -> np.ndarray:
    pixels = np.random.default_rng(seed).normal(20, 2, (side, side))
    y, x = np.mgrid[:side, :side] - side // 2
    pixels[np.hypot(y, x) < 10] += 80
    return pixels.astype(dtype)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six crops of interphase and four of metaphase in two subfolders, two others; two movies."""
    root = tmp_path / "crops"
    counts = {"Interphase": 6, "Metaphase": 2, "Alignment": 2, "Debris": 2}
    for k, (name, count) in enumerate(counts.items()):
        (root / name).mkdir(parents=True)
        for i in range(count):
            Image.fromarray(picture(10 * k + i)).save(root / name / f"m{i % 2}_cell{i}.png")
    (root / "notes.txt").write_text("not an image")
    (root / "Debris" / "._m0_cell0.png").write_bytes(b"a leftover of another system")
    return root


def imported(folder: Path, **settings: Any) -> Any:
    return import_crops(folder, folder.parent / "set", ImportConfig(**settings))


def test_classes_merge_subfolders_and_the_others_come_in_unlabelled(folder):
    crops = imported(
        folder,
        classes={"interphase": ["interphase"], "metaphase": ["Metaphase", "ALIGNMENT"]},
        group_regex=PATTERN,
    )
    counts = crops.cells.label.value_counts().to_dict()
    assert counts == {"interphase": 6, "metaphase": 4, "": 2}
    assert set(crops.cells.group) == {"m0", "m1"}
    assert all(crops.cells.label[crops.cells.file.str.startswith("Debris")] == "")
    assert crops.record.kind == "folder"


def test_without_classes_a_crop_is_of_the_folder_it_lies_in(folder):
    Image.fromarray(picture(99)).save(folder / "loose.png")
    crops = imported(folder)
    assert crops.cells.label.value_counts().to_dict() == {
        "interphase": 6,
        "metaphase": 2,
        "alignment": 2,
        "debris": 2,
        "": 1,
    }


def test_a_class_may_lie_at_any_depth(folder):
    (folder / "day 2" / "Metaphase").mkdir(parents=True)
    Image.fromarray(picture(77)).save(folder / "day 2" / "Metaphase" / "m3_cell0.png")
    crops = imported(folder, classes={"metaphase": ["metaphase"]}, group_regex=PATTERN)
    assert (crops.cells.label == "metaphase").sum() == 3


def test_pixels_are_normalised_with_one_recorded_scale(folder):
    crops = imported(folder)
    for i in (0, 7):
        raw = np.asarray(Image.open(folder / crops.cells.file[i]))
        assert np.array_equal(crops.images[i], crops.normalisation.apply(raw, crops.cells.brightness[i]))


def test_without_a_pattern_each_file_is_a_group_but_copies_share_one(folder):
    (folder / "Metaphase" / "copy.png").write_bytes((folder / "Interphase" / "m0_cell0.png").read_bytes())
    said: list[Any] = []
    crops = import_crops(folder, folder.parent / "set", monitor=Monitor(said.append))
    groups = dict(zip(crops.cells.file, crops.cells.group, strict=True))
    assert len(set(groups.values())) == 12
    assert (
        groups["Metaphase/copy.png"] == groups["Interphase/m0_cell0.png"] == "crops/Interphase/m0_cell0.png"
    )
    warnings = [event.text for event in said if isinstance(event, Message) and event.level == "warning"]
    assert any("both sides of a split" in text for text in warnings)
    assert any("1 of 13 images have the same pixels" in text for text in warnings)


def test_augmented_copies_are_in_the_group_of_their_image(folder):
    image = np.asarray(Image.open(folder / "Interphase" / "m0_cell0.png"))
    for name, copy in {"flipped": image[:, ::-1], "turned": np.rot90(image), "inverted": 255 - image}.items():
        Image.fromarray(copy).save(folder / "Interphase" / f"{name}.png")
    said: list[Any] = []
    crops = import_crops(folder, folder.parent / "set", monitor=Monitor(said.append))
    group = crops.cells.set_index("file")["group"]
    copies = [group[f"Interphase/{name}.png"] for name in ("m0_cell0", "flipped", "turned")]
    assert len(set(copies)) == 1
    assert group["Interphase/inverted.png"] not in copies
    assert any(
        "2 of 15 images have the same pixels" in event.text for event in said if isinstance(event, Message)
    )


def test_other_sizes_are_cut_at_the_centre_or_padded_and_it_is_said(folder):
    said: list[Any] = []
    Image.fromarray(picture(1, side=80)).save(folder / "Debris" / "m0_large.png")
    Image.fromarray(picture(2, side=40)).save(folder / "Debris" / "m0_small.png")
    settings = ImportConfig(brightness="source")
    crops = import_crops(folder, folder.parent / "set", settings, monitor=Monitor(said.append))
    by_name = {Path(name).name: image for name, image in zip(crops.cells.file, crops.images, strict=True)}
    scale = crops.normalisation
    assert np.array_equal(by_name["m0_large.png"], scale.apply(picture(1, side=80)[8:72, 8:72]))
    assert np.array_equal(by_name["m0_small.png"][12:52, 12:52], scale.apply(picture(2, side=40)))
    assert (by_name["m0_small.png"][:12] <= 3).all()
    assert any(
        "2 of 14 images were not 64 x 64" in event.text for event in said if isinstance(event, Message)
    )


@pytest.mark.parametrize("shape", [(64, 64), (63, 65), (5, 200), (65, 1)])
def test_a_square_keeps_the_centre(shape):
    image = np.zeros(shape, np.uint16)
    image[shape[0] // 2, shape[1] // 2] = 7
    square = fit_square(image, 64, 0)
    assert square.shape == (64, 64)
    ((y, x),) = np.argwhere(square == 7)
    assert abs(y - 32) <= 1
    assert abs(x - 32) <= 1


@pytest.mark.parametrize(
    ("name", "pixels"),
    [
        ("8 bit.png", picture(1)),
        ("16 bit.png", picture(1, dtype=np.uint16) * 300),
        ("16 bit.tif", picture(1, dtype=np.uint16) * 300),
        ("float.tiff", picture(1, dtype=np.float32)),
        ("signed.tif", picture(1, dtype=np.int16) - 60),
        ("axes.tif", picture(1)[np.newaxis, np.newaxis]),
        ("grey as colour.png", np.repeat(picture(1)[..., np.newaxis], 3, axis=2)),
        ("grey and alpha.png", np.dstack([picture(1), np.full((64, 64), 255, np.uint8)])),
    ],
)
def test_grey_images_of_any_kind_are_read(tmp_path, name, pixels):
    path = tmp_path / name
    if path.suffix == ".png":
        Image.fromarray(pixels).save(path)
    else:
        tifffile.imwrite(path, pixels)
    grey = read_grey(path)
    expected = np.squeeze(pixels)
    assert np.array_equal(grey, expected if expected.ndim == 2 else expected[..., 0])
    assert grey.dtype == pixels.dtype


def test_a_jpeg_is_read(tmp_path):
    Image.fromarray(picture(1)).save(tmp_path / "cell.JPG", quality=95)
    assert np.abs(read_grey(tmp_path / "cell.JPG").astype(int) - picture(1)).mean() < 3


def spoil(folder: Path, how: str) -> None:
    target = folder / "Interphase" / "m0_odd"
    if how == "truncated":
        whole = (folder / "Interphase" / "m0_cell0.png").read_bytes()
        target.with_suffix(".png").write_bytes(whole[: len(whole) // 2])
    elif how == "empty file":
        target.with_suffix(".tif").write_bytes(b"")
    elif how == "colour":
        Image.fromarray(np.dstack([picture(1), picture(2), picture(3)])).save(target.with_suffix(".png"))
    elif how == "stack":
        tifffile.imwrite(target.with_suffix(".tif"), np.stack([picture(i) for i in range(5)]))
    elif how == "NaN":
        tifffile.imwrite(target.with_suffix(".tif"), np.where(picture(1) > 90, np.nan, 1).astype(np.float32))
    elif how == "another camera":
        Image.fromarray(picture(1, dtype=np.uint16)).save(target.with_suffix(".png"))


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("truncated", "m0_odd.png cannot be read as an image"),
        ("empty file", "m0_odd.tif cannot be read as an image"),
        ("colour", "m0_odd.png is a colour image"),
        ("stack", r"m0_odd.tif is an array of shape \(5, 64, 64\)"),
        ("NaN", "m0_odd.tif has pixels that are NaN"),
        ("another camera", "m0_odd.png has uint16 pixels .* uint8"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(folder, how, sentence):
    spoil(folder, how)
    with pytest.raises(InputError, match=sentence):
        imported(folder, group_regex=PATTERN)
    assert [path.name for path in folder.parent.iterdir()] == ["crops"]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"classes": {"metaphase": ["Meta"]}},
            "subfolder 'Meta'.*subfolders are Alignment, Debris, Interphase",
        ),
        ({"classes": {"metaphase": ["Empty"]}}, "does not exist in .* or has no images"),
        ({"classes": {"metaphase": []}}, "'metaphase' has no subfolder"),
        ({"classes": {"a": ["debris"], "b": ["Debris"]}}, "in two classes, 'a' and 'b'"),
        (
            {"group_regex": "cell([0-3])"},
            "does not match 2 of 12 files; the first of them is Interphase/m0_cell4",
        ),
        ({"group_regex": "(unclosed"}, "not a regular expression"),
    ],
)
def test_settings_that_do_not_fit_the_folder_are_refused(folder, settings, sentence):
    (folder / "Empty").mkdir()
    with pytest.raises(InputError, match=sentence):
        imported(folder, **settings)


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing here")
    with pytest.raises(InputError, match="no images in"):
        import_crops(tmp_path, tmp_path / "set")
    with pytest.raises(InputError, match=re.escape(f"no folder {tmp_path / 'nowhere'}")):
        import_crops(tmp_path / "nowhere", tmp_path / "set")


def test_a_stopped_import_leaves_nothing_behind(folder):
    with pytest.raises(InterruptedError, match="stopped"):
        import_crops(folder, folder.parent / "set", monitor=Monitor(should_stop=lambda: True))
    assert [path.name for path in folder.parent.iterdir()] == ["crops"]


def test_the_mitocheck_crops_come_in_by_movie(tmp_path, shared_data):
    root = shared_data / "mitocheck_hela"
    if not root.exists():
        pytest.skip(f"the MitoCheck crops are not at {root}")
    config = ImportConfig(
        classes={"interphase": ["Interphase"], "metaphase": ["Metaphase", "MetaphaseAlignment"]},
        group_regex="(PL.*?___P[^_]+)",
    )
    crops = import_crops(root, tmp_path / "set", config)
    on_disk = {name: len(list((root / name).glob("*.png"))) for name in config.classes["metaphase"]}
    assert (crops.cells.label == "metaphase").sum() == sum(on_disk.values())
    assert crops.cells.group.str.fullmatch(r"PL.*___P\d+").all()
    assert 10 < crops.cells.group.nunique() < 100


def test_the_annotated_mdck_crops_come_in_with_their_copies_together(tmp_path, shared_data):
    root = shared_data / "mdck_h2b"
    if not root.exists():
        pytest.skip(f"the MDCK crops are not at {root}")
    crops = import_crops(root, tmp_path / "set")
    assert set(crops.cells.label) == {"interphase", "prometaphase", "metaphase", "anaphase", "apoptosis"}
    assert len(crops) - crops.cells.group.nunique() == crops.record.duplicates > 0


def test_images_that_contradict_each_other_or_show_nothing_are_mentioned(folder):
    Image.fromarray(picture(0)).save(folder / "Metaphase" / "m0_again.png")
    Image.fromarray(np.full((64, 64), 255, np.uint8)).save(folder / "Metaphase" / "m1_white.png")
    said: list[Any] = []
    import_crops(folder, folder.parent / "set", ImportConfig(), Monitor(said.append))
    text = " ".join(event.text for event in said if isinstance(event, Message))
    assert (
        "1 of 14 images have the same pixels (perhaps mirrored or rotated) as an image in the folder of another class"
        in text
    )
    assert "1 of 14 images have the same grey value in all pixels" in text


def noise_and_nucleus() -> np.ndarray:
    """Two channels (2, 64, 64): cytoplasm noise, and a nucleus."""
    return np.stack([np.random.default_rng(5).integers(200, 250, (64, 64)), picture(3)]).astype(np.uint16)


@pytest.mark.parametrize("layout", ["channels last", "channels first", "ImageJ", "OME"])
def test_of_several_channels_one_is_chosen_or_the_file_is_refused(tmp_path, layout):
    two = noise_and_nucleus()
    path = tmp_path / "cell.tif"
    if layout == "channels last":
        tifffile.imwrite(path, np.moveaxis(two, 0, -1))
    elif layout == "channels first":
        tifffile.imwrite(path, two, photometric="minisblack")
    else:
        tifffile.imwrite(
            path, two, **{"imagej" if layout == "ImageJ" else "ome": True}, metadata={"axes": "CYX"}
        )
    with pytest.raises(InputError, match=r"cell\.tif has 2 channels; .* --channel \(0 to 1\)"):
        read_grey(path)
    assert np.array_equal(read_grey(path, channel=1), two[1])
    with pytest.raises(InputError, match="no single channel '2'"):
        read_grey(path, channel=2)


def test_a_channel_of_a_colour_image_is_chosen_by_name(tmp_path):
    colours = np.dstack([picture(1), picture(2), picture(3)])
    Image.fromarray(colours).save(tmp_path / "cell.png")
    assert np.array_equal(read_grey(tmp_path / "cell.png", "green"), picture(2))


def test_the_chosen_channel_is_that_of_every_crop(tmp_path):
    for i in range(3):
        (tmp_path / "crops" / "a").mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(tmp_path / "crops" / "a" / f"{i}.tif", np.moveaxis(noise_and_nucleus() + i, 0, -1))
    crops = imported(tmp_path / "crops", channel="1", brightness="source")
    assert len(crops) == 3
    assert crops.images[0][30:34, 30:34].min() > crops.images[0][:8, :8].max()


@pytest.mark.parametrize("place", ["m0_cell{}_mask.png", "masks/m0_cell{}.png", "cp_masks_cell_m0_{}.png"])
def test_masks_beside_crops_are_left_out_and_it_is_said(folder, place):
    for i in (0, 2):
        target = folder / "Interphase" / place.format(i)
        target.parent.mkdir(exist_ok=True)
        Image.fromarray((picture(i) > 50).astype(np.uint8)).save(target)
    said: list[Any] = []
    left = ["m0_cell0", "m0_cell2"] if "cp" not in place else []
    if not left:  # a folder with as many masks as images, whatever their names are
        for i in range(4):
            Image.fromarray((picture(i) > 50).astype(np.uint8)).save(folder / "Interphase" / f"mask{i}.png")
    crops = import_crops(folder, folder.parent / "set", monitor=Monitor(said.append))
    assert len(crops) == 12
    count = 2 if left else 6
    assert any(
        f"{count} images are masks of other images" in event.text
        for event in said
        if isinstance(event, Message)
    )


def test_images_that_are_only_called_labelled_stay(folder):
    Image.fromarray(picture(50)).save(folder / "Interphase" / "labelled_by_anna_m0_cell9.png")
    assert len(imported(folder)) == 13


def test_a_class_is_found_whichever_way_a_system_writes_its_accents(tmp_path):
    for form in ("NFC", "NFD"):
        crops = tmp_path / form / unicodedata.normalize(form, "Métaphase")
        crops.mkdir(parents=True)
        for i in range(3):
            Image.fromarray(picture(i)).save(crops / f"é{i}.png")
        for typed in ("NFC", "NFD"):
            name = unicodedata.normalize(typed, "métaphase")
            classes = {"m": [name]}
            out = tmp_path / f"{form}-{typed}"
            pattern = unicodedata.normalize(typed, "/é(.)")
            made = import_crops(tmp_path / form, out, ImportConfig(classes=classes, group_regex=pattern))
            assert set(made.cells.label) == {"m"}
            assert set(made.cells.group) == {"0", "1", "2"}


def test_a_jpeg_of_thousands_of_scans_is_refused_before_it_is_decoded(tmp_path):
    buffer = io.BytesIO()
    Image.fromarray(picture(1)).save(buffer, "JPEG", progressive=True)
    whole = buffer.getvalue()
    scan = whole[whole.rindex(b"\xff\xda") : -2]
    (tmp_path / "a.jpg").write_bytes(whole[:-2] + scan * 200 + whole[-2:])
    with pytest.raises(
        InputError, match=r"a\.jpg cannot be read as an image: it is a JPEG image in more than 100"
    ):
        read_grey(tmp_path / "a.jpg")


def test_whole_fields_are_imported_in_the_memory_of_a_few(tmp_path):
    for i in range(12):
        tifffile.imwrite(tmp_path / f"{i}.tif", np.full((2048, 2048), i + 1, np.uint16), compression="zlib")
    tracemalloc.start()
    crops = import_crops(tmp_path, tmp_path.parent / f"{tmp_path.name}-set")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(crops) == 12
    assert peak < 5 * 2048 * 2048 * 2


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "elsewhere.png")
    Image.fromarray(np.full((8, 8), 9, np.uint8)).save(_made(tmp_path / "in") / "b.png")
    (tmp_path / "in" / "a.png").symlink_to(tmp_path / "in" / "b.png")
    assert len(import_crops(tmp_path / "in", tmp_path / "one")) == 2
    (tmp_path / "in" / "c.png").symlink_to(tmp_path / "elsewhere.png")
    with pytest.raises(InputError, match=r"c\.png is a link to a file outside"):
        import_crops(tmp_path / "in", tmp_path / "two")


def _made(folder):
    folder.mkdir()
    return folder


def messages_of(folder: Path, **settings: Any) -> tuple[Any, str]:
    events: list[Any] = []
    crops = import_crops(folder, folder.parent / "set", ImportConfig(**settings), Monitor(events.append))
    return crops, " ".join(event.text for event in events if isinstance(event, Message))


def filed(root: Path, *folders: str) -> Path:
    """Two crops in each of some folders, and what an archive of a Mac leaves beside them."""
    for k, name in enumerate(folders):
        (root / name).mkdir(parents=True)
        for i in range(2):
            tifffile.imwrite(root / name / f"cell{i}.tif", picture(2 * k + i))
    (root / "__MACOSX" / folders[0]).mkdir(parents=True)
    (root / "__MACOSX" / folders[0] / "cell0.tif").write_bytes(b"no image")
    return root


@pytest.mark.parametrize("order", ["{phase}/{movie}", "{movie}/{phase}", "{movie}/{phase}/cells"])
def test_classes_are_the_folders_that_are_called_after_phases(tmp_path: Path, order: str) -> None:
    places = [
        order.format(phase=phase, movie=movie)
        for phase in ("Interphase", "Metaphase")
        for movie in ("m1", "m2")
    ]
    crops = imported(filed(tmp_path / "crops", *places))
    assert crops.cells.label.value_counts().to_dict() == {"interphase": 4, "metaphase": 4}


def test_which_of_two_rows_of_folders_is_the_classes_is_said(tmp_path: Path) -> None:
    root = filed(tmp_path / "crops", "drug/m1", "drug/m2", "control/m1", "control/m2")
    crops, said = messages_of(root)
    assert sorted(set(crops.cells.label)) == ["m1", "m2"]
    assert "The folders m1, m2 are used as classes, and not control, drug" in said
    assert "used as classes" not in messages_of(filed(tmp_path / "b" / "crops", "drug", "control"))[1]


def test_dark_nuclei_are_mentioned(tmp_path: Path) -> None:
    root = tmp_path / "crops"
    root.mkdir()
    for i in range(4):
        tifffile.imwrite(root / f"cell{i}.tif", 255 - picture(i))
    assert "4 of 4 images are darker in the middle than at the rim" in messages_of(root)[1]
    assert "darker" not in messages_of(filed(tmp_path / "b" / "crops", "bright"))[1]


def scaled(root: Path, **sizes: float) -> Path:
    """One crop per name that states its micrometres per pixel."""
    root.mkdir()
    for k, (name, size) in enumerate(sizes.items()):
        tifffile.imwrite(
            root / f"{name}.tif",
            picture(k),
            imagej=True,
            resolution=(1 / size, 1 / size),
            metadata={"unit": "um"},
        )
    return root


def test_crops_that_state_different_scales_are_refused(tmp_path: Path) -> None:
    study = Study.create(tmp_path / "study")
    mixed = scaled(tmp_path / "mixed", a=0.325, b=0.65)
    with pytest.raises(InputError, match=r"different pixel sizes: .*a\.tif 0\.325 µm, .*b\.tif 0\.65 µm"):
        study.import_crops(mixed)
    assert not study.sets
    study.import_crops(scaled(tmp_path / "one", a=0.325, b=0.325))
    assert study.sets[0].record.pixel_size == pytest.approx(0.325)
    with pytest.raises(InputError, match=r"0\.65 µm"):
        study.import_crops(scaled(tmp_path / "other", a=0.65))


def test_images_that_are_already_in_the_study_are_refused_or_told(tmp_path: Path) -> None:
    study = Study.create(tmp_path / "study")
    study.import_crops(filed(tmp_path / "crops", "Interphase", "Metaphase"))
    with pytest.raises(
        InputError, match=r"4 of 4 images are already in the study, in the set crops.*--delete crops"
    ):
        study.import_crops(tmp_path / "crops")
    assert [one.name for one in study.sets] == ["crops"]
    others = tmp_path / "others"
    others.mkdir()
    for i in range(4):
        tifffile.imwrite(others / f"cell{i}.tif", picture(3 + i))  # the first is in the study
    events: list[Any] = []
    study.import_crops(others, monitor=Monitor(events.append))
    said = " ".join(event.text for event in events if isinstance(event, Message))
    assert "1 of 4 images are already in the study, in the set crops" in said
    assert len(study.sets) == 2


def test_folders_that_spell_a_class_in_two_ways_are_one_class(tmp_path: Path) -> None:
    crops, _ = messages_of(filed(tmp_path / "crops", "interphase", "Interphase ", "metaphase"))
    assert sorted(set(crops.cells.label)) == ["interphase", "metaphase"]
    assert len(crops) == 6
