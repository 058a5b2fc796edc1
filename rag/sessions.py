"""The embedded models as they lie in `rag/weights`: sessions of onnxruntime, and their tokenizer."""

from __future__ import annotations

import os
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def open_session(name: str) -> Any:
    """A model of `rag/weights`, run by one thread and as its graph was built."""
    # its builds from 1.29 on report each session to their maker, unless this is set before the import
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # the graphs are built of fused operators
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(_weights(name), options, providers=["CPUExecutionProvider"])


def open_tokenizer(longest: int | None = None) -> Tokenizer:
    """The tokenizer of the embedded models, without padding; it cuts at `longest` tokens, where given."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_buffer(_weights("tokenizer.json"))
    tokenizer.no_padding()
    if longest is None:
        tokenizer.no_truncation()
    else:
        tokenizer.enable_truncation(longest)
    return tokenizer


def encodable(text: str) -> str:
    """The text with each unpaired surrogate, which the tokenizer refuses, as a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _weights(name: str) -> bytes:
    return (files("rag") / "weights" / name).read_bytes()
