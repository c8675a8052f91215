import pytest

from experiments.training import watch

HEALTHY = {
    "real_certainty": 0.6,
    "fake_certainty": 0.99,
    "diversity": 0.9,
    "gradient_norm/generator": 0.3,
    "gradient_norm/critic": 12.0,
    "critic_loss": 1e9,
}


def test_healthy_metrics_and_those_of_other_models_give_no_alarm():
    assert watch.alarms(HEALTHY) == []
    assert watch.alarms({"elbo": -3.0}) == []


@pytest.mark.parametrize(
    ("change", "kind", "says"),
    [
        ({"real_certainty": 0.97}, "saturation", "sure of 97% of the real examples and 99% of the fakes"),
        ({"diversity": 0.012}, "collapse", "differ 1.2% as much"),
        ({"gradient_norm/critic": 2e3}, "exploding critic", "of the critic has length 2e+03"),
        ({"gradient_norm/generator": 0.0}, "vanishing generator", "of the generator has length 0"),
    ],
)
def test_each_fault_has_its_alarm_with_a_cure(change, kind, says):
    (alarm,) = watch.alarms(HEALTHY | change)
    assert alarm.kind == kind and says in alarm.text and "likely cure" in alarm.text


def test_an_alarm_is_told_once_and_not_of_a_single_line():
    seen, collapsed = watch.Watch(), HEALTHY | {"diversity": 0.0}
    assert seen.lines(100, collapsed) == []
    assert seen.lines(200, HEALTHY) == []
    assert seen.lines(300, collapsed) == []
    (line,) = seen.lines(1400, collapsed)
    assert line.startswith("warning: at step 1,400 the fakes differ")
    assert seen.lines(1500, collapsed) == []
    both = collapsed | {"gradient_norm/critic": 1e6}
    assert seen.lines(1600, both) == []
    assert [line[:40] for line in seen.lines(1700, both)] == ["warning: at step 1,700 the gradient of t"]
