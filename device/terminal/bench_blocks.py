"""The blocks of the bench, in order: each measures one thing and says what the numbers mean.

Layer 6, on the ordinary event loop. Serves ``rapport bench``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from device.app import App
from device.terminal import bench_engines as engines
from device.terminal.bench_clips import Clip
from device.terminal.bench_division import divide
from device.terminal.bench_gap import Answer, answer
from device.terminal.bench_interruption import delays, idle, interrupt, interrupting
from device.terminal.bench_machine import calibrate, load_average, peak_mb, resident_mb
from device.terminal.bench_report import Block, Figure, median, percentile
from device.terminal.bench_sequential import Chain, chain, forget
from device.terminal.bench_stopwatch import timed

VOICE_REPEATS = 3
IDLE_S = 10.0
TRIALS = 6

Step = Callable[[str], None]
"""Is told what is being measured now; shows progress."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured."""

    trials: int = TRIALS
    """Interruptions."""
    idle_s: float = IDLE_S


@dataclass(slots=True)
class Pairs:
    """The answers to every utterance, eager and plain."""

    clips: list[Clip] = field(default_factory=list)
    eager: list[Answer] = field(default_factory=list)
    plain: list[Chain] = field(default_factory=list)

    @property
    def divided(self) -> list[dict[str, float]]:
        """The parts of each eager gap that there was."""
        return [divide(a.moments) for a in self.eager if a.moments is not None]

    @property
    def eager_gaps(self) -> list[float]:
        """Seconds; of the utterances that were answered."""
        return [a.moments.gap for a in self.eager if a.moments is not None]

    @property
    def plain_gaps(self) -> list[float]:
        """Seconds; of the same utterances."""
        both = zip(self.eager, self.plain, strict=True)
        return [plain.gap for eager, plain in both if eager.moments is not None]


@asynccontextmanager
async def block(name: str) -> AsyncIterator[Block]:
    """Measure a block between two calibrations."""
    measured = Block(name, calibrate())
    yield measured
    measured.after_s = calibrate()
    measured.resident_mb, measured.load = resident_mb(), load_average()


async def engines_block(app: App, clips: Sequence[Clip], step: Step) -> Block:
    """Time each model by itself."""
    threads = app.config.hearing.threads, app.config.speaking.threads
    async with block("Models, each by itself") as measured:
        step("recognition")
        asr = await engines.recognition(app, clips)
        step("voice activity")
        vad = await engines.voice_activity(app, clips)
        step("end of turn, expression")
        turn = await engines.turn_detection(app, clips)
        prosody = await engines.prosody(app, clips)
        step("voice")
        tts = await engines.speaking(app, VOICE_REPEATS)
        step("language model")
        thought = await engines.thinking(app)
        measured.raw = {
            "asr_rtf": asr,
            "vad_rtf": vad,
            "turn_s": turn,
            "prosody_s": prosody,
            "tts_rtf": tts,
            "llm": asdict(thought),
        }
        second = f"{thought.second_evaluated} of {thought.second_prompt} tokens"
        measured.figures = [
            Figure(f"ASR real-time factor, {threads[0]} thread(s)", median(asr), "", 0.15),
            Figure(f"TTS real-time factor, {threads[1]} thread(s)", median(tts), "", 0.25),
            Figure("VAD real-time factor", median(vad), "", 0.02, "per frame of 32 ms"),
            Figure("end of turn", _ms(median(turn)), "ms"),
            Figure("expression", _ms(median(prosody)), "ms"),
            Figure("LLM, a token", thought.token_ms, "ms"),
            Figure("LLM, prompt", thought.prompt_rate, "tokens/s"),
            Figure(
                "LLM, prompt read again on the second turn",
                100 * thought.second_evaluated / max(thought.second_prompt, 1),
                "%",
                note=second,
            ),
        ]
    return measured


