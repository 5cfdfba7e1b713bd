"""What a benchmark found, and how it is printed.

>>> percentile(range(1, 101), 50)
50.5
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec


class Measure(msgspec.Struct, frozen=True):
    """Something measured many times.

    Attributes:
        what: what it is, as one line of the table.
        samples: the values.
        unit: of the values.
    """

    what: str
    samples: tuple[float, ...]
    unit: str = "ms"

    def p(self, percent: float) -> float:
        """A percentile of the samples, interpolated between neighbours."""
        return percentile(self.samples, percent)


class Share(msgspec.Struct, frozen=True):
    """The mean milliseconds that one stage takes."""

    stage: str
    ms: float


class Shares(msgspec.Struct, frozen=True):
    """Where the time of something goes; the stages add up to the whole."""

    whole: str
    stages: tuple[Share, ...]


class Ratio(msgspec.Struct, frozen=True):
    """A median beside the median of a baseline from the same run."""

    ours: Measure
    baseline: Measure

    @property
    def value(self) -> float:
        """How many times the baseline ours is."""
        return self.ours.p(50) / self.baseline.p(50)


class Result(msgspec.Struct, frozen=True):
    """All that one benchmark found."""

    name: str
    title: str
    measures: tuple[Measure, ...]
    ratios: tuple[Ratio, ...]
    shares: tuple[Shares, ...] = ()
    notes: tuple[str, ...] = ()


def percentile(samples: Sequence[float], percent: float) -> float:
    """The value that `percent` of the samples are below, interpolated between neighbours.

    Raises:
        ValueError: there are no samples.
    """
    if not samples:
        raise ValueError("no samples")
    ordered = sorted(samples)
    place = (len(ordered) - 1) * percent / 100
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def split(whole: str, total_ms: Sequence[float], stages: Mapping[str, Sequence[float]], rest: str) -> Shares:
    """Shares by mean: the named stages, and what they leave of the whole as the last one."""
    means = {stage: mean(spent) for stage, spent in stages.items()}
    left = mean(total_ms) - sum(means.values())
    return Shares(whole, tuple(Share(stage, ms) for stage, ms in (means | {rest: left}).items()))


def mean(samples: Sequence[float]) -> float:
    """The arithmetic mean; 0 of nothing."""
    return sum(samples) / len(samples) if samples else 0.0


def text(result: Result) -> str:
    """A result as a person reads it."""
    wide = max(len(measure.what) for measure in result.measures)
    lines = [f"{result.name}: {result.title}", "", f"  {'':{wide}}  {'n':>5} {'p50':>10} {'p95':>10} {'p99':>10}"]
    lines += [
        f"  {each.what:{wide}}  {len(each.samples):>5} "
        f"{each.p(50):>10.3f} {each.p(95):>10.3f} {each.p(99):>10.3f} {each.unit}"
        for each in result.measures
    ]
    lines += [line for shares in result.shares for line in _share_lines(shares)]
    lines += ["", *(_ratio_line(ratio) for ratio in result.ratios)]
    lines += [f"  note   {note}" for note in result.notes]
    return "\n".join(lines) + "\n"


def _share_lines(shares: Shares) -> Iterable[str]:
    total = sum(share.ms for share in shares.stages)
    yield f"\n  where the time goes: {shares.whole} (mean {total:.2f} ms)"
    for share in shares.stages:
        part = share.ms / total if total else 0.0
        yield f"    {share.stage:<34} {share.ms:>8.2f} ms {part:>6.0%}  {'█' * round(part * 30)}"


def _ratio_line(ratio: Ratio) -> str:
    ours, bare = ratio.ours, ratio.baseline
    return (
        f"  ratio  {ratio.value:.2f} x  =  {ours.what} ({ours.p(50):.3f})"
        f"  /  {bare.what} ({bare.p(50):.3f} {bare.unit})"
    )


def plain(result: Result) -> dict[str, Any]:
    """A result as JSON values: percentiles instead of samples."""
    return {
        "name": result.name,
        "title": result.title,
        "measures": [
            {"what": m.what, "unit": m.unit, "n": len(m.samples), "p50": m.p(50), "p95": m.p(95), "p99": m.p(99)}
            for m in result.measures
        ],
        "ratios": [
            {"ours": r.ours.what, "baseline": r.baseline.what, "baseline_p50": r.baseline.p(50), "ratio": r.value}
            for r in result.ratios
        ],
        "shares": [msgspec.to_builtins(shares) for shares in result.shares],
        "notes": list(result.notes),
    }
