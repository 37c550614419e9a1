"""A finished run as its user holds it: predict, evaluate, look at the numbers, open the page."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
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
from shoal.errors import DataError, SettingError, ShoalWarning, listing
from shoal.notebook.html import figure_html, paragraph, table
from shoal.prediction.absent_columns import absent_columns
from shoal.prediction.prediction import NumberPrediction
from shoal.prediction.predictor import Prediction, Predictor
from shoal.results import Interval, Task, readable
from shoal.runs.folder import RunFolder
from shoal.runs.page_file import times

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from shoal.data.preparation import Preparation
    from shoal.evaluation.looks import Looks
    from shoal.evaluation.scoring import Rows
    from shoal.networks import Network
    from shoal.prediction.autoencoder import AnomalyScores
    from shoal.prediction.distribution import Distribution
    from shoal.prediction.ensemble import EnsembleMember
    from shoal.report.across import RowsOver
    from shoal.report.figures.decision_boundary import DecisionBoundary
    from shoal.report.figures.feature_maps import FeatureMaps
    from shoal.report.figures.filters import Filters
    from shoal.report.figures.hidden_states import HiddenStates
    from shoal.report.figures.regression_curve import RegressionCurve
    from shoal.report.figures.saliency import Saliency
    from shoal.report.inside import RowChoice
    from shoal.statistics.metrics import Metric


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
        """The unit of each score by its name, such as GeV of `rmse`, where those of the targets are known."""
        return dict(self.metrics.get("units", {}).get("scores", {}))

    @cached_property
    def predictor(self) -> Predictor:
        """The ensemble with its preparation."""
        return self.folder.predictor()

    @property
    def preparation(self) -> Preparation:
        """How tables become what networks predict from."""
        return self.predictor.preparation

    @property
    def network(self) -> Network:
        """The architecture of the best member; see `member` for those of others."""
        return self.member().network

    @property
    def weights(self) -> dict[str, dict[str, np.ndarray]]:
        """The weights of the best member as Keras names them, `weights["dense"]["kernel"]`; biases, gammas, … too."""
        return self.member().weights

    def member(self, number: int | None = None) -> EnsembleMember:
        """Return one of the networks that were kept, with its `network` and its `weights`.

        Args:
            number: as in the column `id` of `networks`; default the best.

        Raises:
            SettingError: no network of that number was kept.
        """
        members = self.predictor.members
        if number is None:
            return members[0]
        for member in members:
            if member.id == number:
                return member
        kept = listing([str(member.id) for member in members], 20)
        raise SettingError(f"{self.name} kept no network number {number}; it kept {kept}")

    def draw_network(
        self, number: int | None = None, path: str | Path | None = None, show_weights: str = "colours"
    ) -> Figure:
        """Return a figure of a network that was kept, with its weights and the names of inputs and outputs.

        Args:
            number: as in the column `id` of `networks`; default the best.
            path: where to write the figure as well (.png, .svg, .pdf); default nowhere.
            show_weights: `values` writes the number of each weight and bias of small layers; see `Network.draw`.

        Raises:
            SettingError: no network of that number was kept, or the path has another ending.
            NetworkError: a layer is too large for texts.
        """
        from shoal.prediction.drawing import draw_member

        return draw_member(self.predictor, self.member(number), path, show_weights)

    @property
    def reconstructs(self) -> bool:
        """Whether the run was fitted with reconstruct."""
        return self.predictor.alarm is not None

    @property
    def candidates(self) -> pl.DataFrame:
        """One row for each candidate: its score with errors and a column for each hyperparameter.

        See `shoal.runs.candidate_table` for the columns; `shoal candidates` prints them.
        """
        from shoal.runs.candidate_table import candidate_table

        return candidate_table(self.folder.log, rolling="rolling" in self.metrics["search"])

    @property
    def networks(self) -> pl.DataFrame:
        """One row for each network that was trained, with the fold and the repeat of its candidate."""
        from shoal.runs.log import read_networks

        return read_networks(self.folder.log)

    @property
    def replicas(self) -> pl.DataFrame:
        """One row for each replica: the network that it repeats, the draw of the target errors, how it stands."""
        from shoal.runs.log import read_replicas

        return read_replicas(self.folder.log)

    @property
    def curves(self) -> pl.DataFrame:
        """The learning curves: network, epoch, train_loss, validation_loss, metric."""
        from shoal.runs.log import read_curves

        return read_curves(self.folder.log)

    def predict(self, data: Any, options: ReadOptions | None = None) -> Prediction:
        """Return what the ensemble says of new rows.

        Args:
            data: a built-in name, file, data frame, dict of columns or array; columns in any order. A dict may
                hold one row, a value for each column, and a list several such rows. Beside the
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

    def distribution(self, data: Any, options: ReadOptions | None = None) -> Distribution:
        """Return the distributions that the ensemble predicts for new measurements of rows.

        Args:
            data: as for `predict`.
            options: how columns are read, beyond what the fit knows.

        Returns:
            `.density(grid)`, `.cdf(values)` and `.crps(values)`; see `shoal.prediction.distribution`.

        Raises:
            DataError: as `predict`.
            SettingError: the run predicts classes, counts, steps of series or inputs, of which there is no density.
        """
        from shoal.prediction.distribution import check_density, distribution_of

        check_density(self.predictor)
        inputs = self.read(data, options).inputs
        prediction = self.predictor.predict(inputs)
        assert isinstance(prediction, NumberPrediction)
        return distribution_of(self.predictor, self.predictor.preparation.transform(inputs), prediction)

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
        raw = read_new(data, self.preparation, options)
        table, prediction, notes = self.predict_read(raw)
        for text in notes:
            warnings.warn(f"{raw.source}: {text}", ShoalWarning, stacklevel=3)
        return table, prediction

    def predict_read(self, uncut: Raw) -> tuple[pl.DataFrame, Prediction, tuple[str, ...]]:
        """Return the same of data as `read_new` returns them, and in sentences what error bars miss in them."""
        preparation = self.predictor.preparation
        cut = cut_as_fitted(uncut, preparation)
        notes = tuple(absent_columns(self.predictor, cut.inputs))
        prediction = self.predictor.predict(cut.inputs)
        lengths = prediction.lengths if preparation.per_step else None
        return predicted_rows(uncut, cut, preparation, lengths), prediction, notes

    def unknown_categories(self, table: pl.DataFrame) -> dict[str, int]:
        """Return for each column the number of rows with a category that training did not see."""
        return self.predictor.preparation.unknown_categories(table)

    def evaluate(self, data: Any, options: ReadOptions | None = None) -> dict[str, Interval]:
        """Return every metric on labelled rows (of a reconstruction on any), each with its 95 % interval.

        Rows count with their weights, if the run was fitted with weights and the data have their column. If the run's
        own test rows are among them, the use is counted.

        Raises:
            DataError: a feature or target column is missing, or a weight is no number.
            RunError: the test rows of the run are sealed, and may be among these; see `shoal.open_test`.
        """
        rows, guess, scores = self._evaluated(data, options)
        if self._holds_test_rows(rows, guess):
            warnings.warn(self._opened_again("evaluate") + self._flatters(rows), ShoalWarning, stacklevel=2)
        return scores

    def _evaluated(self, data: Any, options: ReadOptions | None) -> tuple[Rows, np.ndarray, dict[str, Interval]]:
        """Return labelled rows, what is predicted for them, and every metric."""
        from shoal.evaluation.scoring import best_guess, score_guess
        from shoal.prediction.autoencoder import best_alone

        predictor = best_alone(self.predictor) if self.reconstructs else self.predictor
        rows = self.labelled(data, options)
        guess = best_guess(predictor.predict_features(rows.x))
        return rows, guess, score_guess(predictor, rows, guess, int(self.metrics["seed"]), self.wanted_metrics())

    def wanted_metrics(self) -> tuple[Metric, ...]:
        """Return the metrics that were wanted for the fit, without functions, which no file holds."""
        from shoal.evaluation.signal import signal_class
        from shoal.settings import without_functions
        from shoal.statistics.metric_choice import chosen_metrics

        kept = without_functions(self.folder.config["settings"])
        classes = self.predictor.preparation.classes
        positive = signal_class(classes, kept.get("signal")) if len(classes) == 2 else 1
        return chosen_metrics(kept.get("metrics"), self.predictor.preparation.task, classes, positive)

    def _holds_test_rows(self, rows: Rows, guess: np.ndarray) -> bool:
        """Return whether the run's own test rows are among some rows."""
        from shoal.evaluation.reuse import holds_test_rows

        task = self.predictor.preparation.task
        return self.folder.has_scored and holds_test_rows(self.folder.scored("test"), task, rows.y, guess)

    def _opened_again(self, by: str) -> str:
        """Count one more look at the test rows, and say so."""
        opened = times(self.count_opening(by))
        return f"the data hold the test rows of {self.name}, which were opened {opened} now"

    def _flatters(self, rows: Rows) -> str:
        more = len(rows.y) > self.metrics["rows"]["test"]
        return "; scores of the other rows flatter, since the run learned from them" if more else ""

    @property
    def looks(self) -> Looks:
        """How often the test rows were looked at by all runs in the folder that holds this one."""
        from shoal.runs.looks import looks_at

        return looks_at([self.folder])

    def count_opening(self, by: str, *beside: Run) -> int:
        """Count one more look at the test rows, in `metrics.json` and on the page; return how many there are now.

        Args:
            by: the command that looked.
            beside: other runs that were looked at together with this one.
        """
        from shoal.runs.looks import count_look

        runs = self, *beside
        openings = count_look(by, [run.folder for run in runs])
        for run in runs:
            run.__dict__.pop("metrics", None)
        return openings[0]

    def labelled(self, data: Any, options: ReadOptions | None = None) -> Rows:
        """Return labelled rows as `evaluate` scores them: prepared features, truth, weights.

        Raises:
            DataError: a feature or target column is missing, or a weight is no number.
            RunError: the test rows of the run are sealed, and may be among these.
        """
        from shoal.evaluation.scoring import Rows
        from shoal.prediction.autoencoder import scaled_inputs

        self.folder.check_test_opened()
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

    def decision_boundary(
        self,
        x1: str,
        x2: str,
        data: Any = None,
        *,
        at: Mapping[str, Any] | None = None,
        options: ReadOptions | None = None,
    ) -> DecisionBoundary:
        """Return which class the ensemble predicts over two columns, and where its networks disagree.

        Args:
            x1: the column along the horizontal axis, of numbers or dates.
            x2: that along the vertical axis.
            data: rows that are drawn over it, as for `predict`, by their class where they have one; if the run's own
                test rows are among them, the use is counted. Default: training rows, without their classes.
            at: values of other columns, `{"petal width (cm)": 1.3}`; default the medians of the training rows, and the
                most frequent categories.
            options: how to read text files.

        Returns:
            `grids`, `probabilities` `(x, y, classes)`, `disagreement` `(x, y)` in nats and `outside` `(x, y)`;
            `.draw(path=None)` returns a figure.

        Raises:
            SettingError: the run does not predict classes from a table, there is no such column, it holds categories,
                or a value that it cannot have.
            DataError: rows that cannot be used as they are.
        """
        from shoal.report.across import check_table, decision_boundary_of

        check_table(self.predictor, "decision_boundary", Task.CLASSIFICATION)
        return decision_boundary_of(self.predictor, (x1, x2), at, self._rows_over(data, options, "decision_boundary"))

    def regression_curve(
        self, x: str, data: Any = None, *, at: Mapping[str, Any] | None = None, options: ReadOptions | None = None
    ) -> RegressionCurve:
        """Return what the ensemble predicts along a column, with the disagreement of its networks and its intervals.

        Args:
            x: the column, of numbers or dates.
            data: rows that are drawn over it, as for `predict`, with their targets where they have them; if the run's
                own test rows are among them, the use is counted. Default: training rows, without their targets.
            at: values of other columns; default the medians of the training rows, and the most frequent categories.
            options: how to read text files.

        Returns:
            `grid`, and `mean`, `spread`, `low` and `high` `(grid, targets)` as of `predict`; `.draw(path=None)` returns
            a figure. Intervals are made to hold their share of all rows like those of the fit, not on one curve.

        Raises:
            SettingError: the run does not predict numbers from a table, there is no such column, it holds categories,
                or a value that it cannot have.
            DataError: rows that cannot be used as they are.
        """
        from shoal.report.across import check_table, regression_curve_of

        check_table(self.predictor, "regression_curve", Task.REGRESSION)
        return regression_curve_of(self.predictor, x, at, self._rows_over(data, options, "regression_curve"))

    def _rows_over(self, data: Any, options: ReadOptions | None, by: str) -> RowsOver | None:
        """Return rows to be drawn over a cross section with the truth that they have, None where none are given."""
        from shoal.evaluation.scoring import best_guess
        from shoal.report.across import RowsOver

        if data is None:
            return None
        preparation = self.predictor.preparation
        raw = self.read(data, options)
        raw = raw._replace(table=preparation.reading.read_table(raw.table))
        truth = None
        if set(preparation.targets) <= set(raw.table.columns):
            rows = self.labelled(raw)
            if self._holds_test_rows(rows, best_guess(self.predictor.predict_features(rows.x))):
                warnings.warn(self._opened_again(by), ShoalWarning, stacklevel=3)
            truth = rows.y
        return RowsOver("rows given" if raw.source == "python" else f"rows of {raw.name}", raw.table, truth)

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

    def read_new(self, data: Any, options: ReadOptions | None = None) -> Raw:
        """Return new data as read, in the units of the fit; series are not cut yet."""
        return read_new(data, self.preparation, options)

    def read(self, data: Any, options: ReadOptions | None = None, *, known: bool = False) -> Raw:
        """Return data as read for `predict`: the table, and images or series; with `known` rows with a known target."""
        preparation = self.predictor.preparation
        raw = read_new(data, preparation, options)
        if known:
            raw.check_passed()
        return cut_as_fitted(raw, preparation, known=known)

    def __repr__(self) -> str:
        if not self.folder.finished:
            return f"Run({str(self.path)!r}, not finished)"
        scores = [(name, score) for name, score in self.metrics["test"].items() if score["value"] is not None]
        what = ", ".join([*self.metrics["target"], self.metrics["data"]["task"]])
        best = "".join(f", {name} {score['value']:.3g} on test rows" for name, score in scores[:1])
        best = ", test rows sealed" if self.folder.test_sealed else best
        return f"Run({str(self.path)!r}: {what}{best})"

    def _repr_html_(self) -> str:
        """Return the run as a notebook shows it: the verdict, the scores and the best network."""
        if not self.folder.finished:
            return paragraph(repr(self))
        part = "test" if self.metrics["test"] else "validation"
        scores = {name: Interval.of(score) for name, score in self.metrics[part].items()}
        rows = [(n, f"{score.value:.4g}", _ends(score)) for n, score in scores.items() if not math.isnan(score.value)]
        shown = paragraph(self.summary(), bold=self.name)
        shown += table((f"on the {part} rows", "value", "95 % interval"), rows)
        if not self.folder.targets:  # else each target has networks of its own
            shown += figure_html(self.draw_network())
        page = self.report()
        return shown + (paragraph(f"Page: {page.as_posix()}") if page.is_file() else "")


def _ends(score: Interval) -> str:
    """Return the ends of an interval as a notebook shows them; a dash where rows were too few for one."""
    ends = score.low, score.high
    return "–" if any(math.isnan(end) for end in ends) else " … ".join(readable(end, 4) for end in ends)
