"""Surfaces from JSON values: which are recognised, what is in them, and what they may cost."""

import pytest
from hypothesis import given, settings, strategies as st

from mcpward.surface.listing import MOST_ENTITIES, MOST_TEXTS, read_surface
from mcpward.surface.surface import Surface

TOOL = {
    "name": "read",
    "title": "Read",
    "description": "Reads a note.",
    "annotations": {"title": "Reader", "readOnlyHint": True},
    "icons": [{"src": "https://x.example/a.png"}],
    "_meta": {"note": "kept"},
    "inputSchema": {
        "type": "object",
        "$comment": "c",
        "required": ["path"],
        "properties": {
            "path": {"type": "string", "description": "Where.", "maxLength": 9, "examples": ["a"]},
            "how": {"anyOf": [{"enum": ["fast", "slow"]}, {"type": "null"}]},
            "deep": {"type": "object", "properties": {"inner": {"description": "In."}}},
        },
    },
    "outputSchema": {"type": "object", "properties": {"text": {"description": "Out."}}},
}


@pytest.mark.parametrize(
    "value",
    [
        {"tools": [TOOL]},
        [TOOL],
        {"result": {"tools": [TOOL]}},
        {"jsonrpc": "2.0", "id": 1, "result": {"tools": [TOOL]}},
    ],
)
def test_a_list_of_tools_is_recognised_in_every_wrapping(value):
    assert read_surface(value) == read_surface({"tools": [TOOL]})
    assert [tool.name for tool in read_surface(value).tools] == ["read"]


def test_every_text_of_a_tool_has_its_field():
    found = {text.field: text.text for text in read_surface([TOOL]).texts}
    assert found["name"] == "read"
    assert found["annotations.title"] == "Reader"
    assert found["icons.0.src"] == "https://x.example/a.png"
    assert found["meta.note"] == "kept"
    assert found["parameters.$comment"] == "c"
    assert found["parameters.path.name"] == "path"
    assert found["parameters.path.description"] == "Where."
    assert found["parameters.path.examples.0"] == "a"
    assert found["parameters.how.anyOf.0.enum.1"] == "slow"
    assert found["parameters.deep.properties.inner.name"] == "inner"
    assert found["parameters.deep.properties.inner.description"] == "In."
    assert found["output.properties.text.description"] == "Out."


def test_parameters_are_understood():
    tool = read_surface([TOOL]).tools[0]
    path, how, deep = tool.parameters
    assert (path.type, path.required, path.described) == ("string", True, True)
    assert path.constraints == ("maxLength",)
    assert (how.choices, how.required) == (("fast", "slow"), False)
    assert deep.type == "object"
    assert tool.annotation("readOnlyHint") is True
    assert tool.faults == ()


def test_servers_prompts_and_resources_are_read():
    surface = read_surface(
        {
            "result": {
                "serverInfo": {"name": "notes", "title": "Notes"},
                "instructions": "Be brief.",
                "prompts": [{"name": "p", "arguments": [{"name": "a", "description": "d"}]}],
                "resources": [{"uri": "n://1", "name": "r"}],
                "resourceTemplates": [{"uriTemplate": "n://{id}", "name": "t"}],
            }
        }
    )
    assert surface.instructions is not None
    assert surface.instructions.text == "Be brief."
    assert [one.name for one in surface.prompts] == ["p"]
    assert [one.name for one in surface.resources] == ["r", "t"]
    assert {text.owner for text in surface.texts} == {
        *("server", "prompts.p", "resources.r", "resources.t")
    }


@pytest.mark.parametrize(
    "value",
    [
        None,
        1,
        "text",
        [],
        {},
        {"tools": "none"},
        {"tools": {"eslint": "x"}},
        {"name": "app", "description": "A package.", "scripts": {"build": "x"}},
        [{"name": "ann"}, {"name": "bob"}],
        {"tools": ["ruff", "mypy"]},
    ],
)
def test_other_values_have_no_surface(value):
    assert read_surface(value) == Surface()


def test_equal_values_are_equal_surfaces_and_a_change_is_seen():
    changed = {**TOOL, "description": "Reads a note. "}
    assert read_surface([TOOL]) == read_surface([dict(TOOL)])
    assert read_surface([TOOL]) != read_surface([changed])


def test_large_and_deep_values_are_cut():
    deep = "x"
    for _ in range(200):
        deep = {"a": deep}
    surface = read_surface([{"name": "t", "inputSchema": {}, "deep": deep}])
    assert surface.cut
    many = read_surface([{"name": "t", "inputSchema": {}}] * (MOST_ENTITIES + 1))
    assert many.cut
    assert len(many.tools) == MOST_ENTITIES
    wide = read_surface([{"name": "t", "inputSchema": {}, "x": ["a"] * (MOST_TEXTS + 10)}])
    assert wide.cut
    assert len(wide.texts) == MOST_TEXTS


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "tools",
                        "name",
                        "description",
                        "inputSchema",
                        "properties",
                        "required",
                        "type",
                    ),
                    *(
                        "enum",
                        "result",
                        "prompts",
                        "resources",
                        "instructions",
                        "serverInfo",
                        "icons",
                    ),
                    *("annotations", "anyOf", "function", "$ref", "x"),
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=40,
)


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_any_value_is_read(value):
    assert read_surface(value) == read_surface(value)
