"""Every setting of the device: its sections, with their meaning and what is allowed.

Layer 0. ``config`` joins the sections to one schema, and reads, merges and explains it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

PERSONA = (
    "You are Rapport, a warm friend who listens. "
    "Reply to what the user says in one or two short sentences. "
    "Show that you understand how they feel. Use simple words. "
    "A note in brackets tells how the user sounds."
)

Seconds = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Pin = Annotated[int, Field(ge=-1, le=27)]

SPI_PINS = {"0": {10, 11}, "1": {20, 21}}
"""Data and clock of each SPI bus of a Raspberry Pi, as BCM numbers."""
LIGHT_PINS = {"led": ("led_pin",), "rgb": ("red_pin", "green_pin", "blue_pin")}
"""Which pins each kind of light needs."""


class Section(BaseModel):
    """A part of the configuration: immutable, and closed to unknown keys."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", str_strip_whitespace=True, use_attribute_docstrings=True
    )


class Models(Section):
    """Which models are used and where they are kept."""

    preset: str = "dev"
    """Name of a preset in models/catalogue.toml: one model for each task, fitting a board."""
    store: str = ""
    """Folder of the model files; empty: $RAPPORT_MODELS, or ~/.cache/rapport/models."""
    recognizer: str = ""
    """Name of a model in the catalogue, instead of the preset's; likewise the five below."""
    voice_activity: str = ""
    turn: str = ""
    prosody: str = ""
    language_model: str = ""
    voice: str = ""


class LineSettings(Section):
    """The local sound card."""

    enabled: bool = True
    input: str = ""
    """Part of the name of the microphone; empty: the system's default."""
    output: str = ""
    """Part of the name of the loudspeaker; empty: the system's default."""
    fallback: bool = True
    """Whether the next best device is used while the named one, or the one used before, is away."""
    rate: Annotated[int, Field(ge=0, le=192_000)] = 0
    """Samples per second to open the card at; 0: the card's own."""
    block_ms: Annotated[int, Field(ge=5, le=40)] = 20
    """Length of one block of the sound card in milliseconds."""
    echo: Literal["speex", "webrtc", "off"] = "speex"
    """What takes the loudspeaker out of the microphone. speex lets the user through while both
    speak; webrtc survives loudspeakers that distort and clocks that drift, and mutes more of the
    user; off: for a headset, or a microphone that cancels echo by itself."""


class Hearing(Section):
    """Hearing words, their expression, and the end of the turn."""

    speech_threshold: Share = 0.5
    """Voice activity above this is speech; 0.15 below it, it is silence again."""
    lead: Annotated[float, Field(ge=0, le=2)] = 0.35
    """Seconds of sound kept from before speech was noticed: noticing takes some frames."""
    onset: Seconds = 0.09
    """So much speech confirms that somebody speaks."""
    eager_silence: Seconds = 0.19
    """So short a silence starts the work on a reply that may be thrown away."""
    shortest_silence: Seconds = 0.35
    """Silence that ends a turn which sounds finished."""
    longest_silence: Seconds = 1.6
    """Silence that ends a turn which does not sound finished."""
    interim: Seconds = 0.6
    """How often words are recognised while the user speaks; 0: not at all."""
    segment: Annotated[float, Field(ge=4, le=25)] = 9.0
    """Speech longer than this is recognised in pieces, cut at pauses; Moonshine in sherpa-onnx
    1.13.8 gives nothing for more than 9.2 s."""
    expression: bool = True
    """Whether the voice's expression is measured at all."""
    expression_interval: Annotated[float, Field(ge=0, le=10)] = 0.5
    """How often, in seconds, it is measured while the user speaks; 0: only when the user pauses."""
    threads: Annotated[int, Field(ge=1, le=8)] = 1

    @model_validator(mode="after")
    def _ordered(self) -> Hearing:
        if not self.eager_silence <= self.shortest_silence <= self.longest_silence:
            raise ValueError(
                "eager_silence, shortest_silence and longest_silence must not decrease, "
                f"not {self.eager_silence}, {self.shortest_silence}, {self.longest_silence}"
            )
        return self


