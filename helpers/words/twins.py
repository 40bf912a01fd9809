"""The twins in words: what they are, from the record that their training leaves."""

from __future__ import annotations

import pandas as pd

from helpers.models import MODEL_SETS, MODELS
from helpers.models.twins import record
from helpers.plots.style import label


def table() -> pd.DataFrame:
    """One line per twin and seed: accuracy on `val`, by category, shape bias, size, cost, length of the training.

    >>> list(table().columns[:2]) if len(table()) else ["seed", "accuracy (%)"]
    ['seed', 'accuracy (%)']
    """
    lines = [
        {
            "twin": label(each["model"]), "seed": each["seed"], "accuracy (%)": each["val"]["accuracy"],
            "by category (%)": each["val"]["category_accuracy"], "shape bias": each["val"]["shape_bias"],
            "n": each["val"]["n"], "parameters (millions)": each["parameters_millions"],
            "MACs (millions)": each["macs_millions"], "training images": each["training_images"],
            "minutes of training": each["training_seconds"] / 60,
        }
        for each in _entries()
    ]  # fmt: skip
    return pd.DataFrame(lines).set_index("twin").rename_axis(index=None) if lines else pd.DataFrame()


def _entries() -> list[dict]:
    order = MODEL_SETS["demo"]
    return sorted(record().values(), key=lambda each: (order.index(each["model"]), each["seed"]))


def story() -> str:
    """How the twins were trained and tuned, as Markdown, with what was chosen on which drawings."""
    entries = _entries()
    if not entries:
        return "**Not trained.** `python -m helpers.demo.train` trains the twins."
    first = entries[0]
    worlds = first["world_seeds"]
    lines = [f"- {_pair(kind, name)}" for kind, name in (("sup", "Supervised"), ("clip", "CLIP"))]
    return (
        f"Trained on drawings of world seed {worlds['train']}; their length and rate were chosen on those of "
        f"seed {worlds['tune']}, and what pages show is measured on seed {worlds['val']} (cue-conflict: "
        f"{worlds['cue_conflict']}), which nothing was chosen on. The weights of seed 0 ship with this book as fp16 "
        "safetensors; `python -m helpers.demo.train` makes them again.\n\n" + "\n".join(lines)
    )  # fmt: skip


def _pair(paradigm: str, name: str) -> str:
    pair = [each for each in _entries() if MODELS[each["model"]].paradigm == paradigm and each["seed"] == 0]
    if len(pair) < 2:
        return f"{name}: not trained."
    right, macs = ([each["val"]["accuracy"] for each in pair], [each["macs_millions"] for each in pair])
    return (
        f"{name}: accuracies {right[0]:.1f} and {right[1]:.1f} %, {abs(right[0] - right[1]):.1f} points apart; "
        f"cost {macs[0]:.1f} and {macs[1]:.1f} million MACs, a ratio of {max(macs) / min(macs):.2f}."
    )
