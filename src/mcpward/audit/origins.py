"""Where the text of a value comes from, asked backwards from where it leaves the server.

The engine goes forwards from what must not be trusted, through everything that may pass it on.
Here the question is what must not be told, and the answer has to be certain: only what is known to
carry its input on is followed, so an unknown call ends the way. A client made with a token is not
the token.
"""

from __future__ import annotations

from collections.abc import Iterable

from mcpward.audit.disclosed import (
    ENVIRONMENTS,
    Origin,
    called,
    chosen,
    environment,
    error,
    hides,
    narrowed,
    tested,
    validates,
    variable,
)
from mcpward.audit.survey import Survey
from mcpward.audit.walk import (
    Given,
    Leaf,
    Leaves,
    Node,
    Result,
    Walk,
    behind,
    constructed,
    into,
    makes,
    order,
    passed,
    shown,
)
from mcpward.ir.values import (
    Assume,
    Call,
    Closure,
    Global,
    Id,
    Join,
    Load,
    Param,
    Phi,
    Return,
)
from mcpward.taint.binding import Bound, bind, targets
from mcpward.taint.facts import Path, Ref, ordered
from mcpward.taint.frame import Frame
from mcpward.taint.library import applies
from mcpward.taint.members import EXPORTS
from mcpward.taint.world import World

_DEPTH = 12
"""Calls that are followed into each other."""
_MOST = 3_000_000
"""Values that all questions together look at; ordinary programs need a hundredth."""
_TARGETS = 6
"""Functions that one call may reach."""