class Thinking(Section):
    """The language model and who it is to be."""

    persona: Annotated[str, Field(min_length=1, max_length=20_000)] = PERSONA
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    repeat_penalty: Annotated[float, Field(ge=1, le=2)] = 1.15
    max_tokens: Annotated[int, Field(ge=8, le=2048)] = 96
    context: Annotated[int, Field(ge=256, le=32_768)] = 1536
    """Tokens of prompt and reply together; the oldest turns fall out when they exceed it."""
    threads: Annotated[int, Field(ge=0, le=16)] = 0
    """Cores that the model computes on; 0: all but one, which the voice needs meanwhile."""
    seed: Annotated[int, Field(ge=0)] = 1
    tool_results: Literal["spoken", "composed"] = "spoken"
    """Whether what a tool returned is spoken as it is, or told by the language model in its own
    words; the smallest models tell something else."""


class Speaking(Section):
    """The voice."""

    style: str = "auto"
    """auto: follows the user's expression; or the name of one style for everything."""
    rate: Annotated[float, Field(ge=0.5, le=2.0)] = 1.0
    """Factor on the speed of speech, on top of the style's."""
    pitch: Annotated[float, Field(ge=-6, le=6)] = 0.0
    """Semitones above or below the voice's own pitch, on top of the style's."""
    level: Annotated[float, Field(ge=-20, le=10)] = 0.0
    """Decibels louder or softer, on top of the style's."""
    threads: Annotated[int, Field(ge=1, le=8)] = 1


class ConversationSettings(Section):
    """How a conversation runs."""

    barge_in: bool = True
    """Whether the user's speech interrupts the reply. Switch it off where the microphone hears the
    loudspeaker and there is no echo cancelling."""
    min_interruption: Seconds = 0.0
    """So much speech into the reply makes an interruption; less is passed over."""
    hold: bool = True
    """Whether a voice that is spoken into waits in silence until it is known whether it was an
    interruption; otherwise the reply is given up at the first words that may be one."""
    eager: bool = True
    """Whether a reply is prepared at the first short silence, before the turn is over."""
    mode: Literal["open", "wake", "push-to-talk"] = "open"
    """open: always in conversation; wake: rests until the wake phrase (or the button), then goes on
    without it until the user is done or silent; push-to-talk: hears only while the button is held.
    """
    wake_phrase: Annotated[str, Field(min_length=3, max_length=60)] = "hey rapport"
    """What wakes it, in words that the recognizer can write. Longer and rarer is safer."""
    wake_sensitivity: Share = 0.5
    """0: only a clear phrase wakes it; 1: nearly anything like it does."""
    chime: bool = True
    """Whether a short tone tells that it was woken, and that it rests again."""
    follow_up: Seconds = 8.0
    """How long a woken conversation goes on listening after a reply."""
    tool_timeout: Annotated[float, Field(ge=0.1, le=600)] = 20.0
    """Seconds that a tool may take; then the reply is made without its result."""


