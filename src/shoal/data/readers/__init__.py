"""Readers: from a file or folder of any known format to a table, with images or series beside it where it holds some.

A new format is one file with one class (see `Reader`) and one line in `registry.READERS`.
"""

from shoal.data.readers.base import Content as Content
from shoal.data.readers.base import Reader as Reader
from shoal.data.readers.options import ReadOptions as ReadOptions
from shoal.data.readers.options import options_alike as options_alike
from shoal.data.readers.reading import read_path as read_path
from shoal.data.readers.reading import read_table as read_table
from shoal.data.readers.reading import read_table_file as read_table_file
from shoal.data.readers.reading import refuse_table as refuse_table
from shoal.data.readers.reading import signal_reader as signal_reader
from shoal.data.readers.registry import READERS as READERS
