"""From an image, a question and a response to a mask and a heat map, by engines of the documented shapes."""

import json

import numpy as np
import pytest
from PIL import Image

from engine_stub import VOCABULARY, engine
from features import FIXTURES, needs
from perception_client import Perception
from perception_client.engines import VLLM, EngineError, SGLang, perceive
from perception_client.safetensors_file import MEDIA_TYPE, Stored, encode
from scripted import scripted

QUESTION, RESPONSE = "What is this?", "It is a small harbour at dusk."
TEMPLATE = "user [image] {question} assistant "


@pytest.fixture
def image():
    return Image.open(FIXTURES / "photograph.jpg").convert("RGB").resize((112, 84))


def engines(address):
    return {"vllm": VLLM(address, "tiny", top=12), "sglang": SGLang(address, TEMPLATE, top=12)}


@pytest.mark.parametrize("kind", ["vllm", "sglang"])
def test_an_image_a_question_and_a_response_give_a_mask(client, image, edition, kind):
    needs(edition, "entropy_from")
    with engine() as (address, stub):
        result = perceive(client, engines(address)[kind], image, QUESTION, RESPONSE, seed=3, vocabulary_size=VOCABULARY)
    assert result.tokens == ["It ", "is ", "a ", "small ", "harbour ", "at ", "dusk."]
    assert result.score.mask.size == 7 and result.score.gated > 0
    assert result.score.delta_entropy.size == 7 and np.any(result.score.delta_entropy != 0)
    assert len(set(stub.pictures)) == 3
    page = result.to_html()
    assert "harbour" in page and page.count("<span") == 7


@pytest.mark.parametrize("kind", ["vllm", "sglang"])
def test_log_probs_are_those_of_the_response(client, image, edition, kind):
    """Both engines' forms of the same numbers give the same score as tensors do."""
    needs(edition, "entropy_from")
    with engine() as (address, stub):
        result = perceive(client, engines(address)[kind], image, QUESTION, RESPONSE, detector="none", seed=3)
        ids = stub.tokens(RESPONSE)
        log_probs = {}
        for view, picture in zip(("original", "preserving", "removing"), list(stub.pictures), strict=True):
            import base64

            prefix = {"vllm": f"[image] {QUESTION} ", "sglang": f"user [image] {QUESTION} assistant "}[kind]
            everything = stub.tokens(prefix) + ids
            rows = stub.distributions("base64," + base64.b64encode(picture).decode(), everything)
            log_probs[view] = rows[np.arange(len(everything)), everything][-7:][None]
    expected = client.score(log_probs=log_probs, detector="none", gate="none")
    assert result.score.loss == pytest.approx(expected.loss, rel=1e-6)


@pytest.mark.parametrize("kind", ["vllm", "sglang"])
def test_what_is_posted(image, kind):
    """Three replies as they came, the response's token ids and texts, and options; by a scripted server."""
    arrays = {"mask": Stored.of(np.ones(7, "u1"))}
    reply = b"".join(encode(arrays, {"result": json.dumps({"loss": 1.0, "diagnostics": {"gated": 7}})}))

    def picture(request):
        from perception_client.safetensors_file import decode

        assert request.path == "/v1/perturb"
        _head, _, rest = request.body.partition(b'name="request"')
        asked = json.loads(rest.partition(b"\r\n\r\n")[2].partition(b"\r\n--")[0])
        id_ = asked["images"][0]["id"]
        views = [{"name": v["name"], "variant": 0, "steps": [], "width": 112, "height": 84, "format": "png"} for v in asked["views"]]
        said = json.dumps({"images": [{"id": id_, "width": 112, "height": 84, "views": views}]}).encode()
        parts = [("", "application/json", said)]
        parts += [(f"{id_}.{v['name']}", "image/png", b"\x89PNG" + v["name"].encode()) for v in asked["views"]]
        body = b""
        for name, media, data in parts:
            body += b'--x\r\nContent-Type: %s\r\nContent-Disposition: attachment; name="%s"\r\nContent-Length: %d\r\n\r\n' % (
                media.encode(), name.encode(), len(data),
            ) + data + b"\r\n"  # fmt: skip
        assert decode
        request.answer(body=body + b"--x--\r\n", Content_Type="multipart/mixed; boundary=x")

    with scripted(picture, lambda r: r.answer(body=reply, Content_Type=MEDIA_TYPE)) as script, engine() as (address, stub):
        result = perceive(Perception(script.url), engines(address)[kind], image, QUESTION, RESPONSE, tau=0.5)
        posted = json.loads(script.requests[1].body)
        assert posted["options"] == {"gate": "none", "tau": 0.5}
        (rollout,) = posted["rollouts"]
        assert rollout["token_ids"] == stub.tokens(RESPONSE)
        member = "prompt_logprobs" if kind == "vllm" else "meta_info"
        assert all(member in rollout[v]["reply"] for v in ("original", "preserving", "removing"))
        assert stub.pictures[1:] == [b"\x89PNGpreserving", b"\x89PNGremoving"]
        if kind == "vllm":
            # The order of members is the order of tokens: it must survive.
            for position, token in zip(rollout["original"]["reply"]["prompt_logprobs"][-7:], rollout["token_ids"], strict=True):
                assert next(iter(position)) == str(token)
        assert result.score.gated == 7 and "harbour" in result.to_html()


@pytest.mark.parametrize("kind", ["vllm", "sglang"])
def test_an_engine_that_refuses_is_quoted(client, image, kind):
    with engine() as (address, stub):
        stub.faults.add("refuse")
        with pytest.raises(EngineError, match="400: .*prompt_logprobs must be at most 5"):
            perceive(client, engines(address)[kind], image, QUESTION, RESPONSE)


def test_something_that_is_no_engine(client, image):
    with engine() as (address, stub):
        stub.faults.add("no logprobs")
        with pytest.raises(EngineError, match="no prompt_logprobs: is this a vLLM server"):
            perceive(client, VLLM(address, "tiny"), image, QUESTION, RESPONSE)
    with scripted() as script, pytest.raises(EngineError, match="no tokens|meta_info"):
        perceive(client, SGLang(script.url, TEMPLATE), image, QUESTION, RESPONSE)
    with pytest.raises(EngineError, match="refused"):
        perceive(client, VLLM("http://127.0.0.1:9", "tiny"), image, QUESTION, RESPONSE)


def test_a_template_without_the_question():
    with pytest.raises(ValueError, match="stands nowhere"):
        SGLang("http://127.0.0.1:9", "user assistant")


def test_braces_in_templates_and_questions_are_text(client, image, edition):
    with engine() as (address, stub):
        spoken = SGLang(address, "{} user [image] {question} ", top=3).speak(b"\x89PNG", "Is {x} = {question}?", "Yes it is.")
        assert spoken.length == 3 and spoken.texts == ["Yes ", "it ", "is."]
        assert stub.asked[0][1]["text"] == "{} user [image] Is {x} = {question}? "
