"""Tar archives, read here because tarfile loops or back-tracks on headers made to do so.

Where extractors disagree about an archive, the reading that shows more members is taken.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from mcpward.audit.members import (
    MAX_HEADER_DATA,
    MIB,
    WHOLE,
    BrokenError,
    EnoughError,
    Found,
    Gate,
    Interest,
    Meter,
    held,
    left_out,
    printable,
)
from mcpward.core.errors import TargetError
from mcpward.core.finding import SkipKind, Skipped

_BLOCK = 512


class _Reader(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(slots=True)
class _Tape:
    """A tar stream that counts, and that never returns less than asked for without saying so."""

    source: _Reader
    meter: Meter

    def read(self, size: int) -> bytes:
        try:
            data = self.source.read(size)
        except (OSError, EOFError, zlib.error) as error:
            raise BrokenError(str(error)) from error
        self.meter.add(len(data))
        return data

    def exactly(self, size: int) -> bytes:
        data = self.read(size)
        if len(data) < size:
            raise BrokenError("breaks off")
        return data

    def skip(self, size: int) -> None:
        while size > 0:
            size -= len(self.exactly(min(size, MIB)))


@dataclass(frozen=True, slots=True)
class _Header:
    name: bytes
    size: int
    kind: bytes
    target: bytes
    extended: bool
    """A sparse member whose map goes on in the next block."""


def _number(text: bytes) -> int:
    if text[0] & 0x80:
        if text[0] != 0x80:
            raise BrokenError("a size is negative")
        return int.from_bytes(text[1:], "big")
    digits = text.strip(b"\0 ").partition(b"\0")[0]
    if not all(48 <= digit < 56 for digit in digits):
        raise BrokenError("a number is not one")
    return int(digits or b"0", 8)


def _header(block: bytes) -> _Header:
    total = sum(block[:148]) + 8 * 32 + sum(block[156:])
    if _number(block[148:156]) != total:
        raise BrokenError("a header has a wrong check sum")
    name = block[:100].partition(b"\0")[0]
    prefix = block[345:500].partition(b"\0")[0] if block[257:263] == b"ustar\0" else b""
    return _Header(
        name=prefix + b"/" + name if prefix else name,
        size=_number(block[124:136]),
        kind=block[156:157],
        target=block[157:257].partition(b"\0")[0],
        extended=block[156:157] == b"S" and block[482] != 0,
    )


def _records(data: bytes) -> dict[bytes, bytes]:
    """The records of an extended header: `length key=value`."""
    records = {}
    at = 0
    while at < len(data) and data[at] != 0:
        space = data.find(b" ", at, at + 20)
        digits = data[at:space]
        if space < 0 or not digits.isdigit():
            raise BrokenError("an extended header is malformed")
        end = at + int(digits)
        key, equals, value = data[space + 1 : end - 1].partition(b"=")
        if not equals or end > len(data) or data[end - 1 : end] != b"\n":
            raise BrokenError("an extended header is malformed")
        records[key] = value
        at = end
    return records


def read_tar(source: _Reader, meter: Meter, gate: Gate) -> Iterator[Found | Skipped]:
    try:
        yield from _members(_Tape(source, meter), gate)
    except EnoughError as enough:
        kind = SkipKind.TOO_LARGE
        if gate.members > gate.limits.max_archive_members:
            kind = SkipKind.TOO_MANY
        yield Skipped(WHOLE, kind, f"the archive {enough}; what follows was not read")
    except BrokenError as broken:
        reason = printable(str(broken))
        if not gate.members:
            raise TargetError(
                f"this is not an archive that can be read: {reason}",
                hint="Name a folder, a source file, or a zip, wheel, .mcpb, .tar or .tar.gz file.",
            ) from broken
        yield Skipped(WHOLE, SkipKind.UNREADABLE, f"the archive is damaged: {reason}")


def _members(tape: _Tape, gate: Gate) -> Iterator[Found | Skipped]:
    lasting: dict[bytes, bytes] = {}
    fields: dict[bytes, bytes] = {}
    kept = 0
    while block := tape.read(_BLOCK):
        if len(block) < _BLOCK:
            raise BrokenError("breaks off")
        # Some extractors stop at one empty block, some at two, some never: read on.
        if not block.strip(b"\0"):
            continue
        header = _header(block)
        gate.count()
        if header.kind in b"LKxXg":
            if header.size > MAX_HEADER_DATA:
                raise BrokenError("an extended header is too large")
            data = tape.exactly(-(-header.size // _BLOCK) * _BLOCK)[: header.size]
            if header.kind in b"LK":
                key = b"path" if header.kind == b"L" else b"linkpath"
                fields.setdefault(key, data.partition(b"\0")[0])
            else:
                (lasting if header.kind == b"g" else fields).update(_records(data))
            continue
        fields, given = {}, lasting | fields
        while header.extended and tape.exactly(_BLOCK)[504]:
            pass
        name = given.get(b"path", header.name).decode("utf-8", "surrogateescape")
        if header.kind in b"123456" and header.size:
            reason = f"`{printable(name[:200])}` claims to hold data although it cannot"
            yield Skipped(WHOLE, SkipKind.UNREADABLE, reason)
        if header.kind in b"12":
            target = given.get(b"linkpath", header.target).decode("utf-8", "surrogateescape")
            if note := gate.link(name, target):
                yield note
            continue
        size = header.size
        if given.get(b"size", b"").isdigit():
            size = int(given[b"size"][:20])
        # Old archives write folders as empty files with a slash behind the name.
        if header.kind == b"5" or (name.endswith("/") and not size):
            continue
        path, wanted, skip = gate.pass_or_skip(name)
        if header.kind in b"346":
            yield skip or Skipped(path, SkipKind.SPECIAL_FILE, "is a device or pipe")
            continue
        # One byte more than allowed shows the collector that the file is too large.
        most = min(size, gate.limits.max_file_bytes + 1)
        if skip is None and wanted is not Interest.NONE:
            if header.kind == b"S" or any(key.startswith(b"GNU.sparse") for key in given):
                skip = Skipped(path, SkipKind.UNREADABLE, "is a sparse member")
            elif wanted is Interest.CONTENT and kept + most > gate.limits.max_total_bytes:
                skip = Skipped(path, SkipKind.TOO_LARGE, "the archive holds too much text")
        padding = -size % _BLOCK
        if skip is not None:
            yield skip
        elif wanted is Interest.CONTENT:
            data = tape.exactly(most)
            kept += most
            yield Found(path, partial(held, data))
            size -= most
        elif wanted is Interest.NAME:
            yield Found(path, partial(left_out, path))
        tape.skip(size + padding)
