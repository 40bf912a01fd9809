"""Shape or texture: decisions on cue-conflict images (paper, "Shape / Texture Bias"; Geirhos et al. 2019)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from helpers.errors import BookError

NO_DECISION = "na"
_EXEMPLARS = r"^(?P<shape_exemplar>[^-]+\d+)-(?P<texture_exemplar>[^-]+\d+)(?:\.[A-Za-z]+)?$"
_COUNTS = ("n_shape", "n_texture", "n_other", "n_same_excluded")


def exemplars(image_ids: pd.Series) -> pd.DataFrame:
    """The two pictures each cue-conflict image was made of: columns shape_exemplar, texture_exemplar.

    Raises BookError for an image id that is not `<shape exemplar>-<texture exemplar>`.

    >>> exemplars(pd.Series(["airplane1-bicycle2.png"])).iloc[0].tolist()
    ['airplane1', 'bicycle2']
    """
    found = image_ids.str.extract(_EXEMPLARS)
    bad = image_ids[found.isna().any(axis=1)]
    if len(bad):
        expected = f"ids such as airplane1-bicycle2.png, found {bad.iloc[0]!r}"
        raise BookError("cue-conflict image ids", expected, "keep the official file names")
    return found


def shape_counts(decisions: pd.DataFrame) -> pd.DataFrame:
    """Decisions per shape category (index): n_shape, n_texture, n_other, n_same_excluded.

    Images whose two cues agree are only counted as excluded; `na` is an "other" decision.
    Source: Geirhos et al. 2019; model-vs-human `ShapeBias`.

    >>> table = pd.DataFrame({"shape": ["cat", "cat", "cat"], "texture": ["dog", "dog", "cat"],
    ...                       "decision": ["cat", "na", "cat"]})
    >>> shape_counts(table).loc["cat"].tolist()
    [1, 0, 1, 1]
    """
    shape, texture, decision = (decisions[name] for name in ("shape", "texture", "decision"))
    conflict = shape != texture
    parts = (
        conflict & (decision == shape),
        conflict & (decision == texture),
        conflict & (decision != shape) & (decision != texture),
        ~conflict,
    )
    return pd.DataFrame(dict(zip(_COUNTS, parts, strict=True))).groupby(shape.rename("category")).sum().astype(int)


def shape_bias(n_shape, n_texture):
    """Shape decisions / (shape + texture decisions), a fraction; NaN where there is neither. Shapes broadcast.

    >>> float(shape_bias(3, 1))
    0.75
    """
    n_shape, total = np.asarray(n_shape, dtype=float), np.asarray(n_shape) + np.asarray(n_texture)
    return np.divide(n_shape, total, out=np.full(np.shape(total), np.nan), where=total > 0)


def pooled_shape_bias(counts: pd.DataFrame) -> float:
    """Shape bias over all categories at once (the paper's lines) from a table of `shape_counts`.

    >>> pooled_shape_bias(pd.DataFrame({"n_shape": [3, 0], "n_texture": [1, 4]}))
    0.375
    """
    return float(shape_bias(counts.n_shape.sum(), counts.n_texture.sum()))


def mean_shape_bias(counts: pd.DataFrame) -> float:
    """Mean of the categories' shape biases, each category with equal weight.

    >>> mean_shape_bias(pd.DataFrame({"n_shape": [3, 0], "n_texture": [1, 4]}))
    0.375
    """
    return float(np.mean(shape_bias(counts.n_shape, counts.n_texture)))


def category_accuracy(decisions: pd.DataFrame, conflict_only: bool = True) -> float:
    """Share of images decided as their shape category; 1,200 conflict images or, if not, all 1,280. Percent.

    >>> table = pd.DataFrame({"shape": ["cat", "cat"], "texture": ["dog", "cat"], "decision": ["na", "cat"]})
    >>> category_accuracy(table), category_accuracy(table, conflict_only=False)
    (0.0, 50.0)
    """
    kept = decisions[decisions["shape"] != decisions["texture"]] if conflict_only else decisions
    return float(100 * (kept["decision"] == kept["shape"]).mean())


def align_decisions(decisions_by_model: Mapping[str, pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The images that every observer decided on, and the decisions: (images, decisions), both by image_id.

    images: columns shape, texture, shape_exemplar, texture_exemplar, conflict; decisions: one column per observer.
    Raises BookError when an observer names an image twice, cues differ, or no image is common.

    >>> one = pd.DataFrame({"image_id": ["cat1-dog2.png"], "shape": ["cat"], "texture": ["dog"], "decision": ["dog"]})
    >>> align_decisions({"a": one, "b": one})[1].iloc[0].tolist()
    ['dog', 'dog']
    """
    frames = {key: _by_image(key, frame) for key, frame in decisions_by_model.items()}
    first, *others = frames.values()
    common = first.index
    for frame in others:
        common = common[common.isin(frame.index)]
    if not len(common):
        raise BookError("cue-conflict decisions", "images common to all observers, found none", "join by image suffix")
    images = first.loc[common, ["shape", "texture"]]
    for key, frame in frames.items():
        if not frame.loc[common, ["shape", "texture"]].equals(images):
            raise BookError(f"decisions of {key}", "the same shape and texture per image, found others", "import anew")
    images = images.assign(conflict=images["shape"] != images["texture"])
    images = images.join(exemplars(common.to_series()))
    return images, pd.DataFrame({key: frame.loc[common, "decision"] for key, frame in frames.items()})


def _by_image(key: str, frame: pd.DataFrame) -> pd.DataFrame:
    if frame.image_id.duplicated().any():
        twice = frame.image_id[frame.image_id.duplicated()].iloc[0]
        raise BookError(f"decisions of {key}", f"one row per image, found {twice} twice", "import the file again")
    return frame.set_index("image_id")
