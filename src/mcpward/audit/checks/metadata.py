"""Rules about names and descriptions on the surface of a server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from mcpward.audit.subject import Sighting, Subject
from mcpward.core.finding import Confidence, Handler, Severity
from mcpward.core.late import late
from mcpward.secrets.detect import search
from mcpward.surface.hidden import mixed
from mcpward.surface.names import folded
from mcpward.surface.surface import Text, Tool

_BUILT_IN = frozenset(
    {
        *("bash", "computer", "str_replace_editor", "str_replace_based_edit_tool", "text_editor"),
        *("web_search", "web_fetch", "code_execution", "code_interpreter", "apply_patch"),
        *("todo_write", "exit_plan_mode", "notebook_edit", "run_terminal_cmd", "codebase_search"),
    }
)
"""Names that agents use for tools of their own."""
_CONFORMANT = late(r"[A-Za-z0-9_.-]{1,128}")
_LONG = {"description": (1_024, 4_096), "instructions": (4_096, 16_384)}
_LONG_PARAMETER = (1_024, 4_096)
_SEARCHED = 100_000
"""Characters of one text that are searched for credentials."""
_TOOLS = 40
_MANY_TOOLS = 100
_CHARACTERS = 120_000
"""Characters of all texts of tools, about 30,000 tokens."""
_PLACEHOLDER = late(
    r"\W*(?:todo|fixme|tbd|xxx|description|lorem ipsum\b.*|no description(?: provided)?|tool|test"
    r"|(?:add|your|enter|insert) (?:a |the |your )?description(?: here)?|placeholder)\W*",
    re.IGNORECASE,
)
_NO_VERB = late(
    r"(?:the|an?|this|these|it|tool|function|method|used|useful|for|to|my|our)\b", re.IGNORECASE
)


def tool_name_collision(subject: Subject) -> Iterator[Sighting]:
    """Names of tools that look like, or are, the name of another tool."""
    seen: dict[tuple[str, str], Tool] = {}
    for tool in subject.surface.tools:
        if tool.place is None:
            continue
        if any(mixed(word) for word in re.findall(r"[^\W\d_]+", tool.name)):
            detail = f"`{tool.name}` mixes letters of two scripts that look the same"
            yield Sighting(tool.place, detail, Severity.HIGH, handler=_handler(tool))
            continue
        if tool.name.lower() in _BUILT_IN:
            detail = f"`{tool.name}` is the name that agents give to a tool of their own"
            yield Sighting(
                tool.place, detail, Severity.LOW, Confidence.MEDIUM, handler=_handler(tool)
            )
        other = seen.setdefault((tool.place.file, folded(tool.name)), tool)
        if other is not tool and other.name != tool.name:
            detail = f"`{tool.name}` and `{other.name}` differ only in case or separators"
            yield Sighting(tool.place, detail, handler=_handler(tool))


def duplicate_tool_registration(subject: Subject) -> Iterator[Sighting]:
    """Tools that have the name of an earlier one of the same listing."""
    seen: dict[tuple[str, str], Tool] = {}
    for tool in subject.surface.tools:
        if tool.place is None or tool.place.file in subject.sources:
            continue
        first = seen.setdefault((tool.place.file, tool.name), tool)
        if first is not tool and first.place is not None:
            yield Sighting(tool.place, f"`{tool.name}`", handler=_handler(tool))


def nonconformant_tool_name(subject: Subject) -> Iterator[Sighting]:
    """Names of tools with characters, or a length, that the specification advises against."""
    for tool in subject.surface.tools:
        if tool.place is not None and not _CONFORMANT.fullmatch(tool.name):
            shown = tool.name if len(tool.name) <= 60 else f"{tool.name[:60]}…"
            yield Sighting(tool.place, f"`{shown}`", handler=_handler(tool))


def excessive_tool_surface(subject: Subject) -> Iterator[Sighting]:
    """Servers with so many tools, or so much text, that a model loses sight of them."""
    files: dict[str, list[Tool]] = {}
    for tool in subject.surface.tools:
        if tool.place is not None:
            files.setdefault(tool.place.file, []).append(tool)
    for tools in files.values():
        size = sum(len(text.text) for tool in tools for text in tool.texts)
        place = tools[0].place
        if place is None or (len(tools) <= _TOOLS and size <= _CHARACTERS):
            continue
        level = Severity.LOW if len(tools) > _MANY_TOOLS else None
        why = (f"there are more than {_MANY_TOOLS}",) if level else ()
        detail = f"{len(tools)} tools with {size:,} characters of text"
        yield Sighting(place, detail, level, adjustments=why)


def overlong_description(subject: Subject) -> Iterator[Sighting]:
    """Texts that are longer than a description has to be."""
    for text in subject.surface.texts:
        limits = _LONG.get(text.field)
        if limits is None and text.field.startswith("parameters."):
            limits = _LONG_PARAMETER if text.field.endswith(".description") else None
        if limits is None or text.place is None or len(text.text) <= limits[0]:
            continue
        level = Severity.LOW if len(text.text) > limits[1] else None
        why = (f"it is longer than {limits[1]:,}",) if level else ()
        detail = f"{_named(text)} has {len(text.text):,} characters"
        yield Sighting(text.place, detail, level, adjustments=why)


def description_style(subject: Subject) -> Iterator[Sighting]:
    """Descriptions that are missing, placeholders, or do not begin with what the tool does."""
    for tool in subject.surface.tools:
        text = next((one for one in tool.texts if one.field == "description"), None)
        written = text.text.strip() if text else ""
        place = text.place if text and text.place else tool.place
        if place is None:
            continue
        if not written:
            yield Sighting(place, f"`{tool.name}` has no description", handler=_handler(tool))
        elif _PLACEHOLDER.fullmatch(written) or folded(written) == folded(tool.name):
            detail = f"the description of `{tool.name}` says nothing"
            yield Sighting(place, detail, handler=_handler(tool))
        elif written.isascii() and _NO_VERB.match(written):
            detail = f"the description of `{tool.name}` does not begin with a verb"
            yield Sighting(place, detail, handler=_handler(tool))


def secret_in_metadata(subject: Subject) -> Iterator[Sighting]:
    """Texts on the surface that hold a credential: every client and model is told it."""
    for text in subject.surface.texts:
        if text.place is None:
            continue
        for found in search(text.text[:_SEARCHED])[:1]:
            detail = f"{_named(text)} holds {found.title}"
            sure = Confidence.HIGH if found.verified else Confidence.MEDIUM
            yield Sighting(text.place, detail, confidence=sure)


def unsafe_icon_or_media(subject: Subject) -> Iterator[Sighting]:
    """Icons from addresses or of kinds that can run script or reach local files."""
    for tool in subject.surface.tools:
        for text in tool.icons:
            if text.place is None or text.field.rpartition(".")[2] != "src":
                continue
            found = _unsafe(text.text)
            if found is not None:
                level, why = found
                yield Sighting(text.place, why, level, handler=_handler(tool))


def _unsafe(address: str) -> tuple[Severity | None, str] | None:
    """What is wrong with the address of an icon; nothing when it is fine."""
    start = address.strip()[:200].lower()
    if start.startswith("data:"):
        if start.startswith("data:image/svg"):
            return Severity.LOW, "the icon is an SVG image, which can hold script"
        return None if start.startswith("data:image/") else (None, "the icon is no image")
    try:
        scheme = urlsplit(start).scheme
    except ValueError:
        return None
    if scheme in ("javascript", "vbscript", "file"):
        return Severity.HIGH, f"the icon has the scheme `{scheme}`"
    if scheme and scheme != "https":
        return None, f"the icon has the scheme `{scheme}`"
    return None


def _named(text: Text) -> str:
    owner = text.owner.partition(".")[2]
    return f"`{text.field}` of `{owner}`" if owner else f"`{text.field}`"


def _handler(tool: Tool) -> Handler:
    """The tool as reports name it."""
    return Handler("tool", tool.name)
