"""Search of RigL's settings S, delta T and alpha with Optuna (paper, B.3.1)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from morpholaw.config import ClassifierConfig, TuneConfig
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Metrics, Monitor, Progress
from morpholaw.training.devices import torch_threads
from morpholaw.training.heads import HeadTraining, accuracies
from morpholaw.training.prune import prune
from morpholaw.training.rigl import MEASURED, RigLMethod, RigLSettings

if TYPE_CHECKING:
    import optuna

STUDY = "rigl"
SLOT = "place"  # of a trial in an uninterrupted search
PRUNE_EVERY = 5  # epochs between the median pruner's looks


@dataclass(frozen=True)
class Tuned:
    """The best settings found, their objective, and Optuna's study of all trials."""

    sparsity: float
    update_every: int
    update_fraction: float
    value: float
    study: optuna.Study

    def applied(self, config: ClassifierConfig) -> ClassifierConfig:
        """``config`` with these settings in place of its own."""
        return config.model_copy(
            update={
                "sparsity": self.sparsity,
                "update_every": self.update_every,
                "update_fraction": self.update_fraction,
            }
        )


def tune(
    latents: np.ndarray | Tensor,
    targets: np.ndarray | Tensor,
    validation: np.ndarray,
    config: TuneConfig,
    classifier: ClassifierConfig,
    *,
    method: RigLMethod = MEASURED,
    name: str = STUDY,
    alone: bool = False,
    monitor: Monitor = SILENT,
) -> Tuned:
    """Find the settings with the largest sum of validation accuracy and final sparsity.

    Optuna's tree-structured Parzen estimator is asked for ``config.batch_trials`` trials at a time. Their
    models train together, and share one dense warm-up for each seed, which no searched setting touches: every
    trial still gets the result it would have alone. Run r of every trial has the seed ``config.seed + r``.

    Parameters
    ----------
    latents : array or Tensor
        float32 (8, n, inputs) or (1, n, inputs): the training crops of a study, all orientations.
    targets : array or Tensor
        (n,) of 0 and 1.
    validation : array of int or bool
        Rows held out from these trainings: a grouped part of the training crops, never the test crops.
    config : TuneConfig
        Trials, runs, epochs, ranges and storage. Any Optuna URL will do as ``storage``; several processes can
        share it, and a search goes on where an earlier one of the same ``name`` stopped. None keeps the
        study in memory.
    alone : bool
        Nobody else writes to the storage: what an interrupted search left unfinished is trained again with
        the settings it had, so that the result is that of an uninterrupted search.
    classifier : ClassifierConfig
        What is not searched. A warm-up of half of ``config.epochs`` or more is cut to that half, as
        the paper's 20 of 40 epochs.

    Returns
    -------
    Tuned
        After a stop, of the trials finished so far.

    Raises
    ------
    InputError
        Where validation rows are missing or all rows are, a range is empty, or nothing was finished.
    """
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    held = np.zeros(len(targets), dtype=bool)
    held[validation] = True
    if not held.any() or held.all():
        raise InputError("The validation rows must be some of the training crops, not none or all of them.")
    rows = torch.as_tensor(latents, dtype=torch.float32)
    rows = rows.unsqueeze(0) if rows.dim() == 2 else rows
    truth = torch.as_tensor(targets)
    kept = torch.from_numpy(~held)
    warm_up = HeadTraining(
        rows[:, kept],
        truth[kept],
        _of_a_run(config, classifier),
        sparse=True,
        seeds=range(config.seed, config.seed + config.runs),
        method=method,
    )
    while warm_up.epoch < warm_up.config.warmup_epochs:
        if warm_up.step_epoch(monitor.should_stop) is None:
            break
    search = _Search(
        _open_study(config, name), config, warm_up, (rows[0, ~kept], truth[~kept]), alone, monitor
    )
    try:
        search.run()
        return _best(search.study)
    except (optuna.exceptions.StorageInternalError, SQLAlchemyError) as error:
        raise InputError(
            f"The storage of the search, {config.storage!r}, cannot be written to or read any more "
            f"({str(error.__cause__ or error).splitlines()[0]}); what was finished is kept in it."
        ) from None


