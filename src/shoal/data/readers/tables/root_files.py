"""ROOT trees; needs the extra `shoal[hep]`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from shoal.data.frames import plain_table
from shoal.data.readers.base import Content
from shoal.data.readers.files import first_line
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.packages import check_package
from shoal.data.readers.room import check_room
from shoal.data.readers.tables.array_columns import ColumnsOfArrays
from shoal.data.readers.tables.awkward_columns import FIRST_VALUES, add_awkward
from shoal.data.readers.tables.base import TableReader, check_columns
from shoal.data.readers.tables.chosen_table import chosen_table
from shoal.errors import DataError, listing

_BYTES_OF_VALUE = 16  # in a table, and what uproot holds of a branch beside; texts and long lists take more


class RootReader(TableReader):
    """A TTree or RNTuple of a ROOT file, read by uproot.

    A branch with a number, a truth or a text for each entry is a column. Of a branch with a list of numbers the first
    four (`list_values`) become `name_1` to `name_4`, missing where the list is shorter, and `name_count` says how many
    there are.
    """

    name = "ROOT"
    extensions = (".root",)

    def parse(self, path: Path, options: ReadOptions) -> Content:
        """Return the tree in `path`; where there are several, the one that is named."""
        check_package("uproot", "hep", f"{path}: ROOT")
        import uproot

        try:
            with uproot.open(path) as file:
                return _read(file, path, options)
        except DataError:
            raise
        except Exception as error:  # uproot raises nearly anything on damaged bytes
            raise DataError(f"{path} is no readable ROOT file ({first_line(error)}). Write it again.") from error


def _read(file: Any, path: Path, options: ReadOptions) -> Content:
    kinds = file.classnames(recursive=True, cycle=False)
    trees = {
        name: file[name]
        for name, kind in kinds.items()
        if kind in ("TTree", "TNtuple", "TNtupleD") or "RNTuple" in kind
    }
    described = {name: _in_words(tree) for name, tree in trees.items()}
    others = listing(f"{name} ({kind})" for name, kind in list(kinds.items())[:10])
    tree = trees[chosen_table(path, described, options.table, others)]
    entries = int(tree.num_entries)
    names = _leaves(tree)
    check_columns(len(names), path)
    what = f"{path} declares {entries:,} entries of {len(names):,} branches"
    lists = sum(any(word in str(getattr(tree[name], "typename", "")) for word in ("[", "vector")) for name in names)
    values = len(names) + (options.list_values or FIRST_VALUES) * lists
    check_room(_BYTES_OF_VALUE * entries * values, what, "Write fewer entries, or fewer branches.")
    columns = ColumnsOfArrays()
    for name in names:
        _add(columns, name, tree[name], options.list_values)
    return Content(plain_table(columns.table(), str(path)), notes=columns.notes())


def _in_words(tree: Any) -> str:
    return f"{int(tree.num_entries):,} entries, branches: {len(tree.keys())}"


def _leaves(tree: Any) -> list[str]:
    """Return the branches and fields that hold values themselves, under their full names."""
    keys = list(dict.fromkeys(tree.keys()))
    return [key for key in keys if not any(other.startswith((f"{key}/", f"{key}.")) for other in keys if other != key)]


def _add(columns: ColumnsOfArrays, name: str, branch: Any, most: int | None) -> None:
    """Add what a branch holds for each entry; what uproot cannot interpret is left out."""
    shown = name.replace("/", ".")
    try:
        array = branch.array(library="ak")
    except Exception as error:  # objects that uproot cannot interpret
        columns.leave_out(shown, f"{getattr(branch, 'typename', 'an object')}: {first_line(error)[:80]}")
        return
    add_awkward(columns, shown, array, most)
