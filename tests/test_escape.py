"""Hostile names stay text: in Python source, Markdown, HTML, LaTeX, CSV and file names."""

import ast
import html.parser
import io
import tokenize

import markdown as renderer
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from morpholaw import escape

HOSTILE = [
    "a coding: unicode_escape",
    r"b\nimport os; os.system('echo PWNED')\n#",
    "x coding=utf-7",
    "+AAo-import os+ADs-os.system('echo PWNED')+AAo-#",
    "nul\0byte",
    "two\nlines\r\rand\x0b more\u2028still",
    "![x](http://127.0.0.1/seen)",
    "<img src=x onerror=alert(1)>",
    "http://example.org/ www.example.org <https://example.org>",
    "\\write18{ls} $x^2$ %comment {brace} ~tilde",
    '=HYPERLINK("http://x")',
    "@SUM(A1)",
    "'=1+1",
    "\ud800 lone surrogate",
    "\u202egnp.exe",
    "| table | cell |",
    "```\nfence",
    "&amp; &#x3c;b&#x3e;",
    "",
]
texts = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=40),
    st.text(alphabet="\\`*_{}[]()#+-.!|<>&\"'\n\r\t\0:/=@$%^~ ab1", max_size=40),
    st.characters(categories=["Cs", "Cf", "Cc", "Zl", "Zp"]),
)


class _Page(html.parser.HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@given(texts)
def test_a_comment_runs_nothing_under_any_declared_encoding(text):
    source = f"# -*- coding: utf-8 -*-\n{escape.python_comment(text)}\nname = 1\n"
    assert source.isascii()
    tree = ast.parse(source.encode())
    assert [type(node) for node in tree.body] == [ast.Assign]
    assert tokenize.detect_encoding(io.BytesIO(source.encode()).readline)[0] == "utf-8"


@given(texts)
def test_markdown_renders_as_the_text_and_nothing_else(text):
    for before in ("", "Name: "):
        page = _Page(renderer.markdown(before + escape.markdown(text), extensions=["tables", "fenced_code"]))
        assert set(page.tags) <= {"p"}
        assert page.text.strip() == (before + escape.one_line(text)).strip()


@given(texts)
def test_html_renders_as_the_text_in_elements_and_attributes(text):
    page = _Page(f'<b title="{escape.html(text)}">{escape.html(text)}</b>')
    assert page.tags == ["b"]
    assert page.text == escape.one_line(text)


@given(st.lists(texts, min_size=1, max_size=5))
def test_a_spreadsheet_sees_no_formula_and_the_text_can_be_read_back(values):
    table = escape.csv_table(pd.DataFrame({"=name": values, "score": [-1.5] * len(values)}))
    text = table.to_csv(index=False)
    back = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    assert list(back.columns) == ["'=name", "score"]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for cell in back["'=name"])
    assert [escape.from_csv_text(cell) for cell in back["'=name"]] == [escape.one_line(v) for v in values]
    assert set(back["score"]) == {"-1.5"}


@given(texts)
def test_a_file_name_is_one_plain_part_of_a_path(tmp_path_factory, text):
    name = escape.file_name(text)
    folder = tmp_path_factory.getbasetemp() / "names"
    folder.mkdir(exist_ok=True)
    (folder / name).touch()
    assert (folder / name).parent == folder
    assert name not in ("", ".", "..")
    assert name[0] not in "._-"
    assert len(name.encode()) <= 100


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("exp 12:30.tif", "exp_12_30.tif"),
        ("../../etc", "etc"),
        ("NUL.txt", "file-NUL.txt"),
        ("con", "file-con"),
        ("Me\u0301taphase", "Métaphase"),
        ("\0", "unnamed"),
    ],
)
def test_known_file_names(given_name, name):
    assert escape.file_name(given_name) == name
