"""The same target gives the same bytes, whatever the hash seed and the order of its files."""

import hashlib
import os
import random
import subprocess
import sys

import run_javascript
import run_python

from mcpward.audit.run import audit_sources
from mcpward.catalog.catalog import load_catalog
from mcpward.report.as_text import TextOptions
from mcpward.report.formats import RENDERERS


def target():
    """Two servers with some dozen handlers each, in several folders."""
    python = run_python.server(run_python.unit(number, f"same/{number}") for number in range(40))
    javascript = run_javascript.server(
        run_javascript.unit(number, f"same/{number}") for number in range(40)
    )
    single = {
        f"more/one{number}.py": run_python.server([run_python.unit(number, f"one/{number}")])["server.py"]
        for number in range(8)
    }
    return {
        name: text.encode()
        for name, text in ({f"py/{k}": v for k, v in python.items()} | {f"js/{k}": v for k, v in javascript.items()} | single).items()
    }


def sarif(files):
    return RENDERERS["sarif"](audit_sources(files), load_catalog().rules, TextOptions())


def test_the_order_of_files_does_not_matter():
    files = target()
    told = sarif(files)
    assert told.count('"ruleId"') > 60
    for seed in range(2):
        names = list(files)
        random.Random(seed).shuffle(names)
        assert sarif({name: files[name] for name in names}) == told


def test_the_hash_seed_does_not_matter():
    runs = [
        subprocess.Popen(
            [sys.executable, __file__],
            env=os.environ | {"PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("0", "1", "random")
    ]
    told = {run.communicate(timeout=50)[0] for run in runs}
    assert len(told) == 1
    assert len(told.pop().strip()) == 64


if __name__ == "__main__":
    print(hashlib.sha256(sarif(target()).encode()).hexdigest())
