"""The records that the kernel reads and writes, field by field as in `kernel/interface.hpp`."""

from __future__ import annotations

import numpy as np

POINTER, FLOAT, INT = np.uintp, np.float32, np.int32
MOST_LEVELS = 8  # of quantiles
HEADS = ("linear", "sigmoid", "softmax")
"""The last activations that a loss need not absorb, as the kernel counts them."""


def _record(*fields: tuple[type, str] | tuple[type, str, int]) -> np.dtype:
    """Return a record laid out as a C compiler does, from fields of one type, their names in one string, and a size."""
    parts = [(name, kind, *size) for kind, names, *size in fields for name in names.split()]
    return np.dtype(parts, align=True)


ROWS = _record(
    (POINTER, "x y weights y_err validation_x validation_y validation_weights"),
    (POINTER, "folds validation_folds validation_half orders"),
    (INT, "rows validation_rows inputs outputs weight_columns columns order_count steps batch"),
    (INT, "loss root head metric"),
    (FLOAT, "threshold"),
    (POINTER, "validation_y_err"),
    (INT, "validation_from y_columns targets constants level_count"),
    (FLOAT, "levels", MOST_LEVELS),
    (INT, "draws"),
    (POINTER, "y_noise validation_y_noise class_counts"),
    (INT, "bytes reconstruct source time"),
)
MEMBER = _record(
    (POINTER, "parameters first second best curves inputs neurons activations"),
    (FLOAT, "learning_rate momentum nesterov beta_1 beta_2 rho epsilon weight_decay"),
    (FLOAT, "warmup_steps total_steps final_fraction l2 l1 weights label_smoothing huber_delta dropout replica"),
    (FLOAT, "momentum_product best_loss"),
    (INT, "optimizer schedule fold column bootstrap depth max_epochs patience"),
    (INT, "epoch best_epoch steps status"),
    (np.uint32, "key bootstrap_key replica_key", 2),
    (INT, "draw half"),
    (POINTER, "graph"),
    (FLOAT, "shift flip rotation zoom noise"),
)
SHAPE = _record((INT, "lines columns channels"))
OPERATION = _record(
    (INT, "kind from with to"),
    (INT, "window strides dilation before", 2),
    (INT, "activation bias trained source spatial"),
    (FLOAT, "rate"),
    (INT, "mask cell gate sequences backwards flips zeroes scale center"),
    (FLOAT, "momentum"),
)
STEP_MASK = _record((INT, "from steps window stride dilation before flips"))
GRAPH = _record(
    (POINTER, "operations shapes subtracted factors masks"),
    (INT, "operation_count shape_count single mask_count"),
    (FLOAT, "mask_value"),
)
STATE = ("momentum_product", "best_loss", "epoch", "best_epoch", "steps", "status")
"""The fields of a member that training changes, besides its vectors."""
VECTORS = ("parameters", "first", "second", "best")
"""Those vectors."""
COPIES = len(VECTORS)
