"""Methods of a study that export results and write reports."""

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
    **options: Any,
) -> Path:
    """Export models, laws or scores for use in other programs.

    Parameters
    ----------
    kind : {"zoo", "law", "csv", "trackmate", "btrack", "geff", "anndata"}
        Format: a BioImage Model Zoo package of the encoder or a classifier ("zoo"); a law as Python, LaTeX,
        spreadsheet or TrackMate filter, according to the suffix of ``out`` ("law"); scores as a table ("csv"), in a
        copy of a TrackMate or btrack file, or as a GEFF graph; or the latents of the cells ("anndata").
    out : path
        File to write; for GEFF a folder.
    monitor : Monitor
        Receives progress and can cancel.
    **options
        Fields of :class:`morpholaw.study.export_step.ExportOptions`: ``scheme``, ``loss``, ``law``, ``crops``,
        ``tracks``, ``along_tracks``, ``author`` and ``licence``.

    Returns
    -------
    Path
        The file or folder.

    Raises
    ------
    InputError
        If the study lacks what is to be exported, or the format needs further options.
    InterruptedError
        If the export was cancelled. Nothing is left behind.
    """
    from morpholaw.study import export_step

    return export_step.export(study, kind, out, export_step.ExportOptions(**options), monitor)


@shows_progress
def report(study: Study, out: Path | str, monitor: Monitor = SILENT) -> Path:
    """Write a report of the study as a single HTML file.

    Parameters
    ----------
    out : path
        The HTML file.
    monitor : Monitor
        Receives progress and can cancel.

    Returns
    -------
    Path
        The HTML file.

    Raises
    ------
    InputError, NoSpaceError
        If the file cannot be written.
    InterruptedError
        If the step was cancelled; an earlier report is kept.
    """
    from morpholaw.report import write_report

    tell_changes(study, classifiers.names(study), monitor)
    return write_report(study, Path(out), monitor)
