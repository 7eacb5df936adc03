"""What configs refer to, looked up when it is needed: prompts, tools and voices.

Layer 4, on the store's thread. Serves the library.
"""

from __future__ import annotations

import logging

from device.evi.refusals import NotThere, Unusable
from device.evi.resources_posted import (
    PostedConfigVersion,
    PostedPromptVersion,
    PostedToolVersion,
    PostedVoice,
    ToolReference,
)
from device.evi.resources_returned import ReturnConfigVoice, ReturnPrompt, ReturnTool
from device.evi.versions import Item, Versions
from device.evi.voices import VoiceChoice, Voices
from device.store import Store

log = logging.getLogger(__name__)


class References:
    """The way from a config to what it names. What was deleted since is left out, and logged."""

    def __init__(self, store: Store) -> None:
        self._prompts, self._tools = Versions(store, "prompt"), Versions(store, "tool")
        self._voices = Voices(store)

    def check(self, posted: PostedConfigVersion) -> None:
        """Raise Unusable if a prompt or a tool that is referred to is not there."""
        try:
            if posted.prompt is not None and posted.prompt.id:
                self._prompts.get(posted.prompt.id, posted.prompt.version)
        except NotThere as error:
            raise Unusable("prompt", str(error)) from None
        try:
            for tool in _wanted(posted):
                self._tools.get(tool.id, tool.version)
        except NotThere as error:
            raise Unusable("tools", str(error)) from None

    def prompt(self, config: Item, posted: PostedConfigVersion) -> ReturnPrompt | None:
        """Return the prompt of a config; one that is its own has the config's name and no id."""
        wanted = posted.prompt
        if wanted is None:
            return None
        if not wanted.id:
            own = PostedPromptVersion(
                text=wanted.text or "", prompt_expansion=wanted.prompt_expansion
            )
            return returned_prompt(
                Item(
                    id="",
                    name=config.name,
                    created_ms=config.modified_ms,
                    version=0,
                    description=None,
                    body=own.model_dump_json(),
                    modified_ms=config.modified_ms,
                )
            )
        try:
            found = self._prompts.get(wanted.id, wanted.version)
        except NotThere as error:
            log.warning("the config %s goes without its prompt: %s", config.id, error)
            return None
        return returned_prompt(found, latest=wanted.version is None)

    def tools(self, config: Item, posted: PostedConfigVersion) -> list[ReturnTool]:
        """Return the tools of a config."""
        found: list[ReturnTool] = []
        for wanted in _wanted(posted):
            try:
                item = self._tools.get(wanted.id, wanted.version)
            except NotThere as error:
                log.warning("the config %s goes without a tool: %s", config.id, error)
                continue
            found.append(returned_tool(item, latest=wanted.version is None))
        return found

    def voice(self, wanted: PostedVoice | None) -> ReturnConfigVoice | None:
        """Return a voice with id, name and provider, whichever of them were posted."""
        if wanted is None:
            return None
        custom = self._custom_voice(wanted)
        if custom is not None:
            return ReturnConfigVoice(id=custom.id, name=custom.name, provider="CUSTOM_VOICE")
        known = wanted.id or wanted.name or ""
        return ReturnConfigVoice(
            id=known, name=wanted.name or known, provider=wanted.provider or "HUME_AI"
        )

    def _custom_voice(self, wanted: PostedVoice) -> VoiceChoice | None:
        if wanted.provider == "HUME_AI":
            return None
        name = (wanted.name or "").casefold()
        for voice in self._voices.listing((), "CUSTOM_VOICE"):
            if voice.id == wanted.id or (not wanted.id and voice.name.casefold() == name):
                return voice
        return None


def returned_prompt(item: Item, *, latest: bool = False) -> ReturnPrompt:
    """Return a version of a prompt as clients see it."""
    posted = PostedPromptVersion.model_validate_json(item.body)
    return ReturnPrompt(
        id=item.id,
        name=item.name,
        version=item.version,
        version_description=item.description,
        created_on=item.created_ms,
        modified_on=item.modified_ms,
        version_type="LATEST" if latest else "FIXED",
        text=posted.text,
        prompt_expansion=posted.prompt_expansion,
    )


def returned_tool(item: Item, *, latest: bool = False) -> ReturnTool:
    """Return a version of a tool as clients see it."""
    posted = PostedToolVersion.model_validate_json(item.body)
    return ReturnTool(
        id=item.id,
        name=item.name,
        version=item.version,
        version_description=item.description,
        created_on=item.created_ms,
        modified_on=item.modified_ms,
        version_type="LATEST" if latest else "FIXED",
        parameters=posted.parameters,
        description=posted.description,
        fallback_content=posted.fallback_content,
    )


def _wanted(posted: PostedConfigVersion) -> list[ToolReference]:
    return [tool for tool in posted.tools or () if tool is not None]
