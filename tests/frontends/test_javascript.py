"""The JavaScript and TypeScript frontend, construct by construct."""

import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from mcpward.core.source import Language, SourceFile
from mcpward.frontends.javascript import lower, parse
from mcpward.frontends.javascript_modules import Resolver, read_json
from mcpward.ir.program import dump
from mcpward.ir.values import (
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
    Pattern,
    Phi,
    Store,
    TypeExpr,
)


@pytest.fixture(autouse=True)
def _deep():
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    yield
    sys.setrecursionlimit(limit)


def lowered(code, language=Language.TYPESCRIPT, notes=None, resolve=lambda s: s):
    data = code if isinstance(code, bytes) else code.encode()
    found = [] if notes is None else notes
    module = parse(SourceFile("m.ts", language, data), "m", resolve=resolve, notes=found)
    assert isinstance(module, Module)
    for name in list(module.pending):
        lower(module, name)
        assert name in module.functions
    return module


def function(code, name="f", **options):
    return lowered(code, **options).functions[f"m:{name}"]


def these(fn, kind):
    return [value for value in fn.values if isinstance(value, kind)]


def call_of(fn, method):
    for value in these(fn, Call):
        callee = fn.values[value.callee]
        if isinstance(callee, Load) and callee.field == method:
            return value
        if isinstance(callee, Global) and callee.name == method:
            return value
    raise AssertionError(dump(fn))


def stored(fn, holder):
    found = {}
    for value in these(fn, Store):
        owner = fn.values[value.object]
        if isinstance(owner, Global) and owner.name == holder:
            found[value.field] = fn.values[value.value]
    return found


def history(fn, at):
    """The assumptions on top of a value."""
    outcomes = []
    value = fn.values[at]
    while isinstance(value, Assume):
        outcomes.append((fn.values[value.test], value.outcome))
        value = fn.values[value.value]
    return outcomes


# ── modules ─────────────────────────────────────────────────────────────────────────────────────


def test_imports_are_loads_from_absolute_modules():
    body = lowered(
        'import d from "m1"; import {a as b, type T} from "m2"; import * as ns from "m3";'
        'import type {X} from "m4"; const r = require("m5"); const i = await import("m6");'
        'import q = require("m7");',
    ).body
    variables = stored(body, "<module>")
    assert (variables["d"].field, variables["b"].field) == ("default", "a")
    for name, module in (("ns", "m3"), ("r", "m5"), ("i", "m6"), ("q", "m7")):
        assert (variables[name].name, variables[name].absolute) == (module, True)
    assert "T" not in variables
    assert "X" not in variables


def test_imports_that_are_not_constant_are_calls():
    body = lowered("const a = require(x); const b = import(y);").body
    assert [body.values[c.callee].name for c in these(body, Call)] == ["require", "import"]


def test_exports():
    module = lowered(
        "export {late as early}; const late = 1; export const x = 2; export function f() {}"
        'export default class A {} export {y as z} from "m"; export * from "k"; export * as n from "o"',
    )
    exports = stored(module.body, "<exports>")
    assert set(exports) == {"early", "x", "f", "default", "z", "n"}
    assert exports["early"].value == 1
    assert exports["z"].field == "y"
    assert exports["n"].name == "o"
    assert module.stars == ["k"]


def test_commonjs_and_compiler_output():
    module = lowered(
        "var __importDefault = (this && this.__importDefault) || function (m) { return m; };"
        'exports.a = exports.b = void 0; const fs_1 = __importDefault(require("fs"));'
        'Object.defineProperty(exports, "x", { enumerable: true, get: function () { return q.x; } });'
        '__exportStar(require("k"), exports); exports.a = 5; module.exports.c = 6;'
        'tslib_1.__exportStar(require("l"), exports); const r2 = createRequire(import.meta.url)("n");'
        "function f(a) { return __awaiter(this, void 0, void 0, function* () { const s = yield g(a);"
        " return this.h(s); }); } module.exports = f;",
        Language.JAVASCRIPT,
    )
    exports = stored(module.body, "<exports>")
    assert exports["a"].value == 5
    assert exports["c"].value == 6
    assert exports["x"].field == "x"
    assert exports["="].target == "m:f"
    assert module.stars == ["k", "l"]
    assert stored(module.body, "<module>")["fs_1"].name == "fs"
    assert stored(module.body, "<module>")["r2"].name == "n"
    inner = next(fn for name, fn in module.functions.items() if name.startswith("m:f.<"))
    assert inner.asynchronous
    assert not inner.generator
    assert [inner.values[at].name for at in inner.params] == ["a", "this"]


