"""Training one network on arrays: arguments become a recipe, rows a problem, and an engine trains one member."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import ValidationError

from shoal.errors import NetworkError, SettingError, ShoalWarning, expected, spelled, suggest
from shoal.networks import Flatten, Network
from shoal.results import Status, Task
from shoal.search.knobs import knob_text
from shoal.search.space import Categorical, Limits
from shoal.trained.rows import CROSSENTROPIES, SPARSE, Rows, checked_rows, last_rows
from shoal.trained.scores import Score, scores_of
from shoal.trained.trained_network import TrainedNetwork
from shoal.training.building import hyperparameters_of
from shoal.training.engine_choice import choose_engine
from shoal.training.engines.base import Chunk, Engine
from shoal.training.forward import predict
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.losses import ALIASES, LOSSES, Loss, get_loss
from shoal.training.member import Member, TrainedMember
from shoal.training.optimizers import OPTIMIZERS
from shoal.training.penalties import Penalty, user_penalty
from shoal.training.planner import find_budget
from shoal.training.problem import Problem
from shoal.training.trainer import train

MORE = (
    *("momentum", "nesterov", "beta_1", "beta_2", "rho", "epsilon", "weight_decay", "schedule", "warmup_epochs"),
    *("final_fraction", "l2", "l1", "label_smoothing", "huber_delta", "patience"),
)
"""The hyperparameters of training that `Network.fit` takes besides those in its signature."""
ELSEWHERE = {
    "callbacks": "patience and restore_best_weights stop early, schedule changes the learning rate, and .history has "
    "the curves",
    "verbose": "training is silent; .history and .plot() show how it went",
    "shuffle": "rows are always shuffled, as the seed says",
    "class_weight": "give each row its weight: sample_weight=np.where(y == 1, 5.0, 1.0)",
    "weighted_metrics": "metrics count all rows alike; a function of your own can weight them",
    "initial_epoch": "the fit of what was trained goes on from its weights",
    **dict.fromkeys(("validation_batch_size", "validation_freq", "validation_steps"), "all rows validate each epoch"),
    **dict.fromkeys(("steps_per_epoch", "steps_per_execution"), "an epoch is one pass over all rows"),
    **dict.fromkeys(("run_eagerly", "jit_compile", "auto_scale_loss"), "engine chooses what trains: native or xla"),
    **dict.fromkeys(
        ("dropout", "activation", "hidden", "kernel_initializer"), "it is said in the layers of the network"
    ),
    "lr": "it is learning_rate",
}
"""Arguments that Keras has, or `shoal.fit`, and what takes their place."""
USUAL_RATES = {"sgd": 0.01}
USUAL_RATE = 0.001


@dataclass(frozen=True)
class Recipe:
    """How a network is trained: the arguments of `Network.fit` beside its rows, checked."""

    loss: Loss
    sparse: bool
    scores: list[Score]
    hyperparameters: Hyperparameters
    penalties: tuple[Penalty, ...]
    seed: int
    restore_best_weights: bool
    engine: str

    @property
    def classifies(self) -> bool:
        """Whether the loss compares shares of classes."""
        return self.loss.name in CROSSENTROPIES and not self.loss.user


def fit_network(
    network: Network,
    x: Any,
    y: Any,
    *,
    validation_data: Any = None,
    validation_split: float = 0.0,
    sample_weight: Any = None,
    weights: Any = None,
    **arguments: Any,
) -> TrainedNetwork:
    """Train a network; see `Network.fit`."""
    recipe = _recipe(network, **arguments)
    training, validation = _parts(network, recipe, (x, y, sample_weight), validation_data, validation_split)
    start = _start(network, recipe.seed, weights)
    problem, member = _pose(network, recipe, training, validation, start), Member(0, recipe.hyperparameters)
    choice = choose_engine(problem, [member], recipe.engine, find_budget())
    watch = _Watch(network, recipe.scores, {"": training} | ({"val_": validation} if validation else {}))
    engine: Any = Watched(choice.make(), member, watch if recipe.scores else None, last=not recipe.restore_best_weights)
    (trained,) = train(problem, [member], engine).members
    _warn_of_divergence(trained)
    history = {"loss": trained.train_loss.tolist(), **watch.curves[""]}
    if validation:
        scale = 1.0 if recipe.loss.root else float(validation.weights.mean())  # the engine's is a weighted mean
        history |= {"val_loss": (scale * trained.validation_loss).tolist(), **watch.curves["val_"]}
    parameters = [dict(layer) for layer in trained.parameters[: len(network.layers)]]
    best = trained.best_epoch if validation else None
    return TrainedNetwork(network, parameters, history, dict(arguments), best, choice.name)


def _recipe(network: Network, **given: Any) -> Recipe:
    """Return the arguments checked.

    Raises:
        SettingError: one is not known, or makes no sense.
    """
    loss, more = given["loss"], dict(given["more"])
    for name in more:
        if name in ELSEWHERE:
            raise SettingError(f"fit of a network has no {name}: {ELSEWHERE[name]}")
        if name not in MORE:
            raise SettingError(f"fit of a network has no argument {name!r}.{suggest(name, [*MORE, *given])}")
    if loss is None:
        raise SettingError(
            f"give a loss, by its name or as a function (y_true, y_pred): {', '.join([*LOSSES, SPARSE])}"
        )
    sparse = isinstance(loss, str) and spelled(loss, [*LOSSES, *ALIASES]) == SPARSE
    penalties = given["penalties"]
    penalties = (penalties,) if callable(penalties) else tuple(penalties)
    made = get_loss(loss)
    recipe = Recipe(
        made,
        sparse,
        scores_of(given["metrics"], network, made),
        _hyperparameters(network, given, more),
        tuple(user_penalty(penalty) for penalty in penalties),
        _seed(given["seed"]),
        bool(given["restore_best_weights"]),
        _named("engine", given["engine"], ("auto", "native", "xla")),
    )
    _check_last_layer(network, recipe)
    return recipe


def _hyperparameters(network: Network, given: Mapping[str, Any], more: dict[str, Any]) -> Hyperparameters:
    for name, value in {**given, **more}.items():
        if isinstance(value, Categorical | Limits):
            raise SettingError(
                f"{name}: one network takes one value, got {knob_text(value)!r}; shoal.fit(data, network=network, "
                f"{name}=…) tries several"
            )
    optimizer, rate = _named("optimizer", given["optimizer"], OPTIMIZERS), given["learning_rate"]
    values = {
        "patience": given["epochs"],
        **more,
        **{name: given[name] for name in ("epochs", "batch_size")},
        "optimizer": optimizer,
        "learning_rate": USUAL_RATES.get(optimizer, USUAL_RATE) if rate is None else rate,
    }
    try:
        return Hyperparameters(**{**hyperparameters_of(network), **values})
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        raise SettingError(f"{name}: {expected(error.errors()[0])}, got {name}={values.get(name)!r}") from None


def _named(what: str, name: Any, known: Any) -> str:
    word = spelled(name, known) if isinstance(name, str) else None
    if word not in known:
        near = suggest(str(name), known) if word else " Its numbers stand beside it: optimizer='sgd', momentum=0.9"
        raise SettingError(f"{what}: expected one of {', '.join(known)}, got {name!r}.{near}")
    return str(word)


def _seed(seed: Any) -> int:
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**63:
        raise SettingError(f"seed: expected a whole number of 0 or more, got {seed!r}")
    return int(seed)


def _check_last_layer(network: Network, recipe: Recipe) -> None:
    """Refuse networks without weights, and last layers that do not give what the loss takes."""
    if not any(layer.trains(name) for layer, shapes in _layers(network) for name in shapes):
        raise NetworkError("the network has no weights that training may change; give it a layer with trainable=True")
    if not network.output_shape:
        raise NetworkError("the outputs of the network are single numbers of shape (); end it with Dense(1)")
    activation, outputs, name = network.output_activation, network.output_shape[-1], recipe.loss.name
    if recipe.classifies and (activation is None or activation == "linear"):
        wanted = "sigmoid" if name == "binary_crossentropy" else "softmax"
        raise SettingError(f"loss {name!r} takes probabilities; give the last layer activation={wanted!r}")
    if outputs == 1 and (activation == "softmax" or (recipe.classifies and name == "categorical_crossentropy")):
        raise SettingError(
            "a single output cannot hold shares of classes, softmax of one is always 1; use activation='sigmoid' with "
            "loss='binary_crossentropy', or one unit for each class"
        )


def _layers(network: Network) -> Any:
    return zip(network.layers, network.parameter_shapes, strict=True)


def _parts(
    network: Network, recipe: Recipe, rows: tuple[Any, Any, Any], validation_data: Any, validation_split: float
) -> tuple[Rows, Rows | None]:
    """Return the rows to learn from, and those that validate."""
    training = checked_rows(network, recipe.loss, recipe.sparse, *rows)
    if validation_data is not None:
        if validation_split:
            raise SettingError("validation_data and validation_split both say which rows validate; leave one out")
        if not isinstance(validation_data, (tuple, list)) or len(validation_data) not in (2, 3):
            raise SettingError("validation_data must be (x, y) or (x, y, sample_weight)")
        x, y, weights = (*validation_data, None)[:3]
        return training, checked_rows(network, recipe.loss, recipe.sparse, x, y, weights, "validation ")
    if validation_split:
        return last_rows(training, validation_split, recipe.classifies)
    for name, asked in (("restore_best_weights", recipe.restore_best_weights), ("patience", _stops(recipe))):
        if asked:
            raise SettingError(
                f"{name} goes by the validation loss; add validation_split=0.2 or validation_data=(x, y)"
            )
    return training, None


def _stops(recipe: Recipe) -> bool:
    return recipe.hyperparameters.patience < recipe.hyperparameters.epochs


def _start(network: Network, seed: int, weights: Any) -> list[dict[str, np.ndarray]]:
    """Return the weights to begin with: those given, and what the seed draws for layers that are not named."""
    drawn = network.initialize(seed)
    if weights is None:
        return drawn
    given = network.ordered(weights)
    start = [dict(layer) or values for layer, values in zip(given, drawn, strict=False)]
    network.check_parameters(start if len(given) == len(drawn) else given)
    return [{name: np.asarray(value, np.float32) for name, value in layer.items()} for layer in start]


def _pose(
    network: Network, recipe: Recipe, training: Rows, validation: Rows | None, start: list[dict[str, np.ndarray]]
) -> Problem:
    """Return the problem that engines train on; outputs of more than two axes are compared in one line."""
    in_line = len(network.output_shape) > 2
    if in_line and recipe.classifies and recipe.loss.name == "categorical_crossentropy":
        raise SettingError("categorical_crossentropy is for outputs (classes,) or (time, classes); add a Flatten layer")
    judged = training[:1] if validation is None else validation  # engines validate, whether anybody asks or not

    def compared(rows: Rows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if not in_line:
            return rows.x, rows.targets, rows.weights
        return rows.x, rows.targets.reshape(len(rows), -1), rows.weights.reshape(len(rows), -1)[:, :1]

    return Problem(
        *compared(training),
        *compared(judged),
        validation_half=np.arange(len(judged)) % 2,
        task=Task.CLASSIFICATION if recipe.classifies else Task.REGRESSION,
        loss=recipe.loss,
        seed=recipe.seed,
        penalties=recipe.penalties,
        network=Network([*network.layers, Flatten()], network.input_shape) if in_line else network,
        start=[*start, {}] if in_line else start,
    )


class Watched:
    """An engine whose one member is looked at after each epoch, and that hands out its last weights, if wanted."""

    def __init__(self, engine: Engine, member: Member, each_epoch: Callable[[Any], None] | None, *, last: bool) -> None:
        self.engine, self.member, self.each_epoch, self.last = engine, member, each_epoch, last

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)

    def advance(self, block: Any, state: Any, most: int | None = None) -> tuple[Any, Chunk]:
        """Train for a chunk of epochs, of one where somebody looks."""
        if self.each_epoch is None:
            return self.engine.advance(block, state, most)
        state, chunk = self.engine.advance(block, state, 1)
        self.each_epoch(self.engine.read_out(block, state, {0: self.member}, last=True)[0])
        return state, chunk

    def read_out(self, block: Any, state: Any, seats: Mapping[int, Member]) -> dict[int, Any]:
        """Return the parameters: the last where they are wanted and are numbers, else those of the best epoch."""
        last = self.engine.read_out(block, state, seats, last=True)
        finite = all(
            np.isfinite(array).all() for layers in last.values() for layer in layers for array in layer.values()
        )
        return last if self.last and finite else self.engine.read_out(block, state, seats)


class _Watch:
    """Measures the metrics of parameters after each epoch, on each part of the rows."""

    def __init__(self, network: Network, scores: list[Score], parts: dict[str, Rows]) -> None:
        self.network, self.scores, self.parts = network, scores, parts
        self.curves: dict[str, dict[str, list[float]]] = {
            start: {f"{start}{score.name}": [] for score in scores} for start in parts
        }

    def __call__(self, parameters: Any) -> None:
        """Measure."""
        for start, rows in self.parts.items():
            output = predict(self.network, parameters[: len(self.network.layers)], rows.x)
            for score in self.scores:
                value = score.of(rows, output) if np.isfinite(output).all() else float("nan")
                self.curves[start][f"{start}{score.name}"].append(value)


def _warn_of_divergence(trained: TrainedMember) -> None:
    if trained.status is Status.DIVERGED:
        warnings.warn(
            f"training diverged: the loss of epoch {len(trained.train_loss)} is no finite number. Lower the learning "
            "rate, or scale x and y to about one",
            ShoalWarning,
            stacklevel=4,
        )
