"""The numbers of the model's process."""

from __future__ import annotations

from appliance.llm.desk import Desk
from appliance.llm.dialects.ask import Ask
from appliance.llm.worker import Measured, Worker
from appliance.services.llm_metrics import ModelMetrics


async def test_what_the_models_do_is_counted() -> None:
    metrics = ModelMetrics()
    small, large = (Worker(lambda: None, lambda _: Ask(), 8, measure=metrics.of(name)) for name in ("small", "large"))
    metrics.of("small")(Measured("plan", "plan", 20, 0.1, 0.01))
    metrics.of("large")(Measured("prose", "LLM210"))
    told = metrics.text(Desk(small, large, 1)).decode()
    for line in (
        'dreamstack_model_jobs_total{kind="plan",model="small",outcome="plan"} 1.0',
        'dreamstack_model_jobs_total{kind="prose",model="large",outcome="LLM210"} 1.0',
        'dreamstack_model_tokens_total{model="small"} 20.0',
        'dreamstack_model_tokens_per_second{model="small"} 200.0',
        'dreamstack_model_first_token_seconds_count{model="small"} 1.0',
        'dreamstack_model_queue{model="large"} 0.0',
        'dreamstack_model_loaded{model="large"} 0.0',
    ):
        assert line in told.splitlines()
