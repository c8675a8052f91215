"""Values of other libraries, on inputs made from a seed. Written once to golden.json, beside this file, by

    pip install torch==2.13.0 numpy scipy pillow tqdm requests packaging scikit-learn
    pip install --no-deps torchvision==0.28.0 torch-fidelity==0.4.0 prdc==0.2 lpips==0.1.4
    python -m tests.metrics.golden

in an environment of its own: the libraries pull in much that this project does not need. No weights are downloaded.
"""

import json
import pathlib
import tempfile

import numpy as np

from tests.metrics import inputs

FILE = pathlib.Path(__file__).with_name("golden.json")


def stored(name):
    """What was written."""
    return json.loads(FILE.read_text())[name]


def main():
    import torch

    # torchvision's compiled operators belong to another build of PyTorch, and are not used here.
    register, torch.library.register_fake = torch.library.register_fake, lambda *_, **__: lambda function: function
    import torchvision  # noqa: F401

    torch.library.register_fake = register
    golden = {
        "inception": inception(torch),
        "resize": resize(torch),
        "statistics": statistics(torch),
        "lpips": lpips(torch),
    }
    FILE.write_text(json.dumps(golden) + "\n")


def inception(torch):
    """torch-fidelity's network with random weights, read from a file as a user's would be."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    layers = ["64", "192", "768", "2048", "logits_unbiased", "logits"]
    shapes = {}

    class Shapes(FeatureExtractorInceptionV3):
        def load_state_dict(self, *_):
            shapes.update({n: tuple(t.shape) for n, t in self.state_dict().items() if "num_batches" not in n})

    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/weights.pth"
        torch.save({}, path)
        Shapes("shapes", layers, path)
        tensors = {n: torch.from_numpy(t) for n, t in inputs.weights(shapes).items()}
        torch.save(tensors | {n: torch.tensor(0) for n in _counters(shapes)}, path)
        network = FeatureExtractorInceptionV3("inception", layers, path)
    images = torch.from_numpy(inputs.pixels()).permute(0, 3, 1, 2)
    values = {layer: array.double().numpy() for layer, array in zip(layers, network(images), strict=True)}
    # The first channels, and a sum with signs that no error in another channel leaves alone.
    return {
        "num_tensors": len(shapes),
        "first": {layer: array[:, :8].tolist() for layer, array in values.items()},
        "signed": {layer: (array @ signs(array.shape[1])).tolist() for layer, array in values.items()},
        "norm": {layer: np.linalg.norm(array, axis=1).tolist() for layer, array in values.items()},
    }


def _counters(shapes):
    return [n.replace("running_var", "num_batches_tracked") for n in shapes if n.endswith("running_var")]


def signs(num):
    """-1 and 1."""
    return np.random.default_rng(7).choice([-1.0, 1.0], num)


def resize(torch):
    """torch-fidelity's TensorFlow-compatible interpolation of the first image, at every 23rd row and 31st column."""
    from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

    found = {}
    for height, width in ((40, 32), (512, 300)):
        images = torch.from_numpy(inputs.pixels(1, height, width)).permute(0, 3, 1, 2).float()
        resized = interpolate_bilinear_2d_like_tensorflow1x(images, size=(299, 299), align_corners=False)
        found[f"{height}x{width}"] = resized[0].permute(1, 2, 0)[::23, ::31].double().numpy().tolist()
    return found


def statistics(torch):
    """FID, Inception score, KID, precision and recall of torch-fidelity; precision ... coverage of prdc."""
    from prdc import compute_prdc
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
    from torch_fidelity.metric_isc import isc_features_to_metric
    from torch_fidelity.metric_kid import kernel_mmd
    from torch_fidelity.metric_prc import prc_features_to_metric

    real, fake = inputs.pairs()
    tensors = [torch.from_numpy(array) for array in (real, fake)]
    of_both = [fid_features_to_statistics(tensor) for tensor in tensors]
    few = [fid_features_to_statistics(tensor[:5]) for tensor in tensors]
    score = isc_features_to_metric(torch.from_numpy(inputs.logits()), splits=5, shuffle=False)
    precision = prc_features_to_metric(tensors[1], tensors[0], prc_neighborhood=3, verbose=False)
    return {
        "fid": fid_statistics_to_metric(*of_both, False)["frechet_inception_distance"],
        "fid_singular": fid_statistics_to_metric(*few, False)["frechet_inception_distance"],
        "isc": [score["inception_score_mean"], score["inception_score_std"]],
        "kid": float(kernel_mmd(real[:50], fake, kid_kernel="poly", kid_kernel_poly_degree=3)),
        "precision_recall": [precision["precision"], precision["recall"]],
        "prdc": {name: float(value) for name, value in compute_prdc(real, fake, nearest_k=5).items()},
    }


def lpips(torch):
    """The lpips package on AlexNet with random weights."""
    import lpips as package

    network = package.LPIPS(net="alex", pnet_rand=True, verbose=False).eval()
    tensors, channels = inputs.alexnet()
    convolutions = [m for n, m in network.net.named_modules() if isinstance(m, torch.nn.Conv2d)]
    with torch.no_grad():
        for name, module in zip(inputs.ALEXNET, convolutions, strict=True):
            module.weight.copy_(torch.from_numpy(tensors[f"{name}.weight"]))
            module.bias.copy_(torch.from_numpy(tensors[f"{name}.bias"]))
        for weight, lin in zip(channels, network.lins, strict=True):
            lin.model[-1].weight.copy_(torch.from_numpy(weight)[None, :, None, None])
        images = torch.from_numpy(inputs.pixels(4, 64, 64)).permute(0, 3, 1, 2).float() / 127.5 - 1
        return network(images[:2], images[2:]).flatten().double().tolist()


if __name__ == "__main__":
    main()
