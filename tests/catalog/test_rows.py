"""The rows of model files, the notation of places, and what a user may add."""

import pytest

from mcpward.catalog.catalog import catalog_in, load_catalog
from mcpward.catalog.places import parse_place
from mcpward.catalog.shelves import cut, shelve
from mcpward.core.errors import CatalogError
from mcpward.core.rule import Place

RUN = """
[[call]]
name   = ["a.run", "b.Shell.run"]  # why
when   = { "shell" = true, "1" = ["<text>", "~^x"] }
unless = { "loader" = "yaml.SafeLoader" }
sinks  = { "0:args" = "shell", "0:args.*" = ["shell", "argv"] }
passes = { "0" = ["return", "self.*"] }
marks  = ["shell-quoted"]
forgets = ["*"]
sources = { "return" = "third" }
returns = "a.Result"
calls  = [0]
exits  = true
text   = "run"
loose  = true
also   = true
"""


def rows(text):
    return shelve(cut(text, "x.toml"), load_catalog().words)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("0", Place("arg", 0)),
        ("12", Place("arg", 12)),
        ("path", Place("keyword", name="path")),
        ("arguments", Place("keyword", name="arguments")),
        ("selfish", Place("keyword", name="selfish")),
        ("0:path", Place("arg", 0, "path")),
        ("2+", Place("rest", 2)),
        ("args", Place("args")),
        ("kwargs", Place("kwargs")),
        ("self", Place("self")),
        ("return", Place("return")),
        ("0()", Place("result-of", 0)),
        ("0(1)", Place("parameter-of", 0, parameter=1)),
        ("0.headers", Place("arg", 0, path=("headers",))),
        ("self.*", Place("self", path=("*",))),
        ("self.{0}", Place("self", path=("{0}",))),
        ("0.0", Place("arg", 0, path=("0",))),
        ("0.1+", Place("arg", 0, path=("1+",))),
        ("0:args.1+", Place("arg", 0, "args", path=("1+",))),
        ("1.requestInfo.headers", Place("arg", 1, path=("requestInfo", "headers"))),
        ("args.*", Place("args", path=("*",))),
        ("0().*", Place("result-of", 0, path=("*",))),
    ],
)
def test_a_place_is_read(text, place):
    assert parse_place(text) == place


@pytest.mark.parametrize(
    "text", ["", ".", "0.", "0:", "0:1", "-1", "a b", "0(", "0(x)", "self()", "1+2", "0..a", "{0}"]
)
def test_what_is_not_a_place_is_refused(text):
    with pytest.raises(CatalogError, match="is not a place"):
        parse_place(text)


def test_a_row_with_everything():
    found = rows(RUN)
    (row,) = found.calls["a.run"]

    assert row.name == "a.run"
    assert [c.values for c in row.when] == [(True,), ("<text>", "~^x")]
    assert [c.place.name for c in row.unless] == ["loader"]
    assert [kind for _, kind in row.sinks] == ["shell", "shell", "argv"]
    assert [target.base for _, target in row.passes] == ["return", "self"]
    assert (row.marks, row.forgets, row.returns, row.calls) == (
        ("shell-quoted",),
        ("*",),
        "a.Result",
        (0,),
    )
    assert row.exits
    assert row.also
    assert row.sources == ((Place("return"), "third"),)
    assert {row.name for row in found.loose["run"]} == {"a.run", "b.Shell.run"}


def test_a_name_nobody_knows_has_no_rows():
    found = rows(RUN)

    assert found.calls.get("c.run", ()) == ()
    assert "c.run" not in found.calls
    assert len(found.calls) == 2


def test_rows_of_one_name_keep_their_order():
    text = '[[call]]\nname = "a"\ntext = "one"\n[[call]]\nname = "a"\ntext = "two"\n'

    assert [row.text for row in rows(text).calls["a"]] == ["one", "two"]


def test_other_rows():
    found = rows(
        """
[[guard]]
name    = "operator.in"
value   = "0"
outcome = "true"
needs   = ["resolved"]
unless  = ["part-basename"]
when    = { "1" = "<constant-set>" }
grants  = ["<pattern>", "listed"]
pattern = "1"
[[field]]
name = "web.Request.headers"
source = "wire"
[[entry]]
name = ["sdk.Server.tool", "sdk.Server.resource"]
how  = "argument"
sort = "tool"
handler = "2"
parameters = { "0" = "model", "1.headers" = "wire" }
loose = true
[[entry]]
name = "sdk.Server.prompt"
how  = "decorator"
sort = "prompt"
[[interpreter]]
programs = ["sh"]
flags = ["-c"]
kind = "shell"
[alias]
"fs.promises" = "fs/promises"
"gfs" = "fs"
[subclass]
"a.B" = "a.C"
"""
    )

    (guard,) = found.guards["operator.in"]
    assert (guard.outcome, guard.grants) == ("true", ("<pattern>", "listed"))
    assert found.fields["web.Request.headers"][0].source == "wire"
    assert found.entries["sdk.Server.tool"][0].handler == Place("arg", 2)
    assert found.entries["sdk.Server.prompt"][0].handler is None
    assert found.entries["sdk.Server.tool"][0].parameters == (
        (0, (), "model"),
        (1, ("headers",), "wire"),
    )
    assert set(found.loose_entries) == {"tool", "resource"}
    assert found.interpreters[0].kind == "shell"
    assert found.subclass == {"a.B": "a.C"}
    assert found.canonical("gfs.promises.readFile") == "fs/promises.readFile"
    assert found.canonical("gfsx.promises") == "gfsx.promises"


