"""The real movie is fetched once, only what is needed of it is kept, and what is wrong ends in a sentence."""

from __future__ import annotations

import functools
import http.server
import threading
import zipfile

import pytest
from click.testing import CliRunner

from morpholaw.cells import real_movie
from morpholaw.cli import main
from morpholaw.errors import InputError
from morpholaw.events import Monitor

FILES = ("02/t000.tif", "02_GT/TRA/man_track.txt", "02_ST/SEG/man_seg000.tif", "01/t000.tif")


def write_archive(folder, text="frame"):
    with zipfile.ZipFile(folder / f"{real_movie.NAME}.zip", "w") as archive:
        for name in FILES:
            archive.writestr(f"{real_movie.NAME}/{name}", text * 100)


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A site on this machine that has the archive; closed when it is asked to be."""
    folder = tmp_path / "site"
    folder.mkdir()
    write_archive(folder)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setattr(real_movie, "URL", f"http://127.0.0.1:{server.server_port}/{real_movie.NAME}.zip")
    yield folder
    server.shutdown()
    server.server_close()


def test_the_movie_is_fetched_once_and_only_its_sequence_is_kept(site, tmp_path):
    events = []
    found = real_movie.fetch_real_movie(tmp_path / "cache", Monitor(events.append))
    kept = {path.relative_to(found).as_posix() for path in found.rglob("*") if path.is_file()}
    assert kept == {"02/t000.tif", "02_GT/TRA/man_track.txt"}
    assert events[-1].done == events[-1].total > 0
    assert not list((tmp_path / "cache").glob("*.zip"))
    (site / f"{real_movie.NAME}.zip").unlink()
    assert real_movie.fetch_real_movie(tmp_path / "cache") == found


def test_a_file_that_differs_from_the_first_is_refused(site, tmp_path):
    found = real_movie.fetch_real_movie(tmp_path / "cache")
    for path in sorted(found.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    write_archive(site, "another frame")
    with pytest.raises(InputError, match="differs from the earlier download"):
        real_movie.fetch_real_movie(tmp_path / "cache")


def test_what_is_no_archive_is_refused(site, tmp_path):
    (site / f"{real_movie.NAME}.zip").write_text("<html>Moved</html>")
    with pytest.raises(InputError, match="is not a ZIP archive"):
        real_movie.fetch_real_movie(tmp_path / "cache")
    write_archive(site)
    assert real_movie.fetch_real_movie(tmp_path / "cache").is_dir()


def test_without_a_network_the_command_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(real_movie, "URL", "http://127.0.0.1:9/movie.zip")  # nothing listens there
    done = CliRunner().invoke(main, ["fetch-movie", str(tmp_path / "out"), "--yes"])
    assert done.exit_code == 2
    assert "the network may be unavailable. Download it elsewhere and unpack it in" in done.output


def test_the_command_says_size_and_conditions_and_asks(tmp_path):
    done = CliRunner().invoke(main, ["fetch-movie", str(tmp_path / "out")], input="n\n")
    assert "182 MB" in done.output
    assert "Nature Methods" in done.output
    assert done.exit_code == 1
    assert not (tmp_path / "out").exists()
