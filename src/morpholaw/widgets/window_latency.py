"""Measure how long the window is blocked: ``python -m morpholaw.widgets.window_latency`` prints JSON.

This opens the panels in a real window, so it needs a screen or ``xvfb-run``. Gaps of the event loop are the times
between ticks of a timer. They depend on the machine, so one run measures them with and without a training.
"""

from __future__ import annotations

import compileall
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QTabWidget

import morpholaw
from morpholaw.widgets.study.docks import SUFFIX, dock_of

PANELS = (
    "Cells",
    "Latents",
    "Classify",
    "Perturb",
    "Laws",
    "Network",
    "Timeline",
    "Table",
    "Map",
    "Lineages",
)
TICK = 5
"""Milliseconds between two ticks of the timer."""
MOVE_EVERY = 0.1
"""Seconds between two movements of the slider."""
VERTICES, CELLS = 250_000, 20_000


class LoopWatch:
    """Records the time between the ticks of a timer in the event loop, and the CPU time of its thread, in ms."""

    def __init__(self) -> None:
        self.gaps: list[float] = []
        self.computed: list[float] = []
        self._last = self._last_computed = 0.0
        self._timer = QTimer()
        self._timer.timeout.connect(self._tick)

    def watch(self, seconds: float, each: Callable[[], Any]) -> dict[str, float]:
        """Run the event loop, calling ``each`` every :data:`MOVE_EVERY` seconds; return statistics of the gaps (ms)."""
        self.gaps, self._last = [], time.perf_counter()
        self._timer.start(TICK)
        start = moved = time.perf_counter()
        while (now := time.perf_counter()) - start < seconds:
            if now - moved >= MOVE_EVERY:
                moved = now
                each()
            QApplication.processEvents()
            time.sleep(0.001)
        self._timer.stop()
        gaps = np.array(self.gaps)
        return {
            "median": float(np.median(gaps)),
            "p99": float(np.percentile(gaps, 99)),
            "max": float(gaps.max()),
        }

    def around(self, action: Callable[[], Any], seconds: float) -> tuple[float, float]:
        """Run ``action`` and then the event loop; return the longest gap in wall time and in CPU time, in seconds.

        The CPU time of the window's thread does not depend on other processes.
        """
        self.gaps, self.computed = [], []
        self._last, self._last_computed = time.perf_counter(), time.thread_time()
        self._timer.start(TICK)
        action()
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            QApplication.processEvents()
            time.sleep(0.001)
        self._timer.stop()
        return max(self.gaps, default=0.0) / 1000, max(self.computed, default=0.0) / 1000

    def _tick(self) -> None:
        now, computed = time.perf_counter(), time.thread_time()
        self.gaps.append(1000 * (now - self._last))
        self.computed.append(1000 * (computed - self._last_computed))
        self._last, self._last_computed = now, computed


SETTLING = 2.0
"""Seconds for napari to draw its own window and the movie before a panel is opened."""
AFTER_OPENING = 1.0
"""Seconds of watching the event loop after a panel is opened for the first time, without a study."""
WATCHED = (3.0, 1.0)
"""Seconds of watching the event loop after a panel or tab is opened for the first and the second time, while its
figures are drawn."""
ROUNDS = 3
"""Rounds of the event loop until a panel is painted; its layers are painted after the panel itself."""


def measure(seconds: float = 12.0) -> dict[str, Any]:
    """Measure everything; watch the event loop for ``seconds`` with and without a training."""
    # pip compiles a program when it installs it
    compileall.compile_dir(Path(morpholaw.__file__).parent, quiet=2)
    os.environ.setdefault("NAPARI_CONFIG", str(Path(tempfile.mkdtemp()) / "settings.yaml"))
    import napari

    from morpholaw.widgets.napari_readers import sample_data
    from morpholaw.widgets.study.current_study import CurrentStudy

    with tempfile.TemporaryDirectory(prefix="morpholaw-", ignore_cleanup_errors=True) as place:
        study = sample_data.study_copy(Path(place) / "sample-study")
        viewer = napari.Viewer()
        viewer.window._qt_window.resize(1280, 800)
        for data, options, kind in sample_data.sample_movie():
            getattr(viewer, f"add_{kind}")(data, **options)
        drawn_by = time.perf_counter() + SETTLING
        while time.perf_counter() < drawn_by:
            QApplication.processEvents()
        panels, opened = open_panels(viewer)
        CurrentStudy.of(viewer).open(study)
        figures: dict[str, Any] = dict(opened)
        figures["tabs"] = measure_tabs(viewer)
        figures["torch_after_opening"] = "torch" in sys.modules
        figures |= measure_scoring(panels["Classify"], panels["Cells"])
        figures |= measure_training(panels["Latents"], Path(place) / "training", seconds)
        figures["tracks"] = measure_tracks(viewer)
        figures["gallery"] = measure_gallery(panels["Cells"], Path(place) / "large")
        figures["torch_at_the_end"] = "torch" in sys.modules
        viewer.close()
    return figures | {
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1) if os.name == "posix" else None,
    }


