"""The training loop: seeded, stopped and gone on with at any time, on a CPU or a GPU.

    python -m appliance.llm.training.train --out build/train --wikisql train.jsonl.gz --begin models/ask.gguf

The learning rate rises, stays, and falls to nothing over the last part of the steps (`--fall`), so that more steps
can be added as long as the fall has not begun.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import torch
from torch.nn import functional

from appliance.llm.notation import plain
from appliance.llm.training.batches import Batch, Row, batch, rows
from appliance.llm.training.examples import Example
from appliance.llm.training.muon import Muon
from appliance.llm.training.network import Network, Shape
from appliance.llm.training.vocabulary import Vocabulary
from appliance.llm.training.weights import load
from appliance.llm.training.wikisql import WikiSql, asked, columns_of

WARM_UP: Final = 100
CLIP: Final = 1.0
HELD_OUT: Final = 600


def mixed(sources: list[tuple[float, Iterator[Example]]], rng: random.Random) -> Iterator[Example]:
    """Examples from several sources, by weight."""
    weights = [weight for weight, _ in sources]
    while True:
        yield next(rng.choices(sources, weights)[0][1])


def rate(step: int, options: argparse.Namespace) -> float:
    """The learning rate of a step."""
    falls = (options.steps - step) / max(1.0, options.fall * options.steps)
    part: float = min(1.0, (step + 1) / WARM_UP, max(falls, 0.01))
    return part * float(options.rate)


def optimisers(network: Network, peak: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the layers, AdamW for embeddings and norms."""
    matrices = [weight for weight in network.layers.parameters() if weight.ndim == 2]
    others = [weight for weight in network.parameters() if not any(weight is each for each in matrices)]
    return [
        Muon(matrices, lr=peak),
        torch.optim.AdamW(others, lr=peak, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def loss_of(network: Network, hidden: torch.Tensor, given: Batch) -> torch.Tensor:
    """The mean cross-entropy of the sketches' tokens."""
    at = given.targets >= 0
    return functional.cross_entropy(network.logits(hidden[at]), given.targets[at])


@torch.no_grad()
def exact(network: Network, run: Any, batches: Iterable[Batch]) -> float:
    """Percent of sketches of which every token is the likeliest one."""
    network.eval()
    right = total = 0
    device = next(network.parameters()).device
    for held in batches:
        given = Batch(*(each.to(device) for each in held))
        best = network.logits(run(given.tokens, given.places, given.mask)).argmax(-1)
        wrong = (given.targets >= 0) & (best != given.targets)
        for row in range(len(given.targets)):
            ends = (given.targets[row] == 3).nonzero().flatten().tolist()
            first = 0
            for end in ends:
                right += not bool(wrong[row, first : end + 1].any())
                total, first = total + 1, end + 1
    network.train()
    return 100 * right / max(total, 1)


def held_out_wikisql(path: Path, count: int) -> list[Example]:
    """Questions of the development file, one to a schema."""
    rng, source = random.Random(7), WikiSql(path)
    found = []
    for line in rng.sample(source.lines, count):
        used = {plain(line.select), *(plain(test[0]) for test in line.where)}
        shown = source.padding.fill(columns_of(line), used, rng)
        found.append(Example("", shown, (asked(line, shown),)))
    return found


def grouped(source: Iterator[Row], size: int) -> Iterator[Batch]:
    """Batches of `size` rows."""
    while chosen := [row for row, _ in zip(source, range(size), strict=False)]:
        yield batch(chosen)


class Run:
    """A training run in a folder: the network, its optimisers and how far it is."""

    def __init__(self, options: argparse.Namespace) -> None:
        torch.manual_seed(options.seed)
        self.options = options
        self.vocabulary = Vocabulary.of_model(options.begin)
        shape = Shape(len(self.vocabulary), layers=options.layers)
        self.network = Network(shape, options.dropout)
        load(self.network, options.begin)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network.to(self.device)
        self.optimisers = optimisers(self.network, options.rate)
        self.step, self.seconds = 0, 0.0
        self._file = options.out / "checkpoint.pt"
        if self._file.exists():
            self._resume()
        self.forward = torch.compile(self.network, dynamic=False) if options.compile else self.network

    def _resume(self) -> None:
        held = torch.load(self._file, weights_only=True, map_location=self.device)
        self.network.load_state_dict(held["network"])
        for optimiser, state in zip(self.optimisers, held["optimisers"], strict=True):
            optimiser.load_state_dict(state)
        self.step, self.seconds = held["step"], held["seconds"]

    def save(self) -> None:
        """Write the checkpoint, whole or not at all."""
        held = {
            "network": self.network.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "step": self.step,
            "seconds": self.seconds,
            "layers": self.network.shape.layers,
        }
        torch.save(held, self._file.with_suffix(".new"))
        self._file.with_suffix(".new").replace(self._file)

    def learn(self, given: Batch) -> float:
        """One step; its loss."""
        now = rate(self.step, self.options)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = now
            optimiser.zero_grad(set_to_none=True)
        given = Batch(*(each.to(self.device) for each in given))
        loss = loss_of(self.network, self.forward(given.tokens, given.places, given.mask), given)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
        for optimiser in self.optimisers:
            optimiser.step()
        self.step += 1
        return float(loss.detach())


def sources(options: argparse.Namespace, rng: random.Random) -> list[tuple[float, Iterator[Example]]]:
    """What the run learns from, by weight."""
    found: list[tuple[float, Iterator[Example]]] = []
    if options.wikisql_share > 0:
        found.append((options.wikisql_share, WikiSql(options.wikisql).examples(random.Random(rng.random()))))
    if options.wikisql_share < 1:
        from appliance.llm.training.questions import Questions

        found.append(
            (1 - options.wikisql_share, Questions.shipped(heldout=False).examples(random.Random(rng.random())))
        )
    return found


def main() -> None:
    """Train until the steps are done."""
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.threads:
        torch.set_num_threads(options.threads)
    run = Run(options)
    rng = random.Random(f"{options.seed} {run.step}")
    source = grouped(rows(mixed(sources(options, rng), rng), run.vocabulary), options.rows)
    measured = {"wikisql": list(grouped(rows(held_out_wikisql(options.dev, HELD_OUT), run.vocabulary), options.rows))}
    if options.wikisql_share < 1:
        from appliance.llm.training.questions import Questions

        asked_of = Questions.shipped(heldout=True).examples(random.Random(5))
        held = [next(asked_of) for _ in range(120)]
        measured["questions"] = list(grouped(rows(held, run.vocabulary), options.rows))
    began, losses = time.monotonic() - run.seconds, list[float]()
    while run.step < options.steps:
        losses.append(run.learn(next(source)))
        run.seconds = time.monotonic() - began
        if run.step % options.tell == 0 or run.step == options.steps:
            told = {
                "step": run.step,
                "minutes": round(run.seconds / 60, 1),
                "loss": round(sum(losses) / len(losses), 4),
            }
            if run.step % (options.tell * 5) == 0 or run.step == options.steps:
                told |= {name: round(exact(run.network, run.network, given), 1) for name, given in measured.items()}
                run.save()
            print(json.dumps(told), flush=True)
            losses.clear()


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the run's folder")
    parser.add_argument("--begin", type=Path, required=True, help="a GGUF file to begin with")
    parser.add_argument("--wikisql", type=Path, required=True, help="WikiSQL training questions")
    parser.add_argument("--dev", type=Path, required=True, help="WikiSQL development questions")
    parser.add_argument("--wikisql-share", type=float, default=0.5)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--rows", type=int, default=12, help="rows of 320 tokens in a step")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--fall", type=float, default=0.25, help="the part of the steps over which the rate falls")
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--dropout", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0, help="threads to compute with; 0 takes all cores")
    parser.add_argument("--tell", type=int, default=20)
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
