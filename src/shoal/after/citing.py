"""The papers of the methods that a run used, as BibTeX."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import shoal
from shoal.after.opening import as_run
from shoal.results import Task
from shoal.run import Run

# Kind of a method, its name, and the entries of `references.bib`. Layers are named without the number of dimensions.
PAPERS: dict[str, dict[str, tuple[str, ...]]] = {
    "optimizer": {
        "sgd": ("sutskever2013",),
        "rmsprop": ("hinton2012",),
        "adagrad": ("duchi2011",),
        "adam": ("kingma2015",),
        "adamw": ("loshchilov2019",),
        "nadam": ("dozat2016",),
        "lion": ("chen2023",),
    },
    "schedule": {"cosine": ("loshchilov2017",)},
    "activation": {
        "relu": ("nair2010",),
        "leaky_relu": ("maas2013",),
        "elu": ("clevert2016",),
        "selu": ("klambauer2017",),
        "celu": ("barron2017",),
        "silu": ("elfwing2018",),
        "gelu": ("hendrycks2016",),
        "mish": ("misra2020",),
        "sparsemax": ("martins2016",),
        "glu": ("dauphin2017",),
    },
    "initializer": {
        **dict.fromkeys(("glorot_uniform", "glorot_normal"), ("glorot2010",)),
        **dict.fromkeys(("he_uniform", "he_normal"), ("he2015",)),
        **dict.fromkeys(("lecun_uniform", "lecun_normal"), ("lecun1998",)),
        "orthogonal": ("saxe2014",),
    },
    "layer": {
        "Conv": ("lecun1989",),
        "DepthwiseConv": ("sifre2014",),
        "SeparableConv": ("chollet2017",),
        "ConvTranspose": ("zeiler2010",),
        "GlobalAveragePooling": ("lin2014",),
        "Dropout": ("srivastava2014",),
        "SpatialDropout": ("tompson2015",),
        "GaussianNoise": ("bishop1995",),
        "SimpleRNN": ("elman1990",),
        "LSTM": ("hochreiter1997", "gers2000", "jozefowicz2015"),
        "GRU": ("cho2014",),
        "Bidirectional": ("schuster1997",),
        "LeakyReLU": ("maas2013",),
        "PReLU": ("he2015",),
        "ELU": ("clevert2016",),
        "Residual": ("he2016",),
        "Embedding": ("bengio2003",),
        "PiecewiseEncoding": ("gorishniy2022",),
        "BatchNormalization": ("ioffe2015",),
        "LayerNormalization": ("ba2016",),
        "GroupNormalization": ("wu2018",),
    },
    "loss": {
        "huber": ("huber1964",),
        "pinball": ("koenker1978",),
        "gaussian_nll": ("nix1994",),
        "multivariate_gaussian_nll": ("williams1996",),
    },
    "outputs": {
        "gaussian": ("nix1994",),
        "quantiles": ("koenker1978", "chernozhukov2010"),
        "multivariate_gaussian": ("williams1996",),
    },
    "regularization": {"dropout": ("srivastava2014",), "label_smoothing": ("szegedy2016",)},
    "normalization": {"robust": ("holzmueller2024",)},
    "search": {
        "random": ("bergstra2012",),
        "grid": (),
        "one_at_a_time": (),
        "refine": ("bergstra2012",),
        "halving": ("jamieson2016",),
        "hyperband": ("li2018",),
        "evolution": (),
        "surrogate": ("hutter2011",),
        "quasi-random": ("owen2017",),
        "optimism of the best": ("efron2011",),
        "smallest as good as the best": ("breiman1984",),
    },
    "calibration": {
        "temperature": ("guo2017",),
        "isotonic": ("zadrozny2002",),
        "variance": ("laves2020", "levi2022"),
        "calibration error": ("naeini2015",),
        "disagreement of the networks": ("houlsby2011",),
    },
    "conformal": {
        "intervals and sets": ("papadopoulos2002", "lei2018"),
        "sets of classes": ("sadinle2019",),
        "folds": ("barber2021",),
        "groups": ("lee2023",),
        "weights": ("tibshirani2019",),
        "anomalies": ("laxhammar2010",),
        "training region": ("ramaswamy2000", "laxhammar2010"),
    },
    "measured errors": {"replicas": ("nnpdf2015",), "features": ("orear1982",)},
    "interval": {
        "bootstrap": ("efron1993",),
        "block bootstrap": ("politis1992",),
        "cluster bootstrap": ("field2007",),
        "basic bootstrap": ("davison1997",),
        "basic cluster bootstrap": ("davison1997", "field2007"),
        "wilson": ("wilson1927",),
    },
    "baseline": {"gradient_boosting": ("friedman2001",), "random_kernels": ("dempster2021",)},
    "selection": {"asimov": ("cowan2011",), "ams": ("adambourdarios2015",)},
    "explanation": {"importance": ("breiman2001", "fisher2019"), "saliency": ("simonyan2014",)},
    "formula": {"operon": ("burlacu2020",)},
    "ensemble": {"deep ensemble": ("lakshminarayanan2017",)},
    "library": {"scikit-learn": ("pedregosa2011",), "jax": ("jax2018",)},
}


def cite(run: Run | str | Path) -> str:
    """Return the papers of the methods that a run used, and shoal itself, as BibTeX.

    Of the networks count those that are kept, of the rest what the numbers of the run tell: how candidates were
    searched, errors calibrated, intervals made, and what was compared. A comment above each entry names its methods. A
    run whose test rows are sealed lists no baselines, since none is fitted yet.

    Args:
        run: a run or its folder.

    Raises:
        RunError: the folder holds no finished run, or a file of it is damaged.

    Example:
        >>> import shoal, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     tiny = {"networks": 1, "hidden": (4,), "epochs": 2, "batch_size": 32, "page": False}
        ...     text = shoal.cite(shoal.fit("iris", optimizer="lion", out=folder + "/iris", **tiny))
        >>> "Symbolic Discovery of Optimization Algorithms" in text, "Adam" in text
        (True, False)
    """
    run = as_run(run)
    used: dict[str, list[str]] = {}
    for kind, name in methods_of(run):
        for key in PAPERS[kind].get(name, ()):
            methods = used.setdefault(key, [])
            if (method := f"{kind} {name}".replace("_", " ")) not in methods:
                methods.append(method)
    entries = (f"% {', '.join(methods)}\n{references()[key]}" for key, methods in used.items())
    return "\n\n".join([_shoal_itself(), *entries]) + "\n"


@lru_cache(maxsize=1)
def references() -> dict[str, str]:
    """Return the entries of `references.bib` by their keys, a line for each field."""
    lines = (files("shoal.after") / "references.bib").read_text(encoding="utf-8").splitlines()
    entries = {}
    for line in filter(None, lines):
        key = line[line.index("{") + 1 : line.index(",")]
        entries[key] = re.sub(r", (?=[a-z]+ = \{)", ",\n  ", line[:-1]) + "\n}"
    return entries


def _shoal_itself() -> str:
    note = "From a data file to an honestly evaluated predictor with error bars"
    fields = {"author": "{The shoal developers}", "title": "shoal", "version": shoal.__version__, "note": note}
    inside = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
    return f"@software{{shoal,\n{inside}\n}}"


def methods_of(run: Run) -> Iterator[tuple[str, str]]:
    """Give kind and name of each method that a run used, whether or not there is a paper of it."""
    yield from _of_networks(run)
    yield from _of_search(run)
    yield from _of_error_bars(run)
    yield from _of_evaluation(run)


def _of_networks(run: Run) -> Iterator[tuple[str, str]]:
    """Give the methods of the kept networks and of their training."""
    table = run.networks
    for text in table.filter("kept")["candidate"].unique(maintain_order=True):
        choices = json.loads(text)
        if choices["optimizer"] != "sgd" or choices["momentum"]:  # plain descent needs no paper
            yield "optimizer", choices["optimizer"]
        yield "schedule", choices["schedule"]
        if choices["loss"]:
            yield "loss", choices["loss"]
        yield from (("regularization", name) for name in ("dropout", "label_smoothing") if choices[name])
    if run.folder.diverged:
        return
    for member in run.predictor.members:
        for layer in _layers_within(member.network.to_dict()):
            yield from _of_layer(layer)
    yield "outputs", run.predictor.head.name
    yield "normalization", run.predictor.preparation.normalization
    if len(run.predictor.members) > 1 and not run.reconstructs:
        yield "ensemble", "deep ensemble"
    if run.metrics["engine"]["name"] == "xla":
        yield "library", "jax"


def _of_layer(layer: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give the methods of one layer; of one that drops nothing there is none."""
    if layer.get("rate") == 0.0:
        return
    yield "layer", re.sub(r"[123]D", "", layer["class"])
    for setting, value in layer.items():
        kind = "initializer" if setting.endswith("initializer") else "activation"
        if setting.endswith(kind):
            yield from ((kind, name) for name in ([value] if isinstance(value, str) else value or ()))


