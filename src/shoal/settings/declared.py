"""All options of `fit`, declared once: the function, the command line and `config.toml` read this table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PrivateAttr,
    model_validator,
)

from shoal.data.labels import label_name
from shoal.search.knobs import knob_table
from shoal.search.space import Categorical, Limits
from shoal.settings.values import (
    Columns,
    EngineName,
    Expressions,
    Knob,
    SearchName,
    as_class_weight,
    as_functions,
    as_metrics,
    as_network,
    as_path,
    checked_goal,
    network_text,
)
from shoal.statistics.metric_choice import IN_PYTHON, name_in_file
from shoal.training.augmentation import AUGMENTATIONS
from shoal.training.building import hyperparameters_of
from shoal.training.hyperparameters import EncodingName, Hyperparameters, Names, OptimizerName, ScheduleName, Widths

NETWORKS = 64
"""Candidates of a table, unless these would take long."""
FLAG_NAMES = {"from_run": "from"}
"""Settings whose flags have another name, since Python has a use for that."""


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
    roles: Annotated[str | None, BeforeValidator(as_path)] = Field(
        None, description="TOML file with the roles of columns"
    )
    task: Literal["classification", "multilabel", "regression"] | None = Field(
        None, description="classification, multilabel or regression; found by default"
    )
    delimiter: str | None = Field(None, description="text files: what separates columns")
    decimal_comma: bool | None = Field(None, description="text files: 3,14 means 3.14")
    header: bool | None = Field(None, description="text files: the first line holds the names")
    encoding: str | None = Field(None, description="text files: utf-8 or latin-1")
    sheet: str | None = Field(None, description="Excel files: name of the sheet")
    table: str | None = Field(
        None, description="which table of a file with several: HDU, tree, path in HDF5, dimensions, table of SQLite"
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
    test: Annotated[str | None, BeforeValidator(as_path)] = Field(
        None, description="file with the test rows; by default they are split off"
    )
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
    class_weight: Annotated[tuple[str, ...] | None, BeforeValidator(as_class_weight)] = Field(
        None,
        description="how much classes count in training, apart from the weights of rows: balanced, or CLASS=WEIGHT, "
        "1 where it is not named; in Python a dict, too",
    )
    metrics: Annotated[tuple[str | Callable[..., Any], ...] | None, BeforeValidator(as_metrics)] = Field(
        None,
        description="scores to show beside the usual ones, by scikit-learn's or Keras' names, the first as headline; "
        "in Python also functions (y_true, y_pred[, sample_weight]). Networks are chosen by their loss all the same",
    )

    # which networks
    networks: int | None = Field(
        None,
        ge=1,
        description="how many candidates to train; by default 64, fewer where they take more than "
        "about a minute on two cores; images and series 24, or 16 with folds by default; with minutes as "
        "many as the time has room for, of tables 16,384 networks at most, of images and series 1,024",
    )
    search: SearchName | None = Field(
        None,
        description="how candidates are tried, see docs/howto/searching.md; by default halving where "
        "nothing is named, but for series without folds, files larger than memory and reconstruct, else random",
    )
    base: Annotated[str | None, BeforeValidator(as_path)] = Field(
        None, description="run whose best candidate gives the hyperparameters that are not named, and the first to try"
    )
    from_run: Annotated[str | None, BeforeValidator(as_path)] = Field(
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
    until: Annotated[str | None, AfterValidator(checked_goal)] = Field(
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

    network: Annotated[Any, BeforeValidator(as_network), PlainSerializer(network_text)] = Field(
        None,
        description="the network that all members are, as in '4 8:relu 3:softmax', or a file of Keras, model.keras; "
        "in Python any shoal.Network or keras.Model",
    )
    penalties: Annotated[tuple[Callable[..., Any], ...], BeforeValidator(as_functions)] = Field(
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
    out: Annotated[str | None, BeforeValidator(as_path)] = Field(
        None, description="folder of the run; by default runs/<name>-<number>"
    )
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

    @property
    def strategy(self) -> str:
        """The name of the strategy that proposes candidates."""
        return self.search or "random"

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
