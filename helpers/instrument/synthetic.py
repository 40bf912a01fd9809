"""Section 7: observers whose accuracy at each level of each factor was planted, and some for the two scoring rules."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from helpers import labels, stats
from helpers.demo import planted
from helpers.demo.planted.common import row
from helpers.demo.world import demo_set, factor_table
from helpers.demo.world.posed import LEVELS, columns
from helpers.demo.world.sets import SETS

DATASET = "demo_pug"
BEST, STEP = 0.92, 0.14  # accuracy at the first level of a factor, and what each further level costs
CORRELATION = 0.3  # of difficulty within an asset
SHARES = (1.0, 0.75, 0.5)  # of right answers of the observers for the two rules
NO_CLASS = 28  # the tabby cat, which is no class of the set
FAIR = ("accuracy_among_classes", "mapped_predictions")
LABELS = {"accuracy": "right"} | dict.fromkeys(FAIR, "fair")


def pug_images() -> pd.DataFrame:
    """Images of the drawn set: image_id, label (one class), group, level, asset, background, and the
    labels by the paper's rule (right) and among the classes of the set (fair).

    >>> pug_images().group.nunique()
    10
    """
    items = demo_set("pug")
    scenes = [items.scene(index) for index in range(len(items))]
    facts = pd.DataFrame([columns(scene, index) for index, scene in enumerate(scenes)])
    table = factor_table(items)[["image_id", "label"]].join(facts)
    space = labels.label_space("demo_pug_candidates")
    classes = dict(zip(space.folders, map(list, space.labels), strict=True))
    right = [list(SETS["pug"].labels(scene)) for scene in scenes]
    group = [scene.top_factor for scene in scenes]
    return table.assign(group=group, right=right, fair=[classes[asset] for asset in table.asset])


def falling() -> dict[tuple[str, str], float]:
    """Planted accuracy (fraction) by (factor, level): highest at the first level, lower by a step at each further one.

    >>> [round(falling()["Camera_Yaw", level], 2) for level in ("15", "24", "32")]
    [0.92, 0.78, 0.64]
    """
    written = {
        factor: [f"{v:g}" if isinstance(v, float) else v for v in levels] for factor, (_, levels) in LEVELS.items()
    }
    return {
        (factor, level): BEST - STEP * at for factor, found in written.items() for at, level in enumerate(found)
    }  # fmt: skip


def check(rng: np.random.Generator, n_resamples: int = 500) -> pd.DataFrame:
    """Accuracy per factor and level of two observers, and both scoring rules of three more.

    >>> frame = check(np.random.default_rng(0), n_resamples=50)
    >>> sorted(frame.metric.unique())
    ['accuracy', 'accuracy_among_classes', 'mapped_predictions']
    """
    images = pug_images()
    falls = planted.level_response(images, falling(), rng, CORRELATION, model="planted_levels")
    flat = planted.level_response(images, dict.fromkeys(falling(), 0.7), rng, CORRELATION, model="planted_level_free")
    how = {"dataset": DATASET, "view": falls.view, "pairs": []}
    rows = stats.synthetic_rows({each.model: each.frame for each in (falls, flat)}, rng, n_resamples, **how)
    tables = [planted.against(planted.truth_rows([falls, flat]), rows)]
    ruled = [ruled_observer(images, share, rng) for share in SHARES]
    for metric in ("accuracy", *FAIR):
        frames = {each.model: each.frame.assign(label=images[LABELS[metric]].to_list()) for each in ruled}
        measured = stats.synthetic_rows(frames, rng, n_resamples, metric=metric, **how)
        tables.append(planted.against(planted.truth_rows(ruled), measured))
    return pd.concat(tables, ignore_index=True)


def ruled_observer(images: pd.DataFrame, share: float, rng: np.random.Generator) -> planted.Planted:
    """An observer that names the thing in exactly this share of each level, and else a class that the set has not.

    Truth per factor and overall: by the paper's rule the images of the class that lost its only index are wrong
    whatever it says; among the classes of the set, and as a share of answers that belong to any, `share` is left.
    """
    model = f"planted_right_{share:g}"
    seen = planted.level_response(images, dict.fromkeys(falling(), share), rng, CORRELATION, exact=True, model=model)
    right = (seen.frame["pred"] == images["label"]).to_numpy()
    counted = {"accuracy": right & (images["right"].map(len) > 0).to_numpy()} | dict.fromkeys(FAIR, right)
    frame = seen.frame.assign(pred=np.where(right, images["label"], NO_CLASS), mapped=right)
    groups = {"overall": np.ones(len(images), bool)}
    groups |= {name: (images["group"] == name).to_numpy() for name in LEVELS}
    truth = tuple(
        row(model, DATASET, seen.view, metric, 100 * hit[mine].mean(), "percent", mine.sum(), group)
        for metric, hit in counted.items() for group, mine in groups.items()
    )  # fmt: skip
    return replace(seen, frame=frame, truth=truth)
