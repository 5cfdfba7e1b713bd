"""Muon: momentum whose step is made orthogonal, for matrices (Jordan 2024; scaled as by Liu et al. 2025).

PyTorch has one, which computes in bfloat16; a CPU without such instructions is a hundred times slower there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import torch

_COEFFICIENTS: Final = (3.4445, -4.7750, 2.0315)
_ROUNDS: Final = 5


class Muon(torch.optim.Optimizer):
    """Steps of a root mean square like Adam's, so that one learning rate serves both.

    Args:
        weights: matrices.
        lr: the learning rate.
        decay: how much of each weight goes in a step, times the learning rate.
        momentum: how much of the last steps stays.
    """

    def __init__(self, weights: Iterable[torch.Tensor], lr: float, decay: float = 0.05, momentum: float = 0.95) -> None:
        super().__init__(weights, {"lr": lr, "decay": decay, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        """Change the weights by their gradients."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._step(weight, group)

    def _step(self, weight: torch.Tensor, group: dict[str, Any]) -> None:
        state = self.state[weight]
        held = state.setdefault("momentum", torch.zeros_like(weight))
        held.lerp_(weight.grad, 1 - group["momentum"])
        ahead = weight.grad.lerp(held, group["momentum"])
        scale = 0.2 * max(weight.shape) ** 0.5
        weight.mul_(1 - group["lr"] * group["decay"])
        weight.add_(orthogonal(ahead), alpha=-group["lr"] * scale)


def orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    """The nearest matrix with singular values of about one, by Newton-Schulz iteration."""
    a, b, c = _COEFFICIENTS
    x = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(_ROUNDS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if matrix.shape[0] > matrix.shape[1] else x
