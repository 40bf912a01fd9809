"""The committed results: recomputed from the published files where these are present, and the same."""

import pytest

from helpers import paths, results
from helpers.run import run_notebooks

SECTIONS = ("02_mistakes", "03_shape_texture", "04_calibration")


@pytest.fixture
def online(mirror, monkeypatch):
    """The mirror, as a run sees it."""
    monkeypatch.setenv("BOOK_MIRROR", str(mirror))


@pytest.mark.slow
def test_recorded_results_are_what_the_published_files_give(online):
    outcomes = run_notebooks("released", SECTIONS)
    assert not any(outcomes.values()), outcomes
    for section in SECTIONS:
        ours, kept = results.load(section, "released"), results.recorded(section, "released")
        assert ours.status == kept.status == "complete"
        # Machines differ in the last bits; a resampled interval may then move by less than one image.
        assert results.describe_difference(ours, kept, tolerance=1e-6) == []


@pytest.mark.parametrize("section", ["01_models", *SECTIONS])
def test_a_record_says_what_it_rests_on(section):
    kept = results.recorded(section, "released")
    assert kept.profile == "released"
    assert kept.status == "complete"
    assert kept.provenance["finished"]
    assert kept.provenance["python"]
    assert section == "01_models" or kept.provenance["artifacts"], "hashes of the inputs"
    assert kept.rows.value.notna().any()


def test_no_record_is_empty():
    for path in paths.resource("book/recorded").rglob("*.json"):
        assert len(results.records.read(path).rows), path
