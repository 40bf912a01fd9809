"""What a trained twin does on rendered sets: accuracy, by class and category, and shape bias."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from PIL import Image

from helpers.demo.train.rendered import Rendered
from helpers.demo.world import category_indices, category_of, exemplar_columns
from helpers.labels.decision import category_decision
from helpers.metrics.shape import pooled_shape_bias, shape_counts
from helpers.models import LoadedModel, preparation
from helpers.views import make_view, normalise

PIECE = 250


@dataclass(frozen=True)
class Accuracy:
    """Shares in percent: over fine classes, over categories, and of each fine class and category by name."""

    fine: float
    category: float
    by_class: dict[str, float]
    by_category: dict[str, float]
    n: int


def probabilities(model: LoadedModel, images: Rendered) -> np.ndarray:
    """Softmax over the 64 fine classes, float64 (n, 64), under the model's own evaluation view (`paper.eval`)."""
    import torch

    wanted = preparation(model.spec)
    view = make_view("paper.eval", wanted)
    answers = []
    for start in range(0, len(images), PIECE):
        pixels = np.stack([view.apply(Image.fromarray(each)) for each in images.pixels[start : start + PIECE]])
        logits = model.logits(normalise(torch.from_numpy(pixels), wanted))
        answers.append(logits.double().softmax(-1).cpu().numpy())
    return np.concatenate(answers)


def accuracy(answers: np.ndarray, labels: np.ndarray, names: tuple[str, ...]) -> Accuracy:
    """Accuracy of probabilities (n, 64) against fine classes (n,); `names` are those of the fine classes.

    A picture's category is that of its predicted fine class.

    >>> from helpers.demo.world import class_names
    >>> accuracy(np.eye(64)[[0, 1, 8, 9]], np.array([0, 2, 8, 9]), class_names()).fine
    75.0
    """
    predicted = answers.argmax(axis=1)
    of = np.array([category_of(index) for index in range(len(names))])
    right, same = predicted == labels, of[predicted] == of[labels]
    by_class = pd.Series(100.0 * right).groupby(np.array(names)[labels]).mean()
    by_category = pd.Series(100.0 * same).groupby(of[labels]).mean()
    return Accuracy(
        100 * float(right.mean()), 100 * float(same.mean()), by_class.round(2).to_dict(),
        by_category.round(2).to_dict(), len(labels),
    )  # fmt: skip


def decisions(answers: np.ndarray, images: Rendered) -> pd.DataFrame:
    """Decisions frame of a cue-conflict set: ids, cues, and the category with the largest mean probability."""
    ids = [images.items.image_id(index) for index in range(len(images))]
    decided = category_decision(answers, category_indices())
    return pd.DataFrame({"image_id": ids, **exemplar_columns(ids), "decision": decided})


def shape_bias_of(answers: np.ndarray, images: Rendered) -> dict[str, float]:
    """Pooled shape bias on a cue-conflict set, and the share of conflict images decided by either cue.

    Source: paper, section "Shape / Texture Bias".
    """
    frame = decisions(answers, images)
    counts = shape_counts(frame)
    conflict = int((frame["shape"] != frame["texture"]).sum())
    by_cue = int(counts.n_shape.sum() + counts.n_texture.sum())
    return {"shape_bias": pooled_shape_bias(counts), "by_either_cue": 100 * by_cue / max(1, conflict), "n": conflict}
