"""``rapport bench prosody``: how well expression is measured, on recordings of known expression.

Layer 6. The evaluation itself lies beside the package, in ``models/prosody``, since it learns and
needs what no device needs; it runs in a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click

import device
from device.terminal.options import require_writable
from device.types import RapportError

CHECKOUT = Path(device.__file__).resolve().parent.parent
EVALUATION = "models.prosody.evaluate"

EPILOG = """\b
Examples:
  rapport bench prosody                          every table of the model card, made anew
  rapport bench prosody --data ~/speech --json tables.json
  rapport bench prosody --card                   and written into models/prosody

\b
Needs a checkout of the sources, and the corpora described in its models/prosody/MODEL_CARD.md.
Takes some minutes: heads are learnt anew without the speakers and corpora they are tested on.
Exit codes: 0 measured · 1 something is missing or failed (a sentence says what) · 2 wrong usage
"""


@click.command(epilog=EPILOG, short_help="How well expression is measured.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="DIR",
    envvar="RAPPORT_DATA",
    help="Folder of the corpora; otherwise $RAPPORT_DATA, or shared/data beside the checkout.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the tables as JSON.",
)
@click.option("--card", is_flag=True, help="Write the tables beside the model card.")
def prosody(data: Path | None, json_file: Path | None, card: bool) -> int:
    """Measure how well expression is measured: every table of the model card, made anew."""
    require_writable(json_file)
    arguments = ["--card"] if card else []
    # The evaluation runs in another folder, so relative paths would mean something else there.
    for option, path in (("--data", data), ("--json", json_file)):
        if path is not None:
            arguments += [option, str(path.resolve())]
    return evaluate(arguments)


def evaluate(arguments: Sequence[str], checkout: Path = CHECKOUT) -> int:
    """Run the evaluation of ``checkout``, passing its output through, and return its exit code.

    Raises RapportError if the sources, or a package that they need, are not there.
    """
    source = checkout.joinpath(*EVALUATION.split(".")).with_suffix(".py")
    if not source.is_file():
        raise RapportError(
            f"{source} is missing: this program was installed without its sources; "
            "run it from a checkout, as provisioning/run bench prosody"
        )
    lacking = _lacking(checkout)
    if lacking:
        raise RapportError(
            f"the evaluation needs the Python package {lacking!r}, which the device does without; "
            "run: provisioning/setup --train"
        )
    return subprocess.run(
        [sys.executable, "-m", EVALUATION, *arguments], cwd=checkout, check=False
    ).returncode


def _lacking(checkout: Path) -> str:
    """Return a package without which the evaluation cannot even be imported, or nothing."""
    # Found out by importing, in a process of its own: what it needs is its own affair.
    script = (
        f"import importlib\ntry:\n    importlib.import_module({EVALUATION!r})\n"
        "except ModuleNotFoundError as error:\n    print(error.name)"
    )
    tried = subprocess.run(
        [sys.executable, "-c", script],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    name = tried.stdout.strip()
    # Any other failure, as of a source that is missing, is told by the run itself.
    return "" if name.startswith(EVALUATION.split(".", maxsplit=1)[0]) else name