def test_aliases_in_a_circle_come_to_an_end():
    assert rows('[alias]\n"a" = "b"\n"b" = "a"\n').canonical("a.x") in {"a.x", "b.x"}


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[[call]]\nname = 'a'\nsinks = { 0 = 'shel' }", "x.toml:1: unknown sink kind", "`shell`"),
        ("\n[[call]]\nname = 'a'\nmarks = ['quoted']", "x.toml:2: unknown mark", "quoted"),
        ("[[call]]\nname = 'a'\nsources = { return = 'thrid' }", "unknown source kind", "`third`"),
        ("[[call]]\nname = 'a'\nwhen = { 0 = '<txt>' }", "unknown condition `<txt>`", "`<text>`"),
        ("[[call]]\nname = 'a'\nwhen = { 0 = '~(' }", "`~(`", ""),
        ("[[call]]\nname = 'a'\nwhen = { 0 = [[1]] }", "compares with constants", ""),
        ("[[call]]\nname = 'a'\npass = { 0 = 'return' }", "unknown key `pass`", "`passes`"),
        ("[[call]]\nname = 'a'\npasses = { '0-' = 'return' }", "x.toml:1: `0-` is not", "Places"),
        ("[[call]]\nname = 'a'\nloose = 1", "`loose` must be `true` or `false`", ""),
        ("[[call]]\nname = 'a'\npasses = 'x'", "`passes` must be a table", ""),
        ("[[guard]]\nname = 'a'\nvalue = '0'\noutcome = 'yes'", "unknown outcome `yes`", "true"),
        ("[[guard]]\nname = 'a'\nvalue = '0'\noutcome = 'true'", "must grant something", ""),
        (
            "[[guard]]\nname='a'\nvalue='0'\noutcome='true'\ngrants=['<pattern>']",
            "needs `pattern`",
            "",
        ),
        ("[[entry]]\nname = 'a'\nhow = 'decorated'\nsort = 'tool'", "`decorated`", "`decorator`"),
        (
            "[[entry]]\nname='a'\nhow='argument'\nsort='tool'\nparameters={x='model'}",
            "`x` is not a parameter",
            "",
        ),
        ("[[interpreter]]\nprograms=['x']\nflags=[]\nkind='cod'", "unknown sink kind", "`code`"),
        ("[[call]]\nloose = true", "`name` is missing", "name"),
        ("[[call]]\nname = 'a'\nreturns = 1", "`returns` must be a text", ""),
        ("[[call]]\nname = [1]", "`name` must be a text or a list of texts", ""),
        ("[[call]]\nname = 'b'\n[call.when]\n0 = 1\n[[call]]\nnames = 'c'", ":5: `name`", ""),
        ('[[call]]\ntext = """\nname = "z"\n"""\nname = "a"', "`z` was found", ""),
        ("[[cal]]\nname = 'a'", "unknown table `[[cal]]`", "[[call]]"),
        ("[call]\nname = 'a'", "unknown table `[call]`", "[[call]]"),
        ("[[call]]\nname = 'a", "not valid TOML", ""),
    ],
)
def test_a_mistake_is_told_with_its_place(text, message, hint):
    with pytest.raises(CatalogError) as error:
        load_catalog().extended(text, "x.toml")

    assert message in str(error.value)
    assert hint in error.value.hint


def test_rows_of_the_user_win(tmp_path):
    (tmp_path / "kinds.toml").write_text(
        '[source]\nmodel = "m"\n[sink]\nshell = "s"\ncode = "c"\n[mark]\n', encoding="utf-8"
    )
    folder = tmp_path / "models" / "python"
    folder.mkdir(parents=True)
    row = '[[call]]\nname = "a.run"\nsinks = { 0 = "shell" }\n'
    (folder / "a.toml").write_text(row, encoding="utf-8")
    ours = catalog_in(tmp_path)
    theirs = ours.extended(row.replace("shell", "code"), "mcpward.toml")

    assert [kinds(row) for row in ours.library("python").calls["a.run"]] == [["shell"]]
    assert [kinds(row) for row in theirs.library("python").calls["a.run"]] == [["code"], ["shell"]]
    assert [kinds(row) for row in theirs.library("javascript").calls["a.run"]] == [["code"]]


def kinds(row):
    return [kind for _, kind in row.sinks]


def test_an_unknown_language_is_refused():
    with pytest.raises(CatalogError, match="unknown language `ruby`"):
        load_catalog().library("ruby")


def test_a_language_is_shelved_once():
    catalog = load_catalog()

    assert catalog.library("python") is catalog.library("python")


def test_kinds_have_sentences():
    catalog = load_catalog()

    assert set(catalog.sources) == {"model", "wire", "third", "secret", "stack-trace"}
    assert all(catalog.sinks.values())
    assert catalog.words.later <= set(catalog.sinks)


def test_marks_have_distinct_bits():
    bits = load_catalog().bits

    assert sorted(bits.values()) == list(range(len(load_catalog().marks)))


def test_words_that_the_engine_turns_into_marks():
    text = '[[call]]\nname = "a"\nmarks = ["<schema>", "<pattern-removed>"]\n'

    assert rows(text).calls["a"][0].marks == ("<schema>", "<pattern-removed>")
