"""What every format of exported models offers, and how well a written file agrees with shoal."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from shoal.errors import ExportError
from shoal.export.example_rows import ExampleRows
from shoal.prediction.ensemble import EnsembleMember
from shoal.prediction.predictor import Predictor

TOLERANCE = 1e-5
"""A written model agrees if no number is further off, in units of one more than its size."""


@dataclass(frozen=True)
class Written:
    """What a format makes of a predictor.

    Attributes:
        files: to write, the main one first.
        notes: in sentences what the format leaves out.
        answers: of fixed point, to the rows by which its units were chosen.
    """

    files: dict[Path, bytes]
    notes: tuple[str, ...] = ()
    answers: Mapping[str, np.ndarray] | None = None


@dataclass(frozen=True)
class Agreement:
    """How well a written model agrees with shoal.

    Attributes:
        rows: how many were compared; 0: none.
        kind: of the rows, `test` or `validation`.
        largest: difference of a number, in units of one more than its size; None where none were compared.
        flags: truth values, sets and classes that differ.
        by: what ran the model, as a sentence goes on: `by onnxruntime 1.23`; or why nothing did.
        tolerance: up to which a difference counts as none.
        other: what it was compared with.
    """

    rows: int
    kind: str
    largest: float | None
    flags: int
    by: str
    tolerance: float = TOLERANCE
    other: str = "shoal"

    @classmethod
    def none(cls, reason: str) -> Agreement:
        """Return that nothing was compared, for a reason that is a sentence."""
        return cls(0, "", None, 0, reason)

    @classmethod
    def between(cls, said: Mapping[str, np.ndarray], examples: ExampleRows, by: str) -> Agreement:
        """Return how well outputs `(rows, ...)` agree with the answers to rows of the same names.

        What is said of steps behind the end of a series does not count.
        """
        largest, flags = 0.0, 0
        for name, values in said.items():
            counted = examples.counts(name)
            given = np.asarray(values).reshape(counted.shape)[counted]
            wanted = np.asarray(examples.answers[name])[counted]
            if given.dtype == bool:
                flags += int((given != wanted.astype(bool)).sum())
            else:
                off = np.abs(given - wanted) / (1.0 + np.abs(wanted))
                off = np.where(np.isnan(given) & np.isnan(wanted), 0.0, np.where(np.isnan(off), np.inf, off))
                largest = max(largest, float(off.max(initial=0.0)))
        return cls(len(examples), examples.kind, largest, flags, by)

    @property
    def holds(self) -> bool:
        """Whether the model was run and no number or flag is off."""
        return self.largest is not None and self.largest <= self.tolerance and self.flags == 0

    def __str__(self) -> str:
        if self.largest is None:
            return self.by
        verdict = "agrees" if self.holds else "DISAGREES"
        return (
            f"Run {self.by}, it {verdict} with {self.other}: {self.rows} {self.kind} rows: largest difference "
            f"{self.largest:.2g}, {self.flags} flags differ."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


class Exporter(ABC):
    """Writes predictors in one format. A new one is a file with one class, and a line in `exporters`.

    Attributes:
        name: of the format, in messages.
        extension: of its files, with the dot.
    """

    name: ClassVar[str]
    extension: ClassVar[str]

    def written_member(
        self,
        predictor: Predictor,  # noqa: ARG002
        member: EnsembleMember,
        path: Path,  # noqa: ARG002
        examples: ExampleRows | None,  # noqa: ARG002
    ) -> tuple[Written, ExampleRows | None]:
        """Return the files of one member alone, as a plain network, and rows as it takes them with what it says.

        Raises:
            ExportError: the format has no plain networks, or cannot say this one.
        """
        raise ExportError(
            f"{self.name} is written whole, not network {member.id} alone. Leave out --member, or use .keras or "
            f".lwtnn.json"
        )

    @abstractmethod
    def written(self, predictor: Predictor, path: Path, examples: ExampleRows | None) -> Written:
        """Return the files to write; nothing is written yet.

        Args:
            predictor: what to write.
            path: of the first file.
            examples: rows with their answers, by which the file can check itself; None: it cannot.

        Raises:
            ExportError: the format cannot say all of the predictor, or a package is missing.
        """

    @abstractmethod
    def checked(self, files: dict[Path, bytes], examples: ExampleRows) -> Agreement:
        """Run what is in the files on rows, and return how well it agrees with shoal."""

    def in_fixed_point(self, seen: ExampleRows) -> Exporter:
        """Return what writes the same in fixed point, with units for the numbers of rows that were seen.

        Raises:
            ExportError: the format has no fixed point.
        """
        del seen
        raise ExportError(f"{self.name} is written in floating point only; fixed point needs a name that ends in .c")
