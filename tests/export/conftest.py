"""Random networks for the tests of exported models."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def architectures() -> ModuleType:
    """Return the module beside, which no import finds by its name."""
    spec = importlib.util.spec_from_file_location("architectures", Path(__file__).parent / "architectures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
