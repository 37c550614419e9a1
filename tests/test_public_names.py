"""What is public is listed, exists, and is documented; the version stands in one place."""

from __future__ import annotations

import ast
import importlib
import inspect
from importlib import metadata
from pathlib import Path

import pytest

import shoal
from shoal.networks import LAYERS

ROOT = Path(__file__).parents[1]
PACKAGES = sorted(
    ".".join(path.parent.relative_to(ROOT / "src").parts)
    for path in (ROOT / "src" / "shoal").rglob("__init__.py")
    if path.parent.name != "shoal"
)


@pytest.mark.parametrize("name", PACKAGES)
def test_all_lists_what_a_package_exposes(name: str) -> None:
    package = importlib.import_module(name)
    listed = getattr(package, "__all__", None)
    if listed is None:  # then the imports with `as` are the list
        return
    assert len(listed) == len(set(listed))
    assert [missing for missing in listed if not hasattr(package, missing)] == []
    # `from x import A as A` says that A is public here.
    tree = ast.parse(Path(str(package.__file__)).read_text(encoding="utf-8"))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    exposed = {alias.name for node in imports for alias in node.names if alias.asname == alias.name}
    assert exposed - set(listed) == set()


def test_every_public_name_of_shoal_is_there_and_documented() -> None:
    for name in shoal.__all__:
        value = getattr(shoal, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__doc__, f"shoal.{name} has no docstring"
    assert set(shoal.__all__) <= set(dir(shoal))


def test_every_layer_comes_from_shoal() -> None:
    assert {name: getattr(shoal, name) for name in LAYERS} == LAYERS
    assert set(LAYERS) <= set(shoal.__all__)


def test_an_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(AttributeError, match="Did you mean 'load'"):
        shoal.laod  # noqa: B018


def test_the_changelog_opens_with_what_is_not_released_or_this_version() -> None:
    lines = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
    first = next(line for line in lines if line.startswith("## "))
    assert first in ("## [Unreleased]", f"## [{shoal.__version__}]")


def test_the_installed_version_is_that_of_the_source() -> None:
    try:
        installed = metadata.version("shoal")
    except metadata.PackageNotFoundError:
        pytest.skip("shoal is not installed here")
    assert installed == shoal.__version__
