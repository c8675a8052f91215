"""How likely a run's model finds held-out images: `python -m experiments.likelihood RUN --num-latents 5000`.

For models that bound log p(x): the parts of the ELBO, and the importance-weighted estimate of log p(x) (Burda, Grosse,
Salakhutdinov, 2015, arXiv 1509.00519), which lies below log p(x) on average and rises to it with the number of latents.
Also how many latents are active: those whose posterior mean varies over images by more than 0.01. In nats for each
image, with standard errors over images; bits per dimension beside them.
"""

import json
import math
import time
from collections.abc import Sequence
from typing import Any

from experiments import data
from experiments.command_line import cli
from experiments.command_line.errors import FolderError, UserError
from experiments.evaluation import likelihood
from experiments.evaluation.likelihood import Options
from experiments.runs import files
from experiments.runs.experiment import model_of


def main(argv: Sequence[str]) -> int:
    """Print a table and write RUN/likelihood.json."""
    folder, options = cli.run_folder(argv)
    if folder is None:
        print("usage: python -m experiments.likelihood RUN [options]")
        return 0
    chosen = cli.parse(
        Options,
        Options(),
        options,
        prog="python -m experiments.likelihood RUN",
        description=(__doc__ or "").partition("\n")[0],
    )
    from experiments.runs import restore, run_data, run_folder
    from experiments.runs.run_data import Place
    from jaxgen.model import LikelihoodModel

    name, experiment = run_folder.read(folder)
    if not isinstance(model_of(experiment.model), LikelihoodModel):
        raise UserError(f"{name} bounds no likelihood: this command is for variational autoencoders")
    experiment, model, step, state = restore.at(folder, chosen.step)
    experiment = run_data.placed(experiment, Place(chosen.data, chosen.data_dir))
    run_data.check(folder, experiment)
    images = data.load_for(experiment, "test")
    if len(images) < 2:
        raise UserError(f"{images.name} holds out {len(images)} example, but a standard error needs at least 2")
    config = experiment.model
    start = time.perf_counter()
    found, means = likelihood.measure(model, config, state, images, chosen)
    result = {
        "experiment": name,
        "step": step,
        "data": images.name,
        "split": "test",
        "num_images": len(means),
        "num_latents": chosen.num_latents,
        "seed": chosen.seed,
        "protocol": likelihood.protocol(config),
        "num_dims": math.prod(config.image_shape),
        "seconds": round(time.perf_counter() - start, 1),
        **likelihood.summary(found, means, math.prod(config.image_shape)),
    }
    try:
        files.write(folder / "likelihood.json", json.dumps(result, indent=2) + "\n")
    except OSError as error:
        raise FolderError(f"cannot write {folder / 'likelihood.json'}: {error.strerror}") from error
    _show(result)
    return 0


def _show(result: dict[str, Any]) -> None:
    print(f"{result['experiment']} at step {result['step']:,}, {result['seconds']:.0f} s")
    print(f"{result['num_images']:,} held-out images of {result['data']}, {result['num_latents']:,} latents each")
    print(result["protocol"])
    print(f"{'':<34}{'nats':>12}{'+-':>9}{'bits/dim':>11}")
    said = {
        "reconstruction": "reconstruction, -E[log p(x|z)]",
        "kl": "divergence, KL(q(z|x) || p(z))",
        "negative_elbo": "negative ELBO",
        "nll": f"-log p(x), {result['num_latents']:,} weights",
    }
    for name, text in said.items():
        row = result[name]
        print(f"{text:<34}{row['mean']:>12.3f}{row['standard_error']:>9.3f}{row['bits_per_dim']:>11.4f}")
    print(f"active latents: {result['active_latents']} of {result['latents']}")


if __name__ == "__main__":
    cli.run(main)
