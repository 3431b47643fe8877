import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.shell_completion import get_completion_class
from click.testing import CliRunner
from PIL import Image

from morpholaw import config
from morpholaw.cells.simulator import simulate_crops
from morpholaw.cli import main
from morpholaw.config import StepConfig
from morpholaw.errors import InputError
from morpholaw.sample import sample_folder
from morpholaw.study import Study
from morpholaw.training import durations

SCORE_COLUMNS = ["crop", "file", "track_id", "t", "y", "x", "score", "class", "probability", "unusual"]


def call(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def folder(tmp_path):
    """Labelled crops as a person has them: a folder a class, two movies in the file names."""
    images, cells = simulate_crops(phases={"interphase": 6, "metaphase": 6, "anaphase": 2}, seed=2)
    for k, (image, label) in enumerate(zip(images, cells["label"], strict=True)):
        (tmp_path / "crops" / label).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(tmp_path / "crops" / label / f"movie{k % 3}_{k}.png")
    return tmp_path / "crops"


def test_a_folder_of_crops_comes_in_with_its_classes_and_groups(folder, tmp_path):
    done = call(
        "import-crops", folder, "--study", tmp_path / "s", "--class", "a=interphase", "--class", "b=metaphase",
        "--group-regex", r"(movie\d)",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "6 a" in done.output
    assert "2 unlabelled" in done.output
    assert Study(tmp_path / "s").crops.cells["group"].nunique() == 3


def test_a_movie_is_simulated_and_cropped(tmp_path):
    sized = ["--set", "height=96", "--set", "width=96"]
    assert call("simulate", tmp_path / "movie", "--frames", 3, "--cells", 4, *sized).exit_code == 0
    done = call(
        "crop", tmp_path / "movie" / "movie.tif", tmp_path / "movie" / "tracks.csv", "--study", tmp_path / "s"
    )
    assert done.exit_code == 0, done.output
    assert len(Study(tmp_path / "s").crops) >= 12


def test_training_scoring_and_reporting_from_the_shell(study, tmp_path):
    for_scheme = ["--study", study.path, "--scheme", 2]
    done = call("train-classifier", *for_scheme, "--models", 1, "--set", "epochs=2", "--set", "epoch_cells=0")
    assert done.exit_code == 0, done.output
    assert "8641" in done.output
    done = call("classify", *for_scheme, "--out", tmp_path / "scores.csv")
    assert done.exit_code == 0, done.output
    table = pd.read_csv(tmp_path / "scores.csv")
    assert list(table.columns) == SCORE_COLUMNS
    done = call("attack", *for_scheme, "--space", "latent", "--eps", "0,1", "--out", tmp_path / "attack")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "attack" / "scheme2-latent.png").stat().st_size > 5_000


def test_accuracies_under_attack_are_printed_beside_that_of_the_commonest_class_and_of_the_law_that_is_applied(
    study, tmp_path
):
    attack = ["attack", "--study", study.path, "--scheme", 4, "--space", "latent", "--eps", "0,1"]
    done = call(*attack, "--towards", "metaphase", "--out", tmp_path)
    assert done.exit_code == 0, done.output
    table = pd.read_csv(tmp_path / "scheme4-latent-towards-metaphase.csv")
    _, targets = study.held_out("scheme4-hinge")
    assert f"accuracy in % on {len(targets)} held-out cells" in done.output
    assert f"{100 * (targets == 0).mean():.1f} % of the cells are interphase" in done.output
    attacked = table[table["eps"] == 1]
    row = next(line for line in done.output.splitlines() if line.split()[:1] == ["1"])
    shown = [float(one) for one in row.replace("±", " ").split()]
    law, signs, success = shown[-3:]
    assert law == pytest.approx(100 * attacked["accuracy"].iloc[0], abs=0.06)
    assert shown[1] == pytest.approx(100 * attacked["accuracy"].mean(), abs=0.06)
    assert signs == pytest.approx(100 * attacked["random_signs"].mean(), abs=0.06)
    assert success == pytest.approx(100 * attacked["success"].mean(), abs=0.06)


def test_laws_are_printed_with_their_size(study):
    cheap = ["--set", "evaluations=2000", "--set", "processes=1"]
    done = call("discover-law", "--study", study.path, "--count", 1, *cheap)
    assert done.exit_code == 0, done.output
    assert "nodes" in done.output


def test_a_folder_of_new_crops_is_scored(study, folder, tmp_path):
    done = call(
        "classify",
        "--study",
        study.path,
        "--scheme",
        3,
        "--crops",
        folder,
        "--along-tracks",
        "--out",
        tmp_path / "s.csv",
    )
    assert done.exit_code == 0, done.output
    table = pd.read_csv(tmp_path / "s.csv")
    assert len(table) == 14
    assert table["file"].str.endswith(".png").all()
    assert table["track_id"].isna().all()
    assert (table["frame_class"] == table["class"]).all()


def test_a_movie_is_called_along_its_tracks_in_the_same_columns(trained_study, tmp_path):
    movie = sample_folder() / "movie"
    both = ["--movie", movie / "movie.tif", "--tracks", movie / "tracks.csv"]
    tables = {}
    for choice in ((), ("--along-tracks",), ("--frame-by-frame",)):
        out = tmp_path / "scores.csv"
        done = call("classify", "--study", trained_study.path, "--scheme", 2, *both, *choice, "--out", out)
        assert done.exit_code == 0, done.output
        tables[choice] = pd.read_csv(out)
    usual, asked, by_frame = tables.values()
    assert list(usual.columns) == SCORE_COLUMNS
    assert (usual["class"] == asked["class"]).all()
    assert (by_frame["class"] == asked["frame_class"]).all()
    assert ((by_frame["score"] >= 0) == (by_frame["class"] == "metaphase")).all()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["train-encoder", "--study", "nowhere"], "is not a Morpholaw study"),
        (["crop", "nowhere.tif", "t.csv", "--study", "{tmp}/s"], "nowhere.tif"),
        (["import-crops", "{tmp}", "--study", "{tmp}/s", "--class", "a"], "is not NAME=SUBFOLDER"),
        (["simulate", "{tmp}/m", "--frames", "0"], "'frames' cannot be 0"),
        (["simulate", "{tmp}/m", "--set", "colour=red"], "no setting 'colour'"),
        (["simulate", "{tmp}/m", "--set", "frames"], "is not KEY=VALUE"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_status_2(arguments, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = call(*(part.replace("{tmp}", str(tmp_path)) for part in arguments))
    assert done.exit_code == 2
    assert sentence in done.stderr
    assert isinstance(done.exception, SystemExit)  # nothing else comes out: a process would show a traceback


def test_the_command_as_a_process_ends_with_2_and_a_sentence(tmp_path):
    command = [sys.executable, "-m", "morpholaw.cli", "crop", "nowhere.tif", "t.csv", "--study", "s"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert "nowhere.tif" in done.stderr
    assert "Traceback" not in done.stderr


def test_settings_come_from_a_file_and_flags_go_over_it(study, tmp_path):
    (tmp_path / "c.json").write_text(json.dumps({"epochs": 1, "epoch_crops": 128, "seed": 3, "threads": 1}))
    done = call("train-encoder", "--study", study.path, "--config", tmp_path / "c.json", "--set", "seed=4")
    assert done.exit_code == 0, done.output
    made = json.loads((study.path / "encoder" / "model.json").read_text())["config"]
    assert (made["epoch_crops"], made["seed"]) == (128, 4)


def test_the_papers_preset_reaches_the_training_below_what_is_set(tmp_path, monkeypatch):
    Study.create(tmp_path / "s")
    configs = []

    def stop(folder, *arguments):
        configs.append(next(one for one in arguments if isinstance(one, StepConfig)))
        raise InputError("That is enough.")

    monkeypatch.setattr("morpholaw.study.encoder_step.train", stop)
    monkeypatch.setattr("morpholaw.study.law_step.discover", stop)
    words = ("--study", tmp_path / "s", "--preset", "paper", "--set")
    assert call("train-encoder", *words, "texture=3").exit_code == 2
    assert call("discover-law", *words, "rows=balanced").exit_code == 2
    assert call("train-classifier", "--scheme", 4, *words, "models=2").exit_code == 2
    encoder, law, trained = configs
    assert (encoder.symmetry, encoder.texture) == (False, 3)
    assert (law.distillation, law.rows) == ("raw", "balanced")
    assert (trained.distillation, trained.count) == ("raw", 2)


def test_help_and_import_are_light():
    for module, heavy in (
        ("morpholaw.cli", "torch napari pandas matplotlib"),
        ("morpholaw", "torch qtpy numpy"),
    ):
        code = f"import sys, {module}; print(set('{heavy}'.split()) & set(sys.modules))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.stdout.strip() == "set()", done.stdout + done.stderr


def test_scores_of_a_blank_crop_are_finite(study, tmp_path):
    (tmp_path / "blank").mkdir()
    for k in range(2):
        Image.fromarray(np.zeros((64, 64), np.uint8)).save(tmp_path / "blank" / f"{k}.png")
    blank = ["--crops", tmp_path / "blank", "--out", tmp_path / "s.csv"]
    done = call("classify", "--study", study.path, "--scheme", 2, *blank)
    assert done.exit_code == 0, done.output
    assert np.isfinite(pd.read_csv(tmp_path / "s.csv")["score"]).all()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["train-encoder", "--set", "epochs=2"], "Would train an encoder on 200 crops, 2 epochs"),
        (["train-classifier", "--scheme", 1], "Would train 10 models of scheme 1 on"),
        (["train-classifier", "--scheme", 4, "--models", 3], "Would search for 3 laws on"),
        (["discover-law", "--inputs", "shapes"], "of interphase, metaphase, and test them on"),
        (["tune", "--trials", 20], "Would train 5 models of scheme 3 in each of 20 trials."),
    ],
)
def test_a_dry_run_says_what_and_how_long_and_changes_nothing(words, says, study):
    before = {path: path.stat().st_mtime_ns for path in study.path.rglob("*")}
    done = call(*words, "--study", study.path, "--dry-run")
    assert done.exit_code == 0, done.output
    assert says in done.output
    assert "About" in done.output
    assert {path: path.stat().st_mtime_ns for path in study.path.rglob("*")} == before


