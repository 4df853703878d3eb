"""Which module an import specifier means: relative paths, tsconfig paths, workspace packages."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")

_EXTENSIONS = (".ts", ".tsx", ".mts", ".cts", ".js", ".mjs", ".cjs", ".jsx")
_WRITTEN_FOR = {
    ".js": (".ts", ".tsx", ".jsx"),
    ".jsx": (".tsx",),
    ".mjs": (".mts",),
    ".cjs": (".cts",),
}
_BUILT = frozenset(
    {"dist", "build", "lib", "out", "output", "esm", "cjs", "es", "umd", "bundle", "bin", "types"},
)
_CONDITIONS = ("source", "import", "module", "node", "default", "require", "development", "types")
_BYTES = 1 << 20
_DEPTH = 8
_ENTRIES = 2_000

_BUILTIN_NAMES = """
assert assert/strict async_hooks buffer child_process cluster console constants crypto dgram
diagnostics_channel dns dns/promises domain events fs fs/promises http http2 https inspector
inspector/promises module net os path path/posix path/win32 perf_hooks process punycode
querystring readline readline/promises repl sea sqlite stream stream/consumers
stream/promises stream/web string_decoder sys test test/reporters timers timers/promises tls
trace_events tty url util util/types v8 vm wasi worker_threads zlib
"""
BUILTINS = frozenset(_BUILTIN_NAMES.split())

_NOISE = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?(?:\*/|\Z)', re.DOTALL)
_TRAILING = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])')


def read_json(data: bytes) -> dict[str, object]:
    """A JSON object that may have comments and trailing commas; empty if it is anything else."""
    if len(data) > _BYTES:
        return {}
    text = data.decode("utf-8-sig", "replace")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        text = _NOISE.sub(lambda match: match[1] or " ", text)
        text = _TRAILING.sub(lambda match: match[1] or " ", text)
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return {}
    return found if isinstance(found, dict) else {}


@dataclass(slots=True)
class _Paths:
    """The `paths` and `baseUrl` of a tsconfig."""

    base: str | None = None
    root: str = ""
    patterns: dict[str, list[str]] = field(default_factory=dict)


@dataclass(slots=True)
class _Package:
    """A package of the target."""

    folder: str
    content: dict[str, object]


class Resolver:
    """Turns import specifiers into names of modules."""

    def __init__(self, paths: Iterable[str], texts: Mapping[str, bytes]) -> None:
        """`paths`: all first-party files; `texts`: every tsconfig*.json and package.json."""
        self._files = frozenset(paths)
        self._known: dict[tuple[str, str], str] = {}
        self._packages: dict[str, _Package] = {}
        self._folders: dict[str, _Package] = {}
        self._configurations: dict[str, _Paths] = {}
        contents: dict[str, dict[str, object]] = {}
        for path in sorted(texts, key=lambda p: (p.count("/"), p))[:_ENTRIES]:
            contents[path] = read_json(texts[path])
        for path, content in contents.items():
            folder, name = posixpath.split(path)
            if name == "package.json":
                package = _Package(folder, content)
                self._folders[folder] = package
                called = content.get("name")
                if isinstance(called, str):
                    self._packages.setdefault(called, package)
        for path in sorted(contents, key=lambda p: (not p.endswith("/tsconfig.json"), p)):
            folder, name = posixpath.split(path)
            if name.startswith("tsconfig"):
                found = self._read_paths(path, contents, 0)
                if found.patterns or found.base is not None:
                    self._configurations.setdefault(folder, found)

    def module_name(self, path: str) -> str:
        """The name of the module in a file: its path without extension.

        Of files that differ in their extension only, the others keep theirs.
        """
        stem, extension = posixpath.splitext(path)
        if extension not in _EXTENSIONS:
            return path
        first = next((e for e in _EXTENSIONS if stem + e in self._files), extension)
        return stem if extension == first else path

    def resolve(self, importer: str, specifier: str) -> str:
        """The module that a specifier means in the file at `importer`."""
        folder = posixpath.dirname(importer)
        key = (folder, specifier)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._resolve(folder, specifier)
        return found

    def _resolve(self, folder: str, specifier: str) -> str:
        specifier = specifier.partition("?")[0] or specifier
        if specifier.startswith("node:"):
            return specifier[5:]
        if specifier in BUILTINS:
            return specifier
        if specifier.startswith(("./", "../")) or specifier in (".", ".."):
            path = posixpath.normpath(posixpath.join(folder, specifier))
            if path.startswith("../") or path == "..":
                return specifier
            found = self._file(path)
            return self.module_name(path if found is None else found)
        if specifier.startswith("/"):
            return specifier
        found = self._internal(folder, specifier) if specifier.startswith("#") else None
        if found is None:
            found = self._configured(folder, specifier)
        if found is None:
            found = self._workspace(specifier)
        return specifier if found is None else self.module_name(found)

    # ── files ─────────────────────────────────────────────────────────────────────────────────

    def _file(self, path: str) -> str | None:
        """The first-party file that a path without or with extension means."""
        files = self._files
        if path in files:
            return path
        stem, extension = posixpath.splitext(path)
        for written in _WRITTEN_FOR.get(extension, ()):
            if stem + written in files:
                return stem + written
        prefix = "" if path in (".", "") else path
        for extension in _EXTENSIONS:
            if prefix + extension in files:
                return prefix + extension
        for extension in _EXTENSIONS:
            index = posixpath.join(prefix, "index" + extension)
            if index in files:
                return index
        return None

    def _source(self, folder: str, target: str) -> str | None:
        """The file behind a path of a package, which may name what the build makes of it."""
        target = posixpath.normpath(target)
        if target.startswith(("../", "/")):
            return None
        found = self._file(posixpath.normpath(posixpath.join(folder, target)))
        if found is not None:
            return found
        stem = target.removesuffix(".d.ts") if target.endswith(".d.ts") else target
        parts = stem.split("/")
        while parts:
            rest = "/".join(parts)
            for head in ("src", "source", "lib", ""):
                found = self._file(posixpath.normpath(posixpath.join(folder, head, rest)))
                if found is not None:
                    return found
            if parts[0] not in _BUILT:
                return None
            parts = parts[1:]
        return None

    # ── tsconfig ──────────────────────────────────────────────────────────────────────────────

    def _read_paths(
        self,
        path: str,
        contents: Mapping[str, dict[str, object]],
        depth: int,
    ) -> _Paths:
        content = contents.get(path, {})
        folder = posixpath.dirname(path)
        found = _Paths()
        parents = content.get("extends")
        for parent in parents if isinstance(parents, list) else [parents]:
            if isinstance(parent, str) and parent.startswith(".") and depth < _DEPTH:
                at = posixpath.normpath(posixpath.join(folder, parent))
                for candidate in (at, at + ".json", at + "/tsconfig.json"):
                    if candidate in contents:
                        found = self._read_paths(candidate, contents, depth + 1)
                        break
        options = content.get("compilerOptions")
        if not isinstance(options, dict):
            return found
        base = options.get("baseUrl")
        if isinstance(base, str):
            found.base = _inside(folder, base)
        patterns = options.get("paths")
        if isinstance(patterns, dict):
            found.root = folder if found.base is None else found.base
            found.patterns = {
                str(pattern): [t for t in targets if isinstance(t, str)][:20]
                for pattern, targets in list(patterns.items())[:_ENTRIES]
                if isinstance(targets, list)
            }
        return found

    def _configured(self, folder: str, specifier: str) -> str | None:
        at = folder
        while True:
            paths = self._configurations.get(at)
            if paths is not None:
                return self._by_paths(paths, specifier)
            if not at:
                return None
            at = posixpath.dirname(at)

    def _by_paths(self, paths: _Paths, specifier: str) -> str | None:
        for targets, star in _matching(paths.patterns, specifier):
            for target in targets:
                path = _inside(paths.root, target.replace("*", star))
                found = None if path is None else self._file(path)
                if found is not None:
                    return found
        if paths.base is not None:
            return self._file(posixpath.normpath(posixpath.join(paths.base, specifier)))
        return None

    # ── packages ──────────────────────────────────────────────────────────────────────────────

    def _internal(self, folder: str, specifier: str) -> str | None:
        at = folder
        while True:
            package = self._folders.get(at)
            if package is not None:
                imports = package.content.get("imports")
                if isinstance(imports, dict):
                    return self._mapped(package.folder, imports, specifier)
                return None
            if not at:
                return None
            at = posixpath.dirname(at)

    def _workspace(self, specifier: str) -> str | None:
        parts = specifier.split("/")
        count = 2 if specifier.startswith("@") else 1
        package = self._packages.get("/".join(parts[:count]))
        if package is None:
            return None
        rest = "/".join(parts[count:])
        content = package.content
        exports = content.get("exports")
        if exports is not None:
            table: dict[str, object] = {".": exports}
            if isinstance(exports, dict) and any(key.startswith(".") for key in exports):
                table = exports
            found = self._mapped(package.folder, table, f"./{rest}" if rest else ".")
            if found is not None:
                return found
        if rest:
            return self._source(package.folder, rest)
        for key in ("source", "module", "main", "types", "typings"):
            target = content.get(key)
            if isinstance(target, str):
                found = self._source(package.folder, target)
                if found is not None:
                    return found
        return self._source(package.folder, "index")

    def _mapped(self, folder: str, table: dict[str, object], specifier: str) -> str | None:
        """Looks a specifier up in the `imports` or `exports` of a package."""
        for value, star in _matching(table, specifier):
            for target in _targets(value, 0):
                found = self._source(folder, target.replace("*", star))
                if found is not None:
                    return found
        return None


def _inside(folder: str, path: str) -> str | None:
    """A path relative to a folder of the target, or `None` if it leads out."""
    joined = posixpath.normpath(posixpath.join(folder, path))
    if joined == ".":
        return ""
    return None if joined == ".." or joined.startswith(("../", "/")) else joined


def _matching(table: Mapping[str, T], specifier: str) -> list[tuple[T, str]]:
    """The entries whose pattern fits, the longest first, with what the star stands for."""
    if specifier in table:
        return [(table[specifier], "")]
    found: list[tuple[int, T, str]] = []
    for pattern, value in list(table.items())[:_ENTRIES]:
        head, star, tail = pattern.partition("*")
        if not star:
            continue
        long_enough = len(specifier) >= len(head) + len(tail)
        if long_enough and specifier.startswith(head) and specifier.endswith(tail):
            found.append((len(head), value, specifier[len(head) : len(specifier) - len(tail)]))
    found.sort(key=lambda entry: -entry[0])
    return [(value, star) for _, value, star in found]


def _targets(value: object, depth: int) -> list[str]:
    """The paths in an entry of `exports`, the preferred ones first."""
    if isinstance(value, str):
        return [value]
    if depth > _DEPTH:
        return []
    if isinstance(value, list):
        return [target for one in value[:20] for target in _targets(one, depth + 1)]
    if isinstance(value, dict):
        keys = [key for key in _CONDITIONS if key in value]
        keys += [key for key in list(value)[:20] if key not in keys]
        return [target for key in keys for target in _targets(value[key], depth + 1)]
    return []
