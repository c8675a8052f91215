import jax.numpy as jnp
import pytest

from experiments import processes
from experiments.checkpoints.reading import Reader


def test_a_process_that_finds_damage_tells_the_others_before_it_goes_on(tmp_path, monkeypatch):
    """Each waits for the words of all: one that kept silent would leave them with its next word."""
    said = []
    monkeypatch.setattr(processes, "gather", lambda text="": said.append(text) or [text, ""])
    (tmp_path / "3").mkdir()
    reader = Reader(tmp_path, "run")
    with pytest.raises(ValueError) as raised:
        reader.read(3, {"weights": jnp.zeros(2)})
    reader.close()
    assert said == [str(raised.value)] and said[0]


def test_what_another_process_found_damaged_is_damaged_here(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "gather", lambda text="": [text, "its piece is cut short"])
    monkeypatch.setattr(Reader, "_restore", lambda *_: ({"weights": jnp.zeros(2)}, {}))
    reader = Reader(tmp_path, "run")
    with pytest.raises(ValueError, match="its piece is cut short"):
        reader.read(3, {"weights": jnp.zeros(2)})
    reader.close()
