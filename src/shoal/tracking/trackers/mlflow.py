"""MLflow: the run with its settings, scores and files, and each candidate as a run below it.

Where `MLFLOW_TRACKING_URI` or `mlflow.set_tracking_uri` names a place, it is told there; else in files beside the run.
Its experiment is that of `MLFLOW_EXPERIMENT_NAME`, else that of the name of the data.
"""

from __future__ import annotations

import logging
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.tracking.finished import FinishedRun, TriedCandidate

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric

PACKAGE = "mlflow"
MOST_METRICS, MOST_PARAMETERS, LONGEST = 1000, 100, 500  # of one request, and letters of a value
# Nothing is sent but to the tracking server, nothing printed, and a server that is away is not waited for long. The
# files are in the format that mlflow-skinny can write by itself; a database would need two more packages.
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ALLOW_FILE_STORE": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}


def write(run: FinishedRun, folder: str) -> None:
    """Log a run and its candidates to the place that the user named, or into files in a folder."""
    with _quiet():
        import mlflow

        uri = None if mlflow.is_tracking_uri_set() else Path(folder).as_uri()
        client = mlflow.MlflowClient(tracking_uri=uri)
        experiment = _experiment(client, os.environ.get("MLFLOW_EXPERIMENT_NAME") or run.data)
        tags = {"mlflow.note.content": run.verdict, "mlflow.source.name": run.command, "shoal.run": str(run.path)}
        with _logged(client, experiment, run, run.name, tags) as parent:
            _log(client, parent, run.settings, _at(run.scores, run.began))
            for path in run.artefacts:
                if path.is_dir():
                    client.log_artifacts(parent, str(path), path.name)
                else:
                    client.log_artifact(parent, str(path))
            for candidate in run.candidates:
                below = {"mlflow.parentRunId": parent}
                with _logged(client, experiment, run, f"candidate {candidate.number}", below) as child:
                    metrics = _at(candidate.results, run.began) + _of_curves(candidate, run.began)
                    _log(client, child, candidate.hyperparameters, metrics)


def _experiment(client: MlflowClient, name: str) -> str:
    known = client.get_experiment_by_name(name)
    return str(client.create_experiment(name) if known is None else known.experiment_id)


@contextmanager
def _logged(
    client: MlflowClient, experiment: str, run: FinishedRun, name: str, tags: Mapping[str, str]
) -> Iterator[str]:
    """Give the id of a new run, which ends with the block: well, or as failed where the block fails."""
    created = client.create_run(experiment, start_time=int(1000 * run.began), tags=dict(tags), run_name=name)
    identity = str(created.info.run_id)
    try:
        yield identity
    except Exception:
        client.set_terminated(identity, "FAILED")
        raise
    client.set_terminated(identity)


def _log(client: MlflowClient, identity: str, parameters: Mapping[str, Any], metrics: list[Metric]) -> None:
    """Log parameters and metrics in as many requests as MLflow wants them in."""
    from mlflow.entities import Param

    pairs = [Param(_key(name), str(value)[:LONGEST]) for name, value in parameters.items()]
    for first in range(0, len(pairs), MOST_PARAMETERS):
        client.log_batch(identity, params=pairs[first : first + MOST_PARAMETERS])
    for first in range(0, len(metrics), MOST_METRICS):
        client.log_batch(identity, metrics=metrics[first : first + MOST_METRICS])


def _at(values: Mapping[str, float], began: float, step: int = 0) -> list[Metric]:
    from mlflow.entities import Metric

    return [Metric(_key(name), value, int(1000 * began), step) for name, value in values.items()]


def _of_curves(candidate: TriedCandidate, began: float) -> list[Metric]:
    """Return the values of all epochs; of several networks each has its number before the name."""
    alone, metrics = len(candidate.curves) == 1, []
    for number, curves in candidate.curves.items():
        start = "" if alone else f"network_{number}/"
        for name, values in curves.items():
            for epoch, value in enumerate(values.tolist(), 1):
                metrics += _at({f"{start}{name}": value}, began, epoch)
    return metrics


def _key(name: str) -> str:
    """Return a name with what MLflow allows in names only.

    Example:
        >>> _key("test/f1@0.5")
        'test/f1_0.5'
    """
    return re.sub(r"[^\w. /-]", "_", name)


@contextmanager
def _quiet() -> Iterator[None]:
    """Let MLflow work without messages and warnings of its own, in `ENVIRONMENT` where the user wants nothing else."""
    logger, added = logging.getLogger("mlflow"), {name: v for name, v in ENVIRONMENT.items() if name not in os.environ}
    os.environ.update(added)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import mlflow  # noqa: F401 - which sets the level of its logger

            level = logger.level
            logger.setLevel(logging.CRITICAL)
            try:
                yield
            finally:
                logger.setLevel(level)
    finally:
        for name in added:
            del os.environ[name]
