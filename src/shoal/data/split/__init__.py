"""Which rows train, validate and test; folds of them."""

from shoal.data.split.split import Split as Split
from shoal.data.split.split import split_rows as split_rows
