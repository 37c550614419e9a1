"""What users write of columns, `score < 0.3 and status == 'finished'`, as an expression of polars.

The text is parsed as Python and never evaluated: each kind of node that may stand in it is named below, and all else is
refused. Kinds of values are checked before polars sees them, so that what is wrong is told in the words of the text.
"""

from __future__ import annotations

import ast
import datetime
import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import polars as pl

from shoal.data.functions import CONSTANTS, check_function, value_of, without_nan
from shoal.errors import SettingError, listing, suggest

MOST_LETTERS, DEEPEST = 2000, 50
LARGEST = 2**63 - 1


class ValueKind(enum.Enum):
    """What values are, in words."""

    NUMBER = "numbers"
    TEXT = "text"
    TRUTH = "true or false"
    TIME = "a time"
    NOTHING = "None"


@dataclass(frozen=True)
class _Value:
    """A part of an expression: what polars computes, of which kind, and the value itself where it is a constant."""

    expr: pl.Expr
    kind: ValueKind
    constant: Any = None


_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
}
_COMPUTE: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.FloorDiv: lambda a, b: a // b,
    ast.Mod: lambda a, b: a % b,
    ast.Pow: lambda a, b: a**b,
}
_COMBINE: dict[type[ast.boolop] | type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.And: lambda a, b: a & b,
    ast.Or: lambda a, b: a | b,
    ast.BitAnd: lambda a, b: a & b,
    ast.BitOr: lambda a, b: a | b,
}


def parse_condition(text: str, columns: Mapping[str, pl.DataType]) -> pl.Expr:
    """Return a condition on the rows of a table as an expression of polars.

    Allowed are names of columns (`col("a name (cm)")` where one is no word of Python), numbers, texts, True, False and
    None; comparisons and chains of them; `in` and `not in` with a list, or of a text in a column of texts; `is None`;
    `and`, `or`, `not`, also as `&`, `|`, `~`; `+ - * / // % **`; the functions of `shoal.data.functions`, `pi` and
    `e`; and `where(condition, a, b)`. Arithmetic is that of floating-point numbers. As in SQL a missing value fulfils
    no comparison; NaN counts as missing. Times are compared with texts such as `'2026-11-01'`, in UTC.

    Args:
        text: the condition.
        columns: name and type of each column, as `DataFrame.schema` has them.

    Raises:
        SettingError: it is no condition on these columns; the message says what is wrong, and where.

    Example:
        >>> table = pl.DataFrame({"score": [0.2, 0.5, None], "status": ["finished", "finished", "diverged"]})
        >>> table.filter(parse_condition("0 < score < 0.3 and status == 'finished'", table.schema)).height
        1
    """
    value = _Reader(text, columns).value()
    if value.kind is not ValueKind.TRUTH:
        raise SettingError(f"expected a condition, such as score < 0.3, but {text!r} gives {value.kind.value}")
    return value.expr


def parse_value(text: str, columns: Mapping[str, pl.DataType]) -> pl.Expr:
    """Return what is computed from the columns of a table, `sqrt(px**2 + py**2)`, as an expression of polars.

    Args:
        text: the expression, as in `parse_condition`; a condition gives true and false.
        columns: name and type of each column.

    Raises:
        SettingError: it makes no sense on these columns; the message says what is wrong, and where.

    Example:
        >>> table = pl.DataFrame({"px": [3, None], "py": [4, 1]})
        >>> table.select(parse_value("hypot(px, py)", table.schema).alias("pt"))["pt"].to_list()
        [5.0, None]
    """
    value = _Reader(text, columns).value()
    if value.kind is ValueKind.NOTHING:
        raise SettingError(f"expected an expression of columns, but {text!r} is always missing")
    return value.expr


def names_in(text: str) -> frozenset[str]:
    """Return the names of columns that may stand in an expression; none where it is no expression."""
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called}
    quoted = {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and len(node.args) == 1 and isinstance(node.args[0], ast.Constant)
    }
    return frozenset(names | {name for name in quoted if isinstance(name, str)})


