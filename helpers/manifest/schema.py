"""The shape of one manifest entry, and the reader of the file."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from helpers import paths
from helpers.errors import BookError

SECTIONS = (
    "01_models", "02_mistakes", "03_shape_texture", "04_calibration", "05_robustness", "06_transferability",
    "07_synthetic", "08_invariance", "09_similarity", "10_synthesis", "demo", "book", "tests",
)  # fmt: skip
Kind = Literal["weights", "dataset", "labels", "annotations", "predictions", "results", "code", "package"]
KINDS: tuple[str, ...] = get_args(Kind)

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Md5 = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @field_validator("*", mode="before")
    @classmethod
    def _lists_are_frozen(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value


class Hub(_Strict):
    """Files of one Hugging Face repository at one commit (`revision` null: not known, recorded when first seen)."""

    repo_id: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")]
    repo_type: Literal["model", "dataset"] = "model"
    revision: Annotated[str, Field(pattern=r"^[0-9a-f]{7,40}$")] | None
    files: tuple[str, ...] = Field(min_length=1)


class Package(_Strict):
    """Something that an installed Python distribution carries; `file` is a path inside the module's folder."""

    distribution: str
    module: str
    version: str | None = None
    file: str | None = None


class Artifact(_Strict):
    """One outside thing; the meaning of each field is told at the top of `data_manifest.yaml`."""

    id: Name
    title: str
    kind: Kind
    access: Literal["open", "gated", "manual", "package"] = "open"
    urls: tuple[str, ...] = ()
    filename: str | None = None
    hub: Hub | None = None
    package: Package | None = None
    steps: str | None = None
    sha256: Sha256 | None = None
    md5: Md5 | None = None
    hash_prefix: Annotated[str, Field(pattern=r"^(sha256|md5):[0-9a-f]{6,}$")] | None = None
    bytes: Annotated[int, Field(gt=0)] | None = None
    licence: str | None
    licence_note: str | None = None
    citation: tuple[str, ...] = ()
    gated: bool = False
    unpack: Literal["tar", "zip"] | None = None
    parts: tuple[Name, ...] = ()
    see: tuple[Name, ...] = ()
    sections: tuple[str, ...] = Field(min_length=1)
    n: Annotated[int, Field(gt=0)] | None = None
    notes: str | None = None
    unverified: tuple[str, ...] = ()

    @field_validator("sections")
    @classmethod
    def _known_sections(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for section in value:
            if section not in SECTIONS:
                raise ValueError(f"unknown section {section!r}; known: {', '.join(SECTIONS)}")
        return value

    @field_validator("urls")
    @classmethod
    def _complete_urls(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for url in value:
            pieces = urlsplit(url)
            if pieces.scheme not in {"http", "https"} or not pieces.netloc or not pieces.path.strip("/"):
                raise ValueError(f"{url!r} is not a complete http(s) address")
        return value

    @field_validator("filename")
    @classmethod
    def _plain_name(cls, value: str | None) -> str | None:
        if value is not None and (not value or value.startswith(".") or set(value) & set('/\\:*?"<>|')):
            raise ValueError(f"{value!r} is not a plain file name")
        return value

    @field_validator("unverified")
    @classmethod
    def _known_fields(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name not in cls.model_fields:
                raise ValueError(f"{name!r} is no field of an entry")
        return value

    @model_validator(mode="after")
    def _obtainable(self) -> Artifact:
        problem = _problem(self)
        if problem:
            raise ValueError(problem)
        return self

    @property
    def checksum(self) -> str | None:
        """`algorithm:hex` of the published full checksum, sha256 before md5; None where none is published."""
        if self.sha256:
            return f"sha256:{self.sha256}"
        return f"md5:{self.md5}" if self.md5 else None


_OF_A_FILE = ("urls", "hub", "package", "filename", "sha256", "md5", "hash_prefix", "bytes", "unpack")


def _problem(entry: Artifact) -> str | None:
    """What keeps an entry from being usable, or None."""
    sources = [name for name in ("urls", "hub", "package", "parts", "steps") if getattr(entry, name)]
    if not sources:
        return "urls: none of urls, hub, package, parts and steps tells where it comes from"
    if entry.parts:
        own = next((name for name in _OF_A_FILE if getattr(entry, name)), None)
        return f"{own}: an entry with parts has no file of its own" if own else None
    if unstated := [name for name in ("sha256", "bytes") if name not in entry.model_fields_set]:
        return f"{unstated[0]}: must be stated (null where unknown)"
    if entry.urls and entry.hub:
        return "hub: an entry is either files of a hub or a file behind urls, not both"
    if entry.access == "package" and not entry.package:
        return "package: access is package but no distribution is named"
    if entry.access in {"gated", "manual"} and not entry.steps:
        return f"steps: access is {entry.access} but nothing says how to get it"
    if entry.access == "gated" and not entry.gated:
        return "gated: must be true where access is gated"
    if entry.urls and entry.access != "manual" and entry.kind != "code" and not entry.filename:
        return "filename: needed to keep what the urls give"
    plain = [url for url in entry.urls if url.startswith("http://")]
    if plain and entry.access != "manual" and not entry.checksum:
        return f"urls: {plain[0]} is plain http, which needs a checksum"
    if entry.unpack and not entry.filename:
        return "unpack: needs the filename of the archive"
    return None


def _first_problem(entry_id: object, error: ValidationError) -> BookError:
    first = error.errors()[0]
    field = ".".join(str(piece) for piece in first["loc"]) or "entry"
    message = first["msg"].removeprefix("Value error, ")
    if field == "entry" and ": " in message:
        field, message = message.split(": ", 1)
    found = "" if first["type"] in {"missing", "value_error"} else f", found {first['input']!r}"
    return BookError(
        f"data_manifest.yaml, entry {entry_id!r}, field {field!r}",
        f"a valid value ({message}{found})",
        "correct the entry; the fields are explained at the top of the file",
    )


def _parse(raw: object, number: int) -> Artifact:
    if not isinstance(raw, dict):
        raise BookError(f"data_manifest.yaml, entry number {number}", f"fields with values, found {raw!r}", "indent it")
    entry_id = raw.get("id", f"number {number}")
    try:
        return Artifact.model_validate(raw)
    except ValidationError as error:
        raise _first_problem(entry_id, error) from None


def _check_references(entries: Mapping[str, Artifact]) -> None:
    for entry in entries.values():
        for field in ("parts", "see"):
            for other in getattr(entry, field):
                nested = field == "parts" and other in entries and entries[other].parts
                if other not in entries or other == entry.id or nested:
                    raise BookError(
                        f"data_manifest.yaml, entry {entry.id!r}, field {field!r}",
                        f"the id of another entry without parts, found {other!r}" if nested
                        else f"the id of another entry, found {other!r}",
                        "correct the id or add the entry",
                    )  # fmt: skip


@lru_cache(maxsize=8)
def _load(path: Path, _mtime_ns: int) -> tuple[Artifact, ...]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BookError(path.name, f"readable YAML in UTF-8; {error}", "correct the file at that place") from None
    if not isinstance(raw, list):
        raise BookError(path.name, f"a list of entries, found {type(raw).__name__}", "start each with '- id:'")
    entries: dict[str, Artifact] = {}
    for number, item in enumerate(raw, start=1):
        entry = _parse(item, number)
        if entry.id in entries:
            raise BookError(
                f"data_manifest.yaml, entry {entry.id!r}, field 'id'", "each id once, found it twice", "rename one"
            )
        entries[entry.id] = entry
    _check_references(entries)
    return tuple(entries.values())


def load_manifest(path: Path | None = None) -> dict[str, Artifact]:
    """Every entry of the manifest by id, in the order of the file.

    Raises BookError naming the entry and the field where the file does not keep to its rules.

    >>> load_manifest()["cue_conflict_decisions_vit_clip"].n
    1280
    """
    path = Path(path) if path else paths.resource("data_manifest.yaml")
    if not path.is_file():
        raise BookError(str(path), "the list of artifacts, found no file", "check out or install the project again")
    return {entry.id: entry for entry in _load(path.resolve(), path.stat().st_mtime_ns)}


def lookup(manifest: Mapping[str, Artifact], artifact_id: str) -> Artifact:
    """The entry of an id; BookError with the nearest ids where there is none.

    >>> lookup(load_manifest(), "imagenet1k_val").n
    50000
    """
    if artifact_id in manifest:
        return manifest[artifact_id]
    near = difflib.get_close_matches(artifact_id, manifest, n=3)
    hint = f"use {' or '.join(near)}" if near else "look the id up in data_manifest.yaml"
    raise BookError(f"artifact {artifact_id!r}", "an id of data_manifest.yaml, found none like it", hint)