def test_a_dry_run_refuses_what_the_run_would_refuse(study):
    done = call("train-classifier", "--study", study.path, "--scheme", 2, "--set", "epochs=-1", "--dry-run")
    assert done.exit_code == 2
    assert "epochs" in done.output


def test_a_longer_step_takes_longer():
    short, long = config.LawConfig(count=1), config.LawConfig(count=10)
    assert durations.law_seconds(long, 2) > 5 * durations.law_seconds(short, 2)
    assert durations.law_seconds(long, 1) > 1.5 * durations.law_seconds(long, 2)
    cnn = config.ClassifierConfig(models=2)
    assert durations.classifier_seconds(cnn, 1, 100, 2) > durations.classifier_seconds(cnn, 2, 100, 2)
    usual, plain = (
        config.EncoderConfig(epochs=1),
        config.EncoderConfig(epochs=1, **config.EncoderConfig.PLAIN),
    )
    # An encoder that is asked for no shapes measures no crop, which takes 100 s of 70,000, and its steps are shorter.
    assert durations.encoder_seconds(usual, 70_000, 2) - durations.encoder_seconds(plain, 70_000, 2) > 200


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes_commands_and_options(shell):
    script = call("completion", shell)
    assert script.exit_code == 0
    assert "_MORPHOLAW_COMPLETE" in script.output
    completer = get_completion_class(shell)(main, {}, "morpholaw", "_MORPHOLAW_COMPLETE")
    assert {found.value for found in completer.get_completions([], "train-")} == {
        "train-encoder",
        "train-classifier",
    }
    assert "--dry-run" in {found.value for found in completer.get_completions(["discover-law"], "--d")}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            "attack --scheme 2 --space latent --towards nosuch --out OUT",
            "its classes are interphase, metaphase",
        ),
        ("attack --scheme 2 --space latent --towards metaphase --pairs --out OUT", "leave out --towards"),
        (
            "attack --scheme 2 --space latent --pairs --out FILE",
            "FILE cannot be read or written: Not a directory",
        ),
        ("cross-validate --scheme 2 --folds 10000", "The class 'interphase' comes from"),
        ("cross-validate --scheme 2 --classes metaphase,nosuch", "no labelled cell of the class 'nosuch'"),
        ("cross-validate --scheme 2 --out .", ". is a folder; give the name of a file in it"),
        ("cross-validate --scheme 2 --out FILE/table.csv", "FILE is a file and not a folder"),
        ("adapt --scheme 2 --crops nosuch", "There are no crops of a set 'nosuch'"),
        ("explain-cell --cell 100000", "There is no cell 100000"),
        ("law-sheet --law 99 --out sheet.png", "There is no law 99"),
        ("improve-law --from z999", "is not one of its variables"),
        ("law-stability --name nosuch", "Choose one by its name, or train nosuch."),
        ("classes --rename nosuch other", "has no class 'nosuch' to rename"),
    ],
)
def test_names_numbers_and_places_that_do_not_fit_are_one_sentence(
    trained_study, tmp_path, monkeypatch, arguments, sentence
):
    monkeypatch.chdir(tmp_path)
    Path("FILE").write_text("")
    command, *words = arguments.split()
    done = call(command, "--study", trained_study.path, *words)
    assert done.exit_code == 2, done.output
    assert sentence in done.output
    assert "Traceback" not in done.output


def test_the_next_command_can_be_pasted_whatever_the_folder_is_called(tmp_path):
    folder = Study.create(tmp_path / "Zellen \u00b5 \u65e5\u672c (neu)").path
    done = call("info", "--study", folder)
    assert f"morpholaw crop MOVIE TRACKS --study '{folder}'" in done.output.replace("\n", "")


def test_cross_validation_without_an_encoder_names_the_study(study, tmp_path):
    shutil.rmtree(study.path / "encoder")
    done = call("cross-validate", "--study", study.path, "--scheme", 2, "--folds", 2)
    assert done.exit_code == 2
    assert f"The study {study.path} has no encoder yet" in done.output


def test_a_cross_validation_names_what_its_rows_are_and_what_shuffled_labels_give(study):
    quick = [
        "--folds",
        2,
        "--models",
        2,
        "--set",
        "epochs=1",
        "--set",
        "epoch_cells=64",
        "--set",
        "threads=1",
    ]
    done = call("cross-validate", "--study", study.path, "--scheme", 2, *quick, "--shuffle")
    assert done.exit_code == 0, done.output
    assert "with shuffled labels (50 % are expected)" in done.output
    assert "scheme2-median: their median score, by which cells are classified. The others are" in done.output
