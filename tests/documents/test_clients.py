"""One configuration for every client, in the shape that its own file has."""

import pytest

from mcpward.documents.clients import configured_servers
from mcpward.documents.load import read

STDIO = '{"command": "npx", "args": ["-y", "notes"], "env": {"KEY": "x"}}'

CASES = {
    "Claude Desktop": ("claude_desktop_config.json", '{"mcpServers": {"n": STDIO}}'),
    "Claude Code, project": (".mcp.json", '{"mcpServers": {"n": STDIO}}'),
    "Claude Code, local scope": (
        ".claude.json",
        '{"projects": {"/srv": {"mcpServers": {"n": STDIO}}}}',
    ),
    "a plugin": (".mcp.json", '{"n": STDIO}'),
    "VS Code": (".vscode/mcp.json", '{"inputs": [], "servers": {"n": STDIO,},} // c'),
    "VS Code, settings": ("settings.json", '{"mcp": {"servers": {"n": STDIO}}}'),
    "a workspace": ("a.code-workspace", '{"settings": {"mcp": {"servers": {"n": STDIO}}}}'),
    "a dev container": (
        ".devcontainer/devcontainer.json",
        '{"customizations": {"vscode": {"mcp": {"servers": {"n": STDIO}}}}}',
    ),
    "Zed": (".zed/settings.json", '{"context_servers": {"n": STDIO}}'),
    "Zed, older": (
        ".zed/settings.json",
        '{"context_servers": {"n": {"command": {"path": "npx", "args": ["-y", "notes"], "env": {"KEY": "x"}}}}}',
    ),
    "Amp": ("settings.json", '{"amp.mcpServers": {"n": STDIO}}'),
    "Kiro, powers": (".kiro/settings/mcp.json", '{"powers": {"mcpServers": {"n": STDIO}}}'),
    "Cline, nested": (
        "cline_mcp_settings.json",
        '{"mcpServers": {"n": {"transport": {"type": "stdio", "command": "npx", "args": ["-y", "notes"], "env": {"KEY": "x"}}}}}',
    ),
    "OpenCode": (
        "opencode.jsonc",
        '{"mcp": {"n": {"type": "local", "command": ["npx", "-y", "notes"], "environment": {"KEY": "x"}}}}',
    ),
    "Crush": (".crush.json", '{"mcp": {"n": STDIO}}'),
    "Codex": (
        ".codex/config.toml",
        '[mcp_servers.n]\ncommand = "npx"\nargs = ["-y", "notes"]\n[mcp_servers.n.env]\nKEY = "x"\n',
    ),
    "Mistral Vibe": (
        ".vibe/config.toml",
        '[[mcp_servers]]\nname = "n"\ncommand = "npx"\nargs = ["-y", "notes"]\nenv = { KEY = "x" }\n',
    ),
    "Continue": (
        ".continue/config.yaml",
        "mcpServers:\n  - name: n\n    command: npx\n    args: [-y, notes]\n    env: {KEY: x}\n",
    ),
    "Goose": (
        "goose/config.yaml",
        "extensions:\n  n:\n    type: stdio\n    cmd: npx\n    args: [-y, notes]\n    envs: {KEY: x}\n    env_keys: [OTHER]\n",
    ),
    "LibreChat": (
        "librechat.yaml",
        "mcpServers:\n  n:\n    command: npx\n    args: [-y, notes]\n    env: {KEY: x}\n",
    ),
    "fastmcp.json": ("fastmcp.json", '{"mcpServers": {"n": STDIO}}'),
    "a bundle": (
        "manifest.json",
        '{"manifest_version": "0.3", "server": {"type": "node", "mcp_config": STDIO}}',
    ),
}


def servers(path, text):
    return configured_servers(read(path, text.encode()))


@pytest.mark.parametrize(("path", "text"), CASES.values(), ids=CASES)
def test_a_server_that_is_started(path, text):
    (server,) = servers(path, text.replace("STDIO", STDIO))

    assert server.words == ("npx", "-y", "notes")
    assert [(entry.name, entry.value.text) for entry in server.env] == [("KEY", "x")]
    assert server.name in ("n", "server")
    assert not server.disabled


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            ".cursor/mcp.json",
            '{"mcpServers": {"n": {"url": "https://n.example/mcp", "headers": {"A": "b"}}}}',
        ),
        (
            "mcp_config.json",
            '{"mcpServers": {"n": {"serverUrl": "https://n.example/mcp", "headers": {"A": "b"}}}}',
        ),
        (
            ".gemini/settings.json",
            '{"mcpServers": {"n": {"httpUrl": "https://n.example/mcp", "headers": {"A": "b"}}}}',
        ),
        (
            ".codex/config.toml",
            '[mcp_servers.n]\nurl = "https://n.example/mcp"\nhttp_headers = { A = "b" }\n',
        ),
        ("config.yaml", "extensions:\n  n:\n    uri: https://n.example/mcp\n    headers: {A: b}\n"),
        (
            "config.yaml",
            "mcpServers:\n- name: n\n  url: https://n.example/mcp\n  requestOptions: {headers: {A: b}}\n",
        ),
    ],
)
def test_a_server_that_is_connected_to(path, text):
    (server,) = servers(path, text)

    assert (server.name, server.url, server.words) == ("n", "https://n.example/mcp", ())
    assert [(entry.name, entry.value.text) for entry in server.headers] == [("A", "b")]


def test_servers_that_are_switched_off():
    text = '{"mcpServers": {"a": {"command": "x", "disabled": true}, "b": {"command": "x", "enabled": false}}}'

    assert [server.disabled for server in servers(".mcp.json", text)] == [True, True]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("api.json", '{"servers": {"a": {"url": "https://api.example"}}}'),
        ("openapi.yaml", "servers:\n- url: https://api.example\n"),
        ("package.json", '{"mcpServers": 1, "extensions": {"a": {"command": "x"}}}'),
        (".mcp.json", '{"mcpServers": {"n": {"command": 1}, "m": []}}'),
        ("config.yaml", "extensions: [a]\n"),
    ],
)
def test_what_is_no_client_configuration(path, text):
    assert servers(path, text) == ()


def test_a_server_knows_its_line():
    document = read(
        ".mcp.json", b'{\n "mcpServers": {\n  "n": {\n   "command": "npx",\n   "args": ["notes"]}}}'
    )
    (server,) = configured_servers(document)

    assert document.place(server.node).start == (3, 8)
    assert document.place(server.args[0]).start == (5, 13)
