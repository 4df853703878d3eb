"""Builds a program from source files: names modules, parses them, resolves what imports mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from mcpward.core.finding import SkipKind, Skipped
from mcpward.core.source import SourceFile
from mcpward.ir.program import Program
from mcpward.ir.values import Module

Progress = Callable[[int, int], None]


def load(
    sources: tuple[SourceFile, ...],
    texts: Mapping[str, bytes],
    progress: Progress | None = None,
) -> Program:
    """Parses every file; what cannot be parsed is in `program.skipped`."""
    program = Program(_lower)
    python = [s for s in sources if s.language.family == "python"]
    javascript = [s for s in sources if s.language.family == "javascript"]
    done = 0
    for source, module in [*_python(python, program), *_javascript(javascript, texts, program)]:
        made = module()
        if isinstance(made, Skipped):
            program.skipped.append(made)
        elif made.name in program.modules:
            reason = f"another file is imported under the same name, {made.name}"
            program.skipped.append(Skipped(source.path, SkipKind.LIMIT, reason))
        else:
            program.add(made)
        done += 1
        if progress is not None and done % 50 == 0:
            progress(done, len(sources))
    return program


Parse = Callable[[], "Module | Skipped"]


def _python(sources: list[SourceFile], program: Program) -> list[tuple[SourceFile, Parse]]:
    if not sources:
        return []
    from mcpward.frontends import python, python_modules  # only when needed

    names = python_modules.module_names([s.path for s in sources])
    index = python_modules.ModuleIndex(dict(names.values()))
    out: list[tuple[SourceFile, Parse]] = []
    for source in sources:
        name, package = names[source.path]
        resolve = partial(index.resolve, name)
        out.append(
            (
                source,
                partial(
                    python.parse,
                    source,
                    name,
                    package=package,
                    resolve=resolve,
                    notes=program.skipped,
                ),
            )
        )
    return out


def _javascript(
    sources: list[SourceFile], texts: Mapping[str, bytes], program: Program
) -> list[tuple[SourceFile, Parse]]:
    if not sources:
        return []
    from mcpward.frontends import javascript, javascript_modules

    resolver = javascript_modules.Resolver([s.path for s in sources], texts)
    return [
        (
            source,
            partial(
                javascript.parse,
                source,
                resolver.module_name(source.path),
                resolve=partial(resolver.resolve, source.path),
                notes=program.skipped,
            ),
        )
        for source in sources
    ]


def _lower(module: Module, function: str) -> None:
    if module.language.family == "python":
        from mcpward.frontends import python

        python.lower(module, function)
    else:
        from mcpward.frontends import javascript

        javascript.lower(module, function)
