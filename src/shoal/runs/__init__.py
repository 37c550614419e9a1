"""What is kept of a run: its folder, the model file, the numbers, the log and the checkpoint.

A run folder holds `config.toml` (enough to repeat the run), `log.sqlite` (every network and its learning
curves), `model/` (JSON and safetensors), `checkpoint/`, `metrics.json`, `figures/` and `report.html`.
Each file carries a format number, and each is written beside its place and renamed into it.
"""
