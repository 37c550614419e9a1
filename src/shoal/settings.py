"""All options of `fit`, declared once: the function, the command line and `config.toml` read this table."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    PlainSerializer,
    PrivateAttr,
    ValidationError,
    model_validator,
)

from shoal.data.labels import label_name
from shoal.errors import SettingError, ShoalWarning, expected, spelled, suggest
from shoal.keras.archive import EXTENSIONS
from shoal.networks import Network, get_activation, get_initializer
from shoal.networks.parsing import parse_layers
from shoal.resources import parse_memory
from shoal.search.defaults import unless_fixed
from shoal.search.knobs import knob_table, read_knob
from shoal.search.space import Categorical, Limits
from shoal.search.strategy import strategy_names
from shoal.setting_names import suggest_setting
from shoal.statistics.class_weights import BALANCED, pairs
from shoal.statistics.metric_choice import IN_PYTHON, goal, metric, name_in_file
from shoal.training.augmentation import AUGMENTATIONS
from shoal.training.building import hyperparameters_of
from shoal.training.hyperparameters import EncodingName, Hyperparameters, Names, OptimizerName, ScheduleName, Widths

EngineName = Literal["auto", "native", "xla"]
if TYPE_CHECKING:
    SearchName = str
else:
    SearchName = Literal[strategy_names()]
Knob = InstanceOf[Categorical] | InstanceOf[Limits]
"""Alternatives or limits in place of a value."""


def _as_names(value: Any) -> Any:
    """Accept one column name or several; a comma separates names in one text."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return tuple(value) if isinstance(value, list) else value


def _as_metrics(value: Any) -> Any:
    """Accept one metric or several."""
    value = _as_names(value)
    choices = value if isinstance(value, tuple) or value is None else (value,)
    for choice in choices or ():
        metric(choice)
    return choices


def _checked_goal(text: str | None) -> str | None:
    if text is not None:
        goal(text)
    return text


def _as_class_weight(value: Any) -> Any:
    """Accept `balanced`, `a=2,b=1`, or a mapping from classes to weights."""
    if isinstance(value, Mapping):
        value = tuple(f"{label_name(name)}={weight}" for name, weight in value.items())
    value = _as_names(value)
    if value is None or value == (BALANCED,):
        return value
    value = tuple(str(pair) for pair in value) if isinstance(value, tuple) else (str(value),)
    pairs(value)
    return value or None


def _as_functions(value: Any) -> Any:
    """Accept one function or several."""
    return (value,) if callable(value) else tuple(value) if isinstance(value, list) else value


def _as_network(value: Any) -> Any:
    """Accept a network, its text, the JSON that `config.toml` keeps of it, or a Keras model: live, or its file."""
    if isinstance(value, str) and value.strip().isdigit():
        raise ValueError(
            f"expected layers such as '4 8:relu 3:softmax'; to train so many write networks={value.strip()}"
        )
    of_keras = isinstance(value, (str, Path)) and Path(value).suffix.lower() in EXTENSIONS
    if of_keras or hasattr(value, "get_layer"):
        value = Network.from_keras(value)
    elif isinstance(value, str):
        value = Network.from_dict(json.loads(value)) if value.startswith("{") else Network.parse(value)
    if value is not None and not isinstance(value, Network):
        raise ValueError("expected a Network, a text such as '4 8:relu 3:softmax', or a Keras model")
    if value is not None:
        value.to_dict()  # a run is kept in files, which hold no functions
    return value


def _network_text(network: Network | None) -> str | None:
    return None if network is None else json.dumps(network.to_dict())


Columns = Annotated[tuple[str, ...] | None, BeforeValidator(_as_names)]


def _as_expressions(value: Any) -> Any:
    """Accept one expression, several, or a mapping from names to expressions."""
    if isinstance(value, Mapping):
        return tuple(f"{name} = {text}" for name, text in value.items()) or None
    return (value,) if isinstance(value, str) else tuple(value) or None if isinstance(value, (list, tuple)) else value


