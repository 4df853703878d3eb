"""The edits that rule cards may name, each with what it says it does."""

from __future__ import annotations

from collections.abc import Callable

from mcpward.audit.edits import arguments, parameters, statements, texts
from mcpward.audit.edits.arguments import Changes, Given
from mcpward.audit.edits.spot import Spot

Edit = Callable[[Spot, Given], Changes]

EDITS: dict[str, tuple[Edit, str]] = {
    "set-argument": (arguments.set_argument, "Set `{name}` to `{value}`"),
    "remove-argument": (arguments.remove_argument, "Remove the argument `{name}`"),
    "set-option": (arguments.set_option, "Set `{name}` to `{value}`"),
    "remove-option": (arguments.remove_option, "Remove the option `{name}`"),
    "replace-callee": (arguments.replace_callee, "Call `{to}` instead"),
    "await-in-thread": (arguments.await_in_thread, "Make the call in a thread and await it"),
    "wrap-argument": (arguments.wrap_argument, "Wrap the argument in `{before}…{behind}`"),
    "wrap-part": (statements.wrap_part, "Wrap what is filled in with `{before}…{behind}`"),
    "end-options": (statements.end_options, "Put `{text}` before the arguments"),
    "add-separator": (statements.add_separator, "Compare whole folder names"),
    "drop-default": (statements.drop_default, "Require the variable to be set"),
    "bind-parameters": (parameters.bind_parameters, "Bind the values as parameters"),
    "from-environment": (parameters.from_environment, "Read the value from the environment"),
    "set-returned": (statements.set_returned, "Set `{name}` to `{value}`"),
    "compare-digest": (statements.compare_digest, "Compare in constant time"),
    "remove-statement": (statements.remove_statement, "Remove the statement"),
    "replace-text": (texts.replace_text, "Replace `{from}` by `{to}`"),
    "delete-characters": (texts.delete_characters, "Delete the hidden characters"),
    "remove-line": (texts.remove_line, "Remove the line"),
    "add-entry": (texts.add_entry, "Set `{name}` to `{value}`"),
    "remove-entry": (texts.remove_entry, "Remove `{name}`"),
    "refer": (texts.refer, "Refer to a variable of the environment"),
    "insert-line": (texts.insert_line, "Add the line `{text}`"),
}


def title(edit: str, given: Given) -> str:
    """What an edit with these arguments does, as a sentence without its full stop."""
    return EDITS[edit][1].format_map(_Blank(given))


class _Blank(dict[str, str]):
    """Arguments of an edit; one that is not given reads as nothing."""

    def __missing__(self, key: str) -> str:
        return ""