def test_awaiting_a_parenthesis_is_no_call():
    module = lowered(
        "const fs_1 = require('fs'); async function f(p) { return await (0, fs_1.read)(p); }",
        Language.JAVASCRIPT,
    )
    function = module.functions["m:f"]
    calls = [value for value in function.values if isinstance(value, Call)]
    assert [function.values[call.callee].field for call in calls] == ["read"]


def test_esbuild_output():
    module = lowered(
        "var src_exports = {}; __export(src_exports, { run: () => run }); "
        "module.exports = __toCommonJS(src_exports); var m = __toESM(require('x'), 1);"
        "function run() { return (0, m.go)(1); }",
        Language.JAVASCRIPT,
    )
    body = module.body
    run = next(
        v
        for v in these(body, Store)
        if v.field == "run" and isinstance(body.values[v.value], Global)
    )
    assert isinstance(body.values[run.object], Join)
    assert stored(body, "<exports>")["="] is body.values[run.object]
    call = these(module.functions["m:run"], Call)[0]
    assert call.receiver is None


def test_functions_of_the_module_wait_and_know_where_they_are():
    code = "const x = 1; server.tool('a', async (args) => args); class A { m() {} }"
    notes = []
    module = parse(
        SourceFile("m.ts", Language.TYPESCRIPT, code.encode()), "m", resolve=str, notes=notes
    )
    start = code.index("async")
    assert set(module.functions) == {"m:"}
    assert set(module.pending) == {f"m:<anonymous@{start}>", "m:A.m"}
    assert module.spans[f"m:<anonymous@{start}>"] == (start, code.index("); class"))
    assert notes == []


# ── narrowing ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("place", ["p", "p.path", "p.a.b"])
def test_a_guard_that_throws_narrows(place):
    fn = function(
        f"function f(p) {{ if (!{place}.startsWith(R)) throw new Error(); use({place}); }}"
    )
    seen = history(fn, call_of(fn, "use").args[0])
    assert [(type(test), outcome) for test, outcome in seen] == [(Call, Outcome.TRUE)]


def test_short_circuits_narrow_on_the_path_that_proved_it():
    fn = function("function f(p) { if (p && !bad(p.x)) { use(p.x); } }")
    outcomes = [outcome for _, outcome in history(fn, call_of(fn, "use").args[0])]
    assert Outcome.FALSE in outcomes
    fn = function("function f(p) { if (!p || bad(p.x)) return; use(p.x); }")
    tests = history(fn, call_of(fn, "use").args[0])
    assert any(isinstance(t, Call) and o is Outcome.FALSE for t, o in tests)


def test_calls_that_returned_narrow():
    fn = function("async function f(p) { await check(p); use(p); const s = clean(p); use2(p); }")
    assert history(fn, call_of(fn, "use").args[0])[0][1] is Outcome.RETURNED
    assert len(history(fn, call_of(fn, "use2").args[0])) >= 2


def test_what_the_parent_checked_holds_in_the_closure():
    module = lowered(
        "function f(a) { if (!ok(a.p)) return; return new Promise((r) => use(a.p, r)); }"
    )
    outer = module.functions["m:f"]
    inner = next(fn for name, fn in module.functions.items() if name.startswith("m:f.<"))
    param = inner.values[call_of(inner, "use").args[0]]
    assert (param.name, param.sort) == ("a.p", "capture")
    closure = next(v for v in these(outer, Closure) if v.target == inner.name)
    given_value = dict(closure.captures)[param.index]
    assert history(outer, given_value)[0][1] is Outcome.TRUE


def test_effects_happen_under_their_condition():
    fn = function("function f(c, x) { c && run(x); c ? go(x) : stop(x); }")
    assert fn.conditions[call_of(fn, "run").block].outcome is Outcome.TRUE
    assert fn.conditions[call_of(fn, "stop").block].outcome is Outcome.FALSE


