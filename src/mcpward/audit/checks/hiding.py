"""Checks of code that hides what it does, or watches the person in front of the machine."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mcpward.audit.places import text_place
from mcpward.audit.sites import Site, uses
from mcpward.audit.spelling import commands
from mcpward.audit.subject import Sighting, Subject
from mcpward.core.finding import Severity
from mcpward.core.late import late
from mcpward.ir.values import Assume, Call, Const, Id, Join, Load, Phi
from mcpward.taint.frame import Frame

_DECODERS = frozenset(
    [
        *("base64.b64decode", "base64.urlsafe_b64decode", "base64.b32decode", "base64.b85decode"),
        *("base64.a85decode", "base64.b16decode", "binascii.unhexlify", "binascii.a2b_base64"),
        *("bytes.fromhex", "bytearray.fromhex", "zlib.decompress", "bz2.decompress"),
        *("lzma.decompress", "gzip.decompress", "marshal.loads", "codecs.decode", "atob"),
        *("Buffer.from", "String.fromCharCode", "zlib.inflateSync", "zlib.gunzipSync"),
        *("unescape", "decodeURIComponent", "zlib.brotliDecompressSync", "chr"),
    ]
)
_RUNS = ("code", "import", "reflection", "shell")
_LEAST = 12
_DEPTH = 14
_RENAMED = late(rb"\b_0x[0-9a-f]{4,6}\b")
_MOST_NAMES = 40
_BYTES_PER_NAME = 150
_PIPED = late(r"\bbase64 (?:-d|-D|--decode)\b[^|]{0,80}\|\s?(?:ba|z)?sh\b")
_WATCHED = (
    (re.compile(r"^(?:pynput\.|keyboard|node-global-key|iohook|uiohook)"), "keyboard", True),
    (re.compile(r"clip", re.IGNORECASE), "clipboard", False),
    (re.compile(r"VideoCapture"), "camera", True),
    (re.compile(r"^(?:sounddevice|pyaudio|node-record)"), "microphone|audio|voice|speech", True),
    (re.compile(r""), "screen", False),
)
_PURPOSE = r"desktop|automation|computer.use|remote.control|gui\b|accessib"


def obfuscated_code(subject: Subject) -> Iterator[Sighting]:
    """Code that is unpacked from an encoded literal and run."""
    for site in subject.sites:
        for use in uses(site, _RUNS):
            if any(_unpacked(site.frame, value) for value in use.values):
                yield subject.sighting(site, "runs code that is written as an encoded literal")
                break
    for site, run in commands(subject):
        if _PIPED.search(run.text):
            yield subject.sighting(site, "hands a decoded text to a shell")
    for path in sorted(subject.sources):
        source = subject.sources[path]
        names = list(_RENAMED.finditer(source.data))
        if len(names) >= _MOST_NAMES and len(source.data) < _BYTES_PER_NAME * len(names):
            place = text_place(source, names[0].start(), names[0].end())
            what = "is written with names such as `_0x1f3a`, as tools for hiding code leave them"
            yield Sighting(place, what, Severity.HIGH)


def _unpacked(frame: Frame, at: Id) -> bool:
    """Whether a value is made from a literal by decoding and nothing else."""
    decoded, literal = False, False
    pending, seen = [(at, _DEPTH)], {at}
    while pending:
        one, depth = pending.pop()
        value = frame.values[one]
        inner: tuple[Id, ...] = ()
        match value:
            case Const():
                text = value.value
                literal |= isinstance(text, str | bytes) and len(text) >= _LEAST
                literal |= isinstance(text, int) and not isinstance(text, bool)
            case Assume():
                inner = (value.value,)
            case Phi() | Join():
                inner = tuple(value.operands[:64])
            case Load():
                inner = (value.object,)
            case Call():
                refs = frame.refs[value.callee]
                names = {frame.library.canonical(r.name) for r in refs if r.sort == "ext"}
                if names & _DECODERS:
                    if "Buffer.from" in names and not _encoding(frame, value):
                        return False
                    decoded = True
                inner = (
                    *value.args[:8],
                    *((value.receiver,) if value.receiver is not None else ()),
                )
            case _:
                literal |= bool([c for c in frame.constants(one) if isinstance(c, str)])
        for other in inner:
            if depth > 0 and other not in seen:
                seen.add(other)
                pending.append((other, depth - 1))
    return decoded and literal and not frame.deep(at)


def _encoding(frame: Frame, call: Call) -> bool:
    return any(c in ("base64", "hex") for value in call.args[1:2] for c in frame.constants(value))


def surveillance_capability(subject: Subject) -> Iterator[Sighting]:
    """The keyboard, screen, clipboard or camera, in a package that says nothing of it."""
    for site in subject.about("surveillance-capability"):
        what, grave = _watched(site)
        if re.search(rf"{what}|{_PURPOSE}", subject.described, re.IGNORECASE):
            continue
        level = Severity.HIGH if grave else Severity.MEDIUM
        yield subject.sighting(site, f"the {what.partition('|')[0]}", level)


def _watched(site: Site) -> tuple[str, bool]:
    return next((what, grave) for pattern, what, grave in _WATCHED if pattern.search(site.name))
