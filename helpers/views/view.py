"""View ids, what they compute, and which of them compute the same thing."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from PIL import Image

from helpers.errors import BookError
from helpers.views.preprocessing import Preprocessing
from helpers.views.rules import as_is, resize_and_crop, shifted

PAPER_SCALES, PAPER_SHIFTS, PAPER_RESOLUTIONS = (1, 1.25, 1.5, 2, 3), (0, 5, 30, 75, 100), (112, 224, 336, 512, 640)
DEMO_SHIFTS, DEMO_RESOLUTIONS = (0, 2, 8, 20, 28), (32, 64, 96, 144, 184)

UNDISTORTED = {"scale": (1.0,), "shift": (0.0,), "resolution": (224.0, 64.0)}
"""The setting of each sweep that leaves the image as it is: of the paper, of the demo."""

_VIEW_ID = re.compile(r"(paper|timm)\.(eval|asis|scale|shift|resolution)(?:-(\d+(?:\.\d+)?))?")

_SETTING = re.compile(r"\.(scale|shift|resolution)-(\d+(?:\.\d+)?)$")


@dataclass(frozen=True)
class View:
    """One way of showing an image to a model: `steps` says what is done, `id` what it is called."""

    id: str
    preprocessing: Preprocessing
    steps: tuple[str | int, ...]

    def apply(self, image: Image.Image) -> np.ndarray:
        """Pixels of the image under this view, uint8 [3, size, size]; normalise them with `normalise`.

        Raises BookError where the image cannot be shown this way (too large, too small, wrong size).
        """
        name, *numbers = self.steps
        shown = _RULES[name](image, *numbers)
        # After the crop, as open_clip and the release's ImageNet-Hard branch do; no change for RGB images.
        pixels = np.asarray(shown if shown.mode == "RGB" else shown.convert("RGB"))
        return np.ascontiguousarray(pixels.transpose(2, 0, 1))

    @property
    def size(self) -> int:
        """Height and width of the result in pixels."""
        return int(self.steps[1])

    def digest(self) -> str:
        """SHA-256 of everything that decides the model's input: equal views have equal digests."""
        facts = {"steps": self.steps, "mean": self.preprocessing.mean, "std": self.preprocessing.std}
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


_RULES = {"resize": resize_and_crop, "shift": shifted, "as_is": as_is}


def make_view(view_id: str, preprocessing: Preprocessing) -> View:
    """The view of this id for a model with this preprocessing.

    `<protocol>.eval` is the model's evaluation transform; `asis` takes the pixels unchanged (cue-conflict);
    `scale-<f>` resizes to int(f * resize), bilinear for every model; `shift-<px>` moves the crop box;
    `resolution-<r>` is the evaluation transform at input size r. Source: paper, sections 4.1 and 4.6, and its code.
    Raises BookError for an unknown id or a preprocessing of the other protocol.

    >>> from helpers.views import CLIP, SUPERVISED
    >>> make_view("paper.scale-1.25", SUPERVISED).steps, make_view("paper.scale-1.25", CLIP).steps
    (('resize', 224, 320, 'bilinear'), ('resize', 224, 280, 'bilinear'))
    >>> make_view("paper.resolution-336", CLIP).steps
    ('resize', 336, 336, 'bicubic')
    """
    protocol, name, number = _parse(view_id)
    if protocol != preprocessing.protocol:
        raise BookError(
            f"view {view_id}",
            f"preprocessing of the protocol {protocol!r}, found {preprocessing.protocol!r}",
            f"use a view id that starts with {preprocessing.protocol}.",
        )
    return View(view_id, preprocessing, _steps(name, number, preprocessing))


def canonical_view(view_id: str, preprocessing: Preprocessing) -> str:
    """The id under which this view is computed: `<protocol>.eval` where it equals the evaluation transform.

    >>> from helpers.views import CLIP, SUPERVISED
    >>> canonical_view("paper.scale-1", SUPERVISED), canonical_view("paper.resolution-224", CLIP)
    ('paper.eval', 'paper.eval')
    >>> canonical_view("paper.scale-1", CLIP), canonical_view("paper.shift-0", SUPERVISED)
    ('paper.scale-1', 'paper.shift-0')
    """
    view = make_view(view_id, preprocessing)
    protocol, name, number = _parse(view_id)
    evaluation = make_view(f"{protocol}.eval", preprocessing)
    if view.steps == evaluation.steps:
        return evaluation.id
    return f"{protocol}.{name}" + (f"-{number:g}" if number is not None else "")