# ── variables and closures ──────────────────────────────────────────────────────────────────────


def test_block_scopes():
    fn = function(
        "function f(x) { { let x = 1; inner(x); } outer(x); for (const x of y) loop(x); end(x) }"
    )
    assert isinstance(fn.values[call_of(fn, "inner").args[0]], Const)
    values = [fn.values[call_of(fn, name).args[0]] for name in ("outer", "end")]
    assert all(isinstance(value, Param | Assume) for value in values)
    assert fn.values[call_of(fn, "loop").args[0]].field == "*"


def test_steady_variables_are_captured_by_value():
    module = lowered("function f(a) { const b = a.x; return () => a + b; }")
    inner = next(fn for name, fn in module.functions.items() if name.startswith("m:f.<"))
    assert [(inner.values[at].name, inner.values[at].sort) for at in inner.params] == [
        ("a", "capture"),
        ("b", "capture"),
    ]


def test_shared_variables_live_in_the_scope_object():
    module = lowered('function f() { let s = ""; on((d) => { s += d; }); return s; }')
    outer = module.functions["m:f"]
    scope = next(
        i for i, v in enumerate(outer.values) if isinstance(v, Join) and v.label == "scope"
    )
    returned = outer.values[outer.values[outer.returns[0]].value]
    assert (returned.object, returned.field) == (scope, "s")
    inner = next(fn for name, fn in module.functions.items() if name.startswith("m:f.<"))
    assert "<scope>" in [inner.values[at].name for at in inner.params]
    assert [v.field for v in these(inner, Store)] == ["s"]


def test_hoisted_functions_see_variables_that_come_later():
    module = lowered("function f() { go(); const x = secret(); function go() { use(x); } }")
    outer = module.functions["m:f"]
    assert [v.field for v in these(outer, Store)] == ["x"]
    inner = module.functions["m:f.go"]
    assert inner.values[call_of(inner, "use").args[0]].field == "x"


def test_scopes_reach_through_functions():
    module = lowered("function f() { let n = 0; return function g() { return () => { n++; }; }; }")
    names = {
        name: [fn.values[at].name for at in fn.params] for name, fn in module.functions.items()
    }
    assert names["m:f.g"] == ["<scope>"]
    assert next(v for k, v in names.items() if k.startswith("m:f.g.<")) == ["<scope:f>"]


def test_var_is_hoisted_and_loops_make_phis():
    fn = function("function f(a) { for (var i = 0; i < 3; i++) { var t = t + a; } return t; }")
    assert isinstance(fn.values[fn.values[fn.returns[0]].value], Phi)


def test_parameters():
    fn = function("function f(a, {b, c: [d], ...e}, g = 1, ...h) { return [a, b, d, e, g, h]; }")
    assert [(fn.values[at].name, fn.values[at].sort) for at in fn.params] == [
        ("a", "plain"),
        ("<1>", "plain"),
        ("g", "plain"),
        ("h", "args"),
    ]
    operands = [fn.values[at] for at in fn.values[fn.values[fn.returns[0]].value].operands]
    assert [type(v) for v in operands] == [Param, Load, Load, Join, Phi, Param]


# ── classes ─────────────────────────────────────────────────────────────────────────────────────


def test_classes():
    module = lowered(
        'import {C} from "ssh2"; class A extends B { x = 1; #y: string; h = async () => this.x;'
        " static z = 2; constructor(private c: C) { super(c); } get v() { return 1; }"
        " static s() { return this; } m(a) { return super.m(a); } }",
    )
    made = module.classes["m:A"]
    assert made.methods == {f: f"m:A.{f}" for f in ("v", "s", "m", "constructor")}
    assert made.properties == {"v"}
    assert made.fields == {"#y": TypeExpr("string"), "c": TypeExpr("ssh2.C")}
    assert module.body.values[made.bases[0]].name == "B"
    assert next(v for v in these(module.body, Store) if v.field == "z")
    constructor = module.functions["m:A.constructor"]
    assert {v.field for v in these(constructor, Store)} == {"x", "h", "c"}
    assert these(constructor, Call)[0].sort == "super"
    assert module.functions["m:A.s"].static
    arrow = module.functions["m:A.constructor.h"]
    assert [arrow.values[at].name for at in arrow.params] == ["this"]
    call = these(module.functions["m:A.m"], Call)[0]
    assert (call.sort, call.receiver) == ("super", 0)


