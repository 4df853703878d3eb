"""What the Python frontend makes of each construct, and that no text can break it."""

import ast
import inspect
import sys

import pytest
from hypothesis import given, strategies as st

from mcpward.core.finding import SkipKind, Skipped
from mcpward.core.source import Language, SourceFile
from mcpward.frontends import python_expressions, python_fallback
from mcpward.frontends.python import lower, parse
from mcpward.ir.values import (
    UNKNOWN,
    Assume,
    Call,
    Closure,
    Compare,
    Const,
    Global,
    Join,
    Load,
    Module,
    Outcome,
    Param,
    Phi,
    Store,
    TypeExpr,
)


@pytest.fixture(autouse=True)
def deep_recursion():
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    yield
    sys.setrecursionlimit(before)


def source(text):
    data = text if isinstance(text, bytes) else text.encode()
    return SourceFile("app/server.py", Language.PYTHON, data)


def read(text, notes=None, *, package=False, resolve=lambda dotted: dotted):
    """Parses and lowers everything."""
    module = parse(source(text), "app.server", package=package, resolve=resolve, notes=notes)
    assert isinstance(module, Module), module
    for name in list(module.pending):
        lower(module, name)
    return module


def body(text, **options):
    return read(text, **options).body


def function(text, name="f"):
    return read(text).functions[f"app.server:{name}"]


def all_of(made, kind):
    return [value for value in made.values if isinstance(value, kind)]


def shape(made, at):
    """A value as nested tuples, for comparing."""
    value = made.values[at]
    match value:
        case Param():
            return value.name
        case Const():
            return ("const", value.value)
        case Global():
            return f"{value.name}!" if value.absolute else value.name
        case Phi():
            return ("phi", *(shape(made, o) for o in value.operands))
        case Join():
            inside = [shape(made, o) for o in value.operands]
            if value.fields is not None:
                inside = [*zip(value.fields, inside, strict=True)]
            return (value.label, *inside)
        case Load():
            if value.key is None:
                return ("load", shape(made, value.object), value.field)
            return ("load", shape(made, value.object), value.field, shape(made, value.key))
        case Compare():
            return (value.operator, *(shape(made, o) for o in value.operands))
        case Call():
            keywords = [(k, shape(made, v)) for k, v in value.keywords]
            return (
                "call",
                shape(made, value.callee),
                *(shape(made, a) for a in value.args),
                *keywords,
            )
        case Closure():
            return ("closure", value.target)
        case Assume():
            return ("assume", shape(made, value.value), value.outcome.value)
    return type(value).__name__


def returned(text, name="f"):
    made = function(text, name)
    return [shape(made, made.values[at].value) for at in made.returns]


def value_of(expression, parameters="a, b, c, d"):
    return returned(f"def f({parameters}):\n    return {expression}\n")[0]


# ── modules and names ──────────────────────────────────────────────────────────────────────────


def test_module_variables_are_stored_on_the_module():
    made = body("x = 1\ny = x\n")

    stores = all_of(made, Store)
    assert [(s.field, shape(made, s.object)) for s in stores] == [
        ("x", "<module>"),
        ("y", "<module>"),
    ]
    assert stores[0].value == stores[1].value


def test_functions_wait_until_they_are_asked_for():
    module = parse(
        source("def f(): pass\nclass C:\n    def m(self): pass\nl = lambda: 0\n"),
        "m",
        package=False,
    )

    assert sorted(module.pending) == ["m:<lambda@49>", "m:C.m", "m:f"]
    assert module.spans["m:f"] == (0, 13)
    assert module.classes["m:C"].methods == {"m": "m:C.m"}
    lower(module, "m:f")
    assert "m:f" in module.functions
    assert "m:f" not in module.pending


def test_span_of_a_function_includes_its_decorators():
    module = parse(source("x = 1\n@a.b(1)\ndef f(): pass\n"), "m", package=False)

    assert module.spans["m:f"] == (6, 27)


@pytest.mark.parametrize(
    ("statement", "name", "expected"),
    [
        ("import os.path", "os", "os!"),
        ("import a.b as c", "c", "a.b!"),
        ("from a.b import c as d", "d", ("load", "a.b!", "c")),
        ("from . import x", "x", ("load", "app!", "x")),
        ("from .x import y", "y", ("load", "app.x!", "y")),
        ("from ..x import y", "y", ("load", "x!", "y")),
    ],
)
def test_imports(statement, name, expected):
    made = body(statement + "\n")

    store = next(s for s in all_of(made, Store) if s.field == name)
    assert shape(made, store.value) == expected


