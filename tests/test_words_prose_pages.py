"""Prose pages and figures that rest on the paper's own numbers: front page, audit, overview, differences."""

import base64
import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from helpers import paper, paths, plots, words
from helpers.models import MODELS
from helpers.paper.names import PAPER_MODELS, SHIFTED, VTAB
from helpers.paper.verdicts import HOLDS
from helpers.run import inserts
from helpers.words.parts import PARTS

DRAWN = ("05_robustness", "06_transferability", "07_synthetic", "08_invariance")


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def ledger():
    return paper.ledger()


# Prose pages


def test_inserts_and_parts_name_the_same():
    assert set(inserts.WORDS) == set(PARTS)


@pytest.mark.parametrize("name", [name for name in PARTS if name.startswith("audit")])
def test_audit_parts_hold_a_readable_table(name):
    text = PARTS[name]()
    before, _, table = text.partition('<div class="table-scroll">')
    rows = BeautifulSoup(table, "html.parser").select("tbody tr")
    assert len(rows) >= 3
    assert not re.search(r"\b(nan|None|NaN|inf)\b", BeautifulSoup(text, "html.parser").get_text(" "))
    assert "_sup" not in before
    assert "\n\n" not in table.strip()  # a blank line would end the table in Markdown


def test_front_page_says_five_sentences_and_draws_eight_panels():
    sentences = words.front.answer().split("\n")
    assert [line.split(".")[0] for line in sentences] == list("12345")
    image = BeautifulSoup(words.front.figure(), "html.parser").img
    drawing = base64.b64decode(image["src"].split(",")[1])
    assert drawing.count(b'id="axes_') == 8
    assert all(MODELS[model].label in image["alt"] for model in PAPER_MODELS)


def test_front_figure_is_the_same_twice():
    assert words.front.figure() == words.front.figure()


def test_prose_pages_state_no_result_by_hand():
    """Percent signs, intervals and decimals belong to inserts; versions and rules may stand in the prose."""
    for name in ("audit", "reviewers", "summary"):
        text = paths.resource(f"book/{name}.md").read_text(encoding="utf-8")
        prose = "\n".join(line for line in text.splitlines() if not line.startswith("% insert"))
        assert not re.findall(r"\d+\.\d+|\d+ ?%", prose), name


# Figures


@pytest.mark.parametrize(("section", "order"), [("05_robustness", SHIFTED), ("06_transferability", VTAB)])
def test_difference_figure_draws_one_mark_per_pair_and_line(section, order):
    rows = words.differences.differences(section)
    ax = plots.differences.differences(rows, order, names=words.titles.names_of(order))
    marks = [line for line in ax.lines if len(line.get_xdata()) == 1]
    assert len(marks) == 2 * len(order)
    for line in marks:
        ahead = "convnext_sup" if line.get_xdata()[0] >= 0 else "vit_sup"
        assert line.get_color() == MODELS[ahead].colour


def test_sweeps_of_differences_keep_the_order_of_settings():
    rows = words.invariance.settings(words.differences.differences("08_invariance"))
    ax = plots.differences.along(rows, "scale")
    assert [text.get_text() for text in ax.get_xticklabels()] == ["1", "1.25", "1.5", "2", "3"]
    assert len([line for line in ax.lines if line.get_marker() in "os"]) == 2


def test_verdict_figure_draws_every_statement(ledger):
    claims = words.synthesis.own_claims(ledger)
    ax = plots.overview.verdicts(claims, paper.SECTIONS)
    assert sum(len(line.get_xdata()) for line in ax.lines) == len(claims)
    said = [text.get_text() for text in ax.figure.legends[0].get_texts()]
    assert f"holds ({(claims.verdict == HOLDS).sum()})" in said


def test_titles_exist_for_everything_that_is_drawn():
    for section in DRAWN[:2]:
        for dataset in paper.as_rows(section).dataset.unique():
            assert "_" not in words.titles.name_of(dataset)
    groups = set(paper.as_rows("07_synthetic").group)
    assert groups == set(words.titles.FACTORS)


def test_disagreement_figure_keeps_figure_and_decisions_apart():
    ax = plots.disagreement.figure_against_decisions(words.disagreement.shape_texture_table(), "convnext_clip")
    released, figure = ax.lines
    assert not np.allclose(released.get_xdata(), figure.get_xdata(), atol=0.01)
    assert pd.Series(released.get_xdata()).between(0, 1).all()


def test_links_to_sections_that_are_not_staged_become_text():
    text = "See [What holds](notebooks/10_synthesis.ipynb) and [the audit](audit.md)."
    assert inserts.filled(text, "intro.md", []) == "See What holds and [the audit](audit.md)."
    staged = [type("Staged", (), {"section": "10_synthesis"})]
    assert inserts.filled(text, "intro.md", staged) == text
