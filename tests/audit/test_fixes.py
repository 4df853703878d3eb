"""Fixes are exact, harmless and final, whatever the file looks like."""

import ast
import json
from functools import cache

import pytest

from mcpward.audit import fixes
from mcpward.audit.collect import collect_memory
from mcpward.audit.edits.spot import Change, parser
from mcpward.audit.edits.table import EDITS
from mcpward.audit.fixes import fix
from mcpward.audit.options import AuditOptions
from mcpward.audit.recognize import language
from mcpward.audit.run import audit_sources
from mcpward.catalog.catalog import load_catalog
from mcpward.core.finding import Severity
from mcpward.core.source import Language

RULES = load_catalog().rules
SERVER = b"""\
import requests
from mcp.server.fastmcp import FastMCP

mcp = FastMCP("status")


@mcp.tool()
def status(service: str) -> str:
    return requests.get("https://status.example/api", verify=False).text
"""


def fixed(files, **options):
    suggested = options.pop("suggested", False)
    return fix(collect_memory(files), AuditOptions(**options), suggested=suggested)


def only(files, name, **options):
    """The one changed file of a target."""
    (change,) = fixed(files, **options).changed
    assert change.path == name
    return change.after


@cache
def examples(rule):
    return [
        {one.file: one.code.encode() for one in project.examples}
        for project in RULES[rule].projects
        if project.section == "vulnerable"
    ]


def counts(files, *, strict):
    report = audit_sources(files, AuditOptions(severity=Severity.INFO, strict=strict))
    return {
        (rule, file): sum((f.rule, f.place.file) == (rule, file) for f in report.findings)
        for rule, file in {(f.rule, f.place.file) for f in report.findings}
    }


def parses(path, data):
    spoken = language(path)
    if spoken is Language.PYTHON:
        ast.parse(data)
    elif spoken is not None:
        assert not parser(spoken).parse(data).root_node.has_error


SAFE = sorted(name for name, rule in RULES.items() if any(r.safe for r in rule.repairs))


def test_thirty_rules_have_a_safe_fix():
    assert len(SAFE) >= 30


@pytest.mark.parametrize("rule", SAFE)
def test_safe_fixes_of_the_vulnerable_examples_do_no_harm(rule):
    applied = 0
    for files in examples(rule):
        done = fixed(files, rules=frozenset({rule}), severity=Severity.INFO)
        after = files | {one.path: one.after for one in done.changed}
        applied += len(done.applied)
        strict = RULES[rule].strict
        before, now = counts(files, strict=strict), counts(after, strict=strict)
        for one in done.changed:
            parses(one.path, one.after)
        for finding in done.applied:
            key = (finding.rule, finding.place.file)
            assert now.get(key, 0) < before[key]
        assert all(now[key] <= before.get(key, 0) for key in now)
        again = fixed(after, rules=frozenset({rule}), severity=Severity.INFO)
        assert again.changed == ()
    assert applied > 0


def test_every_edit_on_a_card_exists():
    assert {one.edit for rule in RULES.values() for one in rule.repairs} == set(EDITS)


def test_the_rest_of_the_file_stays_as_it_is():
    assert only({"server.py": SERVER}, "server.py") == SERVER.replace(
        b", verify=False", b", timeout=60"
    )


def test_line_breaks_of_the_file_are_used():
    server = (
        SERVER + b"\n\n@mcp.tool()\ndef show(shop: str) -> str:\n    print(shop)\n    return shop\n"
    )
    server += b"\n\nmcp.run()\n"
    after = only(
        {"server.py": server.replace(b"\n", b"\r\n")},
        "server.py",
        rules=frozenset({"stdout-pollution"}),
    )

    assert b"import sys\r\n" in after
    assert b"\n" not in after.replace(b"\r\n", b"")
    assert b"print(shop, file=sys.stderr)" in after


def test_a_name_that_means_something_else_is_not_imported_over():
    server = SERVER.replace(b"verify=False", b"timeout=9") + (
        b"\n\nsys = 3\n\n\n@mcp.tool()\ndef show(shop: str) -> str:\n    print(shop)\n    return shop\n"
        b"\n\nmcp.run()\n"
    )

    done = fixed({"server.py": server}, rules=frozenset({"stdout-pollution"}))

    assert done.report.findings
    assert done.changed == ()


def test_text_that_is_not_ascii_does_not_move_the_edit():
    server = SERVER.replace(
        b'"https://status.example/api"', '"https://status.example/äöü/😀"'.encode()
    )

    assert b"verify" not in only({"server.py": server}, "server.py")
    assert "/äöü/😀".encode() in only({"server.py": server}, "server.py")


