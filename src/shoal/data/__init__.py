"""From a file to arrays: readers, roles, columns, datasets, splits and preparation."""

from shoal.data.builtin.sets import BUILTIN as BUILTIN
from shoal.data.dataset import Dataset as Dataset
from shoal.data.dataset import Inputs as Inputs
from shoal.data.describe import describe as describe
from shoal.data.joining import load_with_test as load_with_test
from shoal.data.loading import load_dataset as load_dataset
from shoal.data.preparation import Preparation as Preparation
from shoal.data.readers import ReadOptions as ReadOptions
from shoal.data.roles import Roles as Roles
from shoal.data.roles import roles_from_toml as roles_from_toml
from shoal.data.split.folds import assign_folds as assign_folds
from shoal.data.split.split import Split as Split
from shoal.data.split.split import split_rows as split_rows
