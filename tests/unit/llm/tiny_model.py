"""Tiny chat models with random weights, made by the tests: they write junk, through the same code as real ones."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

CHAT = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
WIDTH, HIDDEN, LAYERS, SEED = 32, 64, 1, 7


MARKS = ("<|im_start|>", "<|im_end|>", "<tool>", "<|endoftext|>")


def chat_model(
    path: Path, *, name: str = "tiny-chat", template: str = CHAT, marks: tuple[str, ...] = MARKS, add_bos: bool = False
) -> Path:
    """A tiny chat model with random weights: bytes for tokens, marks (the second ends a turn), a chat template.

    The mark ``<tool>`` is one that llama.cpp finds in plain text too.
    """
    shown = {byte: chr(byte) for byte in [*range(33, 127), *range(161, 173), *range(174, 256)]}
    others = [byte for byte in range(256) if byte not in shown]
    shown |= {byte: chr(256 + index) for index, byte in enumerate(others)}  # GPT-2's way to write bytes
    tokens = [shown[byte] for byte in range(256)] + [*marks]
    kinds = [gguf.TokenType.NORMAL] * 256 + [gguf.TokenType.CONTROL] * len(marks)
    kinds[256 + marks.index("<tool>")] = gguf.TokenType.USER_DEFINED
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name(name)
    writer.add_context_length(2048)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_head_count(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([f"{shown[0x20]} a"])
    writer.add_bos_token_id(256)
    writer.add_eos_token_id(257)
    writer.add_add_bos_token(add_bos)
    writer.add_chat_template(template)
    for name, shape in _shapes(len(tokens)).items():
        writer.add_tensor(name, _weights(name, shape))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _shapes(vocabulary: int) -> dict[str, tuple[int, ...]]:
    block = {
        "attn_norm": (WIDTH,),
        "attn_q": (WIDTH, WIDTH),
        "attn_k": (WIDTH, WIDTH),
        "attn_v": (WIDTH, WIDTH),
        "attn_output": (WIDTH, WIDTH),
        "ffn_norm": (WIDTH,),
        "ffn_gate": (HIDDEN, WIDTH),
        "ffn_up": (HIDDEN, WIDTH),
        "ffn_down": (WIDTH, HIDDEN),
    }
    ends = {"token_embd": (vocabulary, WIDTH), "output_norm": (WIDTH,), "output": (vocabulary, WIDTH)}
    blocks = {f"blk.{n}.{name}": shape for n in range(LAYERS) for name, shape in block.items()}
    return {f"{name}.weight": shape for name, shape in (ends | blocks).items()}


def _weights(name: str, shape: tuple[int, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    if "norm" in name:
        return np.ones(shape, np.float32)
    random = np.random.default_rng([SEED, *name.encode()])
    return random.normal(0, 0.2, shape).astype(np.float32)
