"""Compiled programs are kept for the next start."""

import pathlib

import jax
import pytest

from experiments.command_line.errors import UserError
from experiments.training import compilation

SETTINGS = (
    *("jax_enable_compilation_cache", "jax_compilation_cache_dir"),
    *("jax_persistent_cache_min_compile_time_secs", "jax_persistent_cache_min_entry_size_bytes"),
)


@pytest.fixture
def config():
    """JAX's settings as they were."""
    before = {name: getattr(jax.config, name) for name in SETTINGS}
    yield jax.config
    for name, value in before.items():
        jax.config.update(name, value)


def test_the_usual_folder_is_in_the_users_cache():
    home = {"HOME": "/home/a"}
    usual = compilation.place(None, home)
    assert usual.parent == pathlib.Path("/home/a/.cache/jaxgen")
    assert compilation.place(None, home | {"XDG_CACHE_HOME": "/var/c"}) == pathlib.Path("/var/c/jaxgen") / usual.name
    assert compilation.place(None, home | {"XDG_CACHE_HOME": "relative"}) == usual
    assert compilation.place(None, {}) is None


def test_a_folder_that_is_given_goes_before_jaxs_own_variable():
    variable = {"HOME": "/home/a", "JAX_COMPILATION_CACHE_DIR": "/var/jax"}
    assert compilation.place(None, variable) is None
    assert compilation.place("here", variable) == pathlib.Path("here")


def test_off_keeps_nothing(config):
    compilation.keep("off")
    assert not config.jax_enable_compilation_cache


def test_jax_is_told_of_the_folder(config, tmp_path, monkeypatch):
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    compilation.keep(None)
    assert pathlib.Path(config.jax_compilation_cache_dir).parent == tmp_path / "jaxgen"
    assert pathlib.Path(config.jax_compilation_cache_dir).is_dir()


def test_a_folder_that_cannot_be_used_is_named_and_the_usual_one_done_without(config, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"--compilation-cache .*file/in cannot be written to: Not a directory"):
        compilation.keep(str(tmp_path / "file" / "in"))
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    before = config.jax_compilation_cache_dir
    compilation.keep(None)
    assert config.jax_compilation_cache_dir == before
