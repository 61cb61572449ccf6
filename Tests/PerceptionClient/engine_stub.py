"""A vLLM- and SGLang-shaped server: it answers with the documented forms, and computes log-probs from the picture.

Its tokenizer splits at blanks and keeps them; the distribution of each token depends on the picture's bytes, so that
the three views differ. `faults` are strings a test adds.
"""

import base64
import contextlib
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

VOCABULARY = 60


class Stub:
    def __init__(self):
        self.words, self.asked, self.faults, self.pictures = {}, [], set(), []

    def tokens(self, text):
        pieces = [p for p in text.replace(" ", " \0").split("\0") if p]
        for piece in pieces:
            self.words.setdefault(piece, len(self.words))
        assert len(self.words) <= VOCABULARY
        return [self.words[p] for p in pieces]

    def text(self, token):
        return next((w for w, t in self.words.items() if t == token), f"<{token}>")

    def distributions(self, uri, ids):
        """Log-probabilities [T, V] of every position but the first, under this picture."""
        picture = base64.b64decode(uri.partition("base64,")[2])
        self.pictures.append(picture)
        seed = int.from_bytes(hashlib.sha256(picture).digest()[:8], "little")
        z = np.random.default_rng(seed).normal(0, 2, (len(ids), VOCABULARY))
        return z - np.log(np.exp(z).sum(-1, keepdims=True))

    def best(self, row, k):
        order = np.argsort(-row, kind="stable")
        return order[:k].tolist(), {int(t): r + 1 for r, t in enumerate(order)}

    def chat(self, body):
        user, last = body["messages"][-2:]
        assert last["role"] == "assistant" and body["continue_final_message"] and not body["add_generation_prompt"]
        uri = next(p["image_url"]["url"] for p in user["content"] if p["type"] == "image_url")
        question = next(p["text"] for p in user["content"] if p["type"] == "text")
        ids = self.tokens("[image] ") + self.tokens(question + " ") + self.tokens(last["content"])
        log_probs = self.distributions(uri, ids)
        positions = [None]
        for row, token in zip(log_probs[1:], ids[1:], strict=True):
            best, rank = self.best(row, body["prompt_logprobs"])
            entry = {}
            for t in [token, *(b for b in best if b != token)]:
                entry[str(t)] = {"logprob": float(row[t]), "rank": rank[t], "decoded_token": self.text(t)}
            positions.append(entry)
        choice = {"index": 0, "message": {"role": "assistant", "content": "."}, "finish_reason": "length"}
        usage = {"prompt_tokens": len(ids), "completion_tokens": 1, "total_tokens": len(ids) + 1}
        reply = {"choices": [choice], "prompt_token_ids": ids, "prompt_logprobs": positions, "usage": usage}
        if "no logprobs" in self.faults:
            del reply["prompt_logprobs"]
        return reply

    def generate(self, body):
        ids = self.tokens(body["text"])
        meta = {"prompt_tokens": len(ids), "completion_tokens": 0}
        if body.get("return_logprob"):
            log_probs = self.distributions(body["image_data"][0], ids)
            entries, tops = [[None, ids[0], self.text(ids[0])]], [None]
            for row, token in zip(log_probs[1:], ids[1:], strict=True):
                entries.append([float(row[token]), token, self.text(token)])
                tops.append([[float(row[t]), t, self.text(t)] for t in self.best(row, body["top_logprobs_num"])[0]])
            meta |= {"input_token_logprobs": entries, "input_top_logprobs": tops}
        return {"text": "", "meta_info": meta}

    def answer(self, path, body):
        self.asked.append((path, body))
        if "refuse" in self.faults:
            return 400, {"error": {"message": "prompt_logprobs must be at most 5"}}
        if path == "/tokenize":
            return 200, {"tokens": self.tokens(body["prompt"]), "count": 0, "max_model_len": 1000}
        return 200, self.chat(body) if path == "/v1/chat/completions" else self.generate(body)


@contextlib.contextmanager
def engine():
    """(address, Stub)"""
    stub = Stub()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, reply = stub.answer(self.path, body)
            data = json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", stub
        finally:
            server.shutdown()
