"""The paper's numbers in tidy form: one number per row, with its precision, unit, n and figure.

`helpers/data/paper_values.csv` holds what the paper prints or what was read off its figures, and
`helpers/data/paper_decisions.csv` the decisions on cue-conflict images counted from the released files.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers import paths
from helpers.errors import BookError
from helpers.paper.names import SECTIONS

VALUE_COLUMNS = (
    "section", "model", "dataset", "view", "group", "metric", "value", "precision", "unit", "n", "n_least", "kind",
    "source_figure",
)  # fmt: skip
DECISIONS_SECTION = "03_shape_texture"
DECISIONS_SOURCE = "released per-image decisions"
_DECISIONS = ("n_shape", "n_texture", "n_other")
_TEXT = {name: object for name in VALUE_COLUMNS if name not in ("value", "precision", "n", "n_least")}


def values(section: str | None = None) -> pd.DataFrame:
    """Every number of the paper's figures, of one section or of all: the columns of `VALUE_COLUMNS`.

    `precision` is a half-width in the unit of the value: half of the last printed digit, or what the pixels of a figure
    allow. `n` counts images (decided images for a shape bias), None where unknown; `n_least` is the least that it can
    be. `kind`: "printed", "digitised", "exact" (counted), "from printed difference" (the better model's value minus
    the printed difference) or "from mid-points" (signed gap with the middle of each bin for its confidence). One
    number may stand twice with different kinds. Models "A - B" are printed differences.
    Raises BookError for an unknown section. Source: the paper's figures; released decisions for kind "exact".

    >>> table = values("05_robustness")
    >>> table[(table.model == "vit_sup") & (table.dataset == "imagenet_a")].value.tolist()
    [60.0]
    """
    if section is not None and section not in SECTIONS:
        raise BookError(f"section {section!r}", f"one of {', '.join(SECTIONS)}", "correct the call")
    table = pd.read_csv(paths.reference("paper_values.csv"), dtype=_TEXT)
    table = _plain(table)
    if section in (None, DECISIONS_SECTION):
        table = pd.concat([table, _decision_values()], ignore_index=True)
    return table if section is None else table[table.section == section].reset_index(drop=True)


def decisions() -> pd.DataFrame:
    """Released decisions on cue-conflict images: model, category, n_shape, n_texture, n_other, n_same_excluded.

    All 19 released observers, and "humans", the ten people together. Images whose shape and texture agree are only
    counted as excluded; a person's `na` is an "other" decision.

    >>> counts = decisions()
    >>> counts[counts.model == "vit_clip"][["n_shape", "n_texture", "n_other"]].sum().tolist()
    [421, 485, 294]
    """
    return pd.read_csv(paths.reference("paper_decisions.csv"))


def cka_panels() -> pd.DataFrame:
    """The paper's 16 CKA panels: model, panel, n_layers with its precision, and what the panel looks like, in words.

    Colours run from 0 (dark) to 1 (bright); the values behind them are not published.

    >>> cka_panels().set_index(["model", "panel"]).n_layers["vit_clip", "norm"].item()
    26.0
    """
    counts = values("09_similarity").rename(columns={"group": "panel", "value": "n_layers"})
    counts = counts[["model", "panel", "n_layers", "precision", "source_figure"]]
    return counts.merge(pd.read_csv(paths.reference("paper_cka_panels.csv")), on=["model", "panel"], how="left")


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """Missing text is None, missing numbers NaN."""
    missing = [name for name in table if name in _TEXT and table[name].isna().any()]
    return table.assign(**{name: table[name].where(table[name].notna(), None) for name in missing})


def _decision_values() -> pd.DataFrame:
    """Counts and shape bias of every released observer, per category, overall, and as mean over categories."""
    counts = decisions()
    pooled = counts.groupby("model", sort=False)[list(_DECISIONS)].sum().reset_index().assign(category="overall")
    table = pd.concat([counts, pooled], ignore_index=True)
    decided = table.n_shape + table.n_texture
    bias = table.assign(value=table.n_shape / decided, n=decided)
    mean = bias[bias.category != "overall"].groupby("model", sort=False)
    mean = mean.agg(value=("value", "mean"), n=("n", "sum")).reset_index().assign(category="mean_of_16")
    parts = [_exact(part, "shape_bias", "fraction") for part in (bias, mean)]
    n = table[list(_DECISIONS)].sum(axis=1)
    parts += [_exact(table.assign(value=table[name].astype(float), n=n), name, "count") for name in _DECISIONS]
    return pd.concat(parts, ignore_index=True)


def _exact(part: pd.DataFrame, metric: str, unit: str) -> pd.DataFrame:
    fixed = {
        "section": DECISIONS_SECTION, "dataset": "cue_conflict", "view": "released.eval", "metric": metric,
        "precision": 0.0, "unit": unit, "n_least": np.nan, "kind": "exact", "source_figure": DECISIONS_SOURCE,
    }  # fmt: skip
    part = part.rename(columns={"category": "group"})[["model", "group", "value", "n"]]
    return part.assign(**fixed).reindex(columns=list(VALUE_COLUMNS))
