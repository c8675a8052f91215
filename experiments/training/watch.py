"""Warnings from what adversarial models log (`jaxgen.gans.diagnostics`): what goes wrong, and what likely helps."""

from typing import NamedTuple

SURE_OF_ALL = 0.95
"""Shares of the real and of the fakes that are judged surely, above which a discriminator has won."""

ALIKE = 0.05
"""Diversity of the fakes, as a share of the data's, below which a generator has collapsed."""

WILD, STILL = 1e3, 1e-8
"""Lengths of a gradient above and below which a player no longer learns."""


class Alarm(NamedTuple):
    """One thing that goes wrong."""

    kind: str
    text: str


def alarms(means: dict[str, float]) -> list[Alarm]:
    """What the means of a log line tell of."""
    found = []
    real, fake = means.get("real_certainty", 0.0), means.get("fake_certainty", 0.0)
    if min(real, fake) > SURE_OF_ALL:
        found.append(
            Alarm(
                "saturation",
                f"the discriminator is rightly sure of {real:.0%} of the real examples and {fake:.0%} of the fakes, so "
                "that the generator learns little; likely cures: a lower learning rate of the discriminator, noise on "
                "its inputs (InstanceNoise around it), one-sided smoothing (--model.objective.smoothing 0.1)",
            )
        )
    diversity = means.get("diversity", 1.0)
    if diversity < ALIKE:
        found.append(
            Alarm(
                "collapse",
                f"the fakes differ {diversity:.1%} as much as the data do, the generator makes few different ones; "
                "likely cures: lower learning rates, larger batches, a Wasserstein critic with gradient penalty",
            )
        )
    for name, length in means.items():
        if name.startswith("gradient_norm/"):
            found += _of_gradient(name.partition("/")[2], length)
    return found


def _of_gradient(player: str, length: float) -> list[Alarm]:
    text = f"the gradient of the {player} has length {length:.3g}; likely cure:"
    if length > WILD:
        return [Alarm(f"exploding {player}", f"{text} lower learning rates, or a smaller weight of the penalty")]
    if length < STILL:
        return [Alarm(f"vanishing {player}", f"{text} an objective that does not saturate, or a slower opponent")]
    return []


class Watch:
    """Tells of each kind of alarm once, at the second log line in a row that gives it: a start may look bad."""

    def __init__(self):
        self._before: set[str] = set()
        self._reported: set[str] = set()

    def lines(self, step: int, means: dict[str, float]) -> list[str]:
        """What to say at a log step."""
        found = alarms(means)
        due = [alarm for alarm in found if alarm.kind in self._before and alarm.kind not in self._reported]
        self._before = {alarm.kind for alarm in found}
        self._reported |= {alarm.kind for alarm in due}
        return [f"warning: at step {step:,} {alarm.text}" for alarm in due]
