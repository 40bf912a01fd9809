"""Reference values and claims of the paper, what third parties published, and the audit of both."""

from helpers.paper.audit import (
    averages,
    base_points,
    calibration_panels,
    equal_bars,
    scene_light,
    shape_figure_against_decisions,
    table_against_figures,
)
from helpers.paper.audit_outside import agreement_with_others, plausible_ranges, released_code
from helpers.paper.claims_table import CLAIMS, Claim
from helpers.paper.compare import compare
from helpers.paper.decode import decode_counts, decoded_bars, overall_error
from helpers.paper.effective import published_effective
from helpers.paper.ledger import Verdict, claim_of, claims_of, components, evaluate, ledger
from helpers.paper.names import FACTORS, PUG_FACTORS, SECTIONS
from helpers.paper.rows import as_rows, detailed_rows
from helpers.paper.sets import SETS, NamedSet, as_paper, held, ledger_of_sets
from helpers.paper.third_party import published_accuracy, third_party
from helpers.paper.values import cka_panels, decisions, values
from helpers.paper.verdicts import VERDICTS, Component

__all__ = [
    "CLAIMS", "FACTORS", "PUG_FACTORS", "SECTIONS", "SETS", "VERDICTS", "Claim", "Component", "NamedSet", "Verdict",
    "agreement_with_others", "as_paper", "as_rows", "averages", "base_points", "calibration_panels", "cka_panels",
    "claim_of", "claims_of", "compare", "components", "decisions", "decode_counts", "decoded_bars", "detailed_rows",
    "equal_bars", "evaluate", "held", "ledger", "ledger_of_sets", "overall_error", "plausible_ranges",
    "published_accuracy", "published_effective", "released_code", "scene_light", "shape_figure_against_decisions",
    "table_against_figures", "third_party", "values",
]  # fmt: skip
