"""The list of every outside thing, `data_manifest.yaml`, as validated frozen entries."""

from helpers.manifest.licences import licence_table, licences_markdown
from helpers.manifest.schema import KINDS, SECTIONS, Artifact, Hub, Package, load_manifest, lookup

__all__ = [
    "KINDS", "SECTIONS", "Artifact", "Hub", "Package", "licence_table", "licences_markdown", "load_manifest",
    "lookup",
]  # fmt: skip