def test_relative_import_of_a_package_starts_at_the_package():
    made = body("from .x import y\n", package=True)

    assert shape(made, all_of(made, Store)[0].value) == ("load", "app.server.x!", "y")


def test_imports_are_resolved_by_the_caller():
    made = body("import tools.files\nfrom tools import x\n", resolve=lambda dotted: f"app.{dotted}")

    assert [shape(made, s.value) for s in all_of(made, Store)] == [
        "app.tools!",
        ("load", "app.tools!", "x"),
    ]


def test_star_import_is_noted():
    assert read("from a.b import *\n").stars == ["a.b"]


def test_locals_globals_and_builtins():
    assert value_of("[a, x, open]", "a") == ("list", ("0", "a"), ("1", "x"), ("2", "open"))


def test_read_before_assignment_is_unknown():
    assert returned("def f(c):\n    y = x\n    x = 1\n    return y\n") == [("const", UNKNOWN)]


def test_global_statement_writes_the_module():
    made = function("def f():\n    global x\n    x = 1\n    return x\n")

    assert [(shape(made, s.object), s.field) for s in all_of(made, Store)] == [("<module>", "x")]
    assert shape(made, made.values[made.returns[0]].value) == "x"


# ── expressions ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("'a' 'b'", ("const", "ab")),
        ("-1", ("const", -1)),
        ("...", ("const", UNKNOWN)),
        ("a + b + 'x'", ("concat", "a", "b", ("const", "x"))),
        ("a / b / 'x'", ("/", "a", "b", ("const", "x"))),
        ("a * 2", ("arithmetic", "a", ("const", 2))),
        ("a | b", ("concat", "a", "b")),
        ("'%s %s' % (a, b)", ("format", ("const", "%s %s"), "a", "b")),
        ("'%s' % a", ("format", ("const", "%s"), "a")),
        ("a % 2", ("arithmetic", "a", ("const", 2))),
        ("f'x{a:>{b}}y'", ("f-string", ("const", "x"), "a", "b", ("const", "y"))),
        ("f'x{a!r}'", ("f-string", ("const", "x"), ("call", "repr", "a"))),
        ("f'plain'", ("const", "plain")),
        ("a[1:]", ("slice", "a")),
        ("a['k']", ("load", "a", "k")),
        ("a[0]", ("load", "a", "0")),
        ("a[-1]", ("load", "a", "*", ("const", -1))),
        ("a[b]", ("load", "a", "*", "b")),
        ("a.b.c", ("load", ("load", "a", "b"), "c")),
        ("(a, b)", ("tuple", ("0", "a"), ("1", "b"))),
        ("[a, *b, c]", ("list", ("0", "a"), ("**", "b"), ("*", "c"))),
        ("{a, b}", ("set", ("*", "a"), ("*", "b"))),
        ("{'k': a, 1: b, c: d, **a}", ("dict", ("k", "a"), ("1", "b"), ("*", "d"), ("**", "a"))),
        ("[x.y for x in a]", ("list", ("*", ("load", ("load", "a", "*"), "y")))),
        ("{k: v for k, v in a}", ("dict", ("*", ("load", ("load", "a", "*"), "1")))),
        ("a == b", ("==", "a", "b")),
        ("a < b < c", ("and", ("<", "a", "b"), ("<", "b", "c"))),
        ("not a", ("not", "a")),
        ("a or b", ("phi", "a", "b")),
        ("a if b else c", ("phi", "a", "c")),
        ("a == 1 and b == 2", ("and", ("==", "a", ("const", 1)), ("==", "b", ("const", 2)))),
        ("a(b, k=c, **d)", ("call", "a", "b", ("k", "c"), ("**", "d"))),
        ("(x := a)", "a"),
    ],
)
def test_expressions(expression, expected):
    assert value_of(expression) == expected


def test_method_calls_have_a_receiver():
    made = function("def f(a, b):\n    return a.m(b)\n")

    call = all_of(made, Call)[0]
    assert call.receiver == made.params[0]
    assert shape(made, call.callee) == ("load", "a", "m")


def test_spread_position():
    assert all_of(function("def f(a, b):\n    return g(a, *b, *a)\n"), Call)[0].spread == 1


