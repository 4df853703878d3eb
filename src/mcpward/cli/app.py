"""The program: its commands, its exit codes, and the one place where errors become text."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from mcpward import __version__
from mcpward.cli.audit import audit
from mcpward.cli.dump import dump
from mcpward.cli.explain import explain, rules
from mcpward.cli.fix import fix
from mcpward.cli.output import complain, to_stdout
from mcpward.core.errors import McpwardError, UsageError

COULD_NOT = 2
INTERRUPTED = 130
"""What shells give a program that SIGINT has ended."""

TRACEBACK = "MCPWARD_TRACEBACK"

WELCOME = f"""\
mcpward {__version__} looks for security holes in servers of the Model Context Protocol.

Three things to try:

  mcpward audit .                  audit the server in this folder
  mcpward rules                    list what is looked for
  mcpward explain path-traversal   read what one rule is about

All commands: mcpward --help
"""


class _Commands(click.Group):
    """Knows what somebody probably meant who typed another command."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            raise UsageError(f"there is no command `{args[0]}`", hint=self._meant(args[0]))
        return super().resolve_command(ctx, args)

    def _meant(self, word: str) -> str:
        if Path(word).exists():
            return f"To audit it: mcpward audit {word}"
        from mcpward.catalog.tables import closest

        return closest(word, (name for name, c in self.commands.items() if not c.hidden))


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="%(prog)s %(version)s", help="Show the version.")
@click.pass_context
def program(context: click.Context) -> int | None:
    """Looks for security holes in servers of the Model Context Protocol."""
    if context.invoked_subcommand is not None:
        return None
    # Nothing was audited, and a script whose arguments went missing must not pass.
    to_stdout(WELCOME)
    context.exit(COULD_NOT)


for _command in (audit, fix, explain, rules, dump):
    program.add_command(_command)


def main() -> int:
    """Runs the command line and gives the exit code."""
    try:
        result = program.main(prog_name="mcpward", standalone_mode=False)
    except click.UsageError as error:
        about = error.ctx.command_path if error.ctx else "mcpward"
        return _failed(error.format_message(), f"{about} --help shows what is possible.")
    except click.ClickException as error:
        return _failed(error.format_message(), "")
    except (click.Abort, KeyboardInterrupt):
        complain("interrupted")
        return INTERRUPTED
    except McpwardError as error:
        _traceback()
        return _failed(str(error), error.hint)
    except Exception as error:  # whatever it is, a person gets a sentence and an exit code
        _traceback()
        return _failed(
            f"internal error: {type(error).__name__}: {error}",
            f"This is a bug in mcpward. {TRACEBACK}=1 shows where.",
        )
    return result if isinstance(result, int) else 0


def _failed(message: str, hint: str) -> int:
    complain(f"error: {message}")
    if hint:
        complain(f"hint: {hint}")
    return COULD_NOT


def _traceback() -> None:
    if os.environ.get(TRACEBACK, "") not in ("", "0"):
        import traceback

        complain("".join(traceback.format_exception(*sys.exc_info())).rstrip())
