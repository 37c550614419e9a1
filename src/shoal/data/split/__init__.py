"""Which rows train, validate and test; folds of them."""
