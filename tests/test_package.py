"""The built wheel: what is in it, and that it answers in an empty environment without reaching anywhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import load_setup
from loopback import is_inside

pytestmark = pytest.mark.slow

QUESTION = "How many berths does the harbour of Ulverhavn have?"
DOCUMENTS = {
    "harbour.md": "# The harbour\n\nThe harbour of Ulverhavn has 42 berths. Its light was lit in 1871.\n",
    "ferry.txt": "The ferry to the island leaves twice a day.\nIt carries 120 passengers and no cars.\n",
}
PROGRAM = """
import json
from rag import open_engine
answer = open_engine("documents", store="store-of-python").ask({question!r})
print(json.dumps(answer.to_json()))
"""
STRACE = ("strace", "-f", "-qq", "--seccomp-bpf", "-e", "signal=none", "-e", "trace=connect,sendto")
SENT_TO = re.compile(r'sin_addr=inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"')


@dataclass(frozen=True, slots=True)
class Installed:
    """The wheel in an environment of its own, and a folder elsewhere with documents.

    Attributes:
        bin: The folder of the environment's programs.
        folder: Where its programs are run, with a folder `documents`.
        guard: A folder whose `sitecustomize` keeps each Python that is started inside this machine.
    """

    bin: Path
    folder: Path
    guard: Path

    def run(self, program: str, *arguments: str) -> str:
        """What a program writes; it fails when it tried to connect to anywhere but loopback."""
        tries, trace = self.guard / "tries.txt", self.guard / "trace.txt"
        traced = [*STRACE, "-o", str(trace)] if can_trace() else []
        done = subprocess.run(
            [*traced, str(self.bin / program), *arguments],
            cwd=self.folder,
            env={"PATH": os.defpath, "HOME": str(self.folder), "PYTHONPATH": str(self.guard)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert tries.read_text() == "", "connections were tried"
        assert not outside(trace.read_text() if traced else "")
        return done.stdout


def can_trace() -> bool:
    """Whether system calls can be watched here; in CI they must be."""
    there = shutil.which("strace") is not None
    works = there and subprocess.run([*STRACE, "-o", os.devnull, "true"], check=False).returncode == 0
    assert works or os.environ.get("CI") != "true", "strace is missing or not permitted"
    return works


def outside(trace: str) -> set[str]:
    """The addresses beyond this machine that a trace of system calls names."""
    named = {first or second for first, second in SENT_TO.findall(trace)}
    return {address for address in named if not is_inside(address)}


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-qq",
        "--no-deps",
        "--wheel-dir",
        str(target),
        str(root),
    ]
    subprocess.run(command, check=True)
    return next(target.glob("citewell-*.whl"))


@pytest.fixture(scope="module")
def installed(root: Path, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("elsewhere-installed")
    bin_ = folder / "environment" / "bin"
    install_into(root, bin_, "--require-hashes", "-r", str(root / "requirements.lock"))
    install_into(root, bin_, "--no-deps", str(wheel))
    (folder / "documents").mkdir()
    for name, text in DOCUMENTS.items():
        (folder / "documents" / name).write_text(text)
    return Installed(bin_, folder, guarded(root, folder / "guard"))


def install_into(root: Path, bin_: Path, *what: str) -> None:
    """Install into an environment, made where there is none; by the uv of set-up or else by pip."""
    if not bin_.exists():
        venv.create(bin_.parent, with_pip=True)
    uv = Path(sys.executable).parent / "uv"
    by_uv = [str(uv), "-q", "pip", "install", "--python", str(bin_ / "python"), "--link-mode", "copy"]
    by_pip = [str(bin_ / "python"), "-m", "pip", "-qq", "install"]
    environment = load_setup().uv_environment() if uv.exists() else None
    subprocess.run([*(by_uv if uv.exists() else by_pip), *what], env=environment, check=True)


def guarded(root: Path, guard: Path) -> Path:
    """A folder for PYTHONPATH that refuses and notes what goes beyond loopback, in each Python started."""
    guard.mkdir()
    (guard / "tries.txt").touch()
    shutil.copy(root / "tests" / "loopback.py", guard)
    (guard / "sitecustomize.py").write_text(
        "from loopback import stay_inside\n"
        f"stay_inside(lambda line: print(line, file=open({str(guard / 'tries.txt')!r}, 'a')))\n"
    )
    return guard


def check_answer(printed: str, folder: Path) -> None:
    """The answer is 42, cited to the character."""
    answer = json.loads(printed)
    assert answer["status"] == "answered"
    assert "42 berths" in answer["text"]
    citation = answer["citations"][0]
    text = (folder / "documents" / "harbour.md").read_text()
    assert citation["doc_id"] == "harbour.md"
    assert text[citation["start"] : citation["end"]] == citation["quote"]
    assert "42 berths" in citation["quote"]


def test_the_wheel_has_what_it_needs_and_no_more(root: Path, wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    needed = {
        str(path.relative_to(root))
        for folder in ("rag", "ui", "eval")
        for path in (root / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    weights = {f"rag/weights/{name}" for name in ("minilm.onnx", "reader.onnx", "tokenizer.json")}
    assert weights | {"rag/punkt/english.json.gz"} <= needed
    assert needed <= names
    assert {name.partition("/")[0] for name in names - needed} == {f"citewell-{version(wheel)}.dist-info"}
    licences = {name.rpartition("/")[2] for name in names if "/licenses/" in name}
    assert licences == {"LICENSE", "NOTICE"}


def version(wheel: Path) -> str:
    return wheel.name.split("-")[1]


def test_a_guarded_program_that_reaches_out_is_noticed(installed: Installed) -> None:
    reach = "import socket; socket.create_connection(('192.0.2.1', 9), timeout=1)"
    with pytest.raises(AssertionError, match="nothing may leave this machine"):
        installed.run("python", "-c", reach)
    (installed.guard / "tries.txt").write_text("")


def test_a_trace_names_the_addresses_beyond_this_machine() -> None:
    trace = (
        'connect(3, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("192.0.2.1")}, 16) = 0\n'
        'connect(3, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("127.0.0.1")}, 16) = 0\n'
        'connect(3, {sa_family=AF_INET6, inet_pton(AF_INET6, "2001:db8::1", &sin6_addr)}, 28) = 0\n'
        'connect(3, {sa_family=AF_UNIX, sun_path="/var/run/nscd/socket"}, 110) = -1\n'
    )
    assert outside(trace) == {"192.0.2.1", "2001:db8::1"}


def test_the_installed_wheel_answers_in_python_without_a_connection(installed: Installed) -> None:
    check_answer(installed.run("python", "-c", PROGRAM.format(question=QUESTION)), installed.folder)


def test_the_installed_wheel_answers_in_the_terminal_without_a_connection(installed: Installed) -> None:
    store = ("--store", "store-of-cli")
    installed.run("citewell", "index", "documents", *store)
    check_answer(installed.run("citewell", "ask", QUESTION, "--json", *store), installed.folder)


def test_nothing_is_left_outside_of_the_stores(installed: Installed) -> None:
    ours = {"documents", "environment", "guard", "store-of-python", "store-of-cli"}
    assert {path.name for path in installed.folder.iterdir()} - ours == set()
