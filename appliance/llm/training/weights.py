"""Weights: from a GGUF file into a network, and from a network into the tensors of a GGUF file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from gguf import GGUFReader, dequantize

from appliance.llm.training.network import Network


def load(network: Network, path: Path) -> list[str]:
    """Begin a network with the weights of a GGUF file, as far as it has them.

    The vocabulary may have grown and layers may have come: new tokens keep their first weights, and a new layer
    begins as one that changes nothing.

    Returns:
        The names of the tensors that were taken over.
    """
    held = {
        tensor.name: torch.from_numpy(dequantize(tensor.data, tensor.tensor_type).copy())
        for tensor in GGUFReader(path).tensors
    }
    taken = []
    with torch.no_grad():
        for name, place in tensors(network):
            if name not in held:
                if name.endswith(("attn_output.weight", "ffn_down.weight")):
                    place.zero_()
                continue
            found = held[name].reshape(held[name].shape).float()
            place[: found.shape[0]] = found
            taken.append(name)
    return taken


def tensors(network: Network) -> Iterator[tuple[str, torch.Tensor]]:
    """The weights by their names in GGUF; parts of a joined weight are views of it."""
    yield "token_embd.weight", network.token_embd.weight
    yield "output_norm.weight", network.output_norm.weight
    for place, layer in enumerate(network.layers):
        q, k, v = layer.attn_qkv.weight.chunk(3, 0)
        gate, up = layer.ffn_up.weight.chunk(2, 0)
        parts = {
            "attn_norm": layer.attn_norm.weight,
            "attn_q": q,
            "attn_k": k,
            "attn_v": v,
            "attn_output": layer.attn_output.weight,
            "ffn_norm": layer.ffn_norm.weight,
            "ffn_gate": gate,
            "ffn_up": up,
            "ffn_down": layer.ffn_down.weight,
        }
        for name, weight in parts.items():
            yield f"blk.{place}.{name}.weight", weight


def arrays(network: Network) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    """The weights as arrays."""
    for name, weight in tensors(network):
        yield name, weight.detach().float().cpu().numpy()
