"""Every format becomes the same kind of tree, and every node knows where it stands."""

import json
import tomllib

import pytest
from hypothesis import given, strategies as st

from mcpward.documents.dockerfile import final_stages, instructions, stages
from mcpward.documents.load import document_format, read
from mcpward.documents.requirements import options, requirements
from mcpward.documents.tree import Document, Format, plain, scalars, tables


def document(path, text):
    made = read(path, text.encode() if isinstance(text, str) else text)
    assert isinstance(made, Document), made
    return made


def shown(made, node):
    """The text of a node's region, which must be what its place says."""
    place = made.place(node)
    lines = made.text.split("\n")
    assert place.code == lines[place.start.line - 1].rstrip("\r")
    if place.start.line == place.end.line:
        return lines[place.start.line - 1][place.start.column - 1 : place.end.column - 1]
    return made.text[node.start : node.end]


# ---- JSON ----------------------------------------------------------------------------------------


def test_json_with_comments_and_trailing_commas():
    made = document("a.json", '// c\n{"a": [1, -2.5e1, "x\\u00e9", true, null,], /* d */ "b": {},}')

    assert plain(made.root) == {"a": [1, -25.0, "xé", True, None], "b": {}}


def test_places_in_json_count_characters_and_lines():
    made = document("a.json", '{\r\n  "é": "ü",\r\n  "b": [12]\r\n}')
    second = made.table.entry("b")

    assert made.place(second.key).start == (3, 3)
    assert shown(made, second.key) == '"b"'
    assert shown(made, second.value.items[0]) == "12"
    assert made.place(second).end == (3, 12)
    assert shown(made, made.table.get("é")) == '"ü"'


def test_the_last_of_equal_keys_counts_and_the_others_are_noted():
    made = document("a.json", '{"a": 1, "b": 2, "a": 3}')

    assert made.table.get("a").value == 3
    assert [made.place(key).start.column for key in made.table.duplicates] == [18]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1 2]",
        '{"a" 1}',
        '{"a": }',
        "[,]",
        "[1,,2]",
        "{} {}",
        "/* open",
        '"\\q"',
        "nul",
        "'a'",
    ],
)
def test_what_is_no_json_is_told_with_its_line(text):
    skipped = read("a.json", f"\n{text}".encode())

    assert skipped.kind == "unparsable"
    assert skipped.reason.startswith(("line 2:", "line 1:"))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text('abé"\\ ', max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON, st.booleans(), st.sampled_from([None, 1]))
def test_json_means_what_the_standard_library_says(value, ascii_only, indent):
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)

    made = read("a.json", text.encode("utf-8", "replace"))

    assert isinstance(made, Document)
    assert plain(made.root) == json.loads(text)


# ---- TOML ----------------------------------------------------------------------------------------

TOML = '''\
title = "é\\t"
"q k".r = 'raw\\n'
[a.b]
c = [1, 0x1F, 2_000, 1.5, { d = true }]
[[list]]
n = 1
[[list]]
n = 2
[list.sub]
m = """
two
lines"""
[a]
z = 1
'''


def test_toml_means_what_the_standard_library_says():
    assert plain(document("a.toml", TOML).root) == tomllib.loads(TOML)


def test_places_in_toml_are_right_after_letters_of_two_bytes():
    made = document("a.toml", TOML)

    assert shown(made, made.table.get("title")) == '"é\\t"'
    assert shown(made, made.table.get("a", "b", "c").items[1]) == "0x1F"
    assert made.place(made.table.get("list").items[1]).start.line == 7


def test_toml_without_a_last_line_break():
    assert plain(document("a.toml", "a = 1").root) == {"a": 1}


def test_what_is_no_toml_is_told():
    assert read("a.toml", b"a = 1\nb = \n").kind == "unparsable"


# ---- YAML ----------------------------------------------------------------------------------------


def test_yaml_with_anchors_and_merged_keys():
    made = document(
        "a.yaml", "a: &x {k: 1, l: two}\nb:\n  <<: *x\n  k: 'true'\n  m: true\nn: [~, 1.5]\n"
    )

    assert plain(made.root) == {
        "a": {"k": 1, "l": "two"},
        "b": {"k": "true", "l": "two", "m": True},
        "n": [None, 1.5],
    }


def test_places_in_yaml():
    made = document("a.yaml", "é: ü\nb:\n  - x\n  - 'y z'\nc: 1\n")

    assert shown(made, made.table.get("b").items[1]) == "'y z'"
    assert made.place(made.table.entry("c").key).start == (5, 1)
    assert made.place(made.table.get("b")).end == (4, 10)


def test_only_the_first_yaml_document_counts():
    assert plain(document("a.yaml", "a: 1\n---\nb: 2\n").root) == {"a": 1}


def test_an_empty_yaml_file_is_an_empty_table():
    assert plain(document("a.yaml", "# nothing\n").root) == {}


# ---- Dockerfiles ---------------------------------------------------------------------------------

