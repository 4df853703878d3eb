"""`mcpward fix` shows, asks and writes; what it must not touch stays as it is."""

import os
import stat
import sys
import zipfile

import pytest
from click.testing import CliRunner

from mcpward.audit import writing
from mcpward.audit.fixes import Changed
from mcpward.audit.writing import WriteError, checked, write
from mcpward.cli import fix as command
from mcpward.cli.app import main

CODE = b"""\
import requests
from mcp.server.fastmcp import FastMCP

mcp = FastMCP("status")


@mcp.tool()
def status(service: str) -> str:
    return requests.get("https://status.example/api", verify=False, timeout=9).text
"""
FIXED = CODE.replace(b", verify=False", b"")


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "server.py").write_bytes(CODE)
    return folder


@pytest.fixture
def run(monkeypatch, capsys):
    def run(*args):
        monkeypatch.setattr(sys, "argv", ["mcpward", "fix", *map(str, args)])
        code = main()
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_without_a_terminal_the_changes_are_only_shown(run, server):
    code, out, err = run(server)

    assert code == 1
    assert '-    return requests.get("https://status.example/api", verify=False, timeout=9)' in out
    assert "+++ b/server.py" in out
    assert "tls-verification-disabled" in err
    assert (server / "server.py").read_bytes() == CODE


def test_written_once_there_is_nothing_left_to_fix(run, server):
    (server / "server.py").chmod(0o640)

    assert run(server, "--write")[0] == 0
    assert (server / "server.py").read_bytes() == FIXED
    assert stat.S_IMODE((server / "server.py").stat().st_mode) == 0o640
    assert run(server) == (0, "", "nothing to fix\n")
    assert [one.name for one in server.iterdir()] == ["server.py"]


@pytest.mark.parametrize("answer", [True, False])
def test_on_a_terminal_a_question_is_asked(run, server, monkeypatch, answer):
    monkeypatch.setattr(command, "_watched", lambda: True)
    monkeypatch.setattr(command.click, "confirm", lambda *_, **__: answer)

    assert run(server)[0] == (0 if answer else 1)
    assert (server / "server.py").read_bytes() == (FIXED if answer else CODE)


def test_with_diff_no_question_is_asked(run, server, monkeypatch):
    monkeypatch.setattr(command, "_watched", lambda: True)

    assert run(server, "--diff")[0] == 1


def test_diff_and_write_contradict_each_other(run, server):
    assert run(server, "--diff", "--write")[0] == 2


def test_one_file_can_be_the_target(run, server):
    assert run(server / "server.py", "--write")[0] == 0
    assert (server / "server.py").read_bytes() == FIXED


def test_an_archive_is_only_shown(run, server, tmp_path):
    archive = tmp_path / "server.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("server/server.py", CODE)
    before = archive.read_bytes()

    code, out, _ = run(archive)
    assert (code, "verify=False" in out) == (1, True)
    assert run(archive, "--write")[0] == 2
    assert archive.read_bytes() == before


def test_rules_that_are_not_asked_for_are_not_fixed(run, server):
    assert run(server, "--not-rule", "tls-verification-disabled")[0] == 0
    assert run(server, "--rule", "tls-verification-disabled")[0] == 1
    assert run(server, "--severity", "critical")[0] == 0


def test_a_secret_is_not_shown_while_it_is_taken_out(run, server):
    secret = b"k7Qz2mVx9Tb4Rw6Yp1Ns"
    (server / "server.py").write_bytes(FIXED + b'\nKEY = __import__("os").getenv("API_KEY", "")\n')
    (server / "other.py").write_bytes(b'import os\n\nKEY = os.getenv("API_KEY", "%s")\n' % secret)

    code, out, err = run(server)

    assert code == 1
    assert '+KEY = os.environ["API_KEY"]' in out
    assert secret.decode() not in out + err


def test_suggested_fixes_are_counted(run, server):
    (server / "server.py").write_bytes(FIXED + b'\nAPI_KEY = "k7Qz2mVx9Tb4Rw6Yp1Ns"\n')

    code, out, err = run(server)

    assert (code, out) == (0, "")
    assert "suggested fixes that need a look: 1" in err
    assert run(server, "--suggested", "--write")[0] == 0
    assert b'os.environ["API_KEY"]' in (server / "server.py").read_bytes()


def test_names_of_files_cannot_steer_a_terminal(run, server, monkeypatch):
    (server / "server.py").rename(server / "a\x1b[2Jb.py")

    assert "\x1b" not in run(server)[2]


# ---- files that must stay as they are ------------------------------------------------------------


