"""The front page: the answer in five sentences and one figure, from the paper's numbers and the released data."""

from __future__ import annotations

import base64
import html
import io
from functools import cache

import pandas as pd

from helpers import paper, results
from helpers.paper.ledger import ledger_rows
from helpers.paper.names import PAPER_MODELS, SHIFTED_MEAN, TRANSFER_MEAN
from helpers.paper.verdicts import CONTRADICTED, HOLDS, NOT_DECIDABLE, NOT_RUN, WITHIN_NOISE
from helpers.plots.style import label
from helpers.rows import select
from helpers.words.choices import whole_run
from helpers.words.invariance import drops
from helpers.words.numbers import shown
from helpers.words.synthesis import own_claims

SAYS = {
    HOLDS: "supported", CONTRADICTED: "opposed", WITHIN_NOISE: "within noise",
    NOT_DECIDABLE: "not decidable from the printed numbers alone", NOT_RUN: "not run",
}  # fmt: skip
PANELS = {
    "accuracy on ImageNet (%)": ("05_robustness", "imagenet1k_val", "accuracy", "overall"),
    "mean error ratio": ("02_mistakes", "imagenet_x", "error_ratio", "mean_of_16"),
    "shape bias": ("03_shape_texture", "cue_conflict", "shape_bias", "overall"),
    "ECE on ImageNet": ("04_calibration", "imagenet1k_val", "ece", "overall"),
    "average of 7 shifted sets (%)": ("05_robustness", SHIFTED_MEAN, "accuracy", "mean_of_7"),
    "average of 19 tasks (%)": ("06_transferability", TRANSFER_MEAN, "accuracy", "mean_of_19"),
    "average of PUG's factors (%)": ("07_synthetic", "pug_imagenet", "accuracy", "mean_of_10"),
}
LOSS = "points lost under scale"
CROSSED = "shape exemplar x texture exemplar"


@cache
def _printed() -> pd.DataFrame:
    return own_claims(paper.ledger()).set_index("claim")


def _ledger() -> pd.DataFrame:
    """The verdicts: by recorded whole runs of the paper's four where they decide, else by the printed numbers."""
    runs = [rows for section in paper.SECTIONS if (rows := whole_run(section)) is not None]
    if not runs:
        return _printed()
    run = own_claims(ledger_rows("run", pd.concat(runs)), "run").set_index("claim")
    return run.where(~run.verdict.isin((NOT_RUN, NOT_DECIDABLE)), _printed())


def panels() -> dict[str, pd.DataFrame]:
    """{title with unit: rows of the paper's four models}: the figure of the front page.

    From a recorded run of the real models on all images where there is one, else as the paper prints them.

    >>> len(panels()["shape bias"])
    4
    """
    found = {}
    for title, (section, dataset, metric, group) in PANELS.items():
        what = {"dataset": dataset, "metric": metric, "group": group, "model": list(PAPER_MODELS)}
        tables = (table for table in (whole_run(section), paper.as_rows(section)) if table is not None)
        parts = [select(table, **what).drop_duplicates("model") for table in tables]
        found[title] = next(part for part in parts if len(part) == len(PAPER_MODELS))
    run = whole_run("08_invariance")
    loss = drops(paper.as_rows("08_invariance") if run is None else run)["scale"]
    lost = [{"model": model, "value": loss[label(model)], "ci_low": None, "ci_high": None} for model in PAPER_MODELS]
    return {**found, LOSS: pd.DataFrame(lost).astype({"ci_low": float, "ci_high": float})}


def figure() -> str:
    """The figure as HTML: an SVG within the page, so that no file is needed; the numbers stand in its description."""
    import matplotlib.pyplot as plt

    from helpers.plots.overview import at_a_glance

    found = panels()
    drawn, buffer = at_a_glance(found, PAPER_MODELS), io.BytesIO()
    drawn.savefig(buffer, format="svg", metadata={"Date": None})
    plt.close(drawn)
    image = base64.b64encode(buffer.getvalue()).decode("ascii")
    parts = [f"{title}: {_listed(rows)}" for title, rows in found.items()]
    words = html.escape("Eight small panels with the four models. " + "; ".join(parts), quote=True)
    return (
        f'<figure class="front-figure"><img alt="{words}" src="data:image/svg+xml;base64,{image}">'
        f"<figcaption>{html.escape(_sources())}, with 95 % intervals over new images of the same kind "
        "where the number of images is known; each panel has its own unit. Purple is ConvNeXt, orange is ViT; filled "
        "is supervised, hollow is CLIP. Lower is better for error ratio, ECE and points lost; a shape bias is neither "
        "good nor bad.</figcaption></figure>"
    )


