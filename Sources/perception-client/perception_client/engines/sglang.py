"""SGLang: /generate with `return_logprob`."""

from __future__ import annotations

from typing import Any

from .engine import EngineError, Server, Spoken, data_uri


class SGLang(Server):
    r"""An SGLang server with a vision-language model.

    /generate applies no chat template: give the text around the picture and the question as the model's template has it.

    Args:
        url: `http://HOST:PORT`.
        template: the prompt with `{question}`, the model's own image token in its place; such as
            `"<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>{question}<|im_end|>\n<|im_start|>assistant\n"`.
        top: the k best log-probabilities of each token.
        key: the API key.
        timeout: seconds without a byte.
        more: further members of the request.
    """

    def __init__(
        self,
        url: str,
        template: str,
        top: int = 20,
        key: str | None = None,
        timeout: float = 300.0,
        **more: Any,
    ) -> None:
        super().__init__(url, key, timeout)
        if "{question}" not in template:
            raise ValueError("template: {question} stands nowhere in it")
        self._template, self._top, self._more = template, top, more

    def speak(self, image: bytes, question: str, response: str) -> Spoken:
        """Ask for the prompt's length, then for the log-probabilities of prompt and response."""
        # Not str.format: templates and questions are full of braces.
        prompt = self._template.replace("{question}", question)
        shared = {
            "image_data": [data_uri(image)],
            "sampling_params": {"max_new_tokens": 0, "temperature": 0},
        } | self._more
        before = self._length(self.post("/generate", {"text": prompt} | shared))
        wanted = {"text": prompt + response, "return_logprob": True, "logprob_start_len": 0}
        reply = self.post(
            "/generate", wanted | {"top_logprobs_num": self._top, "return_text_in_logprobs": True} | shared
        )
        length = self._length(reply) - before
        entries = reply["meta_info"].get("input_token_logprobs")
        if not entries:
            raise EngineError("SGLang's reply has no input_token_logprobs: is this an SGLang server?")
        if length < 1 or length > len(entries):
            raise EngineError(
                f"the response has {length} tokens of {len(entries)}: does it join a token of the prompt?"
            )
        response_entries = entries[-length:]
        texts = [e[2] for e in response_entries if len(e) > 2 and isinstance(e[2], str)]
        return Spoken(
            reply, length, [int(e[1]) for e in response_entries], texts if len(texts) == length else None
        )

    @staticmethod
    def _length(reply: dict[str, Any]) -> int:
        try:
            return int(reply["meta_info"]["prompt_tokens"])
        except (KeyError, TypeError, ValueError) as error:
            raise EngineError(
                "SGLang's reply has no meta_info.prompt_tokens: is this an SGLang server?"
            ) from error
