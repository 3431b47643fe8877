"""Names that mean harm, put where the program writes text that other programs read."""

from __future__ import annotations

import ast
import csv
import io
import random
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from morpholaw import escape
from morpholaw.models.expressions import latex

PARTS = (
    *(
        "\0",
        "\n",
        "\r",
        "\t",
        "\x0b",
        "\x1b[31m",
        "\x85",
        "\u2028",
        "\u202e",
        "\ufeff",
        "\udcff",
        "\U0001f9ec",
    ),
    *("e\u0301", "#", "'", '"', "'''", '"""', "\\", "\\n", "\\x0a", "coding: utf-7", "coding=unicode_escape"),
    *(
        "+AAo-",
        "import os",
        ";",
        "=",
        "=HYPERLINK(1)",
        "@SUM(1)",
        "+1",
        "-1",
        "|",
        ",",
        "`",
        "*",
        "&amp;",
        "](",
    ),
    *("![x](http://127.0.0.1:9)", "[a](javascript:b)", "https://a.b", "www.a.b", "<script>alert(1)</script>"),
    *(
        "<img src=http://127.0.0.1:9 onerror=a>",
        "$x$",
        r"\input{a}",
        r"\write18{a}",
        "%",
        "{",
        "}",
        "^",
        "_",
        "~",
    ),
    *(
        "../",
        "/etc/passwd",
        "C:\\",
        "CON",
        "nul.txt",
        ".",
        "..",
        ".a.0123abcd.tmp",
        "a" * 300,
        " ",
        "metaphase",
    ),
)
"""What hostile names are put together from."""


@dataclass
class Named:
    """Names that were tried."""

    names: int = 0
    failures: list[str] = field(default_factory=list)


class _Tags(HTMLParser):
    """Counts the tags of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.count = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count += 1


def try_names(count: int, seed: int) -> Named:
    """Write so many hostile names as source, CSV, HTML, Markdown, LaTeX and file names, and read them back."""
    chance, found = random.Random(seed), Named()
    for _ in range(count):
        name = "".join(chance.choice(PARTS) for _ in range(chance.randint(1, 6)))
        if chance.random() < 0.3:
            name += "".join(chr(chance.randrange(0x110000)) for _ in range(5))
        wrong = [syntax for syntax, holds in _checks(name).items() if not holds]
        found.names += 1
        if wrong:
            found.failures.append(f"{name!a} is not safe in {', '.join(wrong)}")
    return found


def _checks(name: str) -> dict[str, bool]:
    shown = escape.one_line(name)
    module = (
        "# -*- coding: utf-8 -*-\n"  # as exported laws begin: no later line can declare another
        f"{escape.python_comment(name)}\nx = 1\n"
    )
    tree = ast.parse(module.encode("ascii"))
    cell, file, page = escape.csv_text(name), escape.file_name(name), str(escape.html(name))
    row = io.StringIO()
    csv.writer(row).writerow([cell, "b"])
    markdown = escape.markdown(name)
    return {
        "source": [ast.unparse(statement) for statement in tree.body] == ["x = 1"],
        "CSV": next(csv.reader(io.StringIO(row.getvalue()))) == [cell, "b"]
        and not cell.startswith(("=", "+", "-", "@"))
        and escape.from_csv_text(cell) == shown,
        "HTML": _Tags(f"<p>{page}</p>").count == 1 and "\n" not in page,
        "Markdown": not re.search(r"(?<!\\)[\[\]`*_]|<|https?:/", markdown) and "\n" not in markdown,
        "LaTeX": not re.search(r"[%$#&]|\\[^_ m]|\\m(?!athrm)", latex.word(name)),
        "file name": not file.startswith(".")
        and "/" not in file
        and "\\" not in file
        and len(file.encode()) < 200,
    }
