"""The manifest keeps to its rules, its errors name entry and field, and the licence page shows it literally."""

from __future__ import annotations

import pytest
import yaml
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

from helpers.errors import BookError
from helpers.manifest import SECTIONS, Artifact, licence_table, licences_markdown, load_manifest, lookup
from helpers.models import MODEL_SETS, MODELS

GOOD = {
    "id": "thing", "title": "A thing", "kind": "dataset", "urls": ["https://example.org/a.tar"],
    "filename": "a.tar", "sha256": None, "bytes": None, "licence": None, "sections": ["05_robustness"],
}  # fmt: skip


@pytest.fixture
def load(tmp_path):
    """Load a manifest made of the given entries."""

    def _load(*entries):
        path = tmp_path / "data_manifest.yaml"
        path.write_text(yaml.safe_dump(list(entries)), encoding="utf-8")
        return load_manifest(path)

    return _load


def test_a_minimal_entry_loads_with_unknowns_as_none(load):
    thing = load(GOOD)["thing"]
    assert (thing.sha256, thing.bytes, thing.licence, thing.checksum) == (None, None, None, None)
    assert (thing.access, thing.parts, thing.urls) == ("open", (), ("https://example.org/a.tar",))


def test_entries_are_frozen(load):
    with pytest.raises(ValueError, match="frozen"):
        load(GOOD)["thing"].sha256 = "0" * 64


BAD = {
    "sha256": ({"sha256": "abc"}, "pattern"),
    "md5": ({"md5": "Z" * 32}, "pattern"),
    "bytes": ({"bytes": "12"}, "integer"),
    "kind": ({"kind": "movie"}, "movie"),
    "sections": ({"sections": ["99_nothing"]}, "unknown section"),
    "colour": ({"colour": "red"}, "Extra"),
    "filename": ({"filename": "../a.tar"}, "plain file name"),
    "urls": ({"urls": ["ftp://example.org/a.tar"]}, "http"),
    "hash_prefix": ({"hash_prefix": "crc:1234567"}, "pattern"),
    "unverified": ({"unverified": ["weather"]}, "no field"),
    "steps": ({"access": "manual", "filename": None}, "nothing says how"),
    "package": ({"access": "package"}, "no distribution"),
    "unpack": ({"unpack": "rar"}, "tar"),
    "hub.repo_id": ({"urls": [], "hub": {"repo_id": "x", "revision": None, "files": ["a"]}}, "pattern"),
    "hub.revision": ({"urls": [], "hub": {"repo_id": "x/y", "revision": "main", "files": ["a"]}}, "pattern"),
}


@pytest.mark.parametrize("field", BAD)
def test_a_bad_field_is_refused_by_name(load, field):
    change, why = BAD[field]
    with pytest.raises(BookError, match=why) as error:
        load({**GOOD, **change})
    assert "'thing'" in error.value.thing
    assert f"'{field}'" in error.value.thing


@pytest.mark.parametrize(
    ("change", "field", "why"),
    [
        ({"urls": [], "filename": None}, "urls", "none of urls, hub, package, parts and steps"),
        ({"urls": ["http://example.org/a.tar"]}, "urls", "plain http"),
        ({"parts": ["other"]}, "urls", "no file of its own"),
        ({"hub": {"repo_id": "x/y", "revision": None, "files": ["a"]}}, "hub", "not both"),
        ({"filename": None}, "filename", "needed"),
        ({"see": ["nobody"]}, "see", "another entry"),
    ],
)
def test_an_inconsistent_entry_is_refused(load, change, field, why):
    with pytest.raises(BookError, match=why) as error:
        load({**GOOD, **change})
    assert f"'{field}'" in error.value.thing


@pytest.mark.parametrize("field", ["sha256", "bytes", "licence", "title", "sections"])
def test_unknown_must_be_said(load, field):
    with pytest.raises(BookError) as error:
        load({key: value for key, value in GOOD.items() if key != field})
    assert f"'{field}'" in error.value.thing


def test_plain_http_is_fine_with_a_checksum(load):
    assert load({**GOOD, "urls": ["http://example.org/a.tar"], "sha256": "0" * 64})["thing"].checksum


def test_an_id_twice_is_refused(load):
    with pytest.raises(BookError, match="found it twice"):
        load(GOOD, GOOD)


def test_parts_must_be_files(load):
    whole = {"id": "whole", "title": "W", "kind": "dataset", "licence": None, "sections": ["demo"], "parts": ["thing"]}
    assert load(GOOD, whole)["whole"].parts == ("thing",)
    with pytest.raises(BookError, match="without parts"):
        load(GOOD, whole, {**whole, "id": "more", "parts": ["whole"]})


