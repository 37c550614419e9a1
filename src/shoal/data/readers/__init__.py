"""Readers: from a file or folder of any known format to a table, with images or series beside it where it holds some.

A new format is one file with one class (see `Reader`) and one line in `registry.READERS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.data.readers.base import Content as Content
from shoal.data.readers.base import Reader as Reader
from shoal.data.readers.options import ReadOptions as ReadOptions
from shoal.data.readers.options import options_alike as options_alike
from shoal.late import late_names

if TYPE_CHECKING:
    from shoal.data.readers.reading import read_path as read_path
    from shoal.data.readers.reading import read_table as read_table
    from shoal.data.readers.reading import read_table_file as read_table_file
    from shoal.data.readers.reading import refuse_table as refuse_table
    from shoal.data.readers.reading import signal_reader as signal_reader
    from shoal.data.readers.registry import READERS as READERS
    from shoal.data.readers.several import is_list_of_files as is_list_of_files
    from shoal.data.readers.several import read_files as read_files

_READING = ("read_path", "read_table", "read_table_file", "refuse_table", "signal_reader")
_LATE = {**dict.fromkeys(_READING, "reading"), "READERS": "registry"}
__getattr__ = late_names(__name__, {**_LATE, "is_list_of_files": "several", "read_files": "several"})
