"""The project's own files: listed settings, clean locks, a cheap import, a README that runs."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import rag
from rag.settings import Settings, variable

LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-model.lock")
HEAVY = ("llama_index", "chromadb", "gradio", "openai", "numpy", "nltk", "onnxruntime", "pydantic")
# Put together from halves, so that this file does not hold what it looks for.
MACHINE_WORDS = tuple(
    first + second
    for first, second in [
        ("pypi", ".org"),
        ("python", "hosted"),
        ("registry.", "npmjs"),
        ("deb.", "debian"),
        ("proxy.", "golang"),
        ("/wo", "rk/"),
        ("/ro", "ot/"),
        ("/tm", "p/w/"),
        ("/opt", "/py"),
    ]
)


def pins(lock: Path) -> list[Requirement]:
    """The packages that a lock pins, each with its marker."""
    lines = lock.read_text().splitlines()
    return [Requirement(line.rstrip(" \\")) for line in lines if line[:1].isalnum()]


def asked(root: Path, *groups: str) -> list[Requirement]:
    """What pyproject.toml asks for: the project's dependencies, then those of the groups."""
    project = tomllib.loads((root / "pyproject.toml").read_text())
    lists = [project["project"]["dependencies"], *(project["dependency-groups"][group] for group in groups)]
    return [Requirement(line) for lines in lists for line in lines]


def closure(requirements: list[Requirement]) -> set[str]:
    """The names of all packages that requirements come to on this machine, by what is installed."""
    seen: set[tuple[str, str]] = set()
    waiting = list(requirements)
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        for extra in {"", *requirement.extras} - {done for package, done in seen if package == name}:
            seen.add((name, extra))
            needs = map(Requirement, importlib.metadata.requires(name) or [])
            waiting += [need for need in needs if not need.marker or need.marker.evaluate({"extra": extra})]
    return {name for name, _ in seen}


def tracked(root: Path) -> list[Path]:
    """The files of the project, those not yet committed included."""
    command = ["git", "ls-files", "-co", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    return [path for path in map(Path, listed.splitlines()) if (root / path).is_file()]


def copy_project(root: Path, target: Path) -> Path:
    """A copy of the project as a fresh clone would be, into a folder that is not there yet."""
    for path in tracked(root):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / path, target / path)
    return target


def test_the_example_lists_every_setting_with_its_default(root: Path) -> None:
    example = root / ".env.example"
    lines = example.read_text().splitlines()
    listed = [line.partition("=")[0] for line in lines if line and not line.startswith("#")]
    assert sorted(listed) == sorted(variable(name) for name in Settings.model_fields)
    assert Settings(_env_file=example) == Settings(_env_file=None)


def test_the_example_explains_every_setting(root: Path) -> None:
    lines = (root / ".env.example").read_text().splitlines()
    assert all(before.startswith("# ") for before, line in pairwise(lines) if "=" in line)


def test_importing_rag_is_cheap() -> None:
    program = (
        "import sys, time; began = time.perf_counter(); import rag; seconds = time.perf_counter() - began;"
        "loaded = {name.partition('.')[0] for name in sys.modules};"
        f"print(seconds, *(loaded & {set(HEAVY)}))"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(3)
    ]
    assert [heavy for _, *heavy in runs] == [[], [], []]
    assert min(float(seconds) for seconds, *_ in runs) < 0.2


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_hashes_and_no_addresses(root: Path, name: str) -> None:
    text = (root / name).read_text()
    assert "://" not in text
    packages = re.split(r"\n(?=\S)", text.strip())
    assert len(packages) == len(pins(root / name))
    assert [package for package in packages if "--hash=sha256:" not in package] == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_takes_no_torch_and_no_cuda(root: Path, name: str) -> None:
    heavy = re.compile(r"^(torch|triton|nvidia|cuda|sentence-transformers|transformers|tensorflow|jax)")
    assert [pin.name for pin in pins(root / name) if heavy.match(pin.name)] == []


def test_the_lock_is_what_the_project_asks_for_and_no_more(root: Path) -> None:
    here = {pin.name for pin in pins(root / "requirements.lock") if not pin.marker or pin.marker.evaluate()}
    assert here == closure(asked(root))


def test_the_lock_for_development_has_the_same_pins_and_its_own(root: Path) -> None:
    small, large = (set(map(str, pins(root / name))) for name in LOCKS[:2])
    assert small <= large
    here = {pin.name for pin in pins(root / LOCKS[1]) if not pin.marker or pin.marker.evaluate()}
    assert here == closure(asked(root, "dev"))


