"""What may be moved and stretched while training, and what is said of the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import shoal
from shoal.errors import SettingError

RNG = np.random.default_rng(0)
SERIES, CLASSES = RNG.normal(size=(60, 12, 1)).astype(np.float32), np.arange(60) % 2
SHORT: dict[str, Any] = {
    "networks": 1,
    "epochs": 1,
    "cv": "none",
    "page": False,
    "layers": "conv1d:4:3",
    "hidden": (4,),
}


def test_series_are_moved_and_stretched(tmp_path) -> None:
    run = shoal.fit((SERIES, CLASSES), **SHORT, shift=2.0, zoom=0.1, out=tmp_path / "run")
    assert run.metrics["rows"]["train"] > 0


@pytest.mark.parametrize(
    ("data", "settings", "message"),
    [
        ((SERIES, CLASSES), {"flip": 1.0}, "only images can be augmented so, but the data are series"),
        ((SERIES[:, :, 0], CLASSES), {"shift": 1.0}, "only images can be augmented so, but the data are table"),
        ((SERIES, RNG.integers(0, 2, (60, 12))), {"shift": 1.0}, "cannot be moved in time"),
        ((SERIES, CLASSES), {"zoom": 1.0}, "zoom: expected less than 1"),
    ],
)
def test_what_cannot_be_moved_is_refused(data: Any, settings: dict[str, Any], message: str, tmp_path) -> None:
    with pytest.raises(SettingError, match=message):
        shoal.fit(data, **SHORT, **settings, out=tmp_path / "run")
