"""What a person may try when training has diverged, from what the model's settings offer."""

import dataclasses
from typing import Any

from experiments import settings
from experiments.experiment import Experiment


def after_divergence(experiment: Experiment) -> list[str]:
    """One line for each thing to try, the likeliest first, as options of the command."""
    options = list(_options(experiment.model, "--model"))
    rates = [f"{path} {value / 10:.3g}" for path, value in options if path.endswith("learning-rate")]
    halves = [f"{path} float32" for path, value in options if value in ("bfloat16", "float16")]
    epsilons = [f"{path} 1e-6" for path, value in options if path.endswith(".eps") and value < 1e-7]
    lines = [f"a tenth of the learning rate: {' '.join(rates)}"] if rates else []
    lines += [f"full precision: {' '.join(halves)}"] if halves else []
    lines += [f"less wild steps where gradients are tiny: {' '.join(epsilons)}"] if epsilons else []
    return [*lines, f"larger batches: --batch-size {2 * experiment.batch_size}"]


def _options(config: Any, path: str) -> list[tuple[str, Any]]:
    """Every option under `path`, with its value."""
    found = []
    for field in settings.fields(config):
        value, option = getattr(config, field.name), f"{path}.{field.name.replace('_', '-')}"
        found += _options(value, option) if dataclasses.is_dataclass(value) else [(option, value)]
    return found
