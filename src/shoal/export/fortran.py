"""Models as Fortran 2008."""

from __future__ import annotations

import shutil
from pathlib import Path

from shoal.export.c import SourceExporter, said_by_program, source_name
from shoal.export.example_rows import ExampleRows
from shoal.export.exporter import Agreement, Written
from shoal.export.source.answers import Programs
from shoal.export.source.fortran import NAME, source


class FortranExporter(SourceExporter):
    """Fortran 2008: one module, and beside it a program that checks it."""

    name = "Fortran"
    extension = ".f90"

    def written_answers(self, answers: Programs, path: Path, examples: ExampleRows | None) -> Written:
        """Return the source of the module, and of the program that checks it where there are examples."""
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