async def gap_block(app: App, clips: Sequence[Clip], step: Step) -> tuple[Block, Pairs]:
    """Answer every utterance eagerly and by the plain chain, in turn."""
    watched, spans = timed(app)
    pairs = Pairs()
    async with block("Response gap") as measured:
        for at, clip in enumerate(clips):
            step(f"response gap, {clip.name}")
            measured.during_s.append(calibrate(1))
            plain: Chain | None = None
            if at % 2:  # first one, then the other goes first
                await forget(app)
                plain = await chain(app, clip)
            await forget(app)
            eager = await answer(watched, spans, clip)
            if plain is None:
                await forget(app)
                plain = await chain(app, clip)
            pairs.clips.append(clip)
            pairs.eager.append(eager)
            pairs.plain.append(plain)
        measured.figures = _gap_figures(pairs)
        measured.raw = {"utterances": _gap_raw(pairs, measured.during_s)}
    return measured, pairs


def _gap_figures(pairs: Pairs) -> list[Figure]:
    gaps, plain = pairs.eager_gaps, pairs.plain_gaps
    answered = f"{len(gaps)} of {len(pairs.eager)} utterances"
    middle, chained = median(gaps), median(plain)
    each = [e / p for e, p in zip(gaps, plain, strict=True)]
    ratio = middle / chained if middle is not None and chained else None
    moments = [a.moments for a in pairs.eager if a.moments is not None]
    share = [m.hidden / max(m.hidden + m.exposed, 1e-9) for m in moments]
    cut = sum(a.cut_off > 0 for a in pairs.eager)
    return [
        Figure("response gap, median", middle, "s", 0.9, answered),
        Figure("response gap, 95th percentile", percentile(gaps, 95), "s", 1.6),
        Figure(
            "decision that the turn is over, median", median([_decision(m) for m in moments]), "s"
        ),
        Figure("work on the reply hidden behind that decision", _percent(median(share)), "%"),
        Figure("work left after it, median", median([m.exposed for m in moments]), "s"),
        Figure("plain chain, median", chained, "s", note="0.7 s of silence included"),
        Figure("ratio of the medians, eager to plain", ratio, "", 0.6, _of_each(each)),
        Figure("utterances cut off before their end", cut, "", note=f"of {len(pairs.eager)}"),
        Figure("utterances not answered", len(pairs.eager) - len(gaps)),
    ]


def _decision(moments: Any) -> float:
    return float(moments.decided - moments.speech_end)


def _of_each(ratios: Sequence[float]) -> str:
    middle = median(ratios)
    return "" if middle is None else f"median of the ratios {middle:.2f}"


def _gap_raw(pairs: Pairs, calibrations: Sequence[float]) -> list[dict[str, Any]]:
    rows = []
    every = zip(pairs.clips, pairs.eager, pairs.plain, calibrations, strict=True)
    for clip, eager, plain, calibration in every:
        moments = eager.moments
        rows.append(
            {
                "clip": clip.name,
                "seconds": clip.seconds,
                "calibration_s": calibration,
                "eager": asdict(eager),
                "gap": moments and moments.gap,
                "parts": moments and divide(moments),
                "plain": asdict(plain),
                "plain_gap": plain.gap,
            }
        )
    return rows


async def interruption_block(app: App, clips: Sequence[Clip], trials: int, step: Step) -> Block:
    """Speak into replies and time their falling silent."""
    async with block("Interruption") as measured:
        results = []
        for clip, after in zip(interrupting(clips, trials), delays(trials), strict=True):
            step(f"interruption, {after:.1f} s into a reply")
            results.append(await interrupt(app, clip, after))
        seconds = [r.seconds for r in results if r.seconds is not None]
        measured.raw = {"trials": [asdict(result) for result in results]}
        counted = f"{len(seconds)} of {trials} trials"
        middle, most = _ms(median(seconds)), _ms(max(seconds, default=None))
        measured.figures = [
            Figure("onset of speech to silent speaker, median", middle, "ms", 250, counted),
            Figure("onset of speech to silent speaker, longest", most, "ms", 250),
        ]
    return measured


async def idle_block(app: App, seconds: float, step: Step) -> Block:
    """Listen to silence."""
    async with block("Idle") as measured:
        step("idle listening")
        share = await idle(app, seconds)
        measured.raw = {"share_of_a_core": share, "seconds": seconds}
        measured.figures = [
            Figure("listening to silence, share of one core", 100 * share, "%", 5.0),
            Figure("peak resident memory", peak_mb(), "MB", 700),
        ]
    return measured


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else 1000 * seconds


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
