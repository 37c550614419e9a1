"""What is kept of a run: its folder, the model file, the numbers, the log and the checkpoint.

A run folder holds `config.toml` (enough to repeat the run), `log.sqlite` (every network and its learning
curves), `model/` (JSON and safetensors), `checkpoint/`, `metrics.json`, `figures/` and `report.html`.
Each file carries a format number, and each is written beside its place and renamed into it.
"""

from __future__ import annotations

from shoal.runs.checkpoint import has_checkpoint as has_checkpoint
from shoal.runs.checkpoint import load_checkpoint as load_checkpoint
from shoal.runs.checkpoint import remove_checkpoint as remove_checkpoint
from shoal.runs.checkpoint import save_checkpoint as save_checkpoint
from shoal.runs.folder import RunFolder as RunFolder
from shoal.runs.listing import RunSummary as RunSummary
from shoal.runs.listing import list_runs as list_runs
from shoal.runs.listing import survey as survey
from shoal.runs.log import Log as Log
from shoal.runs.log import read_candidates as read_candidates
from shoal.runs.log import read_curves as read_curves
from shoal.runs.log import read_networks as read_networks
from shoal.runs.log import read_replicas as read_replicas
from shoal.runs.log import write_log as write_log
from shoal.runs.metrics_file import metrics_dict as metrics_dict
from shoal.runs.model_file import load_model as load_model
from shoal.runs.model_file import save_model as save_model
from shoal.runs.writing import write_atomically as write_atomically

__all__ = [
    "Log",
    "RunFolder",
    "RunSummary",
    "has_checkpoint",
    "list_runs",
    "load_checkpoint",
    "load_model",
    "metrics_dict",
    "read_candidates",
    "read_curves",
    "read_networks",
    "read_replicas",
    "remove_checkpoint",
    "save_checkpoint",
    "save_model",
    "survey",
    "write_atomically",
    "write_log",
]
