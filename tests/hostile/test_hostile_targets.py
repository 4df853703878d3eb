"""Targets made to break, exhaust, mislead or take over the program that looks at them."""

import gzip
import io
import json
import os
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest

from mcpward.audit.collect import collect
from mcpward.core.finding import SkipKind

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs links, pipes and limits of POSIX")

MIB = 1024 * 1024
MEMORY = 2048 * MIB
SECONDS = 45
NIGHTLY = "MCPWARD_NIGHTLY" in os.environ

VULNERABLE = """\
import subprocess
from mcp.server.fastmcp import FastMCP

mcp = FastMCP("notes")

@mcp.tool()
def run(command: str) -> str:
    return subprocess.check_output(command, shell=True, text=True)
"""


def put(root, name, data=VULNERABLE):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def zipped(path, *members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


# ---- the targets: each function writes one and gives the kinds of notes it must lead to ----------


def zip_bomb(root):
    members = [(f"{number:02}.py", bytes(7 * MIB)) for number in range(12)]
    return zipped(root / "a.zip", ("server.py", VULNERABLE), *members), {SkipKind.TOO_LARGE}


def large_zip_member(root):
    target = zipped(root / "a.zip", ("server.py", VULNERABLE), ("a.py", bytes(40 * MIB)))
    return target, {SkipKind.TOO_LARGE}


def nested_zips(root):
    data = b"x = 1"
    for depth in range(20):
        file = io.BytesIO()
        zipped(file, (f"{depth}.zip", data), (f"{depth}.py", b"x = 1"))
        data = file.getvalue()
    return put(root, "a.zip", data), {SkipKind.UNSUPPORTED}


def overlapping_zip(root):
    zipped(root / "a.zip", ("00000.py", bytes(4 * MIB)))
    data = (root / "a.zip").read_bytes()
    at, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    central = b"".join(data[at:end].replace(b"00000", b"%05d" % n) for n in range(20_000))
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 20_000, 20_000, len(central), at, 0)
    return put(root, "a.zip", data[:at] + central + tail), {
        SkipKind.UNREADABLE,
        SkipKind.TOO_LARGE,
    }