def test_super_calls_know_their_object():
    made = read("class C(B):\n    def m(self, x):\n        return super().m(x)\n").functions[
        "app.server:C.m"
    ]

    call = all_of(made, Call)[0]
    assert (call.sort, call.receiver) == ("super", made.params[0])


def test_await_is_its_operand():
    made = function("async def f(a):\n    return await a\n")

    assert made.asynchronous
    assert shape(made, made.values[made.returns[0]].value) == "a"


def test_generators_return_what_they_yield():
    made = function("def f(a, b):\n    yield a\n    yield from b\n")

    assert made.generator
    got = [shape(made, made.values[at].value) for at in made.returns]
    assert got == ["a", ("load", "b", "*"), ("const", None)]


def test_comprehension_variables_stay_inside():
    assert returned("def f(x, y):\n    [x for x in y]\n    return x\n") == ["x"]


def test_walrus_in_a_comprehension_binds_outside():
    got = returned("def f(xs):\n    y = 0\n    [y := x for x in xs]\n    return y\n")[0]

    assert "load" in repr(got)


# ── statements ─────────────────────────────────────────────────────────────────────────────────


def test_branches_meet_in_a_phi():
    assert returned(
        "def f(c):\n    if c:\n        x = 1\n    else:\n        x = 2\n    return x\n"
    ) == [("phi", ("const", 1), ("const", 2))]


def test_loop_variables_are_phis():
    made = function("def f(xs):\n    t = ''\n    for x in xs:\n        t += x\n    return t\n")

    phi = made.values[made.values[made.returns[0]].value]
    assert isinstance(phi, Phi)
    assert [type(made.values[o]) for o in phi.operands] == [Const, Join]


def test_endless_loop_is_left_only_by_break():
    assert returned("def f():\n    while True:\n        x = 1\n        break\n    return x\n") == [
        ("const", 1)
    ]
    assert returned("def f():\n    while True:\n        pass\n") == []


def test_access_paths_assigned_in_a_loop_are_read_again():
    made = function(
        "def f(o, xs):\n    o.p = 1\n    for x in xs:\n        g(o.p)\n        o.p = x\n"
    )

    assert shape(made, all_of(made, Call)[0].args[0]) == ("load", "o", "p")


def test_handlers_see_what_the_body_did_so_far():
    text = "def f():\n    x = 1\n    try:\n        x = 2\n        g()\n    except E as e:\n        return x, e\n"

    assert returned(text)[0] == (
        "tuple",
        ("0", ("phi", ("const", 1), ("const", 2))),
        ("1", ("exception", "E")),
    )


def test_finally_runs_after_returns():
    assert (
        len(
            all_of(
                function("def f():\n    try:\n        return 1\n    finally:\n        g()\n"), Call
            )
        )
        == 1
    )


def test_unpacking():
    made = function("def f(v):\n    a, (b, *c) = v\n    return [a, b, c]\n")

    got = shape(made, made.values[made.returns[0]].value)
    second = ("load", "v", "1")
    assert got == (
        "list",
        ("0", ("load", "v", "0")),
        ("1", ("load", second, "0")),
        ("2", ("slice", second)),
    )


def test_nothing_follows_an_exit():
    assert returned("def f(a):\n    if a:\n        sys.exit(1)\n    return 1\n") == [("const", 1)]
    assert all_of(function("def f(a):\n    sys.exit(1)\n    g()\n"), Global)[-1].name == "sys"


def test_definitions_in_unreachable_code_are_still_known():
    assert "app.server:g" in read("raise X\ndef g(): pass\n").functions


def test_match():
    text = (
        "def f(v):\n    match v:\n        case 'a' | 'b':\n            return v\n"
        "        case {'k': x}:\n            return x\n        case C(y=z) if z:\n            return z\n"
        "        case [p, *q]:\n            return q\n        case other:\n            return other\n"
    )
    got = returned(text)

    assert len(got) == 5
    assert got[0] == ("assume", "v", "true")
    assert "k" in repr(got[1])
    assert "y" in repr(got[2])
    assert "slice" in repr(got[3])
    assert "v" in repr(got[4])


# ── narrowing ──────────────────────────────────────────────────────────────────────────────────


def test_guard_that_raises_narrows_what_follows():
    text = "def f(p):\n    if not p.startswith(R):\n        raise E\n    return p\n"
    made = function(text)

    kept = made.values[made.values[made.returns[0]].value]
    assert isinstance(kept, Assume)
    assert kept.outcome is Outcome.FALSE
    assert shape(made, kept.test) == ("not", ("call", ("load", "p", "startswith"), "R"))


