"""What a gesture on each button means, in conversation and in push-to-talk.

Layer 4, pure. The table for people is in the README.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from device.panel.gestures import Gesture
from device.types import Command, Pressed, Repeat, TalkHeld

TALK, MUTE, SWITCH = "talk", "mute", "switch"
"""The names of the buttons and of the switch."""


class Deed(StrEnum):
    """What a gesture asks for beside commands to the conversation."""

    TOGGLE_MUTE = "toggle mute"
    WARN_OF_RESET = "warn of reset"
    OFFER_RESET = "offer reset"
    CALM = "calm"
    """There will be no reset after all."""
    RESET = "reset"


Act: TypeAlias = Command | Deed


@dataclass(frozen=True, slots=True)
class Layout:
    """Which buttons there are and what they are for."""

    push_to_talk: bool
    mute_button: bool

    @property
    def resets(self) -> str:
        """The button whose very long press resets the device; empty: none does.

        In push-to-talk somebody may well talk for 20 s, so the talk button is none.
        """
        if self.mute_button:
            return MUTE
        return "" if self.push_to_talk else TALK


class Meaning:
    """What the gestures of one button mean, one after another."""

    def __init__(self, button: str, layout: Layout) -> None:
        self._mutes_at_once = button == MUTE
        self._push_to_talk = layout.push_to_talk and button == TALK
        self._acted = self._warned = False

    def of(self, gesture: Gesture, replying: bool) -> list[Act]:
        """Return what to do at a gesture; ``replying``: whether there is a reply to interrupt."""
        resetting = self._resetting(gesture)
        if resetting:
            return resetting
        if self._mutes_at_once:
            return [Deed.TOGGLE_MUTE] if gesture in (Gesture.DOWN, Gesture.AGAIN) else []
        return self._held(gesture) if self._push_to_talk else self._pressed(gesture, replying)

    def _resetting(self, gesture: Gesture) -> list[Act]:
        match gesture:
            case Gesture.WARN:
                self._warned = True
                # It turns out to mean something else than when it was merely long: unmute again.
                return [Deed.TOGGLE_MUTE, Deed.WARN_OF_RESET]
            case Gesture.OFFER:
                return [Deed.OFFER_RESET]
            case Gesture.RESET:
                return [Deed.RESET]
            case Gesture.JAMMED | Gesture.UP if self._warned:
                self._warned = False
                return [Deed.CALM]
        return []

    def _held(self, gesture: Gesture) -> list[Act]:
        match gesture:
            case Gesture.DOWN | Gesture.AGAIN:
                return [TalkHeld(True)]
            case Gesture.UP:
                return [TalkHeld(False)]
            case Gesture.DOUBLE:
                return [Repeat()]
        return []

    def _pressed(self, gesture: Gesture, replying: bool) -> list[Act]:
        match gesture:
            case Gesture.DOWN:
                # A reply falls silent at once; what else a press may become is waited for.
                self._acted = replying
                return [Pressed(TALK)] if replying else []
            case Gesture.AGAIN:
                self._acted = False
            case Gesture.CLICK if not self._acted:
                return [Pressed(TALK)]
            case Gesture.DOUBLE:
                return [Repeat()]
            case Gesture.HOLD:
                return [Deed.TOGGLE_MUTE]
        return []
