"""What a file is by its name and first bytes, and its text as UTF-8."""

from __future__ import annotations

import codecs
import posixpath
import re
from encodings.aliases import aliases

from mcpward.audit import roles
from mcpward.audit.members import Interest, printable
from mcpward.core.late import late
from mcpward.core.source import Language, Role

_LANGUAGES = {
    **dict.fromkeys((".py", ".pyw"), Language.PYTHON),
    **dict.fromkeys((".js", ".mjs", ".cjs", ".jsx"), Language.JAVASCRIPT),
    **dict.fromkeys((".ts", ".mts", ".cts"), Language.TYPESCRIPT),
    ".tsx": Language.TSX,
}
_DECLARATIONS = (".d.ts", ".d.mts", ".d.cts")
_SHEBANG = late(
    rb"#!\s*(?:\S*/)?(?:env\s+(?:-\S+\s+)*)?"
    rb"(?:(python|pypy|uv)|(node|nodejs|bun)|(deno|tsx|ts-node))"
)
SHEBANG_BYTES = 256

_MANIFESTS = late(
    r"package\.json|[tj]sconfig.*\.json|deno\.jsonc?|pyproject\.toml|setup\.cfg|mcpward\.toml"
)
_TEXTS = late(
    r"server\.json|manifest\.json|fastmcp\.json|smithery\.ya?ml|glama\.json"
    r"|(?:[\w.-]+[-_.])?(?:tools|prompts|resources)(?:[-_.]list)?\.json"
    r"|\.?mcp\.json|mcp[-_.](?:config|settings|servers)\.json"
    r"|(?:claude_desktop_config|\.claude)\.json"
    r"|(?:managed-mcp|mcp-config|mcp_servers|cline_mcp_settings)\.json|(?:opencode|\.?crush)\.jsonc?"
    r"|[\w.-]+\.code-workspace|devcontainer\.json"
    r"|(?:[\w.-]+[-_.])?(?:requirements|constraints)[\w.-]*\.txt"
    r"|(?:dockerfile|containerfile)(?:[.-][\w.-]+)?|[\w.-]+\.(?:docker|container)file"
    r"|(?:docker-)?compose[\w.-]*\.ya?ml|\.npmrc|pip\.(?:conf|ini)|uv\.toml|\.env(?:[.-][\w.-]+)?",
    re.IGNORECASE,
)
_CREDENTIALS = late(
    r"config\.(?:json|ya?ml)|.*\.ipynb|\.gitignore|\.pypirc|\.netrc|\.git-credentials"
    r"|.*\.(?:pem|key)|kubeconfig|id_(?:rsa|dsa|ecdsa|ed25519)|.*credentials.*\.json"
    r"|service[-_]?account.*\.json|client_secret.*\.json|token\.json"
    r"|secrets\.(?:toml|ya?ml|json)|settings\.local\.json|.*mcp.*\.json"
)
"""Where credentials lie: settings, notebooks, and files that are made for them."""
_PLACED = late(
    r"(?:^|/)(?:\.(?:vscode|cursor|windsurf|roo|zed|gemini|kiro|amazonq|junie|air|warp|amp|claude"
    r"|augment|copilot|lmstudio|factory|kimi|qoder|trae)/(?:[\w-]+/)?[\w.-]+\.json"
    r"|(?:zed|amp)/settings\.json|\.(?:codex|vibe)/[\w.-]+\.toml"
    r"|\.continue/(?:mcpServers/)?[\w.-]+\.(?:ya?ml|json)|goose/config\.yaml"
    r"|\.github/workflows/[\w.-]+\.ya?ml)"
)
"""Names that only mean something in these folders."""
_PROSE = late(r"readme(?:\.(?:md|rst|txt|markdown))?|METADATA|PKG-INFO", re.IGNORECASE)
_GUIDANCE = late(
    r"(?:SKILL|AGENTS?|CLAUDE|GEMINI|copilot-instructions)(?:\.local)?\.md|\.(?:cursor|windsurf|cline)rules"
    r"|[\w-]+\.mdc",
    re.IGNORECASE,
)
_NO_TEXT = (".md", ".rst", ".dockerignore", ".j2", ".tmpl", ".template", ".tpl")
LOCKS = late(
    r"package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|deno\.lock"
    r"|uv\.lock|poetry\.lock|pdm\.lock|pipfile\.lock|pylock(?:\.[\w-]+)?\.toml|pixi\.lock"
    r"|conda-lock\.ya?ml",
    re.IGNORECASE,
)
"""That they are there is what counts; they are long, and say little that manifests do not."""
ARCHIVES = (".whl", ".tar.gz", ".tgz", ".tar", ".zip", ".mcpb", ".dxt")
OTHER_ARCHIVES = late(r".*\.(?:tar\.\w+|tbz2?|txz|7z|rar|egg|gz|bz2|xz|zst|crate|gem|jar)")
IGNORED = frozenset(
    {
        *(".git", ".hg", ".svn", ".jj", ".bzr", "__pycache__", ".hypothesis"),
        *(".mypy_cache", ".pytest_cache", ".ruff_cache"),
    }
)
_CODINGS = late(
    r"utf_8|ascii|latin_1|iso8859_(?:2|5|15)|cp125[0-2]|koi8_r|gbk|gb2312|gb18030|big5|shift_jis"
    r"|cp932|euc_jp|euc_kr"
)
"""Plain tables only: `utf-7` or `unicode_escape` would show other code than an editor does."""
_COOKIE = late(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_NO_CODE = late(rb"[ \t\f]*(?:#.*)?\r?")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LONE_CR = late(rb"\r(?!\n)")


def language(path: str, head: bytes = b"") -> Language | None:
    """The language of a file by its suffix, or by the first line of a script that has none."""
    name = posixpath.basename(path).lower()
    if name.endswith(_DECLARATIONS):
        return None
    suffix = posixpath.splitext(name)[1]
    if suffix:
        return _LANGUAGES.get(suffix)
    match = _SHEBANG.match(head)
    if match is None:
        return None
    return (Language.PYTHON, Language.JAVASCRIPT, Language.TYPESCRIPT)[(match.lastindex or 1) - 1]


def is_prose(path: str) -> bool:
    """Whether a file is the description that people read before they install a package."""
    return bool(_PROSE.fullmatch(posixpath.basename(path)))


def is_guidance(path: str) -> bool:
    """Whether a file is one that agents read as instructions when they work in the folder."""
    return bool(_GUIDANCE.fullmatch(posixpath.basename(path)))


def is_text(path: str) -> bool:
    """Whether a file is a manifest, a configuration or another text that is no code."""
    name = posixpath.basename(path)
    if is_prose(path) or is_guidance(path):
        return True
    if language(name) or name.lower().endswith(_NO_TEXT):
        return False
    named = (_MANIFESTS, _TEXTS, _CREDENTIALS)
    return any(pattern.fullmatch(name) for pattern in named) or bool(_PLACED.search(path))


def interest(path: str, *, include: frozenset[Role] = frozenset()) -> Interest:
    """What to do with a path, by its name alone."""
    *folders, name = path.split("/")
    if not IGNORED.isdisjoint(folders):
        return Interest.NONE
    script = "." not in name
    if script or language(name) or is_text(path):
        if Role.VENDORED not in include and roles.is_vendored(path):
            return Interest.NONE if script else Interest.NAME
        return Interest.CONTENT
    if name.lower().endswith(ARCHIVES) or LOCKS.fullmatch(name):
        return Interest.NAME
    marks = roles.is_install_mark(name) or (folders and roles.is_install_mark(folders[-1]))
    return Interest.NAME if marks else Interest.NONE


def decoded(data: bytes, spoken: Language) -> bytes | str:
    r"""The text as UTF-8 with `\n` or `\r\n` line breaks, or why it is no text."""
    encoding = _declared(data) if spoken is Language.PYTHON else "utf_8"
    if marked := next((pair for pair in _BOMS if data.startswith(pair[0])), None):
        data, encoding = data[len(marked[0]) :], marked[1]
    elif not _CODINGS.fullmatch(encoding):
        return f"declares the encoding {printable(encoding[:40])}"
    if encoding in ("ascii", "utf_8"):
        text = data.decode("utf-8", "replace")
    else:
        text = data.decode(encoding, "replace")
    data = text.encode("utf-8", "replace")
    if b"\0" in data:
        return "holds NUL bytes"
    # Python and JavaScript end a line at a lone CR; every count of lines here is by LF.
    return _LONE_CR.sub(b"\n", data) if b"\r" in data else data


def _declared(data: bytes) -> str:
    """The encoding that a Python file declares on its first two lines."""
    for line in data[:1000].split(b"\n")[:2]:
        if match := _COOKIE.match(line):
            name = re.sub(r"[-.]", "_", match[1].decode("ascii", "replace").lower())
            # Editors append to the name, and Python ignores it: `utf-8-unix`.
            name = re.sub(r"^(utf_8|latin_1|iso_8859_1|iso_latin_1)_.*", r"\1", name)
            return aliases.get(name, name)
        if not _NO_CODE.fullmatch(line):
            break
    return "utf_8"
