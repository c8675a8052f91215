"""Settings as earlier versions wrote them, brought to today's names: JSON of format 1 of config.json to format 2."""

from typing import Any

OPTIMIZERS = tuple(f"jaxgen.optimizers:{name}" for name in ("Adam", "RMSProp", "SGD", "Adagrad"))
"""Types that held, in format 1, what is now an Optimizer around a rule of the same name."""

MOVED = {
    "experiments.experiment:Experiment": "experiments.runs.experiment:Experiment",
    **{f"jaxgen.gans.priors:{name}": f"jaxgen.priors:{name}" for name in ("Normal", "Uniform")},
    "jaxgen.nets.conditioning:Beside": "jaxgen.nets.conditioning:ConcatCondition",
    "jaxgen.nets.conditioning:AsChannel": "jaxgen.nets.conditioning:ChannelCondition",
    "jaxgen.nets.conditioning:Within": "jaxgen.nets.conditioning:InnerCondition",
    "jaxgen.nets.encoder_decoder:SharedScale": "jaxgen.nets.shared_scale:SharedScale",
    **{
        f"jaxgen.nets.{former}:{name}": f"jaxgen.nets.courses.{course}:{name}"
        for former, course, names in (
            ("courses", "lanham", ("LanhamGenerator", "LanhamCritic")),
            ("courses", "fidle", ("FidleGenerator", "FidleDiscriminator")),
            ("dcgan", "atienza", ("AtienzaGenerator", "AtienzaDiscriminator")),
        )
        for name in names
    },
}
"""Types that have another name today."""


def upgraded(data: Any) -> Any:
    """JSON of settings as format 2 of config.json has them, from format 1."""
    if isinstance(data, list):
        return [upgraded(value) for value in data]
    if not isinstance(data, dict):
        return data
    data = {key: upgraded(value) for key, value in data.items()}
    kind = str(data.get("type"))
    if kind in OPTIMIZERS:
        return _optimizer(data)
    if kind in MOVED:
        return data | {"type": MOVED[kind]}
    return _config(data) if kind.endswith(":Config") else data


def _optimizer(data: dict[str, Any]) -> dict[str, Any]:
    """An optimiser is composed of parts."""
    around = {key: data.pop(key) for key in ("learning_rate", "schedule", "accumulate") if key in data}
    return {"type": "jaxgen.optimizers:Optimizer", **around, "rule": data}


def _config(data: dict[str, Any]) -> dict[str, Any]:
    """A model's settings."""
    if "ema_decay" in data:
        data["average"] = _average(data.pop("ema_decay"))
    if "view" in data:
        view = data.pop("view")
        data["discriminator"] = _with_noise(data["discriminator"], view.pop("noise", None))
        data["discrimination"] = view
    if data["type"] == "jaxgen.autoencoders.cvae:Config" and "prior" in data:
        data["prior_network"] = data.pop("prior")
    return data


def _average(decay: float) -> dict[str, Any]:
    """A moving average is a value."""
    if decay == 0:
        return {"type": "jaxgen.moving_averages:NoAverage"}
    return {"type": "jaxgen.moving_averages:Exponential", "decay": decay}


def _with_noise(network: dict[str, Any], noise: dict[str, Any] | None) -> dict[str, Any]:
    """Noise on a discriminator's inputs is a network around it, which has the same variables."""
    if noise is None or noise.get("std", 0.0) == 0:
        return network
    return noise | {"type": "jaxgen.nets.instance_noise:InstanceNoise", "discriminator": network}
