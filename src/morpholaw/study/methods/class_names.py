"""Methods of a study for its classes: names, order, colours and stages."""

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
    """Rename classes, or merge several by giving them one name.

    A class that takes a new name keeps its classifiers. Classifiers of classes that are merged stay as they were
    trained.

    Parameters
    ----------
    names : mapping of str to str
        Old names to new ones.
    monitor : Monitor
        Receives a warning for each classifier that must be trained again.
    merge : bool
        Whether classes may become one, by a name that another class has.

    Returns
    -------
    int
        Cells whose label changed.

    Raises
    ------
    InputError
        When there is no such class, a new name is empty, or classes would become one without ``merge``.
    """
    from morpholaw.study import class_step

    with study.writing():
        return class_step.rename(study, names, monitor, merge=merge)


def arrange_classes(study: Study, order: Sequence[str]) -> None:
    """Show classes in another order, everywhere.

    Parameters
    ----------
    order : sequence of str
        Names of classes; those that are left out follow.

    Raises
    ------
    InputError
        When there is no such class.
    """
    from morpholaw.study import class_step

    class_step.arrange(study, order)


def colour_classes(study: Study, colours: Mapping[str, str]) -> None:
    """Give classes colours of your own, everywhere.

    Parameters
    ----------
    colours : mapping of str to str
        Class names to colours such as "#009e73"; "" for the usual colour, which colour-blind people can tell from
        the others.

    Raises
    ------
    InputError
        When there is no such class, or a colour is of another form.
    """
    from morpholaw.study import class_step

    class_step.colour(study, colours)


def remove_class(study: Study, name: str) -> None:
    """Remove a class that no cell has.

    Parameters
    ----------
    name : str
        The class.

    Raises
    ------
    InputError
        When there is no such class, or cells are labelled with it.
    """
    from morpholaw.study import class_step

    class_step.remove(study, name)


def set_stages(study: Study, stages: Sequence[str], final: Sequence[str] = ()) -> StageOrder | None:
    """Say in which order a cell passes through the classes, for classification along tracks.

    Parameters
    ----------
    stages : sequence of str
        The stages in their order, the one in which cells spend most of their time first; the last leads back to it.
        Without any, the order is again learnt from labelled tracks.
    final : sequence of str
        Classes that a cell may enter from any other and that none leaves, such as apoptosis.

    Returns
    -------
    StageOrder or None
        What is now used for all classes of the study; None where no order is known.

    Raises
    ------
    InputError
        When a stage is none of the study's classes or is named twice, or the file cannot be written.
    """
    from morpholaw.study.stages import stage_order

    order = StageOrder.of(stages, final) if stages else None
    if order is not None:
        order.check(study.classes)
    cycle, last = (order.cycle, order.final) if order else ((), ())
    study.keep_classes(study.class_record.model_copy(update={"stages": cycle, "final": last}))
    return stage_order(study, study.classes)
