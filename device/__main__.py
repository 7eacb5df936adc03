"""The command line: which commands there are, and how their failures are told.

Layer 7. A command's own module in ``terminal`` is imported when it is used, so that ``--help`` is
quick and a broken library troubles only those who need it.
"""

from __future__ import annotations

import ctypes
import logging
import os
import sys
from importlib import import_module

import click

from device import __version__
from device.supervisor import first_cause
from device.types import RapportError

COMMANDS = {
    "run": ("device.terminal.daemon:run", "Be the device: talk on the local sound card."),
    "talk": ("device.terminal.talk:talk", "Hold a conversation, from files or the microphone."),
    "say": ("device.terminal.say:say", "Speak a text in a style."),
    "prosody": ("device.terminal.prosody:prosody", "Show how recordings sound, over time."),
    "models": ("device.terminal.models:models", "List, fetch and verify the models."),
    "config": ("device.terminal.settings:config", "Show and check the configuration."),
    "keys": ("device.terminal.keys:keys", "Make, list and revoke the API's keys."),
    "panel": ("device.terminal.panel:panel", "Try the buttons and lights."),
    "doctor": ("device.terminal.doctor:doctor", "Check every part and say how to mend it."),
    "bench": ("device.terminal.bench:bench", "Measure speed and memory on this machine."),
}

EPILOG = """\b
Examples:
  rapport doctor                               is everything there?
  rapport talk                                 talk to it, here and now
  rapport talk question.wav --out reply.wav    talk to it with files
  rapport COMMAND --help                       examples for each command

\b
Exit codes: 0 fine · 1 something failed (one sentence on stderr says what)
            2 wrong usage · 130 interrupted
"""

FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130


class Commands(click.Group):
    """The commands by name, each imported only when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command called ``cmd_name``, or None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.command(cls=Commands, epilog=EPILOG)
@click.version_option(__version__, prog_name="rapport")
@click.option("--debug", is_flag=True, help="Log everything, and show tracebacks of failures.")
def rapport(debug: bool) -> None:
    """Rapport: a voice that listens to how you say it. Everything runs on this machine."""
    level = logging.DEBUG if debug else logging.WARNING
    logging.basicConfig(
        level=level, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s"
    )


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code; failures become one sentence on stderr."""
    _share_memory()
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        code = rapport.main(arguments, prog_name="rapport", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough; keep Python from failing again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        if "--debug" in arguments:
            raise
        click.echo(f"rapport: {_sentence(error)}", err=True)
        return FAILED


def _share_memory() -> None:
    """Let all threads allocate from one pool, and give large blocks back when they are freed.

    Each thread's own pool kept some 35 MB in all unused; and the pool grew around the states of
    language models, of up to 30 MB, and never shrank. Settings of the GNU C library (mallopt,
    M_ARENA_MAX and M_MMAP_THRESHOLD); another one may not know them.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(-8, 1)
        mallopt(-3, 1 << 20)


def _sentence(error: BaseException) -> str:
    """Return what failed: as it is if the user can mend it, else with the way to learn more."""
    error = first_cause(error)
    if isinstance(error, RapportError):
        return str(error)
    return f"{type(error).__name__}: {error} (run again as 'rapport --debug ...' for the traceback)"


if __name__ == "__main__":
    sys.exit(main())