def test_a_class_with_initialisers_gets_a_constructor():
    module = lowered("class A extends B { x = 1 }")
    call = these(module.functions["m:A.constructor"], Call)[0]
    assert (call.sort, call.spread) == ("super", 0)


def test_decorators_are_calls():
    module = lowered("@Service() export class A { @Tool({name: 'x'}) run(a) {} }")
    decorated = [
        module.body.values[c.args[0]].target
        for c in these(module.body, Call)
        if c.sort == "decorator"
    ]
    assert decorated == ["m:A.run", "m:A"]


def test_classes_inside_functions_capture():
    module = lowered("function f(k) { return class { m() { return k; } }; }")
    closures = [v for v in these(module.functions["m:f"], Closure) if v.captures]
    assert [v.target.rpartition(".")[2] for v in closures] == ["m"]


# ── expressions ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("code", "value"),
    [
        (
            r"'a\n\x41\u0042\u{43}\
'",
            "a\nABC",
        ),
        ("`plain`", "plain"),
        ("'child_' + 'process'", "child_process"),
        ("0xff", 255),
        ("1_000n", 1000),
        ("-1.5", -1.5),
        ("!0", True),
        ("null", None),
        (r"/a\/b/gi", Pattern(r"a\/b", "gi")),
    ],
)
def test_constants(code, value):
    fn = function(f"function f() {{ return {code}; }}")
    assert fn.values[fn.values[fn.returns[0]].value].value == value


@pytest.mark.parametrize(
    ("code", "label", "count"),
    [
        ("a + b + c", "concat", 3),
        ("`x${a}y${b}`", "template", 4),
        ("a * b - c", "arithmetic", 3),
        ("[a, ...b, c]", "array", 3),
        ("{a, ...b, [c]: 1}", "object", 3),
    ],
)
def test_joins(code, label, count):
    fn = function(f"function f(a, b, c) {{ return ({code}); }}")
    made = fn.values[fn.values[fn.returns[0]].value]
    assert (made.label, len(made.operands)) == (label, count)


def test_object_fields():
    fn = function(
        "function f(a) { return {a, 'b': 1, 2: 3, ['c']: 4, [a]: 5, ...a, g() {}, get h() { return 1 }}; }"
    )
    made = fn.values[fn.values[fn.returns[0]].value]
    assert made.fields == ("a", "b", "2", "c", "*", "**", "g", "h")


def test_calls():
    fn = function(
        "function f(a) { a.b?.(1); a['c'](2); new D(3); g(...a, 4); t`x${a}y`; (a as any).h!(5); a[k](6); }",
    )
    calls = these(fn, Call)
    assert [(c.sort, c.receiver is not None, c.spread) for c in calls] == [
        ("call", True, -1),
        ("call", True, -1),
        ("new", False, -1),
        ("call", False, 0),
        ("tag", False, -1),
        ("call", True, -1),
        ("call", True, -1),
    ]
    assert fn.values[calls[4].args[0]].fields == ("0", "1")


def test_jsx_is_one_join():
    fn = function(
        "function f(a, b) { return <p x={a}>t {b}<i>{a}</i></p>; }", language=Language.TSX
    )
    made = fn.values[fn.values[fn.returns[0]].value]
    assert (made.label, len(made.operands)) == ("jsx", 3)


def test_values_of_logical_operators():
    fn = function("function f(a, b) { return [a || b.c, a ?? 1, a && b.c, a ? b : 2]; }")
    made = fn.values[fn.values[fn.returns[0]].value]
    assert all(isinstance(fn.values[at], Phi) for at in made.operands)


# ── statements ──────────────────────────────────────────────────────────────────────────────────


def test_switch_falls_through():
    fn = function(
        "function f(k, x) { switch (k) { case 1: x = a(); case 2: use(x); break; default: d(); } end(x); }"
    )
    assert isinstance(fn.values[call_of(fn, "use").args[0]], Phi)
    assert {c.operator for c in these(fn, Compare)} == {"=="}


