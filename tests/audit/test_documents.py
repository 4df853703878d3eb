"""Manifests and configurations in an audit: what is collected, what is told, what is not read."""

import pytest

from mcpward.audit.collect import collect, collect_memory
from mcpward.audit.options import AuditOptions
from mcpward.audit.recognize import is_text
from mcpward.audit.run import audit, audit_sources
from mcpward.core.errors import TargetError
from mcpward.core.finding import Severity, SkipKind

CONFIG = b'{"mcpServers": {"notes": {"command": "npx", "args": ["-y", "notes"]}}}'


def told(files, *rules):
    report = audit_sources(files, AuditOptions(rules=frozenset(rules), severity=Severity.INFO))
    return [(f.place.file, f.severity.word) for f in report.findings]


@pytest.mark.parametrize(
    "path",
    [
        ".mcp.json", "mcp.json", ".cursor/mcp.json", ".vscode/mcp.json", ".vscode/settings.json",
        "claude_desktop_config.json", "mcp_config.json", ".codex/config.toml", "fastmcp.json",
        "manifest.json", "server.json", "smithery.yaml", "a/Dockerfile", "api.Dockerfile",
        "Dockerfile.prod", "compose.yaml", "docker-compose.dev.yml", ".github/workflows/ci.yml",
        ".npmrc", "pip.conf", ".env", ".env.local", "requirements.txt", "dev-requirements.txt",
        ".continue/mcpServers/a.yaml", "opencode.jsonc", "a.code-workspace",
    ],
)  # fmt: skip
def test_what_is_collected(path):
    assert is_text(path)


@pytest.mark.parametrize(
    "path",
    [
        "dockerfile.py",
        "Dockerfile.md",
        "settings.json",
        "config.toml",
        "Dockerfile.j2",
    ],
)
def test_what_is_not_collected(path):
    assert not is_text(path)


def test_a_client_configuration_is_a_target(tmp_path):
    for name in ("mcp.json", "anything.json"):
        file = tmp_path / name
        file.write_bytes(CONFIG)
        report = audit(str(file), AuditOptions(rules=frozenset({"unpinned-launcher"})))
        assert [(f.place.file, f.place.start.line) for f in report.findings] == [(name, 1)]
    assert audit(str(tmp_path), AuditOptions(rules=frozenset({"unpinned-launcher"}))).findings


@pytest.mark.parametrize("files", [{}, {"README.md": b"x"}, {"uv.lock": b""}, {"notes.txt": b"x"}])
def test_nothing_to_read_is_still_an_error(files):
    with pytest.raises(TargetError, match="no configuration"):
        collect_memory(files)


def test_a_file_that_is_nothing_known_is_still_an_error(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("x")

    with pytest.raises(TargetError):
        collect(file)


@pytest.mark.parametrize(
    ("path", "data", "kind"),
    [
        (".mcp.json", b"{", SkipKind.UNPARSABLE),
        (".mcp.json", b"[" * 500, SkipKind.TOO_DEEP),
        ("compose.yaml", b"a: &a [*a]", SkipKind.UNPARSABLE),
        (".mcp.json", b'{"a": "\0"}', SkipKind.UNPARSABLE),
    ],
)
def test_what_cannot_be_read_is_told(path, data, kind):
    report = audit_sources({path: data, "server.py": b"x = 1\n"})

    assert [(s.path, s.kind) for s in report.skipped] == [(path, kind)]


def test_documents_of_tests_and_examples_are_left_alone():
    files = {
        "server.py": b"x = 1\n",
        "tests/.mcp.json": CONFIG,
        "examples/.mcp.json": CONFIG,
        "docs/.mcp.json": CONFIG,
        ".mcp.json": CONFIG,
    }

    assert told(files, "unpinned-launcher") == [(".mcp.json", "medium")]


def test_a_package_that_starts_itself_is_of_low_severity():
    files = {".mcp.json": CONFIG, "package.json": b'{"name": "notes"}'}

    assert told(files, "unpinned-launcher") == [(".mcp.json", "low")]


def test_a_lock_file_above_or_beside_answers_for_a_manifest():
    manifest = b'{"private": true, "scripts": {"start": "x"}, "dependencies": {"a": "*"}}'
    rules = ("missing-lockfile", "unpinned-dependency")

    assert len(told({"a/package.json": manifest, ".mcp.json": CONFIG}, *rules)) == 2
    for lock in ("package-lock.json", "a/yarn.lock", "a/pnpm-lock.yaml"):
        assert told({"a/package.json": manifest, ".mcp.json": CONFIG, lock: b""}, *rules) == []
    assert len(told({"a/package.json": manifest, ".mcp.json": CONFIG, "uv.lock": b""}, *rules)) == 2


def test_many_open_versions_are_one_finding():
    text = "".join(f"package{n}\n" for n in range(50)).encode()
    report = audit_sources(
        {"requirements.txt": text}, AuditOptions(rules=frozenset({"unpinned-dependency"}))
    )

    assert len(report.findings) == 1
    assert "`package0`" in report.findings[0].message
    assert "44 more" in report.findings[0].message


def test_hygiene_never_fails_a_build():
    files = {
        "requirements.txt": b"a\nb\n",
        "package.json": b'{"private": true, "scripts": {"start": "x"}, "dependencies": {"a": "*"}}',
        "Dockerfile": b"FROM node\nCMD x\n",
    }
    rules = {"unpinned-dependency", "missing-lockfile", "unhardened-container"}
    report = audit_sources(files, AuditOptions(rules=frozenset(rules)))

    assert {finding.level for finding in report.findings} == {"note"}
    assert {finding.rule for finding in report.findings} == rules
