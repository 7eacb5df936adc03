"""``rapport say``: a text, spoken in a style, to the loudspeaker or a file.

Layer 6.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from device import config as configuration
from device.app import App, open_app
from device.audio.rates import resample, write_wav
from device.conversation.playback import Playback
from device.engines import engine
from device.mind.style import STYLES
from device.terminal.options import config_option, require_writable
from device.types import Pcm

EPILOG = """\b
Examples:
  rapport say "Good morning."
  rapport say "I am sorry to hear that." --style calm --out sorry.wav
  rapport say "$(date '+It is %H:%M.')"
"""


@click.command(epilog=EPILOG)
@click.argument("text")
@click.option(
    "--style", type=click.Choice(list(STYLES)), default="neutral", show_default=True, help="How."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write a WAV file instead of using the loudspeaker.",
)
@config_option
def say(text: str, style: str, out: Path | None, config_file: Path | None) -> None:
    """Speak TEXT on the loudspeaker, or into a file."""
    config = configuration.load(config_file)
    require_writable(out)

    async def speak() -> None:
        async with open_app(config) as app:
            pcm, rate = await app.say(text, style)
            if out is None:
                await _play(app, pcm, rate)
            else:
                write_wav(out, pcm, rate)

    asyncio.run(speak())


async def _play(app: App, pcm: Pcm, rate: int) -> None:
    async with engine("soundcard")(app.config.line) as line:
        playback = Playback(line, lambda at: None)
        await playback.play(resample(pcm, rate, line.rate), 0, "")
        await playback.drained()
