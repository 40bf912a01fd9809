"""Numbers and differences as words."""

from __future__ import annotations

from collections.abc import Mapping

from helpers.plots.style import label

_FORMATS = {
    "percent": ("{:.1f}", " %"), "points": ("{:+.1f}", " points"), "fraction": ("{:.3f}", ""), "ratio": ("{:.2f}", ""),
    "log_odds": ("{:+.2f}", " log-odds"), "count": ("{:,.0f}", ""), "millions": ("{:.2f}", " M"),
    "gmacs": ("{:.3f}", " G"),
}  # fmt: skip


def shown(row: Mapping, signed: bool = False) -> str:
    """A value with its unit and interval, or "not run" where there is none.

    >>> shown(dict(value=81.24, ci_low=80.1, ci_high=82.3, unit="percent"))
    '81.2 % [80.1, 82.3]'
    >>> shown(dict(value=None, ci_low=None, ci_high=None, unit="fraction"))
    'not run'
    """
    value, low, high = (row.get(name) for name in ("value", "ci_low", "ci_high"))
    if value is None or value != value:
        return "not run"
    number, unit = _FORMATS[row["unit"]]
    number = number.replace("{:.", "{:+.") if signed and "+" not in number else number
    interval = "" if low is None or low != low else f" [{number.format(low)}, {number.format(high)}]"
    return number.format(value) + unit + interval


def ahead(row: Mapping, what: str) -> str:
    """One sentence for a paired contrast row "A - B": who is higher, by how much, resolvable or not.

    >>> row = dict(model="vit_clip - convnext_clip", value=0.041, ci_low=-0.037, ci_high=0.107, unit="fraction")
    >>> ahead(row, "shape bias")
    'ViT-CLIP minus ConvNeXt-CLIP in shape bias: +0.041 [-0.037, +0.107]; not resolved: the interval includes zero.'
    """
    first, second = (label(part) for part in row["model"].split(" - "))
    sentence = f"{first} minus {second} in {what}: {shown(row, signed=True)}"
    if row.get("ci_low") is None or row["ci_low"] != row["ci_low"]:
        return f"{sentence}; no interval."
    if row["ci_low"] <= 0 <= row["ci_high"]:
        return f"{sentence}; not resolved: the interval includes zero."
    return f"{sentence}; resolved: the interval excludes zero."
