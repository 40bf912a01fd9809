"""Staging and building: banners, escaping, contents, links, and a small book built for real."""

import base64
import json
import re
from html import unescape
from urllib.parse import urlsplit

import nbformat
import pytest
import yaml
from book_tools import cell, write_notebook
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from helpers import paths, results
from helpers.errors import BookError
from helpers.run import banner, build, build_book, cache, inserts, notebooks, pages, stage, text, toc
from helpers.run.address import Address, address, fill_in

NOWHERE = Address("", "main")
SOMEWHERE = Address("https://github.com/someone/book", "main")
PIXEL = base64.b64encode(
    bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000"
                  "1f15c4890000000d49444154789c6364f8ffbf1e000584027f5ddba4c30000000049454e44ae426082")
).decode()  # fmt: skip
ROW = dict(
    model="vit_sup", dataset="cue_conflict", view="released.eval", metric="shape_bias", group="overall",
    value=0.4, ci_low=0.3, ci_high=0.5, n=853, unit="fraction", resampled="image",
)  # fmt: skip


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("BOOK_HOME", str(tmp_path))
    return tmp_path


def execute_for_show(source, profile="released", error=None, outputs=()):
    """An executed copy with its record as a run leaves them, without starting a kernel."""
    notebook = notebooks.read(source)
    injected = cell(f"# Parameters\nprofile = {profile!r}", "injected-parameters")
    shown = cell("show()")
    shown["execution_count"] = 4
    shown["outputs"] = list(outputs)
    notebook.cells += [injected, shown]
    notebook.metadata["papermill"] = {"input_path": "/home/somebody/secret"}
    target = paths.executed_dir(profile) / source.name
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, target)
    depends = {"the notebook": notebooks.source_digest(notebooks.read(source))}
    record = cache.RunRecord(
        section=source.stem, profile=profile, parameters={"profile": profile, "n": 3}, depends=depends, inputs={},
        output=cache.file_digest(target), seconds=1.0, finished="2026-01-01T00:00:00Z", error=error,
    )  # fmt: skip
    cache.save(record, target)
    return target


def save_result(section="03_shape_texture", profile="released", status="complete", reason=None, **provenance):
    base = {"artifacts": {"cue_conflict_decisions_vit_sup": "a" * 64}, "finished": "2026-01-02T00:00:00Z"}
    run = results.Run(section, profile, {"n": 3}, {**base, **provenance})
    return results.save(run, [ROW] if status != "unavailable" else [], status, reason)


def page_of(home, where=NOWHERE, **how):
    source = write_notebook(home / "notebooks", "03_shape_texture", "1 + 1", title="Shape or texture?")
    execute_for_show(source, **how)
    return pages.section_page("03_shape_texture", source, where)


def sources(page):
    return [c.source for c in page.notebook.cells]


# Text from files


@given(st.text(max_size=60))
def test_escaped_text_reads_as_itself(raw):
    """Whatever a file says, the page shows these characters and nothing else."""
    shown = MarkdownIt("commonmark").enable("table").enable("strikethrough").renderInline(text.escaped(raw))
    assert "<" not in shown
    assert unescape(shown) == " ".join(raw.split()).replace("\x00", "\ufffd")


@pytest.mark.parametrize(
    "raw", ["<script>x</script>", "![a](http://b)", "{cite}`x`", "$x$", "a|b", "`c`", "<http://x>"]
)
def test_markup_from_a_file_stays_text(raw):
    shown = MarkdownIt("commonmark").renderInline(text.escaped(raw))
    assert unescape(shown) == raw
    assert "<" not in shown
    assert "\\$" in text.escaped(raw) or "$" not in raw


# Banners


