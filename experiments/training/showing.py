"""What a run shows of its states, in the first process alone: pictures, and metrics of samples."""

import json
import pathlib
import threading
from typing import Any

from experiments import processes
from experiments.data.images import ImageSet
from experiments.evaluation import during
from experiments.pictures import captioned, figures, kinds
from experiments.runs.experiment import Experiment
from experiments.training.reporting import Reporter, Silent
from jaxgen import parallel
from jaxgen.typing import Key

_TURN = threading.RLock()
"""Runs side by side show themselves one at a time: matplotlib's style is the process's, as are bars and warnings, and
the classifier that the first one trains is there for the others."""


class Showing:
    """The same latents and images at each step."""

    def __init__(self, folder: pathlib.Path, image_set: ImageSet, key: Key):
        self._folder, self._image_set, self._key = folder, image_set, key
        self._drawings: dict[str, kinds.Drawing] = {}
        self._evaluate: Any = None

    def enter_stage(self, experiment: Experiment) -> None:
        """From now on states are of this stage."""
        if not processes.first():
            return
        with _TURN:
            self._drawings = kinds.drawings(experiment, self._image_set, self._key)
            for kind, draw in self._drawings.items():
                if isinstance(draw, captioned.OfCaptions):
                    captioned.write(self._folder / kind, draw.captions)
            self._evaluate = during.evaluator(experiment, self._image_set) if experiment.eval_every else None

    def evaluate(self, state: Any) -> dict[str, float]:
        """Metrics of the samples, found by the first process and known to all: they may choose the best checkpoint."""
        here = parallel.unsharded(state)
        with _TURN:
            found = self._evaluate(here) if self._evaluate else {}
        return json.loads(processes.gather(json.dumps(found))[0])

    def pictures(self, step: int, state: Any, reporter: Reporter | Silent) -> None:
        """Draw each kind of picture, into the folder and wherever else the run tells of itself."""
        here = parallel.unsharded(state)
        for kind, draw in self._drawings.items():
            with _TURN:
                picture = draw(here)
            figures.save_png(self._folder / kind / f"step_{step:06d}.png", picture)
            reporter.picture(step, kind, picture)
