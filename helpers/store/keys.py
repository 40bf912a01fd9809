"""What a stored file answers for: the key, and which of its fields differ from what is asked for."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field

from helpers.errors import BookError

SCHEMA = 1
_ABSENT = "absent"


@dataclass(frozen=True)
class PredictionKey:
    """Which model saw which dataset under which view, and every fact that may change a stored number.

    `facts` is plain JSON: hash of the weights, `artifacts` {id: sha256}, hash of the label space, precision,
    dtype, library versions that matter. Batch size, device and time stay out of it. Tuples become lists.
    Raises BookError for an empty name or a fact that is no plain JSON.

    >>> PredictionKey("vit_clip", "cue_conflict", "paper.eval", {"precision": "fp32"}).digest()[:12]
    '2feba68a92b5'
    """

    model: str
    dataset: str
    view: str
    facts: dict = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for name in ("model", "dataset", "view"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value:
                raise BookError(f"{name} of a key", f"a name, found {value!r}", "correct the call")
        thing = f"facts of the key {self.model}, {self.dataset}, {self.view}"
        if not isinstance(self.facts, dict):
            raise BookError(thing, f"a dict, found {type(self.facts).__name__}", "correct the call")
        try:
            plain = json.loads(canonical_json(self.facts))
        except (TypeError, ValueError) as error:
            raise BookError(thing, f"plain JSON values ({error})", "turn them into str, int, float or list") from None
        object.__setattr__(self, "facts", plain)

    def document(self) -> dict:
        """The key as plain JSON, with the version of the store's layout."""
        return {
            "schema": SCHEMA, "model": self.model, "dataset": self.dataset, "view": self.view, "facts": self.facts,
        }  # fmt: skip

    def digest(self) -> str:
        """sha256 of the canonical JSON of the key."""
        return hashlib.sha256(canonical_json(self.document()).encode()).hexdigest()


def canonical_json(document: object) -> str:
    """JSON with sorted keys and no spaces; equal documents give equal text. NaN raises ValueError.

    >>> canonical_json({"b": 1, "a": [0.5]})
    '{"a":[0.5],"b":1}'
    """
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def explain_difference(stored: PredictionKey | dict, wanted: PredictionKey | dict) -> str | None:
    """The first field in which two keys (or key documents) differ, with both values; None if they are equal.

    Order: schema, model, dataset, view, then facts by name; nested facts by their dotted name.

    >>> a = PredictionKey("vit_sup", "val", "paper.eval", {"precision": "fp32", "weights": "ab"})
    >>> b = PredictionKey("vit_sup", "val", "paper.eval", {"precision": "bf16", "weights": "cd"})
    >>> explain_difference(a, b)
    "facts.precision: stored 'fp32', asked for 'bf16'"
    """
    first, second = _flat(stored), _flat(wanted)
    head = [name for name in ("schema", "model", "dataset", "view") if name in first or name in second]
    rest = sorted((first.keys() | second.keys()) - set(head))
    for name in head + rest:
        ours, theirs = first.get(name, _ABSENT), second.get(name, _ABSENT)
        if ours != theirs:
            return f"{name}: stored {_short(ours)}, asked for {_short(theirs)}"
    return None


def _flat(key: PredictionKey | dict) -> dict[str, str]:
    """Dotted name of every leaf -> its canonical JSON (so that 1, 1.0 and True differ)."""
    pairs: dict[str, str] = {}

    def walk(prefix: str, value: object) -> None:
        if isinstance(value, dict) and value:
            for name, inner in value.items():
                walk(f"{prefix}.{name}" if prefix else name, inner)
        else:
            pairs[prefix] = canonical_json(value)

    walk("", key.document() if isinstance(key, PredictionKey) else key)
    return pairs


def _short(value: str) -> str:
    if value == _ABSENT:
        return "nothing"
    text = json.loads(value)
    if isinstance(text, str):
        return repr(text if len(text) <= 40 else text[:12] + "...")
    return value if len(value) <= 60 else value[:57] + "..."
