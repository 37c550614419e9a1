"""A finished run as its user holds it: predict, evaluate, look at the numbers, open the page."""

from __future__ import annotations

import html
import warnings
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from shoal.data import ReadOptions
from shoal.data.conversion import to_numbers
from shoal.data.labels import Label as ClassLabel
from shoal.data.new_rows import cut_as_fitted, predicted_rows, read_new, true_values
from shoal.data.raw import Raw
from shoal.errors import DataError, SettingError, ShoalWarning
from shoal.evaluation.looks import Looks
from shoal.evaluation.reuse import holds_test_rows
from shoal.evaluation.scoring import Rows, best_guess, score_guess
from shoal.prediction.absent_columns import absent_columns
from shoal.prediction.autoencoder import best_alone, scaled_inputs
from shoal.prediction.predictor import Prediction, Predictor
from shoal.results import Interval
from shoal.runs.folder import RunFolder
from shoal.runs.log import read_candidates, read_curves, read_networks, read_replicas
from shoal.runs.looks import count_look, looks_at
from shoal.runs.page_file import times

if TYPE_CHECKING:
    from shoal.prediction.autoencoder import AnomalyScores
    from shoal.report.figures.feature_maps import FeatureMaps
    from shoal.report.figures.filters import Filters
    from shoal.report.figures.hidden_states import HiddenStates
    from shoal.report.figures.saliency import Saliency
    from shoal.report.inside import RowChoice


