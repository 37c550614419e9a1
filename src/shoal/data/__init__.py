"""From a file to arrays: readers, roles, columns, datasets, splits and preparation.

What only a fit needs is loaded when it is first used, so that predicting starts fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.data.dataset import Dataset as Dataset
from shoal.data.dataset import Inputs as Inputs
from shoal.data.preparation import Preparation as Preparation
from shoal.data.readers.options import ReadOptions as ReadOptions
from shoal.data.roles import Roles as Roles
from shoal.data.roles import roles_from_toml as roles_from_toml
from shoal.late import late_names

if TYPE_CHECKING:
    from shoal.data.builtin.sets import BUILTIN as BUILTIN
    from shoal.data.joining import load_with_test as load_with_test
    from shoal.data.loading import load_dataset as load_dataset
    from shoal.data.split.folds import assign_folds as assign_folds
    from shoal.data.split.split import Split as Split
    from shoal.data.split.split import split_rows as split_rows

__getattr__ = late_names(__name__, {
    "BUILTIN": "builtin.sets", "load_with_test": "joining", "load_dataset": "loading",
    "assign_folds": "split.folds", "Split": "split.split", "split_rows": "split.split",
})  # fmt: skip
