"""The formats in which a predictor can be written for other programs, by extension."""

from __future__ import annotations

from pathlib import Path

from shoal.errors import ExportError, listing, suggest
from shoal.export.c import CExporter
from shoal.export.exporter import Exporter
from shoal.export.fortran import FortranExporter
from shoal.export.keras import KerasExporter
from shoal.export.lwtnn import LwtnnExporter
from shoal.export.onnx import OnnxExporter
from shoal.export.python import PythonExporter

EXPORTERS: dict[str, Exporter] = {
    exporter.extension: exporter
    for exporter in (CExporter(), FortranExporter(), KerasExporter(), LwtnnExporter(), OnnxExporter(), PythonExporter())
}


def exporter_of(name: str) -> Exporter:
    """Return the format of which the end of a file's name tells.

    Raises:
        ExportError: no format has such an end.
    """
    for extension, exporter in EXPORTERS.items():
        if name.lower().endswith(extension):
            return exporter
    near = suggest(Path(name).suffix, EXPORTERS)
    raise ExportError(f"models are written as {listing(EXPORTERS, most=len(EXPORTERS))}; got {name!r}.{near}")