def importances(study: optuna.Study) -> dict[str, float]:
    """How much of the objective's variance each setting explains (fANOVA), largest first."""
    import optuna

    return optuna.importance.get_param_importances(study)


@dataclass(frozen=True)
class _Search:
    """Rounds of asking, training and telling, until enough trials are finished."""

    study: optuna.Study
    config: TuneConfig
    warm_up: HeadTraining
    scored: tuple[Tensor, Tensor]
    alone: bool
    monitor: Monitor

    def run(self) -> None:
        """Finish the trials that ``config.trials`` still lacks."""
        if self.alone:
            self._give_up_unfinished()
        self._say()
        while (lacking := self.config.trials - _finished(self.study)) > 0 and not self.monitor.should_stop():
            self._train([self._ask(slot) for slot in self._next_slots(lacking)])
            self._say()

    def _give_up_unfinished(self) -> None:
        from optuna.trial import TrialState

        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            self.study.tell(trial.number, state=TrialState.FAIL)

    def _next_slots(self, lacking: int) -> list[int]:
        """Places, in an uninterrupted search, of the trials of the next round."""
        size = self.config.batch_trials
        if not self.alone:  # others ask too: the next places of all
            asked = len(self.study.get_trials(deepcopy=False))
            return list(range(asked, asked + min(size, lacking)))
        from optuna.trial import TrialState

        states = (TrialState.COMPLETE, TrialState.PRUNED)
        trials = self.study.get_trials(deepcopy=False, states=states)
        finished = {trial.user_attrs.get(SLOT, trial.number) for trial in trials}
        free = [slot for slot in range(len(finished) + lacking) if slot not in finished]
        return [slot for slot in free if slot < (free[0] // size + 1) * size][:lacking]

    def _ask(self, slot: int) -> optuna.Trial:
        if not self.alone:  # two that ask at one time count the same place; the storage numbers them apart
            asked = self.study.ask()
            self.study.sampler = self._sampler(asked.number)
            return self._suggested(asked, asked.number)
        self.study.sampler = self._sampler(slot)
        return self._suggested(self.study.ask(), slot)

    def _sampler(self, slot: int) -> optuna.samplers.BaseSampler:
        """With a seed for each place, or a search that is resumed or shared would repeat its first guesses."""
        import optuna
        from optuna.trial import TrialState

        sampler = optuna.samplers.TPESampler(seed=self.config.seed + 1_000_003 * slot, constant_liar=True)
        if self.alone:  # a trial that was cut short keeps its settings
            for trial in self.study.get_trials(deepcopy=False, states=(TrialState.FAIL,)):
                if trial.user_attrs.get(SLOT) == slot:
                    with warnings.catch_warnings():  # it is called experimental, since Optuna 2.4
                        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                        return optuna.samplers.PartialFixedSampler(trial.params, sampler)
        return sampler

    def _suggested(self, asked: optuna.Trial, slot: int) -> optuna.Trial:
        asked.suggest_float("sparsity", *self.config.sparsity)
        asked.suggest_int("update_every", *self.config.update_every)
        asked.suggest_float("update_fraction", *self.config.update_fraction)
        asked.set_user_attr(SLOT, slot)  # last: who has a place has all settings
        return asked

    def _train(self, trials: list[optuna.Trial]) -> None:
        """Train and tell one round; trials cut short by a stop are told as failed."""
        import optuna

        runs = self.config.runs
        training = self.warm_up.branch(list(range(runs)) * len(trials), _settings(trials, runs))
        while trials and not training.finished:
            if training.step_epoch(self.monitor.should_stop) is None:
                for trial in trials:
                    self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
                return
            rested = training.finished or training.epoch % PRUNE_EVERY
            if self.config.pruning and not rested:
                training, trials = self._without_hopeless(training, trials)
        for trial, (accuracy, sparsity) in zip(trials, self._values(training, len(trials)), strict=True):
            trial.set_user_attr("accuracy", accuracy)
            trial.set_user_attr("final_sparsity", sparsity)
            self.study.tell(trial, accuracy + sparsity)

    def _without_hopeless(
        self, training: HeadTraining, trials: list[optuna.Trial]
    ) -> tuple[HeadTraining, list[optuna.Trial]]:
        """Tell the trials that the median pruner gives up, and train on with the others."""
        import optuna

        going = []
        for place, (trial, value) in enumerate(zip(trials, self._values(training, len(trials)), strict=True)):
            trial.report(sum(value), training.epoch)
            if trial.should_prune():
                self.study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            else:
                going.append(place)
        if len(going) == len(trials):
            return training, trials
        runs = self.config.runs
        members = [place * runs + run for place in going for run in range(runs)]
        return training.branch(members), [trials[place] for place in going]

    def _values(self, training: HeadTraining, trials: int) -> list[tuple[float, float]]:
        """Each trial's validation accuracy and sparsity after pruning, means over its runs."""
        if trials == 0:
            return []
        with torch_threads(1):
            head = prune(training.head())
            accuracy = accuracies(head, *self.scored).view(trials, -1).mean(1)
        size = sum(mask[0].numel() for mask in head.masks)
        sparsity = 1 - head.active_weights().double().view(trials, -1).mean(1) / size
        return list(zip(accuracy.tolist(), sparsity.tolist(), strict=True))

    def _say(self) -> None:
        """Progress, and the best so far."""
        done = _finished(self.study)
        self.monitor.emit(Progress(done, self.config.trials, "search"))
        if _complete(self.study):
            best = self.study.best_trial
            values = {"objective": float(best.value or 0.0), **best.params, **best.user_attrs}
            values.pop(SLOT, None)
            self.monitor.emit(Metrics(done, {name: float(value) for name, value in values.items()}))


def _of_a_run(config: TuneConfig, classifier: ClassifierConfig) -> ClassifierConfig:
    """What every model of the search is trained with."""
    warmup = min(classifier.warmup_epochs, config.epochs // 2)
    return classifier.model_copy(update={"epochs": config.epochs, "warmup_epochs": warmup})


def _settings(trials: list[optuna.Trial], runs: int) -> RigLSettings:
    each = [trial.params for trial in trials for _ in range(runs)]
    return RigLSettings(
        tuple(params["sparsity"] for params in each),
        tuple(params["update_every"] for params in each),
        tuple(params["update_fraction"] for params in each),
    )


def _open_study(config: TuneConfig, name: str) -> optuna.Study:
    import optuna

    try:
        return optuna.create_study(
            storage=config.storage,
            study_name=name,
            direction="maximize",
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(),
        )
    except Exception as error:  # each kind of storage raises its own driver's errors
        raise InputError(
            f"The search cannot use the storage {config.storage!r}: expected the URL of an Optuna storage that "
            f"can be written to, such as 'sqlite:///search.db' ({str(error).splitlines()[0]})."
        ) from error


def _finished(study: optuna.Study) -> int:
    from optuna.trial import TrialState

    return len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED)))


def _complete(study: optuna.Study) -> int:
    from optuna.trial import TrialState

    return len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))


def _best(study: optuna.Study) -> Tuned:
    if not _complete(study):
        raise InputError("The search was stopped before its first trials were finished; start it again.")
    best = study.best_trial
    return Tuned(
        sparsity=best.params["sparsity"],
        update_every=best.params["update_every"],
        update_fraction=best.params["update_fraction"],
        value=float(best.value or 0.0),
        study=study,
    )
