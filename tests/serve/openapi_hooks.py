"""For schemathesis, which knows no tables: bodies of CSV and Arrow, of any rows of the table in $SHOAL_ROWS."""

from __future__ import annotations

import io
import os

import polars as pl
import schemathesis
from hypothesis import strategies as st

TABLE = pl.read_parquet(os.environ["SHOAL_ROWS"])
ROWS = st.lists(st.integers(0, TABLE.height - 1), min_size=1, max_size=5).map(lambda places: TABLE[places])


def arrow(table: pl.DataFrame, *, stream: bool) -> bytes:
    out = io.BytesIO()
    (table.write_ipc_stream if stream else table.write_ipc)(out)
    return out.getvalue()


schemathesis.openapi.media_type("text/csv", ROWS.map(lambda table: table.write_csv().encode()))
for name in ("stream", "file"):
    kind = f"application/vnd.apache.arrow.{name}"
    schemathesis.openapi.media_type(kind, ROWS.map(lambda table, stream=name == "stream": arrow(table, stream=stream)))


@schemathesis.hook
def filter_case(_: schemathesis.HookContext, case: schemathesis.Case) -> bool:
    """Leave out what no schema can say: that columns have one length, and that one may ask for unknown ones."""
    rows = case.body if isinstance(case.body, list) else [case.body]
    names = {name for row in rows if isinstance(row, dict) for name in row}
    if (case.query or {}).get("unknown") == "ignore" and not names <= set(TABLE.columns):
        return False
    lengths = {len(value) for row in rows if isinstance(row, dict) for value in row.values() if isinstance(value, list)}
    return len(lengths) <= 1
