"""All formats. A new one is one file with one class (see `Reader`) and one line here."""

from __future__ import annotations

from shoal.data.readers.base import Reader
from shoal.data.readers.signals.fits_images import FitsImageReader
from shoal.data.readers.signals.hdf5_files import Hdf5Reader
from shoal.data.readers.signals.image_folder import ImageFolderReader
from shoal.data.readers.signals.numpy_files import NumpySignalReader
from shoal.data.readers.signals.ts_files import TsReader
from shoal.data.readers.tables.arff_files import ArffReader
from shoal.data.readers.tables.arrow_files import ArrowReader
from shoal.data.readers.tables.astropy_files import AstropyReader
from shoal.data.readers.tables.duckdb_files import DuckdbReader
from shoal.data.readers.tables.excel_files import ExcelReader
from shoal.data.readers.tables.fits_files import FitsReader
from shoal.data.readers.tables.hdf5_tables import Hdf5TableReader
from shoal.data.readers.tables.idl_files import IdlReader
from shoal.data.readers.tables.json_lines import JsonLinesReader
from shoal.data.readers.tables.matlab_files import MatlabReader
from shoal.data.readers.tables.netcdf_files import NetcdfReader
from shoal.data.readers.tables.numpy_files import NumpyTableReader
from shoal.data.readers.tables.parquet_files import ParquetReader
from shoal.data.readers.tables.root_files import RootReader
from shoal.data.readers.tables.sqlite_files import SqliteReader
from shoal.data.readers.tables.statistics_files import StatisticsReader
from shoal.data.readers.tables.text_files import TextReader
from shoal.data.readers.tables.zarr_files import ZarrReader

READERS: dict[str, Reader] = {
    "image folder": ImageFolderReader(),
    "numpy signals": NumpySignalReader(),
    "hdf5": Hdf5Reader(),
    "fits images": FitsImageReader(),
    "ts": TsReader(),
    "text": TextReader(),
    "parquet": ParquetReader(),
    "arrow": ArrowReader(),
    "json lines": JsonLinesReader(),
    "excel": ExcelReader(),
    "numpy table": NumpyTableReader(),
    "fits": FitsReader(),
    "root": RootReader(),
    "hdf5 table": Hdf5TableReader(),
    "astronomers' text": AstropyReader(),
    "duckdb": DuckdbReader(),
    "sqlite": SqliteReader(),
    "netcdf": NetcdfReader(),
    "zarr": ZarrReader(),
    "matlab": MatlabReader(),
    "arff": ArffReader(),
    "statistics": StatisticsReader(),
    "idl": IdlReader(),
}
"""Images and series are looked for first; what none of their readers takes is a table."""
