"""Methods of a study that rename, order, colour and remove its classes, and set the order of stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from morpholaw.evaluation.stage_order import StageOrder
from morpholaw.events import SILENT, Monitor

if TYPE_CHECKING:
    from morpholaw.study.study import Study


def rename_classes(
    study: Study, names: Mapping[str, str], monitor: Monitor = SILENT, *, merge: bool = False
) -> int:
    """Rename classes, or merge several classes by giving them the same name.

    Classifiers are updated when a class is renamed. When classes are merged, classifiers keep the classes that they
    were trained with.

    Parameters
    ----------
    names : mapping of str to str
        New name of each class to rename.
    monitor : Monitor
        Receives a warning for each classifier that must be trained again.
    merge : bool
        Allow new names that another class has, which merges the two.

    Returns
    -------
    int
        Number of cells whose label changed.

    Raises
    ------
    InputError
        If there is no such class, a new name is empty, or classes would be merged although ``merge`` is False.
    """
    from morpholaw.study import class_step

    with study.writing():
        return class_step.rename(study, names, monitor, merge=merge)


def arrange_classes(study: Study, order: Sequence[str]) -> None:
    """Set the order in which classes are shown in panels, tables and figures.

    Parameters
    ----------
    order : sequence of str
        Names of classes. Classes that are not named follow in their present order.

    Raises
    ------
    InputError
        If there is no such class.
    """
    from morpholaw.study import class_step

    class_step.arrange(study, order)


def colour_classes(study: Study, colours: Mapping[str, str]) -> None:
    """Set the colours of classes in panels and figures.

    Parameters
    ----------
    colours : mapping of str to str
        Colour of each class, such as "#009e73"; "" restores the default, which is from a palette for colour-blind
        readers.

    Raises
    ------
    InputError
        If there is no such class, or a colour is not of the form "#rrggbb".
    """
    from morpholaw.study import class_step

    class_step.colour(study, colours)


def remove_class(study: Study, name: str) -> None:
    """Remove a class without labelled cells.

    Parameters
    ----------
    name : str
        Name of the class.

    Raises
    ------
    InputError
        If there is no such class, or it has labelled cells.
    """
    from morpholaw.study import class_step

    class_step.remove(study, name)


def set_stages(study: Study, stages: Sequence[str], final: Sequence[str] = ()) -> StageOrder | None:
    """Set the order in which a cell passes through the classes, for classification along tracks.

    Parameters
    ----------
    stages : sequence of str
        The stages in order, beginning with the one in which cells spend most of their time. The last leads back to the
        first. If empty, the order is learnt from labelled tracks.
    final : sequence of str
        Classes that a cell can enter from any other but never leaves, such as apoptosis.

    Returns
    -------
    StageOrder or None
        The order now in use for the classes of the study; None if no order is known.

    Raises
    ------
    InputError
        If a stage is not a class of the study or is given twice, or the file cannot be written.
    """
    from morpholaw.study.stages import stage_order

    order = StageOrder.of(stages, final) if stages else None
    if order is not None:
        order.check(study.classes)
    update = {"stages": order.cycle, "final": order.final} if order else {"stages": (), "final": ()}
    study.keep_classes(study.class_record.model_copy(update=update))
    return stage_order(study, study.classes)
