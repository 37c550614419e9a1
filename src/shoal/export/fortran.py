"""Models as Fortran 2008."""

from __future__ import annotations

import shutil
from pathlib import Path

from shoal.export.c import said_by_program, source_name
from shoal.export.example_rows import ExampleRows
from shoal.export.exporter import Agreement, Exporter, Written
from shoal.export.source.answers import Programs, answers_of
from shoal.export.source.fortran import NAME, source
from shoal.prediction.predictor import Predictor


class FortranExporter(Exporter):
    """Fortran 2008: one module, and beside it a program that checks it."""

    name = "Fortran"
    extension = ".f90"

    def written(self, predictor: Predictor, path: Path, examples: ExampleRows | None) -> Written:
        """Return the source of the module, and of the program that checks it where there are examples."""
        return self.written_answers(answers_of(predictor), path, examples)

    def written_answers(self, answers: Programs, path: Path, examples: ExampleRows | None) -> Written:
        """Return the same of programs."""
        word = source_name(path).strip("_")
        word = word if word[:1].isalpha() else f"model_{word}"
        module, program = source(word[:NAME].rstrip("_"), answers, examples)
        files = {path: module.encode()}
        if program:
            files[path.with_name(f"{path.stem}_check{path.suffix}")] = program.encode()
        return Written(files, answers.notes)

    def checked(self, files: dict[Path, bytes], examples: ExampleRows) -> Agreement:
        """Return what the program says, if there is a Fortran compiler."""
        names = [file.name for file in files]
        compiler = shutil.which("gfortran")
        if compiler is None:
            return Agreement.none(f"There is no gfortran to check it with; compile {' with '.join(names)} and run.")
        build = [compiler, "-std=f2008", "-O2", *names, "-o", "check"]
        return said_by_program(files, [build, ["./check"]], examples, "as compiled by gfortran")