def test_try_catch_finally():
    fn = function(
        "function f() { let x = 1; try { x = a(); x = b(); } catch (e) { use(x, e); } finally { z(x); } }"
    )
    seen, error = call_of(fn, "use").args
    assert len(fn.values[seen].operands) == 3
    assert fn.values[error].label == "exception"


def test_labels_jumps_and_exits():
    fn = function(
        "function f() { a: for (;;) { for (;;) { if (x) continue a; break a; } } end(); process.exit(1); never(); }"
    )
    assert call_of(fn, "end")
    assert not any(isinstance(v, Global) and v.name == "never" for v in fn.values)


def test_generators_and_async():
    fn = function("async function* f(a) { yield a; yield 1; }")
    assert fn.generator
    assert fn.asynchronous
    assert len(fn.returns) == 3


def test_typescript_only_syntax():
    module = lowered(
        "enum E { A, B = 'b' } namespace N { export const x = 1; } declare const y: string;"
        "interface I {} type T = string; function f(a: T | 'x'): asserts a is string;"
        "function g(a: Promise<I[]>, b?: 'x' | E) { return <any>(a satisfies any)!; }",
    )
    enum = stored(module.body, "<module>")["E"]
    assert enum.fields == ("A", "B")
    g = module.functions["m:g"]
    assert g.values[0].annotation == TypeExpr("Promise", (TypeExpr("Array", (TypeExpr("m.I"),)),))
    assert g.values[1].annotation == TypeExpr("|", (TypeExpr("=", literal="x"), TypeExpr("m.E")))
    assert g.values[g.returns[0]].value == 0


# ── module resolution ───────────────────────────────────────────────────────────────────────────


def test_resolver():
    files = [
        "src/a.ts",
        "src/lib/index.ts",
        "src/lib/x.mts",
        "packages/core/src/index.ts",
        "packages/core/src/deep/y.ts",
        "packages/app/main.ts",
    ]
    resolver = Resolver(
        files,
        {
            "tsconfig.json": b'{"extends": "./tsconfig.base.json", // c\n "compilerOptions": {},}',
            "tsconfig.base.json": b'{"compilerOptions": {"baseUrl": ".", "paths": {"@/*": ["src/*"]}}}',
            "package.json": b'{"name": "root", "imports": {"#lib/*": "./dist/lib/*.mjs"}, "exports": "./dist/a.js"}',
            "packages/core/package.json": b'{"name": "@o/core", "exports": {".": {"types": "./dist/index.d.ts",'
            b' "import": "./dist/index.js"}, "./*": "./dist/*.js"}}',
            "packages/app/package.json": b'{"name": "app", "main": "../../../etc/passwd"}',
        },
    )
    assert resolver.module_name("src/lib/index.ts") == "src/lib/index"
    for importer, specifier, expected in (
        ("src/a.ts", "./lib", "src/lib/index"),
        ("src/a.ts", "./lib/x.mjs", "src/lib/x"),
        ("src/lib/x.mts", "../a.js", "src/a"),
        ("src/lib/x.mts", "..", "src"),
        ("src/a.ts", "@/lib/x", "src/lib/x"),
        ("src/a.ts", "src/a", "src/a"),
        ("src/a.ts", "#lib/x", "src/lib/x"),
        ("src/a.ts", "root", "src/a"),
        ("packages/app/main.ts", "@o/core", "packages/core/src/index"),
        ("packages/app/main.ts", "@o/core/deep/y", "packages/core/src/deep/y"),
        ("packages/app/main.ts", "app", "app"),
        ("src/a.ts", "node:fs/promises", "fs/promises"),
        ("src/a.ts", "path", "path"),
        ("src/a.ts", "@scope/pkg/sub.js", "@scope/pkg/sub.js"),
        ("a.ts", "../../outside", "../../outside"),
    ):
        assert resolver.resolve(importer, specifier) == expected, specifier


@pytest.mark.parametrize(
    "data", [b"", b"[1]", b"{", b"\xff\xfe", b"[" * 50_000, b'{"a": 1 /* ', b"nul"]
)
def test_hostile_json_is_empty(data):
    assert read_json(data) == {}


@given(st.text("./a*@#\\", max_size=12), st.text('{}[]":,.*/a#', max_size=60))
@settings(max_examples=60, deadline=None)
def test_any_specifier_resolves(specifier, content):
    data = content.encode()
    resolver = Resolver(["a/a.ts"], {"tsconfig.json": data, "package.json": data})
    assert isinstance(resolver.resolve("a/a.ts", specifier), str)


