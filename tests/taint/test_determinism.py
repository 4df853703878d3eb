"""The same target gives the same bytes, whatever the hash seed and the order of its files."""

import hashlib
import os
import random
import subprocess
import sys

import generate_programs
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
        run_javascript.unit(number, f"same/{number}") for number in range(8, 40)
    )
    single = {
        f"more/one{number}.py": run_python.server([run_python.unit(number, f"one/{number}")])[
            "server.py"
        ]
        for number in range(8)
    }
    return {
        name: text.encode()
        for name, text in (
            {f"py/{k}": v for k, v in python.items()}
            | {f"js/{k}": v for k, v in javascript.items()}
            | single
        ).items()
    }


def two_paths():
    """A server in which data comes on two paths."""
    program = """\
let fields = { a: "v", b: "w" };
fields.zz ??= text;
let got = fields.zz;
execSync(JSON.parse(JSON.stringify([got]))[0]);
"""
    unit = run_javascript.laid_out(generate_programs.written(program, 7))
    return {name: text.encode() for name, text in run_javascript.server([unit]).items()}


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


def hashes(what, seeds):
    """The different outputs of this file as a program, under these hash seeds."""
    runs = [
        subprocess.Popen(
            [sys.executable, __file__, what],
            env=os.environ | {"PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in seeds
    ]
    told = {run.communicate(timeout=50)[0].strip() for run in runs}
    assert {len(line) for line in told} == {64}
    return told


def test_the_hash_seed_does_not_matter():
    assert len(hashes("target", ("0", "1", "23", "random"))) == 1


def test_the_hash_seed_does_not_choose_between_two_paths():
    assert len(hashes("paths", map(str, range(16)))) == 1


if __name__ == "__main__":
    files = target() if sys.argv[1] == "target" else two_paths()
    print(hashlib.sha256(sarif(files).encode()).hexdigest())
