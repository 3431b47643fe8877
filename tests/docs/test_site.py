"""The site builds without a warning, its links resolve, and what it names is there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import jupytext
import pytest
from PIL import Image

import morpholaw

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PICTURE = re.compile(r"\[[^\]]+\]\(([^)]+\.(?:png|gif|webp))\)")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


class Page(HTMLParser):
    """The links, anchors and loaded files of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.anchors |= {value for key in ("id", "name") if (value := named.get(key))}
        if tag == "a" and named.get("href"):
            self.links.append(named["href"] or "")
        if named.get("src"):
            self.loads.append(named["src"] or "")
        if tag == "link" and named.get("rel") in ("stylesheet", "icon", "preload"):
            self.loads.append(named["href"] or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built pages by path; the project's own site/ is left alone."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(DOCS, folder / "docs")
    shutil.copy(ROOT / "zensical.toml", folder)
    (folder / "src").symlink_to(ROOT / "src")
    done = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict"], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    pages = {path: Page(path) for path in (folder / "site").rglob("*.html") if path.name != "404.html"}
    assert len(pages) == len(list(DOCS.rglob("*.md")))
    return pages


def test_every_link_leads_somewhere(site):
    broken = []
    for path, page in site.items():
        for link in [*page.links, *page.loads]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists() or (
                parts.fragment and target in site and unquote(parts.fragment) not in site[target].anchors
            ):
                broken.append(f"{path.name}: {link}")
    assert not broken, broken


def test_the_pages_load_nothing_from_elsewhere(site):
    loaded = [load for page in site.values() for load in page.loads if urlsplit(load).netloc]
    assert not loaded, loaded


def test_every_page_is_in_the_menu():
    menu = set(re.findall(r'"([^"]+\.md)"', (ROOT / "zensical.toml").read_text(encoding="utf-8")))
    assert menu == {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}


def test_the_search_works_in_a_page_opened_from_a_folder(site):
    page = next(path for path in site if path.name == "glossary.html")
    # a browser starts no worker in a page from a folder; this stands in for one
    assert "./theme/iframe-worker.js" in site[page].loads
    assert "Rashomon" in (page.parent / "search.js").read_text(encoding="utf-8")


def test_settings_and_commands_are_listed_as_the_program_has_them(site):
    reference = next(path.parent for path in site if path.name == "command.html")
    assert "<code>--scheme" in (reference / "command.html").read_text(encoding="utf-8")
    assert "<code>latent_noise" in (reference / "settings.html").read_text(encoding="utf-8")


def test_every_formula_is_set(site):
    pages = [path for path in site if path.parent.name == "methods"]
    texts = [path.read_text(encoding="utf-8") for path in pages]
    assert sum(text.count("<math") for text in texts) > 50
    assert not any('class="arithmatex"' in text for text in texts)


def test_links_from_the_pages_beside_the_code_resolve():
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "sample_data/README.md"):
        for link in LINK.findall(page.read_text(encoding="utf-8")):
            parts = urlsplit(link)
            assert parts.scheme or (page.parent / parts.path).exists(), f"{page.name}: {link}"


def test_every_picture_is_shown_and_every_picture_shown_is_there():
    pages = [ROOT / "README.md", *DOCS.rglob("*.md")]
    shown = {
        (page.parent / link).resolve()
        for page in pages
        for link in PICTURE.findall(page.read_text(encoding="utf-8"))
        if not urlsplit(link).scheme
    }
    there = {path for path in (DOCS / "images").rglob("*") if path.is_file()}
    assert shown == there, f"not shown: {sorted(there - shown)}; missing: {sorted(shown - there)}"


def test_every_picture_is_made_by_a_script():
    scripts = [*DOCS.glob("make_*.py"), *(ROOT / "benchmarks").glob("*.py")]
    made = "".join(path.read_text(encoding="utf-8") for path in scripts)
    for picture in (path for path in (DOCS / "images").rglob("*") if path.is_file()):
        # a script makes one for each study, scheme, latent, response, attack or setting, or for each theme and size
        stem = re.sub(r"^(real|simulated)_", "_", picture.stem)
        stem = re.sub(r"_(scheme\d.*|z\d+|\d+|image|latent|neighbourhood)$", "_", stem)
        stem = re.sub(r"^sweep_.*", "sweep_", stem)
        stem = re.sub(r"(-empty)?-(dark|light)-\d+$", "", stem)
        assert stem in made, f"no script makes {picture.name}"


def test_the_moving_picture_moves_and_loads_quickly():
    picture = DOCS / "images" / "movie_to_law.gif"
    with Image.open(picture) as opened:
        assert opened.n_frames > 10
    assert picture.stat().st_size < 2e6


def test_each_notebook_opens_as_one():
    pages = [path for path in (DOCS / "notebooks").glob("*.md") if path.name != "index.md"]
    assert len(pages) >= 4
    for page in pages:
        kinds = [cell.cell_type for cell in jupytext.read(page).cells]
        assert kinds[0] == "markdown", page.name
        assert kinds.count("code") >= 4, page.name


def test_the_changelog_and_the_citation_know_this_version():
    version = morpholaw.__version__
    assert re.search(rf"^## \[?{re.escape(version)}\]?", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert f"version: {version}\n" in (ROOT / "CITATION.cff").read_text()
