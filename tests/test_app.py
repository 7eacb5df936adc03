"""The whole device put together: what it needs, and what it says when it cannot have it."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import numpy as np
import pytest

from device.app import App, open_app
from device.audio.wav import WavLine
from device.catalogue import Catalogue
from device.config import Config, parse
from device.models import ModelStore
from device.types import Asked, RapportError, Replied, Stopped
from tests.conftest import ModelFiles

pytestmark = pytest.mark.models


def opened(config: Config, store: ModelStore | None = None) -> str:
    """Open the device and return why it refused."""

    async def main() -> None:
        async with open_app(config, store):
            pass

    with pytest.raises(RapportError) as refused:
        asyncio.run(main())
    return str(refused.value)


@pytest.fixture
def copied(model_files: ModelFiles, tmp_path: Path) -> ModelStore:
    """A store of our own with the small models in it, and without the large ones."""
    catalogue = Catalogue.load()
    for name in ("silero", "prosody-default", "smart-turn-v3.2"):
        folder = next(iter(model_files(name).values())).parent
        shutil.copytree(folder, tmp_path / name)
    return ModelStore(tmp_path, catalogue)


def test_every_missing_model_is_named_with_its_remedy(copied: ModelStore) -> None:
    told = opened(Config(), copied)
    for name in ("moonshine-tiny-en", "piper-joe", "smollm2-135m"):
        assert any(name in line and "rapport models fetch" in line for line in told.splitlines())
    assert "silero" not in told


def test_a_damaged_model_is_named_and_not_loaded(copied: ModelStore) -> None:
    damaged = copied.files("silero")["model"]
    content = bytearray(damaged.read_bytes())
    content[1000] ^= 1
    damaged.write_bytes(content)
    assert any(
        "silero" in line and "damaged" in line for line in opened(Config(), copied).splitlines()
    )


def test_a_persona_longer_than_the_context_is_refused_by_name(model_files: ModelFiles) -> None:
    model_files("smollm2-135m")
    config = parse({"thinking": {"persona": "Be kind. " * 400, "context": 512}}, "test")
    told = opened(config)
    assert "thinking.persona" in told and "thinking.context = 512" in told


def test_an_unknown_preset_is_refused_with_those_there_are() -> None:
    told = opened(parse({"models": {"preset": "pi99"}}, "test"))
    assert "pi99" in told and "pi4" in told


def test_what_has_no_words_cannot_be_said_and_what_has_is_loud(model_files: ModelFiles) -> None:
    model_files("piper-joe")

    async def main() -> None:
        async with open_app(Config()) as app:
            with pytest.raises(RapportError, match="nothing to pronounce"):
                await app.say("*** :-) ***")
            with pytest.raises(RapportError, match="no such style"):
                await app.say("Hello.", "shouting")
            pcm, rate = await app.say("Good morning.")
            assert len(pcm) / rate > 0.4 and np.abs(pcm).max() > 3000
            await two_lines_share_the_models(app)

    asyncio.run(main())


async def two_lines_share_the_models(app: App) -> None:
    """Two conversations at once each get their own answer from the same models."""
    rate = app.faculties.voice.model.rate
    with app.hub.subscribe() as observed:
        async with WavLine(rate) as one, WavLine(rate) as other, asyncio.TaskGroup() as tasks:
            for name, line in (("one", one), ("other", other)):
                tasks.create_task(app.converse(line, name))
            await asyncio.sleep(0.1)
            for name in ("one", "other"):
                app.conversations[name].handle(Asked("What is the capital of France?"))
            replied: set[str] = set()
            async with asyncio.timeout(300):
                async for event in observed:
                    if isinstance(event.event, Replied):
                        assert "Paris" in event.event.reply.text
                        replied.add(event.session)
                    if replied == {"one", "other"}:
                        break
            for conversation in app.conversations.values():
                conversation.handle(Stopped())
            one.close()
            other.close()
