"""One checksum of the content of data, the same wherever they came from."""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl

from shoal.data.signals import Signals


def content_hash(table: pl.DataFrame) -> str:
    """Return the SHA-256 of names, types and values, the same wherever the table came from."""
    digest = hashlib.sha256()
    for series in table.get_columns():
        digest.update(f"{series.name}\0{series.dtype}\0{len(series)}\0".encode())
        digest.update(np.packbits(series.is_null().to_numpy()).tobytes())
        if series.dtype == pl.String:
            digest.update(series.str.len_bytes().fill_null(0).cast(pl.Int64).to_numpy().tobytes())
            digest.update((series.str.join("")[0] or "").encode())
        else:
            kind = pl.Float64 if series.dtype == pl.Float64 else pl.Int64
            digest.update(np.ascontiguousarray(series.to_physical().cast(kind).fill_null(0).to_numpy()).tobytes())
    return digest.hexdigest()


def data_hash(table: pl.DataFrame, signals: Signals | None) -> str:
    """Return the SHA-256 of a table, with its images or series and the targets of their steps where it has them."""
    if signals is None:
        return content_hash(table)
    steps = "" if signals.targets is None else content_hash(signals.targets.table)
    return hashlib.sha256(f"{content_hash(table)}{signals.sha256()}{steps}".encode()).hexdigest()
