"""A fit without the baselines and the page: neither changes a prediction, and hundreds of fits need not wait."""

from __future__ import annotations

import importlib
import tempfile
from typing import Any
from unittest import mock

import shoal
from shoal.run import Run


def bare_fit(data: Any, **settings: Any) -> Run:
    """Return the run of `shoal.fit` on data; its numbers and its predictor stay when its folder is gone.

    Args:
        data: as for `shoal.fit`.
        settings: those of `shoal.fit` but for the page and the folder.
    """
    fit = importlib.import_module("shoal.fit")  # the name `shoal.fit` is that of the function
    without = mock.patch.object(fit, "learn_meanwhile", return_value=lambda _: {})
    with tempfile.TemporaryDirectory() as folder, without:
        run = shoal.fit(data, page=False, out=f"{folder}/run", **settings)
        _ = run.metrics, run.predictor  # both are kept once they are read
    return run
