"""vLLM: /v1/chat/completions with `prompt_logprobs`."""

from __future__ import annotations

from typing import Any

from .engine import EngineError, Server, Spoken, data_uri


class VLLM(Server):
    """A vLLM server with a vision-language model.

    The response is the last turn of the prompt (`continue_final_message`), so that its log-probabilities are prompt
    log-probabilities. vLLM's `--max-logprobs` bounds `top`; the temperature does not act on them.

    Args:
        url: `http://HOST:PORT`.
        model: the name that vLLM serves it by.
        top: the k best log-probabilities of each token.
        key: the API key.
        timeout: seconds without a byte.
        system: the system prompt.
        more: further members of the request, such as `mm_processor_kwargs`.
    """

    def __init__(
        self,
        url: str,
        model: str,
        top: int = 20,
        key: str | None = None,
        timeout: float = 300.0,
        system: str | None = None,
        **more: Any,
    ) -> None:
        super().__init__(url, key, timeout)
        self._model, self._top, self._system, self._more = model, top, system, more

    def speak(self, image: bytes, question: str, response: str) -> Spoken:
        """Ask for the response's log-probabilities; its tokens are those of /tokenize."""
        ids = self._tokens(response)
        picture = {"type": "image_url", "image_url": {"url": data_uri(image)}}
        messages: list[dict[str, Any]] = [
            {"role": "user", "content": [picture, {"type": "text", "text": question}]},
            {"role": "assistant", "content": response},
        ]
        if self._system is not None:
            messages.insert(0, {"role": "system", "content": self._system})
        body = {
            "model": self._model,
            "messages": messages,
            "prompt_logprobs": self._top,
            "return_token_ids": True,
            "max_tokens": 1,
            "temperature": 0,
            "add_generation_prompt": False,
            "continue_final_message": True,
        }
        reply = self.post("/v1/chat/completions", body | self._more)
        positions = reply.get("prompt_logprobs") or next(
            (c["prompt_logprobs"] for c in reply.get("choices", []) if c.get("prompt_logprobs")), None
        )
        if not positions:
            raise EngineError("vLLM's reply has no prompt_logprobs: is this a vLLM server?")
        if len(positions) < len(ids):
            raise EngineError(f"the response has {len(ids)} tokens and the reply {len(positions)} positions")
        return Spoken(reply, len(ids), ids, _texts(positions[-len(ids) :], ids))

    def _tokens(self, response: str) -> list[int]:
        asked = {"model": self._model, "prompt": response, "add_special_tokens": False}
        tokens = self.post("/tokenize", asked).get("tokens")
        if not tokens:
            raise EngineError("the response has no tokens")
        return [int(t) for t in tokens]


def _texts(positions: list[Any], ids: list[int]) -> list[str] | None:
    texts = [(p or {}).get(str(i), {}).get("decoded_token") for p, i in zip(positions, ids, strict=True)]
    return texts if all(isinstance(t, str) for t in texts) else None
