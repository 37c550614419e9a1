"""Models as `.keras` files, which Keras loads on each of its backends without shoal."""

from __future__ import annotations

import importlib
import importlib.util
import os
from pathlib import Path
from typing import Any

import numpy as np

from shoal.data import Preparation
from shoal.data.encoders import BooleanEncoder, CategoryEncoder
from shoal.errors import ExportError, NetworkError, listing
from shoal.export.example_rows import ExampleRows
from shoal.export.exporter import Agreement, Exporter, Written
from shoal.export.keras_answers import answered
from shoal.export.keras_rows import MISSING, prepared
from shoal.export.plain_network import PlainNetwork, plain_network
from shoal.export.source.answers import needs_double
from shoal.helper_process import HelperProcess
from shoal.keras.model_graph import KerasGraph
from shoal.keras.writing import add_network, keras_bytes
from shoal.prediction.ensemble import EnsembleMember
from shoal.prediction.predictor import Predictor
from shoal.results import Task

BACKENDS = {"jax": "jax", "torch": "torch", "tensorflow": "tensorflow"}
"""Of Keras, with the package of each."""
NOT_INSTALLED = "Keras is not installed here to check it with: pip install keras."


class KerasExporter(Exporter):
    """One model of Keras: preparation, all networks, their average, calibration, standard deviation."""

    name = "Keras"
    extension = ".keras"

    def written(self, predictor: Predictor, path: Path, examples: ExampleRows | None) -> Written:  # noqa: ARG002
        """Return the file of the model."""
        graph = KerasGraph()
        x = prepared(graph, predictor.preparation)
        try:
            outputs = [
                add_network(graph, member.network, member.parameters, x, f"member_{i}_")
                for i, member in enumerate(predictor.members)
            ]
        except NetworkError as error:
            raise ExportError(f"{error}, or export C (.c)") from None
        said = answered(graph, predictor, x, outputs)
        notes = (*_inputs_note(predictor.preparation), _outputs_note(predictor, list(said)), *_left_out(predictor))
        about = {"shoal": {"columns": _columns(predictor.preparation), "classes": predictor.preparation.classes}}
        return Written({path: graph.to_bytes(said, about=about)}, notes)

    def written_member(
        self, predictor: Predictor, member: EnsembleMember, path: Path, examples: ExampleRows | None
    ) -> tuple[Written, ExampleRows | None]:
        """Return the file of one network with its scaling, of Keras' own layers alone, and rows as it takes them."""
        plain = plain_network(predictor, member)
        try:
            content = keras_bytes(plain.network, plain.parameters)
        except NetworkError as error:
            raise ExportError(f"{error}, or export C (.c)") from None
        files = Written({path: content}, tuple(_notes_of_member(predictor, member, plain)))
        return files, None if examples is None else plain.examples(predictor, member, examples)

    def checked(self, files: dict[Path, bytes], examples: ExampleRows) -> Agreement:
        """Return what Keras makes of the rows, in a process of its own, if it is installed."""
        if importlib.util.find_spec("keras") is None:
            return Agreement.none(NOT_INSTALLED)
        chosen = os.environ.get("KERAS_BACKEND") or next(n for n, p in BACKENDS.items() if importlib.util.find_spec(p))
        path, helper = next(iter(files)), HelperProcess()
        try:
            with_model = helper.do(run_keras, str(path.absolute()), examples.inputs, chosen).answer
            if with_model is None:
                return Agreement.none(
                    "It was not checked: there can be no second process here, in which Keras would run."
                )
            outputs, version = with_model.result()
        except Exception:  # whatever went wrong there; the file is written and whole
            return Agreement.none(f"It was not checked: Keras on {chosen} could not run it here.")
        finally:
            helper.close()
        return compared(outputs, examples, f"by Keras {version} on {chosen}")


def run_keras(path: str, inputs: np.ndarray, backend: str) -> tuple[dict[str, np.ndarray], str]:
    """Return what the model in a file says of rows, by name, and the version of Keras; not in a process of a user."""
    os.environ["KERAS_BACKEND"] = backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    keras: Any = importlib.import_module("keras")
    model = keras.saving.load_model(path, safe_mode=True, compile=False)
    said = model.predict(np.asarray(inputs, np.float32), verbose=0)
    outputs = said if isinstance(said, dict) else {"": said}
    return {name: np.asarray(values) for name, values in outputs.items()}, str(keras.__version__)


