"""What timm, OpenCLIP, the models' authors and others published for the same checkpoints."""

from __future__ import annotations

import pandas as pd

from helpers import paths
from helpers.paper.names import PAPER_MODELS, label_of
from helpers.paper.values import values

_TEXT = ("source", "model", "checkpoint", "dataset", "group", "metric", "unit", "preparation", "note")


def third_party(model: str | None = None, dataset: str | None = None, metric: str | None = None) -> pd.DataFrame:
    """Published numbers of others: source, checkpoint, group, metric, value, unit, image_size, preparation, note.

    `same_checkpoint` is False for a neighbour (another epoch, another fine-tuning). Metrics: accuracy, top5_accuracy,
    error_ratio, mce, zero_shot_score (OpenCLIP's suite, which does not name its measure per set) and probe_accuracy.
    Sources: timm `results/`, OpenCLIP `docs/`, CLIP_benchmark, easyrobust, READMEs of the models.

    >>> found = third_party("convnext_clip", "imagenet_r")
    >>> found.source[0], float(found.value[0]), found.preparation[0]
    ('OpenCLIP openclip_results.csv @89fb801', 75.75, 'as open_clip')
    """
    table = pd.read_csv(paths.reference("third_party.csv"), dtype=dict.fromkeys(_TEXT, "string"))
    text = {name: table[name].astype(object).where(table[name].notna(), None) for name in _TEXT}
    table = table.assign(**text)
    for column, wanted in (("model", model), ("dataset", dataset), ("metric", metric)):
        if wanted is not None:
            table = table[table[column] == wanted]
    return table.reset_index(drop=True)


def published_accuracy(dataset: str) -> pd.DataFrame:
    """Accuracy (percent) of the paper's four checkpoints on one data set, by everyone who published it.

    One row per source and preparation, one column per model (NaN where a source does not have it). The paper stands
    first, with its table of models where that lists the set.

    >>> table = published_accuracy("imagenet1k_val")
    >>> table.source.tolist()[:2], table["ViT-sup"].tolist()[:2]
    (['the paper, table of models', 'the paper, figures'], [83.7, 85.5])
    """
    own = {"01_models": "the paper, table of models", "05_robustness": "the paper, figures"}
    rows = []
    for section, source in own.items():
        table = values(section)
        found = table[(table.dataset == dataset) & (table.metric == "accuracy") & table.model.isin(PAPER_MODELS)]
        rows += [(source, None, None, row.model, row.value) for row in found.itertuples()]
    others = third_party(dataset=dataset, metric="accuracy")
    others = others[others.same_checkpoint & (others.group == "overall") & others.model.isin(PAPER_MODELS)]
    columns = ["source", "preparation", "image_size", "model", "value"]
    long = pd.concat([pd.DataFrame(rows, columns=columns), others[columns].astype(object)], ignore_index=True)
    keys = long[columns[:3]].drop_duplicates().reset_index(drop=True)
    for model in PAPER_MODELS:
        mine = long[long.model == model].drop_duplicates(columns[:3])
        keys = keys.merge(mine[[*columns[:3], "value"]], on=columns[:3], how="left")
        keys = keys.rename(columns={"value": label_of(model)}).astype({label_of(model): "float64"}, errors="ignore")
    return keys
