"""From a folder, a file or named texts to what is analysed."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from mcpward.audit.collect import Limits, collect, collect_memory, language
from mcpward.core.errors import TargetError
from mcpward.core.finding import SkipKind, Skipped
from mcpward.core.source import Language, Role

POSIX = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX file system")


def put(root, name, data="x = 1\n"):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())


def paths(collected):
    return [source.path for source in collected.sources]


def kinds(collected):
    return {(skip.path, skip.kind) for skip in collected.skipped}


def only(data, name="a.py"):
    (source,) = collect_memory({name: data}).sources
    return source.data


def test_a_folder_gives_its_sources_in_order_and_its_manifests(tmp_path):
    for name in ("b.py", "a/z.ts", "a/y.tsx", "a/x.mjs", "README.md", "a/types.d.ts", "c.pyi"):
        put(tmp_path, name)
    put(tmp_path, "package.json", "{}")

    collected = collect(tmp_path)

    assert [(s.path, s.language) for s in collected.sources] == [
        ("a/x.mjs", Language.JAVASCRIPT),
        ("a/y.tsx", Language.TSX),
        ("a/z.ts", Language.TYPESCRIPT),
        ("b.py", Language.PYTHON),
    ]
    assert collected.texts == {"README.md": b"x = 1\n", "package.json": b"{}"}
    assert collected.root_label == str(tmp_path)
    assert collected.skipped == ()


def test_a_file_is_a_target_whatever_folder_or_name_it_has(tmp_path):
    put(tmp_path, "tests/test_server.py")

    collected = collect(tmp_path / "tests" / "test_server.py")

    assert paths(collected) == ["test_server.py"]
    assert collected.sources[0].role is Role.FIRST_PARTY


@pytest.mark.parametrize("name", ["examples", "tests", "node_modules", "docs"])
def test_the_folder_that_the_user_names_is_never_excluded(tmp_path, name):
    put(tmp_path, f"{name}/server.py")

    assert paths(collect(tmp_path / name)) == ["server.py"]


@pytest.mark.parametrize(
    ("first", "line", "expected"),
    [
        ("run", b"#!/usr/bin/env python3\n", Language.PYTHON),
        ("run", b"#!/usr/bin/env -S uv run --script\n", Language.PYTHON),
        ("run", b"#!python\n", Language.PYTHON),
        ("run", b"#! /usr/local/bin/node\n", Language.JAVASCRIPT),
        ("run", b"#!/usr/bin/env tsx\n", Language.TYPESCRIPT),
        ("run", b"#!/bin/sh\n", None),
        ("run", b"print(1)\n", None),
        ("run.sh", b"#!/usr/bin/env python3\n", None),
        ("a.d.mts", b"", None),
    ],
)
def test_scripts_without_suffix_are_known_by_their_first_line(first, line, expected):
    assert language(first, line) is expected


def test_a_script_without_suffix_is_read():
    collected = collect_memory({"bin/serve": b"#!/usr/bin/env node\nx()\n", "LICENSE": b"text"})

    assert [(s.path, s.language) for s in collected.sources] == [("bin/serve", Language.JAVASCRIPT)]


# ---- what is not analysed ------------------------------------------------------------------------


def test_other_roles_become_one_note_per_top_folder():
    files = {f"tests/unit/test_{n}.py": b"" for n in range(14)}
    collected = collect_memory({"server.py": b"x = 1", "docs/conf.py": b"x = 1", **files})

    assert paths(collected) == ["server.py"]
    reason = "test: 14 files (--include test reads them)"
    assert Skipped("tests/unit", SkipKind.NOT_FIRST_PARTY, reason, 14) in collected.skipped
    reason = "docs: 1 file (--include docs reads them)"
    assert Skipped("docs/conf.py", SkipKind.NOT_FIRST_PARTY, reason) in collected.skipped


def test_included_roles_are_read_and_remembered():
    files = {"server.py": b"x = 1", "tests/a.py": b"x = 1", "node_modules/a/b.js": b"x()"}
    include = frozenset({Role.TEST, Role.VENDORED})

    collected = collect_memory(files, include=include)

    assert {s.path: s.role for s in collected.sources} == {
        "server.py": Role.FIRST_PARTY,
        "tests/a.py": Role.TEST,
        "node_modules/a/b.js": Role.VENDORED,
    }


def test_without_product_code_the_examples_are_the_product():
    collected = collect_memory(
        {
            "examples/a.py": b"x = 1",
            "tests/b.py": b"x = 1",
            "setup.py": b"x = 1",
            "__init__.py": b"",
        }
    )

    assert paths(collected) == ["__init__.py", "examples/a.py", "setup.py"]
    assert {s.role for s in collected.sources} == {Role.FIRST_PARTY}


def test_a_generated_server_alone_is_the_product():
    assert paths(collect_memory({"client.py": b"# @generated\nx = 1\n"})) == ["client.py"]


def test_vendored_code_alone_is_no_target():
    with pytest.raises(TargetError) as error:
        collect_memory({"node_modules/a/index.js": b"x()"})

    assert "--include vendored" in error.value.hint


def test_vendored_folders_are_not_entered(tmp_path):
    put(tmp_path, "server.py")
    put(tmp_path, "node_modules/a/index.js")
    put(tmp_path, "env/pyvenv.cfg")
    put(tmp_path, "env/lib/a.py")

    collected = collect(tmp_path)

    assert paths(collected) == ["server.py"]
    assert kinds(collected) == {
        ("node_modules", SkipKind.NOT_FIRST_PARTY),
        ("env", SkipKind.NOT_FIRST_PARTY),
    }


def test_archives_inside_a_folder_are_noted(tmp_path):
    put(tmp_path, "server.py")
    put(tmp_path, "dist/a.whl")

    assert kinds(collect(tmp_path)) == {("dist/a.whl", SkipKind.UNSUPPORTED)}


# ---- text ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "utf-32-be"]
)
def test_a_byte_order_mark_decides(encoding):
    mark = "\ufeff" if encoding.endswith(("le", "be")) else ""

    assert only((mark + "s = 'é'\n").encode(encoding)) == "s = 'é'\n".encode()


@pytest.mark.parametrize(
    "cookie", ["latin-1", "iso-8859-1", "ISO_8859-1", "latin-1-unix", "cp1252", "windows-1252"]
)
def test_a_python_file_may_declare_an_old_encoding(cookie):
    text = f"#!/usr/bin/python\n# -*- coding: {cookie} -*-\ns = 'é'\n"

    assert only(text.encode("latin-1")) == text.encode()


@pytest.mark.parametrize("cookie", ["utf-7", "unicode_escape", "rot13", "mine", "utf-16"])
def test_an_encoding_that_could_hide_code_is_not_read(cookie):
    collected = collect_memory({"a.py": f"# coding: {cookie}\n".encode(), "b.py": b"x = 1"})

    assert kinds(collected) == {("a.py", SkipKind.UNPARSABLE)}


def test_only_the_first_two_lines_declare_an_encoding():
    assert only(b"x = 1\n# coding: utf-7\n") == b"x = 1\n# coding: utf-7\n"
    assert only(b"// coding: utf-7\n", "a.js") == b"// coding: utf-7\n"


def test_wrong_bytes_are_replaced():
    assert only(b"s = '\xff'\n") == "s = '\N{REPLACEMENT CHARACTER}'\n".encode()


def test_a_lone_carriage_return_ends_a_line():
    assert only(b"a = 1\rb = 2\r\nc = 3\r") == b"a = 1\nb = 2\r\nc = 3\n"


def test_a_file_with_nul_is_no_text():
    collected = collect_memory({"a.js": b"x(\0)", "b.py": b"x = 1"})

    assert kinds(collected) == {("a.js", SkipKind.UNPARSABLE)}


@given(st.binary(max_size=200), st.sampled_from(["a.py", "a.js", "a"]))
def test_any_bytes_become_utf8_or_a_note(data, name):
    collected = collect_memory({"z.py": b"x = 1", name: data})

    for source in collected.sources:
        text = source.data.decode("utf-8")
        assert "\0" not in text
        assert "\r" not in text.replace("\r\n", "")


# ---- limits --------------------------------------------------------------------------------------


def test_a_large_file_is_noted_and_a_bundle_passes(tmp_path):
    put(tmp_path, "big.js", b"x;" * 5_000_000)
    put(tmp_path, "bundle.js", b"x;" * 3_000_000)

    collected = collect(tmp_path)

    assert paths(collected) == ["bundle.js"]
    assert kinds(collected) == {("big.js", SkipKind.TOO_LARGE)}


def test_the_sum_of_all_text_is_bounded():
    files = {f"{name}.py": b"x" * 60 for name in "abc"}

    collected = collect_memory(files, Limits(max_total_bytes=130))

    assert paths(collected) == ["a.py", "b.py"]
    assert kinds(collected) == {("c.py", SkipKind.TOO_LARGE)}


def test_entries_are_bounded_and_shallow_ones_win(tmp_path):
    put(tmp_path, "z.py")
    for number in range(20):
        put(tmp_path, f"a/{number:02}.py")

    collected = collect(tmp_path, Limits(max_files=5))

    assert "z.py" in paths(collected)
    assert len(collected.sources) == 4
    assert kinds(collected) == {("a", SkipKind.TOO_MANY)}


def test_depth_is_bounded(tmp_path):
    put(tmp_path, "a.py")
    put(tmp_path, "b/c/d/e.py")

    collected = collect(tmp_path, Limits(max_depth=2))

    assert kinds(collected) == {("b/c/d", SkipKind.TOO_DEEP)}


def test_manifests_are_bounded():
    files = {f"{n}/package.json": b"{}" for n in range(5)}
    large = {"package.json": b" " * 200}

    collected = collect_memory({"a.py": b"x = 1", **files}, Limits(max_texts=3))
    assert set(collected.texts) == {"0/package.json", "1/package.json", "2/package.json"}
    assert kinds(collected) == {("3/package.json", SkipKind.TOO_MANY)}

    collected = collect_memory({"a.py": b"x = 1", **large}, Limits(max_text_bytes=100))
    assert kinds(collected) == {("package.json", SkipKind.TOO_LARGE)}


def test_many_notes_of_one_kind_become_few():
    collected = collect_memory({"a.py": b"x = 1", **{f"b{n}.py": b"\0" for n in range(500)}})

    assert len(collected.skipped) == 51
    assert sum(skip.count for skip in collected.skipped) == 500


# ---- targets that are none -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["nowhere", "empty", "a.txt", "a.tar.xz", "a.7z", "a\0b", "x" * 5000]
)
def test_a_target_that_cannot_be_audited_says_what_to_do(tmp_path, name):
    (tmp_path / "empty").mkdir()
    for existing in ("a.txt", "a.tar.xz", "a.7z"):
        (tmp_path / existing).write_bytes(b"x")

    with pytest.raises(TargetError) as error:
        collect(tmp_path / name)

    assert error.value.hint
    assert "\0" not in str(error.value)


def test_a_target_that_could_not_be_read_is_not_called_empty():
    collected = collect_memory({"a.py": b"\0"})

    assert collected.sources == ()
    assert kinds(collected) == {("a.py", SkipKind.UNPARSABLE)}


# ---- links and odd files -------------------------------------------------------------------------


@POSIX
def test_links_that_leave_the_target_are_noted_and_never_followed(tmp_path):
    put(tmp_path, "outside/secret.py")
    root = tmp_path / "root"
    put(root, "server.py")
    put(root, "payload.txt")
    put(root, ".git/hook.py")
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "out.py").symlink_to(tmp_path / "outside" / "secret.py")
    (root / "self.py").symlink_to("self.py")
    (root / "text.py").symlink_to("payload.txt")
    (root / "hidden").symlink_to(".git")

    collected = collect(root)

    assert paths(collected) == ["server.py"]
    assert kinds(collected) == {
        (name, SkipKind.LINK) for name in ("out", "out.py", "self.py", "text.py", "hidden")
    }


@POSIX
def test_links_to_what_is_read_anyway_are_no_loss(tmp_path):
    put(tmp_path, "a/server.py")
    put(tmp_path, "AGENTS.md")
    (tmp_path / "CLAUDE.md").symlink_to("AGENTS.md")
    (tmp_path / "gone").symlink_to("nowhere")
    (tmp_path / "a" / "loop").symlink_to("..")
    (tmp_path / "b").symlink_to("a")
    (tmp_path / "main.py").symlink_to("a/server.py")

    collected = collect(tmp_path)

    assert paths(collected) == ["a/server.py"]
    assert collected.skipped == ()


@POSIX
def test_a_root_that_is_a_link_is_fine(tmp_path):
    put(tmp_path, "real/server.py")
    (tmp_path / "link").symlink_to("real")

    assert paths(collect(tmp_path / "link")) == ["server.py"]
    assert paths(collect(tmp_path / "link" / "server.py")) == ["server.py"]


@POSIX
def test_a_pipe_is_noted_and_nobody_waits_for_it(tmp_path):
    put(tmp_path, "server.py")
    os.mkfifo(tmp_path / "pipe.py")
    os.mkfifo(tmp_path / "pipe")

    assert kinds(collect(tmp_path)) == {
        ("pipe.py", SkipKind.SPECIAL_FILE),
        ("pipe", SkipKind.SPECIAL_FILE),
    }
    with pytest.raises(TargetError, match="neither"):
        collect(tmp_path / "pipe.py")


@POSIX
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_noted(tmp_path):
    put(tmp_path, "a.py")
    put(tmp_path, "b.py")
    put(tmp_path, "closed/c.py")
    (tmp_path / "b.py").chmod(0)
    (tmp_path / "closed").chmod(0)

    collected = collect(tmp_path)
    (tmp_path / "closed").chmod(0o700)

    assert kinds(collected) == {
        ("b.py", SkipKind.UNREADABLE),
        ("closed", SkipKind.UNREADABLE),
    }


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_are_made_printable_and_stay_different(tmp_path):
    root = os.fsencode(tmp_path)
    for name in (b"a\x1b[2J.py", b"a\xff.py", "aÿ.py".encode(), b"a\\u{1b}[2J.py", b"new\nline.py"):
        Path(os.fsdecode(root + b"/" + name)).write_bytes(b"x = 1\n")
    (tmp_path / "b\u202egnp.py").write_bytes(b"x = 1\n")

    names = paths(collect(tmp_path))

    assert len(names) == len(set(names)) == 6
    assert all(name.isprintable() for name in names)
    assert "a\\u{1b}[2J.py" in names
    assert "a\\xff.py" in names
