"""``morpholaw info``: what a study holds and what comes next; ``--help``: every command under its heading."""

import re
import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner

from morpholaw import Study
from morpholaw.cli import main
from morpholaw.config import CropConfig, EncoderConfig, LawConfig, TuneConfig


def run(*arguments):
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    return done.output


def test_a_new_study_is_told_to_cut_crops(tmp_path):
    Study.create(tmp_path / "new")
    shown = run("info", "--study", tmp_path / "new")
    assert "crops:          none" in shown
    assert f"morpholaw crop MOVIE TRACKS --study {tmp_path / 'new'}" in shown


def test_a_trained_study_shows_cells_schemes_and_law_and_is_told_to_report(trained_study):
    shown = run("info", "--study", trained_study.path)
    assert "120 interphase, 80 metaphase" in shown
    assert re.search(r"32 latents, trained on 1\d\d crops", shown)  # those of test groups are left out
    for name in ("scheme2", "scheme3", "scheme4-hinge"):
        assert f"{name}:" in shown
    assert "held-out cells" in shown
    assert f"law: metaphase where {trained_study.laws()[0].rounded()} >= 0\n" in shown
    assert "morpholaw report" in shown


def test_what_is_out_of_date_or_damaged_is_said(trained_study, tmp_path):
    study = Study(shutil.copytree(trained_study.path, tmp_path / "study"))
    study.annotations.set_labels({(study.sets[0].name, crop): "apoptosis" for crop in range(3)})
    (study.path / "classifiers" / "scheme2" / "model.json").write_text("{")
    shown = run("info", "--study", study.path)
    assert "scheme3 was trained and tested on 200 labelled cells; there are 197 now" in shown
    assert "scheme2" in shown.split("next:")[0]


def test_a_study_is_described_without_torch(trained_study):
    code = (
        "import sys; from morpholaw.cli import main; "
        f"main(['info', '--study', {str(trained_study.path)!r}], standalone_mode=False); "
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_help_lists_every_command_once_and_whole():
    shown = run("--help")
    for name in main.commands:
        assert shown.count(f"\n  {name} ") == 1, name
    assert "..." not in shown.split("Options:")[1]


@pytest.mark.parametrize(
    ("command", "settings"),
    [
        ("crop", CropConfig),
        ("train-encoder", EncoderConfig),
        ("discover-law", LawConfig),
        ("tune", TuneConfig),
    ],
)
def test_help_of_a_step_ends_with_its_settings(command, settings):
    listed = run(command, "--help").split("Settings (--set NAME=VALUE):")[1]
    for name in settings.model_fields:
        assert f"\n  {name} " in listed
