"""A run's folder: made so that nothing is overwritten by accident, opened so that damage is named."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import RunError, suggest
from shoal.evaluation.topics.scored_rows import ScoredRows
from shoal.runs import checkpoint, config_file, lock, log, looks_file, metrics_file, model_file, page_file, scored_file
from shoal.runs.checksums import check_file, settings_checksum
from shoal.runs.lock import Lock, locked
from shoal.runs.writing import cannot_write, is_part, remove_parts
from shoal.statistics.bootstrap import block_length

if TYPE_CHECKING:
    from shoal.evaluation.predicted_rows import PredictedRows
    from shoal.evaluation.record import Record
    from shoal.prediction.predictor import Predictor

MODEL, FIGURES, FORMULA, SYSTEMATICS, EXPLANATION = "model", "figures", "formula", "systematics", "explanation"
TARGETS = "targets"  # of classes, where there are several: a run of each
# All that shoal itself puts into a run folder; nothing else is ever removed.
CONTENTS = (
    config_file.NAME,
    log.NAME,
    metrics_file.NAME,
    scored_file.NAME,
    page_file.NAME,
    MODEL,
    FIGURES,
    SYSTEMATICS,
    EXPLANATION,
    FORMULA,
    TARGETS,
    checkpoint.FOLDER,
    checkpoint.SEALED,
)
ESSENTIAL = (metrics_file.NAME, f"{MODEL}/{model_file.DOCUMENT}")
FOLDERS = (MODEL, FIGURES, SYSTEMATICS, EXPLANATION, FORMULA, checkpoint.FOLDER, checkpoint.SEALED)


START_AGAIN = "Fit again with a smaller --learning-rate."


class RunFolder:
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

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

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
                return cls(_numbered(Path(root), slug(name)))
            return cls(_exact(Path(path), force))
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
    def holds_anything(self) -> bool:
        """Whether anything of a run lies in the folder."""
        return any((self.path / part).exists() for part in CONTENTS)

    @property
    def config(self) -> dict[str, Any]:
        """The content of `config.toml`: `settings`, `data`, `versions`, `command`, `cores`, `created`,
        `format`.

        Raises:
            RunError: it is missing, or not as shoal wrote it.
        """
        self._check(config_file.NAME)
        return config_file.read_config(self.path, unchanged=True)

    def lock(self, *, resumed: bool) -> Lock:
        """Return the right to write the run, until it is released; what killed processes left half written is removed.

        Args:
            resumed: the folder holds a run that is not finished; else it must be empty still.

        Raises:
            RunError: another process writes in it, or has done so meanwhile.
        """
        held = Lock(self.path)
        held.acquire()
        self._tidy()
        if resumed and self.finished:
            held.release()
            self.check_unfinished()
        if not resumed and (self.path / config_file.NAME).exists():
            held.release()
            raise _not_empty(self.path)
        return held

    @contextlib.contextmanager
    def writing(self, place: str | Path) -> Iterator[None]:
        """Write what later work gives: alone, where `place` lies in the folder of the run, which must be finished.

        Raises:
            RunError: another process writes in the folder, or has begun the run anew.
        """
        inside = Path(place).resolve().is_relative_to(self.path.resolve())
        with locked(self.path) if inside else contextlib.nullcontext():
            if inside:
                self.check_finished()
            yield

    def _tidy(self) -> None:
        """Remove what killed processes left half written, and half removed."""
        for folder in (self.path, *(self.path / name for name in FOLDERS)):
            remove_parts(folder, alone=True)
            for deeper in folder.glob("*/") if folder != self.path else ():
                remove_parts(deeper, alone=True)
        if not self.has_checkpoint:
            checkpoint.remove_checkpoint(self.path)

    def _check(self, name: str) -> None:
        """Raise RunError if a file is not the one that the run wrote, as far as its numbers know."""
        try:
            metrics = self.metrics()
        except RunError:
            return  # what needs no numbers goes on without them
        check_file(self.path, name, metrics)

    @property
    def source(self) -> str | None:
        """What the fit read its data from, a path or the name of a built-in set; None for data from Python."""
        data = self.config["data"]
        if data["source"] == "python":
            return None
        return str(data["name"] if data["source"] == "built in" else data["source"])

    def block_of(self, rows: int) -> int:
        """Return how many neighbours of so many rows count as one: one, but more of windows, which overlap."""
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

    @property
    def has_checkpoint(self) -> bool:
        """Whether the folder holds the state of an unfinished run."""
        return checkpoint.has_checkpoint(self.path)

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
    def test_sealed(self) -> bool:
        """Whether the run is finished and its test rows wait for `shoal open`."""
        return checkpoint.has_checkpoint(self.path, checkpoint.SEALED) and not self.has_checkpoint

    @property
    def seal_lost(self) -> bool:
        """Whether the run is sealed, but what it kept to be opened from is gone."""
        if self.test_sealed or self.missing:
            return False
        return self.metrics().get("test_openings", 1) == 0

    def check_test_opened(self) -> None:
        """Raise RunError, which says how to open them, if the test rows are sealed."""
        if self.test_sealed or self.seal_lost:
            raise RunError(
                f"the test rows of {str(self.path)!r} are sealed, and nothing is scored on labelled rows before they "
                f"are opened. Open them once, for all runs that are to be compared: `shoal open {self.path}`"
            )

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

    @property
    def missing(self) -> list[str]:
        """What each finished run has and this folder has not, of `metrics.json` and `model/model.json`."""
        return [name for name in ESSENTIAL if not (self.path / name).is_file()]

    @property
    def finished(self) -> bool:
        """Whether the run came to its end: the numbers and the model are there, and nothing to go on from."""
        return not self.missing and not self.has_checkpoint

    def check_finished(self) -> None:
        """Raise RunError, which says how to go on, unless the run came to its end; what was deleted later may lack."""
        if self.has_checkpoint or len(self.missing) == len(ESSENTIAL):
            raise RunError(f"the run {str(self.path)!r} is not finished; {self.how_to_go_on}.")

    def check_unfinished(self) -> None:
        """Raise RunError if the run came to its end, or if another process writes it.

        What a process left that was killed at the very end is removed.
        """
        if self.finished:
            with locked(self.path):
                self._tidy()
            raise RunError(f"{str(self.path)!r} is finished; there is nothing to go on with")
        who = lock.writer(self.path)
        if who is not None:
            raise lock.busy(self.path, who)

    @property
    def how_to_go_on(self) -> str:
        """What is to be done with a run that is not finished."""
        who = lock.writer(self.path)
        if who is not None:
            return f"it is being written by {who}"
        resume = f"`shoal fit --resume {self.path}`"
        return f"{resume} goes on with it" if self.has_checkpoint else f"fit it again, e.g. with {resume}"

    @property
    def diverged(self) -> bool:
        """Whether all that is left of the run are its numbers and curves: its networks diverged, and none was kept."""
        if self.missing != [ESSENTIAL[1]] or self.has_checkpoint:
            return False
        with contextlib.suppress(RunError):
            return "test" not in self.metrics()
        return False

    def new_folders_of_targets(self, names: Sequence[str]) -> list[RunFolder]:
        """Make the folders of the runs of several targets, empty."""
        _remove(self.path / TARGETS)
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

    def remove_if_unused(self) -> None:
        """Remove what a run wrote that failed before anything was trained or kept."""
        if self.finished or self.diverged or self.has_checkpoint:
            return
        with contextlib.suppress(OSError):  # the error that ended the run is the one to tell
            for part in CONTENTS:
                _remove(self.path / part)
            self.path.rmdir()


def folders_of_targets(names: Iterable[str]) -> list[str]:
    """Return where in the folder of a run those of its targets lie.

    Example:
        >>> folders_of_targets(["sex", "Sex", "age in years"])
        ['targets/1-sex', 'targets/2-Sex', 'targets/age-in-years']
    """
    slugs = [slug(name) for name in names]
    alike = [sum(other.lower() == each.lower() for other in slugs) > 1 for each in slugs]
    return [f"{TARGETS}/{f'{i}-' * same}{each}" for i, (each, same) in enumerate(zip(slugs, alike, strict=True), 1)]


def slug(name: str) -> str:
    """Return a file name made of the name of the data.

    Example:
        >>> slug("data/Über messungen 3.csv.gz"), slug("iris")
        ('Über-messungen-3', 'iris')
    """
    stem = Path(str(name)).name
    stem = re.sub(r"(\.[A-Za-z][A-Za-z0-9]{0,7}){1,2}$", "", stem) or stem
    return re.sub(r"[^\w.+-]+", "-", stem).strip("-.")[:80] or "run"


def _numbered(root: Path, name: str) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    pattern = re.compile(re.escape(name) + r"-(\d+)")
    taken = [int(match[1]) for entry in root.iterdir() if (match := pattern.fullmatch(entry.name))]
    number = max(taken, default=0) + 1
    while True:
        # mkdir decides who gets a number when two runs start at once.
        try:
            (root / f"{name}-{number}").mkdir()
        except FileExistsError:
            number += 1
        else:
            return root / f"{name}-{number}"


def _exact(path: Path, force: bool) -> Path:
    if path.exists() and not path.is_dir():
        raise RunError(f"{str(path)!r} is a file; expected a new folder for the run. Choose another with --out.")
    path.mkdir(parents=True, exist_ok=True)
    who = lock.writer(path)
    if who is not None:
        raise lock.busy(path, who)
    if not _content(path):
        return path
    if not force:
        raise _not_empty(path)
    if not (path / config_file.NAME).is_file():
        raise RunError(
            f"{str(path)!r} holds no run ({config_file.NAME} is missing), so --force does not replace it. "
            "Choose another folder with --out."
        )
    with locked(path):
        looks_file.keep_look(path)
        for part in (checkpoint.FOLDER, *CONTENTS):  # a run that is half removed is not to look finished
            _remove(path / part)
    return path


def _content(path: Path) -> list[Path]:
    """Return what is in a folder, but for what a killed process leaves."""
    return [entry for entry in path.iterdir() if entry.name != lock.NAME and not is_part(entry)]


def _not_empty(path: Path) -> RunError:
    return RunError(
        f"the folder {str(path)!r} exists and is not empty. Choose another with --out, or replace "
        "the run in it with --force."
    )


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _neighbours(path: Path) -> list[str]:
    """Return the runs that the user may have meant by a path that does not exist."""
    names: list[str] = []
    for root in {path.parent, Path("runs")}:
        with contextlib.suppress(OSError):
            names += [str(entry) for entry in sorted(root.iterdir()) if (entry / config_file.NAME).exists()]
    return names
