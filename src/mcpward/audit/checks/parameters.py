"""Rules about the parameters that a tool asks for, and about the schemas that declare them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mcpward.audit.subject import Sighting, Subject
from mcpward.core.finding import Handler, Severity
from mcpward.core.late import late
from mcpward.surface.names import asks_for_secret, snake
from mcpward.surface.schema import keyword
from mcpward.surface.surface import Parameter, Tool

_GRAVE = late(r"(?:[a-z0-9]+_)*(?:private_key|seed_phrase|mnemonic|recovery_phrase)")
_CHOSEN = late(r"(?:new|user|initial|temporary|temp|master_user|admin|db|database)_password")
"""Passwords that a tool sets rather than signs in with."""
_HARVEST = late(
    r"(?:full_|entire_|complete_|current_|whole_)?(?:conversation|chat|dialog|message)_(?:history|log"
    r"|transcript|context)|(?:model_|your_)?(?:system_prompt|system_message|chain_of_thought"
    r"|hidden_reasoning|internal_reasoning)|(?:available|all)_tools|tools?_list"
    r"|previous_(?:tool_calls|tool_results|messages)|(?:full|all|entire)_context"
)
_INVITES = late(
    r"(?:your|the model's|the assistant's|the agent's) (?:own )?(?:full |complete |current )?"
    r"(?:system prompt|instructions|reasoning|chain of thought|thoughts|conversation|context)"
    r"|(?:full|complete|entire|whole|current|verbatim) (?:\w+ )?(?:conversation|chat history"
    r"|message history|context window|system prompt|chat)"
    r"|(?:everything|all(?: the)? messages|all(?: of)? what) (?:the user|you)",
    re.IGNORECASE,
)
_ACTION = frozenset({"action", "operation", "command", "method", "op", "mode", "verb", "task"})
_READS = frozenset(
    {
        "get",
        "list",
        "read",
        "search",
        "show",
        "view",
        "find",
        "describe",
        "status",
        "query",
        "count",
    }
)
_CHANGES = frozenset(
    {
        *(
            "delete",
            "remove",
            "drop",
            "destroy",
            "purge",
            "write",
            "execute",
            "exec",
            "run",
            "kill",
        ),
        *("truncate", "overwrite", "wipe", "terminate", "shutdown", "transfer", "pay", "revoke"),
    }
)
_TOKEN = late(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
_HEADER = "x-mcp-header"
_PERSONAL = late(
    r"(?:[a-z0-9]+_)*(?:ssn|social_security|passport|iban|card_number|date_of_birth|email)(?:_\w+)?"
)
_SHAPED = frozenset({"properties", "items", "enum", "const"})
_LIMITED = frozenset({"enum", "const", "pattern", "format", "maxLength", "maxItems", "maximum"})
_OPEN_TEXT = late(
    r"(?:[a-z0-9]+_)*(?:text|content|body|message|description|query|prompt|comment|notes?|title)"
)
_SIZES = late(
    r"(?:[a-z0-9]+_)*(?:limit|count|size|max|timeout|depth|pages?|length|top|n)(?:_[a-z]+)?"
)


def secret_as_tool_parameter(subject: Subject) -> Iterator[Sighting]:
    """Parameters through which a model has to hand over a credential."""
    for tool, parameter in _parameters(subject):
        name = snake(parameter.name)
        if (
            parameter.place is None
            or not asks_for_secret(name)
            or parameter.type in ("boolean", "integer")
        ):
            continue
        level: Severity | None = None
        why: tuple[str, ...] = ()
        if _GRAVE.fullmatch(name):
            level, why = Severity.HIGH, ("whoever has it owns what it protects",)
        elif name.endswith(("password", "passwd", "passphrase", "connection_string")):
            chosen = _CHOSEN.fullmatch(name) is not None
            level = Severity.INFO if chosen else Severity.LOW
            why = ("it may be one that the tool sets",) if chosen else ("it may be of a resource",)
        detail = f"`{parameter.name}` of `{tool.name}`"
        yield Sighting(parameter.place, detail, level, handler=_handler(tool), adjustments=why)


def context_harvesting_parameter(subject: Subject) -> Iterator[Sighting]:
    """Parameters that ask the model for its conversation, instructions or reasoning."""
    for tool in subject.surface.tools:
        written = {text.field: text.text for text in tool.texts}
        for parameter in tool.parameters:
            if parameter.place is None or not _HARVEST.fullmatch(snake(parameter.name)):
                continue
            text = written.get(f"parameters.{parameter.name}.description", "")
            asked = _INVITES.search(text[:2_000]) is not None
            level = None if asked else Severity.LOW
            why = () if asked else ("its description does not ask for the model's own",)
            detail = f"`{parameter.name}` of `{tool.name}`"
            yield Sighting(parameter.place, detail, level, handler=_handler(tool), adjustments=why)


def overloaded_action_tool(subject: Subject) -> Iterator[Sighting]:
    """Tools where one argument chooses between reading and destroying."""
    for tool, parameter in _parameters(subject):
        if parameter.place is None or snake(parameter.name) not in _ACTION:
            continue
        verbs = {word for choice in parameter.choices for word in snake(choice).split("_")[:1]}
        reads, changes = sorted(verbs & _READS), sorted(verbs & _CHANGES)
        if not reads or not changes:
            continue
        lies = tool.annotation("readOnlyHint") is True
        level = Severity.HIGH if lies else None
        why = ("the tool says that it only reads",) if lies else ()
        detail = f"`{parameter.name}` of `{tool.name}` allows `{reads[0]}` and `{changes[0]}`"
        yield Sighting(parameter.place, detail, level, handler=_handler(tool), adjustments=why)


def external_schema_reference(subject: Subject) -> Iterator[Sighting]:
    """Schemas that refer to another one over the network."""
    for tool in subject.surface.tools:
        for text in tool.references:
            word = text.field.rpartition(".")[2]
            remote = text.text.lower().startswith(("http://", "https://", "//", "ftp://", "file:"))
            if text.place is not None and remote and word in ("$ref", "$dynamicRef"):
                yield Sighting(text.place, f"`{text.text[:120]}`", handler=_handler(tool))


def invalid_input_schema(subject: Subject) -> Iterator[Sighting]:
    """Schemas of parameters that contradict themselves or the specification."""
    for tool in subject.surface.tools:
        if tool.place is not None and tool.faults:
            detail = f"the schema of `{tool.name}` {tool.faults[0]}"
            yield Sighting(tool.place, detail, handler=_handler(tool))


def invalid_or_sensitive_x_mcp_header(subject: Subject) -> Iterator[Sighting]:
    """Parameters that are copied to a header which is not valid, or which others get to read."""
    for tool in subject.surface.tools:
        seen: set[str] = set()
        for parameter in tool.parameters:
            header = keyword(parameter, _HEADER)
            if header is None or parameter.place is None:
                continue
            fault = _header_fault(parameter, header, seen)
            name = snake(parameter.name)
            if asks_for_secret(name) or _PERSONAL.fullmatch(name):
                detail = f"`{parameter.name}` of `{tool.name}` is sent as a header"
                yield Sighting(parameter.place, detail, Severity.HIGH, handler=_handler(tool))
            elif fault:
                yield Sighting(parameter.place, fault, handler=_handler(tool))
            seen.add(str(header).lower())


def _header_fault(parameter: Parameter, header: object, seen: set[str]) -> str:
    if not isinstance(header, str) or not _TOKEN.fullmatch(header):
        return f"`{parameter.name}` names no valid header"
    if header.lower() in seen:
        return f"`{parameter.name}` names a header that another parameter has"
    if parameter.type not in ("string", "integer", "boolean"):
        return f"`{parameter.name}` has a type that no header can carry"
    return ""


def untyped_tool_input(subject: Subject) -> Iterator[Sighting]:
    """Tools with a parameter that takes any structure; one finding for each tool."""
    for tool in subject.surface.tools:
        loose = [p for p in tool.parameters if _untyped(p)]
        if loose and loose[0].place is not None:
            names = ", ".join(f"`{parameter.name}`" for parameter in loose[:3])
            yield Sighting(loose[0].place, f"{names} of `{tool.name}`", handler=_handler(tool))


def _untyped(parameter: Parameter) -> bool:
    if keyword(parameter, "$ref") is not None:
        return False
    if not parameter.type:
        return not _SHAPED & set(parameter.constraints)
    return parameter.type == "object" and not _SHAPED & set(parameter.constraints)


def missing_input_constraints(subject: Subject) -> Iterator[Sighting]:
    """Tools none of whose parameters has any limit; one finding for each tool."""
    for tool in subject.surface.tools:
        sized = [
            p
            for p in tool.parameters
            if p.type in ("integer", "number")
            and _SIZES.fullmatch(snake(p.name))
            and not {"maximum", "exclusiveMaximum", "enum"} & set(p.constraints)
        ]
        free = [
            p
            for p in tool.parameters
            if p.type in ("string", "array")
            and not _LIMITED & set(p.constraints)
            and not _OPEN_TEXT.fullmatch(snake(p.name))
        ]
        lacking = sized or free
        if lacking and lacking[0].place is not None:
            names = ", ".join(f"`{parameter.name}`" for parameter in lacking[:3])
            level = Severity.LOW if sized else None
            why = ("it decides how much work is done",) if sized else ()
            detail = f"{names} of `{tool.name}`"
            yield Sighting(lacking[0].place, detail, level, handler=_handler(tool), adjustments=why)


def _parameters(subject: Subject) -> Iterator[tuple[Tool, Parameter]]:
    for tool in subject.surface.tools:
        for parameter in tool.parameters:
            yield tool, parameter


def _handler(tool: Tool) -> Handler:
    """The tool as reports name it."""
    return Handler("tool", tool.name)