Expressions = Annotated[tuple[str, ...] | None, BeforeValidator(_as_expressions)]


NETWORKS = 64
"""Candidates of a table, unless these would take long."""
FLAG_NAMES = {"from_run": "from"}
"""Settings whose flags have another name, since Python has a use for that."""
REPEATS = 5
"""Of each candidate of a search one at a time, unless folds or repeats are asked for: seeds scatter, too."""


class FitSettings(BaseModel):
    """What `shoal.fit` can be told; every field has a default that suits a first try."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    # the data
    target: Columns = Field(None, description="column(s) to predict; asked for unless one stands out")
    features: Columns = Field(None, description="columns to predict from; by default all the others")
    y_err: Columns = Field(None, description="column(s) with the standard error of each target")
    scatter: Literal["zero", "constant", "function"] | None = Field(
        None, description="scatter beside y_err that networks learn: zero (chi-square), constant, or function of inputs"
    )
    y_cov: str | None = Field(
        None, description="file with the covariance of the errors of the target (CSV, text, NPY, NPZ), instead of y_err"
    )
    x_err: Columns = Field(None, description="errors of numeric features, each as FEATURE=COLUMN")
    weight: str | None = Field(None, description="column with the weight of each row")
    group: str | None = Field(None, description="column whose equal values stay on one side of the split")
    time: str | None = Field(None, description="column that orders rows: the past trains, the future tests")
    id: str | None = Field(None, description="column that names a row and is never a feature")
    ignore: Columns = Field(None, description="columns to leave out")
    roles: str | None = Field(None, description="TOML file with the roles of columns")
    task: Literal["classification", "multilabel", "regression"] | None = Field(
        None, description="classification, multilabel or regression; found by default"
    )
    delimiter: str | None = Field(None, description="text files: what separates columns")
    decimal_comma: bool | None = Field(None, description="text files: 3,14 means 3.14")
    header: bool | None = Field(None, description="text files: the first line holds the names")
    encoding: str | None = Field(None, description="text files: utf-8 or latin-1")
    sheet: str | None = Field(None, description="Excel files: name of the sheet")
    table: str | None = Field(
        None,
        description="which table of a file with several: HDU, tree, path in HDF5, dimensions, table of SQLite",
    )
    query: str | None = Field(
        None, description="SELECT ... by which rows of a database are read (SQLite, DuckDB, PostgreSQL)"
    )
    list_values: int | None = Field(
        None, ge=1, le=32, description="how many values of lists of any length become columns (ROOT, FITS); 4"
    )
    file_column: str | None = Field(
        None, description="name of a column to make of the files' names, where several files are one table"
    )
    day_first: bool | None = Field(None, description="01/02/2025 is the first of February, where no row tells")
    missing: Columns = Field(None, description="values that mean that there is none, such as -999 or COLUMN=99")
    derive: Expressions = Field(
        None, description="column to compute, NAME = EXPRESSION, such as 'pt = hypot(px, py)'; repeat for more"
    )
    where: Expressions = Field(
        None, description="condition that rows must fulfil, such as 'pt > 20 and abs(eta) < 2.5'; repeat for more"
    )
    convert_units: bool | None = Field(None, description="convert columns that are in another unit than in the fit")
    kind: Literal["table", "images", "series"] | None = Field(None, description="what arrays are; found by default")
    image_size: str | None = Field(None, description="height and width of images, e.g. 64x64; by default the commonest")
    window: int | None = Field(None, ge=1, description="rows are steps in time: so many predict the next values")
    horizon: int = Field(1, ge=1, description="with a window: how many next values of the target to predict")
    series: str | None = Field(None, description="column that says to which series a row belongs")
    season: int | None = Field(None, ge=1, description="with a window: steps after which the target repeats")
    per_step: bool | None = Field(
        None, description="each step of a series has its own target; arrays say so themselves"
    )
    reconstruct: bool = Field(False, description="learn to reconstruct the inputs, without a target: an autoencoder")
    false_alarm_rate: float = Field(
        0.01, gt=0.0, lt=1.0, description="with reconstruct: share of usual rows that may be called anomalies"
    )

    # the split and the preparation
    test: str | None = Field(None, description="file with the test rows; by default they are split off")
    validation_size: float = Field(
        0.16, gt=0.0, lt=1.0, description="share of the rows for validation; with cv folds take its place"
    )
    test_size: float = Field(
        0.20, gt=0.0, lt=1.0, description="share of the rows for the test, unless test names a file"
    )
    seal_test: bool = Field(
        False, description="leave the test rows unopened; shoal open RUN RUN... opens them, once for several runs"
    )
    normalization: Literal["standard", "robust", "quantile", "none"] = Field(
        "standard", description="how numeric features are scaled"
    )
    seed: int = Field(0, ge=0, lt=2**63, description="names the random numbers: same seed and cores, same result")
    coverage: float = Field(
        0.95, ge=0.5, lt=1.0, description="share of new values that intervals (of classes, sets) are to hold"
    )

    # what the page says of a cut on the score
    signal_yield: float | None = Field(
        None, gt=0.0, description="two classes: expected signal events, for a significance scan on the page"
    )
    background_yield: float | None = Field(None, gt=0.0, description="expected background events")
    background_uncertainty: float = Field(
        0.0, ge=0.0, le=1.0, description="relative uncertainty of the expected background, e.g. 0.1"
    )
    process: str | None = Field(
        None, description="two classes: column with the process of each event, for its yield; never a feature"
    )
    signal: Annotated[str | None, BeforeValidator(label_name)] = Field(
        None, description="the class that is the signal; by default the one named so"
    )

    # what is made small, and what is shown
    class_weight: Annotated[tuple[str, ...] | None, BeforeValidator(_as_class_weight)] = Field(
        None,
        description="how much classes count in training, apart from the weights of rows: balanced, or CLASS=WEIGHT, "
        "1 where it is not named; in Python a dict, too",
    )
    metrics: Annotated[tuple[str | Callable[..., Any], ...] | None, BeforeValidator(_as_metrics)] = Field(
        None,
        description="scores to show beside the usual ones, by scikit-learn's or Keras' names, the first as headline; "
        "in Python also functions (y_true, y_pred[, sample_weight]). Networks are chosen by their loss all the same",
    )

    # which networks
    networks: int | None = Field(
        None,
        ge=1,
        description="how many candidates to train; by default 64, fewer where they take more than "
        "about a minute on two cores; images and series 24, or 16 with folds by default; with minutes 1,024",
    )
    search: SearchName = Field(
        "random", description="how alternatives and limits of hyperparameters are tried, see docs/howto/searching.md"
    )
    base: str | None = Field(
        None, description="run whose best candidate gives the hyperparameters that are not named, and the first to try"
    )
    from_run: str | None = Field(
        None, description="earlier run on the same columns, whose best candidates, 8 at most, are tried first"
    )
    cv: Annotated[int, Field(ge=2)] | Literal["none"] | None = Field(
        None,
        description="train each candidate once for each of so many folds of the rows; with time they roll; none sets "
        "rows for validation apart; by default 5 for tables of 50 to 10,000 rows beside the test and for 20 to 500 "
        "series with a class each, unless an option asks for something else",
    )
    repeats: int = Field(1, ge=1, description="train each candidate so many times, with its own seeds and folds")
    passes: float | None = Field(
        None,
        gt=0.0,
        description="of files larger than memory: how often networks see all rows; an epoch is a part of these",
    )
    minutes: float | None = Field(None, gt=0.0, description="stop after so many minutes and keep the best so far")
    until: Annotated[str | None, AfterValidator(_checked_goal)] = Field(
        None,
        description="stop when a candidate's score on the validation rows reaches it, METRIC=VALUE, e.g. accuracy=0.97",
    )
    keep: int | None = Field(None, ge=1, description="how many candidates make the ensemble; at most 8 by default")
    smallest: bool = Field(False, description="keep networks no larger than the smallest that is as good as the best")
    replicas: int | None = Field(
        None, ge=2, description="train the ensemble so many times more, on its answers redrawn within y_err"
    )

    bottleneck: int | None = Field(
        None, ge=1, description="with reconstruct: numbers that the code of a row has; searched by default"
    )

    # hyperparameters fixed by the user, or their alternatives or limits; None: searched, or the default
    layers: str | Knob | None = None
    shift: float | Knob | None = None
    flip: float | Knob | None = None
    rotation: float | Knob | None = None
    zoom: float | Knob | None = None
    noise: float | Knob | None = None
    feature_encoding: EncodingName | Knob | None = None
    hidden: Widths | Knob | None = None
    activation: Names | Knob | None = None
    optimizer: OptimizerName | Knob | None = None
    learning_rate: float | Knob | None = None
    momentum: float | Knob | None = None
    nesterov: bool | Knob | None = None
    beta_1: float | Knob | None = None
    beta_2: float | Knob | None = None
    rho: float | Knob | None = None
    epsilon: float | Knob | None = None
    weight_decay: float | Knob | None = None
    schedule: ScheduleName | Knob | None = None
    warmup_epochs: float | Knob | None = None
    final_fraction: float | Knob | None = None
    l2: float | Knob | None = None
    l1: float | Knob | None = None
    dropout: float | Knob | None = None
    label_smoothing: float | Knob | None = None
    loss: str | Callable[..., Any] | None = None
    huber_delta: float | None = None
    batch_size: int | Knob | None = None
    epochs: int | Knob | None = None
    patience: int | Knob | None = None
    kernel_initializer: str | Knob | None = None

    network: Annotated[Any, BeforeValidator(_as_network), PlainSerializer(_network_text)] = Field(
        None,
        description="the network that all members are, as in '4 8:relu 3:softmax', or a file of Keras, model.keras; "
        "in Python any shoal.Network or keras.Model",
    )
    penalties: Annotated[tuple[Callable[..., Any], ...], BeforeValidator(_as_functions)] = Field(
        (),
        description="Python only: a function `(weights)` or `(xp, weights)` to a number added to the cost, or several",
    )

    # the run
    engine: EngineName = Field("auto", description="what trains: native, xla, or auto, whichever is estimated faster")
    workers: int | None = Field(
        None,
        ge=0,
        le=1024,
        description="so many processes train side by side, and others may join by `shoal work RUN`; 0: only others. By "
        "default this process trains",
    )
    dask: str | None = Field(
        None, description="the workers of a Dask cluster train: address of its scheduler, as tcp://host:8786, or local"
    )
    memory: str | None = Field(
        None,
        description="the most memory that a fit may take, e.g. 4GB; larger files are read in parts; default: all free",
    )
    checkpoint_every: float = Field(
        10.0, gt=0.0, description="seconds of training between two checkpoints; the first comes after one second"
    )
    out: str | None = Field(None, description="folder of the run; by default runs/<name>-<number>")
    force: bool = Field(False, description="replace a run folder that exists")
    page: bool = Field(True, description="write the page and its figures")
    track: Literal["tensorboard", "mlflow"] | None = Field(
        None,
        description="tell a tracker of the finished run, too: tensorboard or mlflow, in the run's folder tracking, or "
        "where MLFLOW_TRACKING_URI says",
    )

    _chosen: bool = PrivateAttr(False)

    @property
    def folds(self) -> int | None:
        """Into how many folds rows are dealt, as far as the user says, or the rule that chose for him; None: none."""
        return self.cv if isinstance(self.cv, int) else None

    @property
    def chosen_folds(self) -> int | None:
        """The folds that were chosen, rather than asked for; None where there are none."""
        return self.folds if self._chosen else None

    def with_folds(self, folds: int | None) -> FitSettings:
        """Return the settings with the folds that were chosen, which are not among those given; what is given stays."""
        if self.cv is not None:
            return self
        settled = self.model_copy(update={"cv": folds or "none"})
        settled._chosen = True
        return settled

    @model_validator(mode="after")
    def _sizes_leave_rows(self) -> FitSettings:
        if self.validation_size + self.test_size >= 1.0:
            raise ValueError("validation_size and test_size together must stay below 1")
        return self

    @model_validator(mode="after")
    def _one_executor(self) -> FitSettings:
        if self.workers is not None and self.dask is not None:
            raise ValueError("workers and dask both say who trains; leave one of them out")
        return self

    @model_validator(mode="after")
    def _network_alone(self) -> FitSettings:
        of_layers = (
            "hidden",
            "activation",
            "layers",
            "dropout",
            "kernel_initializer",
            "bottleneck",
            "feature_encoding",
        )
        others = (*of_layers, "reconstruct")
        for name in others if self.network is not None else ():
            if getattr(self, name):
                raise ValueError(f"network and {name} both say what the networks are; leave one of them out")
        return self

    @model_validator(mode="after")
    def _reconstruction_alone(self) -> FitSettings:
        wants = {"bottleneck": self.bottleneck, "false_alarm_rate": "false_alarm_rate" in self.model_fields_set or None}
        if not self.reconstruct:
            for name, value in wants.items():
                if value is not None:
                    raise ValueError(f"{name} is for reconstructions; add reconstruct, or leave {name} out")
            return self
        others = ("cv", "smallest", "task", "y_err", "y_cov", "x_err", "scatter", "replicas", "window", "series")
        for name in (*others, "label_smoothing", *AUGMENTATIONS):
            if getattr(self, name) not in (None, False, "none") and name != "noise":
                raise ValueError(f"a reconstruction cannot be combined with {name}; leave one of them out")
        return self

    @model_validator(mode="after")
    def _sealed_run_can_be_opened(self) -> FitSettings:
        functions = {
            "loss": callable(self.loss),
            "penalties": bool(self.penalties),
            "metrics": any(name_in_file(choice).startswith(IN_PYTHON) for choice in self.metrics or ()),
        }
        given = [name for name, is_function in functions.items() if is_function]
        if self.seal_test and given:
            raise ValueError(
                f"seal_test puts the run together again when its test is opened, but no file keeps the functions of "
                f"{' and '.join(given)}; leave one of them out"
            )
        return self

    @model_validator(mode="after")
    def _yields_go_together(self) -> FitSettings:
        given = {"signal_yield": self.signal_yield, "background_yield": self.background_yield}
        missing = [name for name, value in given.items() if value is None]
        if len(missing) == 1:
            raise ValueError(f"a significance needs the yields of signal and background; add {missing[0]}")
        if missing and self.background_uncertainty:
            raise ValueError(
                "background_uncertainty is that of the expected yields; add signal_yield and background_yield"
            )
        return self

    @model_validator(mode="after")
    def _errors_are_said_once(self) -> FitSettings:
        if self.y_cov is not None and self.y_err is not None:
            raise ValueError(
                "y_cov and y_err both say how large the errors of the target are; leave one of them out. With y_cov "
                "the standard errors are the roots of its diagonal"
            )
        return self

    @model_validator(mode="after")
    def _errors_of_features_are_pairs(self) -> FitSettings:
        for pair in self.x_err or ():
            feature, _, column = pair.partition("=")
            if not feature or not column:
                raise ValueError(f"x_err names a feature and the column of its errors, as FEATURE=COLUMN, got {pair!r}")
        if len(self.input_errors()) < len(self.x_err or ()):
            raise ValueError("x_err names a feature twice")
        return self

    def input_errors(self) -> dict[str, str]:
        """Return the column of the errors of each feature that has one."""
        pairs = (pair.partition("=") for pair in self.x_err or ())
        return {feature.strip(): column.strip() for feature, _, column in pairs}

    def fixed(self) -> dict[str, Any]:
        """Return the hyperparameters that the user has fixed, by name."""
        values = {name: getattr(self, name) for name in Hyperparameters.model_fields}
        unfixed = Categorical | Limits | None
        of_network = {} if self.network is None else hyperparameters_of(self.network)
        return {name: _named(value) for name, value in values.items() if not isinstance(value, unfixed)} | of_network

    def knobs(self) -> dict[str, Categorical | Limits]:
        """Return the hyperparameters of which the user named alternatives or limits."""
        values = {name: getattr(self, name) for name in Hyperparameters.model_fields}
        return {name: value for name, value in values.items() if isinstance(value, Categorical | Limits)}

    def given(self) -> dict[str, Any]:
        """Return the settings that differ from their defaults, as plain data."""
        knobs = {name: knob_table(knob) for name, knob in self.knobs().items()}
        given = self.model_dump(exclude_defaults=True, exclude={*knobs, *(("cv",) if self._chosen else ())}) | knobs
        if self.metrics is not None:
            given["metrics"] = [name_in_file(choice) for choice in self.metrics]
        return {name: _plain(given[name]) for name in FitSettings.model_fields if name in given}


def _named(value: Any) -> Any:
    """Return a callable's name, anything else as it is."""
    return getattr(value, "__name__", "custom") if callable(value) else value


