"""Frozen parts from files of safetensors; those of npz files and runs are tested with the runs that read them."""

import numpy as np
import pytest

from experiments.command_line.errors import UserError
from experiments.runs import pretrained
from experiments.weights import tensors
from jaxgen.train_state import Frozen

PART = Frozen(variables={"params": {"Dense_0": {"kernel": np.zeros((2, 3), np.float32)}}}, name="teacher")
KERNEL = np.arange(6, dtype=np.float32).reshape(2, 3)
NAME = "params/Dense_0/kernel"


def file_of(tmp_path, arrays):
    tensors.save(tmp_path / "weights.safetensors", arrays, {})
    return str(tmp_path / "weights.safetensors")


@pytest.mark.parametrize(("prefix", "name"), [("", ""), ("ema/", ":ema"), ("coders/", ":coders")])
def test_the_variables_of_one_network_are_read_by_name(tmp_path, prefix, name):
    others = {"critic/params/Dense_0/kernel": np.zeros((9, 9), np.float32)} if prefix else {}
    source = file_of(tmp_path, {f"{prefix}{NAME}": KERNEL, **others}) + name
    np.testing.assert_array_equal(pretrained.read(source, PART)["params"]["Dense_0"]["kernel"], KERNEL)


def test_one_network_of_a_player_is_read(tmp_path):
    source = file_of(tmp_path, {"coders/params/encoder/Dense_0/kernel": KERNEL})
    np.testing.assert_array_equal(
        pretrained.read(f"{source}:coders/encoder", PART)["params"]["Dense_0"]["kernel"], KERNEL
    )


@pytest.mark.parametrize(
    ("arrays", "name", "said"),
    [
        (
            {NAME: KERNEL[:1]},
            "",
            r"does not fit the frozen part 'teacher': .* is float32\[1, 3\] there and float32\[2, 3",
        ),
        ({NAME: KERNEL.astype(np.float16)}, "", r"is float16\[2, 3\] there and float32\[2, 3\] in the model"),
        ({NAME: KERNEL, "params/Dense_1/bias": KERNEL}, "", "params/Dense_1/bias is not in the model"),
        ({"params/Dense_1/bias": KERNEL}, "", "params/Dense_0/kernel is missing"),
        ({f"ema/{NAME}": KERNEL}, "", r"by that name; there are: .*weights\.safetensors:ema$"),
        ({f"ema/{NAME}": KERNEL}, ":critic", r"by that name; there are: .*weights\.safetensors:ema$"),
        ({"mine": KERNEL}, "", "by that name; there are: none"),
    ],
)
def test_what_does_not_fit_is_one_sentence(tmp_path, arrays, name, said):
    with pytest.raises(UserError, match=said) as raised:
        pretrained.read(file_of(tmp_path, arrays) + name, PART)
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_said():
    with pytest.raises(UserError, match=r"none\.safetensors cannot be read as safetensors"):
        pretrained.read("none.safetensors:ema", PART)
