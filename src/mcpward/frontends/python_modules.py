"""Names of Python modules: what a path is imported as, and which file an import means."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

_ROOTS = ("src", "lib", "python")
"""Folders that hold packages without being one."""
_FOREIGN = frozenset(sys.stdlib_module_names) | {"mcp", "fastmcp"}
"""Names that a folder of the same name must not take over: their models would be lost."""


def module_names(paths: Iterable[str]) -> dict[str, tuple[str, bool]]:
    """Path → (dotted name, whether it is a package), as Python would import it.

    A file in a package is named from the topmost folder with an `__init__.py`, any other file from
    the root of the target. A name that is taken gets the path behind `@`.
    """
    wanted = sorted(set(paths))
    packages = {str(PurePosixPath(p).parent) for p in wanted if p.endswith("__init__.py")}
    named: dict[str, tuple[str, bool]] = {}
    taken: set[str] = set()
    for path in wanted:
        parts = list(PurePosixPath(path).parts)
        parts[-1] = parts[-1].rpartition(".")[0] or parts[-1]
        package = parts[-1] == "__init__"
        first = len(parts) - 1
        while first > 0 and "/".join(parts[:first]) in packages:
            first -= 1
        if first == len(parts) - 1:
            first = 1 if len(parts) > 1 and parts[0] in _ROOTS else 0
        kept = parts[first:-1] if package and len(parts) - 1 > first else parts[first:]
        name = ".".join(kept).replace(":", "_").replace("@", "_")
        if name in taken:
            name = f"{name}@{path}".replace(":", "_")
        taken.add(name)
        named[path] = (name, package)
    return named


class ModuleIndex:
    """The first-party modules of a target, by every name an import may use for them."""

    def __init__(self, known: Mapping[str, bool]) -> None:
        """`known` is dotted name → whether it is a package with an `__init__.py`."""
        self._regular = {name for name, package in known.items() if package}
        self._known: set[str] = set()
        self._suffixes: dict[str, str | None] = {}
        for name in known:
            parts = name.partition("@")[0].split(".")
            for end in range(1, len(parts) + 1):
                self._known.add(".".join(parts[:end]))
        for name in self._known:
            parts = name.split(".")
            for start in range(1, len(parts)):
                # The inside of a package has no other absolute name.
                if ".".join(parts[:start]) in self._regular and parts[start - 1] not in _ROOTS:
                    break
                suffix = ".".join(parts[start:])
                self._suffixes[suffix] = None if suffix in self._suffixes else name

    def resolve(self, importer: str, dotted: str) -> str:
        """The first-party module that an absolute import means, or the name as it is."""
        if dotted.partition(".")[0] in _FOREIGN:
            return dotted
        folder = importer.partition("@")[0]
        if importer not in self._regular:
            folder = folder.rpartition(".")[0]
        while folder and (folder not in self._regular or folder in _ROOTS):
            sibling = f"{folder}.{dotted}"
            if sibling in self._known and sibling != importer:
                return sibling
            folder = folder.rpartition(".")[0]
        if dotted in self._known:
            return dotted
        first, _, rest = dotted.partition(".")
        if first in _ROOTS and rest in self._known:
            return rest
        found = self._suffixes.get(dotted)
        return dotted if found is None or found == importer else found


def resolve(importer: str, dotted: str, known: Mapping[str, bool]) -> str:
    """Resolves one import; for many, keep a `ModuleIndex`."""
    return ModuleIndex(known).resolve(importer, dotted)
