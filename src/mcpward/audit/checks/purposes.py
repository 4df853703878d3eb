"""Rules about what a package has or does beside what it says it is for."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from mcpward.audit.addresses import foreign
from mcpward.audit.sites import Site, uses
from mcpward.audit.subject import Sighting, Subject
from mcpward.core.finding import Confidence
from mcpward.core.privilege import Chosen, Privilege, Sort
from mcpward.core.source import Language, Role
from mcpward.documents.commands import entries
from mcpward.documents.packages import dependencies
from mcpward.documents.tree import Document, Scalar, scalars

_MANIFESTS = {"package.json": "npm", "pyproject.toml": "python"}
_DESCRIPTIONS = ("package.json", "pyproject.toml", "server.json", "manifest.json")
_READ = 200_000
"""Characters of a description that are looked at."""
_TOLD = 200
"""Characters of text below which a package describes nothing, so that nothing can be missing."""
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class _Group:
    """Packages that give a program one ability."""

    ability: str
    words: re.Pattern[str]
    """What a description says that explains it."""
    npm: tuple[str, ...]
    python: tuple[tuple[str, str], ...]
    """Names of packages, each with the module that is imported."""
    used: bool = True
    """Whether it is also told when the code imports it."""


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_GROUPS = (
    _Group(
        "send mail",
        _words(r"mail|smtp|imap|inbox|newsletter|notif"),
        ("nodemailer", "imapflow", "smtp-client", "@sendgrid/mail"),
        (("aiosmtplib", "aiosmtplib"), ("yagmail", "yagmail"), ("sendgrid", "sendgrid")),
    ),
    _Group(
        "use wallets",
        _words(r"wallet|chain|crypto|ethereum|evm|solana|bitcoin|web3|defi|nft|token|swap|payment"),
        ("ethers", "web3", "viem", "@solana/web3.js", "bitcoinjs-lib", "bip39"),
        (("web3", "web3"), ("eth-account", "eth_account"), ("solana", "solana")),
    ),
    _Group(
        "control keyboard and mouse",
        _words(r"keyboard|mouse|desktop|automat|gui\b|computer|input|hotkey|click"),
        ("robotjs", "iohook", "uiohook-napi", "node-global-key-listener", "@nut-tree/nut-js"),
        (("pynput", "pynput"), ("pyautogui", "pyautogui"), ("keyboard", "keyboard")),
    ),
    _Group(
        "open shells on other machines",
        _words(r"ssh|sftp|scp\b|remote|deploy|vps|tunnel|host|network|device|router|cluster"),
        ("ssh2", "node-ssh", "ssh2-sftp-client"),
        (("paramiko", "paramiko"), ("asyncssh", "asyncssh"), ("fabric", "fabric")),
    ),
    _Group(
        "open tunnels into this machine",
        _words(r"tunnel|ngrok|expos|public url|webhook|callback|share"),
        ("ngrok", "@ngrok/ngrok", "localtunnel"),
        (("pyngrok", "pyngrok"), ("ngrok", "ngrok")),
    ),
    _Group(
        "talk to web servers",
        _words(
            r"https?://(?!json-schema|github\.com|www\.npmjs|img\.)|\bapi\b|\bweb|url|fetch|cloud"
        ),
        ("axios", "node-fetch", "got", "request", "superagent"),
        (("requests", "requests"), ("aiohttp", "aiohttp")),
        used=False,
    ),
)


# ── dependencies ──────────────────────────────────────────────────────────────────────────────


def capability_dependency_mismatch(subject: Subject) -> Iterator[Sighting]:
    """Dependencies that give an ability which nothing in the package speaks of."""
    said = _described(subject)
    for path, document in subject.documents.items():
        manager = _MANIFESTS.get(posixpath.basename(path))
        code = _code(subject, manager) if manager else b""
        if manager is None or not code:
            continue
        scripts = _scripts(document)
        for one in dependencies(document):
            found = _group(manager, one.name)
            if found is None or found[0].words.search(said) or one.name in scripts:
                continue
            group, module = found
            imported = _imports(code, module, manager)
            if imported and not group.used:
                continue
            how = "nothing says that it does" if imported else "no code imports it"
            detail = f"`{one.name[:60]}` lets this package {group.ability}, and {how}"
            yield Sighting(document.place(one.node), detail, confidence=Confidence.MEDIUM)


def _group(manager: str, name: str) -> tuple[_Group, str] | None:
    """The group of a package, and what code imports of it."""
    for group in _GROUPS:
        if manager == "npm" and name in group.npm:
            return group, name
        for package, module in group.python if manager == "python" else ():
            if package == name.lower().replace("_", "-"):
                return group, module
    return None


def _code(subject: Subject, manager: str) -> bytes:
    """All code of the product in the language of a package manager."""
    return b"\n".join(
        source.data
        for source in subject.sources.values()
        if (source.language is Language.PYTHON) == (manager == "python")
        and source.role is Role.FIRST_PARTY
    )


def _imports(code: bytes, module: str, manager: str) -> bool:
    name = re.escape(module.encode())
    if manager == "npm":
        return re.search(rb"[\"'`]" + name + rb"[\"'`/]", code) is not None
    return re.search(rb"\b(?:import|from)\s{1,9}" + name + rb"\b", code) is not None


def _scripts(document: Document) -> str:
    """The scripts of a manifest: a tool that they start is used."""
    values = (entry.value for entry in entries(document.table.table("scripts")))
    return "\n".join(value.text for value in values if isinstance(value, Scalar))


def _described(subject: Subject) -> str:
    """What the package says of itself, without its lists of dependencies."""
    parts: list[str] = [text.text for text in subject.surface.texts]
    parts += [entry.label for entry in subject.world.entries.values()]
    for path, document in subject.documents.items():
        if posixpath.basename(path) in _DESCRIPTIONS:
            for top in (document.table, document.table.table("project")):
                for key in ("name", "description", "keywords", "displayName", "long_description"):
                    node = top.get(key) if top is not None else None
                    parts += [one.text for one in scalars(node)] if node is not None else []
    for path, data in sorted(subject.texts.items()):
        if posixpath.basename(path).lower().startswith(("readme", "metadata", "pkg-info")):
            parts.append(data[:_READ].decode("utf-8", "replace"))
    return "\n".join(parts)


# ── what the code does ────────────────────────────────────────────────────────────────────────

_REQUESTS = frozenset(
    ["get", "post", "put", "patch", "head", "request", "urlopen", "urlretrieve", "fetch"]
)
_GENERIC = frozenset(["api", "www", "com", "net", "org", "app", "cloud"])
_BUILDS = frozenset(["setup.py", "conf.py"])
"""Files that run when a package or its documentation is built."""
_OWNERS = {"amazonaws": "aws", "googleapis": "google", "googleusercontent": "google"}
"""Parts of hosts that stand for somebody."""


def undeclared_capability(subject: Subject) -> Iterator[Sighting]:
    """Requests and programs when a module is loaded, and hosts that nothing speaks of."""
    yield from _at_import(subject)
    yield from _hosts(subject)


def _at_import(subject: Subject) -> Iterator[Sighting]:
    told: set[str] = set()
    for site in subject.sites:
        frame = site.frame
        source = frame.module.source
        is_body = frame.name.endswith(":") and source.role is Role.FIRST_PARTY
        if not is_body or source.language is not Language.PYTHON or source.path in told:
            continue
        if frame.function.conditions.get(site.call.block) is not None:
            continue
        if posixpath.basename(source.path) in _BUILDS:
            continue
        what = _does(site)
        if what:
            told.add(source.path)
            detail = f"{what} when the module is loaded"
            yield subject.sighting(site, detail)


def _does(site: Site) -> str:
    last = site.name.rpartition(".")[2]
    for use in uses(site):
        if use.kind in ("url", "url-host") and last in _REQUESTS:
            return f"`{site.name}` talks to another machine"
        if use.kind in ("shell", "program"):
            return f"`{site.name}` starts a program"
    return ""


def _hosts(subject: Subject) -> Iterator[Sighting]:
    """Fixed hosts whose names are nowhere in what the package says; one sighting in all."""
    said = _described(subject).lower()
    if len(said) < _TOLD:
        return
    silent: defaultdict[str, list[Privilege]] = defaultdict(list)
    for group in subject.effects.values():
        for one in group:
            source = subject.sources.get(one.place.file)
            is_own = source is not None and source.role is Role.FIRST_PARTY
            if not is_own or one.sort is not Sort.HOST or one.chosen is not Chosen.FIXED:
                continue
            if foreign(one.value) and "." in one.value and not _named(one.value, said):
                silent[one.value].append(one)
    if silent:
        names = sorted(silent)
        first = min(
            (one for name in names for one in silent[name]),
            key=lambda one: (one.place.file, one.place.start),
        )
        listed = ", ".join(f"`{name[:80]}`" for name in names[:_SHOWN])
        rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        detail = f"the code connects to {listed}{rest}"
        yield Sighting(first.place, detail, confidence=Confidence.MEDIUM)


def _named(host: str, said: str) -> bool:
    """Whether a text speaks of a host or of whom it belongs to."""
    parts = host.split(":", maxsplit=1)[0].split(".")
    kept = [part for part in parts[:-1] if part not in _GENERIC and len(part) > 2]
    labels = [_OWNERS.get(part, part) for part in kept]
    return host in said or any(label in said for label in labels)
