"""Settings that hold for every test; they are made before anything is imported."""

from __future__ import annotations

import os

import hypothesis

# Keras is only what the tests compare with; it shall compute with the library that is there anyway.
os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("MPLBACKEND", "Agg")

# The same examples in every run, and no failure because a machine was busy.
hypothesis.settings.register_profile("shoal", derandomize=True, deadline=None, max_examples=60, database=None)
hypothesis.settings.load_profile("shoal")
