"""The command group: commands load late, slips of the pen get a suggestion, and every failure gets its exit code."""

import errno
import traceback
import warnings
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

import click
from click.exceptions import Abort, ClickException, Exit, NoSuchOption

from apu.cli.failures import INTERRUPTED, describe, exit_code

MEANT = {
    "--force": "--overwrite",
    "--replace": "--overwrite",
    "--continue": "--resume",
    "--output": "--out",
    "--folder": "--out",
    "--box": "--person-box",
    "--bbox": "--person-box",
    "--bev": "--init",
    "--gif": "--video",
}
"""Words of other programs -> ours; what is only misspelt is guessed by its letters."""


class ApuCommand(click.Command):
    """A command that guesses which option was meant."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does, with a suggestion for an option that does not exist."""
        typed = list(args)  # click takes the words out of `args` as it goes
        try:
            return super().parse_args(ctx, args)
        except NoSuchOption as error:
            if error.option_name == "--debug":
                raise click.UsageError(f"--debug stands before the command: apu --debug {self.name} ...", ctx) from None
            known = [option for parameter in self.params for option in parameter.opts if option.startswith("--")]
            word, meant = _meant_option(error.option_name, typed, known)
            if meant is None or (error.possibilities and not word.startswith("--")):
                raise
            raise click.UsageError(f"No such option '{word}'. Did you mean '{meant}'?", ctx) from None


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
            with warnings.catch_warnings():
                if not ctx.params.get("debug"):
                    warnings.simplefilter("ignore")  # of libraries, about broken EXIF and the like; no user's business
                return super().invoke(ctx)
        except (ClickException, Exit, Abort):
            raise
        except KeyboardInterrupt as stop:
            click.echo(str(stop) or "Interrupted.", err=True)
            ctx.exit(INTERRUPTED)
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise  # `apu regions | head`: click ends quietly
            if ctx.params.get("debug"):
                click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
            click.secho(describe(error), fg="red", err=True)
            ctx.exit(exit_code(error))


def _meant_option(name: str, typed: list[str], known: list[str]) -> tuple[str, str | None]:
    """The word that was typed, and the option of ours that it stands for."""
    word = next((arg.split("=")[0] for arg in typed if arg == name or arg.startswith((f"{name}=", name))), name)
    if word.startswith("--"):
        longer = [option for option in known if option.startswith(word)]
        sure = longer[0] if len(longer) == 1 else None  # click would name others that look alike, too
        return word, MEANT[word] if MEANT.get(word) in known else sure
    long = f"-{word}"  # `-out`, of which click says only that there is no `-o`
    close = [long] if long in known else get_close_matches(long, known, n=1, cutoff=0.75)
    return word, close[0] if close and len(word) > 2 else None


def _no_such_command(name: str, known: list[str]) -> str:
    if Path(name).suffix.lower() in (".jpg", ".jpeg", ".png", ".webp") or Path(name).is_dir():
        return f"No such command '{name}'. Did you mean 'apu fit {name}'?"
    close = get_close_matches(name, known, n=1)
    hint = f"Did you mean '{close[0]}'?" if close else f"There is: {', '.join(known)}."
    return f"No such command '{name}'. {hint}"