def _plain(value: Any) -> Any:
    return [_named(item) for item in value] if isinstance(value, (tuple, list)) else _named(value)


def default_in_words(name: str) -> str:
    """Return what holds where a setting is not given, empty where its description says so or nothing is to be said.

    Example:
        >>> default_in_words("coverage"), default_in_words("hidden"), default_in_words("target")
        ('default: 0.95', 'searched; with --networks 1: 32', '')
    """
    if name in Hyperparameters.model_fields:
        return unless_fixed(name)
    default = FitSettings.model_fields[name].default
    if default is None or default is False or default == ():
        return ""
    shown = "on" if default is True else f"{default:g}" if isinstance(default, float) else str(default)
    return f"default: {shown}"


def settings_in_words() -> str:
    """Return a line for each setting: its name, what it is, and what holds where it is not given."""
    lines = []
    for name, field in FitSettings.model_fields.items():
        described = field.description or Hyperparameters.model_fields[name].description or ""
        default = default_in_words(name).replace("--networks 1", "networks=1")
        lines.append(f"    {name}: {described}{f' ({default})' if default else ''}")
    return "\n".join(lines)


def check_settings(values: dict[str, Any]) -> FitSettings:
    """Return the settings, or raise a SettingError that says which value is wrong and why.

    Example:
        >>> check_settings({"networks": 3}).networks
        3
    """
    for name in values:
        if name not in FitSettings.model_fields:
            raise SettingError(f"fit has no setting {name!r}.{suggest_setting(name, FitSettings.model_fields)}")
    values = {name: _read(name, value) for name, value in values.items()}
    if values.get("search") == "one-at-a-time" and values.get("cv") in (None, "none"):
        values.setdefault("repeats", REPEATS)
    try:
        settings = FitSettings(**values)
        if settings.memory is not None:
            parse_memory(settings.memory)
        hyperparameters = Hyperparameters(**settings.fixed())
        if settings.network is None:
            _check_words(hyperparameters, settings)
    except ValidationError as error:
        first = error.errors()[0]
        if isinstance(cause := first.get("ctx", {}).get("error"), SettingError):
            raise cause from None
        if not first["loc"]:
            raise SettingError(expected(first)) from None
        where = str(first["loc"][0])
        got = values.get(where)
        several = where in Hyperparameters.model_fields and (isinstance(got, (list, tuple)) or "," in str(got))
        hint = "; alternatives are a text with semicolons, or shoal.choices(...)" if several else ""
        raise SettingError(f"{where}: {expected(first)}, got {where}={got!r}{hint}") from None
    return settings


