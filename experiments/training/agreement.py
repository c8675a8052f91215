"""Numbers of the settings that must agree with each other: what ends at a step, and the steps of the run.

Nothing stops a schedule from ending before the run does, or a run before its schedule; what that means is told at each
start, with the options that make them agree. docs/runs.md has the table of all numbers that count steps.
"""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from experiments.data.images import ImageSet
from experiments.runs import restore, settings
from experiments.runs.experiment import Experiment, model_of
from jaxgen import stages
from jaxgen.autoencoders.adaptive_weight import Adversarial
from jaxgen.autoencoders.bounds import ELBO, Capacity
from jaxgen.autoencoders.joint_vae import JointCapacity
from jaxgen.diffusion.curricula import Doubling, SquareRoot
from jaxgen.gans.fading_blur import FadingBlur
from jaxgen.gans.regularization import LeCam
from jaxgen.gradient_transformations import to_optax
from jaxgen.moving_averages import HalfLife
from jaxgen.nets.instance_noise import InstanceNoise
from jaxgen.optimizers import Cosine, InverseRoot, LinearDecay, Optimizer, RampedAdam
from jaxgen.ramps import CosineRamp, Jump
from jaxgen.train_state import TrainState


class Count(NamedTuple):
    """A setting that counts steps."""

    path: str
    updates: int  # of the run after which it is over
    what: str
    rate: tuple[int, int] | None = None  # steps of the optimiser in so many updates, where it counts those
    zero: bool = False  # whether nothing is learnt afterwards


def counts(experiment: Experiment, image_set: ImageSet) -> list[Count]:
    """All settings of the model that end at a step."""
    found = list(_of_optimizers(experiment, image_set))
    kinds: tuple[tuple[type, Any], ...] = (
        (InstanceNoise, lambda one: ("end", one.end, "the noise falls")),
        (FadingBlur, lambda one: ("end", one.end if one.sigma > 0 else 0, "the blur fades")),
        (ELBO, lambda one: ("warm_up", one.warm_up, "the weight of the divergence rises")),
        (Capacity, lambda one: ("steps", one.steps, "the capacity rises")),
        (JointCapacity, lambda one: ("steps", one.steps, "both capacities rise")),
        *((kind, lambda one: ("end", one.end, "the number of levels grows")) for kind in (SquareRoot, Doubling)),
        (Adversarial, lambda one: ("begin", one.begin if one.weight > 0 else 0, "the discriminator waits")),
        (LeCam, lambda one: ("begin", one.begin if one.weight > 0 else 0, "LeCam regularisation waits")),
        (HalfLife, lambda one: ("half_life", 0 if one.ramp_up else math.ceil(one.half_life), "the average forgets")),
    )
    for path, one in settings.of_type(experiment.model, CosineRamp, "model"):
        if ".rule." not in path:
            found.append(Count(f"{path}.end", one.end, "a ramp goes on"))
    for path, one in settings.of_type(experiment.model, Jump, "model"):
        found.append(Count(f"{path}.end", one.end, f"{path} has its first value"))
    for kind, of in kinds:
        for path, one in settings.of_type(experiment.model, kind, "model"):
            name, updates, what = of(one)
            if updates:
                found.append(Count(f"{path}.{name}", updates, what))
    return found


def _of_optimizers(experiment: Experiment, image_set: ImageSet) -> Iterator[Count]:
    chosen = settings.of_type(experiment.model, Optimizer, "model")
    ending = [(path, one) for path, one in chosen if one.warm_up or _ends(one)]
    if not ending:
        return
    made = steps_of_players(experiment, image_set)
    for path, one in ending:
        rate = _rate(path, one, made), one.accumulate

        def updates(steps: int, rate: tuple[int, int] = rate) -> int:
            return math.ceil(steps * rate[1] / rate[0])

        if one.warm_up:
            yield Count(f"{path}.warm_up", updates(one.warm_up), "the learning rate rises", rate)
        if isinstance(one.rule, RampedAdam):
            yield Count(f"{path}.rule.b2.end", updates(one.rule.b2.end), "a ramp goes on", rate)
        if isinstance(one.schedule, InverseRoot):
            steps = one.schedule.reference
            yield Count(f"{path}.schedule.reference", updates(steps), "the learning rate is constant", rate)
        if isinstance(one.schedule, LinearDecay | Cosine):
            zero = isinstance(one.schedule, LinearDecay) or one.schedule.final == 0
            yield Count(f"{path}.schedule.end", updates(one.schedule.end), "the learning rate falls", rate, zero)


def _ends(optimizer: Optimizer) -> bool:
    """Whether something in it changes up to a step."""
    return isinstance(optimizer.schedule, LinearDecay | InverseRoot | Cosine) or isinstance(optimizer.rule, RampedAdam)


