"""What each column is for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from shoal.data.units import full_name
from shoal.errors import DataError, SettingError, listing, suggest

COLUMN = "a column name, or a list where several make sense"
WANTED = {"units": 'a table of a unit for each column, e.g. units = {E = "GeV"}'}


@dataclass(frozen=True)
class Roles:
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

    Raises:
        SettingError: a value is no column name, or no list of them where several make sense.

    Example:
        >>> Roles(target="species").target
        ['species']
    """

    target: list[str] = field(default_factory=list)
    features: list[str] | None = None
    y_err: list[str] = field(default_factory=list)
    weight: str | None = None
    group: str | None = None
    time: str | None = None
    id: str | None = None
    ignored: list[str] = field(default_factory=list)
    units: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("target", "features", "y_err", "ignored"):
            value = getattr(self, name)
            object.__setattr__(self, name, [value] if isinstance(value, str) else _listed(value))
        for each in fields(self):
            value = getattr(self, each.name)
            if not _fits(each.name, value):
                raise SettingError(f"{each.name} must be {WANTED.get(each.name, COLUMN)}, got {value!r}")

    def replaced(self, **roles: Any) -> Roles:
        """Return these roles with the given ones (unless None) in their place.

        Raises:
            SettingError: a role that does not exist, or a value that is no column name.
        """
        given = {name: value for name, value in roles.items() if value is not None}
        return _checked({**asdict(self), **given}, "the column roles")

    def named(self) -> dict[str, Any]:
        """Return the roles that are given to some column, by name of the role."""
        return {name: value for name, value in asdict(self).items() if value not in (None, [], {})}

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
        return replace(self, **full)

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
    import tomllib

    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError(f"cannot read the roles file {str(path)!r}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"the roles file {str(path)!r} is not TOML: {error}") from None
    return _checked(content.get("roles", content), f"the roles file {str(path)!r}")


def _checked(values: Any, where: str) -> Roles:
    """Return the roles of a table of them."""
    known = [each.name for each in fields(Roles)]
    if not isinstance(values, Mapping):
        raise SettingError(f"{where}: expected a table of roles, got {values!r}")
    unknown = next((name for name in values if name not in known), None)
    if unknown is not None:
        raise SettingError(
            f"{where}: there is no role {unknown!r}; roles are: {listing(known)}.{suggest(str(unknown), known)}"
        )
    try:
        return Roles(**values)
    except SettingError as error:
        raise SettingError(f"{where}: {error}") from None


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _fits(name: str, value: Any) -> bool:
    if name == "units":
        return isinstance(value, dict) and all(isinstance(text, str) for pair in value.items() for text in pair)
    if name in ("target", "y_err", "ignored") or (name == "features" and value is not None):
        return isinstance(value, list) and all(isinstance(text, str) for text in value)
    return value is None or isinstance(value, str)
