"""Language models in GGUF files, run by llama.cpp.

Layer 2, on llama-cpp-python. Serves the turns of every conversation from the one thread that owns
it. The beginning that a prompt shares with the one before (the persona, the turns so far) stays in
the KV cache, so a turn pays only for its new words.
"""

from __future__ import annotations

import codecs
import ctypes
import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import Event as StopSignal

import llama_cpp
from llama_cpp.llama_chat_format import Jinja2ChatFormatter
from llama_cpp.llama_grammar import LlamaGrammar

from device.settings import Thinking
from device.thinking.echoes import without_echoes
from device.thinking.kept import Kept, KeptStates, shared
from device.thinking.repetition import runs_away
from device.types import Message, RapportError

log = logging.getLogger(__name__)

BATCH = 64
"""Prompt tokens evaluated at once. 32 to 64 reached full speed on x86 (220 tokens/s at 16, 281 at
64); llama.cpp's own 512 only costs memory."""
KEPT_BYTES = 64_000_000
"""Memory for what was read of other chats: six of 400 tokens with SmolLM2-135M, 23 kB a token."""
WORTH_KEEPING = 48
"""Tokens; fewer are read again in no more time than it takes to bring a state back."""
LONGEST_OBJECT = 128
"""Tokens that the JSON arguments of a tool may take."""
LONGEST_PIECE = 256
"""Bytes of the longest token's text; usual vocabularies stay below 130."""


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]
def _log(level: int, text: bytes, _: ctypes.c_void_p) -> None:
    log.debug("llama.cpp: %s", text.decode("utf-8", "replace").rstrip())


class Llama:
    """A chat model with the chat template of its own file; a ``ports.LanguageModel``."""

    def __init__(self, files: Mapping[str, Path], settings: Thinking) -> None:
        """Map the file in role ``model`` into memory; weights are read when first needed.

        Raises RapportError if llama.cpp cannot load it or it holds no chat template.
        """
        path = files["model"]
        self._path, self._settings = path, settings
        self._model = _load(path, settings)
        self._vocabulary = llama_cpp.llama_model_get_vocab(self._model.model)
        self._chat = _chat_template(self._model, path)
        self._stop = StopSignal()
        # Both live as long as the context that calls them.
        self._watch = llama_cpp.ggml_abort_callback(lambda _: self._stop.is_set())
        self._ignore = llama_cpp.ggml_abort_callback()
        self._states = KeptStates(KEPT_BYTES)
        self.context = int(self._model.n_ctx())
        self.evaluated = 0
        """Tokens of the last prompt that were not in the KV cache and had to be evaluated."""

    def count(self, messages: Sequence[Message]) -> int:
        """Return how many tokens these messages take as a prompt."""
        return len(self._tokens(messages))

    def prepare(self, messages: Sequence[Message]) -> None:
        """Evaluate the beginning that coming prompts share, so that the first turn is quick."""
        for _ in self._generate(self._prompt(messages), StopSignal()):
            break

    def reply(
        self, messages: Sequence[Message], stop: StopSignal, temperature: float | None = None
    ) -> Iterator[str]:
        """Yield the next assistant message piece by piece.

        ``stop`` ends it within one token, and within one operation of the network while the prompt
        is evaluated. Of the text, ``echoes`` leaves out what is no speech. Raises RapportError if
        the prompt fills the context.
        """
        return without_echoes(self._pieces(self._prompt(messages), stop, temperature))

    def fill(self, messages: Sequence[Message], schema: str, stop: StopSignal) -> str:
        """Return the next assistant message as a JSON object that fits ``schema``.

        A grammar made from the schema leaves the model no other choice. Empty if ``stop`` was set.
        Raises RapportError if no grammar can be made, or no object is complete in
        ``LONGEST_OBJECT`` tokens.
        """
        try:
            grammar = LlamaGrammar.from_json_schema(schema, verbose=False)
        except (ValueError, KeyError, TypeError, AttributeError, AssertionError) as error:
            raise RapportError(
                f"the JSON schema {schema[:60]!r} cannot be followed ({error!r}); use plain types, "
                "enumerations, objects and lists"
            ) from None
        prompt = self._prompt(messages)
        said = b""
        for count, token in enumerate(self._generate(prompt, stop, 0.0, grammar), 1):
            if llama_cpp.llama_vocab_is_eog(self._vocabulary, token):
                break
            said += self._text(token)
            if count >= min(LONGEST_OBJECT, self.context - len(prompt)):
                break
        if stop.is_set():
            return ""
        try:
            return json.dumps(json.loads(said))
        except ValueError:
            raise RapportError(
                f"{self._path.name}: made no JSON object in {LONGEST_OBJECT} tokens, only "
                f"{said[:60]!r}; choose a larger language model"
            ) from None

    def _pieces(
        self, prompt: list[int], stop: StopSignal, temperature: float | None
    ) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        said: list[int] = []
        limit = min(self._settings.max_tokens, self.context - len(prompt))
        for token in self._generate(prompt, stop, temperature):
            if llama_cpp.llama_vocab_is_eog(self._vocabulary, token):
                break
            said.append(token)
            if runs_away(said):
                break
            if piece := decoder.decode(self._text(token)):
                yield piece
            if len(said) >= limit or stop.is_set():
                break

    def _generate(
        self,
        prompt: list[int],
        stop: StopSignal,
        temperature: float | None = None,
        grammar: LlamaGrammar | None = None,
    ) -> Iterator[int]:
        """Yield tokens without end. An aborted evaluation ends it, with a KV cache that is sound:

        ``Llama.eval`` counts a batch only when all of it was evaluated, and drops whatever lies
        beyond the count before it adds to it.
        """
        model, settings = self._model, self._settings
        self._stop = stop
        if stop.is_set():
            return
        self._recall(prompt)
        self.evaluated = len(prompt) - self._kept(prompt)
        # Asked some 600 times for each evaluation: no cost while a prompt is evaluated in batches,
        # 5 % of the time of a single token, which is short enough anyway.
        llama_cpp.llama_set_abort_callback(model.ctx, self._watch, None)
        tokens = model.generate(
            prompt,
            temp=settings.temperature if temperature is None else temperature,
            # A value that was just said is to be repeated, not avoided.
            repeat_penalty=settings.repeat_penalty if grammar is None else 1.0,
            grammar=grammar,
        )
        try:
            while not stop.is_set():
                yield next(tokens)
                llama_cpp.llama_set_abort_callback(model.ctx, self._ignore, None)
        except RuntimeError as error:
            if not stop.is_set():
                raise RapportError(
                    f"{self._path.name}: llama.cpp failed ({error}); lower thinking.context, or "
                    "choose a smaller language model"
                ) from error
        finally:
            llama_cpp.llama_set_abort_callback(model.ctx, self._ignore, None)

    def _recall(self, prompt: list[int]) -> None:
        """Bring back the state of an earlier prompt if it saves reading; keep the present one."""
        model = self._model
        held = model.input_ids[: model.n_tokens].tolist()
        same = shared(held, prompt)
        if len(held) - same < WORTH_KEEPING:
            return
        size = llama_cpp.llama_state_seq_get_size(model.ctx, 0)
        buffer = (ctypes.c_uint8 * size)()
        if llama_cpp.llama_state_seq_get_data(model.ctx, buffer, size, 0) == size:
            self._states.put(Kept(tuple(held), bytes(buffer)))
        best, length = self._states.best(prompt)
        if best is None or length - same < WORTH_KEEPING:
            return
        state = (ctypes.c_uint8 * len(best.state)).from_buffer_copy(best.state)
        llama_cpp.llama_memory_seq_rm(llama_cpp.llama_get_memory(model.ctx), 0, -1, -1)
        if not llama_cpp.llama_state_seq_set_data(model.ctx, state, len(best.state), 0):
            log.warning("a kept state could not be brought back; the prompt is read again")
            model.n_tokens = 0
            return
        model.n_tokens = len(best.tokens)
        model.input_ids[: model.n_tokens] = best.tokens

    def _kept(self, prompt: list[int]) -> int:
        """Return how many tokens of ``prompt`` need no evaluation."""
        held = self._model.input_ids[: self._model.n_tokens].tolist()
        same = shared(held, prompt)
        # The last token is evaluated again for its logits, unless it was the very last one.
        return same - 1 if same == len(prompt) and same != len(held) else same

    def _prompt(self, messages: Sequence[Message]) -> list[int]:
        prompt = self._tokens(messages)
        if len(prompt) >= self.context:
            raise RapportError(
                f"the prompt takes {len(prompt)} tokens and the context holds {self.context}; "
                "shorten thinking.persona, or raise thinking.context"
            )
        return prompt

    def _tokens(self, messages: Sequence[Message]) -> list[int]:
        # A message must not be able to speak in another role's name.
        plain = [{"role": m.role, "content": m.content.replace("<|", "< |")} for m in messages]
        try:
            # Models that can think aloud (Qwen 3) are asked not to; other templates ignore it.
            text = self._chat(messages=plain, enable_thinking=False).prompt  # type: ignore[arg-type]
        except ValueError as error:
            raise RapportError(
                f"{self._path.name}: its chat template refuses this chat ({error}); "
                "choose another language model"
            ) from None
        begun = bool(self._chat.bos_token) and text.startswith(self._chat.bos_token)
        return self._model.tokenize(text.encode(), add_bos=not begun, special=True)

    def _text(self, token: int) -> bytes:
        buffer = ctypes.create_string_buffer(LONGEST_PIECE)
        size = llama_cpp.llama_token_to_piece(
            self._vocabulary, token, buffer, LONGEST_PIECE, 0, False
        )
        return buffer.raw[: max(size, 0)]