def gzip_bomb(root):
    """Half a gigabyte of zeros behind an honest member."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        info = tarfile.TarInfo("server.py")
        info.size = len(VULNERABLE)
        archive.addfile(info, io.BytesIO(VULNERABLE.encode()))
        big = tarfile.TarInfo("big.bin")
        big.size = 512 * MIB
        archive.fileobj.write(big.tobuf())
        start = file.getvalue()[: archive.fileobj.tell()]
    zeros = gzip.compress(bytes(16 * MIB))
    return put(root, "a.tgz", gzip.compress(start) + zeros * 32), {SkipKind.TOO_LARGE}


def tar_of_tricks(root):
    with tarfile.open(root / "a.tar", "w") as archive:
        for name in ("../../escape.py", "/absolute.py", "a/../../b.py", "C:\\d.py", "x" * 2000):
            archive.addfile(tarfile.TarInfo(name))
        for name, kind in (
            ("passwd.py", tarfile.SYMTYPE),
            ("hard.py", tarfile.LNKTYPE),
            ("pipe.py", tarfile.FIFOTYPE),
            ("disk.py", tarfile.BLKTYPE),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        info = tarfile.TarInfo("server.py")
        info.size = len(VULNERABLE)
        archive.addfile(info, io.BytesIO(VULNERABLE.encode()))
    return root / "a.tar", {SkipKind.UNSAFE_PATH, SkipKind.LINK, SkipKind.SPECIAL_FILE}


def one_long_line(root):
    put(root, "server.py")
    put(root, "ten.js", b"x;" * (5 * MIB))
    put(root, "one.js", b"const a = '" + b"x" * MIB + b"';" + b"f(a);" * 5_000)
    return root, {SkipKind.TOO_LARGE}


def deep_nesting(root):
    put(root, "server.py")
    put(root, "package.json", '{"bin":' + "[" * 100_000)
    for name, text in {
        "parentheses": "(" * 100_000 + ")" * 100_000,
        "brackets": "[" * 100_000,
        "attributes": "a" + ".b" * 40_000,
        "calls": "f(" * 100_000 + ")" * 100_000,
        "sum": "1" + " + 1" * 40_000,
        "minus": "-" * 100_000 + "1",
    }.items():
        put(root, f"python/{name}.py", text + "\n")
        put(root, f"typescript/{name}.ts", text.replace("-", "- ") + ";\n")
    put(root, "python/elif.py", "if a: b\n" + "elif a: b\n" * 20_000)
    put(root, "python/indent.py", "".join(" " * n + "if a:\n" for n in range(2_000)))
    put(root, "typescript/elif.ts", "if (a) b();\n" + "else if (a) b();\n" * 5_000)
    put(root, "typescript/blocks.ts", "{" * 100_000 + "}" * 100_000)
    put(root, "typescript/arrows.ts", "a => " * 100_000 + "1;\n")
    put(root, "typescript/markup.tsx", "const a = " + "<a>" * 50_000 + "</a>" * 50_000 + ";\n")
    put(root, "typescript/template.ts", "`${" * 10_000 + "1" + "}`" * 10_000 + ";\n")
    return root, set()


def odd_bytes(root):
    put(root, "server.py")
    put(root, "invalid.py", b"s = '\xff\xfe\x80'\n")
    put(root, "nul.py", b"x = 1\0\n")
    put(root, "nul.ts", b"const x = '\0';\n")
    put(root, "seven.py", b"# coding: utf-7\n+AGUAdgBpAGw-()\n")
    put(root, "half.py", b"\xff\xfex")
    put(root, "mark.py", b"\xef\xbb\xbf" * 3 + b"x = 1\n")
    put(root, "returns.py", b"x = 1\ry = 2\r\rdef f():\r  return x\r")
    put(root, "separators.js", "let x = 1;\u2028let y = 2;\u2029\x0b\x0c\x85f(x);".encode())
    put(root, "pages.py", b"x = 1\n\x0c\ndef f():\n\x0c    return x\n")
    put(root, "package.json", b"\xff\xfe\0")
    return root, {SkipKind.UNPARSABLE}


def links_and_pipes(root):
    put(root, "server.py")
    (root / "loop.py").symlink_to("loop.py")
    (root / "round").symlink_to(".")
    put(root, "a/b.py", "x = 1\n")
    (root / "a" / "up").symlink_to("../a")
    (root / "root").symlink_to("/")
    (root / "passwd.py").symlink_to("/etc/passwd")
    (root / "zero.py").symlink_to("/dev/zero")
    os.mkfifo(root / "pipe.py")
    os.mkfifo(root / "script")
    os.mkfifo(root / "package.json")
    os.mkfifo(root / "mcpward.toml")
    return root, {SkipKind.LINK, SkipKind.SPECIAL_FILE}


def locked(root):
    """Root may read everything and then sees two more files."""
    put(root, "server.py")
    put(root, "closed/a.py").parent.chmod(0)
    put(root, "b.py").chmod(0)
    return root, set() if os.geteuid() == 0 else {SkipKind.UNREADABLE}


def many_files(root):
    put(root, "server.py")
    for folder in range(50):
        (root / str(folder)).mkdir()
        for number in range(20_000 if NIGHTLY else 1_000):
            suffix = "py" if number < 20 else "txt"
            os.close(os.open(root / str(folder) / f"{number}.{suffix}", os.O_CREAT, 0o600))
    return root, {SkipKind.TOO_MANY} if NIGHTLY else set()


def deep_folders(root):
    put(root, "server.py")
    at = root
    for _ in range(200):
        at /= "d"
    put(at, "a.py", "x = 1\n")
    return root, {SkipKind.TOO_DEEP}


def cycles(root):
    put(root, "server.py", "from a import *\n" + VULNERABLE)
    put(root, "a.py", "from b import *\nfrom a import *\nimport server\n")
    put(root, "b.py", "from a import *\nfrom server import run as run\n\ndef f(x): return g(x)\n")
    put(root, "c.py", "class A(B): pass\nclass B(A): pass\nx = y\ny = x\n")
    put(root, "x.ts", "export * from './y'; import { a } from './y'; export { a };\n")
    put(root, "y.ts", "export * from './x'; export * from './y'; export { a } from './x';\n")
    put(root, "tsconfig.json", '{"extends": "./tsconfig.json"}')
    return root, set()


def escapes(root):
    put(root, "server.py", VULNERABLE.replace("run", "\u202erun"))
    put(root, "evil\x1b]0;owned\x07\x1b[2J.py")
    put(root, "line\nbreak.py")
    put(root, "said.py", VULNERABLE.replace("shell", "shell=True, \x1b[31m\x9b2J #").encode())
    put(root, "names.py", VULNERABLE.replace('"notes"', '"\x1b[2J\u202enotes"').encode())
    return root, set()


TARGETS = [
    zip_bomb,
    large_zip_member,
    nested_zips,
    overlapping_zip,
    gzip_bomb,
    tar_of_tricks,
    one_long_line,
    deep_nesting,
    odd_bytes,
    links_and_pipes,
    locked,
    many_files,
    deep_folders,
    cycles,
    escapes,
]


@pytest.fixture(scope="module", params=TARGETS, ids=lambda target: target.__name__)
def hostile(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param.__name__)
    if request.param is many_files and os.access("/dev/shm", os.W_OK):
        # Fifty thousand files take a second in memory, and a minute on some disks.
        folder = Path(tempfile.mkdtemp(prefix="mcpward-", dir="/dev/shm"))
    yield request.param(folder)
    if (closed := folder / "closed").exists():
        closed.chmod(0o700)
    shutil.rmtree(folder)


# ---- what must hold for each ---------------------------------------------------------------------


def test_collecting_ends_and_says_what_it_left_out(hostile):
    target, expected = hostile

    collected = collect(target)

    assert collected.sources or expected
    assert expected <= {skip.kind for skip in collected.skipped}
    assert len(collected.skipped) < 1_000
    for path in [*(s.path for s in collected.sources), *(s.path for s in collected.skipped)]:
        assert path.isprintable()
        assert ".." not in path.split("/")
    for source in collected.sources:
        assert b"\0" not in source.data
        source.data.decode("utf-8")


def confined():
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * MIB, 64 * MIB))


def audit(*arguments, cwd, program=(sys.executable, "-m", "mcpward")):
    """An audit in a process of its own, with bounded time and memory and nothing inherited."""
    return subprocess.run(
        [*program, "audit", *map(str, arguments)],
        cwd=cwd,
        env={"PATH": os.defpath, "HOME": str(cwd), "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=SECONDS,
        preexec_fn=confined,
        check=False,
    )


@pytest.fixture(scope="session")
def command_line(tmp_path_factory):
    folder = tmp_path_factory.mktemp("benign")
    put(folder, "server.py")
    done = audit(folder, "--format", "json", cwd=folder.parent)
    assert done.returncode == 1, done.stderr.decode()[-300:]


def findings(done):
    assert b"Traceback" not in done.stderr, done.stderr.decode()[-2000:]
    assert done.returncode in (0, 1, 2), done.stderr.decode()[-2000:]
    return json.loads(done.stdout)["findings"]


def rules(done):
    return sorted(finding["rule"] for finding in findings(done))


@pytest.mark.usefixtures("command_line")
def test_an_audit_ends_in_time_and_memory_and_finds_what_can_be_read(hostile, tmp_path):
    target, _ = hostile

    done = audit(target, "--format", "json", cwd=tmp_path)

    found = findings(done)
    if target.suffix != ".zip" or b"server.py" in target.read_bytes():
        assert found


@pytest.mark.usefixtures("command_line")
def test_a_report_for_people_acts_on_no_terminal(tmp_path):
    target, _ = escapes(tmp_path)

    done = audit(target, "--color", "never", cwd=tmp_path.parent)

    text = (done.stdout + done.stderr).decode()
    assert done.returncode in (1, 2)
    assert all(c.isprintable() or c == "\n" for c in text), repr(text)


@pytest.mark.usefixtures("command_line")
def test_a_target_cannot_switch_rules_off(tmp_path):
    put(tmp_path, "plain/server.py")
    put(tmp_path, "steered/server.py")
    settings = (
        'severity = "critical"\nconfidence = "high"\nnot-rules = ["*"]\nbaseline = "all.json"\n'
    )
    put(tmp_path, "steered/mcpward.toml", settings)
    put(tmp_path, "steered/.mcpward.toml", settings)
    put(tmp_path, "steered/pyproject.toml", "[tool.mcpward]\n" + settings)

    plain = audit("plain", "--format", "json", cwd=tmp_path)
    steered = audit("steered", "--format", "json", cwd=tmp_path)

    assert rules(steered) == rules(plain) != []


def trap(root, marker):
    """A target of which every usual way to run a part of it leaves a trace."""
    trace = f"open({str(marker)!r}, 'w').close()\n"
    for name in (
        "setup.py",
        "conftest.py",
        "sitecustomize.py",
        "usercustomize.py",
        "json.py",
        "click.py",
        "tree_sitter.py",
        "mcpward.py",
        "noxfile.py",
        "pkg/__init__.py",
        "pkg/__main__.py",
        "pkg/server.py",
    ):
        put(root, name, trace + VULNERABLE)
    put(root, "evil.pth", f"import os; {trace}")
    put(root, "run", f"#!{sys.executable}\n{trace}").chmod(0o755)
    scripts = dict.fromkeys(("preinstall", "install", "prepare", "test"), f"touch {marker}")
    put(root, "package.json", json.dumps({"name": "x", "scripts": scripts, "bin": "run"}))
    put(root, "index.js", f"require('fs').writeFileSync({json.dumps(str(marker))}, '')\n")
    put(root, ".git/hooks/post-checkout", f"#!/bin/sh\ntouch {marker}\n").chmod(0o755)
    put(root, ".git/config", f"[core]\n\tfsmonitor = touch {marker}\n\tpager = touch {marker}\n")
    build = '[build-system]\nrequires = []\nbuild-backend = "pkg"\nbackend-path = ["."]\n'
    put(root, "pyproject.toml", build)


def test_collecting_runs_nothing_of_the_target(tmp_path, monkeypatch):
    trap(tmp_path / "target", tmp_path / "marker")
    monkeypatch.chdir(tmp_path / "target")

    assert collect(".").sources
    assert not (tmp_path / "marker").exists()


@pytest.mark.usefixtures("command_line")
@pytest.mark.parametrize("inside", [False, True], ids=["from outside", "from inside"])
def test_an_audit_runs_nothing_of_the_target(tmp_path, inside):
    target = tmp_path / "target"
    trap(target, tmp_path / "marker")
    # `python -m` would put the current folder on the path of imports: that is Python's own promise.
    program = Path(sys.executable).with_name("mcpward")

    done = audit(
        "." if inside else target,
        *("--format", "json"),
        cwd=target if inside else tmp_path,
        program=(program,),
    )

    assert findings(done)
    assert not (tmp_path / "marker").exists()
