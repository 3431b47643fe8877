"""Time until a known law is found from labels, compared with gplearn and pyoperon, one process each."""

from __future__ import annotations

import contextlib
import time

import numpy as np

from morpholaw.bench.comparison import Comparison, missing
from morpholaw.bench.known_laws import LAWS, make_data
from morpholaw.bench.law_engines import ENGINES, unavailable

PEERS = ("pyoperon", "gplearn")
LIMIT = 40.0
"""Time limit of our search per seed, in seconds; a law that is not found counts as this."""
PATIENCE = 2.0
"""Time limit of peers, as a multiple of our time for the seed; if they find nothing, it counts as that."""


def measure(full: bool = False) -> list[Comparison]:
    """Measure the seconds to the goal on the paper's first law; with ``full``, on more seeds and for longer."""
    seeds, limit = (range(10), 300.0) if full else (range(3), LIMIT)
    absent = unavailable()
    peers = [name for name in PEERS if name not in absent]
    times: dict[str, list[float]] = {name: [] for name in ("morpholaw", *peers)}
    successes = dict.fromkeys(times, 0)
    for seed in seeds:
        allowed = limit
        for name in times:
            taken = _seconds_to_goal(name, seed, allowed)
            successes[name] += taken < allowed
            times[name].append(taken)
            if name == "morpholaw":
                allowed = min(limit, PATIENCE * taken)
    ours, rows = times["morpholaw"], []
    for peer in PEERS:
        if peer in absent:
            rows.append(missing(ours, peer, 1, "s"))
            continue
        counts = " and ".join(f"{name} {successes[name]}" for name in ("morpholaw", peer))
        note = f"Of {len(seeds)} seeds, {counts} found the law; peers had {PATIENCE:g} times as long as ours."
        rows.append(Comparison(ours, times[peer], peer, 1, "s", note=note))
    return rows


def _seconds_to_goal(engine: str, seed: int, limit: float) -> float:
    """Return the seconds until the expression with the best training loss meets the goal on test rows, or ``limit``."""
    data, best = make_data(LAWS["A"]), np.inf
    begin, checking = time.perf_counter(), 0.0
    with np.errstate(all="ignore"), contextlib.redirect_stdout(None):
        for candidate in ENGINES[engine](data, seed, limit):
            if candidate.loss >= best:
                continue
            best, at = candidate.loss, time.perf_counter()
            if data.accuracy(candidate.expression) >= data.goal:
                return min(at - begin - checking, limit)
            checking += time.perf_counter() - at
    return limit
