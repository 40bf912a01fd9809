"""The command line: `python -m helpers ...`.

Exit code 0 only if everything asked for was done, 1 if something failed, 2 for a command that cannot be read.
Each command imports what it needs when it is called, so that `--help` is quick.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from helpers.errors import BookError

app = typer.Typer(
    name="python -m helpers",
    help="A reproduction book of 'ConvNet vs Transformer, Supervised vs CLIP: Beyond ImageNet Accuracy'.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
VARIADIC = ("--only", "--local")  # options that take several values: `--only 03 05`

Profile = Annotated[str, typer.Option(help="Which models, data and sizes: see `plan`.")]
Only = Annotated[list[str] | None, typer.Option(help="Sections by number or name: --only 03 05.", metavar="NN ...")]


@app.command()
def run(
    profile: Profile = "demo",
    only: Only = None,
    models: Annotated[str, typer.Option(help="A named set, or keys with commas.", metavar="A,B")] = "",
    max_images: Annotated[int, typer.Option(min=0, help="Of each set, spread over the classes; 0: all.")] = 0,
    local: Annotated[list[str] | None, typer.Option(help="A stand-in for one artifact.", metavar="ID=PATH")] = None,
    precision: Annotated[str, typer.Option(help="fp32, fp16 or bf16 for models that are run here.")] = "fp32",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 ...")] = "auto",
    batch_size: Annotated[int, typer.Option(min=0, help="Where the search starts; 0 chooses.")] = 0,
    skip_undecodable: Annotated[bool, typer.Option("--skip-undecodable", help="Go on without such images.")] = False,
    compiled: Annotated[bool, typer.Option("--compile", help="Through torch.compile; on a GPU only.")] = False,
    restart: Annotated[bool, typer.Option("--restart", help="Discard an unfinished run of other weights.")] = False,
    shard: Annotated[str, typer.Option(help="One of n parts, without notebooks; then `merge`.", metavar="I/N")] = "1/1",
    jobs: Annotated[int | None, typer.Option(min=1, help="Notebooks at once (default: one per core).")] = None,
) -> None:
    """Run the models that are needed, then execute notebooks; what is there is reused."""
    from helpers.predict import Settings

    part = _shard(shard)
    settings = Settings(
        device, batch_size=batch_size, compile=compiled, skip_undecodable=skip_undecodable, restart=restart, shard=part
    )
    _run(profile, only or [], models, max_images, ",".join(local or []), precision, settings, jobs)


def _run(profile, only, models, max_images, local, precision, settings, jobs) -> None:
    from helpers import profiles
    from helpers.run import notebooks, run_notebooks
    from helpers.run.predictions import compute_first

    asked = profiles.ask(profile, models, max_images, local, precision, settings)
    sections = list(notebooks.choose(notebooks.sections(), only))
    compute_first(asked, sections)
    if settings.shard[1] > 1:
        print("part done; when all parts are, `python -m helpers merge`, then `run` again without --shard")
        return
    given = {"models": models, "max_images": max_images, "local": local, "precision": precision}
    usual = {"models": "", "max_images": 0, "local": "", "precision": "fp32"}
    changed = {name: value for name, value in given.items() if value != usual[name]}
    _exit_if(any(run_notebooks(asked.profile.name, only, changed, jobs).values()))


def _shard(text: str) -> tuple[int, int]:
    part, slash, parts = text.partition("/")
    if not (slash and part.isdigit() and parts.isdigit() and 1 <= int(part) <= int(parts)):
        raise BookError(f"--shard {text}", "I/N with I from 1 to N", "for example --shard 1/4")
    return int(part), int(parts)


@app.command()
def merge() -> None:
    """Put together what several `run --shard I/N` have made."""
    from helpers.predict import merge_parts

    done = merge_parts()
    print("\n".join(done) or "nothing to merge")


@app.command()
def report(
    models: Annotated[list[str], typer.Argument(help="timm:NAME, open_clip:ARCH/TAG or a key.", metavar="MODEL ...")],
    only: Only = None,
    max_images: Annotated[int, typer.Option(min=0, help="Of each set, spread over the classes; 0: all.")] = 0,
    local: Annotated[list[str] | None, typer.Option(help="A stand-in for one artifact.", metavar="ID=PATH")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 ...")] = "auto",
) -> None:
    """The sections for any timm or open_clip models, and their book."""
    from helpers.predict import Settings
    from helpers.run import build_book

    sections = only or ["02", "03", "04"]
    _run("report", sections, ",".join(models), max_images, ",".join(local or []), "fp32", Settings(device), None)
    print(f"open {build_book(profiles=('report',))}")


@app.command()
def bench(
    images: Annotated[int, typer.Option(min=8, help="Photographs in the main comparison.")] = 256,
    probes: Annotated[bool, typer.Option(help="Measure linear probes instead.")] = False,
) -> None:
    """Measure the inference engine on this machine (ratios, cost of views, memory), or the linear probes."""
    if probes:
        from helpers.probe.bench import main as measure_probes

        return measure_probes()
    from helpers.predict.bench import main as measure

    return measure(images)


@app.command()
def book() -> None:
    """Build the pages from what was executed; prints the path to open."""
    from helpers.run import build_book

    print(f"open {build_book()}")


@app.command()
def fetch(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids in data_manifest.yaml.", metavar="ID ...")] = None,
    profile: Annotated[str | None, typer.Option(help="Everything that a profile reads.")] = None,
    local: Annotated[
        list[str] | None, typer.Option(help="A stand-in for one artifact: its results are partial.", metavar="ID=PATH")
    ] = None,
) -> None:
    """Bring data here and verify it."""
    from helpers import profiles
    from helpers.manifest import load_manifest
    from helpers.run.reuse import wanted

    manifest = load_manifest()
    stand_ins = profiles.stand_ins(",".join(local or []))
    names = [*(ids or []), *stand_ins]
    if profile is not None:
        names += wanted(profiles.get(profile).name, manifest)
    if not names:
        raise BookError("fetch", "ids or --profile", "name what to bring: `fetch ID ...` or `fetch --profile P`")
    done = [_fetched(name, manifest, stand_ins) for name in dict.fromkeys(names)]  # one failure stops no other
    _exit_if(not all(done))


def _fetched(name: str, manifest: dict, stand_ins: dict[str, Path]) -> bool:
    from helpers.fetch import fetch as bring

    try:
        print(f"{name}: {bring(name, manifest=manifest, local=stand_ins or None)}")
    except BookError as error:
        print(error, file=sys.stderr)
        return False
    return True


@app.command()
def plan(profile: Profile = "demo", only: Only = None) -> None:
    """Tell what a run would download and execute, and why."""
    from helpers.run.plan import plan_text

    print(plan_text(profile, only or ()))


@app.command()
def doctor(profile: Profile = "demo") -> None:
    """Tell what is installed, reachable and present, and what to do about the rest."""
    from helpers import profiles
    from helpers.run.doctor import as_text, findings

    print(as_text(findings(profiles.get(profile).name)))


@app.command()
def diff(
    first: Annotated[Path, typer.Argument(metavar="A.json")],
    second: Annotated[Path, typer.Argument(metavar="B.json")],
    tolerance: Annotated[float, typer.Option(min=0.0, help="Largest absolute difference that counts as none.")] = 0.0,
) -> None:
    """Name the first key field and the values that differ between two results; exit code 1 if any does."""
    from helpers.results import describe_difference, records

    for path in (first, second):
        if not path.is_file():
            raise BookError(str(path), "a result record, found no file", "give two files of artifacts/results/")
    lines = describe_difference(records.read(first), records.read(second), tolerance)
    print("\n".join(lines) or "no difference")
    _exit_if(bool(lines))


def _exit_if(failed: bool) -> None:
    if failed:
        raise typer.Exit(1)


def spread(arguments: Sequence[str]) -> list[str]:
    """Repeat an option that takes several values before each of them.

    >>> spread(["run", "--only", "03", "05", "--jobs", "2"])
    ['run', '--only', '03', '--only', '05', '--jobs', '2']
    """
    found: list[str] = []
    option = None
    for argument in arguments:
        if argument.startswith("-"):
            option = argument if argument in VARIADIC else None
        elif option is not None and found[-1] != option:
            found.append(option)
        found.append(argument)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: errors for people go to stderr without a traceback."""
    try:
        app(args=spread(sys.argv[1:] if arguments is None else arguments))
    except BookError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
