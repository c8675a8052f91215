import numpy as np
import pytest

from experiments import data
from experiments.command_line.errors import UserError
from experiments.data.captions import decoded
from experiments.data.options import ImageOptions
from jaxgen.batches import Captioned


def test_captions_say_the_class_of_each_image():
    plain, told = (data.load(name, images=ImageOptions(caption_length=24)) for name in ("digits", "prompts:digits"))
    np.testing.assert_array_equal(told.images, plain.images)
    batch = told.batch(np.arange(20), Captioned)
    assert [decoded(caption) for caption in batch.captions] == [plain.classes[label] for label in plain.labels[:20]]
    assert {decoded(caption) for caption in told.captions[3]} == {
        pattern.format(plain.classes[plain.labels[3]]) for pattern in ("{}", "a picture of {}", "this is {}")
    }
    assert told.fingerprint() != plain.fingerprint()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("prompts:swiss_roll", "swiss_roll has no labels to make captions of; give --data swiss_roll"),
        ("prompts:shapes_captions", "shapes_captions has captions already; give --data shapes_captions"),
        ("prompts:", "--data is empty"),
    ],
)
def test_sets_without_labels_and_with_captions_are_refused(name, message):
    with pytest.raises(UserError, match=message):
        data.load(name)