def _sources() -> str:
    """Where the numbers of the figure come from."""
    sections = {section for section, *_ in PANELS.values()} | {"08_invariance"}
    runs = [
        title for section, title in paper.SECTIONS.items() if section in sections and whole_run(section) is not None
    ]
    if not runs:
        return "The paper's printed numbers for its four models"
    return f"Recorded runs of the paper's four models ({', '.join(runs)}), else the paper's printed numbers"


def _listed(rows: pd.DataFrame) -> str:
    return ", ".join(f"{label(row.model)} {row.value:.4g}" for row in rows.itertuples())


def answer() -> str:
    """Five sentences as a numbered list: accuracy and mistakes, shape, calibration, shifts and transfer, the rest."""
    found = panels()
    said = [_accuracy(found), _shape(found), _calibration(found), _shifts(found), _rest()]
    return "\n".join(f"{number}. {sentence}" for number, sentence in enumerate(said, start=1))


def _pair(rows: pd.DataFrame, first: str, second: str, digits: int = 1) -> str:
    value = rows.set_index("model").value
    return f"{value[first]:.{digits}f} against {value[second]:.{digits}f}"


def _verdict(claim: str) -> str:
    return f"(*{SAYS[_ledger().verdict[claim]]}*)"


def _whose() -> str:
    runs = any(whole_run(section) is not None for section in paper.SECTIONS)
    return "recorded runs, and its own numbers where nothing was run," if runs else "its own numbers"


def _accuracy(found: dict[str, pd.DataFrame]) -> str:
    rows, ratio = found["accuracy on ImageNet (%)"], found["mean error ratio"]
    return (
        f"**Same accuracy, same paradigm.** On ImageNet ConvNeXt and ViT are about equal "
        f"{_verdict('comparable_accuracy')}: {_pair(rows, 'convnext_sup', 'vit_sup')} % supervised, "
        f"{_pair(rows, 'convnext_clip', 'vit_clip')} % with CLIP; the lower mean error ratio of CLIP "
        f"({_pair(ratio, 'vit_clip', 'vit_sup', 2)} for ViT) comes with a lower accuracy, which bounds it."
    )


def _shape(found: dict[str, pd.DataFrame]) -> str:
    rows = found["shape bias"]
    return (
        "**Shape or texture.** CLIP models decide by shape more often than supervised ones, "
        f"{_pair(rows, 'convnext_clip', 'convnext_sup', 2)} for ConvNeXt and {_pair(rows, 'vit_clip', 'vit_sup', 2)} "
        f"for ViT {_verdict('shape_clip_higher')}{_released_shape()}."
    )


def _released_shape() -> str:
    """What the released decisions add, with shape and texture exemplars drawn anew; nothing without a record."""
    record = results.newest("03_shape_texture", "released")
    rows = results.empty_rows() if record is None else select(record.rows, metric="shape_bias", group="overall")
    pairs = ("convnext_clip - convnext_sup", "vit_clip - vit_sup")
    parts = [select(rows, model=pair, resampled=CROSSED) for pair in pairs]
    if any(part.empty for part in parts):
        return ""
    texts = [f"{label(part.model[0])} {shown(part.iloc[0], signed=True)}" for part in parts]
    return f"; by the released decisions, over new shapes and textures: {'; '.join(texts)}"


def _calibration(found: dict[str, pd.DataFrame]) -> str:
    rows = found["ECE on ImageNet"]
    return (
        f"**How sure they are.** CLIP models are over-confident {_verdict('calib_clip_over')} and worse calibrated "
        f"than supervised ones, with an ECE of {_pair(rows, 'convnext_clip', 'convnext_sup', 3)} for ConvNeXt and "
        f"{_pair(rows, 'vit_clip', 'vit_sup', 3)} for ViT {_verdict('calib_sup_slight')}."
    )


def _shifts(found: dict[str, pd.DataFrame]) -> str:
    shifted, tasks = found["average of 7 shifted sets (%)"], found["average of 19 tasks (%)"]
    return (
        "**Other pictures, other tasks.** Over the shifted sets the supervised models are ahead, "
        f"{_pair(shifted, 'convnext_sup', 'convnext_clip')} % for ConvNeXt {_verdict('robust_sup_average')}, though "
        "not on renditions and sketches; as features for other tasks those of CLIP are ahead, "
        f"{_pair(tasks, 'vit_clip', 'vit_sup')} % for ViT {_verdict('transfer_clip_better')}."
    )


def _rest() -> str:
    table = _ledger()
    counts = table.verdict.value_counts()
    open_ones = int(counts.get(NOT_DECIDABLE, 0) + counts.get(WITHIN_NOISE, 0))
    return (
        f"**How far this carries.** Of {len(table)} statements of the paper {_whose()} settle "
        f"{int(counts.get(HOLDS, 0) + counts.get(CONTRADICTED, 0))}; {open_ones} wait for more images or for the "
        "models' answers image by image, which this book is built to compute."
    )
