"""Files of Keras models: a `.keras` file is a zip of JSON and HDF5, a `.h5` file HDF5 alone. Nothing in them is run.

Files are taken to be hostile: members of a zip must be stored as they are, so that nothing can unfold to more than the
file holds; links to other places and files are refused; an array is read only if its bytes lie in the file.
"""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from shoal.data.readers.files import first_line
from shoal.data.readers.hdf5_layout import HDF5
from shoal.data.readers.packages import check_package
from shoal.errors import NetworkError, ShoalError
from shoal.helper_process import HelperProcess

Place = tuple[str, ...]
"""Where a layer stands: the names of the models that it is nested in, and its own."""

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
EXTENSION = ".keras"
EXTENSIONS = (EXTENSION, *HDF5)
MOST_CONFIG = 16 * 2**20
"""Bytes of a configuration; one layer takes about 2,000."""
_CONTAINERS = ("layers", "_layer_checkpoint_dependencies")  # the second of Keras before 3
_INNER = ("cell", "layer", "forward_layer", "backward_layer")


HDF5_BEGIN = b"\x89HDF\r\n\x1a\n"


class KerasWeights(Protocol):
    """The arrays of layers."""

    def arrays(self, place: Place, numbered: Place) -> Sequence[Any]:
        """Return what has a shape, and becomes an array by `[()]`, for each parameter in Keras' order."""


