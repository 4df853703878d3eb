"""The models of one language by name, through aliases and subclasses."""

from __future__ import annotations

from bisect import bisect_left
from itertools import chain

from mcpward.catalog.catalog import Catalog
from mcpward.core.rule import CallModel, EntryModel, FieldModel, GuardModel, Interpreter
from mcpward.taint.facts import Ref, Refs

_BUILT_IN = {
    "python": ("str", "list", "dict", "bytes", "set"),
    "javascript": ("String", "Array", "Promise", "Object", "Map", "Set", "RegExp", "Buffer"),
}
_CONTAINER = {
    "python": {
        "list": "list",
        "tuple": "tuple",
        "set": "set",
        "dict": "dict",
    },
    "javascript": {
        "array": "Array",
        "object": "Object",
        "arguments": "Array",
        "schema": "zod.ZodType",
    },
}
_LINEAGE = 6


class Knowledge:
    """Models by name, remembered."""

    def __init__(self, catalog: Catalog, family: str) -> None:
        """`family` is `python` or `javascript`."""
        self.family = family
        self._library = catalog.library(family)
        self._shapes = {
            self._library.canonical(name)
            for rule in catalog.rules.values()
            for shape in rule.shapes
            if shape.family in ("", family)
            for name in shape.names
        } | {
            self._library.canonical(name) for rule in catalog.rules.values() for name in rule.about
        }
        self._calls: dict[str, tuple[CallModel, ...]] = {}
        self._guards: dict[str, tuple[GuardModel, ...]] = {}
        self._fields: dict[str, FieldModel | None] = {}
        self._entries: dict[str, tuple[EntryModel, ...]] = {}
        self._names: dict[str, str] = {}
        self.members: dict[tuple[Ref, str], Refs] = {}
        """Members of library referents that were asked for."""
        self._leads: dict[str, bool] = {}
        self._sorted: list[str] = []
        self._servers: dict[str, dict[str, tuple[EntryModel, ...]]] = {}
        self._built_in: dict[str, str] = {}
        self._built_in_guards: dict[str, tuple[GuardModel, ...]] = {}
        self.pattern_type = "re.Pattern" if family == "python" else "RegExp"
        self.text_type = "str" if family == "python" else "String"

    def leads(self, name: str) -> bool:
        """Whether some row is about a name, or about something behind it."""
        known = self._leads.get(name)
        if known is None:
            known = self._leads[name] = any(map(self._begins, self.lineage(name)))
        return known

    def _begins(self, name: str) -> bool:
        if not self._sorted:
            library = self._library
            shelves = (library.calls, library.guards, library.fields, library.entries)
            names = {*library.alias, *library.subclass, *chain(*shelves), *self._shapes}
            self._sorted = sorted(names)
        # Other names may stand between a name and what is behind it: `a`, `a-b`, `a.c`.
        for behind in (name, name + ".", name + "("):
            place = bisect_left(self._sorted, behind)
            if place < len(self._sorted):
                found = self._sorted[place]
                if found == name or (behind != name and found.startswith(behind)):
                    return True
        return False

    @property
    def interpreters(self) -> tuple[Interpreter, ...]:
        """Programs that run one of their arguments as code."""
        return self._library.interpreters

    @property
    def returned(self) -> frozenset[str]:
        """The last parts of the names of guards that speak by returning."""
        return self._library.returned

    @property
    def servers(self) -> dict[str, dict[str, tuple[EntryModel, ...]]]:
        """Class with which handlers are registered, without its module → method → rows."""
        if not self._servers:
            for name in self._library.entries:
                owner, _, method = name.rpartition(".")
                owner = owner.rpartition(".")[2]
                if owner[:1].isupper():
                    rows = self._servers.setdefault(owner, {})
                    rows[method] = rows.get(method, ()) + self._library.entries[name]
        return self._servers

    def container(self, label: str) -> str:
        """The built-in type of a container literal."""
        return _CONTAINER[self.family].get(label, "")

    def canonical(self, name: str) -> str:
        """The name that rows use."""
        known = self._names.get(name)
        if known is None:
            known = self._names[name] = self._library.canonical(name)
        return known

    def lineage(self, name: str) -> list[str]:
        """A name, and those it is inherited from."""
        owner, _, member = name.rpartition(".")
        names = [name]
        for _ in range(_LINEAGE):
            owner = self._library.subclass.get(owner, "")
            if not owner:
                break
            names.append(f"{owner}.{member}")
        return names

    def calls(self, name: str) -> tuple[CallModel, ...]:
        """The rows of a function or method."""
        known = self._calls.get(name)
        if known is None:
            known = ()
            for candidate in self.lineage(name):
                known = self._library.calls.get(candidate, ())
                if known:
                    break
            self._calls[name] = known
        return known

    def guards(self, name: str) -> tuple[GuardModel, ...]:
        """The guard rows of a function, method or operator, of all ancestors."""
        known = self._guards.get(name)
        if known is None:
            rows: list[GuardModel] = []
            for candidate in self.lineage(name):
                rows += self._library.guards.get(candidate, ())
            known = self._guards[name] = tuple(rows)
        return known

    def field(self, name: str) -> FieldModel | None:
        """The row of a field."""
        if name not in self._fields:
            found = None
            for candidate in self.lineage(name):
                rows = self._library.fields.get(candidate, ()) or self._library.fields.get(
                    candidate.rpartition(".")[0] + ".*", ()
                )
                if rows:
                    found = rows[0]
                    break
            self._fields[name] = found
        return self._fields[name]

    def entries(self, name: str) -> tuple[EntryModel, ...]:
        """The ways of declaring a handler under a qualified name."""
        known = self._entries.get(name)
        if known is None:
            rows: list[EntryModel] = []
            for candidate in self.lineage(name):
                rows += self._library.entries.get(candidate, ())
            known = self._entries[name] = tuple(rows)
        return known

    def loose_entries(self, method: str) -> tuple[EntryModel, ...]:
        """The ways of declaring a handler when the receiver is not known."""
        return self._library.loose_entries.get(method, ())

    def loose_calls(self, method: str) -> tuple[CallModel, ...]:
        """The rows that apply to a method of an unknown receiver: (row, is a guess about type)."""
        return self._library.loose.get(method, ())

    def built_in(self, method: str) -> str:
        """The name of the first built-in type that has rows for a method."""
        known = self._built_in.get(method)
        if known is None:
            names = (f"{owner}.{method}" for owner in _BUILT_IN[self.family])
            known = next((name for name in names if self._library.calls.get(name, ())), "")
            self._built_in[method] = known
        return known

    def built_in_guards(self, method: str) -> tuple[GuardModel, ...]:
        """The guard rows of every built-in type that has the method."""
        known = self._built_in_guards.get(method)
        if known is None:
            rows: list[GuardModel] = []
            for owner in _BUILT_IN[self.family]:
                rows += self._library.guards.get(f"{owner}.{method}", ())
            known = self._built_in_guards[method] = tuple(rows)
        return known
