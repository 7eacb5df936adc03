"""A conversation through the real PortAudio, on the virtual card; prints what came of it as JSON.

Run as a program, in a process of its own: python -m tests.card_conversation FOLDER QUESTION.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from pathlib import Path

import numpy as np

from device.app import open_app
from device.audio.rates import read_speech
from device.config import parse
from device.types import HEARING_RATE, Replied, ServiceReady, Transcribed
from tests.audio.virtual_card import VirtualCard

SETTINGS = {
    "line": {"input": "vcard", "output": "vcard", "rate": HEARING_RATE},
    "api": {"enabled": False},
}


def keep_time(card: VirtualCard) -> None:
    """Let the card run at the speed of the clock."""
    begun, blocks = time.monotonic(), 0
    while True:
        blocks += 1
        time.sleep(max(0.0, begun + blocks * 0.02 - time.monotonic()))
        card.heard()


async def converse(card: VirtualCard, question: Path) -> dict[str, str]:
    async with open_app(parse(SETTINGS, "the test")) as app:
        with app.hub.subscribe() as observed:
            serving = asyncio.create_task(app.serve())
            told: dict[str, str] = {}
            async for event in observed:
                match event.event:
                    case ServiceReady("local line"):
                        threading.Thread(target=keep_time, args=(card,), daemon=True).start()
                        card.hears(
                            np.concatenate([np.zeros(8000, np.int16), read_speech(question)])
                        )
                    case Transcribed(text, interim=False):
                        told["transcript"] = text
                    case Replied(reply):
                        told["reply"], told["heard"] = reply.text, reply.heard
                        break
            await asyncio.sleep(0.5)
            said = card.spoken[: 120 * HEARING_RATE]
            sounding = np.flatnonzero(said)
            speech = said[sounding[0] : sounding[-1]] if len(sounding) else said[:0]
            recognizer = app.faculties.recognizer
            told["understood"] = await recognizer.call(lambda r: r.transcribe(speech))
            serving.cancel()
            await asyncio.wait([serving])
            return told


if __name__ == "__main__":
    virtual = VirtualCard(Path(sys.argv[1]))
    print(json.dumps(asyncio.run(converse(virtual, Path(sys.argv[2])))))
