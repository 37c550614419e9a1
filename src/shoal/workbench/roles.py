"""What a column is for, changed by a click: which settings say so."""

from __future__ import annotations

from collections.abc import Iterable

from shoal.data.columns import Column
from shoal.errors import SettingError
from shoal.workbench.state import State, Value

SINGLE = ("weight", "group", "time", "id")
LISTS = {"target": "target", "y_err": "y_err", "ignored": "ignore"}
"""Roles that several columns may have, and the settings that list them."""
CHOICES = {
    "feature": "feature",
    "target": "target",
    "also target": "target, too",
    "y_err": "error of the target",
    "weight": "weight",
    "group": "group",
    "time": "time",
    "id": "name of the row",
    "ignored": "left out",
}


def with_role(state: State, columns: Iterable[Column], name: str, role: str) -> dict[str, Value | None]:
    """Return the settings that give a column a role, as `State.changed` takes them.

    Args:
        state: what is chosen.
        columns: those of the data as the state reads them.
        name: of the column.
        role: one of `CHOICES`.

    Raises:
        SettingError: the column cannot be without the role that it has.

    Example:
        >>> roles = {"x": "feature", "k": "dropped", "y": "target"}
        >>> columns = [Column(name, "number", role) for name, role in roles.items()]
        >>> with_role(State("a.csv"), columns, "x", "target")
        {'target': ('x',)}
        >>> with_role(State("a.csv").changed(ignore=("x",)), columns, "x", "weight")
        {'ignore': (), 'weight': 'x'}
        >>> with_role(State("a.csv"), columns, "k", "feature")
        {'features': ('x', 'k')}
    """
    here = {column.name: column.role for column in columns}
    changes: dict[str, Value | None] = {}
    for setting in ("target", "y_err", "ignore", "features"):
        listed = _listed(state, setting)
        if name in listed:
            changes[setting] = tuple(each for each in listed if each != name)
    changes |= {setting: None for setting in SINGLE if state.settings.get(setting) == name}
    if role == "feature":
        return _as_feature(state, here, name, changes)
    if role == "also target":
        targets = [each for each, has in here.items() if has == "target" and each != name]
        return {**changes, "target": (*targets, name)}
    if role == "target":
        return {**changes, "target": (name,)}
    if role in LISTS:
        others = tuple(each for each in _listed(state, LISTS[role]) if each != name)
        return {**changes, LISTS[role]: (*others, name)}
    return {**changes, role: name}


def _as_feature(
    state: State, here: dict[str, str], name: str, changes: dict[str, Value | None]
) -> dict[str, Value | None]:
    if here.get(name) in ("feature", "ignored") and changes:
        if (listed := _listed(state, "features")) and name not in listed:
            return {**changes, "features": (*listed, name)}
        return {setting: value for setting, value in changes.items() if setting != "features"}
    if here.get(name) == "target" and not changes.get("target"):
        raise SettingError(f"{name!r} is what is predicted; make another column the target, and it is a feature.")
    if changes:
        return changes
    features = tuple(each for each, has in here.items() if has == "feature" and each != name)
    return {"features": (*features, name)}


def _listed(state: State, setting: str) -> tuple[str, ...]:
    value = state.settings.get(setting, ())
    return (value,) if isinstance(value, str) else value
