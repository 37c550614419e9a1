"""What a run takes: its columns with types, units and ranges, as a type that pydantic checks and OpenAPI shows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

import polars as pl
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.types import FailFast, Strict
from typing_extensions import NotRequired, TypedDict  # noqa: UP035 (pydantic asks for these below Python 3.12)

from shoal.data import Preparation
from shoal.data.encoders import BooleanEncoder, CategoryEncoder, NumberEncoder
from shoal.data.expressions import names_in
from shoal.data.functions import CONSTANTS
from shoal.errors import expected, listing, suggest
from shoal.prediction.predictor import Predictor
from shoal.serve.problems import Refused

_MOST_TOLD = 10
_SHOWN = 60


@dataclass(frozen=True)
class Column:
    """A column that a run takes.

    Attributes:
        name: any text.
        kind: `number`, `date`, `boolean`, `category`, or `any` where the run does not say.
        required: whether each row must have it; its value may be null all the same.
        what: what it is for, in words; empty for a feature.
        unit: of numbers, if known.
        low, high: the range of the training rows, if known.
        levels: the categories of the training rows.
        form: how texts of dates and numbers are written, if not in the usual form.
        least, above: the least number, or the one above which all have to lie, such as 0 of errors.
    """

    name: str
    kind: str
    required: bool = True
    what: str = ""
    unit: str | None = None
    low: float | None = None
    high: float | None = None
    levels: tuple[str, ...] = ()
    form: str | None = None
    least: float | None = None
    above: float | None = None

    @property
    def description(self) -> str:
        """What OpenAPI says of it."""
        of_training = self.low is not None and self.high is not None and self.kind == "number"
        parts = [
            self.what,
            f"in {self.unit}" if self.unit else "",
            f"training rows: {self.low:g} to {self.high:g}" if of_training else "",
            f"written as {self.form}" if self.form else "",
            "null where it is not known",
        ]
        return "; ".join(part for part in parts if part)

    @property
    def value_type(self) -> Any:
        """The type of one value, for pydantic."""
        number = Annotated[float, Strict(), Field(allow_inf_nan=False, ge=self.least, gt=self.above)]
        text = Annotated[str, Strict()]
        truth = Annotated[bool, Strict()]
        if self.kind == "number":
            return number | text | None if self.form else number | None
        if self.kind == "date":
            form = {} if self.form else {"format": "date"}
            day = Annotated[str, Strict(), Field(min_length=1, json_schema_extra=form)]
            return day | None
        if self.kind == "boolean":
            return truth | None
        return text | number | truth | None

    @property
    def schema(self) -> dict[str, Any]:
        """What its JSON schema has beside its type."""
        extra: dict[str, Any] = {}
        if self.levels:
            # categories that training did not see are answered too, so that this names them and forbids no other
            extra["examples"] = list(self.levels)
            extra["x-enum"] = list(self.levels)
        return extra

    def series(self, values: list[Any]) -> pl.Series:
        """Return values, as pydantic has checked them, as a column of a table."""
        if self.kind == "number" and not self.form:
            return pl.Series(self.name, values, dtype=pl.Float64)
        if self.kind == "boolean":
            return pl.Series(self.name, values, dtype=pl.Boolean)
        if self.kind == "any":
            kinds = {type(value) for value in values} - {type(None)}
            if kinds in ({float}, {bool}):
                return pl.Series(self.name, values)
        return pl.Series(self.name, [self._text(value) for value in values], dtype=pl.String)

    def _text(self, value: Any) -> str | None:
        """Return a category as the text by which the training rows know it, so that 1, 1.0 and "1" agree."""
        if value is None or isinstance(value, str):
            return value or None
        if isinstance(value, bool):
            return "true" if value else "false"
        if float(value).is_integer() and str(float(value)) not in self.levels:
            return str(int(value))
        return str(float(value))


class Columns:
    """All columns that a run takes, and the bodies that hold them.

    A body is what `run.predict` takes in Python: a row as an object, a list of rows, or an object of lists.

    Args:
        columns: in the order in which a row without names has them, features first.

    Example:
        >>> columns = Columns([Column("length (mm)", "number"), Column("color", "category", required=False)])
        >>> columns.read({"length (mm)": 1})
        {'length (mm)': [1.0]}
        >>> columns.read([{"length (mm)": 1.5, "color": "red"}, {"length (mm)": None}])
        {'length (mm)': [1.5, None], 'color': ['red', None]}
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self.all = {column.name: column for column in columns}
        self.required = [column.name for column in self.all.values() if column.required]

    def __iter__(self) -> Iterator[Column]:
        return iter(self.all.values())

    @cached_property
    def row(self) -> Any:
        """The type of a row."""
        return self._typed("Row", {column.name: self._field(column, column.value_type) for column in self})

    @cached_property
    def table(self) -> Any:
        """The type of an object of lists."""
        lists = {
            column.name: self._field(column, Annotated[list[column.value_type], FailFast()])  # type: ignore[name-defined]
            for column in self
        }
        return self._typed("Columns", lists)

    @staticmethod
    def _field(column: Column, kind: Any) -> Any:
        field = Annotated[kind, Field(description=column.description, json_schema_extra=column.schema)]
        return field if column.required else NotRequired[field]

    @staticmethod
    def _typed(name: str, fields: dict[str, Any]) -> Any:
        kind = TypedDict(name, fields)  # type: ignore[misc]
        kind.__pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[attr-defined]
        return kind

    @cached_property
    def _row(self) -> TypeAdapter[Any]:
        return TypeAdapter(self.row)

    @cached_property
    def _rows(self) -> TypeAdapter[Any]:
        return TypeAdapter(Annotated[list[self.row], FailFast(), Field(min_length=1)])  # type: ignore[arg-type,name-defined]

    @cached_property
    def _table(self) -> TypeAdapter[Any]:
        return TypeAdapter(self.table)

    def json_schema(self, rows: int = 1) -> dict[str, Any]:
        """Return the JSON schema of a body of at least so many rows."""
        row, table = self._row.json_schema(), self._table.json_schema()
        for name in table["properties"]:
            table["properties"][name]["minItems"] = rows
        forms = [
            {**row, "title": "A row"},
            {"title": "Rows", "type": "array", "items": row, "minItems": rows},
            {**table, "title": "Columns"},
        ]
        return {"oneOf": forms if rows == 1 else forms[1:]}

    def read(self, body: Any, *, ignore_unknown: bool = False) -> dict[str, list[Any]]:
        """Return the columns of a body.

        Args:
            body: decoded JSON.
            ignore_unknown: leave out columns that the run does not take, instead of refusing them.

        Raises:
            Refused: 422, it holds something else; the sentence names row and column.
        """
        if isinstance(body, list):
            return self._of_rows(body, ignore_unknown)
        if not isinstance(body, Mapping):
            raise Refused(422, f"expected a row, a list of rows, or columns, got {_kind(body)}; {self._example()}")
        if ignore_unknown:
            body = self._known(body)
        try:
            if any(isinstance(value, list) for value in body.values()):
                columns = self._table.validate_python(body)
            else:
                return {name: [value] for name, value in self._row.validate_python(body).items()}
        except ValidationError as error:
            raise self._refused(error) from None
        lengths = {name: len(values) for name, values in columns.items()}
        if len(set(lengths.values())) != 1 or not next(iter(lengths.values())):
            raise Refused(422, f"expected columns of one length, one value or more each, got {lengths}")
        return dict(columns)

    def _of_rows(self, body: list[Any], ignore_unknown: bool) -> dict[str, list[Any]]:
        if ignore_unknown:
            body = [self._known(row) if isinstance(row, Mapping) else row for row in body]
        try:
            rows = self._rows.validate_python(body)
        except ValidationError as error:
            raise self._refused(error) from None
        names = [name for name in self.all if any(name in row for row in rows)]
        return {name: [row.get(name) for row in rows] for name in names}

    def _known(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in row.items() if name in self.all}

    def check(self, names: Sequence[str], *, ignore_unknown: bool = False) -> list[str]:
        """Return those names of a table that the run takes.

        Raises:
            Refused: 422, a column is missing or unknown.
        """
        missing = [name for name in self.required if name not in names]
        if missing:
            raise Refused(422, self._missing(missing[0], names))
        unknown = [name for name in names if name not in self.all]
        if unknown and not ignore_unknown:
            raise Refused(422, self._unknown(unknown[0]))
        return [name for name in names if name in self.all]

    def table_of(self, columns: Mapping[str, list[Any]]) -> pl.DataFrame:
        """Return columns, as `read` returns them, as a table."""
        return pl.DataFrame([self.all[name].series(values) for name, values in columns.items()])

    def _missing(self, name: str, given: Sequence[str]) -> str:
        near = suggest(name, [each for each in given if each not in self.all])
        return f"column {name!r} is missing{f'.{near}' if near else ''}; give null where its value is not known"

    def _unknown(self, name: str) -> str:
        near = suggest(name, self.all)
        return (
            f"the run takes no column {name!r}.{near} It takes {listing(map(repr, self.all))}; "
            f"?unknown=ignore leaves out the others"
        )

    def _refused(self, error: ValidationError) -> Refused:
        """Return the refusal of a body that pydantic refused."""
        told = []
        for each in error.errors(include_url=False)[:_MOST_TOLD]:
            place = [part for part in each["loc"] if isinstance(part, int) or part in self.all or each["type"] in _KEYS]
            told.append((place, self._sentence(place, dict(each))))
        # the members of a union are told one by one: one sentence for each place
        first = dict((tuple(place), sentence) for place, sentence in reversed(told))
        places: list[dict[str, Any]] = [
            {"place": list(place), "detail": sentence} for place, sentence in reversed(first.items())
        ]
        return Refused(422, places[0]["detail"], errors=places)

    def _sentence(self, place: Sequence[Any], error: dict[str, Any]) -> str:
        numbers = [part for part in place if isinstance(part, int)]
        names = [part for part in place if isinstance(part, str)]
        row = f"row {numbers[0] + 1}: " if numbers else ""
        if error["type"] == "missing":
            return row + self._missing(names[-1], list(error["input"]))
        if error["type"] == "extra_forbidden":
            return row + self._unknown(names[-1])
        if error["type"] in ("dict_type", "too_short"):
            return f"{row}expected a row or more, got {_kind(error['input'])}; {self._example()}"
        if not names:
            return row + expected(error)
        return f"{row}column {names[0]!r}: expected {self._wanted(names[0])}, got {_shown(error['input'])}"

    def _wanted(self, name: str) -> str:
        column = self.all[name]
        least = "" if column.least is None else f" from {column.least:g} up"
        number = f"a finite number{least}" if column.above is None else f"a finite number above {column.above:g}"
        what = {
            "number": f"a number, or a text as {column.form}" if column.form else number,
            "date": f"a date as text, written {column.form or '2025-01-31'}",
            "boolean": "true or false",
        }.get(column.kind, "a text, a number, true or false")
        return f"{what}, or null where it is not known"

    def _example(self) -> str:
        names = listing([f'"{name}": …' for name in self.required], 4)
        return f"such as {{{names}}}"