def open_panels(viewer: Any) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Open every panel as napari's menu does, for the first time.

    Returns
    -------
    panels : dict of str to StudyWidget
    opened : dict of str to dict
        "opening_s" and "opening_cpu_s": for each panel the seconds until it is painted, its import included;
        "opening_gap": the longest gap of the event loop until :data:`AFTER_OPENING`, in wall time and in CPU time.
        Until then, the Cells panel draws a box in the movie.
    """
    panels: dict[str, Any] = {}
    opened: dict[str, dict[str, Any]] = {"opening_s": {}, "opening_cpu_s": {}, "opening_gap": {}}

    def open_and_paint(name: str) -> None:
        start, start_cpu = time.perf_counter(), time.process_time()
        panels[name] = open_panel(viewer, name, f"{name}{SUFFIX}")[0]
        for _ in range(ROUNDS):
            QApplication.processEvents()
        opened["opening_s"][name] = time.perf_counter() - start
        opened["opening_cpu_s"][name] = time.process_time() - start_cpu

    for name in PANELS:
        opened["opening_gap"][name] = LoopWatch().around(partial(open_and_paint, name), AFTER_OPENING)
    return panels, opened


def open_panel(viewer: Any, name: str, title: str) -> tuple[Any, Any]:
    """Import a panel and show it in a dock; return the panel and the dock."""
    module = import_module(f"morpholaw.widgets.{name.lower()}.panel")
    panel = getattr(module, f"{name}Widget")(viewer)
    return panel, viewer.window.add_dock_widget(panel, name=title)


def measure_tabs(viewer: Any) -> dict[str, list[tuple[float, float]]]:
    """Open every panel and each of its tabs with a trained study, twice.

    Returns
    -------
    dict of str to list
        For each panel ("Laws") and tab ("Laws, Front"), the longest gap of the event loop while it opens and its
        figures are drawn: wall time and CPU time in seconds, at the first and the second opening.
    """
    watch = LoopWatch()
    gaps: dict[str, list[tuple[float, float]]] = {}
    for seconds in WATCHED:
        for name in PANELS:
            opened: list[Any] = []

            def open_again(name: str = name, opened: list[Any] = opened) -> None:
                opened += open_panel(viewer, name, f"{name} again")

            gaps.setdefault(name, []).append(watch.around(open_again, seconds))
            panel, dock = opened
            for tabs in panel.findChildren(QTabWidget):
                for place in range(tabs.count()):
                    what = f"{name}, {tabs.tabText(place)}"
                    shown = watch.around(partial(tabs.setCurrentIndex, place), seconds)
                    gaps.setdefault(what, []).append(shown)
            viewer.window.remove_dock_widget(dock)
    return gaps


def measure_scoring(classify: Any, cells: Any) -> dict[str, list[float]]:
    """Measure the wall time in seconds of *Apply*, twice, and of *least sure first*.

    Only the first run waits for a process to load torch; the next ones use a process that is ready.
    """
    applied, ordered = [], []
    scored: list[float] = []
    classify.apply_scores.scored.connect(lambda: scored.append(time.perf_counter()))
    for turn in range(2):
        start = time.perf_counter()
        classify.apply_scores.apply_button.click()
        until(lambda turn=turn: len(scored) > turn, 600)  # type: ignore[misc]
        applied.append(scored[turn] - start)
        until(lambda: classify.current.steps.spare.pid is not None, 60)
        time.sleep(SETTLING)  # gives the spare process time to load torch
    start = time.perf_counter()
    cells.labelling.wanted_scores.ask()
    until(lambda: not cells.runner.running, 600)
    ordered.append(time.perf_counter() - start)
    return {"apply_s": applied, "ask_s": ordered}


def measure_training(latents: Any, other: Path, seconds: float) -> dict[str, Any]:
    """Measure the gaps while a latent's slider moves, without and with a training, and the duration of Stop."""
    import shutil

    from morpholaw.jobs import Job
    from morpholaw.widgets.jobs.job_runner import JobRunner
    from morpholaw.widgets.study.current_study import CurrentStudy

    shutil.copytree(latents.current.study.path, other)
    show(latents)
    latents.tabs.setCurrentWidget(latents.traversals)
    traversals = latents.traversals
    until(lambda: not traversals.pictures.empty, 120)
    slider = next(iter(traversals.sliders.sliders.values()))
    phase = iter(range(10**9))
    moved_at, pictures = [0.0], []
    traversals.image_call.returned.connect(lambda _: pictures.append(time.perf_counter() - moved_at[0]))

    def move() -> None:
        moved_at[0] = time.perf_counter()
        slider.setValue(3 * np.sin(next(phase) / 3))

    watch, runner = LoopWatch(), JobRunner(CurrentStudy(), "latency")
    watch.watch(2, move)  # to warm up
    pictures.clear()
    alone = watch.watch(seconds, move)
    alone["picture"] = 1000 * float(np.median(pictures))
    events: list[Any] = []
    runner.reported.connect(events.append)
    settings = {"epochs": 1000, "start_from": "none"}
    runner.start(Job("train_encoder", str(other), settings))
    starting = watch.watch(4, move)  # a process starts, and torch is imported in it
    until(lambda: any("reconstruction" in getattr(event, "values", {}) for event in events), 120)
    pictures.clear()
    training = watch.watch(seconds, move)
    training["picture"] = 1000 * float(np.median(pictures))
    start = time.perf_counter()
    runner.stop()
    until(lambda: not runner.running, 60)
    stop = time.perf_counter() - start
    return {"gaps_ms": {"alone": alone, "starting": starting, "training": training}, "stop_s": stop}


