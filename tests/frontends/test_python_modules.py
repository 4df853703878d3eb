"""Module names are what Python would import, and imports find the files they mean."""

import pytest

from mcpward.frontends.python_modules import ModuleIndex, module_names, resolve


def names(*paths):
    return {path: name for path, (name, _) in module_names(paths).items()}


def test_packages_are_named_from_their_topmost_folder():
    got = module_names(
        ["src/app/__init__.py", "src/app/server.py", "src/app/x/__init__.py", "setup.py"]
    )

    assert got == {
        "setup.py": ("setup", False),
        "src/app/__init__.py": ("app", True),
        "src/app/server.py": ("app.server", False),
        "src/app/x/__init__.py": ("app.x", True),
    }


def test_files_outside_packages_are_named_from_the_root():
    assert names("src/server.py", "src/tools/files.py", "plugins/a.py") == {
        "plugins/a.py": "plugins.a",
        "src/server.py": "server",
        "src/tools/files.py": "tools.files",
    }


def test_names_are_unique():
    got = names("src/server.py", "server.py", "lib/server.py")

    assert len(set(got.values())) == 3


def test_target_that_is_a_package_itself():
    assert names("__init__.py", "server.py") == {"__init__.py": "__init__", "server.py": "server"}


@pytest.mark.parametrize(
    ("importer", "dotted", "expected"),
    [
        ("bot.server", "tools", "bot.tools"),
        ("bot.server", "tools.x", "bot.tools.x"),
        ("bot.server", "json", "json"),
        ("bot.server", "requests", "requests"),
        ("pkg.openai", "openai", "openai"),
        ("pkg.main", "openai", "openai"),
        ("pkg.main", "pkg.openai", "pkg.openai"),
        ("tests.test_a", "mypkg.thing", "archive-1.mypkg.thing"),
        ("bot.server", "src.main", "main"),
        ("bot.server", "mcp.server", "mcp.server"),
    ],
)
def test_resolve(importer, dotted, expected):
    known = {
        "bot.server": False,
        "bot.tools.x": False,
        "bot.mcp.server": False,
        "pkg": True,
        "pkg.openai": False,
        "pkg.main": False,
        "archive-1.mypkg.thing": False,
        "tests.test_a": False,
        "main": False,
    }

    assert resolve(importer, dotted, known) == expected
    assert ModuleIndex(known).resolve(importer, dotted) == expected
