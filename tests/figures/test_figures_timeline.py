"""What cells did over time: curves, shares, conditions, aligned values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from morpholaw.errors import InputError
from morpholaw.evaluation.aligned import Aligned
from morpholaw.evaluation.durations import Unit
from morpholaw.evaluation.estimate import Estimate
from morpholaw.evaluation.survival import kaplan_meier
from morpholaw.evaluation.timeline_tables import TimelineTables
from morpholaw.figures.style import DARK
from morpholaw.figures.timeline import aligned_values, shares_over_time, superplot, survival_curves
from morpholaw.figures.timeline_tables import share_band

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("width", [3.2, 6.4])
def test_curves_of_conditions_differ_by_line_style_as_well_as_colour(draw, texts, width):
    curves = {
        name: kaplan_meier(RNG.gamma(9, mean, 40), RNG.random(40) < 0.8)
        for name, mean in (("a", 3), ("b", 5))
    }
    figure = survival_curves(curves, "min", what="metaphase", p=0.004, figsize=(width, None))
    draw(figure)
    lines = [line for line in figure.axes[0].lines if line.get_label()[0] != "_"]
    assert len({line.get_linestyle() for line in lines}) == 2
    assert {"time in metaphase (min)", "log-rank over cells: p = 0.004"} <= texts(figure)


def test_without_a_phase_the_figure_says_so(draw, texts):
    figure = survival_curves({"a": kaplan_meier(np.array([]), np.array([], bool))}, "frames")
    draw(figure, colours=5)
    assert "no phase with a known beginning" in texts(figure)


def test_shares_are_in_per_cent_over_hours(draw, texts):
    t = np.arange(50)
    rows = [pd.DataFrame({"group": name, "t": t, "share": 0.1 + 0.02 * np.sin(t / 9)}) for name in ("a", "b")]
    table = pd.concat(rows).assign(low=0.05, high=np.nan)
    times = {"a": 5.0, "b": 5.0}
    figure = shares_over_time(table, times, "min", what="mitotic index", title="95 % bands", theme=DARK)
    draw(figure)
    assert {"time (h)", "mitotic index", "95 % bands"} <= texts(figure)
    assert figure.axes[0].get_xlim()[1] == pytest.approx(49 * 5 / 60, rel=0.02)


def test_a_superplot_has_every_cell_and_every_replicate(draw, texts):
    parts = [
        pd.DataFrame(
            {"condition": c, "replicate": r, "value": RNG.gamma(9, 4, 30), "whole": RNG.random(30) < 0.9}
        )
        for c in ("control", "a drug with $ in it")
        for r in "123"
    ]
    figure = superplot(pd.concat(parts), "min", what="time in metaphase", title="p = 0.03")
    draw(figure)
    assert {
        "control",
        r"a drug with \$ in it",
        "p = 0.03",
        "time in metaphase (min)",
        "end not seen",
    } <= texts(figure)
    assert (
        sum(len(one.get_offsets()) for one in figure.axes[0].collections if hasattr(one, "get_offsets"))
        >= 180
    )
    with pytest.raises(InputError, match="no value"):
        superplot(pd.concat(parts).iloc[:0], "min")


def test_values_around_an_event_say_when_they_move(draw, texts):
    frame = np.arange(-5, 5)
    values = np.where(frame >= -1, 2.0, 1.0) + RNG.normal(0, 0.1, (12, 10))
    values[0, :4] = np.nan
    mean = np.nanmean(values, axis=0)
    one = Aligned("area", frame, values, mean, mean - 0.1, mean + 0.1, Estimate(-1.75, -2.0, -1.5))
    flat = Aligned("z3", frame, values, mean, mean - 0.1, mean + 0.1, Estimate(np.nan, np.nan, np.nan))
    figure = aligned_values([one, flat], "the entry into metaphase", per_frame=5.0, unit="min")
    draw(figure)
    assert {"area (px²)", "moves at −8.8 (−10 to −7.5)", "z₃"} <= texts(figure)
    with pytest.raises(InputError):
        aligned_values([], "division")


@pytest.mark.parametrize(
    ("names", "low", "said"),
    [
        ((), [0.1], "95 % bands over families: cells with their descendants"),
        (("drug", "none"), [0.1, np.nan], "95 % bands over replicates"),
        (("drug", "none"), [np.nan, np.nan], ""),
    ],
)
def test_bands_of_shares_are_explained_where_there_are_any(names, low, said):
    empty = pd.DataFrame()
    shares = pd.DataFrame({"low": low})
    unit = Unit("frames", {"a": 1.0})
    tables = TimelineTables(
        empty, empty, shares, shares, empty, empty, ("metaphase",), ("metaphase",), unit, names, ()
    )
    assert share_band(tables) == said
