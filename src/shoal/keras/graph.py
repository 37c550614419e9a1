"""The layers of a Keras model in the order in which rows of layers hold them, with branches that part and meet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shoal.errors import NetworkError
from shoal.keras.archive import Place
from shoal.keras.settings import refused
from shoal.networks.network import snake_case

Key = tuple[str, int]
"""The name of a layer, and the number of its call."""

MERGES = {
    **{kind: kind.lower() for kind in ("Add", "Multiply", "Average", "Maximum", "Minimum", "Concatenate")},
    "Subtract": "add",
}
"""How outputs meet, by Keras' classes; the second of what is subtracted changes its sign."""
NESTED = ("Sequential", "Functional", "Model")
_OF_MASKS = ("NotEqual", "Any", "LogicalOr", "LogicalAnd")
_OPERATIONS = ("keras.src.ops", "keras.ops")
MOST_LAYERS, DEEPEST = 20_000, 60


@dataclass(frozen=True)
class KerasLayer:
    """A layer of a Keras model.

    Attributes:
        kind: its class.
        name: its name.
        config: its settings.
        module: where its class is from.
        place: the names of the models around it, and its own.
        numbered: the same by classes and numbers, as files of weights have it.
        calls: how often the model calls it.
        masked: whether it is called with a mask.
    """

    kind: str
    name: str
    config: Mapping[str, Any]
    module: str
    place: Place = ()
    numbered: Place = ()
    calls: int = 1
    masked: bool = False

    @property
    def is_operation(self) -> bool:
        """Whether it is no layer but a function of tensors, such as `x + y`."""
        return self.module.startswith(_OPERATIONS)


@dataclass(frozen=True)
class Meeting:
    """A merging layer with the rows of layers, all from one place, that lead to it."""

    layer: KerasLayer
    paths: tuple[tuple[KerasLayer | Meeting, ...], ...]


KerasRow = tuple[KerasLayer | Meeting, ...]


def layers_of(model: Mapping[str, Any], outer: KerasLayer | None) -> list[KerasLayer]:
    """Return the layers that a configuration lists, with their places.

    Raises:
        NetworkError: the configuration lists none, or too many.
    """
    listed = model.get("layers")
    if not isinstance(listed, list) or not listed or len(listed) > MOST_LAYERS:
        raise NetworkError(f"a model of Keras lists 1 to {MOST_LAYERS:,} layers; this one does not. Save it again")
    above = (outer.place, outer.numbered) if outer else ((), ())
    layers, counts = [], dict[str, int]()
    for entry in listed:
        layer = keras_layer(entry)
        layer = replace(layer, calls=len(entry.get("inbound_nodes") or (0,)))
        if not layer.is_operation:
            base = snake_case(layer.kind)
            number = counts[base] = counts.get(base, -1) + 1
            numbered = f"{base}_{number}" if number else base
            layer = replace(layer, place=(*above[0], layer.name), numbered=(*above[1], numbered))
        layers.append(layer)
    return layers


def keras_layer(entry: Any) -> KerasLayer:
    """Return what one entry of a configuration says.

    Raises:
        NetworkError: it is no layer.
    """
    config = entry.get("config") if isinstance(entry, dict) else None
    if not isinstance(config, dict) or not isinstance(entry.get("class_name"), str):
        raise NetworkError("the configuration holds something that is no layer. Save the model again")
    name, registered = config.get("name", entry.get("name")), str(entry.get("registered_name") or "")
    module = registered if ">" in registered else str(entry.get("module") or "")  # classes of users bear their package
    return KerasLayer(entry["class_name"], str(name), config, module)


def row_of_graph(model: Mapping[str, Any], outer: KerasLayer | None) -> tuple[KerasLayer, KerasRow]:
    """Return the input of a functional model and its layers as a row.

    Raises:
        NetworkError: it has several inputs or outputs, shares layers, or joins them as no row with branches can.
    """
    return _Graph(model, outer).row()


