"""A mask and a heat map without a trainer, from a vLLM or SGLang server's log-probabilities.

    from perception_client.engines import VLLM, perceive
    engine = VLLM("http://127.0.0.1:8000", "Qwen/Qwen2.5-VL-7B-Instruct")
    result = perceive(P, engine, image, "What is this?", "A cat.", vocabulary_size=152_064)
    result.show()

The engine scores the same response under the original, the preserving and the removing view, and the replies go to
/v1/score as they are: it reads both engines' forms and bounds entropies by the k best log-probabilities.
"""

from .engine import Engine, EngineError, Spoken
from .perceiving import Perceived, perceive
from .sglang import SGLang
from .vllm import VLLM

__all__ = ["VLLM", "Engine", "EngineError", "Perceived", "SGLang", "Spoken", "perceive"]
