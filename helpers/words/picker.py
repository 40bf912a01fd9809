"""Which model? A small widget: must-haves as thresholds, then who leads in what; and a table without scripts."""

from __future__ import annotations

import html
import json

import pandas as pd
from IPython.display import HTML

from helpers import paths
from helpers.paper.names import CLIP, PAPER_MODELS
from helpers.plots.style import label
from helpers.words.choices import CHOICES, Choice, said_sources

SCRIPT = "picker.js"
SHOWN = ("convnext_sup", "vit_sup")  # compared first


def payload(rows: pd.DataFrame) -> dict:
    """What the script reads: models, and per property its values and the differences of every two. `rows`: `table()`.

    >>> from helpers.words.choices import table
    >>> sorted(payload(table())["properties"][0]["values"])
    ['convnext_clip', 'convnext_sup', 'vit_clip', 'vit_sup']
    """
    models = {model: {"label": label(model), "words": model in CLIP} for model in PAPER_MODELS}
    there = [choice for choice in CHOICES if (rows.choice == choice.id).any()]
    return {"models": models, "properties": [_property(choice, rows) for choice in there]}


def _property(choice: Choice, rows: pd.DataFrame) -> dict:
    mine = rows[rows.choice == choice.id].set_index("model")[["value", "low", "high"]].astype(object)
    mine = mine.where(mine.notna(), None)
    parts = {name: dict(row) for name, row in mine.iterrows()}
    pairs = {name: part for name, part in parts.items() if " - " in name}
    return {
        "id": choice.id, "title": choice.title, "better": choice.better, "unit": choice.unit, "digits": choice.digits,
        "values": {name: part for name, part in parts.items() if name not in pairs}, "differences": pairs,
    }  # fmt: skip


def embedded(data: dict) -> str:
    """JSON that can stand inside a script element: nothing in it ends the element or begins a comment.

    >>> embedded({"a": "</script><!--"})
    '{"a": "\\\\u003c/script\\\\u003e\\\\u003c!--"}'
    """
    text = json.dumps(data, allow_nan=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def widget(rows: pd.DataFrame) -> HTML:
    """The picker as HTML with its script and data inside: no server, no network; keyboard and phone.

    Without scripts a table of all numbers stands in its place. Everything is escaped.
    """
    data, script = payload(rows), paths.reference(SCRIPT).read_text(encoding="utf-8")
    fields = "".join(_field(each) for each in data["properties"] if each["better"] != "none")
    selects = "".join(_select(number, chosen) for number, chosen in enumerate(SHOWN))
    return HTML(
        '<div class="picker"><div class="picker-live" hidden>'
        '<form class="picker-form" autocomplete="off"><fieldset><legend>Must-haves (leave empty what does not matter)'
        f"</legend>{fields}{_WORDS}</fieldset>"
        '<button type="reset">Clear</button></form>'
        '<div class="picker-result" role="status" aria-live="polite"></div>'
        f"<fieldset><legend>Compare two</legend>{selects}</fieldset>"
        f'<div class="table-scroll">{_PAIRS}</div></div>'
        f"<noscript>{static_table(data)}</noscript>"
        f"<p><small>{html.escape(said_sources(rows))} {_SMALL_PRINT}</small></p>"
        f'<script type="application/json">{embedded(data)}</script><script>{script}</script></div>'
    )


_WORDS = (
    '<label class="picker-check"><input type="checkbox" name="words"> classes given in words, without training</label>'
)
_PAIRS = (
    '<table class="table book-table picker-pairs"><caption></caption><thead><tr><th scope="col">property</th>'
    '<th scope="col">who leads</th><th scope="col">by how much, and is it resolved?</th></tr></thead>'
    "<tbody></tbody></table>"
)
_SMALL_PRINT = (
    "Brackets: 95 % intervals over new images of the same kind, between these checkpoints; for differences between "
    "printed numbers the widest that the numbers allow. A shape bias is neither good nor bad."
)


def _field(each: dict) -> str:
    word = "at most" if each["better"] == "low" else "at least"
    step = f"{10 ** -each['digits']:g}"
    title, name = html.escape(each["title"]), html.escape(each["id"], quote=True)
    return (
        f'<label class="picker-field"><span>{title} {word}</span>'
        f'<input type="number" inputmode="decimal" min="0" step="{step}" name="{name}"></label>'
    )


def _select(number: int, chosen: str) -> str:
    options = "".join(
        f'<option value="{model}"{" selected" if model == chosen else ""}>{html.escape(label(model))}</option>'
        for model in PAPER_MODELS
    )
    name = ("first", "second")[number]
    return f'<label class="picker-select"><span>{name} model</span><select>{options}</select></label>'


def static_table(data: dict) -> str:
    """All numbers with their intervals as a plain table, for pages without scripts.

    >>> from helpers.words.choices import table
    >>> static_table(payload(table())).count("<tr>") == 1 + len(payload(table())["properties"])
    True
    """
    head = "".join(f"<th>{html.escape(each['label'])}</th>" for each in data["models"].values())
    lines = []
    for each in data["properties"]:
        cells = "".join(f"<td>{html.escape(_text(each['values'][m], each['digits']))}</td>" for m in data["models"])
        lines.append(f"<tr><th>{html.escape(each['title'])}</th>{cells}</tr>")
    return (
        '<div class="table-scroll"><table class="table book-table"><thead><tr><th>property</th>'
        f"{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _text(part: dict, digits: int) -> str:
    text = f"{part['value']:.{digits}f}"
    return text if part["low"] is None else f"{text} [{part['low']:.{digits}f}, {part['high']:.{digits}f}]"
