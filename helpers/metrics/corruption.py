"""ImageNet-C: error by corruption and severity against AlexNet, and how accuracy falls with severity."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers import paths
from helpers.errors import BookError

SEVERITIES = (1, 2, 3, 4, 5)
OFFICIAL = "ILSVRC2012_val_"  # how the names of validation images begin


def alexnet_errors() -> pd.Series:
    """AlexNet's error (percent) by corruption, mean over five severities: 15 corruptions in ImageNet-C's order.

    Source: Hendrycks & Dietterich 2019, the authors' repository `robustness` (ImageNet-C).

    >>> errors = alexnet_errors()
    >>> len(errors), float(errors["gaussian_noise"])
    (15, 88.6428)
    """
    return pd.read_csv(paths.reference("alexnet_corruption_errors.csv"), index_col="corruption")["error"]


def corruption_errors(accuracies: pd.DataFrame, baseline: pd.Series | None = None) -> pd.Series:
    """Corruption error CE (percent) by corruption: 100 x sum over severities of the error / the same for AlexNet.

    accuracies: percent, index corruption, one column per severity; `baseline`: mean error (percent) by corruption of
    the network to compare with. Raises BookError for a corruption without a baseline.
    Source: Hendrycks & Dietterich 2019, section 4.2.

    >>> table = pd.DataFrame({1: [60.0], 2: [40.0]}, index=["fog"])
    >>> float(corruption_errors(table, pd.Series({"fog": 80.0}))["fog"])
    62.5
    """
    baseline = alexnet_errors() if baseline is None else baseline
    unknown = sorted(set(accuracies.index) - set(baseline.index))
    if unknown:
        raise BookError(
            f"corruption {unknown[0]!r}", f"one of {', '.join(baseline.index)}", "name it as ImageNet-C does"
        )
    return 100 * (100 - accuracies).mean(axis=1) / baseline[accuracies.index]


def mean_corruption_error(accuracies: pd.DataFrame, baseline: pd.Series | None = None) -> float:
    """mCE (percent): the mean of `corruption_errors`; 100 for AlexNet itself, smaller is better.

    >>> table = pd.DataFrame({1: [20.0, 30.0]}, index=["fog", "snow"])
    >>> mean_corruption_error(table, pd.Series({"fog": 80, "snow": 70}))
    100.0
    """
    return float(corruption_errors(accuracies, baseline).mean())


def severity_slope(accuracies: np.ndarray, severities=SEVERITIES) -> np.ndarray:
    """Least-squares slope of accuracy over severity, per step, in the unit of the accuracies (..., severities).

    >>> float(severity_slope(np.array([80.0, 70.0, 60.0, 50.0, 40.0])))
    -10.0
    """
    x = np.asarray(severities, dtype=float) - np.mean(severities)
    return np.asarray(accuracies, dtype=float) @ x / (x @ x)


def condition(group: str) -> tuple[str, int]:
    """Corruption and severity of a group `corruption:severity`. Raises BookError for another form.

    >>> condition("gaussian_noise:3")
    ('gaussian_noise', 3)
    """
    name, _, severity = str(group).rpartition(":")
    if not name or not severity.isdigit():
        raise BookError(f"group {group!r}", "<corruption>:<severity>", "use predictions on ImageNet-C")
    return name, int(severity)


def source_of(image_id: pd.Series, group: pd.Series) -> pd.Series:
    """The source image of each corrupted one: the image id without its leading `<corruption>/<severity>/`.

    An official validation name stands for itself, without its class folder, so that ReaL and ImageNet-C share sources.
    Raises BookError for an id of another form.

    >>> ids = pd.Series(["fog/2/n01440764/ILSVRC2012_val_01.JPEG", "fog/3/img-7"])
    >>> source_of(ids, pd.Series(["fog:2", "fog:3"])).tolist()
    ['ILSVRC2012_val_01.JPEG', 'img-7']
    """
    starts = {name: f"{name.replace(':', '/')}/" for name in group.unique()}
    found = []
    for each, name in zip(image_id, group, strict=True):
        if not each.startswith(starts[name]):
            raise BookError(f"corrupted image {each!r}", f"an id {starts[name]}<source>", "correct the reader")
        source = each[len(starts[name]) :]
        file_name = source.rpartition("/")[2]
        found.append(file_name if file_name.startswith(OFFICIAL) else source)
    return pd.Series(found, index=image_id.index, dtype=object)
