"""What a champion does, as an animated GIF or SVG of lines and discs."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from shoal.errors import SettingError
from shoal.evolution.environments import Environment
from shoal.evolution.environments.base import Disc, Line
from shoal.runs.writing import write_atomically

WIDTH = 360
"""Pixels of the wider side."""
FRAMES = 160
"""At most; longer motions leave steps out."""
PAPER = "#ffffff"


def write_animation(environment: Environment, states: np.ndarray, path: Path) -> Path:
    """Write states `(steps, states)` as an animation, in real time where the environment counts in seconds.

    Raises:
        SettingError: the path ends neither in .gif nor in .svg.
        RunError: the file cannot be written.
    """
    frames, pause = frames_of(environment, states)
    if path.suffix.lower() == ".gif":
        return write_atomically(path, gif_bytes(frames, environment.view, pause))
    if path.suffix.lower() == ".svg":
        return write_atomically(path, svg_of(environment, states) + "\n")
    raise SettingError(f"an animation ends in .gif or .svg, got {path.name!r}")


def svg_of(environment: Environment, states: np.ndarray) -> str:
    """Return states `(steps, states)` as an SVG that moves."""
    frames, pause = frames_of(environment, states)
    return svg_text(frames, environment.view, pause, environment.title)


def frames_of(environment: Environment, states: np.ndarray) -> tuple[list[Sequence[Line | Disc]], float]:
    """Return the drawings of states, of some where there are many, and the seconds from one to the next."""
    every = max(1, -(-len(states) // FRAMES), round(0.04 / environment.dt) if environment.time_unit == "s" else 1)
    frames = [environment.drawing(state) for state in states[::every]]
    pause = every * environment.dt if environment.time_unit == "s" else 0.04
    return frames, pause


def gif_bytes(frames: Sequence[Sequence[Line | Disc]], view: tuple[float, float, float, float], pause: float) -> bytes:
    """Return frames as a GIF that repeats, the same bytes each time."""
    from PIL import Image, ImageDraw

    scale, size = _scale(view)
    twice = 2  # drawn twice as large and made smaller, which smooths edges
    images: list[Image.Image] = []
    for shapes in frames:
        image = Image.new("RGB", (twice * size[0], twice * size[1]), PAPER)
        draw = ImageDraw.Draw(image)
        for shape in shapes:
            if isinstance(shape, Line):
                ends = [_pixel(view, twice * scale, x, y) for x, y in ((shape.x, shape.y), (shape.to_x, shape.to_y))]
                draw.line(ends, fill=shape.colour, width=max(1, round(shape.width * twice * max(size) / 200)))
            else:
                x, y = _pixel(view, twice * scale, shape.x, shape.y)
                r = shape.radius * twice * scale
                fill = shape.colour if shape.filled else None
                draw.ellipse((x - r, y - r, x + r, y + r), fill=fill, outline=shape.colour, width=twice)
        smooth = image.reduce(twice)
        images.append(
            smooth.quantize(48) if not images else smooth.quantize(palette=images[0], dither=Image.Dither.NONE)
        )
    buffer = io.BytesIO()
    lasts = max(20, round(1000 * pause))
    images[0].save(buffer, "GIF", save_all=True, append_images=images[1:], duration=lasts, loop=0, optimize=False)
    return buffer.getvalue()


def svg_text(
    frames: Sequence[Sequence[Line | Disc]], view: tuple[float, float, float, float], pause: float, title: str
) -> str:
    """Return frames as an SVG whose shapes move by themselves (SMIL); without motion it shows the first."""
    scale, size = _scale(view)
    lasts = f"{max(pause, 0.01) * len(frames):.2f}s"
    body = []
    for shapes in zip(*frames, strict=True):
        tag, names, style = _element(shapes[0], max(size) / 200)
        ends = [_places(shape, view, scale) for shape in shapes]
        columns = [[f"{value:.1f}" for value in column] for column in zip(*ends, strict=True)]
        at = " ".join(f'{name}="{column[0]}"' for name, column in zip(names, columns, strict=True))
        moves = "".join(
            f'<animate attributeName="{name}" dur="{lasts}" repeatCount="indefinite" calcMode="discrete" '
            f'values="{";".join(column)}"/>'
            for name, column in zip(names, columns, strict=True)
            if len(set(column)) > 1
        )
        body.append(f'<{tag} {at} {style} stroke-linecap="round">{moves}</{tag}>')
    width, height = size
    sized = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {sized}>'
    return f'{head}<title>{title}</title><rect width="100%" height="100%" fill="{PAPER}"/>{"".join(body)}</svg>'


def _element(shape: Line | Disc, unit: float) -> tuple[str, tuple[str, ...], str]:
    """Return the element of a shape, its attributes that move, and how it looks."""
    if isinstance(shape, Line):
        return "line", ("x1", "y1", "x2", "y2"), f'stroke="{shape.colour}" stroke-width="{shape.width * unit:.2f}"'
    style = f'fill="{shape.colour}"' if shape.filled else f'fill="none" stroke="{shape.colour}"'
    return "circle", ("cx", "cy", "r"), style


def _places(shape: Line | Disc, view: tuple[float, float, float, float], scale: float) -> tuple[float, ...]:
    """Return the values of these attributes."""
    start = _pixel(view, scale, shape.x, shape.y)
    end = _pixel(view, scale, shape.to_x, shape.to_y) if isinstance(shape, Line) else (shape.radius * scale,)
    return (*start, *end)


def _scale(view: tuple[float, float, float, float]) -> tuple[float, tuple[int, int]]:
    left, bottom, right, top = view
    scale = WIDTH / max(right - left, top - bottom)
    return scale, (round(scale * (right - left)), round(scale * (top - bottom)))


def _pixel(view: tuple[float, float, float, float], scale: float, x: float, y: float) -> tuple[float, float]:
    return (x - view[0]) * scale, (view[3] - y) * scale