class LiveWeights:
    """The arrays of a model in memory."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def arrays(self, place: Place, numbered: Place) -> Sequence[Any]:  # noqa: ARG002
        """Return those of the layer of a name, in the model of a name, and so on."""
        layer = self._model
        for name in place:
            layer = layer.get_layer(name)
        with warnings.catch_warnings(action="ignore"):  # between Keras, its backend and NumPy
            return [np.asarray(array) for array in layer.get_weights()]


class NoWeights:
    """A file without arrays, or one whose arrays were not asked for."""

    def arrays(self, place: Place, numbered: Place) -> Sequence[Any]:  # noqa: ARG002
        """Refuse."""
        raise NetworkError(
            f"layer {place[-1]!r} has its numbers among the weights, which this file lacks. Save the whole model with "
            f"model.save('model.keras')"
        )


class FileWeights:
    """The arrays in `model.weights.h5`, whose groups are named by the classes of the layers and a number."""

    def __init__(self, file: Any, size: int) -> None:
        self._file, self._size = file, size

    def arrays(self, place: Place, numbered: Place) -> Sequence[Any]:
        """Return the datasets of a layer: its own, then those of the layers within it."""
        group = self._file
        for name in numbered:
            container = next((found for found in (_member(group, each) for each in _CONTAINERS) if found), None)
            group = None if container is None else _member(container, name)
            if group is None:
                raise NetworkError(f"the weights of layer {place[-1]!r} are missing at {'/'.join(numbered)!r}")
        return [_checked(dataset, self._size) for dataset in _datasets(group)]


class OldFileWeights:
    """The arrays of a `.h5` file, read already."""

    def __init__(self, arrays: Mapping[str, list[np.ndarray]]) -> None:
        self._arrays = arrays

    def arrays(self, place: Place, numbered: Place) -> Sequence[Any]:  # noqa: ARG002
        """Return those of a layer."""
        if len(place) > 1:
            raise NetworkError(
                f"layer {place[-1]!r} is in a nested model, whose weights .h5 files do not tell apart. Load the model "
                f"in Keras and save it with model.save('model.keras')"
            )
        if place[0] not in self._arrays:
            raise NetworkError(f"the weights of layer {place[0]!r} are missing. Save the whole model: model.save(...)")
        return self._arrays[place[0]]


def _member(group: Any, name: str) -> Any:
    """Return what a group holds under a name, None if nothing.

    Raises:
        NetworkError: it is a link to another place or file.
    """
    if not hasattr(group, "get") or not name or name not in group:
        return None
    if type(group.get(name, getlink=True)).__name__ != "HardLink":
        raise NetworkError(f"{name!r} in the file of weights is a link, which Keras never writes. Nothing is read")
    return group[name]


def _datasets(group: Any) -> list[Any]:
    own = _member(group, "vars")
    names = sorted((name for name in own if name.isdecimal()), key=int) if own is not None else []
    within = (_member(group, name) for name in _INNER)
    return [*(_member(own, name) for name in names), *(d for inner in within if inner for d in _datasets(inner))]


def _checked(dataset: Any, size: int) -> Any:
    """Return a dataset of numbers that lie in the file, none of whose bytes are elsewhere or made up."""
    if dataset is None or not hasattr(dataset, "dtype"):
        raise NetworkError("the file of weights is damaged: it lacks an array. Save the model again")
    if dataset.dtype.kind not in "fiu" or dataset.external or dataset.is_virtual:
        raise NetworkError(f"an array of the weights, {dataset.name}, is no array of numbers in this file")
    if dataset.chunks is not None or not dataset.nbytes <= min(dataset.id.get_storage_size(), size):
        raise NetworkError(
            f"an array of the weights, {dataset.name} of shape {dataset.shape}, is compressed or not wholly in the "
            f"file, as Keras never writes it. Load the model in Keras and save it again"
        )
    return dataset


@contextmanager
def opened_model(path: Path, *, weights: bool) -> Iterator[tuple[Mapping[str, Any], KerasWeights]]:
    """Give the configuration of a model in a file, and its weights if they are asked for.

    Raises:
        NetworkError: it is no file of a model, or damaged.
        DataError: h5py is missing.
    """
    if path.is_dir() or not path.exists():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise NetworkError(f"{path} {what}. Give the file that model.save('model.keras') wrote")
    with ExitStack() as stack:
        try:
            given = (_zipped if zipfile.is_zipfile(path) else _hdf5)(path, stack, weights=weights)
            yield given
        except ShoalError:
            raise
        except RecursionError:
            raise NetworkError(f"{path} holds a model in a model in a model and so on, too deep to be one") from None
        except Exception as error:  # zipfile, json and h5py raise nearly anything on damaged bytes
            raise NetworkError(
                f"{path} is no readable model of Keras ({type(error).__name__}: {first_line(error)}). Save it "
                f"again with model.save('model.keras')"
            ) from error


def _zipped(path: Path, stack: ExitStack, *, weights: bool) -> tuple[Mapping[str, Any], KerasWeights]:
    archive = stack.enter_context(zipfile.ZipFile(path))
    config = _json(_read(archive, CONFIG, MOST_CONFIG), path)
    if not weights or WEIGHTS not in archive.namelist():
        return config, NoWeights()
    size = path.stat().st_size
    return config, FileWeights(_opened(io.BytesIO(_read(archive, WEIGHTS, size)), stack), size)


def _hdf5(path: Path, stack: ExitStack, *, weights: bool) -> tuple[Mapping[str, Any], KerasWeights]:
    """Read a `.h5` file in another process: libraries of HDF5 may crash on the attributes of damaged files."""
    check_package("h5py", "science", "Models of Keras in .h5 files and their weights lie in HDF5; such")
    with path.open("rb") as file:
        begin = file.read(len(HDF5_BEGIN))
    if begin != HDF5_BEGIN:
        raise NetworkError(f"{path} is no model of Keras, or cut off. Save it again with model.save('model.keras')")
    helper = HelperProcess()
    stack.callback(helper.close)
    answer = helper.do(read_old_file, str(path), weights).answer
    text, arrays = read_old_file(str(path), weights) if answer is None else answer.result()
    if isinstance(arrays, str):
        raise NetworkError(f"{path}: {arrays}")
    return _json(text, path), OldFileWeights(arrays) if weights else NoWeights()


def read_old_file(path: str, weights: bool) -> tuple[str, Mapping[str, list[np.ndarray]] | str]:
    """Return configuration and arrays by layer of a `.h5` file, or why it cannot be read in place of the arrays."""
    import h5py

    size = Path(path).stat().st_size
    try:
        with h5py.File(path, "r") as file:
            text, found = file.attrs.get("model_config"), _member(file, "model_weights")
            if text is None or len(text) > MOST_CONFIG or (weights and found is None):
                return (
                    "",
                    "it holds no whole model of Keras, only weights perhaps. Save it by model.save('model.keras')",
                )
            arrays = {name: _old_arrays(_member(found, name), size) for name in found} if weights else {}
            return text if isinstance(text, str) else text.decode(), arrays
    except Exception as error:  # h5py raises nearly anything on damaged bytes
        return (
            "",
            f"it cannot be read ({type(error).__name__}: {first_line(error)}). Save it by model.save('model.keras')",
        )


def _old_arrays(group: Any, size: int) -> list[np.ndarray]:
    arrays = []
    for name in group.attrs.get("weight_names", ()):
        node = group
        for part in (name.decode() if isinstance(name, bytes) else str(name)).split("/"):
            node = None if node is None else _member(node, part)
        arrays.append(_checked(node, size)[()])
    return arrays


def _opened(file: Any, stack: ExitStack) -> Any:
    check_package("h5py", "science", "The weights of Keras lie in HDF5; such")
    import h5py

    return stack.enter_context(h5py.File(file, "r"))


def _read(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    if name not in archive.namelist():
        raise NetworkError(f"it lacks {name}. Save the model again: model.save('model.keras')")
    member = archive.getinfo(name)
    if member.compress_type != zipfile.ZIP_STORED or member.file_size > most:
        raise NetworkError(
            f"its {name} is compressed, or larger than {most:,} bytes, as Keras never writes it. Save the model again"
        )
    with archive.open(member) as file:
        return file.read(most)


def _json(text: str | bytes, path: Path) -> Mapping[str, Any]:
    config = json.loads(text)
    if not isinstance(config, dict):
        raise NetworkError(f"{path} describes no model. Save it again: model.save('model.keras')")
    return config