@pytest.mark.parametrize(
    ("how", "saved", "title", "said"),
    [
        ({"profile": "released"}, {}, "Released predictions", "no model was run"),
        ({"profile": "demo"}, {"profile": "demo"}, "Demo: this is not a reproduction", ""),
        ({"profile": "paper"}, {"profile": "paper"}, "The real models on the real benchmarks", ""),
        ({}, {"reason": "recorded rows of 2026-01-02 are shown: x"}, "Recorded results", "2026"),
        ({}, {"status": "partial", "reason": "vit_clip: absent"}, "Released predictions", r"vit\_clip\: absent"),
        ({}, {"status": "unavailable", "reason": "no <data>"}, "Not run", "no &lt;data&gt;"),
    ],
)
def test_the_banner_says_what_the_page_shows(home, how, saved, title, said):
    save_result(**saved)
    first = sources(page_of(home, **how))[0]
    lines = first.splitlines()
    assert lines[0] == "# Shape or texture?"
    assert lines[2].endswith(title)
    assert said in first
    assert "A question, and the claim of the paper." in first
    assert first.index(title) < first.index("A question")


def test_a_demo_never_looks_like_a_reproduction(home):
    save_result(profile="demo")
    page = page_of(home, profile="demo")
    assert page.shown.kind == "demo"
    assert "banner-demo" in sources(page)[0]
    assert "not a reproduction" in sources(page)[0]
    assert not any(kind in sources(page)[0] for kind in ("banner-released", "banner-paper", "banner-recorded"))


def test_recorded_rows_are_recognised_as_results_writes_them(home, monkeypatch):
    """The note of `results.or_recorded` is what the banner looks for."""
    copy = save_result()
    monkeypatch.setattr(paths, "resource", lambda name: copy)
    run = results.Run("03_shape_texture", "released", {}, {"artifacts": {}, "finished": None})
    run, rows, status, reason = results.or_recorded(run, results.empty_rows(), {"vit_sup": "no network"})
    record = results.records.read(results.save(run, rows, status, reason))
    run_record = cache.RunRecord("03_shape_texture", "released", {}, {}, {}, None, 1.0, "2026-01-01")
    assert banner.state("03_shape_texture", run_record, record).kind == "recorded"


def test_a_run_of_the_papers_models_is_shown_before_a_demo_that_before_released_predictions(home):
    # A demo page holds the newest rows of the released predictions in its upper half, not the other way round.
    source = write_notebook(home / "notebooks", "03_shape_texture")
    for profile, shown in (("released", "released"), ("demo", "demo"), ("paper", "paper")):
        execute_for_show(source, profile)
        assert pages.section_page("03_shape_texture", source, NOWHERE).shown.kind == shown


@pytest.mark.parametrize(("profile", "kept"), [("demo", True), ("released", False)])
def test_cells_about_the_drawn_world_stand_on_pages_of_the_demo_alone_and_set_off(home, profile, kept):
    source = write_notebook(home / "notebooks", "03_shape_texture")
    notebook = notebooks.read(source)
    notebook.cells += [
        nbformat.v4.new_markdown_cell("## Instrument check\n\nPlanted observers.", metadata={"tags": ["demo"]}),
        nbformat.v4.new_code_cell("planted()", metadata={"tags": ["demo", "hide-input"]}),
    ]
    nbformat.write(notebook, source)
    execute_for_show(source, profile)
    cells = pages.section_page("03_shape_texture", source, NOWHERE).notebook.cells
    found = [c for c in cells if "demo" in notebooks.tags(c)]
    assert len(found) == (2 if kept else 0)
    if kept:
        assert found[0].source.startswith("## Instrument check\n\n`````{container} demo-panel\nPlanted observers.")


def test_a_page_without_execution_says_so_and_shows_recorded_rows(home, monkeypatch):
    source = write_notebook(home / "notebooks", "03_shape_texture", "1 / 0", title="Shape or texture?")
    record = results.records.read(save_result())
    monkeypatch.setattr(results, "recorded", lambda section, profile: record if profile == "released" else None)
    page = pages.section_page("03_shape_texture", source, NOWHERE)
    assert page.shown.kind == banner.NOT_RUN
    assert all(c.cell_type == "markdown" for c in page.notebook.cells)
    assert "python -m helpers run --only 03" in sources(page)[0]
    assert r"shape\_bias" in sources(page)[1]