def choices_of(name: str) -> tuple[str, ...]:
    """Return the words that a setting may be, or none where it may be anything.

    Example:
        >>> choices_of("schedule"), choices_of("target")
        (('constant', 'cosine', 'exponential'), ())
    """
    kinds = get_args(FitSettings.model_fields[name].annotation) or (FitSettings.model_fields[name].annotation,)
    if any(get_args(kind)[:1] == (int,) for kind in kinds):  # a number, or a word in its place
        return ()
    return next((get_args(kind) for kind in kinds if get_origin(kind) is Literal), ()) or (
        kinds if all(isinstance(kind, str) for kind in kinds) else ()
    )


def _read(name: str, value: Any) -> Any:
    """Return a value as the settings spell it, or the alternatives or limits that it names."""
    knob = read_knob(name, value, partial(_usual_spelling, name)) if name in Hyperparameters.model_fields else None
    return _usual_spelling(name, value) if knob is None else knob


def _usual_spelling(name: str, value: Any) -> Any:
    """Return a value as the settings spell it: `Adam` is adam, `ReLU` relu.

    Raises:
        SettingError: it is a word, but none of those that the setting may be.
    """
    if name == "activation" and isinstance(value, (str, tuple, list)):
        words = value.replace(",", " ").split() if isinstance(value, str) else value
        return tuple(get_activation(word).name if isinstance(word, str) else word for word in words)
    choices = choices_of(name)
    if not choices or not isinstance(value, str):
        return value
    word = spelled(value, choices)
    if word not in choices:
        near = suggest(value.lower(), choices)
        raise SettingError(f"{name}: expected one of {', '.join(choices)}, got {value!r}.{near}")
    return word


