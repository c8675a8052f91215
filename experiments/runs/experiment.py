"""An experiment: a model's settings, its data, its length, and how often it shows itself."""

import ast
import difflib
import importlib
import pathlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, TypeVar, cast

from experiments.command_line.checks import require_seed
from experiments.command_line.errors import UserError
from experiments.data.options import ImageOptions, StorageOptions
from experiments.runs.sinks import Wandb
from jaxgen.checks import require

if TYPE_CHECKING:
    from jaxgen.model import Model, ModelConfig

CONFIGS = pathlib.Path(__file__).parent.parent / "configs"

Picture = Literal[
    "samples", "reconstructions", "codes", "code_grid", "level_sets", "trajectories", "retrievals", "styles"
]

ModelConfigT = TypeVar("ModelConfigT", bound="ModelConfig")


@dataclass(frozen=True)
class Experiment(Generic[ModelConfigT]):
    """Settings of one training run."""

    model: ModelConfigT  # settings of the model; image_shape follows the data
    data: str = "digits"  # name of the data set: digits, mnist, cifar10:cat, folder:PATH, ...; see docs/data.md
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; $TFDS_DATA_DIR if not given
    images: ImageOptions = ImageOptions()  # how pictures are brought to one size
    storage: StorageOptions = StorageOptions()  # where the images lie while training
    steps: int = 10_000  # updates of the generator until the run ends
    batch_size: int = 64  # m, examples of one minibatch over all devices
    seed: int = 0  # of the weights, the noise and the order of the data
    out: pathlib.Path | None = None  # folder of the run; runs/NAME if not given
    parallel: Literal["jit", "pmap", "shard_map"] = "jit"  # how an update runs over the devices
    steps_per_call: int = 10  # updates in one dispatch; more is faster on a GPU, fewer reacts sooner
    log_every: int = 100  # steps between two lines of metrics.jsonl
    sample_every: int = 1_000  # steps between two pictures
    checkpoint_every: int = 1_000  # steps between two checkpoints
    eval_every: int | None = None  # steps between two evaluations of samples, as eval/... in metrics.jsonl
    eval_samples: int = 1_000  # samples of such an evaluation
    keep: int = 3  # newest checkpoints to keep
    best: str | None = None  # metric by which the best checkpoint is kept beside the newest, a loss for one
    best_mode: Literal["min", "max"] = "min"  # whether the best one is the smallest or the largest
    num_samples: int = 64  # images in a picture
    pictures: tuple[Picture, ...] = ("samples",)  # to draw
    log: tuple[Literal["tensorboard", "wandb"], ...] = ()  # further places for metrics and pictures
    wandb: Wandb = Wandb()  # for --log wandb
    pretrained: tuple[str, ...] = ()  # NAME=FILE.npz or NAME=RUN:PLAYER for each frozen part; random without
    tokenizer: pathlib.Path | None = None  # of --images.tokens: tokenizer.json, or another run; learned if not given
    init_from: str | None = None  # folder of another run, with whose weights this one begins, where they match
    resume: bool = True  # go on where the run in this folder stopped; else move it aside and begin anew
    change: bool = False  # go on though learning rates, schedules or the batch size are others now; see docs/runs.md
    shard_state: bool = False  # cut weights and optimiser over the devices, for networks that do not fit; with jit
    check_replicas: bool = False  # at each log step, check that all devices hold the same state; costs a copy of it
    compilation_cache: str | None = None  # folder for compiled programs, or off; in the user's cache if not given
    distributed: bool = False  # train together with other processes, which run the same command; see docs/devices.md
    coordinator: str | None = None  # HOST:PORT of process 0; as SLURM, Kubernetes or a TPU has it if not given
    num_processes: int | None = None  # how many train together
    process_id: int | None = None  # which of them this is, from 0 on
    start_timeout: int = 120  # seconds in which the processes must find each other
    heartbeat_timeout: int = 20  # seconds without a sign of life after which a process counts as lost

    def __post_init__(self):
        for name in (
            *("steps", "batch_size", "steps_per_call", "log_every", "sample_every"),
            *("checkpoint_every", "keep", "num_samples", "start_timeout", "heartbeat_timeout"),
        ):
            require(
                getattr(self, name) >= 1,
                f"--{name.replace('_', '-')}",
                getattr(self, name),
                "at least 1",
            )
        require(self.eval_every is None or self.eval_every >= 1, "--eval-every", self.eval_every, "at least 1")
        require(self.eval_samples >= 10, "--eval-samples", self.eval_samples, "at least 10")
        require_seed(self.seed)
        if self.shard_state and self.parallel != "jit":
            raise ValueError(f"--shard-state works with --parallel jit, not with {self.parallel}")
        self._check_processes()

    def _check_processes(self):
        options = ("coordinator", "num_processes", "process_id")
        given = [f"--{name.replace('_', '-')}" for name in options if getattr(self, name) is not None]
        if given and not self.distributed:
            raise ValueError(f"{given[0]} needs --distributed")
        if len(given) in (1, 2):
            raise ValueError(
                f"{' and '.join(given)} alone do not do: --distributed takes --coordinator, --num-processes and "
                "--process-id, or none of them where the cluster tells them"
            )
        if self.coordinator is None or self.num_processes is None or self.process_id is None:
            return
        host, _, port = self.coordinator.rpartition(":")
        right = bool(host) and port.isdecimal() and 0 < int(port) < 2**16
        require(right, "--coordinator", self.coordinator, "HOST:PORT")
        require(self.num_processes >= 1, "--num-processes", self.num_processes, "at least 1")
        last = self.num_processes - 1
        require(0 <= self.process_id <= last, "--process-id", self.process_id, f"in [0, {last}]: the first is 0")


def model_of(config: "ModelConfig") -> "Model":
    """The model module whose Config this is."""
    return cast("Model", importlib.import_module(type(config).__module__))


def names() -> list[str]:
    """Names of all experiments, one for each file in `configs/`."""
    return sorted(path.stem for path in CONFIGS.glob("*.py") if path.stem != "__init__")


def summary(name: str) -> str:
    """The first line of an experiment's docstring, read without importing it."""
    tree = ast.parse((CONFIGS / f"{name}.py").read_text(encoding="utf-8"))
    return (ast.get_docstring(tree) or "").partition("\n")[0]


def load(name: str) -> Experiment:
    """The experiment of that name as its config file has it."""
    require_name(name)
    return importlib.import_module(f"experiments.configs.{name}").EXPERIMENT


def require_name(name: str) -> None:
    """Raise UserError with the nearest name unless there is such an experiment."""
    if name not in names():
        near = difflib.get_close_matches(name, names(), n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(names())}"
        raise UserError(f"no experiment is named {name!r}; {hint}")
