"""The share of findings at level error that people who read the code call right."""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
NEAR = 20
"""Lines that code may have moved since it was judged."""
VERDICTS = ("true", "false", "arguable")


@dataclass(frozen=True)
class Result:
    """One finding of a SARIF report."""

    package: str
    rule: str
    file: str
    line: int
    level: str


def results(package: str, report: Mapping[str, Any]) -> Iterator[Result]:
    """The results of a report that are not suppressed, once each."""
    seen = set()
    for run in report.get("runs", []):
        for result in run.get("results", []):
            place = result["locations"][0]["physicalLocation"]
            found = Result(
                package,
                result["ruleId"],
                place["artifactLocation"]["uri"],
                place["region"]["startLine"],
                result.get("level", "warning"),
            )
            if not result.get("suppressions") and found not in seen:
                seen.add(found)
                yield found


def read_verdicts(text: str) -> list[dict[str, Any]]:
    """The tables of a verdict file.

    Raises ValueError for one that says something else than it may.
    """
    rows: list[dict[str, Any]] = tomllib.loads(text).get("finding", [])
    for row in rows:
        if set(row) - {"level"} != {"package", "rule", "file", "line", "verdict", "why"}:
            raise ValueError(f"a verdict has other keys than it must: {row}")
        if row["verdict"] not in VERDICTS:
            raise ValueError(f"a verdict is none of {', '.join(VERDICTS)}: {row}")
    return rows


def verdict(result: Result, rows: Sequence[Mapping[str, Any]]) -> str:
    """What was said about a finding; nothing when nobody has."""
    near = [
        (abs(row["line"] - result.line), row["verdict"])
        for row in rows
        if (row["package"], row["rule"]) == (result.package, result.rule)
        and f"/{result.file}".endswith(f"/{row['file']}")
        and abs(row["line"] - result.line) <= NEAR
    ]
    return min(near)[1] if near else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reports", type=Path, help="a folder with <package>.sarif files")
    parser.add_argument("--verdicts", type=Path, default=HERE / "verdicts.toml")
    parser.add_argument("--level", default="error", help="the level that is judged [error]")
    arguments = parser.parse_args()
    rows = read_verdicts(arguments.verdicts.read_text(encoding="utf-8"))
    found = [
        result
        for path in sorted(arguments.reports.glob("*.sarif"))
        for result in results(path.stem, json.loads(path.read_text(encoding="utf-8")))
        if result.level == arguments.level
    ]
    counts = Counter(verdict(result, rows) for result in found)
    judged = sum(counts[word] for word in VERDICTS)
    share = f"{100 * counts['true'] / judged:.1f} %" if judged else "unknown"
    said = ", ".join(f"{counts[word]} {word}" for word in VERDICTS)
    print(f"level {arguments.level}: {len(found)} findings; {said}; precision {share}")
    for result in found:
        if not verdict(result, rows):
            print(f"no verdict: {result.package} {result.rule} {result.file}:{result.line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
