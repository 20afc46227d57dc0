"""The command group: commands load late, slips of the pen get a suggestion, and every failure gets its exit code."""

import errno
import traceback
from difflib import get_close_matches
from importlib import import_module

import click
from click.exceptions import Abort, ClickException, Exit

from apu.cli.failures import INTERRUPTED, describe, exit_code


class ApuGroup(click.Group):
    """A group of commands that live in modules of their own.

    Args:
        modules: command -> module that holds it under the name `command`.
    """

    def __init__(self, *args, modules: dict[str, str], **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self._modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of the help text."""
        return list(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module."""
        if cmd_name not in self._modules:
            return None
        return import_module(self._modules[cmd_name]).command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with a suggestion for a name that does not exist."""
        if not args[0].startswith("-") and args[0] not in self._modules:
            raise click.UsageError(_no_such_command(args[0], list(self._modules)), ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; turn whatever goes wrong into a message on stderr and an exit code."""
        try:
            return super().invoke(ctx)
        except (ClickException, Exit, Abort):
            raise
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(INTERRUPTED)
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise  # `apu regions | head`: click ends quietly
            if ctx.params.get("debug"):
                click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
            click.secho(describe(error), fg="red", err=True)
            ctx.exit(exit_code(error))


def _no_such_command(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    hint = f"Did you mean '{close[0]}'?" if close else f"There is: {', '.join(known)}."
    return f"No such command '{name}'. {hint}"
