"""Two families of simulated images: one like the MDCK recordings, and one with much more variation."""

from __future__ import annotations

from dataclasses import dataclass

from morpholaw.errors import InputError

PIXEL_SIZE = 0.333
"""Micrometres per pixel at which the ranges below were measured (paper: 21.3 um / 64 pixels)."""

PHASES = ("interphase", "prometaphase", "metaphase", "anaphase", "apoptosis")
"""Classes of mitosis in their usual order. All other kinds of nuclei are unlabelled."""


@dataclass(frozen=True)
class Shape:
    """The variation of one kind of nucleus.

    Attributes
    ----------
    area : float
        Median area, in um^2.
    spread : float
        Standard deviation of log area.
    chromatin : float
        Median integrated intensity relative to an interphase nucleus of `Domain.reference_area`.
    ratio_jitter : float
        Standard deviation of the log axis ratio around that of the pattern (mitotic and unusual kinds).
    neighbours : float
        Mean number of candidate neighbours per crop, before overlapping ones are rejected.
    clearance : float
        Minimum distance from the nucleus' centre to a neighbour's edge, in um: the radius of the rounded cell.
    """

    area: float
    spread: float
    chromatin: float = 1.0
    ratio_jitter: float = 0.08
    neighbours: float = 2.0
    clearance: float = 0.0


@dataclass(frozen=True)
class Domain:
    """A family of images. Brightness is in units of a typical interphase nucleus above background.

    Attributes
    ----------
    shapes : dict of kind to Shape
        Variation of each kind of nucleus.
    mixture : dict of kind to share
        Shares of kinds among central nuclei if no counts are requested.
    rare_neighbours : float
        Frequency of kinds other than interphase among neighbours, relative to ``mixture``.
    young : float
        Share of interphase nuclei that have just divided: small, bright and elongated.
    reference_area : float
        Area in um^2 at which an interphase nucleus with typical chromatin mass has brightness one.
    typical_peak : float
        Brightness of the brightest chromatin of a typical cell as measured by normalisation, including noise.
    brightness_spread : float
        Standard deviation of the log expression.
    interphase_log_ratio : (float, float)
        Minimum log axis ratio of interphase nuclei, and the mean excess over it.
    blur, haze, read_noise, photons : (float, float)
        Ranges of the width of the point spread function (in pixels of 0.333 um), the share of light in its wide skirt,
        read noise, and photoelectrons per unit of brightness.
    background, gradient : float
        Standard deviations of the background level and of its change across a crop.
    out_of_focus, debris : float
        Share of crops out of focus; density of bright specks.
    offset : float
        Standard deviation of the nucleus' distance from the crop's centre along y and x, in pixels.
    margin : int
        Pixels drawn around a crop, so that objects outside blur into it but the blur's wrap-around does not.
    """

    shapes: dict[str, Shape]
    mixture: dict[str, float]
    rare_neighbours: float = 0.3
    young: float = 0.05
    reference_area: float = 80.0
    typical_peak: float = 1.56
    brightness_spread: float = 0.27
    interphase_log_ratio: tuple[float, float] = (0.05, 0.28)
    blur: tuple[float, float] = (1.0, 1.7)
    haze: tuple[float, float] = (0.02, 0.08)
    read_noise: tuple[float, float] = (0.04, 0.10)
    photons: tuple[float, float] = (150.0, 600.0)
    background: float = 0.03
    gradient: float = 0.03
    out_of_focus: float = 0.0
    debris: float = 0.0
    offset: float = 1.2
    margin: int = 8


MDCK = Domain(
    shapes={
        "interphase": Shape(92.0, 0.30, 1.0, neighbours=20.0),
        "prometaphase": Shape(104.0, 0.22, 2.5, neighbours=5.0, clearance=7.5),
        "metaphase": Shape(35.0, 0.12, 1.3, neighbours=5.0, clearance=8.0),
        "anaphase": Shape(25.0, 0.26, 0.82, neighbours=5.0, clearance=6.5),
        "apoptosis": Shape(22.0, 0.4, 0.75, neighbours=3.5, clearance=3.0),
    },
    mixture={
        "interphase": 0.86,
        "prometaphase": 0.03,
        "metaphase": 0.06,
        "anaphase": 0.03,
        "apoptosis": 0.02,
    },
)

WIDE = Domain(
    shapes={
        "interphase": Shape(75.0, 0.5, 1.0, neighbours=9.0),
        "prometaphase": Shape(52.0, 0.35, 1.6, 0.15, neighbours=2.5, clearance=5.5),
        "metaphase": Shape(26.0, 0.38, 1.2, 0.15, neighbours=2.5, clearance=6.0),
        "anaphase": Shape(16.0, 0.4, 0.6, 0.15, neighbours=2.5, clearance=4.5),
        "apoptosis": Shape(22.0, 0.6, 0.7, 0.2, neighbours=3.0, clearance=2.5),
        "polylobed": Shape(120.0, 0.35, 1.5, 0.15, neighbours=2.5),
        "binuclear": Shape(120.0, 0.3, 1.5, 0.12, neighbours=2.5),
        "grape": Shape(120.0, 0.4, 1.5, 0.15, neighbours=2.5),
        "hole": Shape(45.0, 0.4, 0.8, 0.15, neighbours=3.5),
        "folded": Shape(60.0, 0.4, 0.9, 0.25, neighbours=3.5),
    },
    mixture={
        "interphase": 0.50,
        "prometaphase": 0.08,
        "metaphase": 0.11,
        "anaphase": 0.06,
        "apoptosis": 0.06,
        "polylobed": 0.05,
        "binuclear": 0.04,
        "grape": 0.03,
        "hole": 0.03,
        "folded": 0.04,
    },
    typical_peak=1.91,
    brightness_spread=0.4,
    interphase_log_ratio=(0.02, 0.42),
    blur=(0.6, 1.8),
    haze=(0.0, 0.12),
    read_noise=(0.004, 0.12),
    photons=(80.0, 2000.0),
    background=0.04,
    gradient=0.05,
    out_of_focus=0.06,
    debris=0.15,
    offset=1.5,
    margin=16,
    rare_neighbours=0.5,
)

DOMAINS = {"mdck": MDCK, "wide": WIDE}


def domain_named(name: str) -> Domain:
    """Return the domain with a given name.

    Raises
    ------
    InputError
        If there is no such domain.
    """
    if name not in DOMAINS:
        raise InputError(f"There is no simulated domain {name!r}; the domains are {', '.join(DOMAINS)}.")
    return DOMAINS[name]
