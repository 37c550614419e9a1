"""Variations of the inputs of a finished run: what a file `variations.toml` can say, and how it is applied to a table.

Each table of the file is one source of uncertainty, under a name of its own::

    [jet_energy_scale]
    columns = ["jet_pt", "met"]   # shifted together
    scale = 0.02                  # x (1 ± 0.02); or shift = 0.5: x ± 0.5; or sigma_column = "jet_pt_err": x ± that
    [resolution]
    columns = ["met"]
    smear = 3.0                   # x + 3.0 N(0, 1), one-sided
    [pile_up]
    weight_up = "w_pu_up"         # other weights; or factor_up: what the weights are multiplied by
    weight_down = "w_pu_down"
    [cross_section]
    class = "background"          # its weights × (1 ± 0.1)
    rate = 0.1
    [generator]
    file_up = "other_sample.csv"  # another table

A side that is left out is the other one mirrored.
"""

from __future__ import annotations

import re
import tomllib
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import polars as pl
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from shoal.data.conversion import first_row, is_date, tidy_column, to_numbers
from shoal.data.units import full_name
from shoal.errors import DataError, SettingError, expected, listing, suggest

Side = Literal["up", "down"]
SIDES: tuple[Side, Side] = ("up", "down")
# What a variation may do, by the keys that say so; it does one of these.
SHIFTS = ("scale", "shift", "sigma_column", "smear")
PAIRS = ("weight", "factor", "file")


def _several(value: Any) -> Any:
    """Accept one value or a list of them."""
    return tuple(value) if isinstance(value, list | tuple) else (value,)


Names = Annotated[tuple[str, ...], BeforeValidator(_several)]
Numbers = Annotated[tuple[float, ...], BeforeValidator(_several)]