def test_a_file_that_is_no_list_is_refused(tmp_path):
    path = tmp_path / "data_manifest.yaml"
    path.write_text("a: 1\n", encoding="utf-8")
    with pytest.raises(BookError, match="a list of entries"):
        load_manifest(path)
    path.write_text("- id: [\n", encoding="utf-8")
    with pytest.raises(BookError, match="readable YAML"):
        load_manifest(path)


def test_an_unknown_id_gets_the_nearest_ones():
    with pytest.raises(BookError, match="imagenet1k_val"):
        lookup(load_manifest(), "imagenet1k_vall")


# The shipped file


@pytest.fixture(scope="module")
def shipped() -> dict[str, Artifact]:
    return load_manifest()


def test_every_released_observer_and_weight_file_has_its_entry(shipped):
    assert {f"cue_conflict_decisions_{key}" for key in MODEL_SETS["released_cue_conflict"]} == set(
        shipped["cue_conflict_decisions"].parts
    )
    assert {f"imagenet_x_predictions_{key}" for key in MODEL_SETS["released_imagenet_x"]} == set(
        shipped["imagenet_x_predictions"].parts
    )
    assert {spec.weights for spec in MODELS.values() if spec.weights} <= set(shipped)


def test_the_datasets_of_the_paper_are_there_with_their_sizes(shipped):
    sizes = {
        "imagenet1k_val": 50_000, "imagenet_v2_mf": 10_000, "imagenet_a": 7_500, "imagenet_r": 30_000,
        "imagenet_sketch": 50_889, "imagenet_c": 3_750_000, "cue_conflict": 1_280, "pug_imagenet": 88_328,
        "imagenet_hard": 13_925, "imagenet_real": 50_000, "imagenet_x_testbed": 335,
    }  # fmt: skip
    assert {key: shipped[key].n for key in sizes} == sizes
    assert sum(key.startswith("vtab_") for key in shipped) == 19
    assert sum(shipped[part].bytes for part in shipped["imagenet_c"].parts) == 50_233_328_436


def test_every_section_has_inputs_and_no_id_is_orphaned(shipped):
    used = {section for entry in shipped.values() for section in entry.sections}
    assert set(SECTIONS) - used == set()


def test_files_behind_a_moving_address_are_pinned_by_hash_or_said_to_be_open(shipped):
    """A branch name in an address changes its bytes silently: only a checksum may excuse it."""
    moving = ("/main/", "/master/", "/HEAD/")
    loose = [e.id for e in shipped.values() if any(m in url for url in e.urls for m in moving) and not e.checksum]
    assert loose == []


def test_non_commercial_and_conflicting_licences_are_said(shipped):
    assert shipped["imagenet_x"].licence == "CC-BY-NC-4.0"
    assert "BSD" in shipped["imagenet_x"].licence_note
    assert shipped["pug_imagenet"].licence == "CC-BY-NC-4.0"
    assert shipped["imagenet_r"].licence is None
    assert all(e.gated for e in shipped.values() if "ImageNet terms" in (e.licence or ""))


# The page


def test_the_table_has_one_row_per_set(shipped):
    table = licence_table(shipped).set_index("id")
    parts = {part for entry in shipped.values() for part in entry.parts}
    assert set(table.index) == set(shipped) - parts
    assert table.loc["imagenet_c", "bytes"] == 50_233_328_436
    assert table.loc["imagenet1k_val", "access"] == "by hand, terms or login"
    assert table.loc["vit_b16_clip_laion400m_e31", "checksum"] == "first bytes only"
    assert table.loc["cue_conflict", "checksum"] == "first seen"
    assert table.loc["imagenet_r", "licence"] is None


def test_nasty_text_is_shown_literally(load):
    nasty = "a|b <script>alert(1)</script> $x$ {ref}`y` [z](http://q) *s* ~~t~~ &amp; \\ https://auto.link"
    page = licences_markdown(load({**GOOD, "title": nasty, "notes": nasty, "licence": nasty}))
    config = MdParserConfig(enable_extensions={"dollarmath", "strikethrough"})
    tokens = create_md_parser(config, RendererHTML).parse(page)
    cells = [t for t in tokens if t.type == "inline"]
    plain = ["".join(c.content for c in cell.children) for cell in cells]
    assert sum(text.count(nasty) for text in plain) == 4  # title in table and note, note, licence
    kinds = {child.type for cell in cells for child in cell.children}
    assert kinds <= {"text", "link_open", "link_close", "strong_open", "strong_close", "text_special", "softbreak"}
    links = [c.attrs["href"] for cell in cells for c in cell.children if c.type == "link_open"]
    assert links == ["https://example.org/a.tar"]


def test_the_shipped_page_has_a_row_for_every_set(shipped):
    tokens = MarkdownIt("commonmark").enable("table").parse(licences_markdown(shipped))
    rows = sum(token.type == "tr_open" for token in tokens)
    headings = sum(token.type == "heading_open" for token in tokens)
    assert rows - headings == len(licence_table(shipped))
