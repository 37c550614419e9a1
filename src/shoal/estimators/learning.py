"""The steps of the main job in memory: from a dataset to predictors, without folder, test rows, baselines and page."""

from __future__ import annotations

import threading

import numpy as np

from shoal.data import Dataset
from shoal.data.split.without_test import split_without_test
from shoal.errors import Interrupted, SettingError
from shoal.evaluation.fitted import Fitted
from shoal.evaluation.sealed import SealedRows
from shoal.helper_process import HelperProcess
from shoal.resources import available_cores
from shoal.runs.folder import NoFolder
from shoal.settings import FitSettings
from shoal.steps.assembling import Trained, assemble
from shoal.steps.choosing import keep_best
from shoal.steps.finishing import of_target, posed_for_each
from shoal.steps.posing import Posed
from shoal.steps.proposing import pose_search
from shoal.steps.session import Session
from shoal.steps.timing import Timing
from shoal.steps.training import train_candidates, train_replicas
from shoal.training.progress import Silent


def learn(dataset: Dataset, settings: FitSettings, n_jobs: int | None = None) -> tuple[Fitted, ...]:
    """Train, choose and calibrate as `shoal.fit` does; return what was made, for each of several targets of classes.

    Args:
        dataset: all of its rows train or validate.
        settings: what of the main job is wanted.
        n_jobs: threads of training; None: all cores, but one in a thread that is not the main one, since such threads
            share the cores; negative as joblib counts: -1 all, -2 all but one.

    Raises:
        SettingError: a setting does not suit the data, every network diverged, or the time was over too soon.
        DataError: data that cannot be used.
    """
    split = split_without_test(dataset, settings.validation_size, settings.seed, settings.folds)
    posed = Posed.of(dataset, split, settings)
    search, session = pose_search(posed), _session(n_jobs)
    try:
        training = train_candidates(posed, search, session)
        kept = keep_best(training, posed, session.folder)
        sealed = SealedRows(dataset, np.empty(0, np.int64), for_later=True)
        trained = Trained(posed, search.space, training, kept, sealed)
        parts = list(posed_for_each(posed))
        if dataset.classes_by_target:
            each = [of_target(trained, part, number) for number, part in enumerate(parts)]
        else:
            each = [trained]
        return tuple(_fitted(of_part, session) for of_part in each)
    except Interrupted as error:
        if error.exit_code == Interrupted.BY_USER:
            raise KeyboardInterrupt from None
        raise SettingError(
            f"minutes={settings.minutes:g}: no candidate had all of its networks trained by then; give more"
        ) from None


def _session(n_jobs: int | None) -> Session:
    cores = _most_cores(n_jobs)
    helper = HelperProcess(start=False)
    return Session(NoFolder(), Silent(), Timing(), helper, most_cores=cores, writes_page=False)


def _most_cores(n_jobs: int | None) -> int | None:
    """Return how many cores training may use at most, None for all that the process may."""
    if n_jobs is None:
        return None if threading.current_thread() is threading.main_thread() else 1
    if isinstance(n_jobs, bool) or not isinstance(n_jobs, int) or n_jobs == 0:
        raise SettingError(f"n_jobs: expected a whole number other than 0, or None, got n_jobs={n_jobs!r}")
    return n_jobs if n_jobs > 0 else max(1, available_cores() + 1 + n_jobs)


def _fitted(trained: Trained, session: Session) -> Fitted:
    """Return what was trained with its error bars."""
    replicas = train_replicas(trained.posed, trained.kept.members, session, trained.training)
    return assemble(trained, replicas, lambda _: {})
