"""Methods of a study that apply its classifiers to cells and tracks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.inputs import open_inputs
from morpholaw.config import CropConfig, TimelineConfig
from morpholaw.display import Loss
from morpholaw.errors import InputError
from morpholaw.evaluation.prevalence import Prevalence, stated_shares
from morpholaw.evaluation.stage_order import StageOrder
from morpholaw.events import SILENT, Monitor
from morpholaw.progress_bar import shows_progress
from morpholaw.store import classifiers, encoders, timelines
from morpholaw.store.changes import tell_changes
from morpholaw.store.classifier_record import name_of
from morpholaw.store.familiarity_record import familiarity
from morpholaw.store.guessing import guessing_mark

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
    """Classify the cells of a tracked movie, of a folder of crops, of a crop set, or of the whole study.

    Parameters
    ----------
    scheme : int or str
        Scheme, 1 to 4, or name of a classifier.
    movie, tracks : path, array or table, optional
        A movie and its tracks, as for :meth:`crop`. Cells are cut like the study's crops and resampled to the scale of
        the models. The crops are not stored.
    crops : path or CropSet, optional
        A crop set, its folder, or a folder of image files, at the scale of the models. Pass ``pixel_size`` if the
        crops do not state it. Without ``movie`` and ``crops``, all cells of the study are classified.
    loss : {"hinge", "mse"}
        Loss of the laws, if ``scheme`` is 4.
    law : int or "median", optional
        Law to apply, by its index in :meth:`laws`, or "median" for the median score of all laws. The default is the
        first law.
    along_tracks : bool, optional
        Whether to classify a tracked cell by the scores along its whole track rather than by its own score, with a
        hidden Markov model of the cell cycle (:mod:`morpholaw.evaluation.track_hmm`, or
        :mod:`morpholaw.evaluation.stage_hmm` for more than two classes). By default, this is done if the tracks
        contain divisions, and with more than two classes if the order of the stages is known.
    stages, final : sequence of str
        For more than two classes along tracks: the stages in the order in which a cell passes through them, where the
        last leads back to the first, and the classes that no cell leaves. The default is the order given to
        :meth:`set_stages`, otherwise the order that the labelled tracks show.
    adapted : str, optional
        Name of a crop set: apply the classifier as adapted to this set with :meth:`adapt`. Not needed for cells of
        the set itself.
    prevalence : float or mapping, optional
        Expected share of cells of the second of two classes, or the share of each class. It changes the
        probabilities, not the scores and classes; the default is equally frequent classes. Along tracks, the shares are
        estimated from the movie instead.
    config : CropConfig, optional
        How to read the movie: pixel size, channel, frame offset and so on. Keyword arguments take precedence.
    monitor : Monitor
        Receives progress and warnings, and can cancel.
    **settings
        Settings of :class:`morpholaw.CropConfig`.

    Returns
    -------
    DataFrame
        One row per cell, with the columns

        - ``crop``, ``file``, ``track_id``, ``t``, ``y``, ``x``, and ``set`` for a whole study;
        - ``score``: median score of the models. With more than two classes, the margin of the best class over
          the second;
        - ``class``: predicted class. ``frame_class``, along tracks: class predicted from the cell's own score;
        - ``probability``: probability of the predicted class at the given prevalence, calibrated on the test set. It
          can be below 0.5, as the class follows the sign of the score;
        - ``score_NAME``, ``probability_NAME`` for each class, with more than two classes: logarithm of the models'
          softmax, and the calibrated probability;
        - ``unusual``: whether the image differs in grey levels, noise or sharpness from the training cells
          (:mod:`morpholaw.evaluation.familiarity`). Absent if the training cells are not known.

    Raises
    ------
    InputError
        If there is no such classifier, there are no cells, the movie or its tracks cannot be read, or the scale of
        the crops differs from that of the models.
    """
    from morpholaw.study import adapt_step, applied_classifier, classify_step

    name = name_of(scheme, loss)
    first_law = law in (None, 0)
    if adapted and not first_law:
        raise InputError(f"Of {name} the first law alone is adapted; leave out the law, or the adaptation.")
    applied = applied_classifier.chosen(study, name, law)
    if mark := guessing_mark(classifiers.record(study, name)):
        monitor.warn(mark)
    order = StageOrder.of(stages, final) if stages else None
    along = applied_classifier.along_tracks(study, name, along_tracks, applied.evaluation, order)
    if along is not None and along.order is not None:
        monitor.tell(f"Stages along tracks: {along.order.text}.")
    shares = None if prevalence is None else stated_shares(prevalence, applied.classifier.classes)
    applied = replace(applied, along=along, familiarity=familiarity(study, name), shares=shares)

    def for_set(crop_set: str | None) -> AppliedClassifier:
        adapted_set = adapted or crop_set
        if adapted_set is None or not first_law:
            return applied
        return adapt_step.adapted_to(study, applied, name, adapted_set, monitor, required=bool(adapted))

    if movie is not None:
        if tracks is None:
            raise InputError("A movie needs its tracks to be classified; give both.")
        config = CropConfig.of(config, settings)
        inputs = open_inputs(movie, tracks, config)
        return classify_step.classify_movie(study, for_set(None), inputs, config, monitor)
    pixel_size = settings.pop("pixel_size", None) if crops is not None else None
    if config is not None or settings:
        raise InputError(
            "Settings of the inputs, such as channel, go with a movie and its tracks; with crops, pixel_size alone."
        )
    if crops is not None:
        folder = crops.folder if isinstance(crops, CropSet) else Path(crops)
        classifier = for_set(adapt_step.own_set(study, folder))
        return classify_step.classify_folder(study, classifier, folder, pixel_size, monitor)
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
    """Adapt the scores of a classifier to one crop set, without retraining.

    A different microscope often shifts and stretches the scores of cells without changing their order. With two
    classes, a threshold and a scale are fitted; with more, an offset per class and a scale, which requires labelled
    cells of every class. The adaptation applies to this set only, until :meth:`undo_adaptation` removes it.

    Parameters
    ----------
    scheme : int or str
        Scheme, 1 to 4, or name of a classifier. Of several laws, the first is adapted.
    crop_set : str
        Name of a crop set of the study, e.g. one cut from a new movie.
    loss : {"hinge", "mse"}
        Loss of the laws, if ``scheme`` is 4.
    labels : bool
        Fit to the labelled cells of the set, if there are some of every class; ten per class are enough. Otherwise,
        with two classes, fit to the distribution of the scores of all cells.
    monitor : Monitor
        Receives progress and can cancel.

    Returns
    -------
    AdaptationRecord
        Threshold or offsets, scale, and the data they were fitted to.

    Raises
    ------
    InputError
        If there is no such set or classifier, there are too few cells, one of more than two classes has no labelled
        cells, or the labels contradict the scores.
    """
    from morpholaw.study import adapt_step

    with study.writing():
        return adapt_step.adapt(study, name_of(scheme, loss), crop_set, labels, monitor)


def undo_adaptation(study: Study, scheme: int | str, crop_set: str, *, loss: Loss = "hinge") -> None:
    """Remove the adaptation of a classifier to a crop set.

    Parameters
    ----------
    scheme, crop_set, loss
        As for :meth:`adapt`.

    Raises
    ------
    InputError
        If the classifier is not adapted to the set.
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
    """Measure phases, divisions, durations and the mitotic index of tracked cells, and compare conditions.

    Cells are classified along their tracks if the scores are calibrated and, with more than two classes, the order of
    the stages is known. Otherwise they are classified frame by frame. The tables are stored in the study, where the
    Timeline panel and the report read them; they replace earlier ones.

    Parameters
    ----------
    scheme : int or str
        Scheme, 1 to 4, or name of a classifier.
    conditions : path or DataFrame, optional
        Table with the columns ``movie`` (name of a crop set), ``condition`` and ``replicate``. The other conditions
        are compared with the first.
    out : path, optional
        Folder for the tables (CSV) and figures (PNG).
    loss : {"hinge", "mse"}
        Loss of the laws, if ``scheme`` is 4.
    config : TimelineConfig, optional
        Settings. Keyword arguments take precedence.
    monitor : Monitor
        Receives progress and warnings, and can cancel.
    **settings
        Settings of :class:`morpholaw.TimelineConfig`, among them ``frame_interval`` (seconds between frames; by default
        that of the movie files) and ``mitotic`` (classes that are stages of mitosis).

    Returns
    -------
    Timeline
        The tables ``phases``, ``events``, ``shares``, ``durations`` and ``comparisons``; see
        :class:`morpholaw.evaluation.timeline.Timeline`.

    Raises
    ------
    InputError
        If there is no such classifier, there are no tracked cells, or the table of conditions is invalid.
    InterruptedError
        If the step was cancelled; an earlier timeline is kept.
    """
    from morpholaw.study import timeline_files, timeline_step

    config = TimelineConfig.of(config, settings)
    timeline_step.tracked_sets(study)
    along = timeline_step.wants_tracks(study, name_of(scheme, loss))
    table = study.classify(scheme, loss=loss, along_tracks=along, monitor=monitor)
    if monitor.should_stop():  # the scores may be of some cells only
        raise InterruptedError("The timeline was not made; an earlier one was kept.")
    timeline = timeline_step.timeline(study, table, conditions, config, monitor)
    with study.writing():
        timelines.save(study, timeline, name_of(scheme, loss), encoders.data_fingerprint(study))
    if out is not None:
        timeline_files.write_timeline(timeline, out)
    return timeline
