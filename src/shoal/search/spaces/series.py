"""What is searched for series: recurrent networks, convolutions along the time, random kernels; dense for forecasts."""

from __future__ import annotations

from shoal.networks import Shape
from shoal.networks.minirocket import PLACES, TAPS, spread_dilations
from shoal.search.space import Categorical, Fixed, LogUniform, Space, Widths

LONGEST_RECURRENT = 1_000  # steps that recurrent layers read one by one
LONG = 200  # steps beyond which recurrent layers get every fourth step only
SHORT = 100  # steps up to which recurrent layers are tried for classes
FEW_ROWS, MANY_ROWS = 500, 20_000
FLAT = "flatten"  # a dense layer behind it sees each step of a window in its place


def series_layers(shape: Shape, rows: int = FEW_ROWS, classification: bool = True) -> tuple[str, ...]:
    """Return the layers to choose from for series of a shape `(time, channels)`.

    LSTM, GRU and convolutions; for classes most often random kernels, which learn from few rows what takes others
    thousands of epochs, and recurrent layers for short series only. Long series are shortened by a convolution with
    stride 4 before a recurrent layer sees them, and for classes other layers, too.

    Example:
        >>> dict.fromkeys(series_layers((150, 1)))
        {'conv1d:32:7:1:same maxpooling1d:2 conv1d:64:3:1:same globalaveragepooling1d': None, \
'minirocket:420:1x3x5x10x18': None, 'conv1d:32:7:1:same maxpooling1d:2 conv1d:64:3:1:same globalmaxpooling1d': None}
    """
    steps = shape[0]
    before = "conv1d:16:8:4:same:relu " if steps > LONG else ""
    recurrent = (f"{before}lstm:32", f"{before}gru:32")
    if steps < 8:
        return recurrent
    size = 3 if steps < 24 else 7
    stride = 4 if classification and steps > LONG else 1
    once = f"conv1d:32:{size}:{stride}:same maxpooling1d:2 conv1d:64:3:1:same"
    pooled = f"{once} globalaveragepooling1d", f"{once} globalmaxpooling1d"
    if steps <= TAPS:
        return (*recurrent, *pooled)
    kernels = random_kernel_layers(steps, rows)
    if not classification:
        return (*recurrent, *pooled, kernels)
    first = recurrent[0] if steps <= SHORT else pooled[0]
    return (first, *(kernels,) * 3, pooled[1], *(kernels,) * 3)


def random_kernel_layers(steps: int, rows: int) -> str:
    """Return random kernels for series of so many steps: some 2,000 features, fewer where rows are many.

    Example:
        >>> random_kernel_layers(150, 40)
        'minirocket:420:1x3x5x10x18'
    """
    dilations = spread_dilations(steps)
    features = 2000 if rows <= FEW_ROWS else 1000 if rows <= MANY_ROWS else 500
    filters = max(1, round(features / (len(PLACES) * len(dilations)))) * len(PLACES)
    return f"minirocket:{filters}:{'x'.join(map(str, dilations))}"


def step_layers(shape: Shape) -> tuple[str, ...]:
    """Return the layers to choose from where each step of a series `(time, channels)` has a target.

    None loses a step. Recurrent layers read in both directions, since what follows a step tells of it, too; beyond
    1,000 steps they would take too long. Convolutions see further by dilation (as van den Oord et al.,
    arXiv:1609.03499, but in both directions).

    Example:
        >>> step_layers((80, 1))[0]
        'bidirectional:gru:16:true'
    """
    size = 3 if shape[0] < 24 else 7
    narrow = f"conv1d:32:{size}:1:same conv1d:32:{size}:1:same"
    wide = f"conv1d:32:{size}:1:same conv1d:32:3:1:same:4 conv1d:32:3:1:same:16"
    if shape[0] > LONGEST_RECURRENT:
        return narrow, wide
    both = "bidirectional:gru:16:true", "bidirectional:lstm:16:true"
    return (*both, narrow, wide) if shape[0] >= 24 else (*both, narrow)


def series_space(shape: Shape, rows: int, classification: bool, per_step: bool = False) -> Space:
    """Return the default space for series of a shape and so many training rows, with a target for each or each step."""
    classes = classification and not per_step
    few = 150 if classes else 600  # few rows make few steps
    epochs = few if rows < 100 else 150 if rows < 1_000 else 50 if rows < 10_000 else 25
    return Space(
        {
            "layers": Categorical(step_layers(shape) if per_step else series_layers(shape, rows, classification)),
            "hidden": Fixed(()) if classes else Widths((1, 1), (16, 64)),
            "activation": Categorical(("relu", "tanh")),
            "optimizer": Categorical(("adam", "adamw")),
            "learning_rate": LogUniform(1e-3, 1e-2),
            "schedule": Categorical(("constant", "cosine")),
            "l2": Categorical((0.0, 0.001, 0.01, 0.1)),
            "dropout": Categorical((0.0, 0.1, 0.25) if classification else (0.0, 0.0, 0.1)),
            "batch_size": Fixed(8 if rows < 100 else 16 if rows < 300 else 32 if rows < 5_000 else 64),
            "epochs": Fixed(epochs),
            "patience": Fixed(max(10, epochs // 4)),
        }
    )


def forecast_space(shape: Shape, rows: int) -> Space:
    """Return the default space for forecasts from windows: linear in all values of the window, or one hidden layer.

    Linear layers forecast long horizons at least as well as much larger networks (Zeng, Chen, Zhang and Xu,
    arXiv:2205.13504), and follow a trend beyond the values of training, which recurrent layers do not.

    Example:
        >>> space = forecast_space((24, 1), 200)
        >>> str(space.parts["layers"]), str(space.parts["hidden"])
        ('always flatten', '0 to 1 layers of 16 to 64 units')
    """
    parts = series_space(shape, rows, classification=False).parts
    return Space({**parts, "layers": Fixed(FLAT), "hidden": Widths((0, 1), (16, 64))})
