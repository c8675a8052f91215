"""Settings of the places, other than the run's folder, that `--log` sends metrics and pictures to."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Wandb:
    """Weights & Biases. The run there has the id of the run here, so that a resumed run is the same one."""

    project: str = "jaxgen"  # that the run belongs to
    entity: str | None = None  # user or team; that of the account if not given
    name: str | None = None  # of the run; that of the experiment if not given
    mode: Literal["online", "offline", "disabled"] = "online"  # offline keeps all in wandb/, for `wandb sync`
