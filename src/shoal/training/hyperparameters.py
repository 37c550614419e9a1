"""The hyperparameters of one network: a declared table of names, ranges and defaults."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Rate = Annotated[float, Field(ge=0.0, lt=1.0)]
Width = Annotated[int, Field(ge=1, le=65_535)]


def _as_tuple(value: Any) -> Any:
    """Accept `"64,32"`, `"64 32"`, `64` and lists alike."""
    if isinstance(value, str):
        return tuple(part for part in value.replace(",", " ").split() if part)
    if isinstance(value, (int, float)):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


Widths = Annotated[tuple[Width, ...], BeforeValidator(_as_tuple)]
Names = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
OptimizerName = Literal["sgd", "rmsprop", "adagrad", "adam", "adamw", "nadam", "lion"]
ScheduleName = Literal["constant", "cosine", "exponential"]
EncodingName = Literal["plain", "quantile", "piecewise"]


class Hyperparameters(BaseModel):
    """All choices that make one candidate.

    Structural hyperparameters (`layers`, `hidden`, `batch_size`, `loss`, `kernel_initializer`) fix shapes and the
    graph; all others are numbers that members of one program may have each for itself.

    Example:
        >>> Hyperparameters(hidden="64,32", activation="relu").hidden
        (64, 32)
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    hidden: Widths = Field((8,), description="units of each hidden layer, first to last; empty: none")
    activation: Names = Field(("relu",), description="activation of the hidden layers: one name, or one per layer")
    optimizer: OptimizerName = Field("adam", description="how gradients become steps")
    learning_rate: float = Field(0.001, gt=0.0, description="size of a step")
    momentum: Rate = Field(0.0, description="momentum of sgd and rmsprop")
    nesterov: bool = Field(False, description="Nesterov's momentum in sgd")
    beta_1: Rate = Field(0.9, description="decay of the mean gradient in adam, adamw, nadam, lion")
    beta_2: Rate | None = Field(None, description="decay of the mean squared gradient; by default 0.999, in lion 0.99")
    rho: Rate = Field(0.9, description="decay of the mean squared gradient in rmsprop")
    epsilon: float = Field(1e-7, gt=0.0, description="added to a denominator in adaptive optimizers")
    weight_decay: float = Field(0.004, ge=0.0, description="decoupled weight decay in adamw")
    schedule: ScheduleName = Field("constant", description="how the learning rate changes over the epochs")
    warmup_epochs: float = Field(0.0, ge=0.0, description="epochs over which the learning rate rises from zero")
    final_fraction: float = Field(
        0.01, gt=0.0, le=1.0, description="learning rate at the last epoch over the first, in cosine and exponential"
    )
    l2: float = Field(0.0, ge=0.0, description="strength of l2/(2k) Σ W² added to the loss, k weights")
    l1: float = Field(0.0, ge=0.0, description="strength of l1/k Σ |W| added to the loss, k weights")
    dropout: Rate = Field(0.0, description="share of hidden neurons dropped in each step")
    label_smoothing: Rate = Field(0.0, description="share of the target spread evenly over the classes")
    loss: str | None = Field(None, description="loss to minimise; by default cross-entropy for classes, else mse")
    huber_delta: float = Field(1.0, gt=0.0, description="where huber turns from square to linear")
    batch_size: int = Field(32, ge=1, le=65_535, description="rows of one step")
    epochs: int = Field(200, ge=1, description="most passes over the training rows")
    patience: int = Field(30, ge=1, description="epochs without a better validation loss before stopping")
    kernel_initializer: str = Field("glorot_uniform", description="how weights start")
    shift: float = Field(0.0, ge=0.0, description="pixels by which images are moved at most while training")
    flip: float = Field(0.0, ge=0.0, le=1.0, description="share of images that may be mirrored, left for right")
    rotation: float = Field(0.0, ge=0.0, le=180.0, description="degrees by which images are turned at most")
    zoom: Rate = Field(0.0, description="share by which images are enlarged or reduced at most")
    noise: float = Field(
        0.0,
        ge=0.0,
        description="noise in pixels, steps or reconstructed columns while training, in units of their scatter",
    )
    layers: str = Field("", description='layers before the hidden ones, e.g. "conv2d:16:3 maxpooling2d:2" or "lstm:32"')
    feature_encoding: EncodingName = Field(
        "plain",
        description="how networks read the numbers of a table: plain (as normalised), quantile (normal scores of the "
        "ranks), or piecewise (beside them, how far each has come through each of its quantile bins)",
    )

    def layer_activations(self) -> tuple[str, ...]:
        """Return one activation per hidden layer."""
        if len(self.activation) == 1:
            return self.activation * len(self.hidden)
        return self.activation

    def second_decay(self) -> float:
        """Return beta_2, or the usual value of the optimizer."""
        return self.beta_2 if self.beta_2 is not None else (0.99 if self.optimizer == "lion" else 0.999)
