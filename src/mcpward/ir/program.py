"""All modules of a target, and the one place that finds a function or module by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mcpward.core.finding import Skipped
from mcpward.ir.values import Class, Const, Function, Global, Module, Param, Value

Lower = Callable[[Module, str], None]
"""Lowers a pending function of a module (and everything nested in it) into `module.functions`."""


_EVERYDAY = frozenset(
    [
        *("get", "set", "add", "append", "extend", "insert", "update", "pop", "push", "join"),
        *("map", "filter", "forEach", "reduce", "find", "some", "every", "includes", "keys"),
        *("log", "debug", "info", "warn", "warning", "error", "exception", "write", "format"),
        *("items", "values", "strip", "trim", "split", "replace", "toString", "close", "emit"),
    ]
)


class Program:
    """Modules by name; functions are lowered when somebody asks for them."""

    def __init__(self, lower: Lower) -> None:
        """`lower` is the frontends' dispatch by language."""
        self.modules: dict[str, Module] = {}
        self.classes: dict[str, Class] = {}
        self.skipped: list[Skipped] = []
        self._lower = lower

    def add(self, module: Module) -> None:
        """Adds a module; its classes become known."""
        self.modules[module.name] = module
        self.classes.update(module.classes)

    def function(self, name: str) -> Function | None:
        """The function of a name, lowered now if it has not been yet."""
        module = self.modules.get(name.partition(":")[0])
        if module is None:
            return None
        found = module.functions.get(name)
        if found is None and name in module.pending:
            self._lower(module, name)
            module.pending.pop(name, None)
            self.classes.update(module.classes)
            found = module.functions.get(name)
        return found

    def heed(self, returned: Callable[[Module], frozenset[str]]) -> None:
        """Says whose return may prove something: all functions of the program, and `returned`.

        Methods that share their name with an everyday one of a built-in type are left out.
        """
        names: set[str] = set()
        for module in self.modules.values():
            for name in (*module.functions, *module.pending, *module.classes):
                names.add(bare(name).partition("@")[0])
        names -= _EVERYDAY
        for module in self.modules.values():
            module.telling = returned(module) | names

    def module(self, function: str) -> Module:
        """The module of a function that exists."""
        return self.modules[function.partition(":")[0]]

    def declared(self, name: str) -> bool:
        """Whether a function of this name exists, lowered or not."""
        module = self.modules.get(name.partition(":")[0])
        return module is not None and (name in module.functions or name in module.pending)

    def at(self, module: str, offsets: Iterable[int]) -> list[str]:
        """The pending functions of a module that contain one of these byte offsets."""
        found: dict[str, None] = {}
        spans = self.modules[module].spans
        for offset in offsets:
            for name, (start, end) in spans.items():
                if start <= offset < end:
                    found[name] = None
        return list(found)


def bare(name: str) -> str:
    """A function or class without its module and what it stands in: `m:Client.fetch` → `fetch`."""
    return name.rpartition(":")[2].rpartition(".")[2]


def enclosing(name: str) -> str:
    """What a function stands in, such as its class: `m:Client.fetch` → `m:Client`."""
    module, colon, inner = name.partition(":")
    return module + colon + inner.rpartition(".")[0]


def dump(function: Function) -> str:
    """A readable listing of a function's values, one per line."""
    lines = [f"{function.name}({', '.join(_name(function, p) for p in function.params)})"]
    lines += [f"  {at:4} {_line(value)}" for at, value in enumerate(function.values)]
    return "\n".join(lines)


def _name(function: Function, at: int) -> str:
    value = function.values[at]
    return value.name if isinstance(value, Param) else str(at)


def _line(value: Value) -> str:
    kind = type(value).__name__.lower()
    match value:
        case Param():
            return f"param {value.index} {value.name} {value.sort}"
        case Const():
            return f"const {value.value!r}"
        case Global():
            return f"global {value.name}{' absolute' if value.absolute else ''}"
        case _:
            skip = ("start", "end", "block")
            fields = (f for f in type(value).__dataclass_fields__ if f not in skip)
            parts = (f"{f}={getattr(value, f)!r}" for f in fields)
            return f"{kind} {' '.join(parts)}"
