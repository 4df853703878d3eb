"""Files that appear whole, in places that nobody else chose."""

import io
import os
import stat
import sys
from pathlib import Path

import pytest

from mcpward.cli.output import to_file
from mcpward.cli.progress import Progress, progress_on
from mcpward.core.errors import UsageError


@pytest.fixture
def target(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "target").mkdir()
    (tmp_path / "outside").mkdir()
    return "target"


def test_a_new_file_has_the_usual_rights_and_no_draft_stays(target):
    mask = os.umask(0o022)
    try:
        to_file("outside/r.txt", "é\n", target)
    finally:
        os.umask(mask)

    (written,) = Path("outside").iterdir()
    assert written.read_bytes() == "é\n".encode()
    if sys.platform != "win32":
        assert stat.S_IMODE(written.stat().st_mode) == 0o644


def test_a_file_that_is_replaced_keeps_its_rights(target):
    Path("outside/r.txt").write_text("old", encoding="utf-8")
    Path("outside/r.txt").chmod(0o600)
    to_file("outside/r.txt", "new", target)

    assert Path("outside/r.txt").read_text(encoding="utf-8") == "new"
    assert stat.S_IMODE(Path("outside/r.txt").stat().st_mode) & 0o077 in (0, 0o066)


def test_a_report_may_lie_in_the_target(target):
    to_file("target/r.txt", "x", target)

    assert Path("target/r.txt").read_text(encoding="utf-8") == "x"


def test_a_link_of_the_user_is_followed_and_stays(target):
    Path("link").symlink_to("outside/r.txt")
    to_file("link", "x", target)

    assert Path("link").is_symlink()
    assert Path("outside/r.txt").read_text(encoding="utf-8") == "x"


@pytest.mark.parametrize("path", ["target/r.txt", "target/folder/r.txt", "via/folder/r.txt"])
def test_a_link_inside_the_target_is_refused(target, path):
    Path("target/r.txt").symlink_to("../outside/r.txt")
    Path("target/folder").symlink_to("../outside")
    Path("via").symlink_to("target")

    with pytest.raises(UsageError, match="is a link inside the audited tree"):
        to_file(path, "x", target)
    assert list(Path("outside").iterdir()) == []


@pytest.mark.parametrize("path", ["nowhere/r.txt", "outside", "nul\0"])
def test_what_cannot_be_written_is_an_error(target, path):
    with pytest.raises(UsageError, match="cannot write"):
        to_file(path, "x", target)


def test_surrogates_of_odd_file_names_do_not_stop_a_report(target):
    to_file("r.txt", "a\udcffb", target)

    assert Path("r.txt").read_text(encoding="utf-8") == "a?b"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no devices here")
def test_a_device_is_written_and_not_replaced(target):
    to_file(os.devnull, "x", target)

    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_silent_at_first_then_one_line_that_goes_away(monkeypatch):
    clock = iter([0.0, 0.5, 1.1, 1.15, 1.3])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    screen = Terminal()
    progress = Progress(screen)
    for done in range(3):
        progress("parsing", done, 2_000)
    progress("following", 7, 0)
    progress.close()

    assert screen.getvalue() == "\rparsing 1 of 2,000\rfollowing 7       \r           \r"


def test_progress_needs_somebody_who_watches():
    assert progress_on(io.StringIO()) is None
    assert progress_on(Terminal()) is not None
