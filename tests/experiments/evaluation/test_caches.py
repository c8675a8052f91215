"""Every cache of the commands: what its values depend on, and what its key covers."""

import ast
import pathlib

import numpy as np

from experiments.evaluation.extractors import Extractor
from experiments.evaluation.outputs import Outputs
from experiments.evaluation.rows import Plan, Sets
from experiments.evaluation.sets import Examples, Real
from tests.experiments.evaluation import test_classifier

ROOT = pathlib.Path(__file__).parents[3]

ON_DISK = {
    # module: (what is kept, what it depends on, what covers it)
    "experiments.evaluation.classifier": (
        "weights of the classifier",
        "training images and labels, their options, its settings and seed",
        "its file's name is a digest of all of them, and the file repeats them; of images that are read as they are "
        "needed, the fingerprint of their files and 64 of them. Its accuracy is not kept.",
    ),
    "experiments.training.compilation": (
        "compiled programs",
        "the program, the versions of JAX and XLA, the kind of device",
        "JAX's own key; a folder for each kind of processor",
    ),
    "experiments.runs.frozen": (
        "pretrained parts of a run's model",
        "the source that was given when the run began",
        "checksums in config.json; a run keeps its copy, whatever becomes of the source",
    ),
}

IN_MEMORY = {
    # function: (what it depends on beside its arguments, which are the key)
    "experiments.command_line.choices._hints": "nothing: the fields of a class",
    "experiments.data.archives._opened": "an archive, whose time and size are arguments",
    "experiments.data.decoding.suffixes": "the packages that are installed",
    "experiments.data.order._permutation": "nothing",
    "experiments.data.pixels._transform": "nothing",
    "experiments.evaluation.inception.shapes": "the network, which has no settings",
    "experiments.data.bicubic._weights": "nothing",
    "experiments.evaluation.path_lengths._compiled": "nothing: the state is an argument of what it gives",
    "experiments.evaluation.rows.neighbors": "the sets of one evaluation, which are fixed",
    "experiments.evaluation.sets.given": "the data of one run, which are fixed",
    "experiments.latents.styled._from_w_plus": "nothing: the state is an argument of what it gives",
    "experiments.latents.styled._to_w_plus": "the settings of one run",
    "experiments.latents.trained.classes": "the data of one run, read once a command",
    "experiments.latents.trained.held_out": "the data of one run, read once a command",
    "experiments.latents.trained.latent_dim": "the settings of one run",
    "experiments.models.abilities.code_namer": "nothing: the state is an argument of what it gives",
    "experiments.models.abilities.decoder": "nothing: the state is an argument of what it gives",
    "experiments.models.abilities.encoder": "nothing: the state is an argument of what it gives",
    "experiments.models.abilities.reconstruction": "nothing: the state is an argument of what it gives",
    "experiments.models.coupled.pair_decoder": "nothing: the state is an argument of what it gives",
    "experiments.models.matching._embed": "nothing: the state is an argument of what it gives",
    "experiments.models.posteriors.drawer": "nothing: the state is an argument of what it gives",
    "experiments.models.progress._telling": "nothing: a class made of a class",
    "experiments.models.sampling._rows": "nothing: state, seed and conditions are arguments of what it gives",
    "experiments.pictures.figures._font": "a file of matplotlib",
    "experiments.runs.restore.of_segment": "the history of one run, fixed within the function that defines it",
    "experiments.translations.network._compiled": "nothing: the state is an argument of what it gives",
    "experiments.translations.network.stride": "nothing: settings and shapes of one network",
}


def test_every_cache_in_memory_is_in_the_table():
    found = set()
    for path in (ROOT / "experiments").rglob("*.py"):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [ast.unparse(one) for one in getattr(node, "decorator_list", [])]
            if any("cache" in name for name in names):
                found.add(f"{module}.{getattr(node, 'name')}")  # noqa: B009
    assert found == set(IN_MEMORY)


def test_every_cache_on_disk_is_in_the_table():
    writes = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (ROOT / "experiments").rglob("*.py")
        if any(sign in path.read_text(encoding="utf-8") for sign in ("variables.save(", "compilation_cache_dir"))
    }
    assert {"experiments.evaluation.classifier", "experiments.training.compilation"} <= writes <= set(ON_DISK)


def test_the_classifier_of_the_table_is_tested_row_by_row():
    names = vars(test_classifier)
    assert "test_another_seed_other_options_or_images_are_another_classifier" in names
    assert "test_its_accuracy_is_that_on_what_is_held_out_now" in names


def test_two_files_of_weights_with_one_name_are_two_extractors():
    real: Real = Real(None, None)  # pyright: ignore[reportArgumentType]
    given = Sets.__new__(Sets)
    given.real, given.plan, given._seen = real, Plan(), {}
    given.candidates = {"samples": Examples(np.zeros((2, 1, 1, 1), np.uint8))}
    for value in (1.0, 2.0):
        extractor = Extractor("inception:w.npz", lambda pixels, value=value: Outputs(np.full((2, 1), value), None))
        features = given.seen(extractor, "samples").features
        assert features is not None and features[0, 0] == value
