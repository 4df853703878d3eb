"""Builds the value graph of one function while a frontend walks its syntax.

Each block carries its own environment from variable to value, so reading is one dictionary look-up
and a merge makes `Phi`s only where the environments differ. Loops make `Phi`s for the names that
the frontend says the body assigns. There is no dominance computation and no recursion.

Access paths with a constant field (`args.path`) are kept in the environment as well, keyed by the
value that owns the field: that is how a test on `args.path` narrows the next `args.path`.
"""

from __future__ import annotations

from collections.abc import Iterable

from mcpward.core.source import Span
from mcpward.ir.blocks import Attempt, Block, Fork, Loop, common_condition
from mcpward.ir.narrowing import Name, about
from mcpward.ir.values import (
    UNKNOWN,
    Assume,
    Call,
    Closure,
    Compare,
    Condition,
    Const,
    Function,
    Global,
    Id,
    Join,
    Load,
    Outcome,
    Param,
    Phi,
    Return,
    Store,
    TypeExpr,
    Value,
)


class Builder:
    """One function under construction.

    `current` is the open block, or `None` after `return`, `raise`, `break`: then nothing that is
    added can run, and frontends skip statements (but still declare functions).
    """

    def __init__(self, function: Function) -> None:
        """Opens the entry block of an empty function."""
        self.function = function
        self.values = function.values
        self._blocks = 0
        self.current: Block | None = None
        self.current = self._block({}, None)
        self._roots: dict[Id, Id] = {}
        self._named: dict[Id, dict[Name, None]] = {}
        self._parameters: list[tuple[int, str]] = []
        self._indexes: dict[Id, int] = {}

    # ── values ────────────────────────────────────────────────────────────────────────────────

    def add(self, value: Value) -> Id:
        """Appends an instruction and gives its id."""
        self.values.append(value)
        return len(self.values) - 1

    def param(
        self,
        name: str,
        span: Span,
        *,
        sort: str = "plain",
        annotation: TypeExpr | None = None,
    ) -> Id:
        """Declares the next parameter and binds its variable."""
        index = len(self.function.params)
        at = self.add(Param(name, index, sort, annotation, span.start, span.end))
        self.function.params.append(at)
        self._parameters.append((index, name))
        self._indexes[at] = index
        self.write(name, at)
        return at

    def const(self, value: object, span: Span) -> Id:
        """A literal."""
        return self.add(Const(value, span.start, span.end))

    def unknown(self, span: Span) -> Id:
        """A value nothing is known about and that carries no taint."""
        return self.add(Const(UNKNOWN, span.start, span.end))

    def name(self, name: str, span: Span, *, absolute: bool = False) -> Id:
        """A module variable, builtin, or (`absolute`) an imported module."""
        return self.add(Global(name, absolute, span.start, span.end))

    def join(self, label: str, operands: Iterable[Id], span: Span) -> Id:
        """Text or arithmetic made from operands."""
        return self.add(Join(label, tuple(operands), None, span.start, span.end))

    def record(self, label: str, fields: Iterable[tuple[str, Id]], span: Span) -> Id:
        """A fresh object or container with its fields."""
        pairs = tuple(fields)
        names = tuple(name for name, _ in pairs)
        return self.add(Join(label, tuple(v for _, v in pairs), names, span.start, span.end))

    def load(
        self,
        owner: Id,
        name: str,
        span: Span,
        *,
        key: Id | None = None,
        subscript: bool = False,
    ) -> Id:
        """Reads a field or element; a field read before on the same value gives the same id."""
        if name != "*" and self.current is not None:
            path = (self.root(owner), name)
            known = self.current.env.get(path)
            if known is not None:
                return known
            at = self.add(Load(owner, name, span.start, span.end, key, subscript))
            self._bind(path, at)
            return at
        return self.add(Load(owner, name, span.start, span.end, key, subscript))

    def method(self, owner: Id, name: str, span: Span) -> Id:
        """Reads a field that is about to be called; not remembered as an access path."""
        return self.add(Load(owner, name, span.start, span.end))

    def store(self, owner: Id, name: str, value: Id, span: Span, *, key: Id | None = None) -> None:
        """Writes a field or element."""
        self.add(Store(owner, name, value, span.start, span.end, key))
        root = self.root(owner)
        env = {} if self.current is None else self.current.env
        if name != "*":
            self._bind((root, name), value)
            return
        for known in [n for n in env if isinstance(n, tuple) and n[0] == root]:
            del env[known]

    def compare(self, operator: str, operands: Iterable[Id], span: Span) -> Id:
        """A test, or a combination of tests."""
        return self.add(Compare(operator, tuple(operands), span.start, span.end))

    def call(
        self,
        callee: Id,
        args: Iterable[Id],
        span: Span,
        *,
        receiver: Id | None = None,
        keywords: Iterable[tuple[str, Id]] = (),
        spread: int = -1,
        sort: str = "call",
    ) -> Id:
        """A call."""
        block = self.current.number if self.current is not None else 0
        return self.add(
            Call(
                callee,
                receiver,
                tuple(args),
                tuple(keywords),
                spread,
                sort,
                block,
                span.start,
                span.end,
            )
        )

    def closure(self, target: str, span: Span) -> Id:
        """A function or class as a value; captures are added with `capture`."""
        return self.add(Closure(target, [], [], span.start, span.end))

    def capture(self, closure: Id, index: int, value: Id) -> None:
        """Says which value here becomes parameter `index` of a closure."""
        made = self.values[closure]
        assert isinstance(made, Closure)
        made.captures.append((index, value))

    def phi(self, operands: Iterable[Id], span: Span) -> Id:
        """One of several values (conditional expressions, `a or b` as a value)."""
        unique = list(dict.fromkeys(operands))
        if len(unique) == 1:
            return unique[0]
        return self.add(Phi(unique, span.start, span.end))

    # ── variables ─────────────────────────────────────────────────────────────────────────────

    def read(self, name: Name) -> Id | None:
        """The value of a variable here; `None` when nothing was assigned on the way."""
        return None if self.current is None else self.current.env.get(name)

    def write(self, name: Name, value: Id) -> None:
        """Assigns a variable."""
        self._bind(name, value)

    def snapshot(self) -> dict[Name, Id]:
        """All variables as they are here (for closures that are lowered later)."""
        return {} if self.current is None else self.current.env.copy()

    def root(self, at: Id) -> Id:
        """The value that an assumption is about, or the value itself."""
        return self._roots.get(at, at)

    def _bind(self, name: Name, value: Id) -> None:
        if self.current is not None:
            self.current.env[name] = value
            self._named.setdefault(self.root(value), {})[name] = None

    # ── control flow ──────────────────────────────────────────────────────────────────────────

    def branch(self, test: Id) -> Fork:
        """Ends the block with a test. Narrowing happens on `enter`."""
        here = self.current
        if here is None:
            dead = self._block({}, None)
            return Fork(dead, dead)
        true = self._block(here.env, Condition(here.condition, test, Outcome.TRUE))
        false = self._block(here.env, Condition(here.condition, test, Outcome.FALSE))
        self.current = None
        return Fork(true, false)

    def enter(self, block: Block) -> None:
        """Goes on in a block of a fork; what the test is about is narrowed there."""
        block.env = block.env.copy()
        self.current = block
        condition = block.condition
        if condition is not None:
            self.assume(condition.test, condition.outcome)

    def assume(self, test: Id, outcome: Outcome) -> None:
        """From here on `test` came out as `outcome`: the variables it is about are narrowed."""
        here = self.current
        if here is None:
            return
        env = here.env
        for name, value in about(self.values, self._roots, self._named, test, env):
            at = self.add(Assume(value, test, outcome, *self._extent(test)))
            self._roots[at] = self.root(value)
            env[name] = at

    def returned(self, call: Id, telling: frozenset[str] | None) -> None:
        """From here on a call has returned instead of raising.

        `telling`: see `Module.telling`. Without it every logged value would have another version
        behind the line that logs it.
        """
        made = self.values[call]
        if not isinstance(made, Call) or not (made.args or made.keywords or made.receiver):
            return
        callee = self.values[made.callee]
        if telling is None or not isinstance(callee, Load) or callee.field in telling:
            self.assume(call, Outcome.RETURNED)

    def merge(self, *ends: Block | None) -> None:
        """Goes on behind several blocks; the ones that are `None` never get there."""
        live = [end for end in ends if end is not None]
        if not live:
            self.current = None
            return
        if len(live) == 1:
            self.current = live[0]
            return
        first = live[0]
        outer = common_condition(live)
        block = self._block(first.env.copy(), outer)
        env = block.env
        others = [end.env for end in live[1:]]
        if any(other != env for other in others):
            for name, value in list(env.items()):
                values = [value]
                for other in others:
                    got = other.get(name)
                    if got is None:
                        if isinstance(name, tuple):
                            del env[name]
                            values = []
                            break
                    elif got not in values:
                        values.append(got)
                if len(values) > 1:
                    self._merged(env, name, values)
            for other in others:
                for name, value in other.items():
                    if name not in env and not isinstance(name, tuple):
                        env[name] = value
                        # Another end may know a different value of a name the first lacks.
                        rest = dict.fromkeys(o[name] for o in others if name in o)
                        if len(rest) > 1:
                            self._merged(env, name, list(rest))
        self.current = block

    def _merged(self, env: dict[Name, Id], name: Name, values: list[Id]) -> None:
        at = self.add(Phi(values, *self._extent(values[0])))
        roots = {self.root(value) for value in values}
        if len(roots) == 1:
            self._roots[at] = roots.pop()
        env[name] = at
        self._named.setdefault(self.root(at), {})[name] = None

    def loop(self, assigned: Iterable[str]) -> Loop:
        """Opens a loop whose body (or test) assigns these names."""
        here = self.current
        if here is None:
            return Loop(self._block({}, None), {})
        env = here.env.copy()
        block = self._block(env, here.condition)
        phis: dict[Name, Id] = {}
        for name in dict.fromkeys(assigned):
            value = env.get(name)
            if value is not None:
                at = self.add(Phi([value], *self._extent(value)))
                phis[name] = at
                env[name] = at
                self._named.setdefault(at, {})[name] = None
        self.current = block
        return Loop(block, phis)

    def close(self, loop: Loop, *ends: Block | None) -> None:
        """Adds the back edges of a loop: the ends of its body and every `continue`."""
        for end in ends:
            if end is None:
                continue
            for name, at in loop.phis.items():
                value = end.env.get(name)
                phi = self.values[at]
                if (
                    value is not None
                    and value != at
                    and isinstance(phi, Phi)
                    and value not in phi.operands
                ):
                    phi.operands.append(value)

    def split(self) -> Block | None:
        """Ends the block and goes on in a copy; gives the ended one (for `break`, `continue`)."""
        here = self.current
        if here is not None:
            self.current = self._block(here.env.copy(), here.condition)
        return here

    def leave(self) -> Block | None:
        """Ends the block without successor here; gives it for a later `merge` or `close`."""
        here, self.current = self.current, None
        return here

    def attempt(self) -> Attempt:
        """Opens a `try` body."""
        tried = Attempt()
        self.checkpoint(tried)
        return tried

    def checkpoint(self, tried: Attempt) -> None:
        """Notes that an exception may arise here; call it after every statement of the body."""
        here = self.split()
        if here is not None:
            tried.states.append(here)

    def handler(self, tried: Attempt) -> None:
        """Goes on where an exception of the body is caught."""
        self.merge(*tried.states)

    def ret(self, value: Id, span: Span) -> None:
        """Returns; nothing follows."""
        self.yield_(value, span)
        self.current = None

    def yield_(self, value: Id, span: Span) -> None:
        """Gives a value to the caller and goes on (generators)."""
        here = self.current
        if here is None:
            return
        env = here.env
        versions = [(index, "", env[name]) for index, name in self._parameters if name in env]
        indexes = self._indexes
        versions += [
            (indexes[name[0]], name[1], at)
            for name, at in env.items()
            if isinstance(name, tuple) and name[0] in indexes
        ]
        at = self.add(Return(value, tuple(versions), span.start, span.end))
        self.function.returns.append(at)

    # ── inside ────────────────────────────────────────────────────────────────────────────────

    def _block(self, env: dict[Name, Id], condition: Condition | None) -> Block:
        self._blocks += 1
        if condition is not None:
            self.function.conditions[self._blocks] = condition
        return Block(self._blocks, env, condition)

    def _extent(self, at: Id) -> tuple[int, int]:
        value = self.values[at]
        return value.start, value.end


__all__ = ["Attempt", "Block", "Builder", "Fork", "Loop", "Name"]