def compared(outputs: dict[str, np.ndarray], examples: ExampleRows, by: str) -> Agreement:
    """Return how well outputs agree with the answers of their names; a single one with the first answer."""
    first = next(iter(examples.answers))
    return Agreement.between({name or first: values for name, values in outputs.items()}, examples, by)


def _notes_of_member(predictor: Predictor, member: EnsembleMember, plain: PlainNetwork) -> list[str]:
    preparation, count = predictor.preparation, member.network.parameter_count
    notes = [
        f"It is network {member.id} alone, of {count:,} parameters, one of {len(predictor.members)} that were kept."
    ]
    if preparation.signals is None:
        names = listing(preparation.feature_names, 40)
        notes.append(f"It takes {len(preparation.feature_names)} numbers, none missing, in this order: {names}.")
        if any("=" in name or name.endswith(" is missing") for name in preparation.feature_names):
            notes.append("Those of categories, and of what is missing, are 0 or 1.")
    else:
        notes += _inputs_note(preparation)
    if plain.answer == "probabilities":
        one = plain.network.output_shape[-1] == 1
        what = (
            f"the probability of {preparation.classes[1]!r}"
            if one
            else f"probabilities of {listing(preparation.classes)}"
        )
        return [*notes, f"It gives {what}, before calibration.", "Left out: the other networks and error bars."]
    return [
        *notes,
        f"It gives the mean of {listing(preparation.targets)}.",
        "Left out: the other networks and error bars.",
    ]


def _columns(preparation: Preparation) -> list[dict[str, Any]]:
    """Return what each number of a row of a table is."""
    columns: list[dict[str, Any]] = []
    for encoder in () if preparation.signals else preparation.encoders:
        kind = "category" if isinstance(encoder, CategoryEncoder) else "number"
        kind = "truth" if isinstance(encoder, BooleanEncoder) else "date" if getattr(encoder, "dates", False) else kind
        codes = {"codes": list(encoder.levels)} if isinstance(encoder, CategoryEncoder) else {}
        columns.append({"name": encoder.column, "kind": kind, **codes})
    return columns


def _inputs_note(preparation: Preparation) -> list[str]:
    if preparation.signals is not None:
        shape = " × ".join(map(str, preparation.signals.shape))
        behind = ", NaN behind the end of shorter ones" if preparation.signals.padded else ""
        return [f"It takes {preparation.signals.kind} of {shape}{behind}."]
    columns = _columns(preparation)
    notes = [f"It takes numbers in this order, NaN where one is missing: {listing(c['name'] for c in columns)}."]
    for column in columns:
        if column["kind"] == "category":
            codes = listing(f"{i} {level!r}" for i, level in enumerate(column["codes"]))
            notes.append(f"{column['name']!r} is a code: {codes}; -1 is any other, NaN or {MISSING:g} missing.")
    coarse = [encoder.column for encoder in preparation.encoders if needs_double(encoder)]
    if coarse:
        notes.append(f"Inputs come in single precision, which may lose digits that count in {listing(coarse)}.")
    dates = [column["name"] for column in columns if column["kind"] == "date"]
    return [*notes, f"{listing(dates)}: days since 1970."] if dates else notes


def _outputs_note(predictor: Predictor, names: list[str]) -> str:
    what = f" of {listing(predictor.preparation.classes)}" if predictor.preparation.task is Task.CLASSIFICATION else ""
    return f"It gives {' and '.join(names)}{what}, by these names."


def _left_out(predictor: Predictor) -> list[str]:
    sets = "sets of classes" if predictor.preparation.task is Task.CLASSIFICATION else "intervals"
    outside = ", and whether a row lies outside the region of the training rows" if predictor.region else ""
    notes = [f"Left out: {sets}{outside}."]
    if predictor.measured is not None:
        notes.append("The errors of measured targets are not added to the standard deviation.")
    if predictor.input_noise is not None:
        notes.append("The errors of the inputs count as in the rows by which error bars were measured.")
    return notes
