"""Small drawings of data as SVG: histograms, correlations, series; images as pixels."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence

import numpy as np
from markupsafe import escape

WIDTH, HEIGHT = 132, 26


def bars(counts: Sequence[float], *, width: int = WIDTH, height: int = HEIGHT) -> str:
    """Return a histogram without axes.

    >>> bars([1, 2])[:46], bars([])
    ('<svg width="132" height="26" viewBox="0 0 132 ', '')
    """
    if not len(counts):
        return ""
    most, step = max(max(counts), 1e-300), width / len(counts)
    rectangles = "".join(
        f'<rect x="{i * step:.2f}" y="{height - max(1.0, height * n / most):.2f}" width="{max(step - 0.7, 0.5):.2f}" '
        f'height="{max(1.0, height * n / most):.2f}"/>'
        for i, n in enumerate(counts)
        if n > 0
    )
    return _svg(width, height, rectangles, 'class="bars" aria-hidden="true"')


def matrix(names: Sequence[str], values: np.ndarray) -> str:
    """Return correlations from -1 to 1 as coloured squares, blue for together and vermilion for against each other."""
    side, left, count = 22, 170, len(names)
    parts, top = [], 8
    for i, name in enumerate(names):
        y = top + side * i
        shown = name if len(name) <= 24 else name[:23] + "…"
        parts.append(f'<text x="{left - 8}" y="{y + side / 2 + 4}" text-anchor="end">{escape(shown)}</text>')
        for j in range(i + 1):
            value = float(values[i, j])
            strength = 0.0 if math.isnan(value) else min(abs(value), 1.0)
            colour = "var(--blue)" if value > 0 else "var(--vermilion)"
            title = f"{name} and {names[j]}: {value:+.2f}"
            parts.append(
                f'<rect x="{left + side * j}" y="{y}" width="{side - 1}" height="{side - 1}" fill="{colour}" '
                f'fill-opacity="{strength:.3f}" stroke="var(--rule)"><title>{escape(title)}</title></rect>'
            )
    width, height = left + side * count + 4, top + side * count + 4
    return _svg(width, height, "".join(parts), 'class="matrix"')


def lines(values: np.ndarray, *, width: int = 220, height: int = 90) -> str:
    """Return a series `(time, channels)` as lines, a colour for each channel."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    scale, steps = (height - 6) / ((high - low) or 1.0), max(len(values) - 1, 1)
    every = max(1, len(values) // 400)
    colours = ("var(--blue)", "var(--vermilion)", "var(--green)", "var(--muted)")
    paths = []
    for channel in range(min(values.shape[1], 8)):
        points = [
            f"{2 + (width - 4) * i / steps:.1f},{height - 3 - scale * (float(values[i, channel]) - low):.1f}"
            for i in range(0, len(values), every)
            if math.isfinite(values[i, channel])
        ]
        paths.append(
            f'<polyline fill="none" stroke="{colours[channel % 4]}" stroke-width="1.1" points="{" ".join(points)}"/>'
        )
    return _svg(width, height, "".join(paths), 'aria-hidden="true"')


def _svg(width: int, height: int, content: str, attributes: str) -> str:
    return f'<svg width="{width}" height="{height}" viewBox="0 0 {width} {height}" {attributes}>{content}</svg>'


def pixels(image: np.ndarray) -> str:
    """Return an image `(height, width, channels)` as the address of a PNG in the page; 3 channels are colours.

    All but the darkest and the brightest pixels (1 in 200 each) fill the range from black to white.
    """
    from PIL import Image

    low, high = np.nanpercentile(np.asarray(image, np.float64), (0.5, 99.5))
    scaled = np.clip((np.asarray(image, np.float64) - low) / ((high - low) or 1.0), 0, 1)
    bytes_ = np.nan_to_num(255 * scaled).astype(np.uint8)
    picture = Image.fromarray(bytes_[..., :3] if bytes_.shape[-1] >= 3 else bytes_[..., 0])
    written = io.BytesIO()
    picture.save(written, "PNG")
    return "data:image/png;base64," + base64.b64encode(written.getvalue()).decode()
