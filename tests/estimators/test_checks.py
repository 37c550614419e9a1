"""scikit-learn's own checks of estimators, every one of them: none is skipped, none expected to fail."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
# SCIPY_ARRAY_API must stand before SciPy is imported; without it a check is skipped.
CODE = """
import warnings
from sklearn.utils.estimator_checks import check_estimator
import shoal
warnings.simplefilter("ignore")
results = check_estimator(shoal.{estimator}({parameters}), on_fail=None, on_skip=None)
print([(r["check_name"], r["status"], repr(r["exception"])) for r in results if r["status"] != "passed"])
print(len(results), sum(r["status"] == "passed" and not r["expected_to_fail"] for r in results))
"""


@pytest.mark.slow
@pytest.mark.timeout(900)  # the programs of autoencoders are compiled
@pytest.mark.parametrize(
    ("estimator", "parameters"),
    [
        ("ShoalClassifier", "networks=1, epochs=60"),
        ("ShoalRegressor", "networks=1, epochs=60"),
        ("ShoalAutoencoder", "networks=1, epochs=20, bottleneck=1, false_alarm_rate=0.1"),
    ],
)
def test_all_checks_of_scikit_learn_pass(estimator: str, parameters: str) -> None:
    path = os.pathsep.join([str(SOURCE), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(estimator=estimator, parameters=parameters)],
        env={**os.environ, "PYTHONPATH": path, "SCIPY_ARRAY_API": "1"},
        capture_output=True,
        text=True,
        timeout=880,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    odd, counts = done.stdout.splitlines()[-2:]
    assert odd == "[]"
    number, passed = map(int, counts.split())
    assert number == passed > 50
