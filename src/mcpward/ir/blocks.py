"""Pieces of control flow that a builder hands out: blocks, forks, loops, attempts."""

from __future__ import annotations

from dataclasses import dataclass, field

from mcpward.ir.narrowing import Name
from mcpward.ir.values import Condition, Id


@dataclass(slots=True, eq=False)
class Block:
    """A straight piece of code and what its variables are worth at its end."""

    number: int
    env: dict[Name, Id]
    condition: Condition | None = None


@dataclass(slots=True, eq=False)
class Fork:
    """The two blocks behind a test; `enter` one of them to go on there."""

    true: Block
    false: Block


@dataclass(slots=True, eq=False)
class Loop:
    """A loop header: its block and the `Phi`s that wait for their back edges."""

    block: Block
    phis: dict[Name, Id]


@dataclass(slots=True, eq=False)
class Attempt:
    """The states in which a `try` body may be left by an exception."""

    states: list[Block] = field(default_factory=list)


def common_condition(blocks: list[Block]) -> Condition | None:
    """The innermost condition that holds at the end of every block."""
    chains = []
    for block in blocks:
        chain: list[Condition] = []
        condition = block.condition
        while condition is not None:
            chain.append(condition)
            condition = condition.outer
        chains.append(chain[::-1])
    held: Condition | None = None
    for level in zip(*chains, strict=False):
        if any(condition is not level[0] for condition in level):
            break
        held = level[0]
    return held
