"""The model of speech as it runs: samples to an encoding, and an encoding with what is written so far to what is next.

The only module that knows onnxruntime. A model is a folder of three files: ``encoder_model.ort`` and
``decoder_model_merged.ort``, or the same as ``.onnx``, and ``tokenizer.bin``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnxruntime

from appliance.llm.listening.engine import cannot_load
from appliance.llm.listening.sound import Samples
from appliance.llm.listening.tokens import Tokens

Floats = npt.NDArray[np.float32]
PARTS: Final = ("encoder_model", "decoder_model_merged")
_KINDS: Final = (".ort", ".onnx")
_WARNINGS: Final = 3
"""The library says nothing under an error: what goes wrong is raised."""


class State:
    """What the decoder holds of texts that are written side by side.

    Attributes:
        past: each of the model's inputs of what was before, the first axis being the texts.
    """

    def __init__(self, past: dict[str, Floats], heard: npt.NDArray[np.int64], encoding: Floats, begun: bool) -> None:
        self.past, self.heard, self.encoding, self.begun = past, heard, encoding, begun

    def chosen(self, texts: npt.NDArray[np.int64]) -> State:
        """The same of some of the texts, in this order; one may be there twice."""
        past = {
            name: values[texts] if len(values) > 1 or len(texts) > 1 else values for name, values in self.past.items()
        }
        return State(past, self.heard, self.encoding, self.begun)


class Network:
    """A model that is loaded.

    Args:
        folder: of its three files.
        threads: that it may use.

    Raises:
        ApplianceError: LLM230, it cannot be loaded.
    """

    def __init__(self, folder: Path, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _WARNINGS
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._encoder, self._decoder = (_session(folder, part, options) for part in PARTS)
            self.tokens = Tokens.read(folder / "tokenizer.bin")
            self._layers = _layers(self._decoder)
        except Exception as error:  # the library's own errors have nothing in common but that
            raise cannot_load(str(error)) from None
        self._names = [output.name for output in self._decoder.get_outputs()]

    def encode(self, samples: Samples) -> State:
        """What was heard, for :meth:`write`; one text, of which nothing is written."""
        heard = np.ones((1, len(samples)), np.int64)
        (encoding,) = self._encoder.run(
            None, self._known(self._encoder, {"input_values": samples[None], "attention_mask": heard})
        )
        return State(
            {name: np.zeros(shape, np.float32) for name, shape in self._layers.items()}, heard, encoding, False
        )

    def write(self, state: State, last: npt.NDArray[np.int64]) -> tuple[Floats, State]:
        """How likely each piece is to be next in each text, as logarithms, after its `last`; and the state then."""
        texts = len(last)
        said = {
            "encoder_attention_mask": np.repeat(state.heard, texts, axis=0),
            "input_ids": last[:, None],
            "encoder_hidden_states": np.repeat(state.encoding, texts, axis=0),
            "use_cache_branch": np.array([state.begun]),
            **state.past,
        }
        told = dict(zip(self._names, self._decoder.run(None, self._known(self._decoder, said)), strict=True))
        scores = told.pop("logits")[:, -1].astype(np.float32)
        scores -= scores.max(axis=-1, keepdims=True)
        scores -= np.log(np.exp(scores).sum(axis=-1, keepdims=True))
        past = dict(state.past)
        for name, values in told.items():
            # What was heard does not change: after the first step the model gives that part back empty.
            if not (state.begun and ".encoder." in name):
                past[name.replace("present", "past_key_values")] = values
        return scores, State(past, state.heard, state.encoding, True)

    def _known(self, session: Any, said: dict[str, Any]) -> dict[str, Any]:
        wanted = {each.name for each in session.get_inputs()}
        return {name: value for name, value in said.items() if name in wanted}


def _session(folder: Path, part: str, options: Any) -> Any:
    for kind in _KINDS:
        file = folder / f"{part}{kind}"
        if file.is_file():
            return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    raise FileNotFoundError(f"{folder / part}.ort is not there")


def _layers(decoder: Any) -> dict[str, tuple[int, ...]]:
    """The inputs of what was before, each with its shape while nothing was."""
    return {
        each.name: (1, each.shape[1], 0, each.shape[3])
        for each in decoder.get_inputs()
        if each.name.startswith("past_key_values.")
    }