class Panel(Section):
    """Buttons and lights. Pins are BCM numbers; -1: not wired."""

    engine: Literal["auto", "gpio", "simulated", "off"] = "auto"
    """auto: gpio on a Raspberry Pi with anything wired, otherwise simulated: shown by rapport talk,
    and costing nothing."""
    talk_pin: Pin = -1
    """The button of conversation: short press, double press, hold, very long press."""
    mute_pin: Pin = -1
    """A button of its own for muting, which then is the one that resets as well."""
    switch_pin: Pin = -1
    """A mute switch: while it is on, nothing unmutes."""
    buttons_active_low: bool = True
    """Whether a button that is down connects its pin to ground."""
    switch_active_low: bool = True
    """Whether the switch, when on, connects its pin to ground."""
    pull: bool = True
    """Whether the Pi's own resistors hold open contacts at their level of rest."""
    light: Literal["none", "led", "rgb", "apa102"] = "none"
    """led: one pin, on and off; rgb: three pins, dimmed; apa102: a chain of lights on SPI."""
    led_pin: Pin = -1
    red_pin: Pin = -1
    green_pin: Pin = -1
    blue_pin: Pin = -1
    lights_active_low: bool = False
    """Whether a pin of led or rgb at ground level lights it, as with a common anode."""
    leds: Annotated[int, Field(ge=1, le=64)] = 3
    """How many lights the chain of apa102 has."""
    spi: Annotated[str, Field(pattern=r"^[0-9]\.[0-9]$")] = "0.0"
    """Bus and device of the chain: 0.0 is /dev/spidev0.0."""
    lights: bool = True
    """Whether lights show anything at all."""
    brightness: Share = 0.5
    """Factor on the brightness of everything shown by rgb and apa102."""
    mood: bool = True
    """Whether the user's expression tints the light of listening and speaking."""
    hold: Annotated[float, Field(ge=0.5, le=5)] = 1.0
    """Seconds from which a press is long: it mutes, or unmutes."""
    double: Annotated[float, Field(ge=0.1, le=1)] = 0.25
    """Seconds within which a second press makes a double press: the last reply again."""
    reset_warning: Annotated[float, Field(ge=6, le=60)] = 10.0
    """Seconds of a press from which the lights warn of a factory reset."""
    reset: Annotated[float, Field(ge=0, le=120)] = 20.0
    """Seconds of a press from which letting go erases all that the device has kept; 0: never."""

    @model_validator(mode="after")
    def _wired_once(self) -> Panel:
        taken: dict[int, str] = {}
        for key, pin in self.pins.items():
            if pin in taken:
                raise ValueError(
                    f"{taken[pin]} = {pin} and {key} = {pin} must differ: a pin serves one thing"
                )
            taken[pin] = key
        clash = taken.keys() & SPI_PINS.get(self.spi[0], set()) if self.light == "apa102" else set()
        for pin in sorted(clash):
            raise ValueError(f"{taken[pin]} = {pin} must be another: spi = {self.spi!r} needs it")
        for key in LIGHT_PINS.get(self.light, ()):
            if key not in self.pins:
                raise ValueError(f"{key} = -1 must be a pin, 0 to 27, for light = {self.light!r}")
        return self

    @model_validator(mode="after")
    def _growing(self) -> Panel:
        if self.reset and self.reset <= self.reset_warning:
            raise ValueError(
                f"reset = {self.reset} must be more than reset_warning = {self.reset_warning}, or 0"
            )
        return self

    @property
    def pins(self) -> dict[str, int]:
        """The pins in use by key, without those of lights that are not chosen."""
        keys = ("talk_pin", "mute_pin", "switch_pin", *LIGHT_PINS.get(self.light, ()))
        pins = {key: int(getattr(self, key)) for key in keys}
        return {key: pin for key, pin in pins.items() if pin >= 0}


class Storage(Section):
    """What the device remembers in its one database file."""

    folder: str = ""
    """Folder of the database; empty: $RAPPORT_STATE, or ~/.local/share/rapport."""
    history: bool = True
    """Whether the words of API chats are kept; otherwise only that a chat took place, and when."""
    keep_days: Annotated[float, Field(ge=0.01, le=3650)] = 30.0
    """Chats older than this are erased."""
    keep_mb: Annotated[float, Field(ge=1, le=100_000)] = 200.0
    """When the chats take more than this, the oldest are erased."""


class Api(Section):
    """The EVI-compatible WebSocket and REST interface."""

    enabled: bool = True
    listen: str = "127.0.0.1:8765"
    """HOST:PORT. Beyond loopback every request needs a key: rapport keys add NAME."""
    tls: bool = False
    """Whether to speak https and wss only, with the certificate below or a generated one."""
    certificate: str = ""
    """PEM file with the certificate and its chain; empty: one is generated and kept."""
    private_key: str = ""
    """PEM file with the certificate's private key."""
    allowed_origins: tuple[str, ...] = ()
    """Web pages, as "https://shop.example:8443", whose scripts may use the device without a key
    where loopback may; pages that the device's own host serves always may."""
    connections: Annotated[int, Field(ge=1, le=100)] = 5
    """Chats at a time."""
    max_duration: Annotated[float, Field(ge=1, le=86_400)] = 1800.0
    """Seconds after which a chat is ended, whatever its configuration asks for."""
    inactivity: Annotated[float, Field(ge=1, le=86_400)] = 600.0
    """Seconds without a word of the user after which a chat is ended, unless its configuration
    says otherwise."""
    message_mb: Annotated[float, Field(ge=0.01, le=64)] = 16.0
    """Size of the largest message a client may send."""
    requests_per_second: Annotated[float, Field(ge=0.1, le=10_000)] = 50.0
    """REST requests of one client."""
    send_buffer_mb: Annotated[float, Field(ge=0.01, le=64)] = 4.0
    """A client that leaves so much unread is dropped."""

    @model_validator(mode="after")
    def _usable(self) -> Api:
        host, _, port = self.listen.rpartition(":")
        if not host or not port.isdigit() or not 0 <= int(port) <= 65_535:
            raise ValueError(f"listen = {self.listen!r} must be HOST:PORT, as 127.0.0.1:8765")
        if bool(self.certificate) != bool(self.private_key):
            raise ValueError("certificate and private_key belong together: name both or neither")
        return self
