"""What a test has proven, per origin: marks, and about which piece of the data they hold.

A proof maps (origin, pieces) to marks. `pieces` are the part marks of the value that was tested: a
check of the last path component proves something about values that are that component, not about
the path. `ALL` stands for every mark: the value equals something trusted, or the branch cannot be
taken.
"""

from __future__ import annotations

from mcpward.taint.facts import Facts, Origin

ALL = -1
Key = tuple[Origin | None, int]
Proof = dict[Key, int]
"""The key (None, 0) holds what is proven about everything, whatever its origin."""

NOTHING: Proof = {}
IMPOSSIBLE: Proof = {(None, 0): ALL}


def either(first: Proof, second: Proof) -> Proof:
    """What holds when one of two things was proven, but not which."""
    if not first or not second:
        return NOTHING
    base_first, base_second = first.get((None, 0), 0), second.get((None, 0), 0)
    out: Proof = {}
    for key in {**first, **second}:
        one, other = first.get(key, base_first), second.get(key, base_second)
        marks = other if one == ALL else one if other == ALL else one & other
        if marks:
            out[key] = marks
    return out


def both(first: Proof, second: Proof) -> Proof:
    """What holds when two things were proven."""
    if not first:
        return second
    if not second:
        return first
    out = dict(first)
    for key, marks in second.items():
        had = out.get(key, 0)
        out[key] = ALL if ALL in (had, marks) else had | marks
    return out


def gained(proof: Proof, origin: Origin, marks: int) -> int:
    """The marks that a fact gains: those proven about its origin and about a piece it is of."""
    total = proof.get((None, 0), 0)
    for (about, pieces), proven in proof.items():
        if about == origin and marks & pieces == pieces:
            if proven == ALL:
                return ALL
            total |= proven
    return total


def applied(facts: Facts, proof: Proof, listed: int) -> Facts:
    """The facts with what was proven; `listed` is the mark for values equal to trusted ones."""
    if not proof:
        return facts
    out = []
    for origin, marks in facts:
        more = gained(proof, origin, marks)
        out.append((origin, marks | (listed if more == ALL else more)))
    return frozenset(out)
