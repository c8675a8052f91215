import math

import pytest

from jaxgen.optimizers import (
    SGD,
    Adagrad,
    Adam,
    Cosine,
    InverseRoot,
    InverseTime,
    LinearDecay,
    Optimizer,
    RAdam,
    RampedAdam,
    RMSProp,
    StepDecay,
)
from jaxgen.ramps import CosineRamp

NAN = float("nan")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Optimizer(0.0, Adam()), "learning_rate is 0.0, but must be above 0 and finite"),
        (lambda: Optimizer(-1.0, RMSProp()), "learning_rate is -1.0, but must be above 0"),
        (lambda: Optimizer(math.inf, Adagrad()), "learning_rate is inf, but must be above 0 and finite"),
        (lambda: Optimizer(NAN, SGD()), "learning_rate is nan, but must be above 0"),
        (lambda: Optimizer(1e-3, SGD(), warm_up=-1), "warm_up is -1, but must be at least 0"),
        (
            lambda: Optimizer(1e-3, SGD(), orthogonality=-1.0),
            "orthogonality is -1.0, but must be at least 0 and finite",
        ),
        (lambda: Optimizer(1e-3, SGD(), clip_norm=0.0), "clip_norm is 0.0, but must be above 0 and finite, or None"),
        (lambda: Optimizer(1e-3, SGD(), clip_norm=math.inf), "clip_norm is inf"),
        (lambda: Optimizer(1e-3, SGD(), clip_norm=NAN), "clip_norm is nan"),
        (lambda: Optimizer(1e-3, SGD(), weight_decay=-0.1), "weight_decay is -0.1, but must be at least 0 and finite"),
        (lambda: Optimizer(1e-3, SGD(), weight_decay=NAN), "weight_decay is nan"),
        (lambda: Optimizer(1e-3, SGD(), accumulate=0), "accumulate is 0, but must be at least 1"),
        (lambda: Adam(b1=1.0), r"b1 is 1.0, but must be in \[0, 1\)"),
        (lambda: Adam(b2=-0.1), r"b2 is -0.1, but must be in \[0, 1\)"),
        (lambda: Adam(eps=0.0), "eps is 0.0, but must be above 0"),
        (lambda: Adam(eps_root=-1.0), "eps_root is -1.0, but must be at least 0"),
        (lambda: RampedAdam(b1=1.0), r"b1 is 1.0, but must be in \[0, 1\)"),
        (lambda: RampedAdam(b2=CosineRamp(1.0, 0.9, 1)), r"b2 is 1.0, but must be in \[0, 1\)"),
        (lambda: RampedAdam(b2=CosineRamp(0.9, -0.1, 1)), r"b2 is -0.1, but must be in \[0, 1\)"),
        (lambda: RampedAdam(eps=0.0), "eps is 0.0, but must be above 0"),
        (lambda: RAdam(b1=1.0), r"b1 is 1.0, but must be in \[0, 1\)"),
        (lambda: RAdam(b2=1.0), r"b2 is 1.0, but must be in \[0, 1\)"),
        (lambda: RMSProp(decay=1.0), r"decay is 1.0, but must be in \[0, 1\)"),
        (lambda: RMSProp(eps=0.0), "eps is 0.0, but must be above 0"),
        (lambda: Adagrad(-1.0), "initial_accumulator is -1.0, but must be at least 0"),
        (lambda: Adagrad(eps=0.0), "eps is 0.0, but must be above 0"),
        (lambda: SGD(momentum=1.5), r"momentum is 1.5, but must be in \[0, 1\)"),
        (lambda: LinearDecay(end=5, begin=5), r"begin is 5, but must be in \[0, end=5\)"),
        (lambda: InverseTime(-1.0), "decay is -1.0, but must be at least 0"),
        (lambda: InverseRoot(0), "reference is 0, but must be at least 1"),
        (lambda: StepDecay(0), "every is 0, but must be at least 1"),
        (lambda: StepDecay(5, 2.0), r"factor is 2.0, but must be in \(0, 1\]"),
        (lambda: Cosine(end=0), "end is 0, but must be at least 1"),
        (lambda: Cosine(end=5, final=1.5), r"final is 1.5, but must be in \[0, 1\]"),
    ],
)
def test_settings_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
