"""The command line: help that teaches, exit codes, and failures in one sentence."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from device import __version__
from device.__main__ import COMMANDS, main, rapport

HEAVY = ("onnxruntime", "sherpa_onnx", "llama_cpp", "numpy.fft", "pydantic", "rich", "pyaudio")


def commands() -> list[list[str]]:
    """Every command and sub-command, as one would type it."""
    found: list[list[str]] = []
    context = click.Context(rapport)
    for name in COMMANDS:
        command = rapport.get_command(context, name)
        found.append([name])
        if isinstance(command, click.Group):
            found += [[name, sub] for sub in command.commands]
    return found


def test_the_help_lists_every_command_with_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    for name, (_, line) in COMMANDS.items():
        assert f"  {name} " in shown
        assert line in shown
    assert "Exit codes:" in shown


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_the_help_of_a_command_teaches_by_example(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--help"]) == 0
    _, found, examples = capsys.readouterr().out.partition("Examples:")
    assert found, "it has no examples"
    shown = [line for line in examples.splitlines() if line.startswith("    rapport ")]
    assert len(shown) >= 2
    assert any(line.split()[1 : 1 + len(command)] == command for line in shown)


def test_the_help_loads_nothing_heavy() -> None:
    listing = f"import sys; print([name for name in {HEAVY} if name in sys.modules])"
    script = f"from device.__main__ import main; main(['--help']); {listing}"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert __version__ in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["sing"], "No such command 'sing'"),
        (["run", "--loud"], "No such option '--loud'"),
        (["say"], "Missing argument 'TEXT'"),
        (["say", "hello", "--style", "angry"], "'angry' is not one of 'neutral', 'calm'"),
        (["talk", "--pace", "fast"], "--pace fast needs sound files"),
        (["talk", "a.wav", "--json", "--events", "-"], "both want standard output"),
        (["models", "fetch", "silero", "--preset", "pi5"], "not both"),
        (["config", "check"], "Missing argument"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_exit_code_2_and_told(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert told in shown.err
    assert shown.out == ""


@pytest.mark.parametrize("command", [["run"], ["talk"], ["say", "hello"], ["models", "list"]])
def test_a_configuration_that_cannot_be_read_is_one_sentence(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--config", "/nowhere/rapport.toml"]) == 1
    shown = capsys.readouterr().err
    assert shown.startswith("rapport: /nowhere/rapport.toml: cannot be read (No such file")
    assert shown.count("\n") == 1


def test_debug_shows_the_traceback_of_a_failure() -> None:
    command = ["--debug", "config", "show", "--config", "/nowhere/rapport.toml"]
    done = subprocess.run(
        [sys.executable, "-m", "device", *command],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "/nowhere/rapport.toml: cannot be read" in done.stderr


def test_a_reader_that_has_seen_enough_is_no_failure_to_shout_about() -> None:
    shown = subprocess.run(
        f"{sys.executable} -m device config show | head -n 1",
        shell=True,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert shown.stdout.startswith("# ")
    assert shown.stderr == ""