def test_call_that_returned_is_assumed():
    made = function("def f(p):\n    check(p)\n    return p\n")

    kept = made.values[made.values[made.returns[0]].value]
    assert isinstance(kept, Assume)
    assert kept.outcome is Outcome.RETURNED


def test_right_operand_is_evaluated_under_the_left():
    made = function("def f(p):\n    if ok(p) and g(p):\n        return p\n")

    second = all_of(made, Call)[1]
    assert shape(made, second.args[0]) == ("assume", "p", "true")
    tests = [v for v in all_of(made, Compare) if v.operator == "and"]
    assert len(tests) == 1


def test_access_path_in_the_right_operand_is_narrowed():
    made = function("def f(a, c):\n    if c() and a.p.startswith(R):\n        return a.p\n")

    assert isinstance(made.values[made.values[made.returns[0]].value], Assume)


def test_comprehension_condition_narrows_the_element():
    got = value_of("[x for x in a if ok(x)]")

    assert got == ("list", ("*", ("assume", ("load", "a", "*"), "true")))


def test_assert_narrows():
    assert returned("def f(p):\n    assert p in L\n    return p\n") == [("assume", "p", "true")]


# ── functions, closures, classes ───────────────────────────────────────────────────────────────


def test_parameters():
    made = read(
        "from typing import Annotated\nfrom pydantic import Field\n"
        "def f(a, /, b: 'int | None' = 1, *c, d: Annotated[str, Field(pattern='^a$', ge=-1)] = 2, **e): pass\n"
    )
    params = [
        made.functions["app.server:f"].values[p] for p in made.functions["app.server:f"].params
    ]

    assert [(p.name, p.sort) for p in params] == [
        ("a", "plain"), ("b", "plain"), ("c", "args"), ("d", "keyword"), ("e", "kwargs")
    ]  # fmt: skip
    assert params[1].annotation == TypeExpr("|", (TypeExpr("int"), TypeExpr("None")))
    assert params[3].annotation == TypeExpr(
        "typing.Annotated",
        (TypeExpr("str"), TypeExpr("pydantic.Field", (), (("pattern", "^a$"), ("ge", -1)))),
    )
    closure = all_of(made.body, Closure)[0]
    assert [i for i, _ in closure.defaults] == [1, 3]


def test_own_names_in_annotations_are_qualified():
    made = read("class T: pass\ndef f(a: T, b: Literal['x', 1]): pass\n").functions["app.server:f"]

    first, second = (made.values[p].annotation for p in made.params)
    assert first == TypeExpr("app.server.T")
    assert second == TypeExpr("Literal", (TypeExpr("=", literal="x"), TypeExpr("=", literal=1)))


def test_decorators_are_calls_from_the_inside_out():
    made = body("@a\n@b(1)\ndef f(): pass\n")

    store = all_of(made, Store)[-1]
    inner = ("call", ("call", "b", ("const", 1)), ("closure", "app.server:f"))
    assert shape(made, store.value) == ("call", "a", inner)
    assert [c.sort for c in all_of(made, Call)] == ["call", "decorator", "decorator"]


def test_variable_assigned_once_is_captured_by_value():
    module = read("def f(a):\n    x = a.b\n    def g(y):\n        return x, y\n    return g\n")
    outer, inner = module.functions["app.server:f"], module.functions["app.server:f.g"]

    closure = all_of(outer, Closure)[0]
    [(index, value)] = closure.captures
    param = inner.values[inner.params[index]]
    assert (param.name, param.sort) == ("x", "capture")
    assert shape(outer, value) == ("load", "a", "b")
    assert inner.parent == "app.server:f"
    assert not all_of(outer, Store)


@pytest.mark.parametrize(
    "text",
    [
        "def f(a):\n    x = 1\n    x = a\n    def g():\n        return x\n    return g\n",
        "def f(a):\n    def g():\n        return x\n    x = a\n    return g\n",
        "def f(x):\n    x = x.y\n    def g():\n        return x\n    return g\n",
    ],
)
def test_variable_that_changes_lives_in_the_scope_object(text):
    module = read(text)
    outer, inner = module.functions["app.server:f"], module.functions["app.server:f.g"]

    assert shape(inner, inner.values[inner.returns[0]].value) == ("load", "<scope:f>", "x")
    assert {s.field for s in all_of(outer, Store)} == {"x"}
    assert all(shape(outer, s.object) == ("scope",) for s in all_of(outer, Store))


