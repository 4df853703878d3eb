"""Checks of programs that are started: installers, agents, shells on sockets, other rights."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from mcpward.audit.sites import Site, uses
from mcpward.audit.spelling import HERE, HOLE, Command, commands, spelled
from mcpward.audit.subject import Sighting, Subject
from mcpward.core.finding import Severity
from mcpward.core.late import late

_AGENTS = frozenset(
    [
        *("claude", "gemini", "codex", "q", "cursor-agent", "copilot", "aider", "goose"),
        *("opencode", "amp", "qwen", "auggie", "droid"),
    ]
)
_UNASKED = frozenset(
    [
        *("--dangerously-skip-permissions", "--dangerously-bypass-approvals-and-sandbox"),
        *("--trust-all-tools", "--yolo", "--full-auto", "--allow-all-tools", "--yes-always"),
        *("bypassPermissions", "--permission-mode=bypassPermissions", "--approval-mode=yolo"),
        "--dangerously-allow-all",
    ]
)
_UNMISTAKABLE = frozenset(
    ["--dangerously-skip-permissions", "--dangerously-bypass-approvals-and-sandbox"]
)
_RAISERS = frozenset(["sudo", "pkexec", "doas", "runas"])
_OPEN_MODE = late(r"^(?:0?777|666|[ugoa]*\+[rwx]*s|[24567][0-7]{3})$")
_INSTALLERS = {
    "pip": ("install",),
    "pip3": ("install",),
    "pipx": ("install",),
    "npm": ("install", "i", "add"),
    "pnpm": ("add",),
    "yarn": ("add",),
    "gem": ("install",),
    "brew": ("install",),
    "apt": ("install",),
    "apt-get": ("install",),
}
_RUNNERS = frozenset(["npx", "uvx", "bunx"])
_PIPED = late(r"\b(?:curl|wget)\b[^|;&]{1,300}\|\s?(?:sudo )?(?:ba|z|da)?sh\b")
_POWERSHELL = late(r"\b(?:iex|Invoke-Expression)\b.{0,80}(?:iwr|DownloadString|irm)", re.IGNORECASE)
_SHELLS = frozenset(["sh", "bash", "zsh", "dash", "cmd", "powershell", "pwsh"])
_BACKWARDS = (
    re.compile(r"\b(?:ba|z)?sh -i\b.{0,40}/dev/(?:tcp|udp)/"),
    re.compile(r">&\s?/dev/tcp/"),
    re.compile(r"\b(?:nc|ncat|netcat)\b(?: \S{1,60}){0,6} (?:-e|-c|--exec|-\w{0,4}e) "),
    re.compile(r"\bsocat\b.{0,120}\bexec:", re.IGNORECASE),
    re.compile(r"\bmkfifo\b.{0,200}\|\s?(?:nc|ncat|telnet)\b"),
    re.compile(r"New-Object (?:System\.)?Net\.Sockets\.TCPClient", re.IGNORECASE),
)


def agent_cli_weaponization(subject: Subject) -> Iterator[Sighting]:
    """Coding agents that are started with their questions switched off."""
    for site, run in commands(subject):
        flags = [word for word in run.text.split() if word in _UNASKED]
        named = _AGENTS & {run.program, *(word for word in run.text.split()[:4])}
        if not flags or not (named or _UNMISTAKABLE & set(flags)):
            continue
        if site.frame.name.endswith(":"):
            level = Severity.CRITICAL
        elif _declared(subject, named):
            level = Severity.MEDIUM
        else:
            level = Severity.HIGH
        yield subject.sighting(site, f"`{flags[0]}`", level)


def _declared(subject: Subject, words: frozenset[str] | set[str]) -> bool:
    """Whether the package says in its name or description that it has to do with a program."""
    about = subject.described
    return any(re.search(rf"\b{re.escape(word)}\b", about, re.IGNORECASE) for word in words)


def privilege_escalation(subject: Subject) -> Iterator[Sighting]:
    """More rights than the server was started with, or files that everybody may change."""
    for site, run in commands(subject):
        words = run.text.split()
        if run.program in _RAISERS:
            tainted = any("model" in subject.kinds(site.frame, v) for v in run.values)
            level = Severity.HIGH if tainted else Severity.MEDIUM
            yield subject.sighting(site, f"starts `{_shown(run)}`", level)
        elif _loosens(run.program, words):
            yield subject.sighting(site, f"starts `{_shown(run)}`", Severity.MEDIUM)
    for site in subject.about("privilege-escalation"):
        last = site.name.rpartition(".")[2]
        numbers = [c for a in site.call.args for c in site.frame.constants(a)]
        if "chmod" in last:
            if any(_everybody(mode) for mode in numbers):
                yield subject.sighting(site, "lets everybody change a file", Severity.LOW)
        elif "umask" in last:
            if numbers == [0]:
                yield subject.sighting(site, "lets everybody change new files", Severity.LOW)
        elif numbers[:1] == [0]:
            yield subject.sighting(site, "becomes the administrator", Severity.HIGH)


def _loosens(program: str, words: list[str]) -> bool:
    if program == "chmod":
        return any(_OPEN_MODE.match(word) for word in words[1:3])
    return program in ("docker", "podman") and "--privileged" in words


def _everybody(mode: object) -> bool:
    if isinstance(mode, str):
        return bool(_OPEN_MODE.match(mode))
    return isinstance(mode, int) and mode < 0o10000 and bool(mode & 0o2 or mode & 0o6000)


def runtime_code_download(subject: Subject) -> Iterator[Sighting]:
    """Programs and packages that are fetched and run while the server runs."""
    for site, run in commands(subject):
        if _PIPED.search(run.text) or _POWERSHELL.search(run.text):
            yield subject.sighting(site, f"`{_shown(run)}`", Severity.HIGH)
        elif site.frame.name in subject.reached:
            level = _installed(subject, site, run)
            if level is not None:
                yield subject.sighting(site, f"`{_shown(run)}`", level)


def _installed(subject: Subject, site: Site, run: Command) -> Severity | None:
    words = list(run.words)
    if run.program.startswith("python") and words[1:2] == ["-m"]:
        words = words[2:]
    if words[:2] == ["uv", "pip"]:
        words = words[1:]
    program = words[0].rpartition("/")[2] if words else ""
    if words[1:2] and words[1] in _INSTALLERS.get(program, ()):
        packages = [w for w in words[2:] if not w.startswith("-")]
        if not packages or {"-r", "--requirement", "-e"} & set(words):
            return None
        tainted = any({"model", "wire"} & subject.kinds(site.frame, value) for value in run.values)
        return Severity.HIGH if tainted else Severity.MEDIUM
    if program in _RUNNERS:
        packages = [w for w in words[1:] if not w.startswith("-")]
        pinned = packages and re.search(r"[^/]@\d|==\d", packages[0])
        return Severity.LOW if packages and HOLE not in packages[0] and not pinned else None
    return None


def unsigned_self_update(subject: Subject) -> Iterator[Sighting]:
    """Code of the server that is replaced from the network."""
    for site, run in commands(subject):
        words = run.words
        folders = [
            spelled(subject, site.frame, value)[0]
            for name, value in site.call.keywords
            if name == "cwd"
        ] + [
            spelled(subject, site.frame, operand)[0]
            for argument in site.call.args
            for operand in _field(site, argument, "cwd")
        ]
        here = any(HERE in text for text in (*folders, run.text))
        if run.program == "git" and here and {"pull", "reset"} & set(words):
            yield subject.sighting(site, f"`{_shown(run)}`")
    for site in subject.sites:
        for use in uses(site, ("path-write",)):
            paths = [spelled(subject, site.frame, value)[0] for value in use.values]
            others = [v for v in site.call.args if v not in use.values]
            if any(path.startswith(HERE) for path in paths) and any(
                "third" in subject.kinds(site.frame, value) for value in others
            ):
                if any(path == HERE or path.endswith((".py", ".js", ".ts")) for path in paths):
                    yield subject.sighting(site, "what was fetched is written over its own code")


def _field(site: Site, argument: int, field: str) -> list[int]:
    value = site.frame.values[argument]
    fields = getattr(value, "fields", None) or ()
    operands = getattr(value, "operands", ())
    return [at for name, at in zip(fields, operands, strict=False) if name == field]


def reverse_or_bind_shell(subject: Subject) -> Iterator[Sighting]:
    """Shells whose input and output are a socket."""
    bare: defaultdict[str, list[Site]] = defaultdict(list)
    for site, run in commands(subject):
        if any(pattern.search(run.text + " ") for pattern in _BACKWARDS):
            yield subject.sighting(site, "a command hands a shell to a socket")
        elif run.program in _SHELLS and all(w in ("-i", "-l") for w in run.words[1:]):
            bare[_outer(site)].append(site)
    connected: defaultdict[str, set[str]] = defaultdict(set)
    for site in subject.about("reverse-or-bind-shell"):
        name = site.name
        if name == "pty.spawn":
            words = spelled(subject, site.frame, site.call.args[0])[0] if site.call.args else ""
            if words.rpartition("/")[2] in _SHELLS:
                bare[_outer(site)].append(site)
        else:
            connected[_outer(site)].add(name.rpartition(".")[2])
    for outer, shells in bare.items():
        if {"dup2", "pipe"} & connected[outer] and len(connected[outer]) > 1:
            for site in shells:
                yield subject.sighting(site, "its input and output are a socket")


def _outer(site: Site) -> str:
    """The outermost function that a call stands in; the module when it stands in none."""
    module, _, inner = site.frame.name.partition(":")
    return f"{module}:{inner.partition('.')[0]}"


def _shown(run: Command) -> str:
    return run.text.replace(HOLE, "…").replace(HERE, ".")[:80]