class Run:
    """A run in its folder.

    Args:
        folder: the run folder.

    Example:
        >>> import shoal, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     run = shoal.fit("iris", networks=2, hidden=(4,), epochs=2, batch_size=32, out=folder + "/iris")
        ...     shoal.load(run.path).predict("iris").probabilities.shape
        (150, 3)
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder

    @property
    def path(self) -> Path:
        """The run folder."""
        return self.folder.path

    @property
    def name(self) -> str:
        """The name of the run, e.g. `iris-1`."""
        return self.folder.name

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """The content of `metrics.json`."""
        return self.folder.metrics()

    @property
    def score_units(self) -> dict[str, str]:
        """The unit of each score that has one, where those of the targets are known: `{"rmse": "GeV"}`."""
        return dict(self.metrics.get("units", {}).get("scores", {}))

    @cached_property
    def predictor(self) -> Predictor:
        """The ensemble with its preparation."""
        return self.folder.predictor()

    @property
    def reconstructs(self) -> bool:
        """Whether the run was fitted with reconstruct."""
        return self.predictor.alarm is not None

    @property
    def candidates(self) -> pl.DataFrame:
        """One row for each candidate: its hyperparameters and its mean score with the standard error."""
        return read_candidates(self.folder.log)

    @property
    def networks(self) -> pl.DataFrame:
        """One row for each network that was trained, with the fold and the repeat of its candidate."""
        return read_networks(self.folder.log)

    @property
    def replicas(self) -> pl.DataFrame:
        """One row for each replica: the network that it repeats, the draw of the target errors, how it stands."""
        return read_replicas(self.folder.log)

    @property
    def curves(self) -> pl.DataFrame:
        """The learning curves: network, epoch, train_loss, validation_loss, metric."""
        return read_curves(self.folder.log)

    def predict(self, data: Any, options: ReadOptions | None = None) -> Prediction:
        """Return what the ensemble says of new rows.

        Args:
            data: a built-in name, file, data frame, dict of columns or array; columns in any order. Beside the
                features, the columns of errors of features and targets and that of the group are looked at; a
                ShoalWarning says where error bars miss one. An array has the features in their order. Images may lie
                in a folder, whose table has the column `file`; they are brought to the size of those in training. A
                run on windows predicts from every window of a table of steps, also the last, whose target is not
                known.
            options: how columns are read, beyond what the fit knows.

        Raises:
            DataError: a column is missing, holds values of another type than in training, or is in another unit.
            SettingError: the run reconstructs and predicts nothing.
        """
        return self.predict_table(data, options)[1]

    def encode(self, data: Any, options: ReadOptions | None = None) -> np.ndarray:
        """Return the codes of rows in the best network of a run that reconstructs, `(rows, bottleneck)` float32.

        Args:
            data: as for `predict`; no target or label is needed.
            options: how to read text files.

        Raises:
            SettingError: the run predicts and has no codes.
            DataError: a column is missing, or holds values of another type than in training.
        """
        return self._judged(data, options)[1]

    def reconstruct(self, data: Any, options: ReadOptions | None = None) -> pl.DataFrame | np.ndarray:
        """Return what the best network makes of rows, from their codes.

        Args:
            data: as for `predict`.
            options: how to read text files.

        Returns:
            Of a table its feature columns, in their own units; dates as days since 1970, categories as the likeliest.
            Of images or series `(rows, *shape)` float64 in their own units.

        Raises:
            SettingError: the run predicts and reconstructs nothing.
            DataError: a column is missing, or holds values of another type than in training.
        """
        from shoal.prediction.autoencoder import check_reconstructs, reconstruct

        check_reconstructs(self.predictor)
        preparation = self.predictor.preparation
        mean = reconstruct(self.predictor, preparation.transform(self.read(data, options).inputs))
        return preparation.inverse(mean) if preparation.signals is None else preparation.signals.unscaled(mean)

    def anomaly_scores(self, data: Any, options: ReadOptions | None = None) -> AnomalyScores:
        """Return how strange rows are: the mean squared error of their reconstruction, and whether it is too large.

        Args:
            data: as for `predict`.
            options: how to read text files.

        Returns:
            `score` `(rows,)`, `threshold` and `is_anomaly` `(rows,)`; `false_alarm_rate` is the share of usual rows
            expected above the threshold at most.

        Raises:
            SettingError: the run predicts and knows no anomalies.
            DataError: a column is missing, or holds values of another type than in training.
        """
        return self._judged(data, options)[2]

    def encode_table(self, data: Any, options: ReadOptions | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the rows as read beside `code_1`, `code_2`, …, `anomaly_score` and `anomaly`."""
        table, codes, anomalies = self._judged(data, options)
        columns = {f"code_{i}": codes[:, i - 1] for i in range(1, codes.shape[1] + 1)}
        return table, pl.DataFrame({**columns, "anomaly_score": anomalies.score, "anomaly": anomalies.is_anomaly})

    def reconstruct_table(self, data: Any, options: ReadOptions | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the rows of a table as read beside `<column>_reconstructed`, `anomaly_score` and `anomaly`.

        Raises:
            SettingError: rows are images or series, whose reconstruction fills no columns.
        """
        signals = self.predictor.preparation.signals
        if signals is not None:
            raise SettingError(
                f"the reconstruction of {signals.kind} fills no table; write codes and anomaly scores with "
                f"shoal encode, or use Run.reconstruct in Python"
            )
        reconstructed = self.reconstruct(data, options)
        assert isinstance(reconstructed, pl.DataFrame)
        table, _, anomalies = self._judged(data, options)
        scores = [pl.Series("anomaly_score", anomalies.score), pl.Series("anomaly", anomalies.is_anomaly)]
        return table, reconstructed.rename(lambda name: f"{name}_reconstructed").hstack(scores)

    def _judged(self, data: Any, options: ReadOptions | None) -> tuple[pl.DataFrame, np.ndarray, AnomalyScores]:
        """Return the rows as read, their codes and how strange they are."""
        from shoal.prediction.autoencoder import check_reconstructs, codes, judge

        check_reconstructs(self.predictor)
        raw = self.read(data, options)
        x = self.predictor.preparation.transform(raw.inputs)
        return raw.table, codes(self.predictor, x), judge(self.predictor, x)

    def predict_table(self, data: Any, options: ReadOptions | None = None) -> tuple[pl.DataFrame, Prediction]:
        """Return the rows as read beside what the ensemble says of them.

        Where each step of a series is predicted, a row for each step in the order of series and time.
        """
        if self.reconstructs:
            raise SettingError("this run reconstructs and predicts nothing; use reconstruct, encode or anomaly_scores")
        preparation = self.predictor.preparation
        uncut = read_new(data, preparation, options)
        cut = cut_as_fitted(uncut, preparation)
        for text in absent_columns(self.predictor, cut.inputs):
            warnings.warn(f"{uncut.source}: {text}", ShoalWarning, stacklevel=3)
        prediction = self.predictor.predict(cut.inputs)
        lengths = prediction.lengths if preparation.per_step else None
        return predicted_rows(uncut, cut, preparation, lengths), prediction

    def unknown_categories(self, table: pl.DataFrame) -> dict[str, int]:
        """Return for each column the number of rows with a category that training did not see."""
        return self.predictor.preparation.unknown_categories(table)

    def evaluate(self, data: Any, options: ReadOptions | None = None) -> dict[str, Interval]:
        """Return every metric on labelled rows (of a reconstruction on any), each with its 95 % interval.

        Rows count with their weights, if the run was fitted with weights and the data have their column. If the run's
        own test rows are among them, the use is counted.

        Raises:
            DataError: a feature or target column is missing, or a weight is no number.
        """
        predictor = best_alone(self.predictor) if self.reconstructs else self.predictor
        rows = self.labelled(data, options)
        guess = best_guess(predictor.predict_features(rows.x))
        if self.folder.has_scored and holds_test_rows(
            self.folder.scored("test"), predictor.preparation.task, rows.y, guess
        ):
            opened = times(self.count_opening("evaluate"))
            text = f"the data hold the test rows of {self.name}, which were opened {opened} now"
            if len(rows.y) > self.metrics["rows"]["test"]:
                text += "; scores of the other rows flatter, since the run learned from them"
            warnings.warn(text, ShoalWarning, stacklevel=2)
        return score_guess(predictor, rows, guess, int(self.metrics["seed"]))

    @property
    def looks(self) -> Looks:
        """How often the test rows were looked at by all runs in the folder that holds this one."""
        return looks_at([self.folder])

    def count_opening(self, by: str, *beside: Run) -> int:
        """Count one more look at the test rows, in `metrics.json` and on the page; return how many there are now.

        Args:
            by: the command that looked.
            beside: other runs that were looked at together with this one.
        """
        runs = self, *beside
        openings = count_look(by, [run.folder for run in runs])
        for run in runs:
            run.__dict__.pop("metrics", None)
        return openings[0]

    def labelled(self, data: Any, options: ReadOptions | None = None) -> Rows:
        """Return labelled rows as `evaluate` scores them: prepared features, truth, weights.

        Raises:
            DataError: a feature or target column is missing, or a weight is no number.
        """
        preparation = self.predictor.preparation
        raw = self.read(data, options, known=True)
        x = preparation.transform(raw.inputs)
        y = scaled_inputs(preparation, x) if self.reconstructs else true_values(raw, preparation, x.shape[1])
        return Rows(x, y, self._weights(raw.table), self.groups(raw.table))

    def groups(self, table: pl.DataFrame) -> np.ndarray | None:
        """Return the number of the group of each row, by the column that grouped the rows of the fit, or None."""
        column = self.folder.config["settings"].get("group")
        if column not in table.columns:
            return None
        return (table.get_column(column).cast(pl.String).fill_null("").rank("dense") - 1).to_numpy().astype(np.int64)

    def _weights(self, table: pl.DataFrame) -> Any:
        """Return the weights of rows by the column that weighed the rows of the fit, or None."""
        name = self.folder.config["data"].get("weight")
        if name is None:
            return None
        if name not in table.columns:
            text = f"no column {name!r}, by which the rows of the fit were weighted: all rows count alike"
            warnings.warn(text, ShoalWarning, stacklevel=4)
            return None
        weights = to_numbers(table.get_column(name))
        bad = ~weights.is_finite().fill_null(False)
        if bad.any():
            raise DataError(f"weights: column {name!r} holds no finite number in row {int(bad.arg_max() or 0) + 1}")
        return weights.to_numpy()

    def filters(self) -> Filters:
        """Return the filters of the first convolution of the best network.

        Returns:
            Their `values` `(filters, height, width, channels)`, or `(filters, steps, channels)` for series;
            `.draw(path=None)` returns a figure of them.

        Raises:
            NetworkError: the network has no convolution.
        """
        from shoal.report.inside import filters_of

        return filters_of(self.predictor)

    def feature_maps(self, data: Any, rows: RowChoice = None) -> FeatureMaps:
        """Return what each convolution and pooling of the best network makes of images or series.

        Args:
            data: images or series, as for `predict`.
            rows: which to look at: a place, several, or a slice; default the first eight.

        Returns:
            `layers`, which holds `(rows, height, width, channels)` or `(rows, steps, channels)` for the name of each
            layer; `.draw(path=None)` returns a figure of the first row.

        Raises:
            NetworkError: the network has neither.
            DataError: the data are no images or series like those of the fit, or there is no such row.
        """
        from shoal.report.inside import feature_maps_of

        return feature_maps_of(self.predictor, self.read(data).inputs, rows)

    def saliency(self, data: Any, rows: RowChoice = None, of: ClassLabel | None = None) -> Saliency:
        """Return how strongly the ensemble's answer hangs on each pixel or step (Simonyan et al. 2014).

        Args:
            data: images or series, as for `predict`.
            rows: which to look at: a place, several, or a slice; default the first eight.
            of: the class or target asked about; default the predicted class, or the first target.

        Returns:
            `values` `(rows, *shape)`, the mean over the networks of `|d score / d input|`, the score being the output
            before its last activation; `maps`, the largest of its channels; `.draw(path=None)` returns a figure.

        Raises:
            DataError: the data are no images or series like those of the fit, or there is no such row.
            NetworkError: the run answers at each step of a series.
            SettingError: there is no such class or target.
        """
        from shoal.report.inside import saliency_of

        return saliency_of(self.predictor, self.read(data).inputs, rows, of)

    def hidden_states(self, data: Any, rows: RowChoice = None) -> HiddenStates:
        """Return the hidden states of the best network after each step of series.

        Args:
            data: series, as for `predict`.
            rows: which to look at: a place, several, or a slice; default the first eight.

        Returns:
            `layers`, which holds `(rows, time, units)` for the name of each recurrent layer; `.draw(path=None)`
            returns a figure of the first row.

        Raises:
            NetworkError: the network has no recurrent layer.
            DataError: the data are no series like those of the fit, or there is no such row.
        """
        from shoal.report.inside import hidden_states_of

        return hidden_states_of(self.predictor, self.read(data).inputs, rows)

    def report(self) -> Path:
        """Return the path of the page, `report.html`."""
        return self.folder.report

    def figures(self, format: str | Sequence[str] = "pdf", **options: Any) -> list[Path]:
        """Draw the figures again, e.g. for a paper, from the numbers that the run keeps; the data are not needed.

        Args:
            format: one or several of pdf, svg, png and pgf.
            options: `width` (`single`, `double` or mm), `only` (names), `out` (a folder), `title`, `font` (`sans` or
                `serif`) and `force`; see `shoal.report.redraw`.

        Returns:
            The paths of the figures; beside each lie its numbers as CSV.

        Raises:
            SettingError: an option makes no sense.
            RunError: the run is not finished or keeps no numbers of its figures, or a file cannot be written.
        """
        from shoal.report.redraw import redraw

        return redraw(self.path, formats=(format,) if isinstance(format, str) else format, **options)

    def summary(self) -> str:
        """Return the verdict in plain sentences."""
        return str(self.metrics["verdict"]["text"])

    def read(self, data: Any, options: ReadOptions | None = None, *, known: bool = False) -> Raw:
        """Return data as read for `predict`: the table, and images or series; with `known` rows with a known target."""
        preparation = self.predictor.preparation
        return cut_as_fitted(read_new(data, preparation, options), preparation, known=known)

    def __repr__(self) -> str:
        if not self.folder.finished:
            return f"Run({str(self.path)!r}, not finished)"
        scores = [(name, score) for name, score in self.metrics["test"].items() if score["value"] is not None]
        what = ", ".join([*self.metrics["target"], self.metrics["data"]["task"]])
        best = "".join(f", {name} {score['value']:.3g} on test rows" for name, score in scores[:1])
        return f"Run({str(self.path)!r}: {what}{best})"

    def _repr_html_(self) -> str:
        """Return the run as a notebook shows it: the verdict and the test scores."""
        cells = "".join(
            f"<tr><td>{html.escape(name)}</td><td>{score['value']:.4g}</td><td>{_ends(score)}</td></tr>"
            for name, score in self.metrics["test"].items()
            if score["value"] is not None
        )
        head = "<tr><th>on the test rows</th><th>value</th><th>95 % interval</th></tr>"
        page = html.escape(self.report().as_posix())
        return (
            f"<p><b>{html.escape(self.name)}</b> {html.escape(self.summary())}</p>"
            f"<table>{head}{cells}</table><p>Page: <code>{page}</code></p>"
        )


def _ends(score: dict[str, Any]) -> str:
    """Return the ends of an interval as a notebook shows them; a dash where rows were too few for one."""
    low, high = score["low"], score["high"]
    return "–" if low is None or high is None else f"{low:.4g} … {high:.4g}"


def load(path: str | Path) -> Run:
    """Return a finished run from its folder; nothing in the folder is ever executed.

    Raises:
        RunError: the folder is missing, damaged (the file is named) or of a newer format, or the run is not finished.
    """
    folder = RunFolder.open(path)
    folder.check_finished()
    return Run(folder)