DOCKERFILE = """\
# syntax=docker/dockerfile:1
FROM --platform=linux/amd64 node:22 AS build
RUN apt-get update && \\
    # a comment between
    apt-get install -y git
COPY --from=tools --chown=1:1 /a /b
RUN <<EOF
echo FROM nothing
EOF
FROM build
user node
CMD ["node", "x y.js"]
"""


def test_dockerfile_instructions():
    made = document("Dockerfile", DOCKERFILE)
    found = instructions(made)

    assert [one.name for one in found] == ["FROM", "RUN", "COPY", "RUN", "FROM", "USER", "CMD"]
    assert found[0].flags == (("platform", "linux/amd64"),)
    assert found[1].value == "apt-get update && apt-get install -y git"
    assert (found[2].flags, found[2].value) == ((("from", "tools"), ("chown", "1:1")), "/a /b")
    assert found[3].heredocs == ("echo FROM nothing",)
    assert found[6].words == ("node", "x y.js")
    assert made.place(found[1].node).start == (3, 1)
    assert made.place(found[1].node).end.line == 5


def test_stages_of_a_dockerfile():
    made = document("Dockerfile", DOCKERFILE)

    assert [(s.image, s.name) for s in stages(made)] == [("node:22", "build"), ("build", "")]
    assert [s.name for s in final_stages(made)] == ["", "build"]


def test_another_escape_character():
    found = instructions(document("Dockerfile", "# escape=`\nFROM a\nRUN dir c:\\ `\n  && b\n"))

    assert found[1].value == "dir c:\\ && b"


# ---- requirements, .env, INI ---------------------------------------------------------------------

REQUIREMENTS = """\
-i https://a.example/simple
--extra-index-url=https://b.example/simple  # why
requests[socks]==2.32.0 ; python_version > "3" \\
    --hash=sha256:abcd \\
    --hash=sha256:ef01
mcp >=1.9, <2   # a comment
notes @ https://c.example/notes.whl
-e git+https://d.example/x@main#egg=xx
./local
? nonsense
"""


def test_requirements():
    made = document("requirements.txt", REQUIREMENTS)
    found = requirements(made)

    assert [(o.name, o.value) for o in options(made)] == [
        ("-i", "https://a.example/simple"),
        ("--extra-index-url", "https://b.example/simple"),
        ("unknown", "? nonsense"),
    ]
    assert [(r.name, r.specifier, r.exact, r.bounded) for r in found[:2]] == [
        ("requests", "==2.32.0", True, True),
        ("mcp", "<2,>=1.9", False, True),
    ]
    assert found[0].hashes == ("sha256:abcd", "sha256:ef01")
    assert found[0].marker == 'python_version > "3"'
    assert [(r.name, r.url) for r in found[2:]] == [
        ("notes", "https://c.example/notes.whl"),
        ("xx", "git+https://d.example/x@main#egg=xx"),
        ("", "./local"),
    ]
    assert made.place(found[0].node).start.line == 3
    assert made.place(found[1].node).start.line == 6


def test_env_files():
    made = document(".env", "# c\nexport A=1 # c\nB='x # y'\nC=\"a\\nb\n D=2\"\nE=\nnonsense\n")

    assert plain(made.root) == {"A": "1", "B": "x # y", "C": "a\nb\n D=2", "E": ""}
    assert made.place(made.table.entry("E")).start == (6, 1)


def test_ini_files():
    made = document(
        "setup.cfg", "top=1\n[options]\ninstall_requires =\n    a\n    b>1\n# c\n[x]\ny: z\n"
    )

    assert plain(made.root) == {
        "top": "1",
        "options": {"install_requires": "a\nb>1"},
        "x": {"y": "z"},
    }
    assert made.place(made.table.table("x").entry("y")).start == (8, 1)


# ---- names and bytes -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/.mcp.json", Format.JSON),
        ("x.code-workspace", Format.JSON),
        ("uv.lock", Format.TOML),
        ("Dockerfile", Format.DOCKERFILE),
        ("api.Dockerfile", Format.DOCKERFILE),
        ("Dockerfile.prod", Format.DOCKERFILE),
        ("dockerfile.py", None),
        ("requirements-prod.txt", Format.REQUIREMENTS),
        (".env.local", Format.ENV),
        (".npmrc", Format.INI),
        ("notes.txt", None),
        ("main.py", None),
    ],
)
def test_the_format_follows_from_the_name(path, expected):
    assert document_format(path) is expected


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_marked_encodings_are_read(encoding):
    assert plain(document("a.json", '{"é": 1}'.encode(encoding)).root) == {"é": 1}


def test_a_lone_carriage_return_ends_a_line():
    assert document("a.json", '{\r"a": 1}').place(
        document("a.json", '{\r"a": 1}').table.entries[0]
    ).start == (2, 1)


def test_walking_meets_every_value_in_order():
    made = document("a.json", '{"a": [1, {"b": 2}], "c": 3}')

    assert [scalar.value for scalar in scalars(made.root)] == [1, 2, 3]
    assert [len(table.entries) for table in tables(made.root)] == [2, 1]
