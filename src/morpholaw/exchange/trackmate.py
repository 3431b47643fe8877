"""Export of scores to a copy of a TrackMate file, as spot features for colouring, plots and filters."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from morpholaw.cells.files import atomic_file
from morpholaw.cells.track_formats.facts import TrackContext
from morpholaw.cells.track_formats.trackmate import read_trackmate
from morpholaw.errors import InputError
from morpholaw.exchange.scores import Scores, check_copy, matched

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element, ElementTree


def write_trackmate(
    path: str | os.PathLike[str],
    scores: Scores,
    original: str | os.PathLike[str],
) -> Path:
    """Write a copy of a TrackMate XML file with a score and a class for every scored spot.

    The features are, for example, MORPHOLAW_SCHEME3_SCORE and MORPHOLAW_SCHEME3_CLASS (a number, 0 to C - 1). They are
    declared like TrackMate's own features, so TrackMate keeps them when it saves. Spots without a score have neither.

    Parameters
    ----------
    path : path
        File to write.
    scores : Scores
        Scores of the tracked cells.
    original : path
        The TrackMate file to copy.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If ``original`` is not a TrackMate file, is ``path`` itself, or has other tracks than the scores.
    """
    path, original = Path(path), Path(original)
    check_copy(path, original)
    spots = read_trackmate(original, TrackContext(pixel_size=scores.pixel_size)).table
    rows = matched(scores, spots, str(original))
    names = [f"MORPHOLAW_SCHEME{scores.scheme}_{kind}" for kind in ("SCORE", "CLASS")]
    tree = _parse(original)
    _declare(tree, scores, names, original)
    values = {
        spot: (score, int(code))
        for spot, score, code in rows[["source_id", "score", "code"]].itertuples(index=False)
    }
    for element in tree.iter("Spot"):
        for name in names:
            element.attrib.pop(name, None)
        if (score := values.get(element.get("ID", ""))) is not None:
            element.attrib.update({name: repr(value) for name, value in zip(names, score, strict=True)})
    with atomic_file(path) as stream:
        tree.write(stream, encoding="UTF-8", xml_declaration=True)
    return path


def _parse(path: Path) -> ElementTree[Element]:
    from defusedxml.ElementTree import parse

    # The file was read before, so its faults are known.
    tree: ElementTree[Element] = parse(path, forbid_dtd=True)
    return tree


def _declare(tree: ElementTree[Element], scores: Scores, names: list[str], path: Path) -> None:
    from xml.etree.ElementTree import SubElement

    features = tree.find(".//FeatureDeclarations/SpotFeatures")
    if features is None:
        raise InputError(
            f"{path} declares no spot features, so TrackMate cannot open it; save it again in TrackMate."
        )
    for feature in features.findall("Feature"):
        if feature.get("feature") in names:
            features.remove(feature)
    (score, kind), classes = (
        names,
        ", ".join(f"{number} {label}" for number, label in enumerate(scores.classes)),
    )
    for key, name, short, whole in (
        (score, f"Morpholaw score, scheme {scores.scheme}", f"Score {scores.scheme}", "false"),
        (kind, f"Morpholaw class, scheme {scores.scheme} ({classes})", f"Class {scores.scheme}", "true"),
    ):
        values = {"feature": key, "name": name, "shortname": short, "dimension": "NONE", "isint": whole}
        SubElement(features, "Feature", values).tail = "\n"
