"""Export: a training run's network as a GGUF file, its matrices in 8 bits.

python -m appliance.llm.training.export build/train/checkpoint.pt models/ask.gguf --base models/ask-bootstrap-q8_0.gguf
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import numpy as np
import torch
from gguf import GGMLQuantizationType, GGUFWriter, LlamaFileType, TokenType, quantize

from appliance.llm.training.network import Network, Shape
from appliance.llm.training.vocabulary import END, PAD, Vocabulary
from appliance.llm.training.weights import arrays

EIGHT_BITS: Final = GGMLQuantizationType.Q8_0


def export(network: Network, vocabulary: Vocabulary, path: Path, name: str) -> int:
    """Write a network as a GGUF file.

    Returns:
        The file's size in bytes.
    """
    shape = network.shape
    writer = GGUFWriter(str(path), "llama")
    writer.add_name(name)
    writer.add_license("Apache-2.0 AND BSD-3-Clause")
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.inner)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_layer_norm_rms_eps(shape.epsilon)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_file_type(LlamaFileType.MOSTLY_Q8_0)
    _add_vocabulary(writer, vocabulary)
    for tensor, values in arrays(network):
        whole = np.ascontiguousarray(values)
        if values.ndim == 2:
            writer.add_tensor(tensor, quantize(whole, EIGHT_BITS), raw_dtype=EIGHT_BITS)
        else:
            writer.add_tensor(tensor, whole)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path.stat().st_size


def _add_vocabulary(writer: GGUFWriter, vocabulary: Vocabulary) -> None:
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_merges(vocabulary.merges)
    kinds = [TokenType.CONTROL if token in vocabulary.control else TokenType.NORMAL for token in vocabulary.tokens]
    writer.add_token_types(kinds)
    writer.add_eos_token_id(END)
    writer.add_bos_token_id(END)
    writer.add_pad_token_id(PAD)
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)


def main() -> None:
    """Export a checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--base", type=Path, required=True, help="a GGUF file with the vocabulary")
    parser.add_argument("--name", default="ask-1")
    options = parser.parse_args()
    vocabulary = Vocabulary.of_model(options.base)
    held = torch.load(options.checkpoint, weights_only=True, map_location="cpu")
    network = Network(Shape(len(vocabulary), layers=held["layers"]))
    network.load_state_dict(held["network"])
    size = export(network, vocabulary, options.out, options.name)
    print(f"{options.out}: {size:,} bytes after {held['step']} steps, {held['seconds'] / 60:.0f} minutes")


if __name__ == "__main__":
    main()
