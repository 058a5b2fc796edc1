"""The embedded reader in torch: MiniLM with four numbers a token, and the losses that it is trained by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from build_weights import DIMENSION, EPSILON, HEADS, LAYERS
from numpy.typing import NDArray
from reader_groups import Group, answer_place
from reader_questions import Piece
from torch import Tensor, nn
from torch.nn import functional

from rag.reader import ANSWERED, CHOSEN, END, MARK, WORD, Layout, laid_out

OUTPUTS = 4
"""`CHOSEN`, `ANSWERED` and `WORD` as `rag/reader.py` reads them, and where the answer stands."""
SPAN = 3
DROPPED = 0.1
PRIOR = 6.0
"""What a chunk's fused score in [0, 1] counts beside the reader when sentences are chosen among chunks."""
SHARES = (1.0, 0.8, 0.3)
"""What the losses for choosing, for answering and for the answer's place count."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts one after another.

    Attributes:
        lengths: How many tokens each has.
        text_of: For each token which text it is of.
        places: For each token its place in its text.
    """

    lengths: list[int]
    text_of: Tensor
    places: Tensor


def _texts(lengths: Sequence[int], device: torch.device) -> Texts:
    """Texts of so many tokens."""
    text_of = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))
    places = torch.cat([torch.arange(length) for length in lengths])
    return Texts(list(lengths), text_of.to(device), places.to(device))


class Locked(nn.Module):
    """Dropout with one mask for all tokens of a text: one for each token costs a tenth of the time."""

    def forward(self, state: Tensor, texts: Texts) -> Tensor:
        """Drop some of the numbers, in training."""
        if not self.training:
            return state
        kept = torch.rand(len(texts.lengths), DIMENSION, device=state.device) >= DROPPED
        return state * (kept.to(state.dtype) / (1 - DROPPED))[texts.text_of]


def computed_in(device: torch.device) -> torch.dtype:
    """What the layers compute in: bfloat16 where it is fast; a CPU without it is 70 times slower in it."""
    # torch has no public name for it
    fast = device.type == "cuda" or getattr(torch.cpu, "_is_avx512_bf16_supported", bool)()
    return torch.bfloat16 if fast else torch.float32


