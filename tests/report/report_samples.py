"""Small reports to render."""

from dataclasses import replace

from mcpward.core.finding import (
    Confidence,
    Edit,
    Finding,
    Fix,
    Handler,
    Place,
    Report,
    Severity,
    SkipKind,
    Skipped,
    Step,
    StepKind,
    Suppression,
    Timing,
    fingerprint,
)
from mcpward.core.rule import Rule
from mcpward.core.source import Position

RULES = {
    "path-escape": Rule(
        name="path-escape",
        category="input",
        title="A caller chooses which file is touched",
        severity=Severity.HIGH,
        cwe=(22, 73),
        message="{source} reaches {sink}",
        fix="Resolve the path first, then test that it lies under the folder you serve.",
        page="# A caller chooses which file is touched\n\nA name is not a path.\n\n## Fix\n\nResolve.\n",
        tags=("owasp-mcp/MCP05", "safe-mcp/SAFE-T1105"),
        since="0.1",
    ),
    "debug-mode": Rule(
        name="debug-mode",
        category="errors",
        title="Debug mode is on",
        severity=Severity.LOW,
        cwe=(489,),
        message="debug mode is on",
        fix="Turn it off.",
        page="# Debug mode is on\n\nTracebacks tell too much.\n",
    ),
}


def place(line, code, column=1, file="server.py", length=4):
    return Place(file, Position(line, column), Position(line, column + length), code)


def step(line, code, text, kind=StepKind.PASS, depth=0, file="server.py"):
    return Step(place(line, code, file=file), kind, text, depth)


READ = Handler("tool", "read_note", place(12, "def read_note(name: str) -> str:", 5))
WRITE = Handler("tool", "write_note", place(30, "def write_note(name: str) -> None:", 5))
NOTES = Handler("resource", "notes://{name}", place(40, "def notes(name: str) -> str:", 5))

STEPS = (
    step(
        12,
        "def read_note(name: str) -> str:",
        "`name` enters as an argument of the tool `read_note`",
        StepKind.SOURCE,
    ),
    step(13, "    if not name.startswith(ROOT):", "compared with a folder", StepKind.GUARD),
    step(15, "    return load(name)", "passed to `load`", StepKind.CALL),
    step(8, "    path = tidy(name)", "passed through `tidy`", StepKind.ASSUMED, 1, "store.py"),
    step(9, "    with open(path) as file:", "opened for reading", StepKind.SINK, 1, "store.py"),
)

ESCAPE = Finding(
    rule="path-escape",
    message="`name` of the tool `read_note` reaches the file that is read",
    severity=Severity.HIGH,
    confidence=Confidence.MEDIUM,
    place=place(9, "    with open(path) as file:", 15, "store.py"),
    steps=STEPS,
    handler=READ,
    source_kind="model",
    guard_notes=("the comparison is made on a path that may still hold `..`",),
    fingerprint=fingerprint("path-escape", "store.py", "load", "open(path)", 0),
)
DEBUG = Finding(
    rule="debug-mode",
    message="debug mode is on",
    severity=Severity.LOW,
    confidence=Confidence.HIGH,
    place=place(50, "app.run(debug=True)", 9),
    adjustments=("one step lower: the transport is stdio",),
    repair=Fix(
        "Remove the argument `debug`",
        (
            Edit("server.py", 900, 910, "", Position(50, 9), Position(50, 19)),
            Edit("settings.py", 0, 0, "import os\n", Position(1, 1), Position(1, 1)),
        ),
        safe=True,
    ),
    context="example",
    fingerprint=fingerprint("debug-mode", "server.py", "", "app.run(debug=True)", 0),
)
IGNORED = replace(
    DEBUG, place=place(60, "x.run(debug=True)"), suppression=Suppression("inline", "a demo")
)
SKIPPED = (
    Skipped("node_modules", SkipKind.NOT_FIRST_PARTY, "installed packages", 1200),
    Skipped("dist", SkipKind.NOT_FIRST_PARTY, "built", 4),
    Skipped("main.go", SkipKind.UNSUPPORTED, "Go"),
    Skipped("big.py", SkipKind.TOO_LARGE, "holds 12 MB"),
)


def report(*findings, skipped=(), handlers=(READ, WRITE, NOTES), files=42, lines=8123, **more):
    return Report(
        target=more.pop("target", "."),
        findings=findings,
        skipped=tuple(skipped),
        handlers=tuple(handlers),
        files=files,
        lines=lines,
        **more,
    )


FULL = report(
    ESCAPE,
    replace(ESCAPE, handler=WRITE),
    replace(ESCAPE, handler=NOTES),
    DEBUG,
    IGNORED,
    skipped=SKIPPED,
    timings=(Timing("lower", 0.5), Timing("taint", 0.26)),
    unused_ignores=(place(3, "x = 1  # mcpward: ignore"),),
    notes=("settings in the target were not read",),
)
