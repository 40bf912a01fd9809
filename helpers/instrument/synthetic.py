"""Section 7: observers whose accuracy at each level of each factor was planted, and one that is always right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from helpers import labels, stats
from helpers.demo import planted
from helpers.demo.world import demo_set, factor_table
from helpers.demo.world.posed import LEVELS, columns
from helpers.demo.world.sets import SETS

DATASET = "demo_pug"
BEST, STEP = 0.92, 0.14  # accuracy at the first level of a factor, and what each further level costs
CORRELATION = 0.3  # of difficulty within an asset


def pug_images() -> pd.DataFrame:
    """Images of the drawn set: image_id, label (one class), group, level, asset, background, right (paper's rule).

    >>> pug_images().group.nunique()
    10
    """
    items = demo_set("pug")
    scenes = [items.scene(index) for index in range(len(items))]
    facts = pd.DataFrame([columns(scene, index) for index, scene in enumerate(scenes)])
    table = factor_table(items)[["image_id", "label"]].join(facts)
    right = [list(SETS["pug"].labels(scene)) for scene in scenes]
    return table.assign(group=[scene.top_factor for scene in scenes], right=right)


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
    """Accuracy per factor and level of two observers, and both scoring rules of one that is always right.

    >>> frame = check(np.random.default_rng(0), n_resamples=50)
    >>> sorted(frame.metric.unique())
    ['accuracy', 'accuracy_among_classes']
    """
    images = pug_images()
    falls = planted.level_response(images, falling(), rng, CORRELATION, model="planted_levels")
    flat = planted.level_response(images, dict.fromkeys(falling(), 0.7), rng, CORRELATION, model="planted_level_free")
    how = {"dataset": DATASET, "view": falls.view, "pairs": []}
    rows = stats.synthetic_rows({each.model: each.frame for each in (falls, flat)}, rng, n_resamples, **how)
    perfect = _always_right(images, rng)
    tables = [planted.against(planted.truth_rows([falls, flat]), rows)]
    for metric, each in perfect.items():
        measured = stats.synthetic_rows({each.model: each.frame}, rng, n_resamples, metric=metric, **how)
        tables.append(planted.against(each.truth, measured))
    return pd.concat(tables, ignore_index=True)


def _always_right(images: pd.DataFrame, rng: np.random.Generator) -> dict[str, planted.Planted]:
    """An observer that always names the thing, scored by each rule, with what each must give it.

    By the paper's rule the class that lost its only index is wrong for every observer.
    """
    seen = planted.level_response(images, dict.fromkeys(falling(), 1.0), rng, exact=True, model="planted_always_right")
    lost = images.right.map(len) == 0
    shares = {"overall": 100 * float((~lost).mean())}
    shares |= (100 * (~lost).groupby(images.group).mean()).to_dict()
    base = {row["group"]: row for row in seen.truth}
    paper = tuple({**base[group], "value": share} for group, share in shares.items())
    fair = tuple({**base[group], "metric": "accuracy_among_classes", "value": 100.0} for group in shares)
    return {
        "accuracy": replace(seen, frame=seen.frame.assign(label=images.right), truth=paper),
        "accuracy_among_classes": replace(seen, frame=seen.frame.assign(label=_fair(images)), truth=fair),
    }


def _fair(images: pd.DataFrame) -> list[list[int]]:
    space = labels.label_space("demo_pug_candidates")
    classes = dict(zip(space.folders, space.labels, strict=True))
    return [list(classes[asset]) for asset in images.asset]