def measure_tracks(viewer: Any) -> dict[str, float]:
    """Measure the seconds to colour a tracks layer of :data:`VERTICES` vertices by score."""
    from morpholaw.widgets.classify.score_layers import score_tracks

    frames = 500
    count = VERTICES // frames
    track, t = np.repeat(np.arange(count), frames), np.tile(np.arange(frames), count)
    rng = np.random.default_rng(0)
    y, x = rng.uniform(0, 2000, (2, count)).repeat(frames, axis=1) + rng.normal(0, 2, (2, VERTICES))
    layer = viewer.add_tracks(np.column_stack([track, t, y, x]))
    score = rng.normal(size=VERTICES)
    named = np.where(score >= 0, "metaphase", "interphase")
    table = pd.DataFrame({"track_id": track, "t": t, "y": y, "x": x, "score": score, "class": named})
    start = time.perf_counter()
    matched = score_tracks(layer, table, ("interphase", "metaphase"))
    QApplication.processEvents()
    seconds = time.perf_counter() - start
    viewer.layers.remove(layer)
    return {"vertices": matched, "seconds": seconds}


def measure_gallery(cells: Any, folder: Path) -> dict[str, float]:
    """Measure the crops read and the time to paint, in ms, while a gallery of :data:`CELLS` cells scrolls."""
    from morpholaw.cells.crop_set import CropSet
    from morpholaw.study import Study

    images = np.random.default_rng(0).integers(0, 255, (CELLS, 64, 64), dtype=np.uint8)
    CropSet.write(Study.create(folder).new_set_folder("large"), images, pd.DataFrame(index=range(CELLS)))
    show(cells)
    start = time.perf_counter()
    cells.current.open(folder)
    QApplication.processEvents()
    opened = time.perf_counter() - start
    bar, paints = cells.gallery.verticalScrollBar(), []
    for step in range(100):
        start = time.perf_counter()
        bar.setValue(bar.maximum() * step // 99)
        cells.gallery.viewport().repaint()
        paints.append(1000 * (time.perf_counter() - start))
    model = cells.gallery.crop_model
    return {
        "cells": CELLS, "opened_s": opened, "crops_read": model.reads,
        "paint_median_ms": float(np.median(paints)), "paint_max_ms": max(paints),
    }  # fmt: skip


def show(panel: Any) -> None:
    """Bring a panel's dock to the front."""
    dock = dock_of(panel)
    assert dock is not None
    dock.raise_()
    QApplication.processEvents()


def until(done: Callable[[], bool], seconds: float) -> None:
    """Run the event loop until ``done()``; raise TimeoutError if that takes longer than ``seconds``."""
    start = time.perf_counter()
    while not done():
        if time.perf_counter() - start > seconds:
            raise TimeoutError("the window did not get there in time")
        QApplication.processEvents()
        time.sleep(0.005)


if __name__ == "__main__":
    print(json.dumps(measure()))