class Layer(nn.Module):
    """One layer of BERT, over the tokens of several texts one after another."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.heard = nn.Linear(DIMENSION, 3 * DIMENSION), nn.Linear(DIMENSION, DIMENSION)
        self.wide, self.narrow = nn.Linear(DIMENSION, 4 * DIMENSION), nn.Linear(4 * DIMENSION, DIMENSION)
        self.norm_1, self.norm_2 = (nn.LayerNorm(DIMENSION, eps=EPSILON) for _ in range(2))
        self.drop = Locked()

    def forward(self, state: Tensor, texts: Texts) -> Tensor:
        """From [tokens, dimension] to the same; a token hears those of its own text."""
        heard = torch.cat([_heard(part) for part in self.qkv(state).split(texts.lengths)])
        state = self.norm_1(state + self.drop(self.heard(heard), texts))
        return self.norm_2(state + self.drop(self.narrow(functional.gelu(self.wide(state))), texts))


def _heard(qkv: Tensor) -> Tensor:
    """What each token of one text hears: [tokens, 3 * dimension] to [tokens, dimension].

    One text a call needs no mask, and torch's own attention is then the fastest in float32 on a CPU.
    """
    query, key, value = qkv.view(1, len(qkv), 3, HEADS, DIMENSION // HEADS).permute(2, 0, 3, 1, 4)
    heard = functional.scaled_dot_product_attention(query, key, value)
    return heard.transpose(1, 2).reshape(len(qkv), DIMENSION)


class ReaderModel(nn.Module):
    """MiniLM with `OUTPUTS` numbers a token. The table of words stays as published, but for the mark."""

    def __init__(self, words: int = 30522, places: int = 512) -> None:
        super().__init__()
        self.words = nn.Embedding(words, DIMENSION)
        self.words.weight.requires_grad = False
        self.mark = nn.Parameter(torch.zeros(DIMENSION))
        self.places, self.types = nn.Embedding(places, DIMENSION), nn.Embedding(2, DIMENSION)
        self.norm = nn.LayerNorm(DIMENSION, eps=EPSILON)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.head = nn.Linear(DIMENSION, OUTPUTS)
        self.drop = Locked()

    def freeze(self, layers: int) -> None:
        """Let the lowest layers stay as they are, and what lies below them: they take no backward pass."""
        if layers:
            below = (self.places, self.types, self.norm, *self.layers[:layers])
            for weight in (self.mark, *(weight for part in below for weight in part.parameters())):
                weight.requires_grad = False

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.mark.device

    def forward(self, ids: Tensor, types: Tensor, lengths: Sequence[int]) -> Tensor:
        """The numbers of the tokens of several texts, [tokens, outputs].

        Args:
            ids: The texts' tokens, one text after another.
            types: Of each, 0 for the question and 1 for what is read.
            lengths: How many of them are each text's. None is padded: nothing is computed that is not used.
        """
        texts = _texts(lengths, ids.device)
        mark = (ids == MARK).unsqueeze(-1) * (self.mark - self.words.weight[MARK])
        state = self.words(ids) + mark + self.places(texts.places) + self.types(types)
        kind = computed_in(ids.device)
        state = self.drop(self.norm(state), texts).to(kind)
        with torch.autocast(ids.device.type, dtype=torch.bfloat16, enabled=kind is torch.bfloat16):
            for layer in self.layers:
                state = layer(state, texts)
        return functional.linear(state.float(), self.head.weight, self.head.bias)


def published(weights: Mapping[str, Tensor]) -> ReaderModel:
    """The published MiniLM with a new head; the mark begins as [SEP]."""
    words, places = (weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position"))
    model = ReaderModel(len(words), len(places))
    state = {ours: weights[theirs].float() for ours, theirs in _names().items()}
    for number in range(LAYERS):
        for kind in ("weight", "bias"):
            inward = [f"encoder.layer.{number}.attention.self.{part}.{kind}" for part in _INWARD]
            state[f"layers.{number}.qkv.{kind}"] = torch.cat([weights[name].float() for name in inward])
    state["mark"] = state["words.weight"][END].clone()
    nn.init.normal_(model.head.weight, std=0.02)
    nn.init.zeros_(model.head.bias)
    model.load_state_dict({**model.state_dict(), **state})
    return model


_INWARD = ("query", "key", "value")


def _names() -> dict[str, str]:
    """Our names of the weights, and BERT's."""
    outer = {"word": "words", "position": "places", "token_type": "types"}
    pairs = {f"{ours}.weight": f"embeddings.{theirs}_embeddings.weight" for theirs, ours in outer.items()}
    layer = {
        "heard": "attention.output.dense",
        "norm_1": "attention.output.LayerNorm",
        "wide": "intermediate.dense",
        "narrow": "output.dense",
        "norm_2": "output.LayerNorm",
    }
    for kind in ("weight", "bias"):
        pairs[f"norm.{kind}"] = f"embeddings.LayerNorm.{kind}"
        for number in range(LAYERS):
            for ours, theirs in layer.items():
                pairs[f"layers.{number}.{ours}.{kind}"] = f"encoder.layer.{number}.{theirs}.{kind}"
    return pairs


def arrays(model: ReaderModel) -> dict[str, NDArray[Any]]:
    """The weights by name, float32."""
    return {name: value.detach().cpu().numpy() for name, value in model.state_dict().items()}


@dataclass(frozen=True, slots=True)
class _Run:
    """A run of a group, with what training knows of it.

    Attributes:
        layout: Its input.
        labels: A label for each sentence in it.
        prior: What its chunk's rank adds to the choice of its sentences.
        answer: The tokens of the shortest answer in sentences that answer.
    """

    layout: Layout
    labels: list[int]
    prior: float
    answer: list[int]


def losses(model: ReaderModel, groups: Sequence[Group]) -> Tensor:
    """The three losses of a batch: for choosing, for answering, for the answer's place.

    Choosing is the likelihood of all right sentences together, normalised over those of all chunks read
    (Clark and Gardner 2018, "Simple and Effective Multi-Paragraph Reading Comprehension", section 3.3), the
    chunks' fused scores added. Answering is the logistic loss on the log of the summed exponentials, of the
    right sentences and of the others apart: where a question is answered the others do not answer it either.
    """
    runs = [_runs(one) for one in groups]
    found = iter(_numbers(model, [run.layout for part in runs for run in part]))
    rows = [_losses(one, part, [next(found) for _ in part]) for one, part in zip(groups, runs, strict=True)]
    table = torch.stack(rows)
    counted = ~table.isnan()
    return torch.where(counted, table, 0.0).sum(0) / counted.sum(0).clamp(min=1)


