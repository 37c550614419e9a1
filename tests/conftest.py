"""Settings that hold for every test; they are made before anything is imported."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis

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
