"""The formats in which a predictor can be written for other programs, by extension."""

from __future__ import annotations

from shoal.export.c import CExporter
from shoal.export.exporter import Exporter
from shoal.export.fortran import FortranExporter
from shoal.export.keras import KerasExporter
from shoal.export.onnx import OnnxExporter
from shoal.export.python import PythonExporter

EXPORTERS: dict[str, Exporter] = {
    exporter.extension: exporter
    for exporter in (CExporter(), FortranExporter(), KerasExporter(), OnnxExporter(), PythonExporter())
}
