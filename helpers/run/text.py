"""Text from files, made safe to stand in a page."""

from __future__ import annotations

import html
import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|~$^:@%])")


def escaped(text: object) -> str:
    r"""A text as one line of Markdown in which nothing is markup.

    >>> escaped("a_b <script>\n$x$ [y](z)")
    'a\\_b &lt;script&gt; \\$x\\$ \\[y\\]\\(z\\)'
    """
    line = " ".join(str(text).split())
    return html.escape(_SPECIAL.sub(r"\\\1", line), quote=False)


def shortened(text: object, limit: int = 260) -> str:
    """The beginning of a long text, up to the end of a part of it.

    >>> shortened("no network; no mirror; no copy", limit=24)
    'no network; no mirror (and more, see the end of this page)'
    """
    line = " ".join(str(text).split()).rstrip(".")
    if len(line) <= limit:
        return line
    ends = [place for end in ("; ", ". ") if (place := line.rfind(end, 0, limit)) > 0]
    return f"{line[: max(ends, default=limit)].rstrip('.;')} (and more, see the end of this page)"


def table(header: list[str], lines: list[list[object]]) -> str:
    """A Markdown table; every cell is escaped.

    >>> print(table(["model", "n"], [["vit_sup", 3]]))
    | model | n |
    | --- | --- |
    | vit\\_sup | 3 |
    """
    cells = [header, ["---"] * len(header), *[["" if x is None else escaped(x) for x in line] for line in lines]]
    return "\n".join("| " + " | ".join(line) + " |" for line in cells)


def admonition(title: str, body: str, kind: str) -> str:
    """A box with a class of its own. Title and body are Markdown.

    >>> print(admonition("Not run", "No data.", "banner-notrun"))
    ````{admonition} Not run
    :class: banner-notrun
    No data.
    ````
    """
    return f"````{{admonition}} {title}\n:class: {kind}\n{body}\n````"
