"""A run's folder: made so that nothing is overwritten by accident, opened so that damage is named."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import RunError, suggest
from shoal.runs import checkpoint, config_file, log, metrics_file, model_file, page_file, scored_file
from shoal.runs.checksums import check_file, settings_checksum
from shoal.runs.new_folder import FIGURES, FORMULA, MODEL, TARGETS, exact, folders_of_targets, numbered, remove, slug
from shoal.runs.state import RunState
from shoal.runs.writing import cannot_write

if TYPE_CHECKING:
    from shoal.evaluation.predicted_rows import PredictedRows
    from shoal.evaluation.record import Record
    from shoal.prediction.predictor import Predictor

START_AGAIN = "Fit again with a smaller --learning-rate."


class RunFolder(RunState):
    """The folder in which everything about one run is kept.

    Args:
        path: an existing folder; use `RunFolder.create` or `RunFolder.open`.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as root:
        ...     folder = RunFolder.create(None, "iris", root=root)
        ...     _ = folder.write_config({"seed": 0})
        ...     RunFolder.open(folder.path).config["settings"]
        {'seed': 0}
    """

    def __repr__(self) -> str:
        return f"RunFolder({str(self.path)!r})"

    @property
    def name(self) -> str:
        """The folder's own name, e.g. `iris-1`."""
        return self.path.resolve().name

    @classmethod
    def create(cls, path: str | Path | None, name: str, root: str | Path = "runs", *, force: bool = False) -> RunFolder:
        """Make the folder of a new run.

        Args:
            path: the exact folder, or None for `root/name-number` with the next free number.
            name: name of the data (or its path); letters that file names dislike become `-`.
            root: folder of numbered runs.
            force: replace the run that `path` holds; files that shoal did not write are kept.

        Raises:
            RunError: the folder exists and is not empty, holds something other than a run, is being written by another
                process, or cannot be made.
        """
        try:
            if path is None:
                return cls(numbered(Path(root), slug(name)))
            return cls(exact(Path(path), force))
        except RunError:
            raise
        except OSError as error:
            raise cannot_write(path if path is not None else root, error) from error

    @classmethod
    def open(cls, path: str | Path) -> RunFolder:
        """Open the folder of an existing run.

        Raises:
            RunError: there is no such folder, it is not a run, or its `config.toml` is damaged or of a newer
                format. Other files are checked when they are read.
        """
        path = Path(path)
        if not path.exists():
            nearest = suggest(str(path), _neighbours(path))
            raise RunError(f"there is no run folder {str(path)!r}.{nearest} `shoal runs` lists the runs.")
        if not path.is_dir():
            raise RunError(f"{str(path)!r} is a file; expected the folder of a run, e.g. 'runs/iris-1'.")
        folder = cls(path)
        if not folder.holds_anything:
            raise RunError(f"{str(path)!r} is not a run folder: it holds no {config_file.NAME}.")
        config_file.read_config(path)
        return folder

    @property
    def config(self) -> dict[str, Any]:
        """The content of `config.toml`: `settings`, `data`, `versions`, `command`, `cores`, `created`,
        `format`.

        Raises:
            RunError: it is missing, or not as shoal wrote it.
        """
        self._check(config_file.NAME)
        return config_file.read_config(self.path, unchanged=True)

    def _check(self, name: str) -> None:
        """Raise RunError if a file is not the one that the run wrote, as far as its numbers know."""
        try:
            status = (self.path / metrics_file.NAME).stat()
        except OSError:
            return  # what needs no numbers goes on without them
        check_file(self.path, name, _numbers(self.path, status.st_mtime_ns, status.st_size, status.st_ino))

    @property
    def source(self) -> str | None:
        """What the fit read its data from, a path or the name of a built-in set; None for data from Python."""
        data = self.config["data"]
        if data["source"] == "python":
            return None
        return str(data["name"] if data["source"] == "built in" else data["source"])

    def block_of(self, rows: int) -> int:
        """Return how many neighbours of so many rows count as one: one, but more of windows, which overlap."""
        from shoal.statistics.bootstrap import block_length

        settings = self.config["settings"]
        return block_length(rows, settings.get("horizon", 1)) if settings.get("window") else 1

    def write_config(self, settings: dict[str, Any], **rest: Any) -> Path:
        """Write `config.toml`; `rest` as in `config_file.write_config`: data, versions, command, cores, created."""
        return config_file.write_config(self.path, settings, **rest)

    def metrics(self) -> dict[str, Any]:
        """Return the content of `metrics.json`; RunError if it is missing, damaged or too new."""
        return metrics_file.read_metrics(self.path)

    def write_metrics(self, record: Record) -> Path:
        """Write `metrics.json` from a finished run."""
        return metrics_file.write_metrics(self.path, record)

    def write_scored(self, record: Record) -> Path | None:
        """Write the validation and test rows with their predictions; None where nothing is predicted."""
        from shoal.evaluation.topics.scored_rows import ScoredRows

        scored = record.get(ScoredRows)
        return None if scored is None else scored_file.write_scored(self.path, scored.parts)

    @property
    def has_scored(self) -> bool:
        """Whether the folder keeps the test rows with their predictions."""
        return (self.path / scored_file.NAME).is_file()

    def scored(self, part: str) -> PredictedRows:
        """Return the `validation` or `test` rows with their predictions; RunError if they are not there or sealed."""
        self.check_test_opened()
        self._check(scored_file.NAME)
        return scored_file.read_scored(self.path, part)

    @property
    def log(self) -> Path:
        """The path of the log of all networks and curves, which `shoal.runs.log` reads; RunError if it is damaged."""
        self._check(log.NAME)
        return self.path / log.NAME

    def write_log(self, record: Record) -> Path:
        """Write `log.sqlite` from a finished run."""
        return log.write_log(self.path / log.NAME, record)

    def predictor(self) -> Predictor:
        """Load the saved predictor; RunError if a file is missing, damaged or too new."""
        if self.diverged:
            raise RunError(f"{str(self.path)!r} holds no model, since its networks diverged. {START_AGAIN}")
        self._check(f"{MODEL}/{model_file.DOCUMENT}")
        return model_file.load_model(self.path / MODEL)

    def write_model(self, predictor: Predictor) -> Path:
        """Save the predictor in `model/`."""
        return model_file.save_model(self.path / MODEL, predictor)

    def save_checkpoint(self, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> Path:
        """Save the state of the unfinished run in `checkpoint/`."""
        known = (self.path / config_file.NAME).is_file()
        # a time budget from now on settles how many networks there are, which was a default before
        settings = {"settings": settings_checksum(self.path, "networks")} if known else {}
        return checkpoint.save_checkpoint(self.path, {**meta, **settings}, arrays)

    def load_checkpoint(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the state of the run, unfinished or sealed; RunError if it is damaged, or of other settings."""
        name = checkpoint.SEALED if self.test_sealed else checkpoint.FOLDER
        meta, arrays = checkpoint.load_checkpoint(self.path, name)
        if meta.pop("settings", None) not in (None, settings_checksum(self.path, "networks")):
            raise RunError(
                f"{str(self.path / config_file.NAME)!r} is damaged, changed, or of another run: the checkpoint "
                "beside it is of other data or settings. Restore it from a copy, or start the run again."
            )
        return meta, arrays

    def remove_checkpoint(self) -> None:
        """Remove the state of the unfinished run, if there is one; for a run that is finished."""
        checkpoint.remove_checkpoint(self.path)

    def seal_checkpoint(self) -> None:
        """Keep the state of the run until its test rows are opened; for a run that is finished otherwise."""
        checkpoint.seal_checkpoint(self.path)

    def remove_sealed(self) -> None:
        """Remove the state of a run whose test rows were sealed and are opened now, if there is one."""
        checkpoint.remove_checkpoint(self.path, checkpoint.SEALED)

    @property
    def figures(self) -> Path:
        """The folder of figures; RunError if the numbers in it are damaged."""
        self._check(f"{FIGURES}/numbers.safetensors")
        return self.path / FIGURES

    @property
    def formula(self) -> Path:
        """The folder of formulas."""
        return self.path / FORMULA

    @property
    def report(self) -> Path:
        """The path of the page."""
        return self.path / page_file.NAME

    def new_folders_of_targets(self, names: Sequence[str]) -> list[RunFolder]:
        """Make the folders of the runs of several targets, empty."""
        remove(self.path / TARGETS)
        folders = [self.path / folder for folder in folders_of_targets(names)]
        for folder in folders:
            folder.mkdir(parents=True)
        return [RunFolder(folder) for folder in folders]

    @property
    def targets(self) -> dict[str, RunFolder]:
        """The run of each of several targets of classes, by its name; empty where there is one target."""
        if not (self.path / TARGETS).is_dir():
            return {}
        names = self.metrics()["target"]
        return {
            name: RunFolder(self.path / folder) for name, folder in zip(names, folders_of_targets(names), strict=True)
        }


class NoFolder(RunFolder):
    """In place of the folder of a fit in memory: nothing is kept on the way, and nothing can be gone on with."""

    has_checkpoint = test_sealed = False
    source = None

    def __init__(self) -> None:
        super().__init__("memory")

    def save_checkpoint(self, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> Path:  # noqa: ARG002
        """Keep nothing."""
        return self.path


@lru_cache(maxsize=16)
def _numbers(path: Path, *version: int) -> dict[str, Any]:
    """Return the content of `metrics.json`, which is read anew where its version changed; empty where it is damaged."""
    del version
    with contextlib.suppress(RunError):
        return metrics_file.read_metrics(path)
    return {}


def _neighbours(path: Path) -> list[str]:
    """Return the runs that the user may have meant by a path that does not exist."""
    names: list[str] = []
    for root in {path.parent, Path("runs")}:
        with contextlib.suppress(OSError):
            names += [str(entry) for entry in sorted(root.iterdir()) if (entry / config_file.NAME).exists()]
    return names