def invariance_views(
    scales: Iterable[float] = PAPER_SCALES,
    shifts: Iterable[int] = PAPER_SHIFTS,
    resolutions: Iterable[int] = PAPER_RESOLUTIONS,
) -> list[str]:
    """View ids of the three invariance sweeps, in the order of the paper's figure.

    >>> len(invariance_views()), invariance_views()[1]
    (15, 'paper.scale-1.25')
    """
    sweeps = (("scale", scales), ("shift", shifts), ("resolution", resolutions))
    return [f"paper.{name}-{number:g}" for name, numbers in sweeps for number in numbers]


def sweep_setting(view_id: str) -> tuple[str, float] | None:
    """Transform and setting of a view of the three sweeps; None for any other view.

    >>> sweep_setting("paper.scale-1.25"), sweep_setting("paper.eval"), sweep_setting("planted.shift-8")
    (('scale', 1.25), None, ('shift', 8.0))
    """
    found = _SETTING.search(view_id)
    return (found[1], float(found[2])) if found else None


def apply_views(image: Image.Image, views: Sequence[View]) -> dict[str, np.ndarray]:
    """Every view of one decoded image, by view id; what several ids share is computed once.

    >>> from helpers.views import SUPERVISED
    >>> views = [make_view(name, SUPERVISED) for name in ("paper.eval", "paper.scale-1", "paper.shift-5")]
    >>> {name: pixels.shape for name, pixels in apply_views(Image.new("RGB", (300, 400)), views).items()}
    {'paper.eval': (3, 224, 224), 'paper.scale-1': (3, 224, 224), 'paper.shift-5': (3, 224, 224)}
    """
    computed: dict[tuple, np.ndarray] = {}
    for view in views:
        if view.steps not in computed:
            computed[view.steps] = view.apply(image)
    return {view.id: computed[view.steps] for view in views}


def _parse(view_id: str) -> tuple[str, str, float | None]:
    found = _VIEW_ID.fullmatch(view_id)
    number = float(found[3]) if found and found[3] else None
    if found and _fits(*found.group(1, 2), number):
        return found[1], found[2], number
    raise BookError(
        f"view {view_id!r}",
        "paper.eval, paper.asis, paper.scale-<factor>, paper.shift-<pixels>, paper.resolution-<size> or timm.eval",
        "correct the id; factors are above 0, pixels and sizes whole numbers",
    )


def _fits(protocol: str, name: str, number: float | None) -> bool:
    if name in {"eval", "asis"} or protocol == "timm":
        return number is None and (protocol == "paper" or name == "eval")
    if number is None or (name != "shift" and number <= 0):
        return False
    return name == "scale" or number.is_integer()


def _steps(name: str, number: float | None, preprocessing: Preprocessing) -> tuple[str | int, ...]:
    resize, crop = preprocessing.resize, preprocessing.crop
    if name == "asis":
        return ("as_is", crop)
    if name == "shift":
        return ("shift", crop, resize, int(number))
    if name == "scale":
        return ("resize", crop, int(number * resize), "bilinear")
    at_size = preprocessing if name == "eval" else preprocessing.at(int(number))
    return ("resize", at_size.crop, at_size.resize, at_size.interpolation)


def describe(view: View) -> dict:
    """Plain facts of a view for a prediction key: steps, mean, std and digest.

    >>> from helpers.views import SUPERVISED
    >>> describe(make_view("paper.eval", SUPERVISED))["steps"]
    ['resize', 224, 256, 'bilinear']
    """
    facts = asdict(view.preprocessing)
    return {
        "id": view.id, "steps": list(view.steps), "mean": list(facts["mean"]), "std": list(facts["std"]),
        "digest": view.digest(),
    }  # fmt: skip
