"""The network: a llama-shaped transformer, as llama.cpp runs it (architecture ``llama``).

RMSNorm before each half of a layer, rotary embeddings of interleaved pairs, SwiGLU, embeddings that also make the
output. Vaswani et al. 2017; Touvron et al. 2023; Su et al. 2021.
"""

from __future__ import annotations

import msgspec
import torch
from torch import nn
from torch.nn import functional


class Shape(msgspec.Struct, frozen=True):
    """Sizes of a network."""

    vocabulary: int
    width: int = 256
    layers: int = 6
    heads: int = 4
    inner: int = 768
    context: int = 512
    rope_base: float = 10_000.0
    epsilon: float = 1e-5


class Layer(nn.Module):
    """Attention, then a gated two-layer perceptron, each added to what came in."""

    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.heads = shape.heads
        self.attn_norm = nn.RMSNorm(shape.width, shape.epsilon)
        self.attn_qkv = nn.Linear(shape.width, 3 * shape.width, bias=False)
        self.attn_output = nn.Linear(shape.width, shape.width, bias=False)
        self.ffn_norm = nn.RMSNorm(shape.width, shape.epsilon)
        self.ffn_up = nn.Linear(shape.width, 2 * shape.inner, bias=False)
        self.ffn_down = nn.Linear(shape.inner, shape.width, bias=False)
        self.dropout = dropout

    def forward(self, x: torch.Tensor, mask: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        """X is (rows, tokens, width); mask adds to the scores."""
        rows, tokens, width = x.shape
        q, k, v = self.attn_qkv(self.attn_norm(x)).view(rows, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q, k = _turn(q, cos, sin), _turn(k, cos, sin)
        scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5 + mask
        seen = torch.softmax(scores, -1) @ v
        x = x + self._drop(self.attn_output(seen.transpose(1, 2).reshape(rows, tokens, width)))
        gate, up = self.ffn_up(self.ffn_norm(x)).chunk(2, -1)
        return x + self._drop(self.ffn_down(functional.silu(gate) * up))

    def _drop(self, x: torch.Tensor) -> torch.Tensor:
        return functional.dropout(x, self.dropout, self.training)


def _turn(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Turn interleaved pairs by the angles of their places."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)


class Network(nn.Module):
    """Tokens in, the last hidden state out; :meth:`logits` of it gives the next token."""

    def __init__(self, shape: Shape, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(shape.vocabulary, shape.width)
        self.layers = nn.ModuleList(Layer(shape, dropout) for _ in range(shape.layers))
        self.output_norm = nn.RMSNorm(shape.width, shape.epsilon)
        half = shape.width // shape.heads
        steps = shape.rope_base ** (-torch.arange(0, half, 2).float() / half)
        angles = torch.arange(shape.context).float()[:, None] * steps
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        self.apply(_begin)

    def forward(self, tokens: torch.Tensor, places: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """The last hidden state, (rows, tokens, width), of tokens and places (rows, tokens); mask is True to see."""
        x = self.token_embd(tokens)
        bias = torch.zeros(mask.shape, dtype=x.dtype, device=x.device).masked_fill(~mask, -1e9)
        cos, sin = self.cos[places][:, None], self.sin[places][:, None]
        for layer in self.layers:
            x = layer(x, bias, cos, sin)
        return self.output_norm(x)

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """The logits of the next token."""
        return hidden @ self.token_embd.weight.T


def _begin(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