def _runs(one: Group) -> list[_Run]:
    known = {_place(piece): score for piece, score in zip(one.asked.read, one.asked.scores, strict=True)}
    lowest = min(known.values(), default=0.0)
    return [
        _run(one, labelled, first, layout, PRIOR * known.get(_place(labelled[0]), lowest))
        for labelled in one.pieces
        for first, layout in laid_out(one.question, labelled[0].title, labelled[0].sentences)
    ]


def _place(piece: Piece) -> tuple[str, int]:
    return piece.doc_id, piece.start


def _run(one: Group, labelled: tuple[Piece, list[int]], first: int, layout: Layout, prior: float) -> _Run:
    count = max(layout.sentences) + 1
    labels = labelled[1][first : first + count]
    places = [
        answer_place(one.asked, text) if label == 1 else None
        for text, label in zip(labelled[0].sentences[first : first + count], labels, strict=True)
    ]
    answer = [
        token
        for token, (number, offset) in enumerate(zip(layout.sentences, layout.offsets, strict=True))
        if offset and (place := places[number]) and offset[0] < place[1] and offset[1] > place[0]
    ]
    return _Run(layout, labels, prior, answer)


def _numbers(model: ReaderModel, layouts: Sequence[Layout]) -> list[Tensor]:
    """The numbers of the tokens of each run, all computed at once."""
    ids = torch.tensor([token for one in layouts for token in one.ids], device=model.device)
    types = torch.tensor([kind for one in layouts for kind in one.types], device=model.device)
    lengths = [len(one.ids) for one in layouts]
    return list(model(ids, types, lengths).split(lengths))


def _losses(one: Group, runs: Sequence[_Run], found: Sequence[Tensor]) -> Tensor:
    """One question's losses, nan where one does not apply."""
    scored = [scores(run.layout, numbers) for run, numbers in zip(runs, found, strict=True)]
    device = found[0].device
    labels = torch.tensor([label for run in runs for label in run.labels], device=device)
    counted, none = labels >= 0, torch.tensor(torch.nan, device=device)
    answered = torch.cat([part[:, 1] for part in scored])
    held = [_told(answered[labels == label], label) for label in (0, 1) if (labels == label).any()]
    answering = torch.stack(held).sum() if held else none
    if not one.answerable:
        return torch.stack([none, answering, none])
    chosen = torch.cat([part[:, 0] + run.prior for run, part in zip(runs, scored, strict=True)])
    choosing = torch.logsumexp(chosen[counted], 0) - torch.logsumexp(chosen[labels == 1], 0)
    return torch.stack([choosing, answering, _standing(runs, found, none)])


def _told(answered: Tensor, label: int) -> Tensor:
    """The logistic loss for telling that one of these sentences answers, or that none does."""
    whole = torch.logsumexp(answered, 0)
    return functional.binary_cross_entropy_with_logits(whole, torch.full_like(whole, label))


def _standing(runs: Sequence[_Run], found: Sequence[Tensor], none: Tensor) -> Tensor:
    """The loss for the answer's place, over the tokens of all runs."""
    inside = [found[number][run.answer, SPAN] for number, run in enumerate(runs) if run.answer]
    if not inside:
        return none
    return torch.logsumexp(torch.cat([numbers[:, SPAN] for numbers in found]), 0) - torch.logsumexp(
        torch.cat(inside), 0
    )


def scores(layout: Layout, numbers: Tensor) -> Tensor:
    """For each sentence of a run what is made of it, [sentences, 2]: `rag.reader.readings`, in torch."""
    place = torch.tensor(layout.sentences, device=numbers.device)
    rows = []
    for number in range(max(layout.sentences) + 1):
        own = numbers[place == number]
        rows.append(own[0, [CHOSEN, ANSWERED]] + torch.logsumexp(own[:, WORD], 0))
    return torch.stack(rows)