def test_nonlocal_writes_the_scope_object():
    module = read(
        "def f():\n    n = 0\n    def g(v):\n        nonlocal n\n        n = v\n    g(1)\n    return n\n"
    )
    outer, inner = module.functions["app.server:f"], module.functions["app.server:f.g"]

    assert [(shape(inner, s.object), s.field) for s in all_of(inner, Store)] == [("<scope:f>", "n")]
    assert shape(outer, outer.values[outer.returns[0]].value) == ("load", ("scope",), "n")


def test_captures_chain_through_the_function_between():
    module = read("def f(a):\n    def g():\n        return lambda: a\n    return g\n")
    [inner] = [f for n, f in module.functions.items() if "lambda" in n]
    between = module.functions["app.server:f.g"]

    assert shape(inner, inner.values[inner.returns[0]].value) == "a"
    assert shape(between, all_of(between, Closure)[0].captures[0][1]) == "a"


def test_recursive_inner_function_finds_itself():
    module = read("def f():\n    def g(n):\n        return g(n)\n    return g\n")
    inner = module.functions["app.server:f.g"]

    assert shape(inner, inner.values[inner.returns[0]].value)[1] == ("load", "<scope:f>", "g")


def test_lambda_captures_a_comprehension_variable():
    module = read("fs = [lambda: x for x in xs]\n")
    [inner] = [f for n, f in module.functions.items() if "lambda" in n]

    assert inner.values[inner.params[0]].sort == "capture"


def test_classes():
    module = read(
        "class C(Base):\n    kind: str = 'k'\n    def __init__(self, x):\n        self.p: int = x\n"
        "    @staticmethod\n    def s(a): pass\n    @property\n    def q(self): return kind\n"
        "    @deco\n    def d(self): pass\n"
    )
    made = module.classes["app.server:C"]

    assert made.methods == {n: f"app.server:C.{n}" for n in ("__init__", "s", "q", "d")}
    assert made.properties == {"q"}
    assert made.fields == {"kind": TypeExpr("str"), "p": TypeExpr("int")}
    assert shape(module.body, made.bases[0]) == "Base"
    assert shape(module.body, made.defaults["kind"]) == ("const", "k")
    assert made.scope == "app.server:"
    methods = module.functions
    assert methods["app.server:C.s"].static
    assert [methods["app.server:C.s"].values[0].sort, methods["app.server:C.q"].values[0].sort] == [
        "plain",
        "receiver",
    ]
    assert methods["app.server:C.q"].owner == "app.server:C"
    # The class body is no scope for its methods.
    assert (
        shape(
            methods["app.server:C.q"],
            methods["app.server:C.q"].values[methods["app.server:C.q"].returns[0]].value,
        )
        == "kind"
    )
    stores = {s.field: shape(module.body, s.object) for s in all_of(module.body, Store)}
    assert stores["d"] == ("closure", "app.server:C")


def test_methods_of_a_local_class_capture():
    module = read(
        "def f(a):\n    class C:\n        def m(self):\n            return a\n    return C\n"
    )
    outer = module.functions["app.server:f"]

    captures = {c.target: c.captures for c in all_of(outer, Closure)}
    assert captures["app.server:f.C.m"] == [(1, outer.params[0])]
    assert module.classes["app.server:f.C"].scope == "app.server:f"


def test_same_name_twice_gets_its_offset():
    module = read("if a:\n    def f(): pass\nelse:\n    def f(): pass\n")

    assert [n for n in module.functions if "f" in n] == ["app.server:f", "app.server:f@34"]


# ── text ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("start", ["", "\ufeff", "\f", "# é\r\n", "#\r"])
def test_places_are_exact(start):
    data = (start + "x = 'ö' + open(p)\n").encode()
    module = read(data)

    call = all_of(module.body, Call)[0]
    assert data[call.start : call.end] == b"open(p)"


def test_a_coding_line_is_not_obeyed_twice():
    made = body("# -*- coding: latin-1 -*-\nx = 'é'\n")

    assert all_of(made, Const)[0].value == "é"


def test_invalid_escapes_stay_quiet():
    assert all_of(body(r"x = '\d'" + "\n"), Const)[0].value == r"\d"


# ── what `ast` rejects ─────────────────────────────────────────────────────────────────────────

