"""How likely a run's model finds held-out images: `python -m experiments.likelihood RUN`.

For models that bound log p(x): the parts of the ELBO, and with `--num-latents 5000` the importance-weighted estimate of
log p(x) (Burda, Grosse, Salakhutdinov, 2015, arXiv 1509.00519), which lies below log p(x) on average and rises to it
with the number of latents. Also how many latents are active: those whose posterior mean varies over images by more than
0.01. For denoisers: the parts of their variational bound, or log p(x) by their ordinary differential equation. In nats
for each image, with standard errors over images; bits per dimension beside them.
"""

import json
import math
import time
from collections.abc import Sequence
from typing import Any

from experiments import data
from experiments.command_line import cli
from experiments.command_line.errors import FolderError, UserError
from experiments.evaluation import denoiser_likelihood, likelihood
from experiments.runs import files
from experiments.runs.experiment import model_of


def main(argv: Sequence[str]) -> int:
    """Print a table and write RUN/likelihood.json."""
    folder, options = cli.run_folder(argv)
    if folder is None:
        print("usage: python -m experiments.likelihood RUN [options]")
        return 0
    from experiments.runs import restore, run_data, run_folder
    from experiments.runs.run_data import Place
    from jaxgen.abilities import DenoisingBound, DensityModel, LikelihoodModel

    name, experiment = run_folder.read(folder)
    model = model_of(experiment.model)
    latents, denoises = isinstance(model, LikelihoodModel), isinstance(model, DenoisingBound | DensityModel)
    own: Any = denoiser_likelihood.Options if denoises else likelihood.Options
    described = (__doc__ or "").partition("\n")[0]
    chosen = cli.parse(own, own(), options, prog="python -m experiments.likelihood RUN", description=described)
    if not latents and not denoises:
        raise UserError(f"{name} bounds no likelihood: this command is for variational autoencoders and denoisers")
    method = "" if latents else denoiser_likelihood.method_of(name, model, experiment.model, chosen)
    experiment, model, step, state = restore.at(folder, chosen.step)
    experiment = run_data.placed(experiment, Place(chosen.data, chosen.data_dir))
    run_data.check(folder, experiment)
    images = data.load_for(experiment, "test")
    if len(images) < 2:
        raise UserError(f"{images.name} holds out {len(images)} example, but a standard error needs at least 2")
    start = time.perf_counter()
    of_model = _of_latents if latents else _of_denoiser
    found = of_model(model, experiment.model, state, images, (chosen, method))
    result = {
        "experiment": name,
        "step": step,
        "data": images.name,
        "split": "test",
        "num_images": min(chosen.num_images, len(images)),
        "seed": chosen.seed,
        "num_dims": math.prod(experiment.model.image_shape),
        "seconds": round(time.perf_counter() - start, 1),
        **found,
    }
    try:
        files.write(folder / "likelihood.json", json.dumps(result, indent=2) + "\n")
    except OSError as error:
        raise FolderError(f"cannot write {folder / 'likelihood.json'}: {error.strerror}") from error
    _show(result)
    return 0


def _of_latents(model: Any, config: Any, state: Any, images: Any, asked: tuple[Any, str]) -> dict[str, Any]:
    options = asked[0]
    found, means = likelihood.measure(model, config, state, images, options)
    rows = likelihood.summary(found, means, math.prod(config.image_shape))
    said = {
        "reconstruction": "reconstruction, -E[log p(x|z)]",
        "kl": "divergence, KL(q(z|x) || p(z))",
        "negative_elbo": "negative ELBO",
        "nll": f"-log p(x), {options.num_latents:,} weights",
    }
    rows = {name: value | {"said": said[name]} if name in said else value for name, value in rows.items()}
    return {"num_latents": options.num_latents, "protocol": likelihood.protocol(config), **rows}


def _of_denoiser(model: Any, config: Any, state: Any, images: Any, asked: tuple[Any, str]) -> dict[str, Any]:
    options, method = asked
    found = denoiser_likelihood.measure(model, config, state, images, options, method)
    rows = denoiser_likelihood.summary(found, config, method)
    how = {"method": method, "num_draws": options.num_draws}
    if method == denoiser_likelihood.DENSITY:
        adaptive = options.tolerance > 0
        how |= {"tolerance": options.tolerance} if adaptive else {"num_steps": options.num_steps}
        how |= {"num_probes": options.num_probes}
    return how | {"protocol": denoiser_likelihood.protocol(config, method), **rows}


def _show(result: dict[str, Any]) -> None:
    print(f"{result['experiment']} at step {result['step']:,}, {result['seconds']:.0f} s")
    each = (
        f"{result['num_latents']:,} latents each" if "num_latents" in result else f"{result['num_draws']:,} draws each"
    )
    print(f"{result['num_images']:,} held-out images of {result['data']}, {each}")
    print(result["protocol"])
    print(f"{'':<34}{'nats':>12}{'+-':>9}{'bits/dim':>11}")
    for row in result.values():
        if isinstance(row, dict):
            print(f"{row['said']:<34}{row['mean']:>12.3f}{row['standard_error']:>9.3f}{row['bits_per_dim']:>11.4f}")
    if "active_latents" in result:
        print(f"active latents: {result['active_latents']} of {result['latents']}")


if __name__ == "__main__":
    cli.run(main)