@pytest.mark.parametrize("text", [CODE, CODE.replace(b"\n", b"\r\n")])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_breaks_and_byte_order_marks_are_kept(run, server, mark, text):
    (server / "server.py").write_bytes(mark + text)

    assert run(server, "--write")[0] == 0
    assert (server / "server.py").read_bytes() == mark + text.replace(b", verify=False", b"")


@pytest.mark.parametrize(
    "data",
    [
        b"# coding: latin-1\n" + CODE + b"# \xe4\n",
        CODE + b"# \xff\n",
        CODE.decode().encode("utf-16"),
    ],
)
def test_a_file_that_is_not_utf_8_is_not_written(run, server, data):
    (server / "server.py").write_bytes(data)

    code, out, err = run(server, "--write")

    assert (code, out) == (1, "")
    assert "not changed: server.py is not UTF-8" in err
    assert (server / "server.py").read_bytes() == data


def test_a_read_only_file_is_not_written(run, server):
    (server / "server.py").chmod(0o444)

    code, _, err = run(server, "--write")

    assert code == 1
    assert "server.py is read-only" in err
    assert (server / "server.py").read_bytes() == CODE


CHANGE = Changed("server.py", CODE, FIXED)


def test_a_file_that_somebody_changed_is_not_written(server):
    (server / "server.py").write_bytes(CODE + b"# mine\n")

    with pytest.raises(WriteError, match="not what was audited"):
        write(server, CHANGE)
    assert (server / "server.py").read_bytes() == CODE + b"# mine\n"
    assert [one.name for one in server.iterdir()] == ["server.py"]


def test_a_change_at_the_last_moment_is_seen(server, monkeypatch):
    sync = os.fsync

    def meddle(handle):
        sync(handle)
        (server / "server.py").write_bytes(b"# mine\n")

    monkeypatch.setattr(writing.os, "fsync", meddle)

    with pytest.raises(WriteError):
        write(server, CHANGE)
    assert (server / "server.py").read_bytes() == b"# mine\n"
    assert [one.name for one in server.iterdir()] == ["server.py"]


def test_a_link_that_took_the_place_of_the_file_is_not_followed(server, tmp_path):
    outside = tmp_path / "outside.py"
    outside.write_bytes(CODE)
    (server / "server.py").unlink()
    (server / "server.py").symlink_to(outside)

    with pytest.raises(WriteError, match="link"):
        write(server, CHANGE)
    assert outside.read_bytes() == CODE


def test_a_link_that_took_the_place_of_a_folder_is_not_followed(server, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "server.py").write_bytes(CODE)
    (server / "src").symlink_to(outside)

    with pytest.raises(WriteError):
        write(server, Changed("src/server.py", CODE, FIXED))
    assert (outside / "server.py").read_bytes() == CODE


def test_without_folder_handles_links_are_found_by_name(server, tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "_AT", False)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "server.py").write_bytes(CODE)
    (server / "src").symlink_to(outside)
    (server / "link.py").symlink_to(outside / "server.py")

    for path in ("src/server.py", "link.py"):
        with pytest.raises(WriteError, match="link"):
            write(server, Changed(path, CODE, FIXED))
    write(server, CHANGE)
    assert (server / "server.py").read_bytes() == FIXED
    assert (outside / "server.py").read_bytes() == CODE


@pytest.mark.parametrize("path", ["../server.py", "/server.py", "a//server.py", "a\\server.py", ""])
def test_no_path_leads_out_of_the_target(server, path):
    with pytest.raises(WriteError):
        checked(server, Changed(path, CODE, FIXED))


def test_a_pipe_is_not_waited_for(server):
    (server / "server.py").unlink()
    os.mkfifo(server / "server.py")

    with pytest.raises(WriteError, match="no regular file"):
        checked(server, CHANGE)


def test_a_folder_that_cannot_be_written_to_is_an_error(run, server, monkeypatch):
    real = os.open

    def full(path, flags, *args, **kwargs):
        if flags & os.O_CREAT:
            raise OSError(28, "No space left on device")
        return real(path, flags, *args, **kwargs)

    monkeypatch.setattr(writing.os, "open", full)
    monkeypatch.setattr(writing, "_AT", True)

    code, _, err = run(server, "--write")

    assert code == 2
    assert "No space left on device" in err
    assert (server / "server.py").read_bytes() == CODE
    assert [one.name for one in server.iterdir()] == ["server.py"]


def test_the_help_names_the_exit_codes():
    done = CliRunner().invoke(command.fix, ["--help"])

    assert "Exits with 0 when nothing is left to fix" in done.output
