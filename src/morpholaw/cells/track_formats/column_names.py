"""Interpretation of column names: track, spot, time, position, parent or class."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from morpholaw.cells.movie_formats.units import counts_pixels, micrometres
from morpholaw.cells.track_formats.translated_names import ENGLISH

_BRACKETS = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*$")
_SUFFIX = re.compile(r"(?<=.)[ _.\-](um|µm|μm|micron|microns|px|pix|pixel|pixels|nm|mm)$", re.IGNORECASE)

TRACK = (
    *(
        "sourcetrack",
        "cellidtree",
        "trackletid",
        "tracklet",
        "trackid",
        "track",
        "trackids",
        "tracknumber",
        "trackno",
        "tracknr",
    ),
    *(
        "trackn",
        "trackindex",
        "trackidx",
        "spottrackid",
        "particle",
        "particleid",
        "trajectory",
        "trajectoryid",
    ),
    *("traj", "tid", "cellid", "cell", "cellno", "cellnumber", "nucleusid", "trackobjectslabel"),
)
"""Names of columns that number tracks, most specific first."""
WEAK_TRACK = ("id", "labelid", "label", "objectid", "object", "objectnumber", "objid")
"""Names that number tracks in some programs' tables, and spots, masks or objects in others."""
SPOT = ("sourceid", "spotid", "spot", "nodeid", "node", "id", "objectid", "pointid", "cellid", "uniqueid")
MASK = (
    "maskid",
    "mask",
    "labelimageid",
    "labelimageoid",
    "labelid",
    "classid",
    "segid",
    "label",
    "objectnumber",
    "objectid",
    "id",
)
PARENT = (
    *("parenttrackid", "parenttrack", "parenttrackletid", "parenttracklet", "mothertrackid", "mothertrack"),
    *("parentidtree", "parentid", "parent", "parentnode", "parentnodeid", "parentspotid", "parentspot"),
    *("motherid", "mother", "parentcell", "parentcellid", "mothercell", "mothercellid"),
)
LINEAGE = (
    *(
        "lineageid",
        "lineage",
        "lineagenumber",
        "rootid",
        "root",
        "roottrackid",
        "rootidtree",
        "treeid",
        "familyid",
    ),
    *("cloneid", "clone", "ancestorid", "ancestor"),
)
"""Names of columns that number families of tracks, which descend from one cell."""
FRAME = (
    *("frame", "frames", "frameid", "frameno", "framenumber", "framenr", "frameindex", "framei", "frameidx"),
    *(
        "timepoint",
        "timepoints",
        "timepointid",
        "timeindex",
        "timeframe",
        "tindex",
        "spotframe",
        "imageframe",
    ),
    *("tframe", "framet", "timelapseindex", "axis0"),
)
"""Names of columns that count frames."""
ONE_BASED_FRAME = ("slice", "slicen", "sliceno", "slicenumber", "imagenumber")
"""Names under which ImageJ and CellProfiler count frames from 1."""
STEP = ("timestep",)
"""Names under which ilastik counts frames but others state an interval; used only if no other column counts."""
TIME_IN_UNIT = (
    *("times", "timesec", "timesecs", "timeseconds", "tsec", "tseconds", "timems"),
    *("timemin", "timemins", "timeminutes", "tmin", "timeh", "timehr", "timehrs", "timehours", "thours"),
)
"""Names of columns that contain time in the unit of the name."""
TIME = ("t", "time", "positiont", "spott", "elapsedtime", "timestamp", *TIME_IN_UNIT)
"""Names of columns that may count frames or contain time in some unit."""
CLASS = (
    *(
        "class",
        "classname",
        "classlabel",
        "cellclass",
        "phase",
        "cellphase",
        "cellcyclephase",
        "cellcyclestage",
        "userlabel",
        "predictedclass",
    ),
    *("mitoticphase", "state", "cellstate", "annotation", "celltype", "label", "labels"),
)
PLACE = (
    *(("y", "x"), ("ypx", "xpx"), ("ypixel", "xpixel"), ("posy", "posx"), ("positiony", "positionx")),
    *(("ypos", "xpos"), ("yposition", "xposition"), ("centroidy", "centroidx"), ("ycentroid", "xcentroid")),
    *(("centroid0", "centroid1"), ("centroidweighted0", "centroidweighted1"), ("centery", "centerx")),
    *(("centrey", "centrex"), ("ycenter", "xcenter"), ("locationcentery", "locationcenterx")),
    ("centerofgeometryy", "centerofgeometryx"),
    *(("areashapecentery", "areashapecenterx"), ("objectcenter1", "objectcenter0")),
    *(("centeroftheobject1", "centeroftheobject0"), ("spotpositiony", "spotpositionx"), ("cy", "cx")),
    *(("yc", "xc"), ("ym", "xm"), ("ycoord", "xcoord"), ("ycoordinate", "xcoordinate"), ("coordy", "coordx")),
    *(("axis1", "axis2"), ("row", "col"), ("row", "column")),
)
"""Pairs of names of columns that contain y and x."""
MOVIE = (
    "position",
    "pos",
    "fov",
    "field",
    "well",
    "site",
    "series",
    "scene",
    "movie",
    "stage",
    "xyposition",
    "multipoint",
    *("wellid", "wellname", "fieldid", "siteid", "fovid", "fovname", "positionid", "positionname"),
    *("movieid", "moviename", "video", "videoid", "videoname"),
    *("experiment", "experimentid", "replicate", "dataset", "plate", "plateid"),
    *("metadatawell", "metadatasite", "metadatafield", "metadatafov", "metadataposition", "metadataseries"),
)
"""Names of columns that identify the movie of each row."""
MOVIE_FILE = (
    *("file", "filename", "filepath", "path", "image", "imagename", "imagefile", "imagefilename", "imageid"),
    *("originalimagename", "originalimageid"),
)
"""Names of columns that identify the movie, or only the image, of each row."""
DEPTH = ("z", "posz", "positionz", "zpos", "centroidz", "spotpositionz", "centerz")


def key_of(name: object) -> str:
    """Reduce a name to letters and digits without its unit: "Track ID", "trackId" and "Spur-ID" become equal."""
    text = _SUFFIX.sub("", _BRACKETS.sub("", str(name).strip()))
    key = re.sub(r"[^a-z0-9]", "", unicodedata.normalize("NFKD", text).lower())
    return ENGLISH.get(key, re.sub(r"^(trackobjectslabel)\d+$", r"\1", key))


def unit_in(name: object) -> str | None:
    """Return the unit at the end of a column's name, such as "um" in "x_um", or None."""
    match = _SUFFIX.search(_BRACKETS.sub("", str(name).strip()))
    return match[1] if match else None


def length_unit(text: str | None) -> float | None:
    """Return a unit of length in micrometres; 0 for pixels, None for anything else."""
    return 0.0 if counts_pixels(text) else micrometres(text)


def by_key(columns: Iterable[object]) -> dict[str, list[str]]:
    """Group columns by their key, in their order; the second column "x", which is called "x.1", is another "x"."""
    names = [str(name) for name in columns]
    columns_of: dict[str, list[str]] = {}
    for name in names:
        first = re.sub(r"\.\d+$", "", name)
        columns_of.setdefault(key_of(first if first in names else name), []).append(name)
    return columns_of


def named(columns: Iterable[object], names: Iterable[str]) -> list[str]:
    """Return the columns with one of the given names (keys), in the order of the names."""
    keys = by_key(columns)
    return [column for name in names for column in keys.get(name, [])]
