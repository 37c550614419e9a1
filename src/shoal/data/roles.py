"""What each column is for."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from shoal.data.units import full_name
from shoal.errors import DataError, SettingError, listing, suggest


class Roles(BaseModel):
    """The role of every column that is not simply a feature.

    Args:
        target: columns to predict, one or several.
        features: columns to predict from; None means every column without another role.
        y_err: measured errors (standard deviations) of the targets, one per target or one for all.
        weight: weight of each row.
        group: rows with the same value stay on one side of every split.
        time: the past trains, the future tests.
        id: names the rows; never a feature.
        ignored: columns to leave out.
        units: unit of each column that has one; where it is not given, names and files may tell it.

    Example:
        >>> Roles(target="species").target
        ['species']
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    target: list[str] = []
    features: list[str] | None = None
    y_err: list[str] = []
    weight: str | None = None
    group: str | None = None
    time: str | None = None
    id: str | None = None
    ignored: list[str] = []
    units: dict[str, str] = {}

    @field_validator("target", "features", "y_err", "ignored", mode="before")
    @classmethod
    def _as_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else list(value) if isinstance(value, tuple) else value

    def replaced(self, **roles: Any) -> Roles:
        """Return these roles with the given ones (unless None) in their place.

        Raises:
            SettingError: a role that does not exist, or a value that is no column name.
        """
        given = {name: value for name, value in roles.items() if value is not None}
        return _checked({**self.model_dump(), **given}, "the column roles")

    def named(self) -> dict[str, Any]:
        """Return the roles that are given to some column, by name of the role."""
        return {name: value for name, value in self.model_dump().items() if value not in (None, [], {})}

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield `(role, column)` for every column that has a role other than feature."""
        for role in ("target", "y_err"):
            yield from ((role, name) for name in getattr(self, role))
        for role in ("weight", "group", "time", "id"):
            if getattr(self, role) is not None:
                yield role, getattr(self, role)
        yield from (("ignored", name) for name in self.ignored)

    def in_full(self, columns: Iterable[str]) -> Roles:
        """Return the roles with the whole names of columns for those that leave the unit out, `E` for `E [GeV]`.

        Raises:
            DataError: a name may mean one of several columns.
        """
        columns = list(columns)
        full: dict[str, Any] = {}
        for role, value in self.named().items():
            if isinstance(value, dict):
                full[role] = {full_name(name, columns): unit for name, unit in value.items()}
            elif isinstance(value, list):
                full[role] = [full_name(name, columns) for name in value]
            else:
                full[role] = full_name(value, columns)
        return self.model_copy(update=full)

    def check(self, names: Iterable[str]) -> None:
        """Check that every column exists and has one role only.

        Raises:
            DataError: an unknown column (with the nearest name), or a column with two roles.
        """
        known = list(names)
        taken: dict[str, str] = {}
        for role, name in [*self.pairs(), *(("feature", name) for name in self.features or [])]:
            if name not in known:
                raise DataError(
                    f"no column {name!r} for the role {role}; the columns are: {listing(known)}." + suggest(name, known)
                )
            if name in taken:
                raise DataError(f"column {name!r} is given as {taken[name]} and as {role}; give it one role")
            taken[name] = role
        for name in self.units:
            if name not in known:
                raise DataError(
                    f"no column {name!r} to have a unit; the columns are: {listing(known)}." + suggest(name, known)
                )
        if self.y_err and self.target and len(self.y_err) not in (1, len(self.target)):
            raise DataError(
                f"{len(self.y_err)} columns of target errors for {len(self.target)} targets: "
                "give one per target, in the same order, or one for all"
            )


def roles_from_toml(path: str | Path) -> Roles:
    """Read roles from a TOML file, at its top or in a table `[roles]`.

    Args:
        path: e.g. a file with `target = "y"`, `y_err = "sigma"` and `units = {y = "GeV"}`.

    Raises:
        SettingError: the file is missing, no TOML, or names a role that does not exist.
    """
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError(f"cannot read the roles file {str(path)!r}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"the roles file {str(path)!r} is not TOML: {error}") from None
    return _checked(content.get("roles", content), f"the roles file {str(path)!r}")


def _checked(values: Any, where: str) -> Roles:
    """Build roles and turn pydantic's complaint into one line."""
    try:
        return Roles.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        if first["type"] == "extra_forbidden":
            raise SettingError(
                f"{where}: there is no role {name!r}; roles are: {listing(Roles.model_fields)}."
                + suggest(name, Roles.model_fields)
            ) from None
        value = values.get(name) if isinstance(values, dict) else values
        what = "a column name, or a list where several make sense"
        what = 'a table of a unit for each column, e.g. units = {E = "GeV"}' if name == "units" else what
        raise SettingError(f"{where}: {name} must be {what}, got {value!r}") from None
