"""Models as C99."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from shoal.export.example_rows import ExampleRows
from shoal.export.exporter import Agreement, Exporter, Written
from shoal.export.source.answers import answers_of
from shoal.export.source.c import source
from shoal.export.source.identifiers import identifier
from shoal.prediction.predictor import Predictor

SECONDS = 120
"""For which the compiler, and the program that it makes, may run."""
SAID = re.compile(r"largest difference (\S+), (\d+) flags")


class CExporter(Exporter):
    """C99: one file and a header, no allocation, no library but `math.h`."""

    name = "C"
    extension = ".c"

    def written(self, predictor: Predictor, path: Path, examples: ExampleRows | None) -> Written:
        """Return the source, which checks itself if it is compiled with `-D<NAME>_MAIN`, and its header."""
        answers, name = answers_of(predictor), source_name(path)
        text, header = source(name, answers, examples)
        text = text.replace(f'#include "{name}.h"', f'#include "{path.stem}.h"')
        return Written({path: text.encode(), path.with_suffix(".h"): header.encode()}, answers.notes)

    def checked(self, files: dict[Path, bytes], examples: ExampleRows) -> Agreement:
        """Return what the program says of itself, if there is a C compiler."""
        main = next(iter(files))
        switch = f"-D{source_name(main).upper()}_MAIN"
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if compiler is None:
            return Agreement.none(f"There is no C compiler to check it with; compile with {switch} and run.")
        command = [compiler, "-std=c99", "-O2", switch, main.name, "-o", "check", "-lm"]
        return said_by_program(files, [command, ["./check"]], examples, f"as compiled by {Path(compiler).name}")


def said_by_program(
    files: dict[Path, bytes], commands: Sequence[list[str]], examples: ExampleRows, by: str
) -> Agreement:
    """Run commands in a folder of source code, the last a program, and return what it says of its rows."""
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            Path(folder, path.name).write_bytes(text)
        try:
            for command in commands[:-1]:
                built = _run(command, folder)
                if built.returncode:
                    return Agreement.none(f"The compiler here does not take it: {_first_line(built.stderr)}")
            ran = _run(commands[-1], folder)
        except subprocess.TimeoutExpired as error:
            return Agreement.none(f"It was not checked: {error.cmd[0]} took more than {SECONDS} s.")
    said = SAID.search(ran.stdout)
    if said is None:
        return Agreement.none(f"It was not checked: the program ended with code {ran.returncode}.")
    return Agreement(len(examples), examples.kind, float(said[1]), int(said[2]), by)


def source_name(path: Path) -> str:
    """Return with what the names of a source begin."""
    name = identifier(path.stem)
    return f"model_{name}" if name[0].isdigit() else name


def _run(command: list[str], folder: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)


def _first_line(text: str) -> str:
    return next(iter(text.strip().splitlines()), "it says nothing")