class _Reader:
    """Turns one text into an expression."""

    def __init__(self, text: str, columns: Mapping[str, pl.DataType]) -> None:
        self.text, self.columns = text, columns

    def value(self) -> _Value:
        """Return what the text stands for."""
        if len(self.text) > MOST_LETTERS:
            raise SettingError(f"an expression has {MOST_LETTERS:,} letters at most, got {len(self.text):,}")
        if not self.text.strip():
            raise SettingError("the expression is empty; expected one such as score < 0.3")
        try:
            tree = ast.parse(self.text.strip(), mode="eval")
        except SyntaxError as error:
            hint = "; to compare, write ==" if "=" in self.text and "==" not in self.text else ""
            raise SettingError(f"{self.text!r} is no expression ({error.msg}){hint}") from None
        except (ValueError, RecursionError, MemoryError):
            raise self._refused("expected an expression such as score < 0.3") from None
        return self._read(tree.body, 0)

    def _refused(self, reason: str, node: ast.AST | None = None) -> SettingError:
        part = None if node is None else ast.get_source_segment(self.text.strip(), node)
        where = "" if part in (None, self.text.strip()) else f", at {part!r}"
        return SettingError(f"in {self.text!r}: {reason}{where}")

    def _read(self, node: ast.expr, depth: int) -> _Value:
        if depth > DEEPEST:
            raise SettingError(f"an expression is nested {DEEPEST} deep at most")
        for kind, read in _READERS.items():
            if isinstance(node, kind):
                value: _Value = read(self, node, depth + 1)
                return value
        raise self._refused(
            f"{type(node).__name__} is not allowed here; there may be columns, numbers, texts, comparisons, "
            "and, or, not, in and arithmetic",
            node,
        )

    def _constant(self, node: ast.Constant, _: int) -> _Value:
        value = node.value
        if value is None:
            return _Value(pl.lit(None), ValueKind.NOTHING)
        if isinstance(value, bool):
            return _Value(pl.lit(value), ValueKind.TRUTH, value)
        if isinstance(value, str):
            return _Value(pl.lit(value), ValueKind.TEXT, value)
        if isinstance(value, float) or (isinstance(value, int) and value <= LARGEST):
            return _Value(pl.lit(value), ValueKind.NUMBER, value)
        raise self._refused("expected a number of usual size, a text, True, False or None", node)

    def _name(self, node: ast.Name, _: int) -> _Value:
        if node.id in CONSTANTS and node.id not in self.columns:
            return _Value(pl.lit(CONSTANTS[node.id]), ValueKind.NUMBER, CONSTANTS[node.id])
        return self._column(node.id, node)

    def _call(self, node: ast.Call, depth: int) -> _Value:
        match node:
            case ast.Call(func=ast.Name(id="col"), args=[ast.Constant(value=str(name))], keywords=[]):
                return self._column(name, node)
            case ast.Call(func=ast.Name(id="col")):
                raise self._refused("col takes the name of a column in quotes", node)
            case ast.Call(func=ast.Name(id="where"), args=[condition, first, second], keywords=[]):
                return self._either(condition, first, second, depth)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._computed_by(name, arguments, depth)
        raise self._refused("nothing can be called but functions by their names, such as sqrt(x)", node)

    def _computed_by(self, name: str, arguments: list[ast.expr], depth: int) -> _Value:
        try:
            check_function(name, len(arguments))
        except SettingError as error:
            raise self._refused(str(error)) from None
        numbers = [self._number(argument, depth) for argument in arguments]
        return _Value(without_nan(value_of(name, numbers)), ValueKind.NUMBER)

    def _either(self, condition: ast.expr, first: ast.expr, second: ast.expr, depth: int) -> _Value:
        """Return one of two values, by a condition; missing where the condition is."""
        truth = self._truth(condition, depth)
        a, b = self._alike(self._read(first, depth), self._read(second, depth), second)
        chosen = pl.when(truth.is_not_null()).then(pl.when(truth).then(a.expr).otherwise(b.expr))
        return _Value(chosen, a.kind)

    def _column(self, name: str, node: ast.AST) -> _Value:
        if name not in self.columns:
            near = suggest(name, self.columns)
            raise self._refused(f"there is no column {name!r}; there are {listing(self.columns, 40)}.{near}")
        kind, expr = self.columns[name], pl.col(name)
        if kind.is_float():
            return _Value(expr.fill_nan(None), ValueKind.NUMBER)
        if kind.is_numeric():
            return _Value(expr, ValueKind.NUMBER)
        if kind == pl.Boolean:
            return _Value(expr, ValueKind.TRUTH)
        if kind.is_temporal() and kind in (pl.Datetime, pl.Date):
            return _Value(expr.cast(pl.Datetime("us", None)), ValueKind.TIME)
        if kind in (pl.String, pl.Categorical, pl.Enum):
            return _Value(expr.cast(pl.String), ValueKind.TEXT)
        raise self._refused(f"column {name!r} holds {kind}, which cannot be compared", node)

    def _compare(self, node: ast.Compare, depth: int) -> _Value:
        left, parts = node.left, []
        for operator, right in zip(node.ops, node.comparators, strict=True):
            parts.append(self._one_comparison(left, operator, right, depth))
            left = right
        return _Value(reduce(lambda a, b: a & b, parts), ValueKind.TRUTH)

    def _one_comparison(self, left: ast.expr, operator: ast.cmpop, right: ast.expr, depth: int) -> pl.Expr:
        if isinstance(operator, (ast.In, ast.NotIn)):
            among = self._among(left, right, depth)
            return ~among if isinstance(operator, ast.NotIn) else among
        a, b = self._read(left, depth), self._read(right, depth)
        if ValueKind.NOTHING in (a.kind, b.kind):
            missing = (a if b.kind is ValueKind.NOTHING else b).expr.is_null()
            if isinstance(operator, (ast.Is, ast.Eq)):
                return missing
            if isinstance(operator, (ast.IsNot, ast.NotEq)):
                return missing.not_()
        if type(operator) not in _COMPARE or ValueKind.NOTHING in (a.kind, b.kind):
            raise self._refused("None is asked for by is None or is not None, all else by == and !=", left)
        a, b = self._alike(a, b, right)
        ordered = not isinstance(operator, (ast.Eq, ast.NotEq))
        if ordered and a.kind is ValueKind.TRUTH:
            raise self._refused("true and false have no order; compare them by == or write the name alone", left)
        result: pl.Expr = _COMPARE[type(operator)](a.expr, b.expr)
        return result

    def _alike(self, a: _Value, b: _Value, node: ast.AST) -> tuple[_Value, _Value]:
        """Return two values that can be compared; a text beside a time is read as one."""
        if {a.kind, b.kind} == {ValueKind.TIME, ValueKind.TEXT}:
            a, b = (self._time(value, node) if value.kind is ValueKind.TEXT else value for value in (a, b))
        if a.kind is not b.kind:
            raise self._refused(f"{a.kind.value} cannot be compared with {b.kind.value}", node)
        return a, b

    def _time(self, value: _Value, node: ast.AST) -> _Value:
        try:
            moment = datetime.datetime.fromisoformat(str(value.constant))
        except ValueError:
            raise self._refused(
                "a time is compared with a text such as '2026-11-01' or '2026-11-01 12:30'", node
            ) from None
        if moment.tzinfo is not None:
            moment = moment.astimezone(datetime.UTC).replace(tzinfo=None)
        return _Value(pl.lit(moment), ValueKind.TIME, moment)

    def _among(self, left: ast.expr, right: ast.expr, depth: int) -> pl.Expr:
        a = self._read(left, depth)
        if isinstance(right, (ast.List, ast.Tuple, ast.Set)):
            values = [self._alike(a, self._read(part, depth), part)[1] for part in right.elts]
            return reduce(lambda x, y: x | y, (a.expr == value.expr for value in values), pl.lit(False))
        b = self._read(right, depth)
        if a.kind is not ValueKind.TEXT or b.kind is not ValueKind.TEXT:
            raise self._refused("in needs a list, as in batch_size in [16, 32], or texts on both sides", right)
        return b.expr.str.contains(a.expr, literal=True)

    def _combine(self, node: ast.BoolOp, depth: int) -> _Value:
        parts = [self._truth(value, depth) for value in node.values]
        return _Value(reduce(_COMBINE[type(node.op)], parts), ValueKind.TRUTH)

    def _compute(self, node: ast.BinOp, depth: int) -> _Value:
        if type(node.op) in _COMBINE:
            parts = self._truth(node.left, depth), self._truth(node.right, depth)
            return _Value(_COMBINE[type(node.op)](*parts), ValueKind.TRUTH)
        if type(node.op) not in _COMPUTE:
            raise self._refused(f"{type(node.op).__name__} is not allowed; there are + - * / // % **", node)
        a, b = self._number(node.left, depth), self._number(node.right, depth)
        return _Value(without_nan(_COMPUTE[type(node.op)](a, b)), ValueKind.NUMBER)

    def _negate(self, node: ast.UnaryOp, depth: int) -> _Value:
        if isinstance(node.op, (ast.Not, ast.Invert)):
            return _Value(self._truth(node.operand, depth).not_(), ValueKind.TRUTH)
        number = self._number(node.operand, depth)
        return _Value(-number if isinstance(node.op, ast.USub) else number, ValueKind.NUMBER)

    def _truth(self, node: ast.expr, depth: int) -> pl.Expr:
        return self._of_kind(node, ValueKind.TRUTH, "and, or and not join conditions, such as score < 0.3", depth)

    def _number(self, node: ast.expr, depth: int) -> pl.Expr:
        """Return a number as a floating-point one, since whole ones of few bits would run over."""
        return self._of_kind(node, ValueKind.NUMBER, "arithmetic needs numbers", depth).cast(pl.Float64)

    def _of_kind(self, node: ast.expr, kind: ValueKind, needs: str, depth: int) -> pl.Expr:
        value = self._read(node, depth)
        if value.kind is not kind:
            raise self._refused(f"{needs}, got {value.kind.value}", node)
        return value.expr


_READERS: dict[type[ast.expr], Callable[[_Reader, Any, int], _Value]] = {
    ast.Constant: _Reader._constant,
    ast.Name: _Reader._name,
    ast.Call: _Reader._call,
    ast.Compare: _Reader._compare,
    ast.BoolOp: _Reader._combine,
    ast.BinOp: _Reader._compute,
    ast.UnaryOp: _Reader._negate,
}
