"""The look that all figures share: colours and marks of models, sizes, the profile note."""

from __future__ import annotations

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.models import MODELS, ModelSpec, resolve

INK, FAINT = "#22252a", "#c9ced6"
BAND_ALPHA = 0.13
METRICS = {
    "ece": "ECE", "mce": "mCE", "cka": "CKA", "accuracy_log_odds": "accuracy (log-odds)",
    "accuracy_scale_dependent": "sign depends on the scale (1: yes)", "n_shape": "shape decisions",
    "n_texture": "texture decisions", "n_other": "other decisions",
}  # fmt: skip
HOLLOW = ("clip", "self-sup")  # drawn hollow or hatched; supervised models are solid


def apply_style() -> None:
    """Set matplotlib's defaults for the book: white card, quiet grid, readable at phone width.

    >>> apply_style(); mpl.rcParams["axes.spines.top"]
    False
    """
    mpl.rcParams.update(
        {
            "figure.dpi": 110, "savefig.dpi": 160, "savefig.bbox": "tight", "figure.facecolor": "white",
            "axes.facecolor": "white", "axes.edgecolor": "#8b9099", "axes.labelcolor": INK, "text.color": INK,
            "xtick.color": INK, "ytick.color": INK, "axes.spines.top": False, "axes.spines.right": False,
            "axes.grid": True, "axes.axisbelow": True, "grid.color": "#e6e8ec", "grid.linewidth": 0.8,
            "font.size": 11, "axes.titlesize": 12, "axes.titleweight": "bold", "axes.titlelocation": "left",
            "legend.frameon": False, "legend.fontsize": 10, "hatch.linewidth": 0.8, "svg.hashsalt": "book",
        }
    )  # fmt: skip


def figure(width: float = 9.0, height: float = 4.5, columns: int = 1, rows: int = 1, **layout) -> tuple[Figure, Axes]:
    """A figure in the book's style and its axes (one, or an array as `matplotlib.pyplot.subplots` gives).

    `width`, `height` in inches; `layout` goes to `subplots` (sharex, sharey, width_ratios).
    """
    import matplotlib.pyplot as plt

    apply_style()
    return plt.subplots(rows, columns, figsize=(width, height), layout="constrained", **layout)


def spec_of(model: str) -> ModelSpec:
    """How a model or observer is drawn; one that is not in the table (`timm:NAME`) is looked up in its library.

    >>> spec_of("vit_clip").marker
    'o'
    """
    return MODELS[model] if model in MODELS else resolve(model)


def mark(model: str, filled: bool = True) -> dict:
    """Keyword arguments for `Axes.plot` that draw this model's points: shape, colour, hollow unless supervised.

    >>> mark("vit_clip")["markerfacecolor"]
    'white'
    """
    spec = spec_of(model)
    hollow = spec.paradigm in HOLLOW or not filled
    return {
        "marker": spec.marker, "color": spec.colour, "markeredgecolor": spec.colour,
        "markerfacecolor": "white" if hollow else spec.colour, "markeredgewidth": 1.6, "markersize": 7.5,
    }  # fmt: skip


def line(model: str) -> dict:
    """Keyword arguments for a line of this model: colour, solid or dashed.

    >>> line("convnext_clip")["linestyle"]
    '--'
    """
    spec = spec_of(model)
    return {"color": spec.colour, "linestyle": spec.linestyle, "linewidth": 1.8}


def bar(model: str) -> dict:
    """Keyword arguments for a bar of this model: solid for supervised, hatched for CLIP and self-supervised.

    >>> bar("vit_clip")["hatch"]
    '///'
    """
    spec = spec_of(model)
    hollow = spec.paradigm in HOLLOW
    return {"facecolor": "white" if hollow else spec.colour, "edgecolor": spec.colour, "hatch": spec.hatch}


def metric_name(metric: str) -> str:
    """What people read for a metric's key.

    >>> metric_name("signed_gap"), metric_name("ece")
    ('signed gap', 'ECE')
    """
    return METRICS.get(metric, metric.replace("_", " "))


def label(model: str) -> str:
    """What people read for a model key or for a contrast "a - b".

    >>> label("vit_clip - convnext_clip")
    'ViT-CLIP − ConvNeXt-CLIP'
    """
    parts = [MODELS[key].label if key in MODELS else key for key in model.split(" - ")]
    return " − ".join(parts)
