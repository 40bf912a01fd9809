"""What a section needs beyond a profile, and what the page says where it could not be run."""

from __future__ import annotations

from collections.abc import Mapping

FOUR = "the four models'"
NEEDS = {
    "05_robustness": {"shifted sets": f"{FOUR} answers to each image of seven sets derived from ImageNet"},
    "06_transferability": {"VTAB": f"{FOUR} features of the training and test images of 19 tasks"},
    "07_synthetic": {"PUG-ImageNet": f"{FOUR} answers to each rendered image"},
    "08_invariance": {"ImageNet-1k": f"{FOUR} answers to the validation images under 15 views"},
    "09_similarity": {"ImageNet-1k": f"the activations of {FOUR} layers on validation images"},
}
COMMAND = "python -m helpers run --profile {} --only {}"


def inputs(section: str, profile: str) -> dict[str, str]:
    """{what a section needs: why this profile has none of it}. Raises BookError for a section without an entry.

    >>> inputs("07_synthetic", "released")
    {'PUG-ImageNet': "the four models' answers to each rendered image are not published; this profile runs no model"}
    """
    from helpers.errors import BookError

    if section not in NEEDS:
        raise BookError(f"section {section!r}", f"one of {', '.join(NEEDS)}", "correct the name")
    tail = "are not published; this profile runs no model" if profile == "released" else "are not in this profile"
    return {name: f"{what} {tail}" for name, what in NEEDS[section].items()}


def of_real(
    section: str, source: str, rows: int, outcome: tuple[str, str | None], profiles: Mapping[str, object]
) -> str:
    """Markdown before what a run of real models found: which profile it is of, or why there is none.

    `rows`: how many there are; `outcome`: status and reason of this run, which is told where it is the source.

    >>> of_real("07_synthetic", "paper", 9, ("complete", None), {})
    '**Run of the profile `paper`: complete.**'
    """
    status, reason = outcome
    if rows:
        return this_run(section, status, reason, profiles).replace("This run", f"Run of the profile `{source}`", 1)
    needed = "; ".join(f"{name}: {why}" for name, why in inputs(section, "released").items())
    real = {name: each for name, each in profiles.items() if name == "paper"}
    said = this_run(section, "unavailable", reason if status == "unavailable" and reason else needed, real)
    return said.replace("This run: not run.", "Not run here.", 1)


def this_run(section: str, status: str, reason: str | None, profiles: Mapping[str, object]) -> str:
    """Markdown for the second half of a page: what was run here, or why not and which command would run it.

    `profiles`: the profiles that there are, by name.

    >>> this_run("07_synthetic", "complete", None, {})
    '**This run: complete.**'
    """
    if status != "unavailable":
        return f"**This run: {status}.**" + (f" {reason[:1].upper()}{reason[1:]}." if reason else "")
    number, able = section.partition("_")[0], [name for name in ("paper", "demo") if name in profiles]
    commands = " or ".join(f"`{COMMAND.format(name, number)}`" for name in able)
    remedy = (
        f"It is run by {commands}, on a machine that has what the profile needs (`python -m helpers doctor`)."
        if able
        else f"The command will be `{COMMAND.format('paper', number)}`; this copy of the book has no profile yet that "
        "runs the networks on these images."
    )
    return f"**This run: not run.** Needed: {reason}. {remedy}"