class Variation(BaseModel):
    """One source of uncertainty and how it moves the inputs up and down.

    Lists of numbers or columns have one entry for each of `columns`, or one for all.

    Attributes:
        name: of the variation.
        where: it was found, for messages.
        columns: those that are shifted, together.
        scale: relative shift, `x (1 ± scale)`.
        shift: absolute shift, `x ± shift`, in the unit of the column.
        sigma_column: columns with the error of each value, `x ± sigma`.
        smear: standard deviation of Gaussian noise, `x + smear N(0, 1)`, in the unit of the column; up only.
        weight_up, weight_down: columns with other weights, in place of the usual ones.
        factor_up, factor_down: columns with factors of the usual weights.
        rate: relative change of the weights of one class, `w (1 ± rate)`.
        of_class: that class, `class` in a file.
        file_up, file_down: other tables: a path, or in Python a data frame or dict of columns.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, arbitrary_types_allowed=True)

    name: str
    where: str = ""
    columns: Names = ()
    scale: Numbers | None = None
    shift: Numbers | None = None
    sigma_column: Names | None = None
    smear: Numbers | None = None
    weight_up: str | None = None
    weight_down: str | None = None
    factor_up: str | None = None
    factor_down: str | None = None
    rate: float | None = None
    of_class: str | None = Field(None, alias="class")
    file_up: Any = None
    file_down: Any = None

    @model_validator(mode="after")
    def _does_one_thing(self) -> Variation:
        ways = self._ways()
        if not ways:
            raise ValueError(f"says nothing to vary; give one of {', '.join((*SHIFTS, *KEYS_OF_PAIRS, 'rate'))}")
        if len(ways) > 1:
            raise ValueError(f"gives {' and '.join(ways)}; a variation does one thing, so make several of it")
        if (ways[0] in SHIFTS) != bool(self.columns):
            raise ValueError(
                f"gives {ways[0]} without columns to apply it to"
                if ways[0] in SHIFTS
                else f"{ways[0]} takes no columns"
            )
        if (self.rate is None) != (self.of_class is None):
            raise ValueError("rate and class go together: the relative change of the weights of one class")
        if self.smear is not None and min(self.smear) <= 0:
            raise ValueError("smear is the standard deviation of noise and must be positive")
        for way in SHIFTS:
            sizes = getattr(self, way)
            if sizes is not None and len(sizes) not in (1, len(self.columns)):
                raise ValueError(
                    f"{way} has {len(sizes)} entries for {len(self.columns)} columns; give one each, or one"
                )
        return self

    def _ways(self) -> list[str]:
        pairs = [way for way in PAIRS if any(self._given(way, side) is not None for side in SIDES)]
        return [way for way in (*SHIFTS, "rate") if getattr(self, way) is not None] + pairs

    def _given(self, way: str, side: Side) -> Any:
        return getattr(self, f"{way}_{side}")

    @property
    def way(self) -> str:
        """What it does: scale, shift, sigma_column, smear, weight, factor, rate or file."""
        return self._ways()[0]

    @property
    def sides(self) -> tuple[Side, ...]:
        """The sides that are given; one that is not mirrors the other."""
        if self.way == "smear":
            return ("up",)
        if self.way not in PAIRS:
            return SIDES
        return tuple(side for side in SIDES if self._given(self.way, side) is not None)

    def in_full(self, columns: Sequence[str]) -> Variation:
        """Return the same with the names of columns that left out a unit in full.

        Raises:
            DataError: a name may be one of several columns.
        """
        singles = [f"{way}_{side}" for way in ("weight", "factor") for side in SIDES]
        named = {key: full_name(name, columns) for key in singles if (name := getattr(self, key)) is not None}
        lists = {key: names for key in ("columns", "sigma_column") if (names := getattr(self, key)) is not None}
        in_full = {key: tuple(full_name(name, columns) for name in names) for key, names in lists.items()}
        return self.model_copy(update=named | in_full)

    @property
    def weight_columns(self) -> dict[Side, str]:
        """The columns with weights or factors of them, by side."""
        return {side: self._given(self.way, side) for side in self.sides} if self.way in ("weight", "factor") else {}

    @property
    def text(self) -> str:
        """What is done, in a few words."""
        names, way = ", ".join(self.columns), self.way
        if way == "rate":
            return f"weights of {self.of_class} × (1 ± {self.rate:g})"
        if way in PAIRS:
            given = (self._given(way, side) for side in self.sides)
            what = {"weight": "weights", "factor": "weights ×", "file": "rows of"}[way]
            return f"{what} {', '.join(str(at) if isinstance(at, str | Path) else 'another table' for at in given)}"
        size = ", ".join(f"{value:g}" if isinstance(value, float) else value for value in getattr(self, way))
        return {"scale": f"{names} × (1 ± {size})", "smear": f"{names} + noise of {size}"}.get(way, f"{names} ± {size}")

    def shifted(self, table: pl.DataFrame, side: Side, seed: int = 0) -> pl.DataFrame:
        """Return a table with its columns shifted; missing values stay missing.

        Args:
            table: any table that has them.
            side: up or down.
            seed: names the noise of a smearing, together with the name of the variation.

        Raises:
            DataError: a column is missing or holds something other than numbers.

        Example:
            >>> half = Variation(name="a", columns="x", scale=0.5)
            >>> half.shifted(pl.DataFrame({"x": [2, 4]}), "up")["x"].to_list()
            [3.0, 6.0]
        """
        if self.way not in SHIFTS:
            return table
        sign = 1.0 if side == "up" else -1.0
        sizes = np.broadcast_to(np.asarray(getattr(self, self.way), object), len(self.columns))
        noise = np.random.default_rng([seed, zlib.crc32(self.name.encode())])
        for name, size in zip(self.columns, sizes, strict=True):
            values = self.numbers(table, name)
            if self.way == "scale":
                values = values * (1.0 + sign * size)
            elif self.way == "smear":
                values = values + size * pl.Series(noise.standard_normal(table.height))
            else:
                values = values + sign * (self.numbers(table, size) if self.way == "sigma_column" else size)
            table = table.with_columns(values.alias(name))
        return table

    def reweighted(
        self, table: pl.DataFrame, side: Side, weights: np.ndarray, truth: np.ndarray, classes: tuple[str, ...]
    ) -> np.ndarray:
        """Return the weights of the rows of a table, `(rows,)`, as varied.

        Args:
            table: has the columns that are named.
            side: up or down.
            weights: `(rows,)`, the usual ones.
            truth: `(rows,)` class numbers, for a rate.
            classes: their names.

        Raises:
            DataError: a column is missing, or a weight is no number.
            SettingError: there is no such class.
        """
        if self.rate is not None:
            change = self.rate if side == "up" else -self.rate
            return np.where(truth == self._class_among(classes), 1.0 + change, 1.0) * weights
        name = self.weight_columns.get(side)
        if name is None:
            return weights
        values = self.numbers(table, name)
        if values.null_count():
            row = first_row(values.is_null())
            raise DataError(f"{self.where}: column {name!r} holds no weight in row {row}")
        return values.to_numpy() * (weights if self.way == "factor" else 1.0)

    def numbers(self, table: pl.DataFrame, name: str) -> pl.Series:
        """Return a column as numbers, missing values as null.

        Raises:
            DataError: there is no such column, or it holds something else; the first row is named.
        """
        if name not in table.columns:
            near = suggest(name, table.columns)
            raise DataError(f"{self.where}: there is no column {name!r}; there are: {listing(table.columns)}.{near}")
        series = tidy_column(table.get_column(name))
        odd = series.dtype == pl.Boolean or is_date(series)
        numbers = series if odd else to_numbers(series)
        lost = series.is_not_null() if odd else series.is_not_null() & numbers.is_null()
        infinite = numbers.is_infinite().fill_null(False) if numbers.dtype == pl.Float64 else lost
        if (lost | infinite).any():
            row = first_row(lost | infinite)
            held = series[row - 1]
            raise DataError(
                f"{self.where}: column {name!r} must hold numbers to be varied, but row {row} holds "
                f"{held if odd else repr(held)}"
            )
        return numbers

    def check(self, table: pl.DataFrame, classes: tuple[str, ...], folder: Path) -> None:
        """Check that everything that is named is there, before anything is computed.

        Raises:
            DataError: a column or a file is missing, or a column holds no numbers.
            SettingError: there is no such class.
        """
        for name in (*self.columns, *(self.sigma_column or ()), *self.weight_columns.values()):
            self.numbers(table, name)
        if self.way == "rate":
            self._class_among(classes)
        for side in self.sides:
            path = self.file(side, folder)
            if isinstance(path, Path) and not path.exists():
                raise DataError(f"{self.where}: file_{side} {str(path)!r} does not exist{_near(path)}")

    def file(self, side: Side, folder: Path) -> Any:
        """Return the other table of a side, a path beside the file of variations; None where there is none."""
        given = self._given("file", side)
        return folder / given if isinstance(given, str | Path) else given

    def _class_among(self, classes: tuple[str, ...]) -> int:
        if self.of_class not in classes:
            known = f"the classes are {listing(classes)}" if classes else "the run predicts numbers"
            near = suggest(str(self.of_class), classes)
            raise SettingError(f"{self.where}: there is no class {self.of_class!r}; {known}.{near}")
        return classes.index(self.of_class)


KEYS_OF_PAIRS = tuple(f"{way}_{side}" for way in PAIRS for side in SIDES)
_KEYS = tuple("class" if key == "of_class" else key for key in Variation.model_fields if key not in ("name", "where"))


def read_variations(source: str | Path | Mapping[str, Any]) -> tuple[Variation, ...]:
    """Return the variations of a TOML file, or of a dict of the same form.

    Raises:
        SettingError: the file is missing or no TOML, or a variation makes no sense; file, line and name are told.

    Example:
        >>> variation, = read_variations({"scale": {"columns": ["x"], "scale": 0.1}})
        >>> variation.text, variation.sides
        ('x × (1 ± 0.1)', ('up', 'down'))
    """
    if isinstance(source, Mapping):
        return _checked(source, {}, "variations")
    try:
        text = Path(source).read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except FileNotFoundError:
        raise SettingError(f"the file of variations {str(source)!r} does not exist{_near(Path(source))}") from None
    except OSError as error:
        raise SettingError(f"cannot read the file of variations {str(source)!r}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"the file of variations {str(source)!r} is not TOML: {error}") from None
    return _checked(content, _lines_of(text), str(source))


def _checked(content: Mapping[str, Any], lines: Mapping[str, int], source: str) -> tuple[Variation, ...]:
    if not content:
        raise SettingError(f"{source}: there are no variations; expected tables such as [jet_energy_scale]")
    variations = []
    for name, values in content.items():
        where = f"{source}, {f'line {lines[name]}, ' if name in lines else ''}[{name}]"
        if not isinstance(values, Mapping):
            raise SettingError(f"{source}: {name} stands outside of any table; begin each variation with [its_name]")
        for key in values:
            if key not in _KEYS:
                near = suggest(key, _KEYS)
                raise SettingError(f"{where} has no key {key!r}; known are: {', '.join(_KEYS)}.{near}")
        try:
            variations.append(Variation(name=name, where=where, **values))
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"][:1])
            raise SettingError(f"{where}{f' {key}: ' if key else ' '}{expected(first)}") from None
    return tuple(variations)


def _lines_of(text: str) -> dict[str, int]:
    """Return the line of each table in a TOML file, as far as it is written plainly."""
    head = re.compile(r"\s*\[\s*[\"']?([^\]\"']+?)[\"']?\s*\]")
    matches = ((number, head.match(line)) for number, line in enumerate(text.splitlines(), start=1))
    return {match[1]: number for number, match in matches if match}


def _near(path: Path) -> str:
    """Return what the user may have meant by a file that is not there."""
    if not path.parent.is_dir():
        return f", and neither does its folder {str(path.parent)!r}."
    return f".{suggest(path.name, (other.name for other in path.parent.iterdir()))}"
