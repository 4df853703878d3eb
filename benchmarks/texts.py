"""How often the rules about texts speak on labelled descriptions: `texts.py FOLDER [train|dev]`.

The folder holds `train.jsonl.gz` and `dev.jsonl.gz` with one object per line: `text`, `label`
(1 for a poisoned text), `kind`, `technique` and `source`. Every row of kind `metadata` is read as
the description of a tool. Counted is what would be a warning or an error.
"""

import gzip
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mcpward.audit.texts import judged
from mcpward.catalog.catalog import load_catalog
from mcpward.core.finding import Severity
from mcpward.surface.surface import Text

MADE = "synthetic"
Row = dict[str, Any]


def rows(folder: Path, split: str) -> Iterator[Row]:
    with gzip.open(folder / f"{split}.jsonl.gz", "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            if row["kind"] == "metadata":
                yield row


def group(row: Row) -> str:
    kind = "poisoned" if row["label"] else "benign"
    return f"{kind}, {'made' if row['source'].startswith(MADE) else 'found'}"


def main(folder: Path, split: str) -> None:
    catalog = load_catalog()
    rules = [
        (rule, rule.wording)
        for rule in catalog.rules.values()
        if rule.wording is not None and rule.severity >= Severity.MEDIUM
    ]
    spoken, flagged, errors, total, techniques = (Counter() for _ in range(5))
    seconds = 0.0
    for row in rows(folder, split):
        where = group(row)
        total[where] += 1
        started = time.perf_counter()
        found = judged(Text("tools.one", "description", row["text"]), rules, catalog.signals)
        seconds += time.perf_counter() - started
        for rule, _ in found:
            spoken[rule.name, where] += 1
        flagged[where] += bool(found)
        errors[where] += any(
            rule.severity >= Severity.HIGH
            and rule.wording.certain
            and verdict.total >= rule.wording.certain
            for rule, verdict in found
        )
        if row["label"]:
            techniques[row["technique"], bool(found)] += 1
    table([rule.name for rule, _ in rules], spoken, flagged, errors, total)
    print()
    for name in sorted({name for name, _ in techniques}):
        hit, missed = techniques[name, True], techniques[name, False]
        print(f"{name:40}{hit:8} of {hit + missed:6}  {hit / (hit + missed):7.1%}")
    print(f"\n{1000 * seconds / sum(total.values()):.2f} ms per text")


def table(names: list[str], spoken: Counter[tuple[str, str]], *counts: Counter[str]) -> None:
    flagged, errors, total = counts
    groups = sorted(total)
    print(f"{'':40}" + "".join(f"{name:>18}" for name in groups))
    print(f"{'texts':40}" + "".join(f"{total[name]:18}" for name in groups))
    for rule in names:
        print(f"{rule:40}" + "".join(f"{spoken[rule, name]:18}" for name in groups))
    for label, found in (("warnings and errors", flagged), ("errors", errors)):
        parts = (f"{found[name]:9} {found[name] / total[name]:8.2%}" for name in groups)
        print(f"{label:40}" + "".join(parts))
    for kind in ("benign", "poisoned"):
        same = [name for name in groups if name.startswith(kind)]
        hit, whole = sum(flagged[n] for n in same), sum(total[n] for n in same)
        print(f"{kind + ', all':40}{hit:9} {hit / whole:8.2%}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "dev")
