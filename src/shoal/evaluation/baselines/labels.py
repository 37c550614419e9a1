"""What the simple methods are called in sentences."""

from __future__ import annotations

LABELS = {
    "most_frequent": "always predicting the shares of the classes",
    "mean": "always predicting the mean",
    "logistic_regression": "logistic regression",
    "linear_regression": "linear regression",
    "gradient_boosting": "gradient boosting",
    "random_kernels": "random convolution kernels with ridge regression",
    "persistence": "repeating the last value",
    "seasonal_naive": "repeating the value of one season ago",
    "pca": "principal component analysis with as many components",
    "logistic_regression_on_neighbours": "logistic regression on neighbouring steps",
    "linear_regression_on_neighbours": "linear regression on neighbouring steps",
    "gradient_boosting_on_neighbours": "gradient boosting on neighbouring steps",
    "ridge_on_window": "ridge regression on the window",
}


def label_of(name: str) -> str:
    """Return what a sentence calls a simple method.

    Example:
        >>> label_of("pca"), label_of("my_method")
        ('principal component analysis with as many components', 'my method')
    """
    return LABELS.get(name, name.replace("_", " "))
