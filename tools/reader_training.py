"""The training loop of the embedded reader: batches the same each time, and checkpoints to go on from."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from reader_groups import Group, Swaps, group
from reader_model import SHARES, ReaderModel, losses
from reader_questions import Asked
from reader_schedule import Schedule
from torch import nn

BATCH = 8
RATE = 1e-4
CHECKPOINT_S = 300.0
SHOWN_EVERY = 50
SEED = 1


def train(
    model: ReaderModel, asked: Sequence[Asked], schedule: Schedule, checkpoint: Path, seed: int = SEED
) -> None:
    """Train a model in place, on its own device, from where the checkpoint is, if there is one.

    What a step reads, and its dropout, depend on its number and the seed alone: a training that was killed
    and went on gives the weights of one that was not, where it ends by steps and computes on a CPU.

    Args:
        model: The model.
        asked: Questions that teach something (`tools/reader_groups.py`).
        schedule: When it ends.
        checkpoint: The file to go on from, and to write now and then, and at the end.
        seed: Another gives another order of questions, and other chunks beside them.

    Raises:
        SystemExit: The checkpoint is of a training on other questions, with another seed, or of other layers.
    """
    swaps, free = Swaps(asked), [weight for weight in model.parameters() if weight.requires_grad]
    optimiser = _optimiser(free)
    kept = {"questions": len(asked), "seed": seed}
    step, spent = _resumed(checkpoint, model, optimiser, kept)
    saved = time.monotonic()
    began = saved - spent
    model.train()
    while rate := schedule.rate(step, time.monotonic() - began):
        torch.manual_seed((seed << 32) + step)
        for part in optimiser.param_groups:
            part["lr"] = RATE * rate
        found = losses(model, batch(asked, swaps, step, seed))
        sum(share * one for share, one in zip(SHARES, found, strict=True)).backward()
        nn.utils.clip_grad_norm_(free, 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        step += 1
        if step % SHOWN_EVERY == 0:
            _show(step, schedule, time.monotonic() - began, found.tolist())
        if time.monotonic() - saved > CHECKPOINT_S:
            saved = time.monotonic()
            _save(checkpoint, model, optimiser, {**kept, "step": step, "spent_s": saved - began})
    _save(checkpoint, model, optimiser, {**kept, "step": step, "spent_s": time.monotonic() - began})
    model.eval()


def batch(asked: Sequence[Asked], swaps: Swaps, step: int, seed: int = SEED) -> list[Group]:
    """What a step reads: each epoch goes through all questions, in an order of its own."""
    groups = []
    for place in range(step * BATCH, (step + 1) * BATCH):
        epoch, at = divmod(place, len(asked))
        one = asked[_order(len(asked), epoch, seed)[at]]
        groups.append(group(one, swaps, random.Random(f"{seed} {place}")))
    return groups


@lru_cache(maxsize=2)
def _order(count: int, epoch: int, seed: int) -> list[int]:
    order = list(range(count))
    random.Random(f"{seed} {epoch}").shuffle(order)
    return order


def _optimiser(free: Sequence[nn.Parameter]) -> torch.optim.AdamW:
    """Matrices decay, what is added does not."""
    parts: list[dict[str, Any]] = [
        {"params": [one for one in free if one.ndim > 1], "weight_decay": 0.01},
        {"params": [one for one in free if one.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(parts, RATE, (0.9, 0.98), fused=True)


def _show(step: int, schedule: Schedule, spent: float, found: Sequence[float]) -> None:
    shown = " ".join(f"{one:.3f}" for one in found)
    print(f"step {step} of {schedule.steps}, {spent / step:.2f} s each, losses {shown}", flush=True)


def _save(
    checkpoint: Path, model: ReaderModel, optimiser: torch.optim.Optimizer, run: dict[str, float]
) -> None:
    """Write the weights, and of the run its step, seconds, questions and seed."""
    unfinished = checkpoint.with_suffix(".part")
    torch.save({"model": model.state_dict(), "optimiser": optimiser.state_dict(), **run}, unfinished)
    unfinished.replace(checkpoint)


def _resumed(
    checkpoint: Path, model: ReaderModel, optimiser: torch.optim.Optimizer, run: dict[str, int]
) -> tuple[int, float]:
    """The steps and seconds that a checkpoint holds; none where there is none."""
    if not checkpoint.is_file():
        return 0, 0.0
    state = torch.load(checkpoint, map_location=model.device)
    if state["questions"] != run["questions"]:
        sys.exit(
            f"{checkpoint} is of a training on {state['questions']:,} questions, not {run['questions']:,}: "
            "name the same --sets, or leave out --resume."
        )
    if state["seed"] != run["seed"]:
        sys.exit(
            f"{checkpoint} is of a training with --seed {state['seed']}, not {run['seed']}: "
            "name the same, or leave out --resume."
        )
    if _sizes(state["optimiser"]) != _sizes(optimiser.state_dict()):
        sys.exit(f"{checkpoint} is of a training of other layers: name its --frozen, or leave out --resume.")
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    print(f"going on from step {state['step']}", flush=True)
    return int(state["step"]), float(state["spent_s"])


def _sizes(state: dict[str, Any]) -> list[int]:
    """How many weights an optimiser moves, matrices and others."""
    return [len(part["params"]) for part in state["param_groups"]]
