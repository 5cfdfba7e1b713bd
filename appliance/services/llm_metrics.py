"""The numbers of the model's process, as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from appliance.llm.desk import Desk
from appliance.llm.worker import Measured

__all__ = ["ModelMetrics"]

_FIRST_TOKEN_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class ModelMetrics:
    """Counts what both models do; ``model`` is ``small`` or ``large``."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        which = ["model"]
        self.jobs = Counter(
            "dreamstack_model_jobs", "Plans and prose by outcome.", ["model", "kind", "outcome"], registry=registry
        )
        self.tokens = Counter("dreamstack_model_tokens", "Tokens written.", which, registry=registry)
        self.seconds = Counter("dreamstack_model_seconds", "Seconds spent on them.", which, registry=registry)
        self.first = Histogram(
            "dreamstack_model_first_token_seconds",
            "From the start of the work to the first token.",
            which,
            buckets=_FIRST_TOKEN_S,
            registry=registry,
        )
        self.speed = Gauge(
            "dreamstack_model_tokens_per_second", "Tokens per second of the last job.", which, registry=registry
        )
        self.queue = Gauge("dreamstack_model_queue", "Questions that wait.", which, registry=registry)
        self.loaded = Gauge("dreamstack_model_loaded", "1 when the model is loaded.", which, registry=registry)

    def of(self, model: str) -> Callable[[Measured], None]:
        """What hears of a model's jobs."""

        def measure(took: Measured) -> None:
            self.jobs.labels(model, took.kind, took.outcome).inc()
            if took.tokens:
                self.tokens.labels(model).inc(took.tokens)
                self.seconds.labels(model).inc(took.seconds)
                self.speed.labels(model).set(took.tokens_per_s)
            if took.first_token_s:
                self.first.labels(model).observe(took.first_token_s)

        return measure

    def text(self, desk: Desk) -> bytes:
        """The numbers now."""
        for name, worker in (("small", desk.small), ("large", desk.large)):
            self.queue.labels(name).set(worker.waiting)
            self.loaded.labels(name).set(worker.model is not None)
        return generate_latest(self.registry)