def test_a_notebook_that_changed_since_is_marked(home):
    page_of(home)
    source = write_notebook(home / "notebooks", "03_shape_texture", "1 + 2", title="Shape or texture?")
    assert "has changed since" in sources(pages.section_page("03_shape_texture", source, NOWHERE))[0]


def test_a_copy_that_an_interrupted_run_left_is_not_shown(home):
    page_of(home)
    copy = paths.executed_dir("released") / "03_shape_texture.ipynb"
    copy.write_text(copy.read_text() + "\n")
    source = home / "notebooks" / "03_shape_texture.ipynb"
    assert pages.section_page("03_shape_texture", source, NOWHERE).shown.kind == banner.NOT_RUN


# Pages


def test_cells_get_the_tags_that_the_book_knows(home):
    save_result()
    page = page_of(home)
    seen = {tag: notebooks.tags(c) for c in page.notebook.cells for tag in notebooks.tags(c)}
    assert seen["parameters"] == ["parameters", "remove-cell"]
    assert seen["setup"] == ["setup", "remove-cell"]
    assert seen["injected-parameters"] == ["injected-parameters", "hide-input"]
    nbformat.validate(page.notebook)


def test_the_footer_holds_provenance_and_no_private_path(home):
    save_result(python="3.11.7", git_commit="0123456789abcdef", git_dirty=True, packages={"numpy": "2.4.6"})
    page = page_of(home)
    footer = sources(page)[-1]
    for said in ("3\\.11\\.7", "0123456789ab with local changes", "a" * 64, "2\\.4\\.6", "--only 03", "parameter n"):
        assert said in footer
    assert "secret" not in nbformat.writes(page.notebook)


def test_the_same_input_gives_the_same_bytes(home):
    save_result()
    first, second = (nbformat.writes(page_of(home).notebook) for _ in range(2))
    assert first == second


def test_an_error_in_the_outputs_stops_the_book_and_names_the_notebook(home):
    broken = nbformat.v4.new_output("error", ename="ValueError", evalue="a\nlast line", traceback=[])
    with pytest.raises(BookError, match=r"notebook 03_shape_texture.*cell 6: ValueError: last line"):
        page_of(home, outputs=[broken])
    with pytest.raises(BookError, match="DeadKernelError"):
        page_of(home, error="DeadKernelError: gone")
    (paths.executed_dir("released") / "03_shape_texture.ipynb").unlink()
    with pytest.raises(BookError, match="DeadKernelError"):
        pages.section_page("03_shape_texture", home / "notebooks" / "03_shape_texture.ipynb", NOWHERE)


# The public address


def test_the_colab_button_is_a_local_picture_and_stands_only_where_there_is_an_address(home):
    assert "colab" not in sources(page_of(home))[0]
    first = sources(page_of(home, where=SOMEWHERE))[0]
    (line,) = re.findall(r"^\[!\[.*$", first, re.MULTILINE)
    assert line.startswith(
        "[![Open 03_shape_texture in Colab](../images/colab-badge.svg)](https://colab.research.google"
    )
    assert line.endswith("/github/someone/book/blob/main/notebooks/03_shape_texture.ipynb)")
    assert paths.resource("book/images/colab-badge.svg").is_file()


def config_with(tmp_path, url):
    path = tmp_path / "_config.yml"
    path.write_text(yaml.safe_dump({"repository": {"url": url, "branch": "main"}}))
    return path


@pytest.mark.parametrize("url", ["http://github.com/a/b", "github.com/a/b", "https://github.com", "https:///a"])
def test_half_an_address_is_refused(tmp_path, url):
    with pytest.raises(BookError, match="complete https address"):
        address(config_with(tmp_path, url))


@pytest.mark.parametrize(("url", "buttons"), [("", False), ("https://github.com/a/b/", True)])
def test_links_to_the_repository_follow_the_address(tmp_path, url, buttons):
    path = config_with(tmp_path, url)
    config = yaml.safe_load(stage._config(path.read_text(), address(path)))
    assert bool(config.get("launch_buttons")) is buttons
    assert bool(config.get("html", {}).get("use_repository_button")) is buttons


