"""Methods of a study that write results for others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from morpholaw.events import SILENT, Monitor
from morpholaw.progress_bar import shows_progress
from morpholaw.store import classifiers
from morpholaw.store.changes import tell_changes

if TYPE_CHECKING:
    from morpholaw.study.export_step import Format
    from morpholaw.study.study import Study


@shows_progress
def export(
    study: Study,
    kind: Format,
    out: Path | str,
    *,
    monitor: Monitor = SILENT,
    **wanted: Any,
) -> Path:
    """Write results for other programs.

    Parameters
    ----------
    kind : {"zoo", "law", "csv", "trackmate", "btrack", "geff", "anndata"}
        The format.
    out : path
        The file; a folder for GEFF. It is there whole or not at all.
    monitor : Monitor
        Progress and cancellation.
    **wanted
        Fields of :class:`morpholaw.study.export_step.Wanted`: ``scheme``, ``loss``, ``law``, ``crops``,
        ``tracks``, ``along_tracks``, ``author`` and ``licence``.

    Returns
    -------
    Path
        What was written.

    Raises
    ------
    InputError
        When the study lacks what is to be exported, or the format needs something more.
    InterruptedError
        When it was stopped; nothing was written.
    """
    from morpholaw.study import export_step

    return export_step.export(study, kind, out, export_step.Wanted(**wanted), monitor)


@shows_progress
def report(study: Study, out: Path | str, monitor: Monitor = SILENT) -> Path:
    """Write a study-contained HTML report.

    Parameters
    ----------
    out : path
        The HTML file.
    monitor : Monitor
        Progress.

    Returns
    -------
    Path
        The HTML file.

    Raises
    ------
    InputError, NoSpaceError
        When the file cannot be written.
    """
    from morpholaw.report import write_report

    tell_changes(study, classifiers.names(study), monitor)
    return write_report(study, Path(out), monitor)