class _Graph:
    def __init__(self, model: Mapping[str, Any], outer: KerasLayer | None) -> None:
        listed = layers_of(model, outer)
        self._layers = {layer.name: layer for layer in listed}
        self._inputs: dict[Key, tuple[Key, ...]] = {}
        self._constant: dict[Key, KerasLayer] = {}
        self._masks: dict[Key, Key] = {}
        self._compared: dict[Key, float] = {}
        for layer, entry in zip(listed, model["layers"], strict=True):
            for i, node in enumerate(entry.get("inbound_nodes") or ()):
                self._read(layer, (layer.name, i), node)
        self._start = self._end_of(model, "input_layers", "input")
        self._end = self._end_of(model, "output_layers", "output")
        self._dominators: dict[Key, Key] = {}
        self._used: set[Key] = set()

    def _end_of(self, model: Mapping[str, Any], which: str, word: str) -> Key:
        keys = list(_keys(model.get(which)))
        if len(keys) != 1:
            raise NetworkError(
                f"the model has {len(keys)} {word}s, and networks of shoal one. Make a model of one {word}: "
                f"keras.Model(inputs, outputs)"
            )
        return self._known(keys[0])

    def _known(self, key: Key) -> Key:
        layer = self._layers.get(key[0])
        if layer is None:
            raise NetworkError(f"the model's graph names a layer {key[0]!r} that it does not have. Save it again")
        return key[0], key[1] if layer.calls > 1 else 0

    def _read(self, layer: KerasLayer, key: Key, node: Any) -> None:
        """Read what a layer is called with."""
        arguments, options = (node.get("args"), node.get("kwargs") or {}) if isinstance(node, dict) else (node, {})
        for mask in _keys(options.get("mask")):
            self._masks[key] = self._known(mask)
        options = {name: value for name, value in options.items() if not (name == "mask" and key in self._masks)}
        for name, value in options.items():
            if value not in (None, False) and not (name in ("x1", "x2") and layer.is_operation):
                raise refused(layer.name, layer.kind, f"is called with {name}={value!r:.60}, which shoal cannot say")
        keys = [self._known(found) for found in _keys([arguments, options])]
        constant = _number(arguments, options) if layer.is_operation or layer.kind in _OF_MASKS else None
        if layer.kind in _OF_MASKS:
            self._compared[key] = constant[0] if constant else 0.0
        elif constant is not None and len(keys) == 1:
            self._constant[key] = _with_constant(layer, *constant)
        self._inputs[key] = tuple(keys)

    def row(self) -> tuple[KerasLayer, KerasRow]:
        for key, mask in self._masks.items():
            self._check_mask(self._layers[key[0]], mask)
        self._find_dominators()
        row = self._row(self._end, self._start, 0)
        used = {name for name, _ in self._used}
        unused = [name for name, _ in self._inputs if name not in used and self._layers[name].kind not in _OF_MASKS]
        if unused:
            raise NetworkError(f"layer {unused[0]!r} of the model leads nowhere. Save it again")
        return self._layers[self._start[0]], row

    def _check_mask(self, layer: KerasLayer, mask: Key) -> None:
        """Check that a mask is one that Masking or Embedding makes, which need not be said."""
        stack, seen = [mask], set[Key]()
        while stack:
            key = stack.pop()
            seen.add(key)
            if key not in self._compared or (self._layers[key[0]].kind == "NotEqual" and not self._is_made(key)):
                raise refused(layer.name, layer.kind, "is called with a mask of its own. Put a Masking layer before it")
            if self._layers[key[0]].kind != "NotEqual":
                stack.extend(each for each in self._inputs[key] if each not in seen)

    def _is_made(self, key: Key) -> bool:
        """Return whether a layer makes the mask that a comparison gives."""
        return any(
            self._inputs[key] == inputs
            and layer.kind in ("Masking", "Embedding")
            and self._compared[key] == layer.config.get("mask_value", 0.0)
            for (name, _), inputs in self._inputs.items()
            for layer in (self._layers[name],)
        )

    def _find_dominators(self) -> None:
        """Find for each call the last one before it that all ways from the input go through."""
        depth = {self._start: 0}
        for key in self._in_order():
            meeting = self._inputs[key][0]
            for other in self._inputs[key][1:]:
                while meeting != other:
                    if depth[meeting] >= depth[other]:
                        meeting = self._dominators[meeting]
                    else:
                        other = self._dominators[other]
            self._dominators[key], depth[key] = meeting, depth[meeting] + 1

    def _in_order(self) -> Iterator[Key]:
        """Give the calls that lead to the output, each after those before it."""
        done, entered, stack = {self._start}, set[Key](), [self._end]
        while stack:
            key = stack[-1]
            before = self._inputs.get(key, ())
            if key not in done and not before:
                raise NetworkError(f"layer {key[0]!r} of the model does not begin at its input. Save it again")
            missing = [] if key in done else [each for each in before if each not in done]
            if missing and key in entered:
                raise NetworkError(f"layer {key[0]!r} of the model feeds itself. Save it again")
            entered.add(key)
            if missing:
                stack.extend(missing)
                continue
            stack.pop()
            if key not in done:
                done.add(key)
                yield key

    def _row(self, end: Key, start: Key, depth: int) -> KerasRow:
        """Return the layers behind `start` up to `end`."""
        if depth > DEEPEST:
            raise NetworkError(f"the model's branches part {DEEPEST} times within each other, too deep to be one")
        backwards: list[KerasLayer | Meeting] = []
        while end != start:
            layer, inputs = self._constant.get(end, self._layers[end[0]]), self._inputs[end]
            if end in self._used:
                raise refused(
                    layer.name, layer.kind, "feeds layers that do not meet again in one place, which Branches and "
                    "Residual cannot hold. Join them by one Add or Concatenate behind"
                )  # fmt: skip
            self._used.add(end)
            if layer.kind in MERGES:
                if len(inputs) < 2 or (layer.kind == "Subtract" and len(inputs) > 2):
                    raise refused(layer.name, layer.kind, f"merges {len(inputs)} tensors. Save the model as .keras")
                fork = self._dominators[end]
                backwards.append(Meeting(layer, tuple(self._row(key, fork, depth + 1) for key in inputs)))
                end = fork
            elif len(inputs) == 1:
                backwards.append(replace(layer, masked=end in self._masks))
                end = inputs[0]
            else:
                raise refused(layer.name, layer.kind, f"has {len(inputs)} inputs, which no layer of shoal has")
        return tuple(reversed(backwards))