def _load(path: Path, settings: Thinking) -> llama_cpp.Llama:
    # Threads wait for each other by spinning: with one more busy thread than cores, a token took
    # 162 ms on two threads instead of 26 ms on one (2 shared cores, 2026-11-22).
    threads = settings.threads or max(1, (os.cpu_count() or 1) - 1)
    try:
        model = llama_cpp.Llama(
            str(path),
            n_ctx=settings.context,
            n_batch=BATCH,
            n_ubatch=BATCH,
            n_threads=threads,
            n_threads_batch=threads,
            seed=settings.seed,
            use_mmap=True,
            verbose=False,
        )
    except (ValueError, RuntimeError, OSError) as error:
        raise RapportError(
            f"{path}: is not a language model that llama.cpp can load ({error}); "
            "run: rapport models fetch"
        ) from None
    llama_cpp.llama_log_set(_log, None)
    return model


def _chat_template(model: llama_cpp.Llama, path: Path) -> Jinja2ChatFormatter:
    template = model.metadata.get("tokenizer.chat_template")
    if not template:
        raise RapportError(
            f"{path}: holds no chat template, so it is no chat model; choose an instruct model"
        )
    vocabulary = llama_cpp.llama_model_get_vocab(model.model)

    def text_of(token: int) -> str:
        if token < 0:  # this vocabulary has no such token
            return ""
        return bytes(llama_cpp.llama_vocab_get_text(vocabulary, token)).decode()

    return Jinja2ChatFormatter(
        template=template,
        eos_token=text_of(model.token_eos()),
        bos_token=text_of(model.token_bos()),
    )
