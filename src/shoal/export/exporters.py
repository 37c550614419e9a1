"""The formats in which a predictor can be written for other programs. A new one is one class and one line here."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from shoal.export.example_rows import ExampleRows
from shoal.export.source.answers import answers_of
from shoal.export.source.c import source
from shoal.export.source.identifiers import identifier
from shoal.prediction.predictor import Predictor

SECONDS = 120
"""For which the compiler, and the program that it makes, may run."""


class Exporter(ABC):
    """Writes predictors in one format.

    Attributes:
        name: of the format, in messages.
        extension: of its files, with the dot.
    """

    name: ClassVar[str]
    extension: ClassVar[str]

    @abstractmethod
    def contents(self, predictor: Predictor, path: Path, examples: ExampleRows | None) -> dict[Path, str]:
        """Return the files to write, with their contents.

        Args:
            predictor: what to write.
            path: of the first file.
            examples: rows with their answers, by which the file can check itself; None: it cannot.

        Raises:
            ExportError: the format cannot say all of the predictor.
        """

    @abstractmethod
    def left_out(self, predictor: Predictor) -> tuple[str, ...]:
        """Return in sentences what the format leaves out."""

    @abstractmethod
    def checked(self, files: dict[Path, str]) -> str:
        """Return in a sentence how well the written files agree with shoal, or why that was not looked at."""


class CExporter(Exporter):
    """C99: one file and a header, no allocation, no library but `math.h`."""

    name = "C"
    extension = ".c"

    def contents(self, predictor: Predictor, path: Path, examples: ExampleRows | None) -> dict[Path, str]:
        """Return the source, which checks itself if it is compiled with `-D<NAME>_MAIN`, and its header."""
        name = _name(path)
        given = None if examples is None else (examples.inputs, dict(examples.answers))
        text, header = source(name, answers_of(predictor), given)
        text = text.replace(f'#include "{name}.h"', f'#include "{path.stem}.h"')
        return {path: text, path.with_suffix(".h"): header}

    def left_out(self, predictor: Predictor) -> tuple[str, ...]:
        """Return what stands in the source as a remark, too."""
        return answers_of(predictor).notes

    def checked(self, files: dict[Path, str]) -> str:
        """Return what the program says of itself, if there is a C compiler."""
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        main = next(iter(files))
        if "int main(void)" not in files[main]:
            return "It has no test rows to check itself."
        if compiler is None:
            return f"There is no C compiler to check it with; compile with -D{_name(main).upper()}_MAIN and run."
        with tempfile.TemporaryDirectory() as folder:
            for path, text in files.items():
                Path(folder, path.name).write_text(text, encoding="utf-8")
            command = [
                compiler,
                "-std=c99",
                "-O2",
                f"-D{_name(main).upper()}_MAIN",
                main.name,
                "-o",
                "check",
                "-lm",
            ]
            built = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
            if built.returncode:
                return f"The C compiler here does not take it: {first_line(built.stderr)}"
            ran = subprocess.run(["./check"], cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
        verdict = "agrees with shoal" if ran.returncode == 0 else "DISAGREES with shoal"
        return f"Compiled here, it {verdict}: {ran.stdout.strip()}."


def _name(path: Path) -> str:
    """Return with what the names of a source begin."""
    name = identifier(path.stem)
    return f"model_{name}" if name[0].isdigit() else name


def first_line(text: str) -> str:
    """Return the first line of what a program said."""
    return next(iter(text.strip().splitlines()), "it says nothing")


EXPORTERS: dict[str, Exporter] = {exporter.extension: exporter for exporter in (CExporter(),)}
"""By extension."""
