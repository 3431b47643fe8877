"""Methods of a study that search for laws, choose between them and test them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from morpholaw.config import (
    LawConfig,
)
from morpholaw.display import Loss
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Monitor
from morpholaw.progress_bar import shows_progress
from morpholaw.store import classifiers
from morpholaw.store.baseline_record import keep_baselines
from morpholaw.store.classifier_record import name_of
from morpholaw.store.condition_record import tell_condition_notes
from morpholaw.store.familiarity_record import carry_familiarity, keep_familiarity
from morpholaw.store.labelled_cells import labelled_cells

if TYPE_CHECKING:
    from morpholaw.evaluation.law_stability import ClassLawStability, LawStability
    from morpholaw.models.class_laws import ClassLaws
    from morpholaw.models.law import Law
    from morpholaw.study.own_law_step import LawTest
    from morpholaw.study.study import Study


@shows_progress
def discover_law(
    study: Study,
    config: LawConfig | None = None,
    *,
    name: str | None = None,
    replace: bool = False,
    monitor: Monitor = SILENT,
    **settings: Any,
) -> Law | ClassLaws:
    """Search for laws on the latents that scheme 3 kept (paper, 6.4), on measured shapes, or on both.

    Parameters
    ----------
    config : LawConfig, optional
        Settings; the defaults where it is left out.
    name : str, optional
        What the laws are called in the study; by default after their loss, e.g. "scheme4-hinge".
    replace : bool
        Replace laws of the same name that tell other classes apart. Laws of the same classes are always replaced.
    monitor : Monitor
        Progress, fronts and cancellation. A stopped search keeps the laws that it found.
    **settings
        Settings of :class:`morpholaw.LawConfig`, among them ``loss`` ("hinge" on the labels or "mse" to scheme
        3's outputs), ``inputs`` ("latents", "shapes" or "both"), ``shapes`` (names, by default all of the cell
        itself), ``classes`` (by default those of scheme 3), ``count`` (10 laws), ``engine`` ("auto", "pysr" or
        "embedded"), ``evaluations`` (500,000 per restart), ``max_complexity`` (9 for shapes of two classes, else 15),
        ``latents`` (by default those that scheme 3 kept), ``processes`` (0: all free cores) and ``seed`` (0).

    Returns
    -------
    Law or ClassLaws
        The most accurate law on the training cells; :meth:`laws` returns all. With more than two classes, one law
        per class, which are fitted to each other: the class is that of the largest.

    Raises
    ------
    InputError
        When labels are missing, for latents also the encoder or scheme 3, a setting is wrong, or no law was found.
    StudyLockedError, StudyGoneError, NoSpaceError
        When the study cannot be written to.
    """
    from morpholaw.study import law_step

    config = LawConfig.of(config, settings)
    tell_condition_notes(study, monitor)
    with study.writing():
        record = law_step.discover(study, config, None, monitor, replace, name)
        if record is not None:
            keep_baselines(study, labelled_cells(study, record.config))
            keep_familiarity(study, record)
    record = classifiers.record(study, name or name_of(4, config.loss))
    return record.laws[0] if record.two_classes else record.class_laws


def laws(study: Study, loss: Loss = "hinge") -> list[Law]:
    """Return the laws that were found with a loss, best on the training cells first.

    Parameters
    ----------
    loss : {"hinge", "mse"}
        The loss of the search.

    Returns
    -------
    list of Law
        All laws of the search.

    Raises
    ------
    InputError
        When there are none.
    """
    return list(classifiers.record(study, name_of(4, loss)).laws)


def class_laws(study: Study, name: str = "scheme4-hinge") -> ClassLaws:
    """Return the laws of more than two classes that are kept under a name; InputError where there are none.

    Parameters
    ----------
    name : str
        What they are called in the study.
    """
    return classifiers.record(study, name).class_laws


@shows_progress
def improve_law(
    study: Study,
    law: int = 0,
    loss: Loss = "hinge",
    name: str | None = None,
    expression: str | None = None,
    evaluations: int | None = None,
    class_name: str | None = None,
    monitor: Monitor = SILENT,
) -> Law:
    """Search on from a law, or from a formula of your own, and keep what is better.

    Two searches begin with the law and variants of it among random expressions. A better law, on the training
    cells, becomes the first, which is applied and measured on the held-out cells; otherwise nothing changes. With
    more than two classes, the law of one is searched for; those of the others keep their form, and the constants of all
    are fitted to each other.

    Parameters
    ----------
    law : int
        The law's place in :meth:`laws`; 0 is the first.
    loss : {"hinge", "mse"}
        The loss that it was found with.
    name : str, optional
        The laws by their name in the study, in place of their loss.
    expression : str, optional
        A formula to begin with in place of the law, over the same inputs, shapes in units.
    evaluations : int, optional
        Expressions tried in each search; by default as many as the laws were searched with.
    class_name : str, optional
        With more than two classes, the one whose law is searched for; more of the formula speaks for it.
    monitor : Monitor
        Progress and cancellation.

    Returns
    -------
    Law
        The first law, or that of the class.

    Raises
    ------
    InputError
        When there is no such law or class, or the training cells are no longer there.
    StudyLockedError, StudyGoneError, NoSpaceError
        When the study cannot be written to.
    """
    from morpholaw.study.improve_law_step import improve

    name = name or name_of(4, loss)
    classes = classifiers.record(study, name).classes
    if len(classes) > 2 and class_name is None:
        raise InputError(f"{name} has a law for each class; name the one to improve: {', '.join(classes)}.")
    if len(classes) == 2 and class_name is not None:
        raise InputError(
            f"{name} has laws of two classes, each of which tells both apart; leave the class out."
        )
    with study.writing():
        record = improve(
            study, name, law if class_name is None else class_name, expression, evaluations, monitor
        )
        keep_familiarity(study, record)
    return record.laws[0] if class_name is None else record.class_laws.laws[class_name]


@shows_progress
def law_stability(
    study: Study,
    law: int = 0,
    loss: Loss = "hinge",
    name: str | None = None,
    resamples: int = 20,
    evaluations: int = 30_000,
    seed: int = 0,
    monitor: Monitor = SILENT,
) -> LawStability | ClassLawStability:
    """Search anew on resampled groups of training cells: how often inputs, directions and form of a law come back.

    With more than two classes, the laws of all are searched for anew on each resample.

    Parameters
    ----------
    law : int
        The law's place in :meth:`laws`; 0 is the first. With more than two classes there is one law for each.
    loss : {"hinge", "mse"}
        The loss that it was found with.
    name : str, optional
        The laws by their name in the study, in place of their loss.
    resamples : int
        Bootstrap resamples of the groups, each with one search, or one per class.
    evaluations : int
        Expressions tried in each search.
    seed : int
        Of resamples and searches.
    monitor : Monitor
        Progress and cancellation; a stop returns what was found so far.

    Returns
    -------
    LawStability or ClassLawStability
        ``text``, a few sentences, and the numbers; with more than two classes ``by_class``, the same for the law of
        each. The sentences are kept beside the laws, for panel and card.

    Raises
    ------
    InputError
        When there is no such law, or the training cells are no longer there.
    StudyLockedError, StudyGoneError, NoSpaceError
        When the study cannot be written to.
    """
    from morpholaw.store.law_stability import keep_stability
    from morpholaw.study.law_stability_step import stability, stability_of_classes

    laws = name or name_of(4, loss)
    record = classifiers.record(study, laws)
    if record.scheme == 4 and not record.two_classes:
        with study.writing():
            of_classes = stability_of_classes(study, laws, resamples, evaluations, seed, monitor)
            if of_classes.searches:
                for one, kept in record.class_laws.laws.items():
                    keep_stability(study, laws, kept.text(), of_classes.by_class[one].text)
        return of_classes
    with study.writing():
        found = stability(study, laws, law, resamples, evaluations, seed, monitor)
        if found.searches:
            keep_stability(study, laws, classifiers.record(study, laws).laws[law].text(), found.text)
    return found


def apply_law(study: Study, law: int, loss: Loss = "hinge", name: str | None = None) -> Law:
    """Choose the law that scheme 4 applies: it becomes the first, and is measured on the held-out cells.

    Parameters
    ----------
    law : int
        Its place in :meth:`laws`.
    loss : {"hinge", "mse"}
        The loss that it was found with.
    name : str, optional
        The laws by their name in the study, in place of their loss.

    Returns
    -------
    Law
        The law that is applied from now on wherever no other is chosen. The others keep their order.

    Raises
    ------
    InputError
        When there is no such law, there are more than two classes, or the held-out cells are no longer there.
    StudyLockedError, StudyGoneError, NoSpaceError
        When the study cannot be written to.
    """
    from morpholaw.study.applied_law_step import apply_law

    name = name or name_of(4, loss)
    with study.writing():
        before = classifiers.record(study, name)
        record = apply_law(study, name, law)
        carry_familiarity(study, before, record)
    return record.laws[0]


def test_law(
    study: Study,
    expression: str,
    *,
    loss: Loss = "hinge",
    name: str | None = None,
    class_name: str | None = None,
) -> LawTest:
    """Test a formula of your own on held-out cells, beside the laws that were found.

    Parameters
    ----------
    expression : str
        Of latents and of shapes in units, such as ``"width < 9 and axis_ratio > 1.9"`` or ``"z1 - 0.8*z3"``:
        numbers, ``+ - * /``, squares, ``abs exp log sin sqrt square min max``, comparisons, ``and or not``.
    loss : {"hinge", "mse"}
        The loss of the laws beside it, which also says which cells are held out.
    name : str, optional
        The laws beside it by their name in the study, in place of their loss.
    class_name : str, optional
        The class that cells are of where the formula holds (0 or more); by default the second of two, as for laws. Of
        more than two classes it is told from all others, and must be named.

    Returns
    -------
    LawTest
        Accuracy with its interval, the same for each law of the study and on how many cells the two differ, and
        the indices of the cells that the formula gets wrong.

    Raises
    ------
    InputError
        When the text is no formula of latents and shapes, no cells are labelled, there is no such class, or
        none is named among several.

    Examples
    --------
    >>> tested = study.test_law("width < 9 and axis_ratio > 1.9")  # doctest: +SKIP
    >>> tested.tested.accuracy, tested.wrong  # doctest: +SKIP
    """
    from morpholaw.study import own_law_step

    if name is not None:
        classifiers.record(study, name)  # says where there is none
    return own_law_step.measure_own_law(study, expression, name or name_of(4, loss), class_name)
