"""Hyperparameter search for RigL's settings S, delta T and alpha with Optuna (paper, B.3.1)."""

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
from morpholaw.training.pruning import prune
from morpholaw.training.rigl import MEASURED, RigL, RigLMethod, RigLSettings

if TYPE_CHECKING:
    import optuna

SLOT = "place"
"""Attribute of a trial that stores its number in an uninterrupted search."""
PRUNE_EVERY = 5
"""Number of epochs between two decisions of the median pruner."""


@dataclass(frozen=True)
class TrialStorage:
    """How trials are stored in the Optuna storage ``TuneConfig.storage``.

    Attributes
    ----------
    name : str
        Name of the search. A search continues an earlier one of the same name.
    exclusive : bool
        Whether no other process writes to the storage. Unfinished trials of an interrupted search are then trained
        again with the same settings, so that the result is that of an uninterrupted search.
    """

    name: str = "rigl"
    exclusive: bool = False


SHARED = TrialStorage()
"""A storage to which several processes may write."""


@dataclass(frozen=True)
class Tuned:
    """The best settings, their objective value, and Optuna's study of all trials."""

    sparsity: float
    update_every: int
    update_fraction: float
    value: float
    study: optuna.Study

    def applied(self, config: ClassifierConfig) -> ClassifierConfig:
        """Return ``config`` with these settings."""
        return config.model_copy(
            update={
                "sparsity": self.sparsity,
                "update_every": self.update_every,
                "update_fraction": self.update_fraction,
            }
        )


def tune(
    features: np.ndarray | Tensor,
    targets: np.ndarray | Tensor,
    validation: np.ndarray,
    config: TuneConfig,
    classifier: ClassifierConfig,
    *,
    method: RigLMethod = MEASURED,
    trials: TrialStorage = SHARED,
    monitor: Monitor = SILENT,
) -> Tuned:
    """Search for the settings that maximise the sum of validation accuracy and sparsity.

    Optuna's tree-structured Parzen estimator proposes ``config.batch_trials`` trials at a time. Their models train
    together and share one dense warm-up per seed, which does not depend on the searched settings, so every trial has
    the result that it would have alone. Run r of every trial has the seed ``config.seed + r``.

    Parameters
    ----------
    features : ndarray or Tensor
        Training cells of a study, float32 (orientations, n, features) or (n, features).
    targets : ndarray or Tensor
        Class numbers, int (n,), 0 or 1.
    validation : ndarray
        Cells for validation, as numbers or a boolean mask: whole groups of training cells, never test cells.
    config : TuneConfig
        Trials, runs, epochs, ranges and storage. Several processes can share a storage; None keeps the trials in
        memory.
    classifier : ClassifierConfig
        Settings that are not searched. A warm-up longer than half of ``config.epochs`` is shortened to half (20 of 40
        epochs in the paper).
    method : RigLMethod
        Variant of RigL.
    trials : TrialStorage
        Name of the search in the storage, and whether other processes use the storage.
    monitor : Monitor
        Receives progress and can stop the search.

    Returns
    -------
    Tuned
        The best settings; after a stop, the best of the finished trials.

    Raises
    ------
    InputError
        If the validation cells are none or all of the cells, a range is empty, the storage cannot be used, or no trial
        was finished.
    """
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    held_out = np.zeros(len(targets), dtype=bool)
    held_out[validation] = True
    if not held_out.any() or held_out.all():
        raise InputError("The validation cells must be some of the training cells, not none or all of them.")
    rows = torch.as_tensor(features, dtype=torch.float32)
    rows = rows.unsqueeze(0) if rows.dim() == 2 else rows
    truth = torch.as_tensor(targets)
    training = torch.from_numpy(~held_out)
    warm_up = HeadTraining(
        rows[:, training],
        truth[training],
        _run_config(config, classifier),
        seeds=range(config.seed, config.seed + config.runs),
        rigl=RigL(method),
    )
    while warm_up.epoch < warm_up.config.warmup_epochs:
        if warm_up.step_epoch(monitor.should_stop) is None:
            break
    search = _Search(
        _open_study(config, trials.name),
        config,
        warm_up,
        (rows[0, ~training], truth[~training]),
        trials.exclusive,
        monitor,
    )
    try:
        search.run()
        return _best(search.study)
    except (optuna.exceptions.StorageInternalError, SQLAlchemyError) as error:
        raise InputError(
            f"The storage of the search, {config.storage!r}, is no longer accessible "
            f"({str(error.__cause__ or error).splitlines()[0]}); it keeps the trials finished so far."
        ) from None


