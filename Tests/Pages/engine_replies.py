"""What inference engines say of one response after a prompt, under three views."""

import json

import numpy as np

PROMPT = [(151644, "<|im_start|>"), (785, "What"), (374, " is")]
RESPONSE = [(32, "A"), (8251, " red"), (5562, " cat"), (13, "\u202e.")]
VOCABULARY = 151_936
VIEWS = ("original", "preserving", "removing")


def chances(view):
    """For each position the log-probabilities of its token and of two others: [positions, 3]."""
    generator = np.random.default_rng(VIEWS.index(view))
    own = -generator.uniform(0.05, 0.4 if view != "removing" else 2.5, len(PROMPT) + len(RESPONSE))
    rest = np.log1p(-np.exp(own))
    return np.stack([own, rest + np.log(0.7), rest + np.log(0.2)], 1)


def vllm(view, with_ids=True):
    """/v1/chat/completions with prompt_logprobs; member order counts."""
    positions = [None]
    for (token, text), (own, second, third) in list(zip(PROMPT + RESPONSE, chances(view), strict=True))[1:]:
        positions.append({
            str(token): {"logprob": own, "rank": 1, "decoded_token": text},
            "7": {"logprob": second, "rank": 2, "decoded_token": "<b>no</b>"},
            "9": {"logprob": third, "rank": 3, "decoded_token": " other"},
        })
    reply = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "."}}], "prompt_logprobs": positions}
    if with_ids:
        reply["prompt_token_ids"] = [token for token, _ in PROMPT + RESPONSE]
    return json.dumps(reply).encode()


def sglang(view):
    """/generate with return_logprob."""
    entries, tops = [[None, PROMPT[0][0], None]], [None]
    for (token, text), (own, second, third) in list(zip(PROMPT + RESPONSE, chances(view), strict=True))[1:]:
        entries.append([own, token, text])
        tops.append([[own, token, text], [second, 7, "<b>no</b>"], [third, 9, " other"]])
    return json.dumps({"text": "", "meta_info": {"input_token_logprobs": entries, "input_top_logprobs": tops}}).encode()
