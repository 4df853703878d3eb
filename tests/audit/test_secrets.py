"""Secrets are found in every kind of file, and no output has any of them."""

import importlib.util
import random
from pathlib import Path

import pytest

from mcpward.audit.options import AuditOptions
from mcpward.audit.run import audit_sources
from mcpward.catalog.catalog import load_catalog
from mcpward.core.finding import Confidence, Severity
from mcpward.report.as_text import TextOptions
from mcpward.report.formats import RENDERERS

spec = importlib.util.spec_from_file_location(
    "make_secrets", Path(__file__).parent.parent / "secrets" / "make_secrets.py"
)
make = importlib.util.module_from_spec(spec)
spec.loader.exec_module(make)

RULES = load_catalog().rules
EVERYTHING = AuditOptions(strict=True, severity=Severity.INFO)
SHELL = """
import os
from mcp.server.fastmcp import FastMCP
mcp = FastMCP("tools")

@mcp.tool()
def run(command: str) -> str:
    return os.popen(command + " --token {token}").read()
"""


def rng(seed=1):
    return random.Random(seed)


def audit(files, options=EVERYTHING):
    return audit_sources({path: text.encode() for path, text in files.items()}, options)


def outputs(report):
    options = TextOptions(width=400, verbose=True)
    return [render(report, RULES, options) for render in RENDERERS.values()]


def test_no_output_has_a_secret():
    token, password = make.github(rng()), "Qm7&vx-" + make.text(rng(), 9)
    files = {
        "server.py": SHELL.replace("{token}", token),
        ".env": f"DB_PASSWORD={password}\n",
        "web.ts": f'const apiKey = "{make.text(rng(4), 32)}";\n',
        "mcp.json": f'{{"mcpServers": {{"a": {{"env": {{"A_TOKEN": "{make.text(rng(5), 32)}"}}}}}}}}',
    }
    report = audit(files)
    found = {finding.rule for finding in report.findings}

    assert {"os-command-injection", "hardcoded-secret", "credential-file-published"} <= found
    assert "secret-in-client-config" in found
    for text in outputs(report):
        for secret in (token, password, make.text(rng(4), 32), make.text(rng(5), 32)):
            assert secret not in text
            assert secret[4:12] not in text
        assert "sha256" in text


def test_the_steps_of_other_findings_are_masked():
    token = make.github(rng())
    report = audit({"server.py": SHELL.replace("{token}", token)})
    (flow,) = [f for f in report.findings if f.rule == "os-command-injection"]

    assert flow.steps
    assert all(token not in step.place.code for step in flow.steps)
    assert any("ghp_…(sha256" in step.place.code for step in flow.steps)


def test_a_key_over_several_lines_is_masked_on_each_of_them():
    key = make.pem(rng())
    report = audit({"server.py": f'KEY = """{key}"""\n'})
    lines = key.split("\n")

    assert [f.rule for f in report.findings] == ["hardcoded-secret"]
    assert all(line not in text for line in lines[1:-1] for text in outputs(report))


def test_a_secret_at_the_cut_of_a_long_line_is_masked():
    token = make.github(rng())
    report = audit({"server.py": f'x = "{"word " * 77}{token}"\n'})
    (finding,) = report.findings

    assert "ghp_" not in finding.place.code or "sha256" in finding.place.code
    assert all(token[4:9] not in text for text in outputs(report))


def test_formats_are_errors_and_guesses_are_warnings():
    report = audit({"a.py": f'A = "{make.github(rng())}"\napi_key = "{make.text(rng(7), 30)}"\n'})

    assert [(f.place.start.line, f.level) for f in report.findings] == [
        (1, "error"),
        (2, "warning"),
    ]
    assert report.findings[1].confidence is Confidence.MEDIUM


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("config/.env", "credential-file-published"),
        ("id_rsa", "credential-file-published"),
        ("certs/server.key", "credential-file-published"),
        ("Dockerfile", "hardcoded-secret"),
        ("notebook.ipynb", "hardcoded-secret"),
        ("docker-compose.yml", "hardcoded-secret"),
        (".github/workflows/publish.yml", "hardcoded-secret"),
    ],
)
def test_files_that_are_no_code(path, rule):
    text = make.pem(rng()) if "key" in path or "rsa" in path else f"A_TOKEN={make.github(rng())}\n"
    report = audit({"server.py": "pass\n", path: text})

    assert [(f.rule, f.place.file) for f in report.findings] == [(rule, path)]


def test_files_of_tests_count_less():
    report = audit({"server.py": "pass\n", "tests/.env": f"A_TOKEN={make.github(rng())}\n"})
    (finding,) = report.findings

    assert finding.severity is Severity.LOW
    assert finding.adjustments == ("lower than usual: test file",)


def test_the_search_key_of_a_site_is_public():
    key = make.text(rng(9), 32, "0123456789abcdef")

    assert (
        audit({"a.ts": f"const search = {{ indexName: 'docs', apiKey: '{key}' }};\n"}).findings
        == ()
    )
