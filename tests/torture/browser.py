"""A report of a study whose every name means harm, opened in a browser: no script runs and nothing is asked for."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MARK = "data-ran"
"""An attribute that every script below gives the page."""
RUN = f"document.documentElement.setAttribute('{MARK}','1')"
SEEN = "http://seen.example"
"""A host that only the names below know."""
NAMES = (
    f"<script>{RUN}</script>",
    f"<script src={SEEN}/script.js></script>",
    f"<img src={SEEN}/image.png onerror={RUN}>",
    f"<svg onload={RUN}>",
    f'" autofocus onfocus="{RUN}" style="background:url({SEEN}/style.png)',
    f"</style><style>@import '{SEEN}/import.css';</style>",
    f"</title></script></textarea><iframe src={SEEN}/frame.html></iframe>",
    f"<meta http-equiv=refresh content='0;url={SEEN}/refresh'>",
    f"<link rel=stylesheet href={SEEN}/link.css>",
    f"![x]({SEEN}/markdown.png) [y](javascript:{RUN})",
    f"<object data={SEEN}/object></object><embed src={SEEN}/embed>",
    f"<a href=javascript:{RUN}>a</a><video poster={SEEN}/poster.png src={SEEN}/video></video>",
)
FOLDER = f"<img src=x onerror={RUN}>"
"""A name without a slash, as folders have."""
OWN = ("google.com", "googleapis.com", "gstatic.com", "google.internal")
"""Whom the browser asks by itself, whatever page is shown."""


@dataclass
class Visit:
    """What a browser did while it showed a page."""

    ran: bool
    requests: list[str]


@dataclass
class Opened:
    """Reports that were opened."""

    browser: str = ""
    reports: int = 0
    failures: list[str] = field(default_factory=list)


def find_browser() -> str | None:
    """Return the command of a browser that can be asked without a window, None where there is none."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def visit(browser: str, page: Path, place: Path) -> Visit:
    """Open a page; whatever it asks for goes to a proxy of ours, which remembers and refuses it."""
    asked: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_CONNECT = do_POST = do_HEAD = do_GET

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        command = [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
            *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
            *(
                f"--user-data-dir={place / 'profile'}",
                f"--proxy-server=http://127.0.0.1:{server.server_port}",
            ),
            *("--virtual-time-budget=5000", "--dump-dom", page.absolute().as_uri()),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
    finally:
        server.shutdown()
        server.server_close()
    foreign = [one for one in asked if not any(host in one for host in OWN)]
    head = done.stdout[: done.stdout.find(">", done.stdout.find("<html")) + 1]
    return Visit(MARK in head, foreign)


def bare(page: Path) -> Path:
    """Write the names as they are: what a browser does with them when nobody makes them safe."""
    page.write_text(f"<!doctype html><html><body>{''.join(NAMES[:3])}</body></html>")
    return page


def hostile_study(base: Path, place: Path, turn: int) -> Path:
    """Copy a study into a folder with a hostile name, and give all that has a name one of :data:`NAMES`."""
    from morpholaw.study import Study

    folder = Path(shutil.copytree(base, place / FOLDER))
    name = {k: NAMES[(turn + k) % len(NAMES)] for k in range(len(NAMES))}
    made = folder / "crops" / "cells"
    with (made / "cells.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["label"] = name[0] if row["label"] == "interphase" else row["label"]
        row["group"] = f"{name[1]}{row['group']}"
    with (made / "cells.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    for path in folder.rglob("model.json"):
        values = json.loads(path.read_text().replace('"interphase"', json.dumps(name[0])))
        values["machine"] = name[2]
        if isinstance(values.get("versions"), dict):
            values["versions"]["torch"] = name[3]
        for law in values.get("laws", []):
            law["metadata"]["engine"] = name[4]
        path.write_text(json.dumps(values))
    study = Study(folder)
    for latent in range(30):
        study.name_latent(latent, name[latent % len(name)])
    made.rename(made.with_name(FOLDER))
    return folder


def open_reports(base: Path, place: Path, count: int) -> Opened:
    """Write so many reports of hostile studies, each with other names in other places, and open them."""
    from forks import Failed, value_of

    from morpholaw.study import Study

    browser = find_browser()
    if browser is None:
        return Opened()
    found = Opened(browser)
    place.mkdir(parents=True, exist_ok=True)
    known = visit(browser, bare(place / "bare.html"), place)
    if not known.ran or not any(one.startswith(SEEN) for one in known.requests):
        found.failures.append(f"{browser} shows no harm in names that nobody made safe: {known}")
    for turn in range(count):
        report = place / f"{turn}" / "report.html"
        report.parent.mkdir()
        try:
            value_of(
                lambda turn=turn, report=report: str(
                    Study(hostile_study(base, report.parent, turn)).report(report)
                )
            )
        except Failed as error:
            found.failures.append(f"report {turn}: {error}")
            continue
        shown = visit(browser, report, report.parent)
        found.reports += 1
        if shown.ran:
            found.failures.append(f"report {turn}: a script ran")
        if shown.requests:
            found.failures.append(f"report {turn}: asked for {', '.join(shown.requests[:5])}")
        if SEEN.removeprefix("http://") not in report.read_text():
            found.failures.append(f"report {turn}: shows none of the names")
    return found
