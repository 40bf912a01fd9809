"""Where the paper's shape-bias figure and the released decisions differ."""

from __future__ import annotations

import pandas as pd

from helpers.paper.audit import shape_figure_against_decisions
from helpers.paper.rows import as_rows
from helpers.plots.style import label
from helpers.words.numbers import shown

POOLED = "all, pooled"


def shape_texture_table(model: str = "convnext_clip") -> pd.DataFrame:
    """Markers of the figure beside the released decisions: category, figure, released, ci_low, ci_high, difference.

    Intervals are Wilson's, with every decided image drawn on its own. The last line is the dashed line of the figure.

    >>> table = shape_texture_table().set_index("category")
    >>> round(float(table.difference["all, pooled"]), 3)
    0.023
    """
    found = shape_figure_against_decisions()
    found = found[found.model == model]
    found = pd.concat([found[found.group != "overall"], found[found.group == "overall"]])
    exact = as_rows("03_shape_texture")
    exact = exact[(exact.model == model) & (exact.metric == "shape_bias") & (exact["view"] == "released.eval")]
    ends = exact.drop_duplicates("group").set_index("group")[["ci_low", "ci_high"]].reindex(found.group)
    return pd.DataFrame(
        {
            "category": found.group.replace("overall", POOLED).to_numpy(), "figure": found.figure.to_numpy(),
            "released": found.released.to_numpy(), "ci_low": ends.ci_low.to_numpy(), "ci_high": ends.ci_high.to_numpy(),
            "difference": found.difference.to_numpy(),
        }
    )  # fmt: skip


def shape_texture_disagreement() -> str:
    """Which models' figures follow from the released decisions, which do not, and what may explain it (Markdown)."""
    found = shape_figure_against_decisions()
    same = [label(model) for model, part in found.groupby("model", sort=False) if part.agrees.all()]
    lines = [
        f"For {', '.join(same)} every marker and the dashed line of the paper's figure follow from the released "
        "decisions to the precision of reading."
    ]
    for model, part in found[~found.agrees].groupby("model", sort=False):
        lines.append(_apart(model, part, found))
    return "\n\n".join(lines)


def _apart(model: str, part: pd.DataFrame, found: pd.DataFrame) -> str:
    categories = part[part.group != "overall"]
    everything = found[(found.model == model) & (found.group != "overall")]
    line = found[(found.model == model) & (found.group == "overall")].iloc[0]
    far = categories.loc[categories.difference.abs().idxmax()]
    exact = as_rows("03_shape_texture")
    exact = exact[(exact.model == model) & (exact.metric == "shape_bias") & (exact.group == "overall")]
    pooled = exact[exact["view"] == "released.eval"].iloc[0]
    return (
        f"For **{label(model)}** {len(categories)} of {len(everything)} markers differ, most for {far.group} (figure "
        f"{far.figure:.3f}, released {far.released:.3f}); the dashed line stands at {line.figure:.3f} where the "
        f"released decisions give {shown(pooled)} (images drawn anew). The two show different runs of the model. One "
        "thing can make two runs differ: the released code path never switches this network to evaluation mode, and "
        "its configuration has stochastic depth of 0.1, which then drops blocks at random; the other three networks "
        "have nothing that is random. Whether the released file or the figure was made that way is not known."
    )
