"""Methods of a study that apply classifiers to cells and tracks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.inputs import open_inputs
from morpholaw.config import (
    CropConfig,
    TimelineConfig,
)
from morpholaw.display import Loss
from morpholaw.errors import InputError
from morpholaw.evaluation.prevalence import Prevalence, stated_shares
from morpholaw.evaluation.stage_order import StageOrder
from morpholaw.events import SILENT, Message, Monitor
from morpholaw.progress_bar import shows_progress
from morpholaw.store import encoders, timelines
from morpholaw.store.changes import tell_changes
from morpholaw.store.classifier_record import name_of
from morpholaw.store.familiarity_record import familiarity

if TYPE_CHECKING:
    from morpholaw.evaluation.timeline import Timeline
    from morpholaw.store.adaptation_record import AdaptationRecord
    from morpholaw.study.applied_classifier import AppliedClassifier
    from morpholaw.study.study import Study


@shows_progress
def classify(
    study: Study,
    scheme: int | str,
    *,
    movie: Any = None,
    tracks: Any = None,
    crops: Path | str | CropSet | None = None,
    loss: Loss = "hinge",
    law: int | Literal["median"] | None = None,
    along_tracks: bool | None = None,
    stages: Sequence[str] = (),
    final: Sequence[str] = (),
    adapted: str | None = None,
    prevalence: Prevalence | None = None,
    config: CropConfig | None = None,
    monitor: Monitor = SILENT,
    **settings: Any,
) -> pd.DataFrame:
    """Score cells: of a movie with tracks, of a folder of crops or a crop set, or of the whole study.

    Parameters
    ----------
    scheme : int or str
        The scheme, 1 to 4, or the name of a classifier.
    movie, tracks : path, array or table, optional
        As for :meth:`crop`. Cells are cut as the study's crops were, and resampled to the models' scale; the crops
        are not kept.
    crops : path or CropSet, optional
        A crop set, its folder, or a folder of image files, of the scale of the models: state ``pixel_size`` where the
        crops do not.
    loss : {"hinge", "mse"}
        Of scheme 4's laws.
    law : int or "median", optional
        The law of scheme 4 that is applied, by its place in :meth:`laws`; by default 0, the first. "median" applies
        the median score of all laws.
    along_tracks : bool, optional
        Use the order of the cell cycle: a tracked cell's class is the most probable one given the scores along
        its whole track (:mod:`morpholaw.evaluation.track_hmm`, of more than two classes
        :mod:`morpholaw.evaluation.stage_hmm`) rather than that of its own score. By default wherever the tracks
        show divisions, or, of more than two classes, wherever the order of stages is known.
    stages, final : sequence of str
        Of more than two classes: the stages in the order in which a cell passes through them, the last leading back
        to the first, and those that no cell leaves. By default the order of :meth:`set_stages`, else the one that
        the labelled tracks of the study show.
    adapted : str, optional
        Name of a crop set; the classifier is applied as it was adapted to that set (:meth:`adapt`). Cells of a set
        that the classifier was adapted to need no name.
    prevalence : float or mapping, optional
        Share of the cells that are of the second of two classes, or shares by class: probabilities are those for these
        shares, and no longer for equal ones. Scores and classes stay. Along tracks the shares are learnt from the movie
        instead.
    config : CropConfig, optional
        How the movie is understood: pixel size, channel, frame offset and the like.
    monitor : Monitor
        Progress, warnings and cancellation.
    **settings
        Settings of :class:`morpholaw.CropConfig`, which take precedence over ``config``.

    Returns
    -------
    DataFrame
        One row per cell: crop, file, track_id, t, y, x, score, class, probability; for a whole study also ``set``;
        along tracks also ``frame_class``, that of the frame alone. ``score`` is the median over the models, and
        ``probability`` that of the cell's class at the stated prevalence, by default of equally frequent classes,
        calibrated on held-out cells. The class is the sign of the score, so that a cell may have a probability below
        0.5 for its own class. With more than two classes ``score`` is the margin of the best class over the
        second, and there are ``score_NAME``, the logarithm of the models' softmax, and ``probability_NAME`` of each
        class. ``unusual`` marks crops that are not made like those of the training cells
        (:mod:`morpholaw.evaluation.familiarity`);
        the column is missing where those are not known.

    Raises
    ------
    InputError
        When there is no such classifier, no cell, the movie or its tracks cannot be read, or crops are of another
        scale than the models.
    """
    from morpholaw.study import adapt_step, applied_classifier, classify_step

    name = name_of(scheme, loss)
    first_law = law in (None, 0)
    if adapted and not first_law:
        raise InputError(f"Of {name} the first law alone is adapted; leave out the law, or the adaptation.")
    applied = applied_classifier.chosen(study, name, law)
    order = StageOrder.of(stages, final) if stages else None
    along = applied_classifier.along_tracks(study, name, along_tracks, applied.evaluation, order)
    if along is not None and along.order is not None:
        monitor.emit(Message(f"Stages along tracks: {along.order.text}."))
    shares = None if prevalence is None else stated_shares(prevalence, applied.classifier.classes)
    applied = replace(applied, along=along, familiarity=familiarity(study, name), shares=shares)

    def for_set(crop_set: str | None) -> AppliedClassifier:
        wanted = adapted or crop_set
        if wanted is None or not first_law:
            return applied
        return adapt_step.adapted_to(study, applied, name, wanted, monitor, required=bool(adapted))

    if movie is not None:
        if tracks is None:
            raise InputError("A movie needs its tracks to be classified; give both.")
        config = CropConfig.of(config, settings)
        inputs = open_inputs(movie, tracks, config)
        return classify_step.classify_movie(study, for_set(None), inputs, config, monitor)
    stated = settings.pop("pixel_size", None) if crops is not None else None
    if config is not None or settings:
        raise InputError(
            "Settings of the inputs, such as channel, go with a movie and its tracks; with crops, pixel_size alone."
        )
    if crops is not None:
        place = crops.folder if isinstance(crops, CropSet) else Path(crops)
        used = for_set(adapt_step.own_set(study, place))
        return classify_step.classify_folder(study, used, place, stated, monitor)
    tell_changes(study, [name], monitor)
    return classify_step.classify_study(study, for_set, monitor)


@shows_progress
def adapt(
    study: Study,
    scheme: int | str,
    crop_set: str,
    *,
    loss: Loss = "hinge",
    labels: bool = True,
    monitor: Monitor = SILENT,
) -> AdaptationRecord:
    """Fit the scores of a classifier to one crop set; the models stay as they are.

    Another microscope shifts and stretches scores, often without changing their order. What is set applies to
    that set alone, wherever its cells are classified, until :meth:`undo_adaptation`. Of two classes it is a threshold
    and a scale; of more an offset for each class and a scale, which need labels of every class.

    Parameters
    ----------
    scheme : int or str
        The scheme, 1 to 4, or the name of a classifier. Of scheme 4 the first law is adapted.
    crop_set : str
        Name of a crop set of the study, e.g. cut from the new movie.
    loss : {"hinge", "mse"}
        Of scheme 4's laws.
    labels : bool
        Use the set's labels where cells of every class are labelled, ten of each are many; otherwise, of two
        classes, the distribution of all scores of the set.
    monitor : Monitor
        Progress and cancellation.

    Returns
    -------
    AdaptationRecord
        Threshold or offsets, scale, and what they come from.

    Raises
    ------
    InputError
        When there is no such set or classifier, there are too few cells, cells of one of more than two classes are
        not labelled, or the labels contradict the scores.
    """
    from morpholaw.study import adapt_step

    with study.writing():
        return adapt_step.adapt(study, name_of(scheme, loss), crop_set, labels, monitor)


def undo_adaptation(study: Study, scheme: int | str, crop_set: str, *, loss: Loss = "hinge") -> None:
    """Remove what :meth:`adapt` set.

    Parameters
    ----------
    scheme, crop_set, loss
        As for :meth:`adapt`.

    Raises
    ------
    InputError
        When the classifier is not adapted to the set.
    """
    from morpholaw.study import adapt_step

    with study.writing():
        adapt_step.undo(study, name_of(scheme, loss), crop_set)


@shows_progress
def timeline(
    study: Study,
    scheme: int | str,
    *,
    conditions: Path | str | pd.DataFrame | None = None,
    out: Path | str | None = None,
    loss: Loss = "hinge",
    config: TimelineConfig | None = None,
    monitor: Monitor = SILENT,
    **settings: Any,
) -> Timeline:
    """Find out what the tracked cells did: phases, divisions, durations, shares, and what differs by condition.

    Cells are classified along their tracks where two classes are calibrated, else frame by frame. The tables are
    kept in the study for the Timeline panel and the report, in place of earlier ones.

    Parameters
    ----------
    scheme : int or str
        The scheme, 1 to 4, or the name of a classifier.
    conditions : path or DataFrame, optional
        A table with the columns ``movie`` (the name of a crop set), ``condition`` and ``replicate``. The first
        condition is the one that the others are compared with.
    out : path, optional
        A folder for the tables (CSV) and figures (PNG).
    loss : {"hinge", "mse"}
        Of scheme 4's laws.
    config : TimelineConfig, optional
        Settings; the defaults where it is left out.
    monitor : Monitor
        Progress, warnings and cancellation.
    **settings
        Settings of :class:`morpholaw.TimelineConfig`, among them ``frame_interval`` (seconds; by default what the
        movies' files say) and ``mitotic`` (the classes that are stages of mitosis).

    Returns
    -------
    Timeline
        Tables ``phases``, ``events``, ``shares``, ``durations`` and ``comparisons``; see
        :class:`morpholaw.evaluation.timeline.Timeline`.

    Raises
    ------
    InputError
        When there is no such classifier, no tracked cell, or the table of conditions is wrong.
    """
    from morpholaw.study import timeline_files, timeline_step

    config = TimelineConfig.of(config, settings)
    timeline_step.tracked_sets(study)
    along = timeline_step.wants_tracks(study, name_of(scheme, loss))
    table = study.classify(scheme, loss=loss, along_tracks=along, monitor=monitor)
    timeline = timeline_step.timeline(study, table, conditions, config, monitor)
    with study.writing():
        timelines.save(study, timeline, name_of(scheme, loss), encoders.data_fingerprint(study))
    if out is not None:
        timeline_files.write_timeline(timeline, out)
    return timeline
