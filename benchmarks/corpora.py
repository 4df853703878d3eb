"""Corpora of real packages, downloaded into a cache outside the repository and unpacked as text."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any

HERE = Path(__file__).resolve().parent
SUFFIXES = (".py", ".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".tsx")
DECLARATIONS = (".d.ts", ".d.mts", ".d.cts")
NEUTRAL = {"dist": "code", "build": "code", "test": "checks", "tests": "checks", "vendor": "parts"}
"""Folders that tools leave out by name, each with another name, so that all read the same files."""
MAX_FILE = 16 << 20
MAX_FILES = 20_000


class NotAvailableError(Exception):
    """An archive that cannot be had, or is not the recorded one."""


@dataclass(frozen=True)
class Corpus:
    """A folder of code, and how much it is."""

    name: str
    root: Path
    files: int
    lines: int
    bytes: int


def cache_folder() -> Path:
    """Where archives and corpora are kept: `MCPWARD_BENCH_CACHE`, or the user's cache folder."""
    named = os.environ.get("MCPWARD_BENCH_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "mcpward-bench"


def recipe() -> dict[str, Any]:
    """The packages and corpora of `packages.toml`."""
    return tomllib.loads((HERE / "packages.toml").read_text(encoding="utf-8"))


def build(name: str) -> Corpus:
    """The corpus of this name, made anew from the archives.

    Raises NotAvailableError.
    """
    plan = recipe()
    wanted = plan["corpus"][name]
    root = cache_folder() / "corpora" / name
    shutil.rmtree(root, ignore_errors=True)
    files = lines = size = 0
    for package, most in wanted["parts"]:
        rest = wanted["lines"] - lines if wanted["lines"] else sys.maxsize
        taken = 0
        folder = re.sub(r"\W+", "_", package).strip("_")
        for path, data in code(plan["package"][package], archive(package, plan)):
            if taken >= min(most or sys.maxsize, rest):
                break
            target = root.joinpath(folder, *(NEUTRAL.get(p, p) for p in path.split("/")))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            files, size, taken = files + 1, size + len(data), taken + data.count(b"\n")
        lines += taken
    return Corpus(name, root, files, lines, size)


def copies(corpus: Corpus, count: int) -> Corpus:
    """Some copies side by side; Python packages get names of their own in each."""
    root = cache_folder() / "corpora" / f"{corpus.name}-x{count}"
    shutil.rmtree(root, ignore_errors=True)
    for number in range(1, count + 1):
        for part in sorted(corpus.root.iterdir()):
            own = [p.name for p in part.iterdir() if (p / "__init__.py").is_file()]
            words = re.compile(rb"\b(" + "|".join(own).encode() + rb")\b") if own else None
            for path in sorted(p for p in part.rglob("*") if p.is_file()):
                data = path.read_bytes()
                inner = list(path.relative_to(part).parts)
                if words is not None:
                    data = words.sub(rb"\g<1>_%d" % number, data)
                    if inner[0] in own:
                        inner[0] = f"{inner[0]}_{number}"
                target = root.joinpath(f"copy{number}", part.name, *inner)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
    name = f"{corpus.name}-x{count}"
    return Corpus(name, root, corpus.files * count, corpus.lines * count, corpus.bytes * count)


def tiny() -> Corpus:
    """A server of fifty lines: the main file of an example."""
    root = cache_folder() / "corpora" / "tiny"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    data = (HERE.parent / "examples/notes-python/server.py").read_bytes()
    (root / "server.py").write_bytes(data)
    return Corpus("tiny", root, 1, data.count(b"\n"), len(data))


# ---- archives ------------------------------------------------------------------------------------


def archive(package: str, plan: dict[str, Any]) -> Path:
    """The archive of a package, from the cache or the registry, with the recorded sum."""
    entry = plan["package"][package]
    folder = cache_folder() / "archives" / entry["sha256"]
    found = next(iter(folder.glob("*")), None) if folder.is_dir() else None
    if found is None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        found = _download(package, entry, folder)
    digest = hashlib.sha256(found.read_bytes()).hexdigest()
    if digest != entry["sha256"]:
        shutil.rmtree(folder)
        raise NotAvailableError(f"{package}: the archive is not the recorded one ({digest})")
    return found


def _download(package: str, entry: dict[str, Any], folder: Path) -> Path:
    version = entry["version"]
    if entry["registry"] == "npm":
        command = ["npm", "pack", "--ignore-scripts", "--silent", f"{package}@{version}"]
    else:
        # A source archive would make pip run its build script, so only wheels are asked for.
        command = [*_pip(), "download", "--no-deps", "--only-binary", ":all:", "--quiet"]
        command += ["--disable-pip-version-check", "--python-version", "3.13"]
        command += ["--dest", str(folder), f"{package}=={version}"]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300, text=True)
        return next(iter(folder.iterdir()))
    except (OSError, subprocess.SubprocessError, StopIteration) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise NotAvailableError(f"{package} {version} could not be downloaded: {error}") from error


def _pip() -> list[str]:
    for command in (["pip"], ["pip3"], ["uv", "tool", "run", "pip"]):
        if shutil.which(command[0]):
            return command
    raise NotAvailableError("neither pip nor uv is installed")


def code(entry: dict[str, Any], file: Path) -> Iterator[tuple[str, bytes]]:
    """The files of an archive that the recipe takes, in the order of their paths."""
    found = sorted(_members(file), key=lambda item: item[0])
    for path, data in found[:MAX_FILES]:
        kept = any(fnmatch(path, glob) for glob in entry.get("take", ["*"]))
        if kept and not any(fnmatch(path, glob) for glob in entry.get("leave", [])):
            yield path, data


def _members(file: Path) -> Iterator[tuple[str, bytes]]:
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as opened:
            for info in opened.infolist():
                if _wanted(info.filename, info.file_size):
                    yield info.filename, opened.read(info)
        return
    with tarfile.open(file, "r:*") as opened:
        for member in opened:
            if member.isreg() and _wanted(member.name, member.size):
                data = opened.extractfile(member)
                assert data is not None
                yield member.name, data.read()


def _wanted(name: str, size: int) -> bool:
    path = PurePosixPath(name)
    inside = not path.is_absolute() and ".." not in path.parts and "\\" not in name
    named = name.endswith(SUFFIXES) and not name.endswith(DECLARATIONS)
    return inside and named and size <= MAX_FILE
