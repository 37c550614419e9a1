"""Models as C99."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from shoal.export.example_rows import ExampleRows
from shoal.export.exporter import Agreement, Exporter, Written
from shoal.export.source.answers import Programs, answers_of
from shoal.export.source.c import source
from shoal.export.source.evaluating import outputs_of
from shoal.export.source.fixed_c import FixedCPrinter
from shoal.export.source.fixing import in_fixed_point
from shoal.export.source.identifiers import identifier
from shoal.prediction.predictor import Predictor

SECONDS = 120
"""For which the compiler, and the program that it makes, may run."""
FIXED_TOLERANCE = 1e-3
"""A last digit of a floating number may tip a whole number to its neighbour."""
SAID = re.compile(r"largest difference (\S+), (\d+) flags")


class SourceExporter(Exporter):
    """Writes the programs of a predictor as source code."""

    def written(self, predictor: Predictor, path: Path, examples: ExampleRows | None) -> Written:
        """Return what its programs are written as."""
        return self.written_answers(answers_of(predictor), path, examples)

    @abstractmethod
    def written_answers(self, answers: Programs, path: Path, examples: ExampleRows | None) -> Written:
        """Return the source of programs, which checks itself by examples where there are any."""


class CExporter(SourceExporter):
    """C99: one file and a header, no allocation, no library but `math.h`."""

    name = "C"
    extension = ".c"

    def written_answers(self, answers: Programs, path: Path, examples: ExampleRows | None) -> Written:
        """Return the source, which checks itself if it is compiled with `-D<NAME>_MAIN`, and its header."""
        return Written(files_of(path, *source(source_name(path), answers, examples)), answers.notes)

    def checked(self, files: dict[Path, bytes], examples: ExampleRows) -> Agreement:
        """Return what the program says of itself, if there is a C compiler."""
        main = next(iter(files))
        switch = f"-D{source_name(main).upper()}_MAIN"
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if compiler is None:
            return Agreement.none(f"There is no C compiler to check it with; compile with {switch} and run.")
        command = [compiler, "-std=c99", "-O2", switch, main.name, "-o", "check", "-lm"]
        return said_by_program(files, [command, ["./check"]], examples, f"as compiled by {Path(compiler).name}")

    def in_fixed_point(self, seen: ExampleRows) -> Exporter:
        """Return what writes layers in 16 bits."""
        return FixedCExporter(seen)


class FixedCExporter(CExporter):
    """C99 with the layers in whole numbers of 16 bits.

    Args:
        seen: rows for whose numbers the units are chosen.
    """

    name = "C in fixed point"

    def __init__(self, seen: ExampleRows) -> None:
        self.seen = seen

    def written(self, predictor: Predictor, path: Path, examples: ExampleRows | None) -> Written:
        """Return the source, which compares itself with what shoal computes in the same whole numbers."""
        whole = answers_of(predictor)
        program, notes = in_fixed_point(whole.predict, self.seen.inputs.reshape(len(self.seen), -1))
        answers = replace(whole, predict=program, notes=(*notes, *whole.notes))
        if examples is not None:
            computed = outputs_of(program, examples.inputs)
            examples = replace(examples, answers={**examples.answers, **computed})
        text = source(source_name(path), answers, examples, FixedCPrinter(), FIXED_TOLERANCE)
        return Written(files_of(path, *text), answers.notes, outputs_of(program, self.seen.inputs))

    def checked(self, files: dict[Path, bytes], examples: ExampleRows) -> Agreement:
        """Return what the program says of itself."""
        other = "what shoal computes in the same whole numbers"
        return replace(super().checked(files, examples), tolerance=FIXED_TOLERANCE, other=other)

    def in_fixed_point(self, seen: ExampleRows) -> Exporter:
        """Return the same for other rows."""
        return FixedCExporter(seen)


def files_of(path: Path, text: str, header: str) -> dict[Path, bytes]:
    """Return the contents of the files of a source that asks for its header by the name of the path."""
    text = text.replace(f'#include "{source_name(path)}.h"', f'#include "{path.stem}.h"')
    return {path: text.encode(), path.with_suffix(".h"): header.encode()}


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
