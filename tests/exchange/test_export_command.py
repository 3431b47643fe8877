"""The command `morpholaw export`."""

import pandas as pd
import pytest
from click.testing import CliRunner

from morpholaw.cli import main
from morpholaw.cli.export import FORMATS


def call(*arguments):
    return CliRunner().invoke(main, ["export", *(str(argument) for argument in arguments)])


def test_every_format_is_written_from_the_shell(tracked, trackmate_file, btrack_file, tmp_path):
    extra = {
        "zoo": ("m.zip", ["--author", "A. Person"]),
        "law": ("law.tex", ["--law", 1]),
        "csv": ("s.csv", ["--scheme", 2]),
        "trackmate": ("s.xml", ["--scheme", 2, "--tracks", trackmate_file]),
        "btrack": ("s.h5", ["--scheme", 2, "--tracks", btrack_file]),
        "geff": ("s.geff", ["--scheme", 2, "--crops", "movie"]),
        "anndata": ("s.h5ad", ["--scheme", 2]),
    }
    assert set(extra) == set(FORMATS)
    for kind, (name, words) in extra.items():
        out = tmp_path / "out" / name
        done = call("--study", tracked.path, "--format", kind, "--out", out, *words)
        assert done.exit_code == 0, done.output
        assert f"The export is {out}." in done.output
        assert out.exists()
    assert len(pd.read_csv(tmp_path / "out" / "s.csv")) == 15


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--format", "csv", "--out", "s.csv"], "scheme 1 to 4"),
        (["--format", "btrack", "--scheme", "2", "--out", "s.h5"], "a copy of the file of tracks"),
        (["--format", "law", "--law", "99", "--out", "law.py"], "there is no law 99"),
        (
            ["--format", "trackmate", "--scheme", "2", "--tracks", "no.xml", "--out", "s.xml"],
            "There is no file no.xml",
        ),
    ],
)
def test_bad_input_is_one_sentence_and_exit_status_2(tracked, words, sentence):
    done = call("--study", tracked.path, *words)
    assert done.exit_code == 2
    assert sentence in done.output
    assert "Traceback" not in done.output


def test_a_classifier_is_exported_by_its_name(tracked, tmp_path):
    out = tmp_path / "s.csv"
    done = call("--study", tracked.path, "--format", "csv", "--name", "scheme2", "--out", out)
    assert done.exit_code == 0, done.output
    both = call("--study", tracked.path, "--format", "csv", "--name", "scheme2", "--scheme", 2, "--out", out)
    assert (both.exit_code, "not both" in both.output) == (2, True)
    laws = call("--study", tracked.path, "--format", "law", "--name", "scheme2", "--out", tmp_path / "law.py")
    assert (laws.exit_code, "scheme2 holds no laws" in laws.output) == (2, True)
