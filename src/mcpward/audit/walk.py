"""One question about a value: what it is made from inside a function, and where that comes in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from mcpward.audit.disclosed import Origin
from mcpward.core.rule import CallModel, Place
from mcpward.ir.values import Assume, Call, Id, Join, Param, Phi
from mcpward.taint import places
from mcpward.taint.facts import Path
from mcpward.taint.frame import Frame

_NODES = 3_000
"""Values that one question looks at."""
_PATH = 3
_LEAVES = 64


class Given(NamedTuple):
    """A parameter of the function in question, or a field of it."""

    parameter: int
    path: Path
    clipped: bool = False


class Result(NamedTuple):
    """What a function returns that is a parameter of the function in question."""

    parameter: int


Leaf = Origin | Given | Result
Leaves = dict[Leaf, Id]
"""What a value is made from, each with the expression in the function that brings it in."""


def order(leaf: Leaf) -> tuple[str, tuple[object, ...]]:
    return type(leaf).__name__, tuple(leaf)


class Node(NamedTuple):
    """A value, the field of it that is asked for, and whether only a piece of it is taken."""

    at: Id
    path: Path = ()
    clipped: bool = False


_NOWHERE = Node(-1)


@dataclass(slots=True, eq=False)
class Walk:
    """One question in one function."""

    frame: Frame
    depth: int
    leaves: dict[Leaf, Node] = field(default_factory=dict)
    parents: dict[Node, Node | None] = field(default_factory=dict)
    pending: list[Node] = field(default_factory=list)
    now: Node = _NOWHERE

    def add(self, at: Id, path: Path = (), *, clipped: bool = False) -> None:
        """Looks at another value, because what is looked at now is made from it."""
        node = Node(at, path[:_PATH], clipped or self.now.clipped)
        if at >= 0 and node not in self.parents and len(self.parents) < _NODES:
            self.parents[node] = self.now if self.now.at >= 0 else None
            self.pending.append(node)

    def found(self, leaf: Leaf) -> None:
        """Notes where the value comes from."""
        if len(self.leaves) < _LEAVES:
            self.leaves.setdefault(leaf, self.now)


_LOST = frozenset(["digest", "number", "listed", "authenticated"])


def passed(walk: Walk, node: Node, call: Call, row: CallModel) -> None:
    """What a library function hands on, as its row says."""
    if not _LOST.isdisjoint(row.marks):
        return
    clipped = row.name.endswith(".filter") or any(m.startswith("part-") for m in row.marks)
    for origin, target in row.passes:
        if target.base == "return":
            rest = _after(target, node.path)
            for value in places.values(call, origin) if rest is not None else ():
                path = places.path_of(walk.frame, call, origin, value) or ()
                walk.add(value, (*path, *(rest or ())), clipped=clipped)


def _after(target: Place, path: Path) -> Path | None:
    """What is left of a path behind the place where a row puts something."""
    rest: Path | None = path
    for name in target.path:
        if rest:
            rest = behind(rest, name)
        if rest is None:
            return None
    return rest


def behind(path: Path, name: str) -> Path | None:
    """What is left of a path behind a field; `None` when the field is another one."""
    if not path:
        return ()
    if name == "**":
        return path
    return path[1:] if name == path[0] or "*" in (name, path[0]) or path[0] == "+" else None


def into(walk: Walk, node: Node, name: str, operand: Id) -> None:
    path = behind(node.path, name)
    if path is not None:
        walk.add(operand, path)


def makes(call: Call, names: Iterable[str]) -> bool:
    """Whether a call makes an object that holds its arguments: a content block, a result."""
    lasts = [name.rpartition(".")[2] for name in names]
    return any(last[:1].isupper() and not last.isupper() for last in lasts) and (
        call.sort == "new" or bool(call.keywords) or len(call.args) == 1
    )


def constructed(walk: Walk, node: Node, call: Call, *, own: bool) -> None:
    """The arguments of a constructor; as text, an object of the program does not show secrets."""
    for name, value in call.keywords:
        path = behind(node.path, name)
        if path is not None:
            walk.add(value, path, clipped=own and not node.path)
    for value in call.args:
        walk.add(value, node.path, clipped=own or bool(node.path))
        if node.path:
            walk.add(value, node.path[1:], clipped=True)


def shown(walk: Walk, node: Node) -> Id:
    """The expression that brings an origin in: the outermost one that is no mere container."""
    chain = list(_up(walk, node))
    for one in reversed(chain):
        value = walk.frame.values[one.at]
        plain = isinstance(value, Phi | Assume | Param) or not value.end
        if not plain and not (isinstance(value, Join) and value.fields is not None):
            if not isinstance(value, Call) or not _holds(walk, value):
                return one.at
    return chain[-1].at


def _holds(walk: Walk, call: Call) -> bool:
    """Whether a call only wraps a text into an object."""
    names = [r.name for r in walk.frame.refs[call.callee] if r.sort in ("ext", "cls")]
    return makes(call, names)


def _up(walk: Walk, node: Node) -> Iterator[Node]:
    at: Node | None = node
    while at is not None:
        yield at
        at = walk.parents[at]