def test_several_fixes_of_one_call_come_one_after_the_other():
    done = fixed({"server.py": SERVER})

    assert {one.rule for one in done.applied} >= {"tls-verification-disabled", "missing-timeout"}


def test_a_list_over_several_lines_keeps_its_shape():
    server = SERVER.replace(
        b'requests.get("https://status.example/api", verify=False)',
        b'requests.get(\n        "https://status.example/api",\n        verify=False,  # for now\n    )',
    )

    after = only({"server.py": server}, "server.py", rules=frozenset({"tls-verification-disabled"}))

    assert b'requests.get(\n        "https://status.example/api",\n    )' in after


def test_an_argument_is_added_on_a_line_of_its_own():
    server = SERVER.replace(
        b'requests.get("https://status.example/api", verify=False)',
        b'requests.get(\n        "https://status.example/api",  # remark\n    )',
    )

    after = only({"server.py": server}, "server.py")

    assert b'"https://status.example/api",  # remark\n        timeout=60,\n    )' in after


def test_suggested_fixes_are_only_made_when_asked_for():
    server = (
        SERVER.replace(b", verify=False)", b", timeout=9)")
        + b'\nAPI_KEY = "k7Qz2mVx9Tb4Rw6Yp1Ns"\n'
    )

    done = fixed({"server.py": server})

    assert done.changed == ()
    assert done.suggested == 1
    after = only({"server.py": server}, "server.py", suggested=True)
    assert b'API_KEY = os.environ["API_KEY"]' in after


def test_a_fix_that_leaves_the_finding_is_refused(monkeypatch):
    monkeypatch.setitem(EDITS, "remove-argument", (lambda spot, _: [_space(spot)], "x"))

    done = fixed({"server.py": SERVER}, rules=frozenset({"tls-verification-disabled"}))

    assert done.changed == ()
    assert [one.reason for one in done.refused] == ["the finding would still be there"]


def test_a_fix_that_breaks_the_file_is_refused(monkeypatch):
    monkeypatch.setitem(EDITS, "remove-argument", (lambda spot, _: [_space(spot, "((")], "x"))

    done = fixed({"server.py": SERVER}, rules=frozenset({"tls-verification-disabled"}))

    assert done.changed == ()
    assert [one.reason for one in done.refused] == ["the file could no longer be parsed"]


def test_a_fix_that_makes_another_finding_is_refused(monkeypatch):
    def worse(spot, _):
        at = spot.data.index(b", verify=False")
        text = ", timeout=None)\nTOKEN = str('k7Qz2mVx9Tb4Rw6Yp1Ns'"
        return [Change(at, at + len(", verify=False"), text)]

    monkeypatch.setitem(EDITS, "remove-argument", (worse, "x"))
    server = SERVER.replace(b"    return requests.get(", b"    requests.get(").replace(
        b").text", b")"
    )
    extra = b'\nimport os\nOTHER = os.getenv("OTHER", "x")\n'

    done = fixed({"server.py": server + extra}, rules=frozenset({"tls-verification-disabled"}))

    assert done.changed == ()


def test_one_bad_fix_does_not_stop_the_others(monkeypatch):
    edit = EDITS["remove-argument"]
    monkeypatch.setitem(
        EDITS,
        "remove-argument",
        (lambda spot, g: [_space(spot, "((")] if b"BAD" in spot.data else edit[0](spot, g), "x"),
    )
    files = {
        "good.py": SERVER,
        "bad.py": SERVER + b"# BAD\n",
        "fine.py": SERVER.replace(b"status", b"state"),
    }

    done = fixed(files, rules=frozenset({"tls-verification-disabled"}))

    assert [one.path for one in done.changed] == ["fine.py", "good.py"]
    assert [one.finding.place.file for one in done.refused] == ["bad.py"]


def test_the_search_for_fixes_is_bounded(monkeypatch):
    monkeypatch.setattr(fixes, "TRIES", 3)
    monkeypatch.setitem(EDITS, "remove-argument", (lambda spot, _: [_space(spot)], "x"))
    calls = b"".join(
        b'requests.get("https://status.example/%d", verify=False, timeout=9)\n' % n
        for n in range(40)
    )

    done = fixed({"server.py": SERVER + calls}, rules=frozenset({"tls-verification-disabled"}))

    assert done.changed == ()
    assert "too many fixes to check at once" in {one.reason for one in done.refused}


def test_a_document_is_still_strict_json():
    text = b'{"mcpServers": {"a": {"url": "http://a.example.com/mcp", "x": 1}}}\r\n'

    after = only({".mcp.json": text}, ".mcp.json")

    assert after == text.replace(b"http:", b"https:")
    assert json.loads(after)


