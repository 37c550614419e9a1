"""Other names under which users look for the options of `fit`: those of other libraries, and short ones."""

from __future__ import annotations

from collections.abc import Iterable

from shoal.errors import spelled, suggest

_OTHER_NAMES = {
    "metrics": ("metric", "scoring", "scorers", "score"),
    "class_weight": ("class_weights", "balance", "balanced", "is_unbalance", "scale_pos_weight"),
    "learning_rate": ("lr", "eta", "learning_rate_init", "step_size"),
    "batch_size": ("batch", "bs", "minibatch", "batchsize"),
    "hidden": (
        "units", "neurons", "width", "widths", "nodes", "depth", "n_layers", "hidden_layers", "hidden_units",
        "hidden_sizes", "hidden_layer_sizes",
    ),
    "epochs": ("n_epochs", "num_epochs", "epoch", "nb_epoch", "max_epochs", "max_iter", "iterations"),
    "patience": ("early_stopping", "n_iter_no_change", "early_stopping_rounds"),
    "optimizer": ("opt", "optim", "optimiser", "solver"),
    "activation": ("act", "activations", "activation_function", "nonlinearity"),
    "weight_decay": ("wd", "decay"),
    "l2": ("alpha", "reg", "reg_lambda", "regularization", "ridge"),
    "l1": ("lasso", "reg_alpha"),
    "dropout": ("dropout_rate", "drop_rate"),
    "loss": ("loss_fn", "loss_function", "criterion", "objective"),
    "schedule": ("scheduler", "lr_schedule", "lr_scheduler"),
    "warmup_epochs": ("warmup",),
    "beta_1": ("beta1",),
    "beta_2": ("beta2",),
    "epsilon": ("eps",),
    "kernel_initializer": ("init", "initializer", "initialization"),
    "seed": ("random_state", "random_seed", "rng"),
    "test_size": ("test_fraction", "test_split", "test_share"),
    "seal_test": ("seal", "sealed", "keep_test", "hold_out_test"),
    "validation_size": ("validation_split", "validation_fraction", "val_size", "val_split", "valid_size"),
    "cv": ("folds", "n_folds", "kfold", "k_folds", "n_splits", "cross_validation"),
    "repeats": ("n_repeats", "replicates"),
    "networks": ("n_networks", "models", "n_models", "trials", "n_trials", "n_estimators", "candidates", "population"),
    "search": ("strategy", "sampler", "tuner", "search_strategy", "search_method"),
    "base": ("start_from", "initial"),
    "from_run": ("from", "warm_start", "warmstart", "continue_from"),
    "until": ("target_score", "stop_at", "goal"),
    "keep": ("ensemble", "ensemble_size", "top_k"),
    "minutes": ("time_limit", "timeout", "time_budget", "max_time", "budget"),
    "out": ("output", "out_dir", "output_dir", "outdir", "dir", "folder", "save"),
    "force": ("overwrite", "replace"),
    "target": ("y", "label", "labels", "targets", "output_column", "dependent", "response"),
    "features": ("x", "inputs", "columns", "predictors"),
    "ignore": ("drop", "exclude", "ignored", "skip"),
    "weight": ("weights", "sample_weight"),
    "group": ("groups", "group_column"),
    "id": ("index", "index_col", "row_id"),
    "y_err": ("yerr", "sigma", "sigma_y", "y_error", "errors", "y_sigma"),
    "x_err": ("xerr", "sigma_x", "x_error"),
    "y_cov": ("cov", "covariance"),
    "delimiter": ("sep", "separator"),
    "normalization": ("scaling", "scaler", "scale", "normalize", "normalise", "standardize"),
    "reconstruct": ("autoencoder", "unsupervised"),
    "bottleneck": ("latent", "latent_dim", "code_size", "code"),
    "window": ("lookback", "lags", "lag"),
    "horizon": ("steps_ahead", "forecast"),
    "season": ("period", "seasonality"),
    "memory": ("max_memory", "ram"),
    "page": ("report", "html"),
    "track": ("tracker", "tracking", "logger", "report_to", "log_to"),
    "coverage": ("confidence", "confidence_level", "interval"),
    "engine": ("backend", "device"),
}  # fmt: skip
_SETTING_OF = {other: name for name, others in _OTHER_NAMES.items() for other in others}


def nearest_setting(name: str, known: Iterable[str]) -> str | None:
    """Return the setting that is meant by a name from elsewhere, or None where that is not sure.

    Args:
        name: as typed, with underscores or hyphens, in any case.
        known: the settings to choose from.

    Example:
        >>> nearest_setting("lr", ["l1", "learning_rate"]), nearest_setting("Batch-Size", ["batch_size"])
        ('learning_rate', 'batch_size')
    """
    known = list(known)
    same = spelled(name, known)
    meant = same if same in known else _SETTING_OF.get(spelled(name, _SETTING_OF))
    return meant if meant in known else None


def suggest_setting(name: str, known: Iterable[str]) -> str:
    """Return `" Did you mean 'x'?"` for the setting that is meant, or else the one that is spelled most alike.

    Example:
        >>> suggest_setting("lr", ["l1", "learning_rate"])
        " Did you mean 'learning_rate'?"
    """
    known = list(known)
    meant = nearest_setting(name, known)
    return suggest(name, known) if meant is None else f" Did you mean {meant!r}?"
