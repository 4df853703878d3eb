"""What a command line fetches and runs, and whether it names it exactly."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mcpward.core.late import late

_EXACT_VERSION = late(r"v?\d+\.\d+(?:\.\d+)*[\w.+-]*")
_EXACT_NPM = late(r"v?\d+\.\d+\.\d+[\w.+-]*")
_COMMIT = late(r"[0-9a-f]{40}")
_REPOSITORY = late(r"git\+|git@|git://|github:|gitlab:|bitbucket:")
_PLACEHOLDER = late(r"\$\{|\$[A-Za-z_]|<[a-z]|\{\{|%[A-Z_]+%")
_SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ash", "ksh"})
_EVERY_NPX = frozenset({"npx", "bunx", "pnpx"})
_WINDOWS = (".exe", ".cmd", ".bat", ".ps1")
_NPX_VALUES = frozenset({"--cache", "--registry", "--prefix", "--userconfig", "-w", "--workspace"})
_UV_VALUES = frozenset(
    {
        *("--python", "-p", "--index", "--index-url", "--default-index", "--extra-index-url", "-i"),
        *("--directory", "--project", "--env-file", "--cache-dir", "--config-file", "--with"),
        *("--with-requirements", "--with-editable", "--prerelease", "--resolution", "--package"),
        *("--find-links", "-f", "--exclude-newer", "--link-mode", "--refresh-package", "-w"),
        *("--index-strategy", "--keyring-provider", "--allow-insecure-host", "--extra", "--group"),
    }
)
_DOCKER_FLAGS = frozenset(
    {
        *("-i", "-t", "-d", "-it", "-ti", "-di", "-P", "--rm", "--init", "--interactive", "--tty"),
        *("--detach", "--privileged", "--read-only", "--no-healthcheck", "--publish-all"),
        *("--oom-kill-disable", "--sig-proxy", "--disable-content-trust", "--quiet", "-q"),
        *("-id", "-itd", "--no-hosts", "--replace"),
    }
)
"""Options of `docker run` without a value; every other one takes the next word."""
_LOOSE_TAGS = frozenset({"", "latest", "main", "master", "edge", "nightly", "dev", "stable"})
_MOST_UNWRAPPED = 4


@dataclass(frozen=True, slots=True)
class Launch:
    """A program that fetches what it runs."""

    launcher: str
    """`npx`, `uvx`, `docker`, …"""
    package: str
    """The package, image or address as written."""
    floating: bool
    """Whether another start may fetch other code."""
    at: int
    """The index of the word that names the package."""
    arguments: tuple[str, ...] = ()
    """What the package itself is given."""


def program(word: str) -> str:
    """The name of a program without its folder and the suffixes of Windows."""
    name = posixpath.basename(word.replace("\\", "/")).lower()
    return next((name.removesuffix(end) for end in _WINDOWS if name.endswith(end)), name)


def unwrapped(words: Sequence[str]) -> tuple[int, tuple[str, ...]]:
    """The command line behind `env`, `cmd /c` and the like, and how many words it came after."""
    at = 0
    for _ in range(_MOST_UNWRAPPED):
        name = program(words[at]) if at < len(words) else ""
        skip = _wrapper(name, words, at)
        if not skip:
            break
        at += skip
    return at, tuple(words[at:])


def _wrapper(name: str, words: Sequence[str], at: int) -> int:
    rest = words[at + 1 :]
    match name:
        case "cmd" if rest and rest[0].lower() in ("/c", "/k"):
            return 2
        case "env":
            return 1 + _count(rest, lambda word: "=" in word or word.startswith("-"))
        case "sudo" | "nohup" | "exec" | "time" | "command" | "doas":
            return 1 + _count(rest, lambda word: word.startswith("-"))
        case "dotenv" | "op" if "--" in rest:
            return 2 + list(rest).index("--")
        case _:
            return 0


def _count(words: Sequence[str], passed: Callable[[str], bool]) -> int:
    number = 0
    while number < len(words) and passed(words[number]):
        number += 1
    return number


def shell_script(words: Sequence[str]) -> tuple[int, str] | None:
    """The script of `sh -c …` with the index of its word."""
    at, inner = unwrapped(words)
    if not inner or program(inner[0]) not in _SHELLS:
        return None
    for number, word in enumerate(inner[1:-1], start=1):
        if word.startswith("-") and not word.startswith("--") and "c" in word:
            return at + number + 1, inner[number + 1]
    return None


def launch(words: Sequence[str]) -> Launch | None:
    """What a command line fetches and runs; nothing when it runs what is there already."""
    start, inner = unwrapped(words)
    if not inner:
        return None
    found = _launch(program(inner[0]), inner)
    if found is None or _PLACEHOLDER.search(found.package):
        return None
    return Launch(found.launcher, found.package, found.floating, found.at + start, found.arguments)


def _launch(name: str, words: Sequence[str]) -> Launch | None:
    second = words[1] if len(words) > 1 else ""
    if name in _EVERY_NPX:
        return _npm(name, words, 1)
    if name == "npm" and second in ("exec", "x"):
        return _npm(f"npm {second}", words, 2)
    if name in ("pnpm", "yarn") and second == "dlx":
        return _npm(f"{name} dlx", words, 2)
    if name == "bun" and second == "x":
        return _npm("bun x", words, 2)
    if name == "uvx":
        return _tool("uvx", words, 1)
    if name == "uv" and list(words[1:3]) == ["tool", "run"]:
        return _tool("uv tool run", words, 3)
    if name == "pipx" and second == "run":
        return _tool("pipx run", words, 2)
    if name in ("docker", "podman", "nerdctl") and "run" in words[1:3]:
        return _image(name, words, list(words).index("run") + 1)
    if name == "go" and second == "run":
        return _go(words)
    return None


def _npm(name: str, words: Sequence[str], at: int) -> Launch | None:
    package, place = "", -1
    while at < len(words):
        word = words[at]
        if word in ("-p", "--package") and at + 1 < len(words):
            package, place = package or words[at + 1], at + 1
            at += 2
        elif word.startswith("--package="):
            package, place = package or word.partition("=")[2], at
            at += 1
        elif word in ("-c", "--call"):
            break
        elif word in _NPX_VALUES:
            at += 2
        elif word.startswith("-"):
            at += 1
        else:
            if not package:
                package, place = word, at
            break
    if not package or _is_path(package) or package.startswith("file:"):
        return None
    return Launch(name, package, _npm_floats(package), place, tuple(words[at + 1 :]))


def _npm_floats(package: str) -> bool:
    if _REPOSITORY.match(package) or (package.count("/") == 1 and not package.startswith("@")):
        return not _COMMIT.fullmatch(package.rpartition("#")[2])
    if "://" in package:
        return False  # one archive; other rules look at addresses
    version = package[1:].partition("@")[2]
    return not _EXACT_NPM.fullmatch(version.removeprefix("="))


def _is_path(word: str) -> bool:
    return word.startswith((".", "/", "~", "\\")) or word[1:3] in (":\\", ":/")


def _tool(name: str, words: Sequence[str], at: int) -> Launch | None:
    package, place = "", -1
    while at < len(words):
        word = words[at]
        if word in ("--from", "--spec") and at + 1 < len(words):
            package, place = words[at + 1], at + 1
            at += 2
        elif word.startswith(("--from=", "--spec=")):
            package, place = word.partition("=")[2], at
            at += 1
        elif word in _UV_VALUES:
            at += 2
        elif word.startswith("-"):
            at += 1
        else:
            if not package:
                package, place = word, at
            break
    if not package or _is_path(package) or package.endswith(".py"):
        return None
    return Launch(name, package, _pypi_floats(package), place, tuple(words[at + 1 :]))


def _pypi_floats(package: str) -> bool:
    address = package.partition(" @ ")[2] or package
    if _REPOSITORY.match(address):
        return not _COMMIT.fullmatch(address.partition("#")[0].rpartition("@")[2])
    if "://" in address:
        return False
    bare = re.sub(r"\[[^\]]*\]", "", package).replace(" ", "")
    name, exact, version = bare.partition("==")
    if exact:
        return not _EXACT_VERSION.fullmatch(version.lstrip("="))
    return not _EXACT_VERSION.fullmatch(name.partition("@")[2])


def docker_options(words: Sequence[str], at: int = 1) -> Iterator[tuple[str, str, int]]:
    """The options of `docker run` with their values and the index of their word."""
    while at < len(words) and words[at].startswith("-") and words[at] != "--":
        word = words[at]
        name, given, value = word.partition("=")
        if given or word in _DOCKER_FLAGS:
            yield name, value, at
            at += 1
        elif len(word) > 2 and not word.startswith("--"):
            yield word[:2], word[2:], at
            at += 1
        else:
            yield word, words[at + 1] if at + 1 < len(words) else "", at
            at += 2
    yield "", "", at


def _image(name: str, words: Sequence[str], at: int) -> Launch | None:
    place = [index for _, _, index in docker_options(words, at)][-1]
    if place >= len(words):
        return None
    image = words[place]
    return Launch(name, image, image_floats(image), place, tuple(words[place + 1 :]))


def image_floats(image: str) -> bool:
    """Whether an image has neither a digest nor a version as its tag."""
    if "@sha256:" in image:
        return False
    return image.rpartition("/")[2].partition(":")[2] in _LOOSE_TAGS


def _go(words: Sequence[str]) -> Launch | None:
    for at, word in enumerate(words[2:], start=2):
        if word.startswith("-"):
            continue
        if "@" not in word:
            return None
        version = word.rpartition("@")[2]
        floating = not (_EXACT_NPM.fullmatch(version) or re.fullmatch(r"[0-9a-f]{12,40}", version))
        return Launch("go run", word, floating, at, tuple(words[at + 1 :]))
    return None