def test_the_locks_satisfy_the_bounds_of_the_project(root: Path) -> None:
    pinned = [pin for name in LOCKS for pin in pins(root / name)]
    for bound in asked(root, "dev", "model"):
        versions = {str(pin.specifier)[2:] for pin in pinned if pin.name == canonicalize_name(bound.name)}
        assert versions, f"no lock has {bound}: run `make lock`"
        assert all(map(bound.specifier.contains, versions)), f"{versions} against {bound}: run `make lock`"


def test_no_file_names_a_registry_or_a_folder_of_the_maker(root: Path) -> None:
    found = [
        (str(path), word)
        for path in tracked(root)
        for word in MACHINE_WORDS
        if word.encode() in (root / path).read_bytes()
    ]
    assert found == []


def test_the_changelog_opens_with_what_is_unreleased(root: Path) -> None:
    headings = re.findall(r"^## (.+)$", (root / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "Unreleased"


def test_the_version_is_the_installed_one() -> None:
    assert importlib.metadata.version("citewell") == rag.__version__


def test_make_lists_its_targets(root: Path) -> None:
    listed = subprocess.run(["make"], cwd=root, capture_output=True, text=True, check=True).stdout
    targets = re.findall(r"^  make (\S+)", listed, re.MULTILINE)
    assert {"chat", "demo", "test", "check", "lock"} <= set(targets)
    phony = re.search(r"^\.PHONY: (.+)$", (root / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    assert sorted(phony[1].split()) == sorted(targets)


def test_an_old_python_is_named_in_one_line(root: Path) -> None:
    done = subprocess.run(
        ["make", "-s", "chat", "PYTHON=false"], cwd=root, capture_output=True, text=True, check=False
    )
    ours = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert (done.returncode, done.stdout) == (2, "")
    assert ours == [
        "Citewell needs Python 3.11 or later, and false is not. "
        "Install one, or name it: make PYTHON=/usr/bin/python3.12"
    ]


RUN_BY_CI = ("make test", "make eval")


def marked_commands(readme: str) -> list[str]:
    """The `sh` blocks that the README marks with `<!-- run -->`, in order."""
    return re.findall(r"<!-- run -->\s*```sh\n(.*?)```", readme, re.DOTALL)


def recipe(project: Path, target: str) -> list[str]:
    """The commands that a target of the Makefile runs."""
    shown = ["make", "--no-print-directory", "--dry-run", target]
    env = {name: value for name, value in os.environ.items() if name not in ("DATA", "MAKEFLAGS")}
    done = subprocess.run(shown, cwd=project, env=env, check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


def opened_page(project: Path, command: str) -> str:
    """Run a command that serves until it is stopped; the page that it says it serves, as HTML."""
    serving = subprocess.Popen(
        ["bash", "-c", command],
        cwd=project,
        env=os.environ | {"BROWSER": "none", "PYTHONUNBUFFERED": "1", "PORT": str(free_port())},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said = []
        for line in serving.stdout or ():
            said.append(line)
            if address := re.search(r"http://127\.0\.0\.1:\d+", line):
                return wait_for_page(address[0], seconds=60)
        pytest.fail(f"{command} named no page:\n{''.join(said)}")
    finally:
        with suppress(ProcessLookupError):
            os.killpg(serving.pid, signal.SIGTERM)
        serving.communicate(timeout=30)


def free_port() -> int:
    """A port of loopback that nobody listens at."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def wait_for_page(address: str, seconds: float) -> str:
    """The page at an address on loopback, once it answers."""
    until = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(address, timeout=10) as page:
                return str(page.read().decode())
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)


@pytest.mark.slow
def test_the_commands_of_the_readme_run(root: Path, tmp_path: Path) -> None:
    """In a fresh copy; `.ci/run` begins with `make test`, and that ends with what `make eval` runs."""
    project = copy_project(root, tmp_path / "citewell")
    blocks = marked_commands((project / "README.md").read_text())
    lines = "".join(blocks).splitlines()
    assert {"make chat", *RUN_BY_CI} <= set(lines)
    assert "\nmake test\n" in (project / ".ci" / "run").read_text()
    assert recipe(project, "test")[-1] == recipe(project, "eval")[-1]
    for block in blocks:
        if "make chat" in block.splitlines():
            assert "Citewell" in opened_page(project, "make chat")
        others = "\n".join(line for line in block.splitlines() if line not in ("make chat", *RUN_BY_CI))
        subprocess.run(["bash", "-euo", "pipefail", "-c", others], cwd=project, check=True)