def kept_settings(given: dict[str, Any], folds: int | None = None) -> FitSettings:
    """Return the settings that a run keeps, but for those that may be functions, which no file holds.

    Args:
        given: as `config.toml` has them.
        folds: that were chosen for the run where `given` names none; earlier shoals chose none.

    Example:
        >>> kept_settings({"target": ["y"], "loss": "my_own", "penalties": ["smooth"]}).target
        ('y',)
    """
    functions = ("penalties", "loss", "metrics")
    return check_settings({name: value for name, value in given.items() if name not in functions}).with_folds(folds)


def without_functions(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a file without metrics that were functions of Python, with a ShoalWarning that names them.

    Example:
        >>> without_functions({"metrics": ["f1_macro"]})
        {'metrics': ['f1_macro']}
    """
    names = settings.get("metrics") or ()
    gone = [name.removeprefix(IN_PYTHON) for name in names if str(name).startswith(IN_PYTHON)]
    if not gone:
        return settings
    text = f"metrics: {', '.join(gone)} left out, since no file holds functions of Python"
    warnings.warn(text, ShoalWarning, stacklevel=3)
    return {**settings, "metrics": [name for name in names if not str(name).startswith(IN_PYTHON)] or None}


def _check_words(hyperparameters: Hyperparameters, settings: FitSettings) -> None:
    activations = _alternatives(settings.activation, hyperparameters.activation)
    hidden = _alternatives(settings.hidden, settings.hidden)
    for names, widths in product(activations, hidden):
        if len(names) > 1 and widths is None:
            raise SettingError(
                f"activation: {len(names)} names need --hidden with as many layers; give one name or both"
            )
        if widths is not None and len(names) not in (1, len(widths)):
            layers = len(widths)
            raise SettingError(f"activation: expected one name or one per hidden layer ({layers}), got {len(names)}")
    if settings.activation is not None:
        for name in {name for names in activations for name in names}:
            get_activation(name)
    for text in _alternatives(settings.layers, settings.layers):
        parse_layers(text or "")
    for name in _alternatives(settings.kernel_initializer, settings.kernel_initializer):
        if name is not None:
            get_initializer(name)


def _alternatives(value: Any, plain: Any) -> tuple[Any, ...]:
    """Return all alternatives of a hyperparameter, the lower of limits, or the plain value."""
    if isinstance(value, Categorical):
        return value.values
    return (value.low,) if isinstance(value, Limits) else (plain,)
