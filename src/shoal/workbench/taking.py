"""What is taken away from a run: made by the command line in a process of its own, and sent as a file."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from shoal.errors import RunError, SettingError
from shoal.workbench.jobs import Jobs, environment

SECONDS = 900.0
"""The most that making a file may take."""
FIGURES = ("pdf", "svg", "png")


class Format(NamedTuple):
    """How a model can be written: the ending of its file, its title, what it is, and further words of the command."""

    ending: str
    title: str
    what: str
    words: tuple[str, ...] = ()


FORMATS = {
    "onnx": Format(".onnx", "ONNX", "one graph with the columns of the file as inputs, for many languages"),
    "keras": Format(".keras", "Keras", "loads on TensorFlow, JAX and PyTorch"),
    "c": Format(".c", "C", "C99 without a library, a header beside it"),
    "fixed": Format(".c", "C, whole numbers", "for processors without floating point", ("--fixed",)),
    "fortran": Format(".f90", "Fortran", "a module of Fortran 2008, and a program that checks it"),
    "python": Format(".py", "Python", "one file that needs NumPy only"),
    "lwtnn": Format(".lwtnn.json", "lwtnn", "one dense network, for C++", ("--member", "smallest")),
}
TABLES = ("csv", "parquet", "jsonl", "fits", "root")


async def model(jobs: Jobs, run: str, form: str) -> Path:
    """Write the model of a run for another program; of several files, a ZIP.

    Returns:
        The file, in a folder of its own, which the caller removes.

    Raises:
        SettingError: there is no such format.
        RunError: it cannot be written, as the message says.
    """
    if form not in FORMATS:
        raise SettingError(f"there is no format {form!r}; there are {', '.join(FORMATS)}.")
    chosen = FORMATS[form]
    return await _made(jobs, run, f"{run}{chosen.ending}", ["export", str(jobs.path(run))], [*chosen.words])


async def figures(jobs: Jobs, run: str, form: str) -> Path:
    """Draw the figures of a run again, as PDF, SVG or PNG with their numbers as CSV, in a ZIP."""
    if form not in FIGURES:
        raise SettingError(f"figures are drawn as {', '.join(FIGURES)}, got {form!r}.")
    words = ["figures", str(jobs.path(run)), "--format", form, "--out"]
    return await _made(jobs, run, "figures", words, [], zipped=f"{run}-figures.zip")


async def predictions(jobs: Jobs, run: str, data: str, form: str) -> Path:
    """Add predictions with error bars to a file of the working folder."""
    if form not in TABLES:
        raise SettingError(f"tables are written as {', '.join(TABLES)}, got {form!r}.")
    source = jobs.folder / data
    if "://" in data or not source.exists():
        raise RunError(f"there is no file {data!r} in the working folder.")
    name = f"{Path(data).name.split('.')[0] or 'rows'}-predictions.{form}"
    return await _made(jobs, run, name, ["predict", str(jobs.path(run)), str(source), "--quiet", "--out"], [])


async def whole(jobs: Jobs, run: str) -> Path:
    """Return the folder of a run as a ZIP, which `shoal.load` reads elsewhere once it is unpacked."""
    path = jobs.path(run)
    jobs.job(run)  # or it is not there
    made = Path(tempfile.mkdtemp(prefix="shoal-"))
    return await asyncio.to_thread(_zipped, [*path.rglob("*")], path.parent, made / f"{run}.zip")


async def _made(
    jobs: Jobs, run: str, name: str, words: Sequence[str], more: Sequence[str], *, zipped: str = ""
) -> Path:
    """Run a command that writes into a folder of its own, and return its file, or all of them as one."""
    jobs.job(run)  # or it is not there
    folder = Path(tempfile.mkdtemp(prefix="shoal-"))
    try:
        await _command([*words, str(folder / name), *more], jobs.folder)
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        if len(files) == 1 and not zipped:
            return files[0]
        return await asyncio.to_thread(_zipped, files, folder, folder / (zipped or f"{run}.zip"))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


async def _command(words: Sequence[str], folder: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "shoal", *words, cwd=folder, env=environment(), stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(SECONDS):
            _, said = await process.communicate()
    except TimeoutError:
        raise RunError(f"it took longer than {SECONDS / 60:g} minutes, and was ended.") from None
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode:
        lines = said.decode("utf-8", "replace").strip().splitlines()
        errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
        raise RunError(" ".join(errors or lines[-1:]) or f"shoal {words[0]} ended with code {process.returncode}.")


def _zipped(files: Sequence[Path], root: Path, to: Path) -> Path:
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            if file.is_file() and file != to:
                archive.write(file, file.relative_to(root))
    return to
