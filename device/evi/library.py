"""The library: configs, prompts and tools, in versions.

Layer 4, on the store's thread. Serves the REST routes, and the chat through ``resolved``.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from device.evi.references import References, returned_prompt, returned_tool
from device.evi.refusals import NotThere, Unusable
from device.evi.resolved import ResolvedConfig, ResolvedTool
from device.evi.resources_posted import (
    EventMessages,
    Interruption,
    PostedConfig,
    PostedConfigVersion,
    PostedEllm,
    PostedPrompt,
    PostedPromptVersion,
    PostedTimeouts,
    PostedTool,
    PostedToolVersion,
    Timeout,
    TurnDetection,
)
from device.evi.resources_returned import (
    ReturnBuiltinTool,
    ReturnConfig,
    ReturnEllm,
    ReturnNudges,
    ReturnPrompt,
    ReturnTimeouts,
    ReturnTool,
)
from device.evi.versions import Item, Selection, Versions
from device.store import Store

__all__ = ["KINDS", "Kind", "Library", "NotThere", "ResolvedConfig", "Selection", "Unusable"]

Kind: TypeAlias = Literal["config", "prompt", "tool"]
KINDS: tuple[Kind, ...] = ("config", "prompt", "tool")
New: TypeAlias = PostedConfig | PostedPrompt | PostedTool
Next: TypeAlias = PostedConfigVersion | PostedPromptVersion | PostedToolVersion
Resource: TypeAlias = ReturnConfig | ReturnPrompt | ReturnTool

DEVICES_OWN = Timeout(enabled=True)
"""What is returned for a time limit that was not posted while the other was."""


class Library:
    """Everything that clients have configured."""

    def __init__(self, store: Store) -> None:
        self._kept = {kind: Versions(store, kind) for kind in KINDS}
        self._references = References(store)

    def create(self, kind: Kind, posted: New) -> Resource:
        """Keep something new; raises Unusable if it refers to what is not there."""
        if isinstance(posted, PostedConfig):
            self._references.check(posted)
        item = self._kept[kind].create(posted.name, posted.version_description, _body(posted))
        return self._returned(kind, item)

    def add(self, kind: Kind, thing: str, posted: Next) -> Resource:
        """Keep a new version; raises NotThere, and Unusable as ``create`` does."""
        before = self._kept[kind].get(thing)
        if isinstance(posted, PostedConfigVersion):
            self._references.check(posted)
            posted = _inheriting(posted, _config(before))
        item = self._kept[kind].add(thing, posted.version_description, _body(posted))
        return self._returned(kind, item)

    def listing(self, kind: Kind, wanted: Selection) -> tuple[list[Resource], int]:
        """Return a page, and how many there are on all pages; raises NotThere for an unknown id."""
        items, total = self._kept[kind].listing(wanted)
        return [self._returned(kind, item) for item in items], total

    def get(self, kind: Kind, thing: str, version: int | None = None) -> Resource:
        """Return a version, or the newest; raises NotThere."""
        return self._returned(kind, self._kept[kind].get(thing, version))

    def delete(self, kind: Kind, thing: str) -> None:
        """Delete all versions; raises NotThere."""
        self._kept[kind].delete(thing)

    def delete_version(self, kind: Kind, thing: str, version: int) -> None:
        """Delete one version, and with the last one everything; raises NotThere."""
        self._kept[kind].delete_version(thing, version)

    def rename(self, kind: Kind, thing: str, name: str) -> None:
        """Give all versions another name; raises NotThere."""
        self._kept[kind].rename(thing, name)

    def describe(self, kind: Kind, thing: str, version: int, description: str | None) -> Resource:
        """Describe one version in other words and return it; raises NotThere."""
        return self._returned(kind, self._kept[kind].describe(thing, version, description))

    def resolved(self, thing: str, version: int | None = None) -> ResolvedConfig:
        """Return a config, by default its newest version, with all that it refers to.

        Raises NotThere if there is no such config.
        """
        item = self._kept["config"].get(thing, version)
        posted = _config(item)
        prompt = self._references.prompt(item, posted)
        said = posted.event_messages or EventMessages()
        limits = posted.timeouts or PostedTimeouts()
        turns = posted.turn_detection or TurnDetection()
        return ResolvedConfig(
            id=item.id,
            version=item.version,
            name=item.name,
            prompt_text=prompt.text if prompt else None,
            voice=posted.voice,
            language_model=posted.language_model,
            allow_short_responses=bool((posted.ellm_model or PostedEllm()).allow_short_responses),
            tools=tuple(
                ResolvedTool(tool.name, tool.description, tool.parameters, tool.fallback_content)
                for tool in self._references.tools(item, posted)
            ),
            builtin_tools=tuple(tool for tool in posted.builtin_tools or () if tool),
            on_new_chat=said.on_new_chat,
            on_inactivity=said.on_inactivity_timeout,
            on_max_duration=said.on_max_duration_timeout,
            nudges=posted.nudges,
            inactivity=limits.inactivity,
            max_duration=limits.max_duration,
            end_of_turn_silence_ms=turns.end_of_turn_silence_ms,
            speech_detection_threshold=turns.speech_detection_threshold,
            prefix_padding_ms=turns.prefix_padding_ms,
            min_interruption_ms=(posted.interruption or Interruption()).min_interruption_ms,
            speaking_rate=posted.speaking_rate,
            expression_measurement=posted.expression_measurement,
        )

    def _returned(self, kind: Kind, item: Item) -> Resource:
        match kind:
            case "prompt":
                return returned_prompt(item)
            case "tool":
                return returned_tool(item)
            case "config":
                return self._returned_config(item)

    def _returned_config(self, item: Item) -> ReturnConfig:
        posted = _config(item)
        ellm, nudges, limits = posted.ellm_model, posted.nudges, posted.timeouts
        return ReturnConfig(
            id=item.id,
            name=item.name,
            version=item.version,
            version_description=item.description,
            created_on=item.created_ms,
            modified_on=item.modified_ms,
            evi_version=posted.evi_version,
            prompt=self._references.prompt(item, posted),
            voice=self._references.voice(posted.voice),
            language_model=posted.language_model,
            ellm_model=ReturnEllm(allow_short_responses=bool(ellm.allow_short_responses))
            if ellm
            else None,
            tools=self._references.tools(item, posted),
            builtin_tools=[
                ReturnBuiltinTool(name=tool.name, fallback_content=tool.fallback_content)
                for tool in posted.builtin_tools or ()
                if tool
            ],
            event_messages=posted.event_messages,
            nudges=ReturnNudges(enabled=bool(nudges.enabled), interval_secs=nudges.interval_secs)
            if nudges
            else None,
            timeouts=ReturnTimeouts(
                inactivity=limits.inactivity or DEVICES_OWN,
                max_duration=limits.max_duration or DEVICES_OWN,
            )
            if limits
            else None,
            turn_detection=posted.turn_detection,
            interruption=posted.interruption,
            webhooks=[webhook for webhook in posted.webhooks or () if webhook],
            speaking_rate=posted.speaking_rate,
            expression_measurement=posted.expression_measurement,
        )


def _body(posted: New | Next) -> str:
    """Return what is kept in a version: all but what has a column of its own."""
    return posted.model_dump_json(exclude={"name", "version_description"}, exclude_none=True)


def _config(item: Item) -> PostedConfigVersion:
    return PostedConfigVersion.model_validate_json(item.body)


def _inheriting(posted: PostedConfigVersion, before: PostedConfigVersion) -> PostedConfigVersion:
    """Return a new version with what EVI takes over from the version before, if it is absent."""
    ellm = posted.ellm_model
    if ellm is not None and ellm.allow_short_responses is not None:
        return posted
    return posted.model_copy(update={"ellm_model": before.ellm_model})
