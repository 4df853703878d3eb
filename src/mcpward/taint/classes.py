"""The classes of a program: ancestors, families, and which function a method name means."""

from __future__ import annotations

from mcpward.ir.program import Program, enclosing
from mcpward.ir.values import Call, Join, Load, Store
from mcpward.taint.facts import NO_REFS, Refs, ordered

_ANCESTORS = 32
_FAMILY = 40
_DECLARATION = 2_000
"""Bytes of a method that may be a mere declaration; longer ones are not read to find out."""
_GUESS_LIMIT = 3
"""A method of an unknown receiver is looked up by name when at most so many classes have it."""


class Classes:
    """What is known of the classes so far; it grows while modules are analysed."""

    def __init__(self, program: Program) -> None:
        """Knows no bases yet."""
        self._program = program
        self._bases: dict[str, Refs] = {}
        self._lineages: dict[str, list[str]] = {}
        self._kin: dict[str, str] = {}
        self._families: dict[str, list[str]] = {}
        """Class under whose name the fields of a family are kept → all its classes."""
        self._found: dict[tuple[str, str, int, int], str | None] = {}
        self._bodies: dict[tuple[str, str], tuple[list[str], str]] = {}
        """(class, method) → the ancestors among which it was found, the function."""
        self._blank: dict[str, bool] = {}
        self._methods: dict[str, list[str]] = {}
        self._counted = -1

    # ── families ──────────────────────────────────────────────────────────────────────────────

    def extend(self, name: str, bases: Refs) -> bool:
        """Says what a class extends; whether that is news."""
        had = self._bases.get(name, NO_REFS)
        if bases <= had:
            return False
        self._bases[name] = had | bases
        self._lineages.clear()
        return True

    def relate(self, kept: str, gone: str) -> None:
        """Puts one family into another; both are named by the classes that stand for them."""
        self._kin[gone] = kept
        self._families.setdefault(kept, [kept]).extend(self._families.pop(gone, [gone]))

    def family(self, name: str) -> list[str]:
        """All classes that share their fields with a class."""
        kin = self.kin(name)
        return self._families.get(kin, [kin])

    def kin(self, name: str) -> str:
        """The class under whose name the fields of a whole family are kept."""
        kin = self._kin
        while name in kin:
            name = kin[name]
        return name

    def lineage(self, name: str) -> list[str]:
        """A class and its first-party ancestors, nearest first."""
        known = self._lineages.get(name)
        if known is None:
            known = self._lineages[name] = self._ancestors(name)
        return known

    def _ancestors(self, name: str) -> list[str]:
        out = [name]
        for current in out:
            for base in ordered(self._bases.get(current, NO_REFS)):
                if base.sort == "cls" and base.name not in out and len(out) < _ANCESTORS:
                    out.append(base.name)
        return out

    def outside(self, name: str) -> list[str]:
        """The library classes a class descends from."""
        found = []
        for current in self.lineage(name):
            for base in ordered(self._bases.get(current, NO_REFS)):
                if base.sort in ("ext", "inst"):
                    found.append(base.name)
        return found

    # ── methods ───────────────────────────────────────────────────────────────────────────────

    def methods_named(self, name: str, most: int = _GUESS_LIMIT) -> list[str]:
        """The first-party methods of a name, when there are few enough to guess."""
        if self._counted != len(self._program.classes):
            table: dict[str, list[str]] = {}
            for made in self._program.classes.values():
                for method, function in made.methods.items():
                    table.setdefault(method, []).append(function)
            self._methods = table
            self._counted = len(self._program.classes)
        found = self._methods.get(name, [])
        return found if len(found) <= most else []

    def method(self, owner: str, name: str) -> str | None:
        """The function that a method name means on instances of a class.

        A mixin or protocol may only declare it; then another class of the family has the body.
        """
        lineage = self.lineage(owner)
        body = self._bodies.get((owner, name))
        if body is not None and body[0] is lineage:
            return body[1]
        key = (owner, name, len(self._program.classes), len(self._kin))
        if key not in self._found:
            self._found[key] = self._search(owner, name, lineage)
        return self._found[key]

    def _search(self, owner: str, name: str, lineage: list[str]) -> str | None:
        declared = None
        known = True
        for current in lineage:
            made = self._program.classes.get(current)
            known = known and made is not None
            if made is not None and name in made.methods:
                found = made.methods[name]
                declared = declared or found
                if not self._empty(found):
                    if known:
                        self._bodies[owner, name] = lineage, found
                    return found
        if owner in self._kin or owner in self._kin.values():
            kin = self.kin(owner)
            for function in self.methods_named(name, most=_FAMILY):
                if self.kin(enclosing(function)) == kin and not self._empty(function):
                    return function
        return declared

    def _empty(self, name: str) -> bool:
        """Whether a function only declares itself (`...`, `pass`, `raise NotImplementedError`)."""
        known = self._blank.get(name)
        if known is None:
            start, end = self._program.module(name).spans.get(name, (0, 0))
            known = self._blank[name] = end - start < _DECLARATION and self._says_nothing(name)
        return known

    def _says_nothing(self, name: str) -> bool:
        function = self._program.function(name)
        return (
            function is not None
            and not any(isinstance(value, Load | Store | Join) for value in function.values)
            and sum(isinstance(value, Call) for value in function.values) <= 1
        )
