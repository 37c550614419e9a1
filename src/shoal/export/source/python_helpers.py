"""What files of Python hold beside the statements of their program: as text, for it is written, not run here."""

from __future__ import annotations

ALWAYS = '''

def predict(x):
    """Return the answers to rows as a dict of arrays, one row each.

    x: array (rows, *SHAPE), or a dict of columns with their values; categories of a dict are names.
    """
    x = rows_of(x)
    parts = []
    with np.errstate(all="ignore"):
        for start in range(0, max(len(x), 1), ROWS_AT_ONCE):
            part = x[start : start + ROWS_AT_ONCE]
            parts.append({name: values for program in PROGRAMS for name, values in program(part).items()})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def rows_of(x):
    """Return rows (rows, numbers)."""
    size = int(np.prod(SHAPE))
    if isinstance(x, dict):
        absent = [name for name in COLUMNS if name not in x]
        if absent or not COLUMNS:
            raise ValueError(f"expected the columns {COLUMNS or 'of no table'}, but {absent or list(x)} are missing")
        x = np.stack([column(kind, name, x[name]) for name, kind in zip(COLUMNS, KINDS)], axis=1)
    x = np.asarray(x, DTYPE)
    if x.ndim < 2 or x[0:0].size or x.size != len(x) * size:
        raise ValueError(f"expected rows of {size} numbers, an array {('rows', *SHAPE)}, got an array {x.shape}")
    return x.reshape(len(x), size)


def column(kind, name, values):
    """Return a column as numbers."""
    values = np.atleast_1d(np.asarray(values))
    if kind == "category":
        places = {level: place for place, level in enumerate(CODES[name])}
        return np.array([np.nan if missing(value) else places.get(text(value), -1) for value in values.tolist()])
    if kind == "date" and values.dtype.kind not in "iuf":
        days = values.astype("datetime64[us]")
        return np.where(np.isnat(days), np.nan, days.astype(np.int64) / 86_400e6)
    return np.array([np.nan if value is None else value for value in values.tolist()], np.float64)


def missing(value):
    """Return whether a value is None or NaN."""
    return value is None or value != value


def text(value):
    """Return the name of a category."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def unpacked(kind, text):
    """Return an array from the text of its bytes."""
    return np.frombuffer(base64.b64decode(text), kind)


def places(offset, *loops):
    """Return offset + sum of i * step for loops (count, step), the last running fastest."""
    index = np.array([offset])
    for count, step in loops:
        index = (index[:, None] + step * np.arange(count)).ravel()
    return index
'''

HELPERS = {
    "erf": '''
def erf(x):
    """Return the error function."""
    return np.frompyfunc(math.erf, 1, 1)(x).astype(np.float32)
''',
    "correlate": '''
def correlate(x, kernel, strides, dilation, places):
    """Return the cross-correlation of (rows, *space, channels) with (*kernel, channels, filters), a line for a row."""
    total = np.zeros((len(x), *places, kernel.shape[-1]), np.float32)
    for element in np.ndindex(kernel.shape[:3]):
        begin = [e * d for e, d in zip(element, dilation)]
        seen = [slice(b, b + (n - 1) * s + 1, s) for b, n, s in zip(begin, places, strides)]
        total += x[(slice(None), *seen)] @ kernel[element]
    return total.reshape(len(x), -1)
''',
    "take_rows": '''
def take_rows(table, numbers):
    """Return the rows of a table with these numbers, side by side."""
    known = (numbers >= 0) & (numbers < len(table))
    return table[np.where(known, numbers, 0).astype(int)].reshape(len(numbers), -1)
''',
    "mean_distance": '''
def mean_distance(x, rows, neighbours):
    """Return the mean distance to the nearest of some rows."""
    result = np.empty((len(x), 1), np.float32)
    step = max(1, (1 << 22) // rows.size)
    for i in range(0, len(x), step):
        squares = np.square(x[i : i + step, None, :] - rows).sum(axis=2)
        result[i : i + step, 0] = np.sqrt(np.partition(squares, neighbours - 1, axis=1)[:, :neighbours]).mean(axis=1)
    return result
''',
    "folds_end": '''
def folds_end(means, stds, scores, masses, starts, pooled, share, bisections):
    """Return the upper end of the intervals by CV+: the least value below which enough of the folds' scores lie."""
    ends = means + pooled * stds
    low, high = ends.min(axis=1), ends.max(axis=1)
    for _ in range(bisections):
        middle = np.float32(0.5) * (low + high)
        held = np.zeros(len(means), np.float32)
        for fold, (begin, end) in enumerate(zip(starts[:-1], starts[1:])):
            below = np.searchsorted(scores[begin:end], (middle - means[:, fold]) / stds[:, fold], side="right")
            held += np.append(np.float32(0.0), masses[begin:end])[below]
        high, low = np.where(held >= share, middle, high), np.where(held >= share, low, middle)
    return high[:, None]
''',
}

CHECK = """
if __name__ == "__main__":
    said, largest, flags = predict(GIVEN), 0.0, 0
    for name, wanted in EXPECTED.items():
        got = said[name].reshape(wanted.shape)
        if got.dtype == bool:
            flags += int((got != wanted).sum())
        else:
            off = np.abs(got - wanted) / (1.0 + np.abs(wanted))
            largest = max(largest, float(np.where(np.isnan(off), np.inf, off).max(initial=0.0)))
    print(f"{len(GIVEN)} KIND rows: largest difference {largest:.2g}, {flags} flags differ")
    sys.exit(0 if largest <= 1e-5 and flags == 0 else 1)
"""
