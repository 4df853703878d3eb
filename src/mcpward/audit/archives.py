"""Archives as members read in memory, where no promise of the archive is believed.

Nothing is ever written to disk. `zipfile` reads the central directory of a zip; its members are
inflated here, because sizes, names and check sums must agree before the text is trusted.
"""

from __future__ import annotations

import gzip
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from mcpward.audit.members import (
    MAX_HEADER_DATA,
    MAX_NAME,
    MIB,
    WHOLE,
    BrokenError,
    EnoughError,
    Found,
    Gate,
    Interest,
    Interests,
    Limits,
    Meter,
    fault,
    left_out,
    printable,
)
from mcpward.audit.tarball import read_tar
from mcpward.core.errors import TargetError
from mcpward.core.finding import SkipKind, Skipped

_CENTRAL_BYTES_PER_MEMBER = 160
"""46 fixed bytes, a path, and extra fields: bounds the memory that the directory of a zip takes."""


def read_archive(file: BinaryIO, limits: Limits, interest: Interests) -> Iterator[Found | Skipped]:
    """The members of an archive, told apart by content and not by name.

    The file has to stay open while members are loaded. Raises `TargetError` when it is no archive.
    """
    size = file.seek(0, 2)
    file.seek(0)
    magic = file.read(4)
    file.seek(0)
    gate = Gate(limits, interest)
    if magic[:2] == b"\x1f\x8b":
        yield from read_tar(gzip.GzipFile(fileobj=file), Meter(limits, file.tell), gate)
    elif magic[:2] == b"PK":
        yield from _read_zip(file, Meter(limits, lambda: size), gate)
    else:
        yield from read_tar(file, Meter(limits, file.tell), gate)


@dataclass(slots=True)
class _Capped:
    """A file that refuses reads so large that only a crafted central directory asks for them."""

    file: BinaryIO
    cap: int

    def read(self, size: int = -1) -> bytes:
        if size > self.cap:
            raise EnoughError("the central directory is too large")
        return self.file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()

    def seekable(self) -> bool:
        return True


def _read_zip(file: BinaryIO, meter: Meter, gate: Gate) -> Iterator[Found | Skipped]:
    cap = MAX_HEADER_DATA + gate.limits.max_archive_members * _CENTRAL_BYTES_PER_MEMBER
    try:
        infos = zipfile.ZipFile(_Capped(file, cap)).infolist()
    except (
        EnoughError,
        zipfile.BadZipFile,
        NotImplementedError,
        OSError,
        OverflowError,
        ValueError,
        struct.error,
    ) as error:
        raise TargetError(
            f"this zip archive cannot be read: {printable(str(error))}",
            hint="Unpack it with a tool you trust and audit the folder.",
        ) from error
    overlapping = _overlapping(infos)
    for info in infos:
        try:
            gate.count()
        except EnoughError as enough:
            yield Skipped(WHOLE, SkipKind.TOO_MANY, f"the archive {enough}")
            return
        # `filename` ends at the first NUL; the original does not.
        name = info.orig_filename
        if name.endswith("/") and not fault(name):
            continue
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind == stat.S_IFLNK:
            target = _inflated(file, info, meter, printable(name), MAX_NAME)
            text = target.decode("utf-8", "replace") if isinstance(target, bytes) else "/"
            if note := gate.link(name, text):
                yield note
            continue
        path, wanted, skip = gate.pass_or_skip(name)
        if skip is None and wanted is not Interest.NONE:
            skip = _refused(info, path, kind, overlapping, gate.limits)
        if skip is not None:
            yield skip
        elif wanted is Interest.CONTENT:
            yield Found(path, partial(_inflated, file, info, meter, path))
        elif wanted is Interest.NAME:
            yield Found(path, partial(left_out, path))


def _overlapping(infos: list[zipfile.ZipInfo]) -> set[int]:
    """Identities of members that share bytes with an earlier one: one kernel counted many times."""
    shared = set()
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            shared.add(id(info))
        size = 30 + len(info.orig_filename) + info.compress_size
        end = max(end, info.header_offset + size)
    return shared


def _refused(
    info: zipfile.ZipInfo, path: str, kind: int, overlapping: set[int], limits: Limits
) -> Skipped | None:
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return Skipped(path, SkipKind.SPECIAL_FILE, "is a device, pipe or socket")
    if info.flag_bits & 0x41:
        return Skipped(path, SkipKind.UNREADABLE, "is encrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        reason = f"compression method {info.compress_type} is not read"
        return Skipped(path, SkipKind.UNREADABLE, reason)
    if id(info) in overlapping:
        return Skipped(path, SkipKind.UNREADABLE, "overlaps another member")
    if info.file_size > max(MIB, limits.max_ratio * info.compress_size):
        reason = f"grows more than {limits.max_ratio} times when unpacked"
        return Skipped(path, SkipKind.TOO_LARGE, reason)
    return None


def _inflated(
    file: BinaryIO, info: zipfile.ZipInfo, meter: Meter, path: str, limit: int
) -> bytes | Skipped:
    try:
        data = _member(file, info, meter, limit)
    except EnoughError as enough:
        return Skipped(path, SkipKind.TOO_LARGE, f"the archive {enough}")
    except (BrokenError, OSError, OverflowError, ValueError, zlib.error) as error:
        return Skipped(path, SkipKind.UNREADABLE, f"broken member: {printable(str(error))}")
    return data


def _member(file: BinaryIO, info: zipfile.ZipInfo, meter: Meter, limit: int) -> bytes:
    file.seek(info.header_offset)
    header = file.read(30)
    if len(header) < 30 or header[:4] != b"PK\3\4":
        raise BrokenError("no local header")
    name_size, extra_size = struct.unpack("<HH", header[26:30])
    encoding = "utf-8" if info.flag_bits & 0x800 else "cp437"
    if file.read(name_size).decode(encoding, "replace") != info.orig_filename:
        raise BrokenError("the local header has another name")
    file.seek(extra_size, 1)
    raw = file.read(min(info.compress_size, 2 * limit + MAX_HEADER_DATA))
    if info.compress_type == zipfile.ZIP_STORED:
        data, complete = raw[:limit], info.compress_size == info.file_size
    else:
        stream = zlib.decompressobj(-zlib.MAX_WBITS)
        data = stream.decompress(raw, limit)
        complete = stream.eof and not stream.unused_data
    meter.add(len(data))
    if len(data) < limit and not (
        complete and len(data) == info.file_size and zlib.crc32(data) == info.CRC
    ):
        raise BrokenError("size or check sum is wrong")
    return data