def test_the_address_is_written_into_notebooks_and_nothing_else_changes(tmp_path):
    line = 'ADDRESS = ""  # the public address'
    path = write_notebook(tmp_path, "01_a", cell(f"import sys\n{line}\nprint(ADDRESS)"))
    before = path.read_text()
    assert fill_in(tmp_path, NOWHERE) == []
    assert fill_in(tmp_path, SOMEWHERE) == ["01_a.ipynb"]
    assert 'ADDRESS = "https://github.com/someone/book"  # the' in notebooks.read(path).cells[-1].source
    assert fill_in(tmp_path, NOWHERE) == ["01_a.ipynb"]
    assert path.read_text() == before
    write_notebook(tmp_path, "02_b")
    with pytest.raises(BookError, match="found 0"):
        fill_in(tmp_path, SOMEWHERE)


# Contents and inserts


TEMPLATE = """
format: jb-book
root: intro
parts:
  - caption: Sections
    chapters: [{glob: notebooks/0*}]
  - caption: Later
    chapters: [{glob: notebooks/1*}]
  - caption: Rest
    chapters: [{file: end}]
"""


def test_contents_hold_the_pages_that_exist_in_order():
    toc_now = yaml.safe_load(toc.expanded(TEMPLATE, ["end", "notebooks/03_b", "intro", "notebooks/01_a"]))
    assert [part["caption"] for part in toc_now["parts"]] == ["Sections", "Rest"]
    assert [entry["file"] for entry in toc_now["parts"][0]["chapters"]] == ["notebooks/01_a", "notebooks/03_b"]


@pytest.mark.parametrize("names", [["intro"], ["end"], ["intro", "end", "draft"]])
def test_contents_and_pages_must_agree(names):
    with pytest.raises(BookError, match=r"book/_toc\.yml"):
        toc.expanded(TEMPLATE, names)


def test_an_unknown_insert_is_named():
    with pytest.raises(BookError, match=r"'nonsense' in book/intro\.md"):
        inserts.filled("a\n% insert: nonsense\nb", "intro.md", [])


def test_every_insert_is_used_and_filled(home):
    files, _ = stage.staged_files()
    prose = {name: content.decode() for name, content in files.items() if name.endswith(".md")}
    assert not [name for name, content in prose.items() if "% insert:" in content]
    asked = re.findall(r"% insert: (\S+)", "".join(p.read_text() for p in paths.resource("book").glob("*.md")))
    assert set(asked) == set(inserts.INSERTS)


def test_recorded_results_and_the_formula_script_go_to_their_places(home):
    files, _ = stage.staged_files()
    assert "extra/mathjax/tex-svg.js" in files
    assert "extra/mathjax/LICENSE" in files
    assert not [name for name in files if name.startswith(("recorded/", "mathjax/"))]


# A small book for real