NEWER = """\
type Row[T] = list[T]
def f[T: int](x: T) -> str:
    return f"{f"{x + "a"}"} {{}}\\n"
class C[T](Base):
    y: int = 1
try:
    g()
except A, B:
    h(t"x{f}")
"""


def test_newer_syntax_is_read_on_any_interpreter():
    notes = []
    tree = python_fallback.recovered(source(NEWER), notes)

    assert notes == []
    assert [type(s).__name__ for s in tree.body] == ["Assign", "FunctionDef", "ClassDef", "Try"]
    assert ast.unparse(tree.body[3].handlers[0].type) == "(A, B)"
    value = tree.body[1].body[0].value
    assert isinstance(value, ast.JoinedStr)
    assert value.values[-1].value == " {}\n"


def test_one_broken_statement_does_not_lose_the_file():
    notes = []
    module = read("import os\nx = = 1\ndef f(a):\n    return os.system(a)\n", notes)

    assert "app.server:f" in module.functions
    assert [(n.kind, n.reason) for n in notes] == [
        (SkipKind.UNPARSABLE, "1 place could not be parsed and was left out, first in line 2")
    ]


def test_nothing_readable_is_skipped():
    got = parse(source("<?php echo 1; ?>\n%%%%\n"), "m", package=False)

    assert isinstance(got, (Skipped, Module))
    got = parse(source("((((((\n"), "m", package=False)
    assert isinstance(got, Skipped)
    assert got.kind is SkipKind.UNPARSABLE


@pytest.mark.parametrize("module", [ast, inspect, python_expressions, python_fallback])
def test_both_parsers_agree(module):
    text = inspect.getsource(module)

    def plain(tree):
        for node in ast.walk(tree):
            if isinstance(node, ast.FormattedValue):
                node.conversion = -1
                node.format_spec = None
            if isinstance(node, ast.Constant):
                node.kind = None
            if isinstance(node, ast.AnnAssign):
                node.simple = 1
        return ast.dump(tree)

    notes = []
    tree = python_fallback.recovered(source(text), notes)
    assert notes == []
    assert plain(tree) == plain(ast.parse(text))


# ── hostile text ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 20_000,
        "x = " + "a + " * 20_000 + "a\n",
        "x = a" + ".b" * 20_000 + "\n",
        "x = a" + "()" * 4_000 + "\n",
        "x = " + "-" * 20_000 + "1\n",
        "x = " + "not " * 2_000 + "a\n",
        "x = " + "lambda: " * 2_000 + "a\n?\n",
        "if a: pass\n" + "elif a == 1: x = a\n" * 1_000,
        "".join(" " * i + "if a:\n" for i in range(800)) + " " * 801 + "b\n",
        "x = f'" + "{a}" * 500 + "'\n",
        "x = " + "a if b else " * 2_000 + "c\n",
        "x = [" + "1, " * 50_000 + "]\n",
    ],
    ids=range(12),
)
def test_depth_and_length_are_bounded(text):
    notes = []
    module = parse(source(text), "m", package=False, notes=notes)

    assert isinstance(module, Skipped) or "m:" in module.functions


def settle(text):
    module = parse(source(text), "m", package=False)
    if isinstance(module, Module):
        for name in list(module.pending):
            lower(module, name)


@given(st.text(max_size=200))
def test_no_text_breaks_it(text):
    settle(text.encode("utf-8", "replace"))


PIECES = [
    "def f(a, *b, **c):", "class C(B):", "@d", "if a:", "else:", "elif b:", "for x in y:", "while a:",
    "try:", "except E as e:", "finally:", "with a as b:", "match a:", "case [x, *y]:", "return a",
    "yield a", "x = y", "nonlocal a", "global b", "lambda: a", "f'{a", "}'", "(", ")", "[", "]", "{",
    "}", ":=", "=", "+", "not", "and", "import a.b", "from . import c", "del a", "break", "continue",
    "async", "await", "*", "**", ",", "\n", "\n    ", "\n        ", "'", "$", "raise a", "assert a",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_no_mixture_of_pieces_breaks_it(pieces):
    settle(" ".join(pieces))


SAMPLE = inspect.getsource(python_expressions)[:12_000]


@given(st.integers(0, len(SAMPLE) - 1), st.integers(0, 300), st.sampled_from(PIECES))
def test_no_edit_of_real_code_breaks_it(at, length, piece):
    settle(SAMPLE[max(0, at - 2_000) : at] + piece + SAMPLE[at + length : at + 2_000])
