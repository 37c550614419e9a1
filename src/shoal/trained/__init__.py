"""One network trained on arrays, without a run folder: `Network.fit` and what it returns."""

from __future__ import annotations
