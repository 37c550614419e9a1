"""How Sphinx builds the site: `sphinx-build -W --keep-going docs site`, without network."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst

import shoal

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_extensions"))
os.environ["COLUMNS"] = "100"  # the width of printed tables

project = "shoal"
author = copyright = "The shoal developers"
version = release = shoal.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_gallery.gen_gallery"]
extensions += ["mathml", "generated"]  # of _extensions
exclude_patterns = ["_extensions", "course", "**/sg_execution_times.rst", "sg_execution_times.rst"]
default_role = "code"  # docstrings write code as Markdown does
suppress_warnings = ["config.cache"]  # functions in the settings of the gallery

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "none"

html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme = "pydata_sphinx_theme"
html_title = "shoal"
html_show_sourcelink = False
html_sidebars = {"glossary": [], "index": []}
html_math_renderer = "mathml"
html_theme_options = {
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc", "sg_download_links"],
    "show_toc_level": 2,
    "show_prev_next": True,
    "search_bar_text": "Search",
    "logo": {"text": "shoal"},
}


def _copied(folder: Path) -> str:
    """Return a copy of a folder of examples, so that what they write does not end up in the checkout."""
    copy = Path(tempfile.mkdtemp(prefix="shoal-docs-")) / folder.name
    shutil.copytree(folder, copy, ignore=lambda _, names: [n for n in names if not n.endswith((".py", ".rst"))])
    return str(copy)


def drawings(block: tuple, block_vars: dict, gallery_conf: dict) -> str:  # noqa: ARG001
    """Show the figure in which a block ends and that pyplot does not know, such as that of `Network.draw`."""
    names = block_vars["example_globals"]
    last, names["___"] = names.get("___"), None  # the gallery keeps it for blocks without one
    if not isinstance(last, Figure):
        return ""
    path = next(block_vars["image_path_iterator"])
    last.savefig(path, dpi=200, bbox_inches="tight", facecolor="white")
    return figure_rst([path], gallery_conf["src_dir"])


def tidy(gallery_conf: dict, name: str) -> None:  # noqa: ARG001
    """Remove the runs that an example left: the gallery takes folders for more examples."""
    for folder in gallery_conf["examples_dirs"]:
        for left in Path(folder).iterdir():
            if left.is_dir():
                shutil.rmtree(left)


sphinx_gallery_conf = {
    "examples_dirs": [_copied(HERE / "course"), _copied(HERE.parent / "examples")],
    "gallery_dirs": ["learn", "examples"],
    "copyfile_regex": r"index\.rst",
    "filename_pattern": r"\.py",
    "image_scrapers": ("matplotlib", drawings),
    "image_srcset": ["2x"],
    "capture_repr": (),
    "reset_modules": ("matplotlib", tidy),
    "reset_modules_order": "both",
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "write_computation_times": False,
    "show_memory": False,
    "show_signature": False,
    "remove_config_comments": True,
    "min_reported_time": 10_000,
    "default_thumb_file": str(HERE / "learning_curves.png"),
}
