"""The training of one member as pure functions, to be lifted to a block and compiled."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from shoal.networks import Flatten, Network
from shoal.results import Status
from shoal.streams import threefry, to_uniform
from shoal.training.cost import member_step
from shoal.training.engines.xla.lifts import IN_TURN, LIFTS, Lift
from shoal.training.engines.xla.rows import STEPS_AT_ONCE, SharedRows
from shoal.training.engines.xla.state import BlockState
from shoal.training.engines.xla.storage import storage_of
from shoal.training.heads import ClassesHead, columns
from shoal.training.optimizers import Slots, update
from shoal.training.penalties import penalised, weight_penalty
from shoal.training.resampling import bootstrap_counts, drawn_before, held_out, target_noise
from shoal.training.schedules import learning_rate
from shoal.training.structure import Structure

SOURCES = 256  # of random numbers in a network: layers, and layers within layers
IN_TURN_MICROSECONDS = 1_000.0  # of a member's step from which on members gain nothing by sharing operations


def lift_of(structure: Structure) -> Lift:
    """Return how a member's program becomes that of a block: on the CPU, large networks train one after the other."""
    large = (structure.text or structure.given) and member_step(structure) > IN_TURN_MICROSECONDS
    return IN_TURN if large and jax.default_backend() == "cpu" else LIFTS[structure.layout]