@dataclass(frozen=True)
class _Search:
    """Rounds of proposing, training and reporting trials, until enough trials are finished."""

    study: optuna.Study
    config: TuneConfig
    warm_up: HeadTraining
    validation: tuple[Tensor, Tensor]
    exclusive: bool
    monitor: Monitor

    def run(self) -> None:
        """Run the trials that are missing from ``config.trials``."""
        if self.exclusive:
            self._fail_unfinished()
        self._report()
        while (missing := self.config.trials - _finished(self.study)) > 0 and not self.monitor.should_stop():
            self._train([self._ask(slot) for slot in self._next_slots(missing)])
            self._report()

    def _fail_unfinished(self) -> None:
        from optuna.trial import TrialState

        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            self.study.tell(trial.number, state=TrialState.FAIL)

    def _next_slots(self, missing: int) -> list[int]:
        """Return the numbers, as in an uninterrupted search, of the trials of the next round."""
        size = self.config.batch_trials
        if not self.exclusive:  # numbers are shared with the other processes
            asked = len(self.study.get_trials(deepcopy=False))
            return list(range(asked, asked + min(size, missing)))
        from optuna.trial import TrialState

        states = (TrialState.COMPLETE, TrialState.PRUNED)
        trials = self.study.get_trials(deepcopy=False, states=states)
        finished = {trial.user_attrs.get(SLOT, trial.number) for trial in trials}
        free = [slot for slot in range(len(finished) + missing) if slot not in finished]
        return [slot for slot in free if slot < (free[0] // size + 1) * size][:missing]

    def _ask(self, slot: int) -> optuna.Trial:
        if (
            not self.exclusive
        ):  # concurrent processes may count the same number; the storage's numbers are unique
            trial = self.study.ask()
            self.study.sampler = self._sampler(trial.number)
            return self._suggest(trial, trial.number)
        self.study.sampler = self._sampler(slot)
        return self._suggest(self.study.ask(), slot)

    def _sampler(self, slot: int) -> optuna.samplers.BaseSampler:
        """Return a sampler with its own seed, so that resumed or shared searches do not repeat proposals."""
        import optuna
        from optuna.trial import TrialState

        sampler = optuna.samplers.TPESampler(seed=self.config.seed + 1_000_003 * slot, constant_liar=True)
        if self.exclusive:  # a trial that was interrupted keeps its settings
            for trial in self.study.get_trials(deepcopy=False, states=(TrialState.FAIL,)):
                if trial.user_attrs.get(SLOT) == slot:
                    with warnings.catch_warnings():  # marked as experimental since Optuna 2.4
                        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                        return optuna.samplers.PartialFixedSampler(trial.params, sampler)
        return sampler

    def _suggest(self, trial: optuna.Trial, slot: int) -> optuna.Trial:
        trial.suggest_float("sparsity", *self.config.sparsity)
        trial.suggest_int("update_every", *self.config.update_every)
        trial.suggest_float("update_fraction", *self.config.update_fraction)
        trial.set_user_attr(SLOT, slot)  # last, so that a trial with a slot has all settings
        return trial

    def _train(self, trials: list[optuna.Trial]) -> None:
        """Train one round and report its results to Optuna; interrupted trials are reported as failed."""
        import optuna

        runs = self.config.runs
        training = self.warm_up.branch(list(range(runs)) * len(trials), _settings(trials, runs))
        while trials and not training.finished:
            if training.step_epoch(self.monitor.should_stop) is None:
                for trial in trials:
                    self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
                return
            undecided = training.finished or training.epoch % PRUNE_EVERY
            if self.config.pruning and not undecided:
                training, trials = self._without_hopeless(training, trials)
        for trial, (accuracy, sparsity) in zip(trials, self._values(training, len(trials)), strict=True):
            trial.set_user_attr("accuracy", accuracy)
            trial.set_user_attr("final_sparsity", sparsity)
            self.study.tell(trial, accuracy + sparsity)

    def _without_hopeless(
        self, training: HeadTraining, trials: list[optuna.Trial]
    ) -> tuple[HeadTraining, list[optuna.Trial]]:
        """Stop the trials that the median pruner rejects, and continue with the others."""
        import optuna

        kept = []
        for place, (trial, value) in enumerate(zip(trials, self._values(training, len(trials)), strict=True)):
            trial.report(sum(value), training.epoch)
            if trial.should_prune():
                self.study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            else:
                kept.append(place)
        if len(kept) == len(trials):
            return training, trials
        runs = self.config.runs
        members = [place * runs + run for place in kept for run in range(runs)]
        return training.branch(members), [trials[place] for place in kept]

    def _values(self, training: HeadTraining, trials: int) -> list[tuple[float, float]]:
        """Return each trial's validation accuracy and sparsity after pruning, averaged over its runs."""
        if trials == 0:
            return []
        with torch_threads(1):
            head = prune(training.head())
            accuracy = accuracies(head, *self.validation).view(trials, -1).mean(1)
        size = sum(mask[0].numel() for mask in head.masks)
        sparsity = 1 - head.active_weights().double().view(trials, -1).mean(1) / size
        return list(zip(accuracy.tolist(), sparsity.tolist(), strict=True))

    def _report(self) -> None:
        """Report progress and the best trial so far."""
        done = _finished(self.study)
        self.monitor.emit(Progress(done, self.config.trials, "search"))
        if _complete(self.study):
            best = self.study.best_trial
            values = {"objective": float(best.value or 0.0), **best.params, **best.user_attrs}
            values.pop(SLOT, None)
            self.monitor.emit(Metrics(done, {name: float(value) for name, value in values.items()}))


def _run_config(config: TuneConfig, classifier: ClassifierConfig) -> ClassifierConfig:
    """Return the settings for every model of the search."""
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
    except Exception as error:  # each storage raises errors of its own driver
        raise InputError(
            f"The storage {config.storage!r} cannot be used for the search: expected the URL of a writable Optuna "
            f"storage, such as 'sqlite:///search.db' ({str(error).splitlines()[0]})."
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
