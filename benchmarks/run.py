"""The speed of an audit beside other tools on the same files, as a Markdown table."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from corpora import HERE, Corpus, NotAvailableError, build, cache_folder, copies, tiny
from measure import Cost, Job, measure

ROLES = ("test", "example", "docs", "generated", "vendored")
SEMGREP = ("--metrics=off", "--disable-version-check", "--no-git-ignore", "--max-target-bytes=0")


@dataclass(frozen=True)
class Goal:
    """What one measured figure should be: a share of another job's, or a figure of its own."""

    job: str
    peer: str
    """The job it is compared with; for a figure of its own `CPU s` or `MB`."""
    most: float

    @property
    def compares(self) -> bool:
        return self.peer not in ("CPU s", "MB")


GOALS = (
    Goal("mcpward --version", "python -c pass", 2),
    Goal("mcpward tiny", "CPU s", 0.3),
    Goal("mcpward python-10k", "bandit python-10k", 0.75),
    Goal("mcpward python-10k", "semgrep python-10k", 0.15),
    Goal("mcpward typescript-10k", "semgrep typescript-10k", 0.15),
    Goal("mcpward python-100k", "bandit python-100k", 0.5),
    Goal("mcpward python-100k", "semgrep python-100k", 0.3),
    Goal("mcpward python-100k", "parse python-100k", 8),
    Goal("mcpward python-100k", "MB", 250),
    Goal("mcpward typescript-100k", "semgrep typescript-100k", 0.3),
    Goal("mcpward typescript-100k", "parse typescript-100k", 8),
    Goal("mcpward typescript-100k", "MB", 250),
)
CURVE = (2, 5, 10)
"""How many copies of 100,000 lines the last measurements read."""
BAR = 30
"""Characters of the longest bar."""


def main() -> int:
    arguments = _arguments()
    names = ["python-10k", "typescript-10k"]
    if not arguments.quick:
        names += ["python-100k", "typescript-100k", "bundle", "large-bundle"]
    corpora, missing = _corpora(names, arguments)
    with tempfile.TemporaryDirectory() as scratch:
        jobs = _startup() + [job for c in corpora for job in _jobs(c, Path(scratch))]
        grown = [job for job in jobs if "-x" in job.name]
        costs = measure(
            [job for job in jobs if job not in grown],
            arguments.rounds,
            limit=arguments.limit,
            environment=_environment(),
        )
        costs |= measure(grown, 1, limit=arguments.limit, environment=_environment())
    text = "\n\n".join(_report(corpora, costs, missing, arguments.rounds)) + "\n"
    print(text, end="")
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")
    return 1 if any(_met(goal, costs) is False for goal in GOALS) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out all above 10,000 lines")
    parser.add_argument("--rounds", type=int, default=0, help="runs of each job [5, quick 3]")
    parser.add_argument(
        "--curve", type=int, default=max(CURVE), help="most copies of 100,000 lines"
    )
    parser.add_argument("--limit", type=float, default=600, help="seconds one run may take")
    parser.add_argument("--output", type=Path, help="write the table to a file too")
    arguments = parser.parse_args()
    arguments.rounds = arguments.rounds or (3 if arguments.quick else 5)
    if arguments.quick:
        arguments.curve = 0
    return arguments


def _corpora(names: Sequence[str], arguments: argparse.Namespace) -> tuple[list[Corpus], list[str]]:
    """Everything there is to read, and what could not be had.

    A process of its own unpacks it: what this one holds would count as memory of its children.
    """
    found: list[Corpus] = []
    missing: list[str] = []
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as worker:
        found.append(worker.submit(tiny).result())
        for name in names:
            try:
                made = worker.submit(build, name).result()
            except NotAvailableError as error:
                missing.append(f"{name}: {error}")
                continue
            found.append(made)
            if name.endswith("-100k"):
                grown = [worker.submit(copies, made, n) for n in CURVE if n <= arguments.curve]
                found += [one.result() for one in grown]
    return found, missing


# ---- commands ------------------------------------------------------------------------------------


def _startup() -> list[Job]:
    return [
        Job("python -c pass", [sys.executable, "-c", "pass"]),
        Job("mcpward --version", [_tool("mcpward") or "mcpward", "--version"]),
    ]


def _jobs(corpus: Corpus, scratch: Path) -> list[Job]:
    root, name = str(corpus.root), corpus.name
    out = str(scratch / "out")
    everything = [word for role in ROLES for word in ("--include", role)]
    audit = [_tool("mcpward") or "mcpward", "audit", root, "--no-config", "--quiet", *everything]
    jobs = [Job(f"mcpward {name}", [*audit, "--format", "sarif", "--output", out])]
    if "-x" in name:
        return jobs
    jobs.append(Job(f"parse {name}", [sys.executable, str(HERE / "parse_only.py"), root]))
    family = "python" if name.startswith(("python", "tiny")) else "typescript"
    bandit, semgrep = _tool("bandit"), _tool("semgrep")
    if bandit and family == "python":
        quiet = ["--quiet", "--format", "json", "--output", out]
        jobs.append(Job(f"bandit {name}", [bandit, "--recursive", root, *quiet]))
    if semgrep and "bundle" not in name:
        rules = str(HERE / "semgrep" / f"{family}.yml")
        scan = [semgrep, "scan", "--config", rules, "--jobs", "1", *SEMGREP, "--json", "--quiet"]
        jobs.append(Job(f"semgrep {name}", [*scan, "--output", out, root]))
    return jobs


