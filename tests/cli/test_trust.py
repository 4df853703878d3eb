"""Which files may steer an audit."""

import os
from pathlib import Path

import pytest

from mcpward.cli.trust import inside, not_honoured, read_steering, read_text, settings_in, trusts
from mcpward.core.errors import UsageError


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A target beside a folder of the user, with the user's folder as the current one."""
    (tmp_path / "target" / "src").mkdir(parents=True)
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    return tmp_path


def test_only_the_current_folder_is_trusted_unasked(tree):
    assert trusts(".", None)
    assert trusts(str(tree / "mine"), None)
    assert not trusts("..", None)
    assert not trusts("../target", None)
    (tree / "mine" / "sub").mkdir()
    assert not trusts("sub", None)


def test_a_link_to_the_current_folder_is_the_current_folder(tree):
    (tree / "link").symlink_to(tree / "mine")

    assert trusts("../link", None)


def test_the_user_has_the_last_word():
    assert trusts("/nowhere", True)
    assert not trusts(".", False)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.json", False),
        ("../target/a.json", True),
        ("../target/src/../../mine/a.json", False),
        ("../targets/a.json", False),
        ("../target", True),
    ],
)
def test_inside_is_about_the_place(tree, path, expected):
    assert inside(path, "../target") is expected


def test_a_link_that_leads_into_the_target_is_inside(tree):
    (tree / "mine" / "a.json").symlink_to(tree / "target" / "a.json")

    assert inside("a.json", "../target")


def test_a_link_in_the_target_that_leads_out_is_inside(tree):
    (tree / "target" / "out").symlink_to(tree / "mine")
    (tree / "mine" / "via").symlink_to(tree / "target" / "out")

    assert inside("../target/out/a.json", "../target")
    assert inside("via/a.json", "../target")


def test_links_that_go_in_circles_end(tree):
    (tree / "mine" / "a").symlink_to("b")
    (tree / "mine" / "b").symlink_to("a")

    assert not inside("a/x", "../target")
    with pytest.raises(UsageError, match="cannot read a"):
        read_text("a")


def test_a_file_in_a_target_that_is_not_trusted_does_not_steer(tree):
    Path("../target/b.json").write_text("{}", encoding="utf-8")

    with pytest.raises(UsageError, match="not trusted") as caught:
        read_steering("../target/b.json", "../target", trusted=False)
    assert "--trust-target" in caught.value.hint
    assert read_steering("../target/b.json", "../target", trusted=True) == "{}"


def test_settings_are_found_under_two_names(tree):
    assert settings_in(".") is None
    Path("pyproject.toml").write_text("[project]\n# [tool.mcpward]\n", encoding="utf-8")
    assert settings_in(".") is None
    Path("pyproject.toml").write_text("[[tool.mcpward.ignore]]\n", encoding="utf-8")
    assert settings_in(".") == "pyproject.toml"
    Path("mcpward.toml").write_text("", encoding="utf-8")
    assert settings_in(".") == "mcpward.toml"


def test_settings_in_a_target_that_is_not_trusted_are_mentioned(tree):
    assert not_honoured("../target") == ()
    Path("../target/pyproject.toml").write_text("[tool.mcpward]\n", encoding="utf-8")
    (note,) = not_honoured("../target")
    assert note.startswith("pyproject.toml in the target was not honoured")


def test_hostile_files_in_a_target_do_not_stop_the_look(tree):
    Path("../target/pyproject.toml").write_bytes(b"[tool.mcpward]\xff")
    assert not_honoured("../target") == ()
    Path("../target/mcpward.toml").symlink_to("mcpward.toml")
    assert len(not_honoured("../target")) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_is_not_waited_for(tree):
    os.mkfifo("mcpward.toml")

    with pytest.raises(UsageError, match="not a regular file"):
        read_text("mcpward.toml")


@pytest.mark.parametrize("path", ["nowhere.toml", ".", "nul\0"])
def test_what_cannot_be_read_is_an_error(tree, path):
    with pytest.raises(UsageError):
        read_text(path)


def test_a_file_has_to_be_text_of_reasonable_size(tree):
    Path("latin").write_bytes(b"\xff")
    with Path("huge").open("wb") as file:
        file.truncate(17 * 1024 * 1024)

    with pytest.raises(UsageError, match="not UTF-8"):
        read_text("latin")
    with pytest.raises(UsageError, match="larger than 16 MiB"):
        read_text("huge")
