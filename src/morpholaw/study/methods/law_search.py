"""Methods of a study that search for, select and test laws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from morpholaw.config import LawConfig
from morpholaw.display import Loss
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Monitor
from morpholaw.progress_bar import shows_progress
from morpholaw.store import classifiers
from morpholaw.store.baseline_record import keep_baselines
from morpholaw.store.classifier_record import name_of
from morpholaw.store.confounding import tell_confounding
from morpholaw.store.familiarity_record import carry_familiarity, keep_familiarity
from morpholaw.store.labelled_cells import labelled_cells
from morpholaw.store.repeated_cells import tell_repeated_cells

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
    """Search for laws: short formulas whose sign is the class of a cell (paper, section 6.4).

    The formulas are found by symbolic regression. Their variables are the latents that scheme 3 kept, measured shapes,
    or both. With more than two classes, each class has a law, and a cell belongs to the class whose law is largest.

    Parameters
    ----------
    config : LawConfig, optional
        Settings of the search. Keyword arguments take precedence.
    name : str, optional
        Name of the laws in the study. The default follows the loss, e.g. "scheme4-hinge".
    replace : bool
        Replace laws of the same name that distinguish other classes. Laws of the same classes are always replaced.
    monitor : Monitor
        Receives progress and the best laws so far, and can cancel. A cancelled search stores the laws it has found,
        unless the study has laws of a complete search under this name, which are kept. The same search continues from
        there.
    **settings
        Settings of :class:`morpholaw.LawConfig`, which lists all of them. The most important are

        - ``inputs`` ("latents"): variables of the laws: "latents", "shapes" or "both";
        - ``latents``, ``shapes``: latents (numbers) and shapes (names) that a law may use. The defaults are the latents
          that scheme 3 kept, and all shapes of the cell itself;
        - ``loss`` ("hinge"): "hinge" fits the labels, "mse" the outputs of scheme 3;
        - ``classes``: classes to distinguish. The default is those of scheme 3;
        - ``count`` (10): number of laws;
        - ``max_complexity`` (9 for shapes and two classes, otherwise 15): size limit of a law;
        - ``evaluations`` (500,000): formulas tried per restart;
        - ``engine`` ("auto"): "pysr", "embedded", or "auto";
        - ``processes`` (0: all free cores) and ``seed`` (0).

    Returns
    -------
    Law or ClassLaws
        The law that is most accurate on the training set; :meth:`laws` returns all. With more than two classes, the
        laws of all classes.

    Raises
    ------
    InputError
        If labels are missing, the encoder or scheme 3 is missing where latents are used, a setting is invalid, or no
        law was found.
    InterruptedError
        If it was cancelled before a law was found, and there are no earlier laws.
    StudyLockedError, StudyGoneError, NoSpaceError
        If the study cannot be written to.

    Examples
    --------
    >>> law = study.discover_law(inputs="shapes", count=5)  # doctest: +SKIP
    >>> print(study.law_sentence().text)  # doctest: +SKIP
    """
    from morpholaw.study import law_step

    config = LawConfig.of(config, settings)
    tell_confounding(study, config.classes, monitor)
    tell_repeated_cells(study, config.classes, monitor)
    with study.writing():
        record = law_step.discover(study, config, None, monitor, replace, name)
        if record is not None:
            keep_baselines(study, labelled_cells(study, record.config))
            keep_familiarity(study, record)
    name = name or name_of(4, config.loss)
    if record is None and name not in classifiers.names(study):
        raise InterruptedError("Stopped before a law was found; nothing was stored.")
    record = classifiers.record(study, name)
    return record.laws[0] if record.two_classes else record.class_laws


def laws(study: Study, loss: Loss = "hinge") -> list[Law]:
    """Return the laws found with a loss, in the order of their accuracy on the training set.

    A law chosen with :meth:`apply_law` comes first.

    Parameters
    ----------
    loss : {"hinge", "mse"}
        Loss of the search.

    Returns
    -------
    list of Law
        All laws of the search.

    Raises
    ------
    InputError
        If there are none.
    """
    return list(classifiers.record(study, name_of(4, loss)).laws)


def class_laws(study: Study, name: str = "scheme4-hinge") -> ClassLaws:
    """Return the laws of more than two classes, one per class.

    Parameters
    ----------
    name : str
        Name of the laws in the study.

    Returns
    -------
    ClassLaws
        The law of each class.

    Raises
    ------
    InputError
        If there are none of this name.
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
    """Continue the search from a law, or from a formula of your own.

    Two searches start from the law, variants of it and random formulas. If one of them finds a law that is better on
    the training set, this becomes the first law, which is the one that is applied, and is evaluated on the test set.
    Otherwise nothing changes. With more than two classes, the law of one class is searched for. The other laws
    keep their form, and the constants of all laws are refitted.

    Parameters
    ----------
    law : int
        Index of the law in :meth:`laws`.
    loss : {"hinge", "mse"}
        Loss that the laws were found with.
    name : str, optional
        Name of the laws in the study; replaces ``loss``.
    expression : str, optional
        Formula to start from instead of the law. It uses the same variables; shapes are in their units.
    evaluations : int, optional
        Formulas tried per search. The default is that of the original search.
    class_name : str, optional
        Class whose law is searched for. Required with more than two classes; larger values mean this class.
    monitor : Monitor
        Receives progress and can cancel.

    Returns
    -------
    Law
        The first law, or the law of the class.

    Raises
    ------
    InputError
        If there is no such law or class, or the training set no longer exists.
    StudyLockedError, StudyGoneError, NoSpaceError
        If the study cannot be written to.
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
    """Repeat the search on bootstrap resamples, and count how often parts of a law are found again.

    The groups of the training set are resampled. The result states how often the variables of the law, the direction
    of their effects, and its form recur. With more than two classes, the laws of all classes are searched for on
    each resample.

    Parameters
    ----------
    law : int
        Index of the law in :meth:`laws`. Ignored with more than two classes.
    loss : {"hinge", "mse"}
        Loss that the laws were found with.
    name : str, optional
        Name of the laws in the study; replaces ``loss``.
    resamples : int
        Number of bootstrap resamples.
    evaluations : int
        Formulas tried per search.
    seed : int
        Seed of the resamples and the searches.
    monitor : Monitor
        Receives progress and can cancel. A cancelled analysis returns the result of the completed searches, which is
        stored only for laws whose stability was not measured before.

    Returns
    -------
    LawStability or ClassLawStability
        ``text``, a summary in a few sentences, and the numbers behind it. With more than two classes, ``by_class``
        holds one result per class. The sentences are stored with the laws and shown in the Laws panel and on law cards.

    Raises
    ------
    InputError
        If there is no such law, or the training set no longer exists.
    StudyLockedError, StudyGoneError, NoSpaceError
        If the study cannot be written to.
    """
    from morpholaw.store.law_stability import keep_stability, stability_sentence
    from morpholaw.study.law_stability_step import stability, stability_of_classes

    laws = name or name_of(4, loss)
    record = classifiers.record(study, laws)
    result: LawStability | ClassLawStability
    with study.writing():
        if record.scheme == 4 and not record.two_classes:
            result = of_classes = stability_of_classes(study, laws, resamples, evaluations, seed, monitor)
            texts = {
                class_law.text(): of_classes.by_class[class_name].text
                for class_name, class_law in record.class_laws.laws.items()
            }
        else:
            result = of_law = stability(study, laws, law, resamples, evaluations, seed, monitor)
            texts = {record.laws[law].text(): of_law.text}
        measured = any(stability_sentence(study, laws, text) for text in texts)
        stopped = monitor.should_stop()
        stores = result.searches > 0 and not (stopped and measured)
        if stores:
            for text, sentence in texts.items():
                keep_stability(study, laws, text, sentence)
    if stopped:
        outcome = "their result is stored" if stores else "the stability on display is unchanged"
        monitor.tell(f"Stopped after {result.searches} of {resamples} searches: {outcome}.")
    return result


def apply_law(study: Study, law: int, loss: Loss = "hinge", name: str | None = None) -> Law:
    """Choose the law that scheme 4 applies, and evaluate it on the test set.

    The law moves to the first place in :meth:`laws`. The others keep their order.

    Parameters
    ----------
    law : int
        Index of the law in :meth:`laws`.
    loss : {"hinge", "mse"}
        Loss that the laws were found with.
    name : str, optional
        Name of the laws in the study; replaces ``loss``.

    Returns
    -------
    Law
        The chosen law, which is now the default wherever scheme 4 is applied.

    Raises
    ------
    InputError
        If there is no such law, there are more than two classes, or the test set no longer exists.
    StudyLockedError, StudyGoneError, NoSpaceError
        If the study cannot be written to.
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
    """Evaluate a formula of your own on the test set, and compare it with the laws of the study.

    Parameters
    ----------
    expression : str
        Formula of latents and of shapes in their units, such as ``"width < 9 and axis_ratio > 1.9"`` or
        ``"z1 - 0.8*z3"``. It may contain numbers, ``+ - * /``, squares, the functions
        ``abs exp log sin sqrt square min max``, comparisons, and ``and or not``.
    loss : {"hinge", "mse"}
        Loss of the laws to compare with. Their test set is used.
    name : str, optional
        Name in the study of the laws to compare with; replaces ``loss``.
    class_name : str, optional
        Class of the cells for which the formula is true, or 0 or larger. The default is the second of two classes.
        Required with more than two classes, where this class is distinguished from all others.

    Returns
    -------
    LawTest
        Accuracy of the formula with its confidence interval, the same for each law of the study, the number of cells
        on which formula and law differ, and the indices of the cells that the formula misclassifies.

    Raises
    ------
    InputError
        If the text is not a valid formula, no cells are labelled, or there is no such class.

    Examples
    --------
    >>> result = study.test_law("width < 9 and axis_ratio > 1.9")  # doctest: +SKIP
    >>> result.tested.accuracy, result.wrong  # doctest: +SKIP
    """
    from morpholaw.study import own_law_step

    if name is not None:
        classifiers.record(study, name)  # raises if there is none
    return own_law_step.measure_own_law(study, expression, name or name_of(4, loss), class_name)
