"""Settings that hold for every test; they are made before anything is imported."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

if TYPE_CHECKING:
    from shoal.run import Run

# Keras is only what the tests compare with; it shall compute with the library that is there anyway.
os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("MPLBACKEND", "Agg")

# Compiled programs outlive a session, apart from the user's own; Keras and shoal compute on the same devices,
# whichever of them a session imports first.
_PROGRAMS = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "shoal" / "test-programs"
os.environ.setdefault("SHOAL_CACHE_DIR", str(_PROGRAMS))
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", os.environ["SHOAL_CACHE_DIR"])
os.environ.setdefault("JAX_NUM_CPU_DEVICES", "2")

# The same examples in every run, and no failure because a machine was busy.
hypothesis.settings.register_profile("shoal", derandomize=True, deadline=None, max_examples=60, database=None)
hypothesis.settings.load_profile("shoal")

TINY: dict[str, Any] = {
    "networks": 4,
    "hidden": (6,),
    "activation": "tanh",
    "optimizer": "adam",
    "schedule": "constant",
    "dropout": 0.0,
    "feature_encoding": "plain",
    "batch_size": 16,
    "epochs": 20,
}


@pytest.fixture(scope="session")
def tiny() -> dict[str, Any]:
    """Settings of a small fit; fits with these on one set of data share a compiled program."""
    return dict(TINY)


@pytest.fixture(scope="session")
def iris_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One small fit of iris that many tests look at; nothing may be written into its folder."""
    import shoal

    return shoal.fit("iris", out=str(tmp_path_factory.mktemp("iris") / "run"), **TINY)