_KEYS = ("missing", "extra_forbidden")


def _kind(value: Any) -> str:
    names = {type(None): "null", bool: "true or false", str: "a text", list: "a list", dict: "an object"}
    if isinstance(value, list | dict) and not value:
        return f"an empty {'list' if isinstance(value, list) else 'object'}"
    return names.get(type(value), "a number")


def _shown(value: Any) -> str:
    if isinstance(value, list | dict):
        return _kind(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "an infinite number"
    text = repr(value) if not isinstance(value, int) or abs(value) < 10**40 else "a huge number"
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def columns_of(predictor: Predictor) -> Columns:
    """Return the columns that the predictor of a run on tables takes."""
    preparation = predictor.preparation
    named: dict[str, Column] = {}
    for encoder in preparation.encoders:
        feature = _of_encoder(encoder, preparation)
        bases = _bases(encoder.column, preparation)
        if bases != [encoder.column]:
            feature = Column(**{**feature.__dict__, "required": False, "what": "derived from other columns"})
            named |= {name: _beside(name, preparation, "", True) for name in bases if name not in named}
        named[encoder.column] = feature
    for condition in preparation.rules.where:
        for name in sorted(names_in(condition) - set(CONSTANTS)):
            for base in _bases(name, preparation):
                named.setdefault(base, _beside(base, preparation, f"for the cut {condition}"))
    for name in preparation.rules.definitions:
        named.setdefault(name, _beside(name, preparation, "derived from other columns"))
    for name, column in _error_columns(predictor).items():
        named.setdefault(name, column)
    return Columns(list(named.values()))


def _of_encoder(encoder: Any, preparation: Preparation) -> Column:
    name, form = encoder.column, preparation.reading.formats.get(encoder.column)
    if isinstance(encoder, BooleanEncoder):
        return Column(name, "boolean")
    if isinstance(encoder, CategoryEncoder):
        return Column(name, "category", levels=(*encoder.levels, *encoder.rare), form=form)
    assert isinstance(encoder, NumberEncoder)
    kind = "date" if encoder.dates else "number"
    return Column(name, kind, True, "", preparation.units.get(name), encoder.low, encoder.high, (), form)


def _bases(name: str, preparation: Preparation) -> list[str]:
    """Return the columns of files from which a column is computed; itself where it is not."""
    definitions = preparation.rules.definitions
    if name not in definitions:
        return [name]
    names = sorted(names_in(definitions[name]) - set(CONSTANTS) - {name})
    return list(dict.fromkeys(base for each in names for base in _bases(each, preparation)))


def _beside(name: str, preparation: Preparation, what: str, required: bool = False) -> Column:
    """Return a column that no network sees."""
    return Column(name, "any", required, what, preparation.units.get(name), form=preparation.reading.formats.get(name))


def _error_columns(predictor: Predictor) -> dict[str, Column]:
    """Return the columns without which error bars are those of usual rows."""
    preparation, found = predictor.preparation, {}
    for feature, name in predictor.input_errors.items():
        unit = preparation.units.get(feature)
        found[name] = Column(name, "number", False, f"the error of {feature!r}", unit, least=0.0)
    for name in () if predictor.measured is None else predictor.measured.columns:
        found[name] = Column(name, "number", False, "the error of a measured target, if it is known", above=0.0)
    conformal = predictor.conformal
    if conformal is not None and conformal.column is not None and conformal.by_group:
        found[conformal.column] = Column(conformal.column, "any", False, "the group of a row, for its own intervals")
    return found