def test_a_private_host_is_not_made_https_without_a_look():
    text = b'{"mcpServers": {"a": {"url": "http://10.1.2.3/mcp"}}}'

    assert fixed({".mcp.json": text}).changed == ()
    assert b"https://10.1.2.3" in only({".mcp.json": text}, ".mcp.json", suggested=True)


@pytest.mark.parametrize("name", ["repo", "path", "args.ref"])
def test_a_part_that_may_hold_several_segments_is_not_quoted_without_a_look(name):
    server = f"""\
import {{ McpServer }} from "@modelcontextprotocol/sdk/server/mcp.js";
import {{ z }} from "zod";
const server = new McpServer({{ name: "x", version: "1.0.0" }});
server.registerTool("t", {{ inputSchema: {{ {name.removeprefix("args.")}: z.string() }} }}, async ({"args" if "." in name else "{ " + name + " }"}) => {{
  const answer = await fetch(`https://api.example.com/repos/${{{name}}}`);
  return {{ content: [{{ type: "text", text: await answer.text() }}] }};
}});
"""
    files = {"server.ts": server.encode()}
    rules = frozenset({"api-path-injection"})

    assert fixed(files, rules=rules).report.findings
    assert fixed(files, rules=rules).changed == ()
    assert f"encodeURIComponent({name})".encode() in only(
        files, "server.ts", rules=rules, suggested=True
    )


CALL = b'requests.get("https://status.example/api", verify=False)'


@pytest.mark.parametrize(
    ("written", "after"),
    [
        (b'requests.get("https://a.example", verify=False)', b'requests.get("https://a.example")'),
        (
            b'requests.get("https://a.example", verify=False, )',
            b'requests.get("https://a.example", )',
        ),
        (
            b'requests.get(verify=False, url="https://a.example")',
            b'requests.get(url="https://a.example")',
        ),
        (
            b'requests.get(\n        url="https://a.example",\n        verify=False, # x\n        timeout=9)',
            b'requests.get(\n        url="https://a.example",\n        timeout=9)',
        ),
    ],
)
def test_an_argument_goes_with_its_comma(written, after):
    server = SERVER.replace(CALL, written)
    rules = frozenset({"tls-verification-disabled"})

    assert only({"server.py": server}, "server.py", rules=rules) == server.replace(written, after)


@pytest.mark.parametrize(
    ("written", "after"),
    [
        (b"", b"import sys\n\n"),
        (b'"""A server."""\n', b'"""A server."""\nimport sys\n\n'),
        (
            b"from __future__ import annotations\n",
            b"from __future__ import annotations\nimport sys\n\n",
        ),
        (b"import os\n\n", b"import os\nimport sys\n\n"),
        (b"import zlib\n\n", b"import sys\nimport zlib\n\n"),
        (b"from os import path\n\n", b"import sys\nfrom os import path\n\n"),
        (b"import sys\n\n", b"import sys\n\n"),
    ],
)
def test_an_import_is_put_where_a_person_would(written, after):
    body = (
        b"from fastmcp import FastMCP\n\nmcp = FastMCP('x', mask_error_details=True)\n\n\n@mcp.tool\n"
        b"def show() -> str:\n    print(1)\n    return ''\n\n\nmcp.run()\n"
    )
    made = only({"server.py": written + body}, "server.py", rules=frozenset({"stdout-pollution"}))

    assert made == after + body.replace(b"print(1)", b"print(1, file=sys.stderr)")


def test_output_in_many_places_is_sent_elsewhere_everywhere_or_not_at_all():
    server = (
        b"from fastmcp import FastMCP\nmcp = FastMCP('x')\n@mcp.tool\ndef show() -> str:\n"
        b"    print(1)\n    print(2)\n    return ''\nmcp.run()\n"
    )
    rules = frozenset({"stdout-pollution"})

    assert fixed({"server.py": server}, rules=rules).changed == ()
    after = only({"server.py": server}, "server.py", rules=rules, suggested=True)
    assert after.count(b", file=sys.stderr)") == 2
    assert after.count(b"import sys") == 1


def test_what_is_suppressed_is_not_fixed():
    server = SERVER.replace(b".text", b".text  # mcpward: ignore[tls-verification-disabled] inside")

    done = fixed(
        {"server.py": server}, trust_target=True, rules=frozenset({"tls-verification-disabled"})
    )

    assert done.changed == ()


def test_quotes_inside_a_text_do_not_end_it():
    server = SERVER.replace(CALL, b"requests.get(f'https://status.example/{service}', timeout=9)")
    rules = frozenset({"api-path-injection"})

    after = only({"server.py": server}, "server.py", rules=rules)

    assert b"f'https://status.example/{urllib.parse.quote(str(service), safe=\"\")}'" in after


def _space(spot, text=" "):
    return Change(spot.end, spot.end, text)