class Origins:
    """Answers about all functions, remembered."""

    def __init__(self, world: World, survey: Survey) -> None:
        """`survey` says what is stored where."""
        self.world = world
        self.survey = survey
        self._summaries: dict[tuple[str, Path], frozenset[Leaf]] = {}
        self._kept: dict[tuple[str, Id, Path], frozenset[Leaf]] = {}
        self._open: set[object] = set()
        self._asked: dict[tuple[str, Id, Path], Leaves] = {}
        """Answers to outer questions: several rules ask the same."""
        self._looked = 0

    @property
    def spent(self) -> bool:
        """Whether so much was asked that the rest goes unanswered."""
        return self._looked > _MOST

    def of(self, frame: Frame, at: Id, path: Path = (), depth: int = 0) -> Leaves:
        """What a value is made from."""
        key = (frame.name, at, path)
        if depth == 0 and key in self._asked:
            return self._asked[key]
        walk = Walk(frame, depth)
        walk.add(at, path)
        while walk.pending and not self.spent:
            walk.now = walk.pending.pop()
            self._looked += 1
            self._step(walk, walk.now)
        leaves = {leaf: shown(walk, node) for leaf, node in walk.leaves.items()}
        if depth == 0:
            self._asked[key] = leaves
        return leaves

    def returned(self, name: str, path: Path, depth: int) -> frozenset[Leaf]:
        """What the result of a function of the program is made from."""
        key = (name, path)
        known = self._summaries.get(key)
        if known is not None:
            return known
        frame = self.world.frames.get(name)
        if frame is None or depth >= _DEPTH or key in self._open:
            return frozenset()
        self._open.add(key)
        out: set[Leaf] = set()
        for at in frame.exits:
            value = frame.values[at]
            assert isinstance(value, Return)
            out.update(self.of(frame, value.value, path, depth + 1))
        self._open.discard(key)
        self._summaries[key] = frozenset(out)
        return self._summaries[key]

    def _elsewhere(self, walk: Walk, function: str, at: Id, path: Path) -> None:
        """Adds the origins of a value of another function; its parameters are not known here."""
        if function == walk.frame.name:
            walk.add(at, path)
            return
        key = (function, at, path)
        known = self._kept.get(key)
        frame = self.world.frames.get(function)
        if known is None:
            if frame is None or walk.depth >= _DEPTH or key in self._open:
                return
            self._open.add(key)
            known = frozenset(self.of(frame, at, path, walk.depth + 1))
            self._open.discard(key)
            self._kept[key] = known
        self._told(walk, (leaf for leaf in known if isinstance(leaf, Origin)))

    def _told(self, walk: Walk, leaves: Iterable[Leaf]) -> None:
        for leaf in sorted(leaves, key=order):
            if not (isinstance(leaf, Origin) and walk.now.clipped and leaf.secret):
                walk.found(leaf)

    # ── instructions ──────────────────────────────────────────────────────────────────────────

    def _step(self, walk: Walk, node: Node) -> None:
        frame = walk.frame
        value = frame.values[node.at]
        match value:
            case Phi():
                for operand in value.operands:
                    walk.add(operand, node.path)
            case Assume():
                if not narrowed(frame, value):
                    walk.add(value.value, node.path)
            case Join():
                self._join(walk, node, value)
            case Load():
                self._load(walk, node, value)
            case Global() if not value.absolute:
                self._global(walk, node, value)
            case Param():
                self._param(walk, node, value)
            case Call():
                self._call(walk, node, value)
            case _:
                pass

    def _join(self, walk: Walk, node: Node, value: Join) -> None:
        if value.fields is not None:
            for name, operand in zip(value.fields, value.operands, strict=False):
                into(walk, node, name, operand)
            for ref in walk.frame.refs[node.at]:
                if ref.sort == "obj" and ref.site == walk.frame.name:
                    self._stored(walk, node, ref)
        elif value.label == "exception":
            if not validates(walk.frame, value):
                origin = error(walk.frame, node.at, node.path)
                if origin is not None:
                    walk.found(origin)
        elif value.label == "slice":
            for operand in value.operands[:1]:
                walk.add(operand, node.path, clipped=True)
        elif value.label not in ("arithmetic", "/"):
            for operand in value.operands:
                walk.add(operand)

    def _stored(self, walk: Walk, node: Node, ref: Ref) -> None:
        """What was put into an object after it was made, or into what outlives the function."""
        kept = self.survey.stores.get(ref)
        if kept is None:
            return
        for name, stored in kept.items():
            path = behind(node.path, name)
            for function, at in stored if path is not None else ():
                self._elsewhere(walk, function, at, path or ())

    def _load(self, walk: Walk, node: Node, value: Load) -> None:
        frame = walk.frame
        path = (value.field, *node.path)
        for ref in ordered(frame.refs[value.object]):
            if ref.sort == "ext" and ref.name in ENVIRONMENTS:
                self._variable(walk, node, value)
                return
            if ref.sort in ("self", "cls", "mod"):
                self._field(walk, node, ref, value.field)
        if any(r.sort == "ext" and r.name in ENVIRONMENTS for r in frame.refs[node.at]):
            self._environment(walk, node)
            return
        walk.add(value.object, path)

    def _environment(self, walk: Walk, node: Node) -> None:
        """The whole environment, or one variable of a copy of it."""
        if not node.path or node.path[0] == "*":
            if not node.clipped and not (node.path and chosen(walk.frame, node.at)):
                walk.found(environment(walk.frame, node.at))
        elif len(node.path) == 1:
            self._told(walk, variable(walk.frame, node.at, node.path[0]))

    def _variable(self, walk: Walk, node: Node, value: Load) -> None:
        if node.path:
            return
        if value.field != "*":
            self._told(walk, variable(walk.frame, node.at, value.field))
        elif value.key is not None:
            self._chosen(walk, node, value.key)

    def _chosen(self, walk: Walk, node: Node, key: Id) -> None:
        """A variable whose name is a parameter: whoever calls the function chooses it."""
        frame = walk.frame
        asked = (frame.name, key)
        if walk.depth >= _DEPTH or asked in self._open or tested(frame, key):
            return
        self._open.add(asked)
        leaves = self.of(frame, key, (), walk.depth + 1)
        self._open.discard(asked)
        if any(not isinstance(leaf, Origin) or leaf.kind == "chosen" for leaf in leaves):
            name = "the variable that the caller names"
            walk.found(Origin("chosen", frame.name, node.at, name))

    def _field(self, walk: Walk, node: Node, ref: Ref, name: str) -> None:
        owner = walk.frame.owner(ref)
        if ref.sort == "self":
            for outside in self.world.classes.outside(ref.name):
                if outside.endswith("BaseSettings") and not node.path:
                    self._setting(walk, node, ref, name)
        owners = [owner, Ref("mod", ref.name + EXPORTS)] if ref.sort == "mod" else [owner]
        for holder in owners:
            for function, at in self._kept_in(holder, name):
                self._elsewhere(walk, function, at, node.path)

    def _kept_in(self, holder: Ref, name: str) -> list[tuple[str, Id]]:
        kept = self.survey.stores.get(holder)
        return kept.get(name, []) if kept is not None else []

    def _setting(self, walk: Walk, node: Node, ref: Ref, name: str) -> None:
        for current in self.world.classes.lineage(ref.name):
            made = self.world.program.classes.get(current)
            kind = made.fields.get(name) if made is not None else None
            if kind is not None:
                if not kind.name.rpartition(".")[2].startswith("Secret"):
                    self._told(walk, variable(walk.frame, node.at, name))
                return

    def _global(self, walk: Walk, node: Node, value: Global) -> None:
        self._field(walk, node, Ref("mod", walk.frame.module.name), value.name)

    def _param(self, walk: Walk, node: Node, value: Param) -> None:
        if value.sort == "capture":
            made = self.survey.closures.get(walk.frame.name)
            holder = self.world.frames.get(made[0]) if made is not None else None
            closure = holder.values[made[1]] if holder is not None and made is not None else None
            if isinstance(closure, Closure) and made is not None:
                for index, captured in closure.captures:
                    if index == value.index:
                        self._elsewhere(walk, made[0], captured, node.path)
        elif value.sort != "receiver":
            walk.found(Given(value.index, node.path, node.clipped))

    # ── calls ─────────────────────────────────────────────────────────────────────────────────

    def _call(self, walk: Walk, node: Node, call: Call) -> None:
        frame = walk.frame
        if hides(frame, call):
            return
        told = called(frame, node.at, call, node.path)
        if told is not None:
            self._told(walk, told.origins)
            if told.key is not None and not node.path:
                self._chosen(walk, node, told.key)
            return
        found = targets(frame, call)[:_TARGETS]
        for ref, receiver in found:
            function = self.world.program.function(ref.name)
            if function is not None:
                bound = bind(frame, call, function, receiver, ref)
                self._applied(walk, node, ref.name, bound)
        if found:
            return
        callee = frame.values[call.callee]
        while isinstance(callee, Assume):
            callee = frame.values[callee.value]
        if isinstance(callee, Param) and not node.path:
            walk.found(Result(callee.index))
        names = [r.name for r in ordered(frame.refs[call.callee]) if r.sort == "ext"]
        own = any(ref.sort == "cls" for ref in frame.refs[call.callee])
        if own or makes(call, names):
            constructed(walk, node, call, own=own)
            return
        self._outside(walk, node, call, names)

    def _applied(self, walk: Walk, node: Node, name: str, bound: Bound) -> None:
        """The result of a function of the program, in terms of the arguments."""
        for leaf in sorted(self.returned(name, node.path, walk.depth), key=order):
            match leaf:
                case Origin():
                    self._told(walk, (leaf,))
                case Given():
                    for value in bound.values.get(leaf.parameter, ()):
                        walk.add(value, leaf.path, clipped=leaf.clipped)
                    for keyword, value in bound.named.get(leaf.parameter, ()):
                        if not leaf.path or leaf.path[0] in ("*", keyword):
                            walk.add(value, leaf.path[1:], clipped=leaf.clipped)
                    for value in bound.elements.get(leaf.parameter, ()):
                        walk.add(value, leaf.path[1:], clipped=leaf.clipped)
                case Result():
                    self._run(walk, bound, leaf.parameter)

    def _run(self, walk: Walk, bound: Bound, index: int) -> None:
        """What a function returns that was handed in."""
        for ref in ordered(bound.refs(index)):
            if ref.sort == "fn":
                for leaf in sorted(self.returned(ref.name, (), walk.depth), key=order):
                    if isinstance(leaf, Origin):
                        self._told(walk, (leaf,))

    def _outside(self, walk: Walk, node: Node, call: Call, names: list[str]) -> None:
        frame = walk.frame
        callee = frame.values[call.callee]
        if isinstance(callee, Load):
            names = [*names, frame.library.built_in(callee.field)]
        for name in names:
            rows = frame.library.calls(frame.library.canonical(name)) if name else ()
            row = next((r for r in rows if applies(frame, call, r)), None)
            if row is not None:
                passed(walk, node, call, row)
                if any(kind == "third" for _, kind in row.sources) and call.receiver is not None:
                    walk.add(call.receiver)
                return