TABLE = "<table class='dataframe'><tr><td>&lt;b&gt;</td><td>0.4</td></tr></table>"
OUTPUTS = (
    nbformat.v4.new_output("stream", text="<script>alert(1)</script>\n"),
    nbformat.v4.new_output("stream", name="stderr", text="a progress bar\n"),
    nbformat.v4.new_output("display_data", data={"image/png": PIXEL, "text/plain": "figure"}),
    nbformat.v4.new_output("execute_result", execution_count=4, data={"text/html": TABLE, "text/plain": "t"}),
)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A book of one executed and one unexecuted section, built twice: (pages by name, folder)."""
    home = tmp_path_factory.mktemp("built")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BOOK_HOME", str(home))
        source = write_notebook(home / "notebooks", "03_shape_texture", "r'$x^2$'", title="Shape or texture?")
        write_notebook(home / "notebooks", "05_robustness", "1 / 0", title="Robust to what?")
        save_result(python="3.11.7")
        execute_for_show(source, outputs=OUTPUTS)
        index = build_book(folder=home / "notebooks")
        stamp = index.stat().st_mtime_ns
        assert build_book(folder=home / "notebooks").stat().st_mtime_ns == stamp, "built again though unchanged"
        found = [p for p in index.parent.rglob("*.html") if "_static" not in p.parts]
        return {p.relative_to(index.parent).as_posix(): p.read_text() for p in found}, index.parent


LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src",
         "embed": "src", "object": "data", "link": "href"}  # fmt: skip


def loaded_by(page):
    """What a browser loads for a page without being asked: addresses of scripts, styles, pictures, frames."""
    for tag in BeautifulSoup(page, "html.parser").find_all(list(LOADS)):
        target = tag.get(LOADS[tag.name])
        aside = {"next", "prev", "search", "index"} & set(tag.get("rel") or [])
        if target and not target.startswith("data:") and not aside:
            yield target


@pytest.mark.slow
def test_nothing_that_a_page_loads_lies_outside(built):
    html, folder = built
    targets = [(name, target) for name, page in html.items() for target in loaded_by(page)]
    assert len(targets) > 50
    for name, target in targets:
        assert not urlsplit(target).netloc, f"{name} loads {target}"
        assert ((folder / name).parent / urlsplit(target).path).exists(), f"{name} misses {target}"
    for page in html.values():
        assert not re.search(r"@import|url\([\"']?(https?:)?//", page)
    for sheet in folder.rglob("*.css"):
        assert not re.search(r"(@import\s*(url\()?|url\()[\"']?(https?:)?//", sheet.read_text()), sheet


@pytest.mark.slow
def test_pages_show_banner_figure_and_escaped_output(built):
    page = built[0]["notebooks/03_shape_texture.html"]
    assert "banner-released" in page
    assert "<script>alert(1)</script>" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "a progress bar" not in page
    assert "<td>&lt;b&gt;</td>" in page
    assert re.search(r'<img[^>]+src="\.\./_images/[^"]+\.png"', page)
    assert "How this page was made" in page
    assert "Not run" in built[0]["notebooks/05_robustness.html"]


@pytest.mark.slow
def test_the_first_page_lists_the_sections_with_what_they_show(built):
    intro = re.sub(r"<[^>]+>", " ", built[0]["intro.html"])
    assert re.search(r"Shape or texture\?\s+Released predictions", intro)
    assert re.search(r"Robust to what\?\s+Not run", intro)
    assert (built[1] / "index.html").is_file()


@pytest.mark.slow
def test_no_button_leads_to_a_repository_that_is_not_there(built):
    if address().url:
        pytest.skip("there is a public address")
    for name, page in built[0].items():
        assert "colab" not in page.lower(), name
        assert "executablebooks/jupyter-book" not in page, name


@pytest.mark.slow
def test_formulas_are_drawn_by_the_script_that_comes_along(built):
    config = yaml.safe_load(paths.resource("book/_config.yml").read_text())
    path = config["sphinx"]["config"]["mathjax_path"]
    assert (built[1] / "_static" / path).resolve().is_file()


@pytest.mark.slow
def test_a_warning_fails_the_build_and_is_shown(home, monkeypatch):
    folder = home / "prose"
    (folder / "_static").mkdir(parents=True)
    (folder / "_toc.yml").write_text("format: jb-book\nroot: intro\n")
    (folder / "_config.yml").write_text("title: x\nonly_build_toc_files: true\nexecute: {execute_notebooks: 'off'}\n")
    (folder / "intro.md").write_text("# A\n\n{ref}`nowhere`\n")
    with pytest.raises(BookError, match=r"(?s)without warnings.*intro\.md.*nowhere"):
        build_book(folder, home / "notebooks")
    assert not (paths.artifacts() / "book").exists()


def test_what_is_wrong_is_found_in_a_log():
    log = "reading\n\x1b[31m/b/intro.md:3: WARNING: unknown document\x1b[39m\ndone\n"
    assert build.problems(log) == ["/b/intro.md:3: WARNING: unknown document"]
    assert build.problems("one\ntwo\n", limit=1) == ["two"]


def test_the_mark_of_a_build_changes_with_any_file(home):
    assert json.loads(build._mark({"a": b"1"})) != json.loads(build._mark({"a": b"2"}))
