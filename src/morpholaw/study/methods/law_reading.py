"""Methods of a study that put laws into words and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from morpholaw.display import Loss
from morpholaw.store.classifier_record import name_of

if TYPE_CHECKING:
    from morpholaw.interpretation.cell_reasons import CellReasons
    from morpholaw.interpretation.class_sentence import ClassSentence
    from morpholaw.interpretation.law_sentence import LawSentence
    from morpholaw.study.law_sheet_step import LawSheet
    from morpholaw.study.study import Study


def law_sentence(
    study: Study,
    law: int = 0,
    loss: Loss = "hinge",
    class_name: str | tuple[str, str] | None = None,
    name: str | None = None,
) -> LawSentence | ClassSentence:
    """Put a law into words and units, for the range of the labelled cells.

    Parameters
    ----------
    law : int
        Its place in :meth:`laws`; 0 is the best on the training cells.
    loss : {"hinge", "mse"}
        The loss that it was found with.
    class_name : str or (str, str), optional
        With more than two classes, the one that is told from all others, or two: that and the one it is told from.
    name : str, optional
        The laws by their name in the study, in place of their loss.

    Returns
    -------
    LawSentence or ClassSentence
        ``text``, the sentence; ``inequality``, the simplest one that holds for the positive class; and for each
        input which way it pushes (proved over the range of the cells) and where the class changes. That of one class
        told from all others has ``rooms`` in place of thresholds: how far a typical cell may go.

    Raises
    ------
    InputError
        When there is no such law or class.
    """
    from morpholaw.store.law_reading import read_law

    return read_law(study, study.classifier(name or 4, loss), law, class_name).sentence()


def explain_cell(
    study: Study, cell: int, law: int = 0, loss: Loss = "hinge", name: str | None = None
) -> CellReasons:
    """Say why a law calls a cell what it does, in words and units; :meth:`explain_cells` takes several.

    Parameters
    ----------
    cell : int
        Its index among the study's crops, as :meth:`test_law` lists cells that a law gets wrong.
    law : int
        The law's place in :meth:`laws`; 0 is the best on the training cells.
    loss : {"hinge", "mse"}
        The loss that it was found with.
    name : str, optional
        The laws by their name in the study, in place of their loss.

    Returns
    -------
    CellReasons
        ``text``, and what it is made from: each term of the law in this cell and in the median cell, the term that
        decides, and for each input the smallest change that would change the class, with the share of labelled
        cells that are nearer to the boundary. With more than two classes, the likeliest is compared with the
        second.

    Raises
    ------
    InputError
        When there is no such cell or law.

    Examples
    --------
    >>> print(study.explain_cell(17).text)  # doctest: +SKIP
    Called metaphase. What decides: contrast, which is 0.41 here and 0.22 in the median cell. ...
    """
    return study.explain_cells([cell], law, loss, name)[0]


def explain_cells(
    study: Study, cells: Sequence[int], law: int = 0, loss: Loss = "hinge", name: str | None = None
) -> list[CellReasons]:
    """Say why a law calls some cells what it does: :meth:`explain_cell` of each, the study being measured once.

    Parameters
    ----------
    cells : sequence of int
        Their indices among the study's crops.
    law : int
        The law's place in :meth:`laws`; 0 is the best on the training cells.
    loss : {"hinge", "mse"}
        The loss that it was found with.
    name : str, optional
        The laws by their name in the study, in place of their loss.

    Returns
    -------
    list of CellReasons
        In the order of the cells.

    Raises
    ------
    InputError
        When there is no such cell or law.
    """
    from morpholaw.store.law_reading import explain_cells

    return explain_cells(study, study.classifier(name or 4, loss), cells, law)


def law_sheet(
    study: Study,
    out: Path | str,
    law: int = 0,
    loss: Loss = "hinge",
    class_name: str | tuple[str, str] | None = None,
    name: str | None = None,
    unlabelled: bool = False,
) -> LawSheet:
    """Draw twenty cells that show what a law does: typical of each side, and nearest to its boundary.

    Parameters
    ----------
    out : path
        The picture, a file that ends in .png, .pdf or .svg.
    law : int
        Its place in :meth:`laws`; 0 is the first.
    loss : {"hinge", "mse"}
        The loss that it was found with.
    class_name : str or (str, str), optional
        With more than two classes, the one that is told from all others, or two: that and the one it is told from.
    name : str, optional
        The laws by their name in the study, in place of their loss.
    unlabelled : bool
        Draw the cells in a random order without titles or labels, to be sorted by a person who reads the sentence
        alone. The answers are in what is returned.

    Returns
    -------
    LawSheet
        The cells row by row, with their indices, labels and scores.

    Raises
    ------
    InputError
        When there is no such law or class, or the file cannot be written.
    """
    from morpholaw.study import law_sheet_step

    law_sheet_step.check_name(Path(out))
    sheet = law_sheet_step.law_sheet(study, study.classifier(name or 4, loss), law, class_name)
    return law_sheet_step.write(sheet.shuffled() if unlabelled else sheet, Path(out), numbered=unlabelled)


def law_card(
    study: Study, out: Path | str, law: int = 0, loss: Loss = "hinge", name: str | None = None
) -> Path:
    """Write everything that is known about one law as HTML, with a PDF and Markdown beside it.

    Parameters
    ----------
    out : path
        The HTML file.
    law : int
        Its place in :meth:`laws`; 0 is the best on the training cells.
    loss : {"hinge", "mse"}
        The loss that it was found with.
    name : str, optional
        The laws by their name in the study, in place of their loss.

    Returns
    -------
    Path
        The HTML file.

    Raises
    ------
    InputError
        When there is no such law, or a file cannot be written.
    """
    from morpholaw.report import law_card

    return law_card(study, name or name_of(4, loss), law, out)
