"""Models as Python with NumPy alone."""

from __future__ import annotations

import sys
from pathlib import Path

from shoal.export.c import said_by_program
from shoal.export.example_rows import ExampleRows
from shoal.export.exporter import Agreement, Exporter, Written
from shoal.export.source.answers import Programs, answers_of
from shoal.export.source.python import source
from shoal.prediction.predictor import Predictor

ALONE = "import runpy, sys; sys.modules['shoal'] = None; runpy.run_path(sys.argv[1], run_name='__main__')"
"""Runs a file in a process that cannot import shoal."""


class PythonExporter(Exporter):
    """Python: one file that needs NumPy and nothing else, and answers many rows at once."""

    name = "Python"
    extension = ".py"

    def written(self, predictor: Predictor, path: Path, examples: ExampleRows | None) -> Written:
        """Return the source, which checks itself when it is run."""
        return self.written_answers(answers_of(predictor), path, examples)

    def written_answers(self, answers: Programs, path: Path, examples: ExampleRows | None) -> Written:
        """Return the same of programs."""
        return Written({path: source(path.stem, answers, examples).encode()}, answers.notes)

    def checked(self, files: dict[Path, bytes], examples: ExampleRows) -> Agreement:
        """Return what the file says of itself in a process of its own."""
        command = [sys.executable, "-I", "-c", ALONE, next(iter(files)).name]
        return said_by_program(files, [command], examples, "by NumPy alone")