def _keys(data: Any) -> Iterator[Key]:
    """Give the calls that a configuration names, `["dense", 0, 0]` or a tensor with such a history."""
    if isinstance(data, dict):
        config = data.get("config")
        tensor = data.get("class_name") == "__keras_tensor__" and isinstance(config, dict)
        yield from _keys(config.get("keras_history") if tensor and config else list(data.values()))
    elif isinstance(data, (list, tuple)):
        head = data[:3]
        if len(head) == 3 and isinstance(head[0], str) and all(isinstance(n, int) for n in head[1:]):
            if head[2] != 0:
                raise NetworkError(f"layer {head[0]!r} has several outputs, which no layer of shoal has")
            yield head[0], head[1]
        else:
            for item in data:
                yield from _keys(item)


def _number(arguments: Any, options: Mapping[str, Any]) -> tuple[float, bool] | None:
    """Return the number among the two arguments of an operation, and whether it is the first."""
    both: Sequence[Any] = [*(arguments if isinstance(arguments, (list, tuple)) else ()), *options.values()]
    numbers = [i for i, each in enumerate(both) if isinstance(each, (int, float)) and not isinstance(each, bool)]
    return (float(both[numbers[0]]), numbers[0] == 0) if len(numbers) == 1 and len(both) == 2 else None


def _with_constant(layer: KerasLayer, number: float, first: bool) -> KerasLayer:
    """Return an operation of a tensor and a number as Rescaling."""
    scale, offset = {
        "Add": (1.0, number),
        "Multiply": (number, 0.0),
        "Subtract": (-1.0, number) if first else (1.0, -number),
        "TrueDivide": (None if first or not number else 1.0 / number, 0.0),
        "Divide": (None if first or not number else 1.0 / number, 0.0),
    }.get(layer.kind, (None, 0.0))
    if scale is None:
        raise refused(layer.name, layer.kind, "is a function of tensors that no layer of shoal says. Use layers")
    return replace(layer, kind="Rescaling", module="", config={"name": layer.name, "scale": scale, "offset": offset})