def _rate(path: str, optimizer: Optimizer, made: list[tuple[str, Any, int]]) -> int:
    """Steps that an optimiser makes in an update: those of the player that it moves, by name where several could be."""
    possible = [(name, steps) for name, tx, steps in made if tx is to_optax(optimizer)]
    setting = path.rpartition(".")[2]
    named = [steps for name, steps in possible if setting.startswith(name.rpartition("/")[2])]
    return next(iter(named or [steps for _, steps in possible]), 1)


def steps_of_players(experiment: Experiment, image_set: ImageSet) -> list[tuple[str, Any, int]]:
    """Name and transformation of each player, and the steps that it makes in an update; nothing else is computed."""
    config, model = experiment.model, model_of(experiment.model)
    state = restore.abstract_state(experiment)
    size = experiment.batch_size * config.minibatches
    example = image_set.batch([0], config.batch_type)

    def counted() -> list[Any]:
        batch = jax.tree.map(lambda leaf: jnp.zeros((size, *leaf.shape[1:]), leaf.dtype), example)
        after, _ = model.update(config, jax.tree.map(_zeros, state), batch, jax.random.key(0))
        return [one.step for _, one in _players(after)]

    steps = jax.device_get(jax.jit(counted)())
    named = _players(state)
    return [(name, one.tx, max(1, int(made))) for (name, one), made in zip(named, steps, strict=True)]


def _players(state: Any) -> list[tuple[str, TrainState]]:
    leaves = jax.tree_util.tree_leaves_with_path(state, is_leaf=lambda leaf: isinstance(leaf, TrainState))
    return [
        (jax.tree_util.keystr(path, simple=True, separator="/"), leaf)
        for path, leaf in leaves
        if isinstance(leaf, TrainState)
    ]


def _zeros(leaf: Any) -> Any:
    if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        return jnp.broadcast_to(jax.random.key(0), leaf.shape)
    return jnp.zeros(leaf.shape, leaf.dtype)


def lines(experiment: Experiment, image_set: ImageSet) -> list[str]:
    """What does not agree, in a sentence each, with the cure: a warning, or a note where it may be what is wanted."""
    found, steps = counts(experiment, image_set), experiment.steps
    told = [*_ended(found, steps), *_never_whole(experiment)]
    if experiment.eval_every is not None and experiment.eval_every > steps:
        told.append(
            f"--eval-every {experiment.eval_every:,} is more than the {steps:,} steps, so that nothing is evaluated; "
            "give fewer"
        )
    return [*(f"warning: {line}" for line in told), *(f"note: {line}" for line in _late(experiment, found, steps))]


def _ended(found: list[Count], steps: int) -> list[str]:
    """Learning rates that are 0 before the run ends."""
    over = [one for one in found if one.zero and one.updates < steps]
    if not over:
        return []
    first = min(one.updates for one in over)
    return [
        f"from step {first:,} on the learning rate of {_said(over)} is 0, but the run has {steps:,} steps; give "
        f"{' '.join(_later_ends(over, steps))}, with --change where the run goes on, or --steps {first}"
    ]


def at_the_end(experiment: Experiment, image_set: ImageSet) -> list[str]:
    """What a run that has reached its last step needs beside a larger --steps."""
    over = [one for one in counts(experiment, image_set) if one.zero and one.updates <= experiment.steps]
    if not over:
        return []
    options = " and ".join(f"a larger {settings.option(one.path)}" for one in over)
    return [f"the learning rate of {_said(over)} is 0 from then on: give --change and {options} too"]


def _later_ends(over: list[Count], steps: int) -> list[str]:
    """Options with which schedules end with the run."""
    return [f"{settings.option(one.path)} {_in_own_steps(one, steps)}" for one in over]


def _in_own_steps(one: Count, updates: int) -> int:
    made, accumulated = one.rate or (1, 1)
    return math.ceil(updates * made / accumulated)


def _said(over: list[Count]) -> str:
    return " and ".join(one.path.removesuffix(".schedule.end") for one in over)


def _late(experiment: Experiment, found: list[Count], steps: int) -> list[str]:
    """What goes on when the run ends."""
    late = [
        f"{one.what} until step {one.updates:,} ({settings.option(one.path)})" for one in found if one.updates > steps
    ]
    stage = [*stages.until(experiment.model, steps - 1)][-1]
    if stage.end is not None:
        late.append(f"the stage that begins at step {stage.start:,} goes on until {stage.end:,}, and others follow")
    return [f"the run ends at step {steps:,}, but {'; '.join(late)}"] if late else []


def _never_whole(experiment: Experiment) -> list[str]:
    """Learning rates that fall to 0 before their warm-up is over."""
    return [
        f"the learning rate of {path} rises for {one.warm_up:,} of its steps, but is 0 from {one.schedule.end:,} on; "
        f"give a smaller {settings.option(path)}.warm-up"
        for path, one in settings.of_type(experiment.model, Optimizer, "model")
        if isinstance(one.schedule, LinearDecay | Cosine) and one.warm_up >= one.schedule.end
    ]
