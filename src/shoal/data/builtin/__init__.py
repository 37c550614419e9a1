"""Data sets that come with shoal, and what generates some of them."""

from shoal.data.builtin.sets import BUILTIN as BUILTIN
from shoal.data.builtin.sets import Builtin as Builtin