# ── robustness ──────────────────────────────────────────────────────────────────────────────────


def test_syntax_errors_are_noted_once_and_the_rest_is_lowered():
    notes = []
    module = lowered("const a = 1;\nconst = ;\nlet 5 x;\nfunction f() { return 1; }", notes=notes)
    assert [note.kind.value for note in notes] == ["unparsable"]
    assert "line 2" in notes[0].reason
    assert "m:f" in module.functions


_WIDE = {
    "plus": "return " + "+".join(["a"] * 5000),
    "mixed": "return " + "-1+".join(["a"] * 3000),
    "comma": ",".join(["a()"] * 5000),
    "and": "return " + "&&".join(["a.b(c)"] * 3000),
    "or": "if (" + "||".join(["a.b(c)"] * 3000) + ") x()",
    "ternary": "return " + "".join(f"a=={i}?b():" for i in range(1500)) + "0",
    "else-if": "".join(f"if(a=={i})b={i};else " for i in range(1500)) + "{}",
    "chain": "a" + ".b(c)" * 5000,
    "assignments": "".join(f"a{i}=" for i in range(5000)) + "1",
    "declarators": "var " + ",".join(f"a{i}=q.x{i}" for i in range(5000)),
    "closures": "".join(f"const v{i}=a.x;g(()=>v{i});" for i in range(1000)),
    "try": "try{" + "".join(f"let x{i}=a.f{i}(a);" for i in range(1500)) + "}catch{}",
}


@pytest.mark.parametrize("code", _WIDE.values(), ids=_WIDE)
def test_wide_code_is_lowered_fast(code):
    notes = []
    started = time.process_time()
    lowered(f"function f(a) {{ {code} }}", notes=notes)
    assert time.process_time() - started < 3
    assert notes == []


@pytest.mark.parametrize(
    "code",
    [
        "[" * 5000 + "]" * 5000,
        "a=>" * 3000 + "a",
        "!" * 9000 + "a",
        "`${" * 2000 + "a" + "}`" * 2000,
    ],
)
def test_deep_code_is_cut_and_noted(code):
    notes = []
    lowered(f"x = {code}", notes=notes)
    assert [note.kind.value for note in notes] == ["too-deep"]


_PIECES = st.sampled_from(
    [
        "a",
        "b.c",
        "1",
        "'x'",
        "`t${",
        "}",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        ";",
        ",",
        ".",
        "=>",
        "=",
        "+",
        "!",
        "&&",
        "||",
        "??",
        "?",
        ":",
        "...",
        "?.",
        "async",
        "await",
        "function",
        "class\n",
        "",
        "",
        "",
        "extends",
        "new",
        "if",
        "else",
        "for",
        "of",
        "in",
        "while",
        "do",
        "switch",
        "case",
        "default",
        "try",
        "catch",
        "finally",
        "return",
        "throw",
        "break\n",
        "",
        "",
        "",
        "continue",
        "var",
        "let",
        "const",
        "import",
        "export",
        "from",
        "*",
        "yield",
        "this",
        "super",
        "static",
        "get",
        "set",
        "#",
        "@",
        "<",
        ">",
        "/",
        "as\n",
        "",
        "",
        "",
        "enum",
        "namespace",
        "type",
        "interface",
        "typeof",
        "delete",
        "void",
        "/r/",
        "//",
        "/*",
        "*/",
        "\n",
        "require(",
        "exports.",
        "module.exports\n",
        "",
        "",
        "",
        "__awaiter(",
        "Object.defineProperty(exports,",
        "with",
        "label:",
        "arguments",
        "let{",
        "[a]:",
    ],
)


@pytest.mark.parametrize("language", [Language.TYPESCRIPT, Language.TSX, Language.JAVASCRIPT])
@given(pieces=st.lists(_PIECES, max_size=40))
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_text_breaks_it(language, pieces):
    lowered(" ".join(pieces), language)


@given(st.binary(max_size=200))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_bytes_break_it(data):
    lowered(data.decode("utf-8", "replace"), Language.JAVASCRIPT)
