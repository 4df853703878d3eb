"""Archives are read in memory, and none of their promises is believed."""

import contextlib
import gzip
import io
import stat
import struct
import tarfile
import zipfile

import pytest
from hypothesis import given, strategies as st

from mcpward.audit.archives import read_archive
from mcpward.audit.collect import Limits, collect
from mcpward.audit.members import Found, Interest, fault, printable
from mcpward.core.errors import TargetError
from mcpward.core.finding import SkipKind, Skipped

SOURCE = b"x = 1\n"
DEFAULT = Limits()
NAME = st.text(alphabet="ab./\\:C\0\n\x1b\u202eé\udcff ", max_size=30)
TAR_FORMATS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]


def zipped(*members, method=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


def tarred(*members, form=tarfile.PAX_FORMAT):
    """Members are (name, data) or a ready header."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        for member in members:
            info, data = member if isinstance(member, tuple) else (member, b"")
            if isinstance(info, str):
                info = tarfile.TarInfo(info)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    return info


def everything(_path):
    return Interest.CONTENT


def read(data, limits=DEFAULT, interest=everything):
    """What an archive gives: texts by path, and notes."""
    texts, notes = {}, []
    for item in read_archive(io.BytesIO(data), limits, interest):
        content = item.load(limits.max_file_bytes + 1) if isinstance(item, Found) else item
        if isinstance(content, Skipped):
            notes.append(content)
        else:
            texts[item.path] = content
    return texts, notes


def note_kinds(data, **more):
    return {(note.path, note.kind) for note in read(data, **more)[1]}


@pytest.fixture(params=["zip", "tar", "tar.gz"])
def archive_of(request):
    def build(*members):
        match request.param:
            case "zip":
                return zipped(*members)
            case "tar":
                return tarred(*members)
            case _:
                return gzip.compress(tarred(*members))

    return build


# ---- honest archives -----------------------------------------------------------------------------


def test_members_are_read_in_memory(archive_of):
    data = archive_of(("a/server.py", SOURCE), ("./b//c.py", b""), ("d/", b""))

    assert read(data) == ({"a/server.py": SOURCE, "b/c.py": b""}, [])


def test_only_what_is_of_interest_is_unpacked(archive_of):
    def interest(path):
        return {"a.py": Interest.CONTENT, "b.py": Interest.NAME}.get(path, Interest.NONE)

    data = archive_of(("a.py", SOURCE), ("b.py", SOURCE), ("c.py", SOURCE))
    texts, notes = read(data, interest=interest)

    assert texts == {"a.py": SOURCE}
    assert [note.path for note in notes] == ["b.py"]


@pytest.mark.parametrize("form", TAR_FORMATS)
@pytest.mark.parametrize(
    "name", ["a.py", "d/" * 40 + "x" * 60 + ".py", "x" * 90 + "/" + "y" * 90, "é.py"]
)
def test_every_dialect_of_tar_is_read(form, name):
    assert read(tarred((name, SOURCE), ("z.py", SOURCE), form=form))[0] == {
        name: SOURCE,
        "z.py": SOURCE,
    }


@given(
    st.sampled_from(TAR_FORMATS),
    st.dictionaries(
        st.text(alphabet="abcé _-", min_size=1, max_size=90), st.binary(max_size=1500), max_size=5
    ),
)
def test_tar_agrees_with_the_standard_library(form, files):
    folded = {name.casefold(): name for name in files}
    data = tarred(*((name, files[name]) for name in folded.values()), form=form)

    assert read(data) == ({name: files[name] for name in folded.values()}, [])


@pytest.mark.parametrize("suffix", ["whl", "zip", "mcpb", "dxt", "tgz"])
def test_the_content_tells_the_kind_of_archive(tmp_path, suffix):
    path = tmp_path / f"server.{suffix}"
    path.write_bytes(zipped(("server.py", SOURCE)))

    assert [source.path for source in collect(path).sources] == ["server.py"]


def test_a_signature_behind_a_bundle_is_no_obstacle():
    data = zipped(("server.py", SOURCE)) + b"MCPB_SIG_V1" + b"\0" * 3000 + b"MCPB_SIG_END"

    assert read(data) == ({"server.py": SOURCE}, [])


def test_text_in_front_of_a_zip_is_no_obstacle(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(b"PK" + b" " * 500 + zipped(("server.py", SOURCE)))

    assert [source.path for source in collect(path).sources] == ["server.py"]


def test_the_wrapping_folder_of_a_package_stays_in_the_paths(tmp_path):
    path = tmp_path / "a.tgz"
    members = [("package/dist/index.js", SOURCE), ("package/src/index.ts", SOURCE)]
    path.write_bytes(gzip.compress(tarred(*members, ("package/test/a.ts", SOURCE))))

    collected = collect(path)

    assert [source.path for source in collected.sources] == ["package/src/index.ts"]
    assert {(skip.path, skip.kind) for skip in collected.skipped} == {
        ("package/dist/index.js", SkipKind.NOT_FIRST_PARTY),
        ("package/test/a.ts", SkipKind.NOT_FIRST_PARTY),
    }


def test_vendored_members_and_nested_archives_are_noted(tmp_path):
    path = tmp_path / "a.mcpb"
    path.write_bytes(
        zipped(
            ("server/index.js", SOURCE),
            ("server/node_modules/a/index.js", SOURCE),
            ("server/node_modules/b/index.js", SOURCE),
            ("server/lib/flask/app.py", SOURCE),
            ("server/lib/flask-3.0.dist-info/METADATA", b""),
            ("more.zip", zipped(("b.py", SOURCE))),
        )
    )

    collected = collect(path)

    assert [source.path for source in collected.sources] == ["server/index.js"]
    assert {(skip.path, skip.kind, skip.count) for skip in collected.skipped} == {
        ("server", SkipKind.NOT_FIRST_PARTY, 3),
        ("more.zip", SkipKind.UNSUPPORTED, 1),
    }


# ---- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "../a.py",
        "a/../../b.py",
        "/etc/a.py",
        "C:/a.py",
        "c:a.py",
        "a\\b.py",
        "..",
        "a" * 300 + ".py",
        "a/" * 600 + "b.py",
    ],
)
def test_a_name_that_could_lead_outside_is_noted(archive_of, name):
    texts, notes = read(archive_of((name, SOURCE), ("fine.py", SOURCE)))

    assert set(texts) == {"fine.py"}
    assert {note.kind for note in notes} == {SkipKind.UNSAFE_PATH}


def test_a_nul_in_the_name_of_a_zip_member_is_noted():
    data = zipped(("a.py_.txt", SOURCE)).replace(b"a.py_.txt", b"a.py\0.txt")

    assert note_kinds(data) == {(".", SkipKind.UNSAFE_PATH)}


def test_a_nul_in_the_extended_name_of_a_tar_member_is_noted():
    name = "é.py_.txt"
    data = tarred((name, SOURCE)).replace("é.py_".encode(), "é.py\0".encode())

    assert {kind for _, kind in note_kinds(data)} == {SkipKind.UNSAFE_PATH}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("second", ["a/b.py", "a/B.PY", "./a//b.py"])
def test_the_second_member_of_a_name_is_noted(archive_of, second):
    texts, notes = read(archive_of(("a/b.py", SOURCE), (second, b"y = 2\n")))

    assert texts == {"a/b.py": SOURCE}
    assert [note.kind for note in notes] == [SkipKind.UNSAFE_PATH]


def test_names_that_differ_in_composition_only_are_one_name(archive_of):
    _, notes = read(archive_of(("\u00e9.py", SOURCE), ("e\u0301.py", SOURCE)))

    assert [note.kind for note in notes] == [SkipKind.UNSAFE_PATH]


@given(NAME)
def test_a_name_without_fault_stays_inside(name):
    assert printable(name).isprintable()
    if not fault(name):
        parts = [part for part in name.split("/") if part not in ("", ".")]
        assert parts
        assert ".." not in parts


@given(NAME, NAME)
def test_printable_names_stay_different(one, other):
    assert (printable(one) == printable(other)) == (one == other)


@given(
    st.lists(
        st.tuples(NAME, st.sampled_from([b"0", b"1", b"2", b"3", b"5", b"6", b"7"])), max_size=6
    )
)
def test_no_tar_name_gives_a_path_outside(members):
    infos = [special(name, kind, "/etc/passwd") for name, kind in members]
    data = tarred(*infos, form=tarfile.GNU_FORMAT)
    try:
        texts, notes = read(data)
    except TargetError:
        return
    for path in [*texts, *(note.path for note in notes)]:
        assert path.isprintable()
    for path in texts:
        assert not path.startswith("/")
        assert ".." not in path.split("/")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@given(st.lists(st.text(alphabet="ab./\\:C\n\x1bé ", min_size=1, max_size=20), max_size=6))
def test_no_zip_name_gives_a_path_outside(names):
    texts, notes = read(zipped(*((name, SOURCE) for name in names)))

    for path in [*texts, *(note.path for note in notes)]:
        assert path.isprintable()
    for path in texts:
        assert not path.startswith("/")
        assert ".." not in path.split("/")


# ---- members that are no files -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (tarfile.SYMTYPE, SkipKind.LINK),
        (tarfile.LNKTYPE, SkipKind.LINK),
        (tarfile.CHRTYPE, SkipKind.SPECIAL_FILE),
        (tarfile.BLKTYPE, SkipKind.SPECIAL_FILE),
        (tarfile.FIFOTYPE, SkipKind.SPECIAL_FILE),
        (tarfile.GNUTYPE_SPARSE, SkipKind.UNREADABLE),
    ],
)
def test_odd_tar_members_are_noted(kind, expected):
    data = tarred(special("a.py", kind, "b.py"), ("b.py", SOURCE))

    assert read(data)[0] == {"b.py": SOURCE}
    assert note_kinds(data) == {("a.py", expected)}


def test_links_count_only_when_they_hide_code_or_leave():
    def interest(path):
        return Interest.CONTENT if path.endswith(".py") else Interest.NONE

    links = {"CLAUDE.md": "AGENTS.md", "a/b": "../c", "out": "../x", "abs": "/etc", "a.py": "b.txt"}
    data = tarred(*(special(name, tarfile.SYMTYPE, target) for name, target in links.items()))

    assert note_kinds(data, interest=interest) == {
        ("out", SkipKind.LINK),
        ("abs", SkipKind.LINK),
        ("a.py", SkipKind.LINK),
    }


@pytest.mark.parametrize(
    ("mode", "expected"),
    [(stat.S_IFLNK, SkipKind.LINK), (stat.S_IFIFO, SkipKind.SPECIAL_FILE)],
)
def test_odd_zip_members_are_noted(mode, expected):
    info = zipfile.ZipInfo("a.py")
    info.external_attr = (mode | 0o777) << 16

    assert note_kinds(zipped((info, b"/etc/passwd"))) == {("a.py", expected)}


# ---- lies ----------------------------------------------------------------------------------------


def with_central(data, offset, value, size):
    """The archive with one number in its first central header replaced."""
    at = data.index(b"PK\1\2") + offset
    return data[:at] + value.to_bytes(size, "little") + data[at + size :]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, SkipKind.UNREADABLE),
        (3, SkipKind.UNREADABLE),
        (10_000, SkipKind.UNREADABLE),
        (2**31, SkipKind.TOO_LARGE),
    ],
)
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_wrong_size_is_noted(size, expected, method):
    data = with_central(zipped(("a.py", SOURCE), method=method), 24, size, 4)

    assert note_kinds(data) == {("a.py", expected)}


def test_a_size_and_check_sum_that_agree_about_a_part_are_noted():
    whole = b"x = 1\nevil()\n"
    data = with_central(zipped(("a.py", whole)), 24, 6, 4)
    data = with_central(data, 16, zipfile.crc32(whole[:6]), 4)

    assert note_kinds(data) == {("a.py", SkipKind.UNREADABLE)}


@pytest.mark.parametrize(
    ("offset", "value", "size"),
    [(8, 1, 2), (10, 99, 2), (16, 0, 4), (20, 2, 4), (42, 5, 4), (42, 2**31, 4)],
    ids=["encrypted", "method", "crc", "cut", "shifted", "far away"],
)
def test_a_member_that_contradicts_itself_is_noted(offset, value, size):
    data = with_central(zipped(("a.py", SOURCE * 9), ("b.py", SOURCE)), offset, value, size)

    assert ("a.py", SkipKind.UNREADABLE) in note_kinds(data)


def test_a_member_with_two_names_is_noted():
    data = zipped(("a.py", SOURCE)).replace(b"a.py", b"b.py", 1)

    assert note_kinds(data) == {("a.py", SkipKind.UNREADABLE)}


def test_members_that_share_bytes_are_noted():
    data = zipped(("a.py", SOURCE))
    at, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    central = data[at:end]
    copies = b"".join(central.replace(b"a.py", b"%c.py" % letter) for letter in b"abc")
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 3, 3, len(copies), at, 0)

    texts, notes = read(data[:at] + copies + tail)

    assert texts == {"a.py": SOURCE}
    assert [note.kind for note in notes] == [SkipKind.UNREADABLE] * 2


def test_a_huge_central_directory_is_refused():
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 3, 3, 20_000_000, 0, 0)
    with pytest.raises(TargetError, match="central directory"):
        read(b"PK\3\4" + b"\0" * 20_000_000 + tail)


def test_the_number_of_members_is_bounded(archive_of):
    data = archive_of(*((f"{number}.py", b"") for number in range(50)))
    texts, notes = read(data, limits=Limits(max_archive_members=10))

    assert len(texts) == 10
    assert {note.kind for note in notes} == {SkipKind.TOO_MANY}


def test_a_bomb_is_stopped_and_what_was_read_is_kept():
    small = Limits(ratio_floor=1_000_000)
    data = gzip.compress(tarred(("a.py", SOURCE), ("b.py", bytes(2_000_000)), ("c.py", SOURCE)))

    texts, notes = read(data, limits=small)

    assert set(texts) == {"a.py"}
    assert [(note.path, note.kind) for note in notes] == [(".", SkipKind.TOO_LARGE)]


def test_the_ratio_counts_all_members_of_a_zip_together():
    small = Limits(ratio_floor=1_000_000)
    data = zipped(("a.py", SOURCE), *((f"{n}.py", bytes(600_000)) for n in range(5)))

    texts, notes = read(data, limits=small)

    assert set(texts) == {"a.py", "0.py"}
    assert {note.kind for note in notes} == {SkipKind.TOO_LARGE}


def test_a_bomb_among_the_members_does_not_hide_the_others():
    data = zipped(("a.py", bytes(7_000_000)), ("b.py", bytes(20_000_000)), ("c.py", SOURCE))

    texts, notes = read(data)

    assert texts == {"c.py": SOURCE}
    assert [(note.path, note.kind) for note in notes] == [
        ("a.py", SkipKind.TOO_LARGE),
        ("b.py", SkipKind.TOO_LARGE),
    ]


def test_unpacked_bytes_are_bounded(archive_of):
    data = archive_of(*((f"{number}.py", SOURCE * 1000) for number in range(50)))
    _, notes = read(data, limits=Limits(max_archive_bytes=100_000))

    assert {note.kind for note in notes} == {SkipKind.TOO_LARGE}


def test_a_large_member_is_noted_and_the_next_one_read(archive_of, tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(archive_of(("a.py", SOURCE * 1000), ("b.py", SOURCE), ("c", bytes(5000))))

    collected = collect(path, Limits(max_file_bytes=100))

    assert [source.path for source in collected.sources] == ["b.py"]
    assert [(skip.path, skip.kind) for skip in collected.skipped] == [("a.py", SkipKind.TOO_LARGE)]


def header(name=b"a.py", size=b"00000000006\0", kind=b"0"):
    block = name.ljust(100, b"\0") + b"0000644\0" * 3 + size.ljust(12, b"\0") + b"0" * 11 + b"\0"
    block = (block + b" " * 8 + kind).ljust(257, b"\0") + b"ustar\0" + b"00"
    block = block.ljust(512, b"\0")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


@pytest.mark.parametrize(
    "size",
    [
        b"\xff" * 12,
        b"\x80" + b"\xff" * 11,
        b"\x80" + b"\0" * 7 + b"\x7f\xff\xff\xff",
        b"77777777777",
        b"9",
        b"-1",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe\0",
    ],
)
def test_a_tar_size_that_is_negative_or_endless_ends_the_reading(size):
    data = header(b"good.py") + SOURCE.ljust(512, b"\0") + header(b"bad.py", size) + bytes(1024)

    texts, notes = read(data)

    assert texts == {"good.py": SOURCE}
    assert notes


def test_an_extended_size_replaces_the_plain_one():
    record = b"13 size=1024\n"
    fake = header(b"evil.py").ljust(1024, b"\0")
    data = header(b"pax", b"%011o\0" % len(record), b"x") + record.ljust(512, b"\0")
    data += header(b"a.py") + fake + header(b"b.py") + SOURCE.ljust(512, b"\0")

    assert list(read(data)[0]) == ["a.py", "b.py"]


@pytest.mark.parametrize(
    "record",
    [b"0 a=b\n", b"5 a=b\n", b"99 a=b\n", b"x", b"6 aab\n", b"9" * 40, b"1 \n", b" " * 400],
)
def test_malformed_extended_headers_end_the_reading(record):
    data = header(b"good.py") + SOURCE.ljust(512, b"\0")
    data += header(b"pax", b"%011o\0" % len(record), b"x") + record.ljust(512, b"\0")

    texts, notes = read(data + header(b"b.py") + SOURCE.ljust(512, b"\0"))

    assert texts == {"good.py": SOURCE}
    assert [note.kind for note in notes] == [SkipKind.UNREADABLE]


@pytest.mark.parametrize("kind", [b"L", b"K", b"x", b"g"])
def test_a_long_extended_header_is_not_held(kind):
    data = header(b"good.py") + SOURCE.ljust(512, b"\0")
    data += header(b"pax", b"%011o\0" % 10_000_000, kind) + bytes(10_000_000)

    assert note_kinds(data) == {(".", SkipKind.UNREADABLE)}


def test_members_behind_empty_blocks_are_read():
    data = header(b"a.py") + SOURCE.ljust(512, b"\0")

    assert set(read(data + bytes(1024) + data.replace(b"a.py", b"a.py"))[0]) == {"a.py"}
    assert set(read(bytes(512) + data)[0]) == {"a.py"}


def test_a_folder_that_claims_to_hold_data_is_noted():
    data = header(b"d", kind=b"5") + header(b"a.py") + SOURCE.ljust(512, b"\0")

    assert set(read(data)[0]) == {"a.py"}
    assert note_kinds(data) == {(".", SkipKind.UNREADABLE)}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text",
        b"PK",
        b"PK\3\4" + bytes(100),
        b"\x1f\x8b",
        b"\x1f\x8b" + bytes(600),
        b"x" * 2000,
    ],
)
def test_what_is_no_archive_cannot_be_audited(tmp_path, data):
    path = tmp_path / "a.zip"
    path.write_bytes(data)

    with pytest.raises(TargetError) as error:
        collect(path)

    assert error.value.hint


def test_a_truncated_archive_gives_what_it_has():
    texts, notes = read(
        gzip.compress(tarred(("a.py", SOURCE), ("b.py", bytes(range(256)) * 99)))[:-200]
    )

    assert set(texts) == {"a.py"}
    assert [note.kind for note in notes] == [SkipKind.UNREADABLE]


@given(st.sampled_from(["zip", "tar", "tgz"]), st.data())
def test_a_damaged_archive_never_surprises(kind, data):
    members = [("a.py", SOURCE), ("b/" * 60 + "é.py", SOURCE * 30)]
    whole = zipped(*members) if kind == "zip" else tarred(*members)
    whole = gzip.compress(whole, mtime=0) if kind == "tgz" else whole
    broken = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(TargetError):
        texts, notes = read(bytes(broken))
        assert all(path.isprintable() for path in texts)
        assert all(note.reason.isprintable() for note in notes)
