"""Who speaks each utterance of a text-to-speech request, and in what style.

Layer 4, on the event loop. Serves the text-to-speech routes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fastapi import HTTPException

from device.evi.acting import directed
from device.evi.host import Host
from device.evi.records import Records
from device.evi.speech_requests import PostedTts, PostedUtterance
from device.evi.synthesis import Line
from device.evi.voices import VoiceChoice
from device.mind.style import adjusted
from device.types import RapportError
from device.worker import Owned


@dataclass(frozen=True, slots=True)
class Cast:
    """A request whose voices are found and loaded."""

    lines: Sequence[Line]
    voice: VoiceChoice
    """The first utterance's, as it would be saved."""


async def cast(posted: PostedTts, records: Owned[Records], host: Host) -> Cast:
    """Return what is to be spoken and by whom.

    Raises NotThere for a voice or generation that there is none of, HTTPException 503 for a voice
    that cannot be loaded.
    """
    choices = await _choices(posted, records, host)
    lines = [
        await _line(utterance, choice, host)
        for utterance, choice in zip(posted.utterances, choices, strict=True)
    ]
    first = posted.utterances[0]
    return Cast(lines, choices[0] if first.voice else _described(choices[0], first.description))


async def _choices(posted: PostedTts, records: Owned[Records], host: Host) -> Sequence[VoiceChoice]:
    models = host.voice_names()
    before = posted.context.generation_id if posted.context else None

    def find(kept: Records) -> Sequence[VoiceChoice]:
        voices, found = kept.voices, []
        now = voices.of_generation(before) if before else voices.find(models)
        for utterance in posted.utterances:
            if (wanted := utterance.voice) is not None:
                now = voices.find(models, wanted.id, wanted.name, wanted.provider)
            found.append(now)
        return found

    return await records.call(find)


async def _line(utterance: PostedUtterance, choice: VoiceChoice, host: Host) -> Line:
    speaking = choice.over(host.config.speaking)
    rate = speaking.rate * (utterance.speed or 1.0)
    style = adjusted(directed(utterance.description), rate, speaking.pitch, speaking.level)
    try:
        voice = await host.voice(choice.model)
    except RapportError as error:
        raise HTTPException(503, f"The voice {choice.name} cannot be used: {error}") from None
    return Line(utterance.text, voice, style, utterance.trailing_silence or 0.0)


def _described(choice: VoiceChoice, description: str | None) -> VoiceChoice:
    """Return a voice with what a description asks for: without a voice it describes one."""
    style = directed(description)
    return replace(
        choice,
        rate=choice.rate * style.rate,
        pitch=choice.pitch + style.pitch,
        level=choice.level + style.level,
    )