def _tool(name: str) -> str | None:
    """A program of this environment, or of the path."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.is_file() else shutil.which(name)


def _environment() -> Mapping[str, str]:
    """The environment of all jobs: bytecode is kept, as it is where a tool is installed."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    quiet = {"SEMGREP_SEND_METRICS": "off", "SEMGREP_ENABLE_VERSION_CHECK": "0"}
    bytecode = {"PYTHONPYCACHEPREFIX": str(cache_folder() / "bytecode")}
    path = str(Path(sys.executable).parent) + os.pathsep + kept.get("PATH", "")
    return {**kept, **quiet, **bytecode, "PATH": path}


# ---- the report ----------------------------------------------------------------------------------


def _report(
    corpora: Sequence[Corpus], costs: Mapping[str, Cost], missing: Sequence[str], rounds: int
) -> list[str]:
    python = f"{platform.python_implementation()} {platform.python_version()}"
    about = (
        f"CPU seconds (user and system, with children), best of {rounds} interleaved rounds, "
        f"median in brackets; memory of the largest process. {python}, {platform.system()} "
        f"{platform.machine()}, {os.cpu_count()} cores."
    )
    parts = [about, _goals(costs), _costs(corpora, costs)]
    curve = _curve(corpora, costs)
    absent = [f"`{tool}` is not installed: not compared." for tool in _absent()]
    broken = [f"`{name}`: {cost.failure}." for name, cost in costs.items() if cost.failure]
    notes = [*absent, *broken, *missing]
    return [*parts, *curve, *(["\n".join(f"- {note}" for note in notes)] if notes else [])]


def _absent() -> list[str]:
    return [tool for tool in ("bandit", "semgrep") if _tool(tool) is None]


def _met(goal: Goal, costs: Mapping[str, Cost]) -> bool | None:
    """Whether a goal is met; `None` when it could not be measured."""
    value = _value(goal, costs)
    return None if value is None else value <= goal.most


def _value(goal: Goal, costs: Mapping[str, Cost]) -> float | None:
    cost, peer = costs.get(goal.job), costs.get(goal.peer)
    if cost is None or not cost.known:
        return None
    if goal.peer == "MB":
        return cost.peak
    if goal.peer == "CPU s":
        return cost.best
    return cost.best / peer.best if peer is not None and peer.known else None


def _goals(costs: Mapping[str, Cost]) -> str:
    words = {True: "met", False: "**missed**", None: "not measured"}
    rows = []
    for goal in GOALS:
        value = _value(goal, costs)
        unit = "×" if goal.compares else goal.peer
        shown = "–" if value is None else f"{value:.3g} {unit}"
        against = goal.peer if goal.compares else "–"
        rows.append((goal.job, against, shown, f"≤ {goal.most:g} {unit}", words[_met(goal, costs)]))
    return _table(("What", "Compared with", "Measured", "Goal", ""), rows)


def _costs(corpora: Sequence[Corpus], costs: Mapping[str, Cost]) -> str:
    sizes = {
        c.name: f"{c.lines:,} lines, {c.files:,} files, {c.bytes / 1e6:.1f} MB" for c in corpora
    }
    rows = [
        (
            name,
            sizes.get(name.rpartition(" ")[2], ""),
            f"{cost.best:.2f} ({cost.median:.2f})" if cost.known else "–",
            f"{cost.peak:.0f}" if cost.known else "–",
        )
        for name, cost in costs.items()
        if "-x" not in name
    ]
    return _table(("Job", "Reads", "CPU s", "MB"), rows)


def _curve(corpora: Sequence[Corpus], costs: Mapping[str, Cost]) -> list[str]:
    found = []
    for corpus in sorted(corpora, key=lambda c: (c.name.partition("-")[0], c.lines)):
        cost = costs.get(f"mcpward {corpus.name}")
        if cost is None or not cost.known or not corpus.name.startswith(("python-", "typescript-")):
            continue
        found.append((corpus, cost, 1e6 * cost.best / corpus.lines))
    most = max((per for *_, per in found), default=0)
    rows = [
        (
            corpus.name,
            f"{corpus.lines:,}",
            f"{cost.best:.2f}",
            f"{cost.peak:.0f}",
            f"{per:.0f} {'█' * round(BAR * per / most)}",
        )
        for corpus, cost, per in found
    ]
    return [_table(("Corpus", "Lines", "CPU s", "MB", "µs per line"), rows)] if rows else []


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    sys.exit(main())
