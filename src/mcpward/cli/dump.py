"""The hidden command `mcpward dump`: what the engine gets to see of a file."""

from __future__ import annotations

from pathlib import PurePath

import click


@click.command(hidden=True)
@click.argument("file")
def dump(file: str) -> None:
    """Print the value graph of every function of FILE."""
    from mcpward.audit.collect import collect
    from mcpward.cli.output import to_stdout
    from mcpward.core.errors import TargetError
    from mcpward.core.finding import Skipped
    from mcpward.core.source import Role
    from mcpward.ir.program import dump as listing

    sources = collect(file, include=frozenset(Role)).sources
    if len(sources) != 1:
        raise TargetError(f"{file} is not a source file", hint="Name one file.")
    (source,) = sources
    name = PurePath(source.path).stem
    if source.language.family == "python":
        from mcpward.frontends import python

        module, lower = python.parse(source, name, package=False), python.lower
    else:
        from mcpward.frontends import javascript

        module, lower = javascript.parse(source, name, resolve=str, notes=[]), javascript.lower
    if isinstance(module, Skipped):
        raise TargetError(f"{file}: {module.reason}")
    while module.pending:
        name = next(iter(module.pending))
        lower(module, name)
        module.pending.pop(name, None)
    functions = sorted(module.functions.values(), key=lambda f: (f.start, f.name))
    to_stdout("".join(f"{listing(function)}\n\n" for function in functions))
