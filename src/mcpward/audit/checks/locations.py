"""Checks of files at places that have a meaning of their own: credentials, start-up, settings."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from mcpward.audit.sites import Site, uses
from mcpward.audit.spelling import HOLE, TEMPORARY, Command, commands, spelled
from mcpward.audit.subject import Sighting, Subject
from mcpward.core.finding import Severity
from mcpward.core.late import late

_KEPT = (
    (re.compile(r"(?:^|[/~])\.ssh/(?:id_\w{1,20}|identity)$"), "a private SSH key", True),
    (re.compile(r"\.aws/credentials$"), "the AWS credentials", True),
    (
        re.compile(r"\.config/gcloud/(?:application_default_credentials\.json|credentials\.db)$"),
        "the Google Cloud credentials",
        True,
    ),
    (re.compile(r"\.azure/(?:accessTokens|msal_token_cache)"), "the Azure tokens", True),
    (re.compile(r"(?:^|/)\.git-credentials$"), "the passwords that git keeps", True),
    (re.compile(r"(?:^|/)\.gnupg/"), "the GnuPG keys", True),
    (re.compile(r"/etc/shadow$"), "the password hashes of the system", True),
    (re.compile(r"Library/Keychains/"), "the macOS keychain", True),
    (
        re.compile(r"/(?:Login Data|Cookies|Web Data|key4\.db|logins\.json|wallet\.dat)$"),
        "the store of a browser or wallet",
        True,
    ),
    (re.compile(r"(?:^|/)(?:\.netrc|\.npmrc|\.pypirc)$"), "tokens of package tools", False),
    (re.compile(r"\.docker/config\.json$"), "the registry logins of Docker", False),
)
_STARTED = late(
    r"""(?:^~?|/)\.(?:bashrc|bash_profile|bash_login|zshrc|zprofile|zshenv|profile)$
      | /fish/config\.fish$
      | ^/etc/(?:cron[\w.]{0,10}|rc\.local|init\.d|profile|profile\.d|systemd/system)(?:/|$)
      | ^/var/spool/cron | /Library/Launch(?:Agents|Daemons)/ | \.config/systemd/user/
      | \.config/autostart/ | Start\ Menu/Programs/Startup | (?:^|/)\.git/hooks/\w
      | site-packages/[^/]{1,80}\.pth$ | (?:^|/)(?:site|user)customize\.py$
    """,
    re.VERBOSE,
)
_CLIENTS = late(
    r"""claude_desktop_config\.json$ | (?:^~?|/)\.claude\.json$
      | (?:^~?|/)\.claude/(?:settings(?:\.local)?\.json|commands/|agents/|skills/)
      | (?:^|/)\.mcp\.json$ | (?:^~?|/)\.cursor/(?:mcp\.json|rules) | (?:^|/)\.cursorrules$
      | \.vscode/(?:mcp|settings|tasks)\.json$ | (?:^|/)\.windsurfrules$
      | \.codeium/windsurf/ | (?:^|/)(?:CLAUDE|AGENTS|GEMINI)\.md$ | \.gemini/settings\.json$
      | \.codex/config\.toml$ | \.github/copilot-instructions\.md$
      | Code/User/(?:mcp|settings)\.json$
    """,
    re.VERBOSE,
)
_RUN_KEY = late(r"CurrentVersion[\\/]{1,4}Run", re.IGNORECASE)
_TEMPORARY = late(r"^(?:/var)?/tmp/[^\0]{1,200}$")
_RANDOM = frozenset(["tempfile.mkdtemp", "fs.mkdtemp", "fs.mkdtempSync"])


def _literal(subject: Subject, kinds: Collection[str]) -> Iterator[tuple[Site, str]]:
    """File calls, each with a path as far as it is written in the program."""
    for site in subject.sites:
        for use in uses(site, kinds):
            if use.place.path:
                continue
            for value in use.values:
                for path in spelled(subject, site.frame, value):
                    if path != HOLE:
                        yield site, path.replace("\\", "/")


def credential_file_access(subject: Subject) -> Iterator[Sighting]:
    """Files that are read where other programs keep credentials."""
    found: list[tuple[Site, str, bool]] = []
    for site, path in _literal(subject, ("path-read",)):
        for pattern, what, grave in _KEPT:
            if pattern.search(path):
                found.append((site, what, grave))
    for site, run in commands(subject):
        if run.program == "security" and re.search(r"\bfind-(?:generic|internet)-pass", run.text):
            found.append((site, "the macOS keychain", True))
    grave_ones = {what for _, what, grave in found if grave}
    for site, what, grave in found:
        level = Severity.MEDIUM if grave else Severity.LOW
        if grave and len(grave_ones) > 1:
            level = Severity.HIGH
        yield subject.sighting(site, what, level)


def persistence_mechanism(subject: Subject) -> Iterator[Sighting]:
    """What makes the system start code again later."""
    for site, path in _literal(subject, ("path-write",)):
        if _STARTED.search(path):
            yield _lasting(subject, site, f"writes `{_shown(path)}`")
    for site, run in commands(subject):
        if _schedules(run):
            yield _lasting(subject, site, f"runs `{_shown(run.text)}`")
    for site in subject.about("persistence-mechanism"):
        for value in site.call.args[:3]:
            if _RUN_KEY.search(spelled(subject, site.frame, value)[0]):
                yield _lasting(subject, site, "writes a Run key of the registry")


def _lasting(subject: Subject, site: Site, what: str) -> Sighting:
    handled = site.frame.name in subject.reached
    installed = site.frame.name.endswith(":")
    return subject.sighting(site, what, Severity.HIGH if handled or installed else Severity.MEDIUM)


def _schedules(run: Command) -> bool:
    words = run.words[1:]
    match run.program:
        case "crontab":
            return "-l" not in words and bool(words)
        case "schtasks":
            return any(word.lower() == "/create" for word in words)
        case "launchctl":
            return bool({"load", "bootstrap"} & set(words))
        case "systemctl":
            return "enable" in words
        case "reg":
            return "add" in words and bool(_RUN_KEY.search(run.text))
        case _:
            return bool(re.search(r"\|\s?crontab\b", run.text))


def agent_config_tampering(subject: Subject) -> Iterator[Sighting]:
    """Settings and instructions of AI clients that are written."""
    for site, path in _literal(subject, ("path-write",)):
        if _CLIENTS.search(path):
            yield subject.sighting(site, f"writes `{_shown(path)}`", _moment(subject, site))
    for site, run in commands(subject):
        if (run.program == "claude" and run.words[1:3] == ("mcp", "add")) or (
            run.program in ("code", "cursor", "codium") and "--add-mcp" in run.words
        ):
            yield subject.sighting(site, f"runs `{_shown(run.text)}`", _moment(subject, site))


def _moment(subject: Subject, site: Site) -> Severity:
    """High where a model or an import starts it, medium where a person may have asked for it."""
    return Severity.HIGH if site.frame.name in subject.reached else Severity.MEDIUM


def insecure_temp_file(subject: Subject) -> Iterator[Sighting]:
    """Files with a fixed name in the folder that everybody may write to."""
    for site, path in _literal(subject, ("path-write",)):
        if _TEMPORARY.match(path) and not path.rstrip("/").endswith(("-XXXXXX", TEMPORARY)):
            if not set(site.names) & _RANDOM:
                yield subject.sighting(site, f"at the fixed place `{_shown(path)}`")


def _shown(text: str) -> str:
    return text.replace(HOLE, "…")[:80]
