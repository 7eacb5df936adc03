"""A conversation whose microphone is pulled and returned; prints what came of it as JSON.

Run as a program, in a process of its own: python -m tests.card_loss FOLDER QUESTION. The microphone
and the loudspeaker are two devices, and the real PortAudio plays the real models.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from device.app import App, open_app
from device.audio.rates import read_speech
from device.config import parse
from device.hub import Subscription
from device.types import HEARING_RATE, AudioHealth, Replied, ServiceFailed, ServiceReady
from tests.audio.rig import Pluggable, Rig

SETTINGS = {
    "line": {"input": "desk", "output": "shelf", "echo": "off"},
    "api": {"enabled": False},
    "panel": {"engine": "off"},
}


async def until(observed: Subscription, seen: list[Any], kind: type[Any]) -> Any:
    """Take events until one of a kind, keeping all of them."""
    async with asyncio.timeout(300):
        async for one in observed:
            seen.append(one.event)
            if isinstance(one.event, kind):
                return one.event


async def converse(app: App, rig: Rig, ear: Pluggable, question: Path) -> dict[str, Any]:
    """Ask, lose the microphone, get it back, and ask again."""
    seen: list[Any] = []
    with app.hub.subscribe() as observed:
        serving = asyncio.create_task(app.serve())
        await until(observed, seen, ServiceReady)
        await asyncio.sleep(1)
        first = app.conversations["local"]
        ear.say(read_speech(question))
        await until(observed, seen, Replied)
        rig.pull(ear)
        failed = await until(observed, seen, ServiceFailed)
        told = await until(observed, seen, Replied)
        await asyncio.sleep(3)  # time to say it twice
        rig.plug(ear)
        await until(observed, seen, ServiceReady)
        back = await until(observed, seen, Replied)
        ear.say(read_speech(question))
        again = await until(observed, seen, Replied)
        kept = first.composer.history.messages
        same = app.conversations["local"] is first
        serving.cancel()
        await asyncio.wait([serving])
    return {
        "reason": failed.reason,
        "told": told.reply.heard,
        "back": back.reply.heard,
        "again": again.reply.heard,
        "same_conversation": same,
        "asked": sum("never been surpassed" in it.content for it in kept if it.role == "user"),
        "notices_kept": sum("hear you" in it.content for it in kept),
        "healths": [it.device for it in seen if isinstance(it, AudioHealth)],
    }


async def main(folder: Path, question: Path) -> dict[str, Any]:
    """Open the device on pipes and converse."""
    ear = Pluggable(folder, "desk", HEARING_RATE, "ear")
    rig = Rig(folder, ear, Pluggable(folder, "shelf", 22_050, "mouth"))
    async with open_app(parse(SETTINGS, "the test")) as app:
        return await converse(app, rig, ear, question)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))))
