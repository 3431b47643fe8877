"""Methods of a study that explain its laws in words and figures."""

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
    from morpholaw.interpretation.sheet import LawSheet
    from morpholaw.study.study import Study


def law_sentence(
    study: Study,
    law: int = 0,
    loss: Loss = "hinge",
    class_name: str | tuple[str, str] | None = None,
    name: str | None = None,
) -> LawSentence | ClassSentence:
    """Describe a law in words and units, over the range of the labelled cells.

    Parameters
    ----------
    law : int
        Index of the law in :meth:`laws`.
    loss : {"hinge", "mse"}
        Loss that the laws were found with.
    class_name : str or (str, str), optional
        With more than two classes, the class to distinguish from all others, or a pair of classes to distinguish from
        each other.
    name : str, optional
        Name of the laws in the study; replaces ``loss``.

    Returns
    -------
    LawSentence or ClassSentence
        ``text``, the description; ``inequality``, the law as an inequality that holds for the positive class; and,
        for each variable, the direction of its effect (proved over the range of the cells) and the value at which the
        class changes. For one class against all others there are ``rooms`` instead of these thresholds: how far each
        variable of a typical cell can change before its class changes.

    Raises
    ------
    InputError
        If there is no such law or class.
    """
    from morpholaw.store.law_reading import read_law

    return read_law(study, study.classifier(name or 4, loss), law, class_name).sentence()


def explain_cell(
    study: Study, cell: int, law: int = 0, loss: Loss = "hinge", name: str | None = None
) -> CellReasons:
    """Explain in words and units why a law assigns a cell to its class. See :meth:`explain_cells` for several cells.

    Parameters
    ----------
    cell : int
        Index of the cell in :attr:`crops`.
    law : int
        Index of the law in :meth:`laws`.
    loss : {"hinge", "mse"}
        Loss that the laws were found with.
    name : str, optional
        Name of the laws in the study; replaces ``loss``.

    Returns
    -------
    CellReasons
        ``text``, the explanation, and the numbers behind it: the value of each term of the law in this cell and in the
        median cell, the decisive term, and for each variable the smallest change that would change the class, with the
        share of labelled cells that are closer to the boundary. With more than two classes, the terms are those that
        distinguish the most probable class from the second, and each change has the class that the cell would get.

    Raises
    ------
    InputError
        If there is no such cell or law.

    Examples
    --------
    >>> print(study.explain_cell(17).text)  # doctest: +SKIP
    Predicted class: metaphase. Decisive: contrast, 0.41 here and 0.22 in the median cell. ...
    """
    return study.explain_cells([cell], law, loss, name)[0]


def explain_cells(
    study: Study, cells: Sequence[int], law: int = 0, loss: Loss = "hinge", name: str | None = None
) -> list[CellReasons]:
    """Explain why a law assigns cells to their classes. Faster than :meth:`explain_cell` for each of them.

    Parameters
    ----------
    cells : sequence of int
        Indices of the cells in :attr:`crops`.
    law : int
        Index of the law in :meth:`laws`.
    loss : {"hinge", "mse"}
        Loss that the laws were found with.
    name : str, optional
        Name of the laws in the study; replaces ``loss``.

    Returns
    -------
    list of CellReasons
        One explanation per cell, in the order of ``cells``; see :meth:`explain_cell`.

    Raises
    ------
    InputError
        If there is no such cell or law.
    """
    from morpholaw.store.explained_cells import explain_cells

    return explain_cells(study, study.classifier(name or 4, loss), cells, law, name or name_of(4, loss))


def law_sheet(
    study: Study,
    out: Path | str,
    law: int = 0,
    loss: Loss = "hinge",
    class_name: str | tuple[str, str] | None = None,
    name: str | None = None,
    unlabelled: bool = False,
) -> LawSheet:
    """Draw twenty cells that illustrate a law: typical cells of each side, and cells closest to its boundary.

    Parameters
    ----------
    out : path
        Image file to write, which ends in .png, .pdf or .svg.
    law : int
        Index of the law in :meth:`laws`.
    loss : {"hinge", "mse"}
        Loss that the laws were found with.
    class_name : str or (str, str), optional
        With more than two classes, the class to distinguish from all others, or a pair of classes to distinguish from
        each other.
    name : str, optional
        Name of the laws in the study; replaces ``loss``.
    unlabelled : bool
        Shuffle the cells and omit titles and labels, to test whether a person can sort the cells with the law's
        sentence alone. The returned sheet holds the answers.

    Returns
    -------
    LawSheet
        The cells of each row, with their indices, labels and scores.

    Raises
    ------
    InputError
        If there is no such law or class, or the file cannot be written.
    """
    from morpholaw.study import law_sheet_step

    law_sheet_step.check_name(Path(out))
    sheet = law_sheet_step.law_sheet(study, study.classifier(name or 4, loss), law, class_name)
    return law_sheet_step.write(sheet.shuffled() if unlabelled else sheet, Path(out), numbered=unlabelled)


def law_card(
    study: Study, out: Path | str, law: int = 0, loss: Loss = "hinge", name: str | None = None
) -> Path:
    """Write a card that summarises one law, as HTML, PDF and Markdown.

    Parameters
    ----------
    out : path
        The HTML file. The PDF and Markdown files have the same name with another suffix.
    law : int
        Index of the law in :meth:`laws`.
    loss : {"hinge", "mse"}
        Loss that the laws were found with.
    name : str, optional
        Name of the laws in the study; replaces ``loss``.

    Returns
    -------
    Path
        The HTML file.

    Raises
    ------
    InputError
        If there is no such law, or a file cannot be written.
    """
    from morpholaw.report import law_card

    return law_card(study, name or name_of(4, loss), law, out)