def _layers_within(value: Any) -> Iterator[Mapping[str, Any]]:
    """Give the plain data of each layer, of those within layers, too."""
    if isinstance(value, Mapping):
        if "class" in value:
            yield value
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for part in value:
            yield from _layers_within(part)


def _of_search(run: Run) -> Iterator[tuple[str, str]]:
    search = run.metrics["search"]
    if search["candidates_looked_at"] > 1:
        yield "search", run.folder.config["settings"].get("search", "random").replace("-", "_")
        if search.get("knobs"):
            yield "search", "quasi-random"
    if search.get("best_of_n_bias"):
        yield "search", "optimism of the best"
    if search.get("front"):
        yield "search", "smallest as good as the best"


def _of_error_bars(run: Run) -> Iterator[tuple[str, str]]:
    """Give how errors were calibrated and intervals of predictions made."""
    metrics, config = run.metrics, run.folder.config
    settings, calibration = config["settings"], metrics.get("calibration", {})
    if run.folder.diverged:
        return
    predictor = run.predictor
    yield "calibration", predictor.calibration.method
    if predictor.scale is not None and bool((predictor.scale != 1.0).any()):
        yield "calibration", "variance"
    if "calibration_error" in calibration:
        yield "calibration", "calibration error"
    if calibration.get("share_of_disagreement") is not None:
        yield "calibration", "disagreement of the networks"
    if predictor.alarm is not None:
        yield "conformal", "anomalies"
    elif predictor.conformal is not None:
        yield "conformal", "intervals and sets"
        given = {
            "sets of classes": metrics["task"] == Task.CLASSIFICATION,
            "folds": metrics["search"]["cv"] and "rolling" not in metrics["search"],
            "groups": settings.get("group"),
            "weights": config["data"].get("weight"),
        }
        yield from (("conformal", name) for name, used in given.items() if used)
    if predictor.region is not None:
        yield "conformal", "training region"
    if predictor.replicas:
        yield "measured errors", "replicas"
    if predictor.input_errors:
        yield "measured errors", "features"


def _of_evaluation(run: Run) -> Iterator[tuple[str, str]]:
    """Give how scores got their intervals, what was compared, and what was done later."""
    metrics = run.metrics
    baselines = metrics.get("baselines", {})
    parts = (*(metrics.get(part, {}) for part in ("test", "validation", "train")), {"": metrics.get("coverage")})
    for scores in (*parts, *baselines.values()):
        yield from (("interval", method) for method in _methods_of(scores.values()))
    yield from (("baseline", name.removesuffix("_on_neighbours")) for name in baselines)
    if any(name not in ("mean", "most_frequent", "persistence", "seasonal_naive", "pca") for name in baselines):
        yield "library", "scikit-learn"
    if "selection" in metrics:
        yield "selection", metrics["selection"]["measure"]
    if metrics.get("importance"):
        yield "explanation", "importance"
    if (run.path / "figures" / "saliency.csv").is_file():
        yield "explanation", "saliency"
    if run.folder.formula.is_dir():
        yield "formula", "operon"


def _methods_of(scores: Iterable[Any]) -> Iterator[str]:
    yield from (score["method"] for score in scores if isinstance(score, dict) and "method" in score)
