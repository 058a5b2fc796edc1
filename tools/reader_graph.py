"""Write the embedded reader as one ONNX graph: layers of BERT over a single text, and four numbers a token.

The rounding is that of `tools/build_weights.py`: a scale for each row of the word table, each column of a
matrix and each token of an activation. The operators are others, for their time; on one thread, with 164
tokens, in ms: `Add` and `LayerNormalization` in place of `SkipLayerNormalization` (2 for 7), `Gelu` after
`Add` in place of `BiasGelu` (2.5 for 3.8), `MultiHeadAttention` without bias and mask, since a run holds one
text (7.5 for 10), `QuantizeLinear` with a scale for each token in place of `Div`, `Add` and `Cast` (1.3 for
3.5). Together 32 for 40. A single scale for a text would save 6 more, at nearly twice the
distance from fp32.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import onnx
from build_weights import (
    CONTRIB,
    EPSILON,
    GELU_FLOOR,
    HEADS,
    Graph,
    _norm,
    _rows_fp32,
    _rows_int8,
    quantise_columns,
)
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from rag.reader import MARK

Array = NDArray[Any]
Weights = Mapping[str, Array]
INPUTS = ("input_ids", "token_type_ids")


@dataclass(frozen=True, slots=True)
class _Build:
    """A graph in the making, with the weights that go into it."""

    graph: Graph
    weights: Weights
    int8: bool

    def constant(self, name: str) -> str:
        return self.graph.constant(name, self.weights[name])

    def apply(self, operator: str, *inputs: str, **attributes: Any) -> str:
        return self.graph.apply(operator, *inputs, **attributes)


def build(weights: Weights, *, int8: bool) -> bytes:
    """The reader as the bytes of an ONNX file.

    Inputs `input_ids` and `token_type_ids`, int64 [1, tokens], one text a run; output `scores`, float32
    [1, tokens, heads].

    Args:
        weights: By the names of `tools/reader_model.py`, matrices as [outputs, inputs].
        int8: Whether matrices and the word table are rounded to 8 bits.
    """
    made = _Build(Graph(), weights, int8)
    state = _embed(made)
    layers = sum(name.endswith(".qkv.weight") for name in weights)
    for number in range(layers):
        state = _layer(made, f"layers.{number}.", state)
    product = made.apply("MatMul", state, made.graph.constant("head.weight", weights["head.weight"].T))
    made.apply("Add", product, made.constant("head.bias"), output="scores")
    return _model(made.graph, len(weights["head.bias"]))


def read_back(graph: bytes) -> dict[str, Array]:
    """The weights of an int8 graph, as `build` takes them: those it was built from, rounded.

    Args:
        graph: The bytes of an ONNX file that `build` wrote with `int8`.
    """
    held = {
        one.name: numpy_helper.to_array(one) for one in onnx.load_model_from_string(graph).graph.initializer
    }
    weights = {name: held[name] for name in held if name.endswith((".weight", ".bias"))}
    for name in (name.removesuffix(".codes") for name in held if name.endswith(".codes")):
        matrix = held[f"{name}.codes"].astype(np.float32) * held[f"{name}.scales"]
        weights[f"{name}.weight"] = matrix.T
        if name.endswith("narrow"):
            weights[f"{name}.bias"] = weights[f"{name}.bias"] + np.float32(GELU_FLOOR) * matrix.sum(axis=0)
    weights["words.weight"] = held["words"] * held["word_scales"]
    weights["head.weight"] = held["head.weight"].T
    return weights | {"mark": weights["words.weight"][MARK]}


def _model(graph: Graph, heads: int) -> bytes:
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, [1, "tokens"]) for name in INPUTS]
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, "tokens", heads])
    whole = helper.make_graph(graph.nodes, "reader", inputs, [scores], list(graph.constants.values()))
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid(CONTRIB, 1)]
    return bytes(helper.make_model(whole, opset_imports=opsets, ir_version=10).SerializeToString())


def _embed(made: _Build) -> str:
    """Words, places and types; the mark takes its row in the word table."""
    table = made.weights["words.weight"].copy()
    table[MARK] = made.weights["mark"]
    words = (_rows_int8 if made.int8 else _rows_fp32)(made.graph, table)
    zero = made.graph.constant("zero", [0], np.int64)
    length = made.apply("Shape", "input_ids", start=1, end=2)
    places = made.apply("Slice", made.constant("places.weight"), zero, length, zero)
    types = made.apply("Gather", made.constant("types.weight"), "token_type_ids")
    if made.int8:
        middles = np.full(len(made.weights["places.weight"]), 128)
        middles_of_all = made.graph.constant("middles_of_all", middles, np.uint8)
        made.apply("Slice", middles_of_all, zero, length, zero, output="middles")
    return _normed(made, "norm", made.apply("Add", made.apply("Add", words, places), types))


def _layer(made: _Build, name: str, state: str) -> str:
    parts = [f"{name}{part}" for part in ("query", "key", "value")]
    merged = _linear(made, f"{name}qkv", state)
    made.graph.nodes.append(helper.make_node("Split", [merged], parts, axis=-1, num_outputs=3))
    heard = made.apply("MultiHeadAttention", *parts, domain=CONTRIB, num_heads=HEADS)
    heard = _linear(made, f"{name}heard", heard)
    state = _normed(made, f"{name}norm_1", made.apply("Add", heard, state))
    wide = made.apply("Gelu", _linear(made, f"{name}wide", state), domain=CONTRIB)
    narrow = _linear(made, f"{name}narrow", wide, floor=GELU_FLOOR)
    return _normed(made, f"{name}norm_2", made.apply("Add", narrow, state))


def _normed(made: _Build, name: str, state: str) -> str:
    constants = _norm(made.graph, dict(made.weights), name)
    return made.apply("LayerNormalization", state, *constants, axis=-1, epsilon=EPSILON)


def _linear(made: _Build, name: str, inputs: str, floor: float | None = None) -> str:
    """A product with its bias; `floor` is for inputs that are never below it, negated."""
    matrix, bias = made.weights[f"{name}.weight"].T, made.weights[f"{name}.bias"]
    if not made.int8:
        product = made.apply("MatMul", inputs, made.graph.constant(f"{name}.weight", matrix))
        return made.apply("Add", product, made.constant(f"{name}.bias"))
    codes, scales = quantise_columns(matrix)
    tokens = _signed if floor is None else partial(_shifted, floor=floor)
    read, scale, zero = tokens(made, inputs)
    constants = (
        made.graph.constant(f"{name}.codes", codes, np.int8),
        made.graph.constant("unit", 1.0),
        made.graph.constant(f"{name}.scales", scales),
        zero,
    )
    product = made.apply("MatMulIntegerToFloat", read, *constants, domain=CONTRIB)
    if floor is not None:
        # what the shift adds to the product is the same for each token
        bias = bias - floor * codes.astype(np.int64).sum(axis=0) * scales.astype(np.float64)
    return made.apply("Add", made.apply("Mul", product, scale), made.graph.constant(f"{name}.bias", bias))


def _signed(made: _Build, inputs: str) -> tuple[str, str, str]:
    """Codes 1 to 255 around 128, the scale for each token, and the code of 0."""
    largest = _largest(made, made.apply("Abs", inputs))
    scale = made.apply("Mul", largest, made.graph.constant("per_127", 1 / 127))
    codes = made.apply("QuantizeLinear", inputs, _one_each(made, scale), "middles", axis=1)
    return codes, scale, made.graph.constant("middle", 128, np.uint8)


def _shifted(made: _Build, inputs: str, floor: float) -> tuple[str, str, str]:
    """Codes 0 to 255 from `-floor` up, the scale for each token, and the code of `-floor`."""
    raised = made.apply("Add", inputs, made.graph.constant("floor", floor))
    scale = made.apply("Mul", _largest(made, raised), made.graph.constant("per_255", 1 / 255))
    codes = made.apply("QuantizeLinear", raised, _one_each(made, scale), axis=1)
    return codes, scale, made.graph.constant("bottom", 0, np.uint8)


def _largest(made: _Build, inputs: str) -> str:
    peak = made.apply("ReduceMax", inputs, made.graph.constant("last_axis", [-1], np.int64), keepdims=1)
    return made.apply("Max", peak, made.graph.constant("tiny", 1e-6))


def _one_each(made: _Build, scale: str) -> str:
    """The scales [1, tokens, 1] as [tokens]."""
    return made.apply("Squeeze", scale, made.graph.constant("outer_axes", [0, 2], np.int64))
