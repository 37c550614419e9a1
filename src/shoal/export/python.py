"""Models as Python with NumPy alone."""

from __future__ import annotations

import sys
from pathlib import Path

from shoal.export.c import SourceExporter, said_by_program
from shoal.export.example_rows import ExampleRows
from shoal.export.exporter import Agreement, Written
from shoal.export.source.answers import Programs
from shoal.export.source.python import source

ALONE = "import runpy, sys; sys.modules['shoal'] = None; runpy.run_path(sys.argv[1], run_name='__main__')"
"""Runs a file in a process that cannot import shoal."""


class PythonExporter(SourceExporter):
    """Python: one file that needs NumPy and nothing else, and answers many rows at once."""

    name = "Python"
    extension = ".py"

    def written_answers(self, answers: Programs, path: Path, examples: ExampleRows | None) -> Written:
        """Return the source, which checks itself when it is run."""
        return Written({path: source(path.stem, answers, examples).encode()}, answers.notes)

    def checked(self, files: dict[Path, bytes], examples: ExampleRows) -> Agreement:
        """Return what the file says of itself in a process of its own."""
        command = [sys.executable, "-I", "-c", ALONE, next(iter(files)).name]
        return said_by_program(files, [command], examples, "by NumPy alone")