class MemberProgram:
    """The training of one member: functions of its state, its numbers and the shared rows."""

    def __init__(self, structure: Structure) -> None:
        self.structure = structure
        self.lift = lift_of(structure)
        self.xp = self.lift.xp
        self.network = structure.network
        self.storage = storage_of(self.network, structure.layout)
        self.loss = structure.loss
        self.fused = structure.loss.absorbs(structure.output_activation)
        absorbed = structure.loss.values_of_logits if self.fused else None
        self.values = absorbed or structure.loss.values
        self.moving = any(layer.moving for layer in self.network.layers)
        pairs = zip(self.network.layers, self.network.parameter_shapes, strict=True)
        self.freezes = not all(layer.trains(name) for layer, shapes in pairs for name in shapes)
        self.stem = Network([*structure.stem, Flatten()], structure.input_shape)

    # one mini-batch

    def layer_numbers(self, numbers: dict[str, Any]) -> list[dict[str, Any]]:
        """Return each layer's own numbers."""
        each_layer = numbers["layers"]
        if not self.structure.one_activation:
            return each_layer
        chosen = {"activation": numbers["activation"]}
        pairs = zip(self.network.layers, each_layer, strict=True)
        return [{**each, **chosen} if getattr(layer, "table", ()) else each for layer, each in pairs]

    def output(self, layers: Any, x: Any, numbers: dict[str, Any], random: Any = None, **more: Any) -> Any:
        """Return the output of the network, before the last activation where the loss absorbs it."""
        return self.network.apply(
            layers,
            x,
            xp=self.xp,
            training=random is not None,
            numbers=self.layer_numbers(numbers),
            random=random,
            logits=self.fused,
            **more,
        )

    def mean_values(self, weights: Any, y: Any, output: Any, numbers: dict[str, Any]) -> Any:
        """Return the weighted value of the loss of each row, the mean over its outputs and its steps."""
        values = self.values(self.xp, self.of_each(y, output), output, numbers)
        return self.over_steps(jnp.mean(weights * values, axis=self.xp.features))

    def of_each(self, y: Any, output: Any) -> Any:
        """Return targets once for each member that has an output."""
        shape = list(output.shape)
        shape[self.xp.features] = y.shape[self.xp.features]
        return jnp.broadcast_to(y, shape)

    def over_steps(self, values: Any) -> Any:
        """Return the mean over the steps of each row, where steps have targets: weights of mean one make it right."""
        return jnp.mean(values, axis=1) if self.structure.per_step else values

    def beside_targets(self, of_rows: Any) -> Any:
        """Return one number per row so that it meets targets."""
        return of_rows[:, None, None] if self.structure.per_step else of_rows[:, None]

    def cost(self, layers: Any, batch: tuple[Any, ...], numbers: dict[str, Any], random: Any) -> Any:
        """Return the cost of a batch and, beside it, its loss without penalties and what moving parameters become."""
        x, y, weights, present = batch
        moved: dict[str, Any] = {}
        more: dict[str, Any] = {}
        if self.moving:
            more = {"present": present, "record": lambda i, name, value: moved.update({f"{i}/{name}": value})}
        output = self.output(layers, x, numbers, random, **more)
        count = jnp.sum(present, axis=0)
        mean = jnp.sum(self.mean_values(weights, y, output, numbers), axis=0) / jnp.maximum(count, 1.0)
        loss = self.loss.finish(self.xp, mean)
        pairs = zip(self.network.layers, layers, strict=True)
        kernels = [each[name] for layer, each in pairs for name in penalised(layer) if name in each]
        penalty = weight_penalty(self.xp, kernels, numbers)
        weighted = [layer for layer in layers if layer]  # a dropout layer may stand there for another member's sake
        penalty += sum(extra(self.xp, weighted) for extra in self.structure.penalties)
        return loss + penalty, (loss, moved)

    def random(self, numbers: dict[str, Any], step: Any) -> Any:
        """Return a source of uniform numbers for one step; a neuron's depend neither on padding nor on others."""
        key = (numbers["key"][0], numbers["key"][1])

        def draw(source: int, shape: tuple[int, ...]) -> Any:
            row_shape = shape[1:2] if self.structure.layout == "last" else shape[1:]
            rows, size = shape[0], math.prod(row_shape)
            pairs = -(-size // 2)
            first = jnp.arange(rows, dtype=jnp.uint32)[:, None] * np.uint32(max(1 << 16, pairs))
            where = self.xp.shared(first + jnp.arange(pairs, dtype=jnp.uint32))
            when = step.astype(jnp.uint32) * np.uint32(SOURCES) + np.uint32(source)
            words = jnp.stack(threefry(key, (where, jnp.zeros_like(where) + when), rounds=13), axis=2)
            numbers = to_uniform(jnp, words.reshape(rows, 2 * pairs, *words.shape[3:]))[:, :size]
            if self.structure.per_step and len(row_shape) == 2:  # one unit after the other, so that padding comes last
                return jnp.swapaxes(numbers.reshape(rows, row_shape[1], row_shape[0]), 1, 2)
            return numbers.reshape(rows, *row_shape, *words.shape[3:])

        return draw

    def batch(self, numbers: dict[str, Any], rows: SharedRows, indices: Any) -> tuple[Any, ...]:
        """Return features, targets and weights of a mini-batch as the member sees it, and how much each row counts.

        Everything is gathered: what XLA only slices, it looks up again for every member.
        """
        shared, structure = self.xp.shared, self.structure
        x, y, weights = rows.inputs(indices), shared(rows.y[indices]), shared(rows.weights[indices])
        present, which = shared(rows.present[indices]), shared(indices.astype(jnp.uint32))
        if structure.folds:
            present = present * ~held_out(self.xp, rows.folds[indices], numbers)
        if structure.bootstrap:
            present = present * bootstrap_counts(self.xp, which, numbers)
        if structure.replicas and rows.y_err.shape[-1]:
            y = y + self.redrawn(rows.y_err[indices], which, numbers)
        if structure.replicas and rows.y_noise.shape[-1]:
            y = y + self.drawn_before(rows.y_noise[indices], y, numbers)
        if structure.folds or structure.bootstrap:
            weights = weights * self.beside_targets(present)
        if structure.reconstruct:
            y = self.clean(x)
        return x, y, weights, present

    def redrawn(self, y_err: Any, which: Any, numbers: dict[str, Any]) -> Any:
        """Return by what redrawn targets of rows differ from those measured; zero where no errors are known."""
        outputs = self.xp.shared(jnp.arange(y_err.shape[1], dtype=jnp.uint32))
        return self.xp.shared(y_err) * target_noise(self.xp, which[:, None], outputs, numbers)

    def drawn_before(self, y_noise: Any, y: Any, numbers: dict[str, Any]) -> Any:
        """Return the same where all draws were made before; only the first target is redrawn then."""
        first = self.xp.shared((jnp.arange(y.shape[1]) == 0).astype(jnp.float32))
        return self.beside_targets(drawn_before(self.xp, y_noise, numbers)) * first

    def clean(self, x: Any) -> Any:
        """Return what an autoencoder shall reconstruct: the rows behind the stem, each in one line."""
        return jnp.reshape(self.stem.apply([{}] * len(self.stem.layers), x, xp=self.xp), (len(x), -1))

    def step(self, numbers: dict[str, Any], rows: SharedRows, carry: tuple[Any, ...], indices: Any) -> tuple[Any, ...]:
        """Return the carry after one mini-batch: parameters, slots, steps done, sums of the loss and of the rows."""
        parts, slots, done, total, rows_seen = carry
        batch = self.batch(numbers, rows, indices)
        count = jnp.sum(batch[-1], axis=0)
        draws = self.structure.dropout or self.structure.trunk or self.structure.given
        random = self.random(numbers, done) if draws else None

        def summed(layers: Any) -> tuple[Any, Any]:
            cost, beside = self.cost(layers, batch, numbers, random)
            return jnp.sum(cost), beside  # members do not meet in the sum: each finds its own gradient

        gradients, (loss, moved) = jax.grad(summed, has_aux=True)(self.storage.split(parts))
        new = self.updated(parts, slots, self.storage.join(gradients), done.astype(jnp.float32), numbers)
        if self.moving:
            new = self.moved(new[0], moved), new[1]
        if self.freezes:
            new = self.held(new[0], parts), new[1]
        counts = count > 0  # a batch without rows of the member is no step
        parts, slots = jax.tree.map(lambda after, before: jnp.where(counts, after, before), new, (parts, slots))
        total = total + jnp.where(counts, loss * count, 0.0)
        return parts, slots, done + counts, total, rows_seen + count

    def moved(self, parts: tuple[Any, ...], moved: dict[str, Any]) -> tuple[Any, ...]:
        """Return parts in which the parameters that follow the batches are what the layers recorded."""
        layers = [dict(layer) for layer in self.storage.split(parts)]
        for where, value in moved.items():
            number, name = where.split("/", 1)
            layers[int(number)][name] = value
        return self.storage.join(layers)

    def held(self, parts: tuple[Any, ...], before: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return parts in which what the layers do not train is as it was before."""
        each = zip(self.network.layers, self.storage.split(parts), self.storage.split(before), strict=True)
        return self.storage.join(
            [{name: new[name] if layer.trains(name) else old[name] for name in new} for layer, new, old in each]
        )

    def updated(
        self, parts: tuple[Any, ...], slots: Slots, gradient: tuple[Any, ...], done: Any, numbers: dict[str, Any]
    ) -> tuple[tuple[Any, ...], Slots]:
        """Return parameters and slots after one step of the member's optimizer."""
        if self.structure.masks:
            pairs = zip(numbers["own"], gradient, strict=True)
            gradient = tuple(jnp.where(is_own, slope, 0.0) for is_own, slope in pairs)
        rate = learning_rate(self.xp, done, numbers)
        names, results = self.structure.optimizers, []
        for p, g, first, second in zip(parts, gradient, slots.first, slots.second, strict=True):
            own_slots = Slots(first, second, slots.product)
            results.append(update(self.xp, names, p, g, own_slots, rate, done + 1.0, numbers))
        firsts, seconds = (tuple(each[1][i] for each in results) for i in (0, 1))
        return tuple(each[0] for each in results), Slots(firsts, seconds, results[0][1].product)

    # one epoch

    def validate(self, parts: tuple[Any, ...], numbers: dict[str, Any], rows: SharedRows) -> tuple[Any, Any, Any, Any]:
        """Return the validation loss, the loss of each half, and the metric."""
        layers, finish = self.storage.split(parts), partial(self.loss.finish, self.xp)
        numbers = {**numbers, "label_smoothing": jnp.zeros_like(numbers["label_smoothing"])}

        def add(i: Any, sums: tuple[Any, ...]) -> tuple[Any, ...]:
            of_batch = self.validation_sums(layers, numbers, rows, i)
            return tuple(total + part for total, part in zip(sums, of_batch, strict=True))

        zeros = (jnp.zeros_like(numbers["learning_rate"]),) * 6
        if len(rows.validation_x) == 1:
            sums = add(0, zeros)
        else:
            sums = jax.lax.fori_loop(0, rows.validation_batches, add, zeros)
        a, weight_a, hits_a, b, weight_b, hits_b = sums
        weight = weight_a + weight_b
        half_a, half_b = (finish(v / jnp.maximum(w, 1e-12)) for v, w in ((a, weight_a), (b, weight_b)))
        return finish((a + b) / weight), half_a, half_b, (hits_a + hits_b) / weight

    def validation_sums(self, layers: Any, numbers: dict[str, Any], rows: SharedRows, i: Any) -> list[Any]:
        """Return the sums of losses, weights and hits over each half of a batch of validation rows."""
        xp, weights, x = self.xp, rows.validation_weights[i], rows.validation_inputs(i)
        output, y = self.output(layers, x, numbers), self.validation_targets(numbers, rows, i, x)
        judged = xp.shared(jnp.ones(len(weights), jnp.float32))
        if self.structure.folds:
            judged = held_out(xp, rows.validation_folds[i], numbers).astype(jnp.float32)
        hits = _hits(self.structure, xp, y, output)
        sums = []
        for half in (0, 1):
            each = xp.shared(weights[..., half]) * self.beside_targets(judged)
            value = self.mean_values(each, y, output, numbers)
            weight = jnp.mean(each, axis=xp.features)
            of_rows = value, self.over_steps(weight), self.over_steps(weight * hits)
            sums += [jnp.sum(each, axis=0) for each in of_rows]
        return sums

    def validation_targets(self, numbers: dict[str, Any], rows: SharedRows, i: Any, x: Any) -> Any:
        """Return the targets of a batch of validation rows as the member sees them."""
        if self.structure.reconstruct:
            return self.clean(x)
        y = self.xp.shared(rows.validation_y[i])
        if self.structure.replicas and rows.validation_y_err.shape[-1]:
            size = rows.validation_y.shape[1]
            first = rows.validation_from + i * size
            which = self.xp.shared((first + jnp.arange(size)).astype(jnp.uint32))
            y = y + self.redrawn(rows.validation_y_err[i], which, numbers)
        if self.structure.replicas and rows.validation_y_noise.shape[-1]:
            y = y + self.drawn_before(rows.validation_y_noise[i], y, numbers)
        return y

    def epoch(self, numbers: dict[str, Any], rows: SharedRows, state: BlockState, order: Any) -> tuple[BlockState, Any]:
        """Return the state after one pass over the training rows, and the numbers of its curves."""

        def steps(i: Any, carry: tuple[Any, ...]) -> tuple[Any, ...]:
            for k in range(STEPS_AT_ONCE):
                carry = self.step(numbers, rows, carry, order[i * STEPS_AT_ONCE + k])
            return carry

        running = state.status == Status.RUNNING
        zero = jnp.zeros_like(numbers["learning_rate"])
        carry = (state.parameters, state.slots, state.steps, zero, zero)
        turns = (rows.steps + STEPS_AT_ONCE - 1) // STEPS_AT_ONCE
        parts, slots, done, total, seen = jax.lax.fori_loop(0, turns, steps, carry)
        curves = (total / seen, *self.validate(parts, numbers, rows))
        new = self.judged(state, numbers, curves)._replace(parameters=parts, slots=slots, steps=done)
        better = new.best_epoch > state.best_epoch
        best = jax.tree.map(lambda after, before: jnp.where(better, after, before), parts, state.best)
        new = new._replace(best=best)
        kept = jax.tree.map(lambda after, before: jnp.where(running, after, before), new, state)
        return kept, jnp.where(running, jnp.stack(curves), jnp.nan)

    def judged(self, state: BlockState, numbers: dict[str, Any], curves: tuple[Any, ...]) -> BlockState:
        """Return the state with its best epoch and its status after the losses of one more epoch."""
        train_loss, loss, *halves = curves[:4]
        finite = jnp.isfinite(train_loss) & jnp.isfinite(loss)
        for half, of_half in enumerate(halves):
            loss = jnp.where(numbers["half"] == half, of_half, loss)
        epoch = state.epoch + 1
        better = finite & (loss < state.best_loss)
        best_epoch = jnp.where(better, epoch, state.best_epoch)
        status = jnp.where(epoch - best_epoch >= numbers["patience"], Status.STOPPED_EARLY, Status.RUNNING)
        status = jnp.where(epoch >= numbers["epochs"], Status.FINISHED, status)
        return state._replace(
            best_loss=jnp.where(better, loss, state.best_loss),
            best_epoch=best_epoch,
            epoch=epoch,
            status=jnp.where(finite, status, Status.DIVERGED).astype(jnp.int32),
        )

    def chunk(
        self,
        state: BlockState,
        numbers: dict[str, Any],
        rows: SharedRows,
        orders: Any,
        activation: Any,
        turn: Any,
        epochs: Any,
    ) -> tuple[BlockState, Any]:
        """Return the state after some epochs and what is to be told of it.

        That is the curves `(epochs, 5)`, losses, halves and metric of each, NaN after the last; and status, epoch and
        best epoch. `turn` is the first of the orders. `epochs` is at most the chunk of the structure; fewer are run
        when no member has more before it.
        """
        numbers = {**numbers, "activation": activation}

        def body(i: Any, carry: tuple[BlockState, Any]) -> tuple[BlockState, Any]:
            state, curves = self.epoch(numbers, rows, carry[0], orders[(turn + i) % len(orders)])
            return state, carry[1].at[i].set(curves)

        curves = jnp.full((self.structure.chunk, 5, *numbers["learning_rate"].shape), jnp.nan)
        state, curves = jax.lax.fori_loop(0, epochs, body, (state, curves))
        return state, (curves, jnp.stack([state.status, state.epoch, state.best_epoch]))


def _hits(structure: Structure, xp: Any, y: Any, output: Any) -> Any:
    """Return one value per row or step: 1 for a right class, of several the share, or the mean squared error."""
    head = structure.loss.head
    if isinstance(head, ClassesHead):
        ends = [(group.start, group.stop) for group in head.groups]
        right = [_right(xp, columns(xp, output, *each), columns(xp, y, *each), 0.0) for each in ends]
        return sum(right) / len(right)
    if not structure.classifies:
        point = structure.loss.head.point(xp, jnp.exp(output) if structure.loss.absorbs("exponential") else output)
        return jnp.mean((columns(xp, y, 0, point.shape[xp.features]) - point) ** 2, axis=xp.features)
    return _right(xp, output, y, 0.0 if structure.loss.fused == "sigmoid" else 0.5)


def _right(xp: Any, output: Any, y: Any, threshold: float) -> Any:
    """Return 1 for each row or step whose class is right; `threshold` parts two classes that have one output."""
    if y.shape[xp.features] == 1:
        output, y = (jnp.take(array, 0, axis=xp.features) for array in (output, y))
        return ((output > threshold) == (y > 0.5)).astype(jnp.float32)
    return (jnp.argmax(output, axis=xp.features) == jnp.argmax(y, axis=xp.features)).astype(jnp.float32)
