"""`shoal encode`: a table with the codes and anomaly scores of an autoencoder."""

from __future__ import annotations

from typing import Any

from shoal.cli.from_settings import READING, read_options, with_settings
from shoal.cli.options import DataArgument, Force, Json, Quiet, RunArgument
from shoal.cli.predict import Out, print_rows
from shoal.errors import counted


@with_settings(READING)
def encode(
    run: RunArgument,
    data: DataArgument,
    out: Out = None,
    *,
    settings: dict[str, Any],
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Add codes and anomaly scores to a table, by a run that was fitted with --reconstruct.

    The columns of the table are kept, those beside images or series, too. Added are `code_1`, `code_2`, …, the code
    of a row in the best network, `anomaly_score`, the mean squared error of its reconstruction, and `anomaly`, whether
    that lies above the threshold of the run.
    """
    from shoal.cli.files import TABLES, check_output, write_table
    from shoal.cli.guard import tell
    from shoal.cli.live import watching
    from shoal.data.output import joined

    path = check_output(out, TABLES, "a table", force=force) if out else None
    from shoal.run import load

    with watching(quiet=quiet, plain_lines=False) as progress:
        progress.stage(f"encoding {data}")
        table, encoded = load(run).encode_table(data, read_options(settings))
        full = joined(table, encoded)
        if path:
            write_table(full, path)
    anomalies = int(encoded.get_column("anomaly").sum())
    if not quiet:
        lie = "lies" if anomalies == 1 else "lie"
        tell("note", f"{anomalies} of {counted(full.height, 'row')} {lie} above the threshold of anomalies.")
    print_rows(full, out, {"anomalies": anomalies}, "encoded", as_json=as_json)
