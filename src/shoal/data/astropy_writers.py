"""Tables as astronomers' files: FITS, VOTable and ECSV, by astropy (`shoal[astro]`)."""

from __future__ import annotations

import io
import warnings
from typing import Any

from shoal.data.output import Output, array_of


def fits_file(output: Output) -> bytes:
    """Return a FITS file with one table; nulls of integers and texts are told by TNULL and empty texts."""
    table = _table(output)
    table.meta["EXTNAME"] = "PREDICTIONS"
    table.meta["comments"] = [f"shoal {name}: {text}" for name, text in output.provenance.items()]
    return _written(table, "fits")


def ecsv_file(output: Output) -> bytes:
    """Return an ECSV file; its header holds where the numbers come from under `shoal`."""
    table = _table(output)
    table.meta["shoal"] = dict(output.provenance)
    text = io.StringIO()
    table.write(text, format="ascii.ecsv")
    return text.getvalue().encode()


def votable_file(output: Output) -> bytes:
    """Return a VOTable; an INFO each says where the numbers come from."""
    from astropy.io import votable
    from astropy.io.votable.tree import Info

    content = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # units that VOTable does not list
        made = votable.from_table(_table(output))
        made.resources[0].infos.extend(
            Info(name=f"shoal_{name}", value=text, config={"version_1_1_or_later": True})
            for name, text in output.provenance.items()
        )
        made.to_xml(content)
    return content.getvalue()


def _table(output: Output) -> Any:
    from astropy.table import MaskedColumn, Table

    table = Table()
    for series in output.table.get_columns():
        values, missing = array_of(series)
        column = MaskedColumn(values, mask=missing) if missing.any() and values.dtype.kind not in "fU" else values
        table[series.name] = column
        if unit := output.units.get(series.name):
            table[series.name].unit = _unit(unit)
    return table


def _unit(text: str) -> object:
    """Return a unit as astropy knows it, else as it is."""
    from astropy.units import Unit

    return Unit(text, parse_strict="silent")


def _written(table: Any, form: str) -> bytes:
    content = io.BytesIO()
    table.write(content, format=form)
    return content.getvalue()
