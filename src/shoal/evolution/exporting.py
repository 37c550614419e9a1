"""Policies as C, Fortran, Python or Keras, for robots and other programs, by the exporters of finished runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from shoal.errors import ExportError, RunError
from shoal.evolution.acting import trajectory
from shoal.evolution.environments import Environment, environment_of
from shoal.evolution.policy import Policy
from shoal.evolution.tasks import Part
from shoal.export.c import SourceExporter
from shoal.export.example_rows import ExampleRows
from shoal.export.exporter import Agreement
from shoal.export.exporters import exporter_of
from shoal.export.source.answers import network_answers
from shoal.runs.writing import write_files
from shoal.streams import Stream
from shoal.trained.keras_files import write_keras

MOST_ROWS = 64


@dataclass(frozen=True)
class ExportedPolicy:
    """The files that were written, the main one first, and how well they agree with shoal."""

    files: tuple[Path, ...]
    agreement: Agreement


def export_policy(policy: Policy, path: str | Path, seen: np.ndarray, *, force: bool = False) -> ExportedPolicy:
    """Write a policy alone, without error bars: observations as they are in, outputs as they are out.

    Args:
        policy: what to write.
        path: where to; its ending says the format: .c, .f90, .py or .keras.
        seen: observations `(rows, observations)` by which the file checks itself.
        force: replace files that are there.

    Raises:
        ExportError: another ending, or the format cannot say a layer.
        RunError: a file is there, or cannot be written.
    """
    path = Path(path)
    if path.exists() and not force:
        raise RunError(f"the file {str(path)!r} exists. Choose another, or replace it with --force.")
    if path.suffix.lower() == ".keras":
        return ExportedPolicy((write_keras(policy.network, policy.parameters, path),), Agreement.none("Keras runs it."))
    exporter = exporter_of(path.name)
    if not isinstance(exporter, SourceExporter):
        raise ExportError(f"policies are written as .c, .f90, .py or .keras, got {path.name!r}")
    answers = network_answers(policy.network, policy.parameters, policy.observations, policy.actions)
    said = {"action": np.asarray(policy(seen), float)}
    rows = ExampleRows({}, np.asarray(seen, np.float64), seen, said, "observation")
    files = exporter.written_answers(answers, path, rows).files
    write_files(files, force=force)
    return ExportedPolicy(tuple(files), exporter.checked(files, rows))


def export_champion(
    policy: Policy, said: Mapping[str, Any], path: str | Path, *, force: bool = False
) -> ExportedPolicy:
    """Write the champion of a folder, with what `evolution.json` says; see `export_policy`.

    It checks itself by what it sees from an unseen start of its environment, else by random numbers.
    """
    if said["environment"] is None:
        return export_policy(policy, path, random_rows(policy), force=force)
    world = environment_of(said["environment"])
    start = world.starts(1, Stream(said["settings"]["seed"], int(Part.TEST)))[:, 0]
    return export_policy(policy, path, seen_from(world, policy, start), force=force)


def seen_from(world: Environment, policy: Policy, start: np.ndarray) -> np.ndarray:
    """Return what a policy sees in the first steps from a start, `(rows, observations)`."""
    states = [state for state, _, _ in trajectory(world, policy, start, MOST_ROWS)]
    return np.asarray(world.observe(np.array(states).T).T, np.float32)


def random_rows(policy: Policy) -> np.ndarray:
    """Return standard normal observations `(rows, observations)`."""
    return np.random.default_rng(0).standard_normal((MOST_ROWS, len(policy.observations))).astype(np.float32)
