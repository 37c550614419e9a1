"""MATLAB files: versions 4 to 7 by SciPy, 7.3, which is HDF5, by h5py (`shoal[science]`)."""

from __future__ import annotations

from pathlib import Path

from shoal.data.readers.base import Content
from shoal.data.readers.files import first_line
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.tables.base import TableReader
from shoal.data.readers.tables.matlab_values import variables_of_mat
from shoal.data.readers.tables.variables import content_of_variables
from shoal.errors import DataError


class MatlabReader(TableReader):
    """The variables with as many rows as each other, or the fields of a struct; the columns of matrices are columns."""

    name = "MATLAB"
    extensions = (".mat",)
    contents = (".h5",)

    def parse(self, path: Path, options: ReadOptions) -> Content:
        """Return the table in `path`; where there are several, that of the struct or first variable that is named."""
        try:
            return content_of_variables(variables_of_mat(path), path, options.table)
        except DataError:
            raise
        except Exception as error:  # SciPy raises nearly anything on damaged bytes
            raise DataError(f"{path} is no readable MATLAB file ({first_line(error)}). Save it again.") from error
