"""The playground's tokens: what comes in, the options, and what the server says of them."""

import json

import numpy as np
import pytest
import requests
from safetensors.numpy import load, save

import accessibility
import browser
import conftest
import engine_replies
import files
import token_page
from token_page import number, opened, option, scalar, settled, show, tokens, trouble

FIXTURES = browser.REPOSITORY / "Tests/Fixtures"


def scored(server, body, media="application/json", **query):
    headers = {"Content-Type": media, "Accept": "application/json"}
    reply = requests.post(f"{server}/v1/score", data=body, params=query, headers=headers, timeout=60)
    assert reply.status_code == 200, reply.text
    return reply.json()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_the_example_is_scored_and_shown(visit, width, scheme):
    page = opened(visit, width=width, scheme=scheme)
    assert "".join(tokens(page)) == "Region-based␣␣segmentation"
    assert scalar(page, "perception") == "13" and len(tokens(page, "masked")) == 13
    page.locator(".heat-map .token").nth(0).hover()
    assert browser.overflowing(page) == []
    assert accessibility.violations(page) == []
    browser.screenshot(page, f"tokens-{width}-{scheme}", full_page=True)


def test_the_example_agrees_with_the_recording(visit, server):
    page = opened(visit)
    recorded = (FIXTURES / "ocr-line.safetensors").read_bytes()
    reply = scored(server, recorded, "application/octet-stream", **{"return": "mask"})
    assert scalar(page, "in the loss") == str(reply["diagnostics"]["gated"])
    assert number(page, "loss") == pytest.approx(reply["loss"], rel=1e-3)
    show(page, {"ocr-line.safetensors": recorded})
    assert "".join(tokens(page)) == "Region-based␣␣segmentation"
    assert scalar(page, "in the loss") == str(reply["diagnostics"]["gated"])
    page.locator(".heat-map .token").nth(0).hover()
    card = page.locator(".card").inner_text()
    assert "probability" in card and "removing" in card and page.locator(".card .best").count() == 3
    option(page, "preset").locator("select").select_option("cppo-paper")
    settled(page)
    reply = scored(server, recorded, "application/octet-stream", preset="cppo-paper", **{"return": "mask"})
    assert number(page, "loss") == pytest.approx(reply["loss"], rel=0.05)


def test_options_score_again_at_once(visit, server):
    page = opened(visit)
    slider = option(page, "top_k_ratio").get_by_label("slider")
    slider.fill("0.2")
    settled(page)
    assert len(tokens(page, "masked")) == 5
    assert option(page, "top_k_ratio").locator(".changed").is_visible()
    for name, value in (("gate", "none"), ("estimator", "k1"), ("detector", "divergence")):
        option(page, name).locator("select").select_option(value)
        settled(page)
        assert page.locator(f"#{token_page.PANEL} .problem").count() == 0
    assert page.get_by_role("radio", name="ΔH").count() == 0, "a divergence has no ΔH"
    option(page, "preset").locator("select").select_option("papo-g")
    settled(page)
    assert option(page, "coefficient").locator("input").input_value() == "0.02"
    assert scalar(page, "objective") not in ("", "–")


def test_every_option_of_the_contract_has_a_control(visit, server):
    page = opened(visit)
    schemas = requests.get(f"{server}/openapi.json", timeout=30).json()["components"]["schemas"]
    names = schemas["ScoreOptions"]["properties"]
    shown = page.locator("[data-option]").evaluate_all("all => all.map(one => one.dataset.option)")
    assert set(names) - set(shown) == {"return"}


def test_what_the_server_refuses_stands_beside_its_option(visit):
    visit.allow("status of 4")
    page = opened(visit)
    option(page, "tau").locator("input").fill("-1")
    assert "invalid-option" in trouble(page)
    assert "expected a number > 0" in option(page, "tau").locator(".fault").inner_text()
    assert "".join(tokens(page)).startswith("Region"), "what was shown stays"
    option(page, "tau").locator("input").fill("0.2")
    settled(page)
    assert page.locator(f"#{token_page.PANEL} .problem").count() == 0 and option(page, "tau").locator(".fault").is_hidden()
    option(page, "preset").locator("select").select_option("cppo-paper")
    assert "logits" in trouble(page)


TEXTS = [["A", " red", " cat", ".", "", "\n"], ["No", " idea", "<b>", "x", "y", "z"]]


def test_safetensors_json_and_columnar_requests_say_the_same(visit, server):
    page = opened(visit)
    tensors, metadata = token_page.batch(texts=TEXTS)
    options = json.loads(metadata["options"])
    body = json.dumps({"options": options, "rollouts": token_page.rollouts(tensors)}).encode()
    expected = scored(server, body)
    columnar = json.dumps({"options": options} | {name: values.tolist() for name, values in tensors.items()}).encode()
    named = json.dumps({"options": options, "rollouts": token_page.rollouts(tensors, tokens=TEXTS)}).encode()
    for name, data in {"a.safetensors": save(tensors, metadata), "b.json": body, "c.json": columnar, "d.json": named}.items():
        show(page, {name: data})
        page.locator("label").filter(has_text="Text").last.click()
        assert option(page, "preset").locator("select").input_value() == "cppo-areal", name
        assert scalar(page, "in the loss") == str(expected["diagnostics"]["gated"]), name
        assert number(page, "loss") == pytest.approx(expected["loss"], rel=1e-3), name
        if name[0] in "ad":
            assert " red" in tokens(page) and "<b>" in tokens(page)
    assert page.locator(".heat-head b").all_inner_texts() == ["row 0", "row 1"]


def test_replies_are_shown_without_their_request(visit, server):
    page = opened(visit)
    tensors, metadata = token_page.batch(texts=TEXTS)
    body = json.dumps({"options": json.loads(metadata["options"]), "rollouts": token_page.rollouts(tensors)}).encode()
    as_json = json.dumps(scored(server, body)).encode()
    headers = {"Content-Type": "application/x-safetensors"}
    as_tensors = requests.post(f"{server}/v1/score", data=save(tensors, metadata), headers=headers, timeout=60).content
    gated = str(int(load(as_tensors)["mask"].sum()))
    for name, data in {"reply.json": as_json, "reply.safetensors": as_tensors}.items():
        show(page, {name: data})
        assert scalar(page, "in the loss") == gated and len(tokens(page, "masked")) == int(gated)
        assert "holds no inputs" in page.locator(".notes").inner_text()
        assert option(page, "preset").locator("select").is_disabled()
    files.drop(page, token_page.PANEL, {"tokens.json": json.dumps(TEXTS).encode()})
    page.locator(".token").filter(has_text="red").wait_for()


@pytest.mark.parametrize("engine", ["vllm", "sglang", "vllm without ids"])
def test_engines_replies_are_scored(visit, server, engine):
    page = opened(visit)
    made = {
        "vllm": engine_replies.vllm,
        "sglang": engine_replies.sglang,
        "vllm without ids": lambda view: engine_replies.vllm(view, False),
    }[engine]
    show(page, {f"{view}.json": made(view) for view in engine_replies.VIEWS})
    page.get_by_label("response length").fill("4")
    page.get_by_label("response length").press("Tab")
    settled(page)
    assert tokens(page) == ["A", " red", " cat", "‹RLO›."]
    page.get_by_label("width of the vocabulary").fill(str(engine_replies.VOCABULARY))
    page.get_by_label("width of the vocabulary").press("Tab")
    settled(page)
    views = ",".join(f'"{view}":{{"reply":{made(view).decode()}}}' for view in engine_replies.VIEWS)
    body = f'{{"options":{{"gate":"none","vocabulary_size":{engine_replies.VOCABULARY}}},"rollouts":[{{"response_length":4,{views}}}]}}'
    expected = scored(server, body.encode())
    assert scalar(page, "perception") == str(expected["diagnostics"]["selected"])
    assert number(page, "loss") == pytest.approx(expected["loss"], rel=1e-3)
    page.locator(".heat-map .token").nth(1).hover()
    card = page.locator(".card").inner_text()
    assert "<b>no</b>" in card and "…" in card, "likeliest tokens, and the bounds of the entropy"
    own = np.exp(engine_replies.chances("removing")[len(engine_replies.PROMPT) + 1][0]) * 100
    assert f"{own:.3g} %" in page.locator(".card-view.removing").inner_text()


def test_replies_whose_names_say_no_view_are_taken_in_order(visit):
    page = opened(visit)
    show(page, {"a.json": engine_replies.vllm("original"), "b.json": engine_replies.vllm("removing")})
    assert "original: a.json, removing: b.json" in page.locator(".source-label").inner_text()
    assert "taken in this order" in page.locator(".notes").inner_text()
    assert option(page, "preset").locator("select").input_value() == "papo-g", "two views are PAPO's"


def test_requests_with_replies_are_posted_as_they_stand(visit, server):
    page = opened(visit)
    rollout = {"id": "r", "response_length": 4} | {
        view: {"reply": json.loads(engine_replies.sglang(view))} for view in ("original", "removing")}
    options = {"preset": "papo-g", "detector": "entropy", "vocabulary_size": 151936, "top_k_ratio": 1}
    body = json.dumps({"options": options, "rollouts": [rollout]}).encode()
    show(page, {"engines.json": body})
    assert tokens(page)[:3] == ["A", " red", " cat"]
    expected = scored(server, body)
    assert scalar(page, "perception") == str(expected["diagnostics"]["selected"])
    option(page, "top_k_ratio").get_by_label("slider").fill("0.5")
    settled(page)
    taken_back = scored(server, body, top_k_ratio="0.5")["diagnostics"]["selected"]
    assert taken_back < expected["diagnostics"]["selected"]
    assert scalar(page, "perception") == str(taken_back), "the preset's value is sent where the body has another"


def headed(header):
    """A safetensors file of a header alone."""
    return len(header).to_bytes(8, "little") + header


@pytest.mark.parametrize("name, data, words", [
    ("cut.safetensors", (FIXTURES / "ocr-line.safetensors").read_bytes()[:200_000], "is it cut off?"),
    ("header.safetensors", (FIXTURES / "ocr-line.safetensors").read_bytes()[:100], "the file ends after"),
    ("huge.safetensors", b"\xff\xff\xff\xff\xff\x00\x00\x00{}", "header would be"),
    ("types.safetensors", headed(b'{"a":{"dtype":"constructor","shape":[0],"data_offsets":[0,0]}}'), "not known"),
    ("empty.json", b"", "no JSON"),
    ("other.json", b'{"a": 1}', "neither rollouts nor tensors"),
    ("list.json", b"[1, 2]", "JSON object is expected"),
    ("picture.png", (FIXTURES / "page.png").read_bytes(), "neither JSON nor safetensors"),
    ("one.json", engine_replies.vllm("original"), "Two or three replies"),
    ("<img src=x onerror=alert(1)>\u202e.json", b"{", "<img src=x onerror=alert(1)>‹RLO›"),
])
def test_what_is_no_input_is_refused_in_words(visit, name, data, words):
    page = opened(visit)
    files.drop(page, token_page.PANEL, {name: data})
    assert words in trouble(page)
    assert "".join(tokens(page)).startswith("Region"), "what was shown stays"


def test_a_bad_request_is_answered_with_the_servers_words(visit):
    visit.allow("status of 4")
    page = opened(visit)
    files.drop(page, token_page.PANEL, {"bad.json": json.dumps({"rollouts": [{"<b>\u202eevil": 1}]}).encode()})
    said = trouble(page)
    assert "unknown-field" in said and "<b>‹RLO›evil" in said and "\u202e" not in said
    assert page.locator(".problem b").count() == 0


def test_hostile_texts_are_shown_and_not_obeyed(visit):
    page = opened(visit)
    texts = [["<img src=x onerror=alert(1)>", "\u202eabc", "\u0000\u0007", "a\u0301" * 40, "שלום", "\ud83d\ude00\u2028"],
             ["</span><script>alert(1)</script>", "&amp;", "x" * 5000, "\ufeff", "\u2066", "‏"]]
    show(page, {"hostile.safetensors": token_page.saved_batch(texts=texts)})
    shown = tokens(page)
    assert "<img src=x onerror=alert(1)>" in shown and "‹RLO›abc" in shown and "‹U+0000›‹U+0007›" in shown and "&amp;" in shown
    assert max(map(len, shown)) <= 201
    assert page.locator(".heat-map img, .heat-map script").count() == 0
    for token in range(12):
        page.locator(".heat-map .token").nth(token).click()
    lefts = page.locator(".heat-line").first.locator(".token").evaluate_all("all => all.map(one => one.getBoundingClientRect().left)")
    assert lefts == sorted(lefts), "no text turns the order of the others"
    assert browser.overflowing(page) == []


def test_tokens_that_fit_nothing_are_said_to(visit):
    page = opened(visit)
    show(page, {"a.safetensors": token_page.saved_batch(texts=[["a"], ["b"], ["c"]])})
    assert "do not fit" in page.locator(".notes").inner_text()


def test_nothing_is_sent_elsewhere(visit, server):
    page = visit("/healthz")
    asked = []
    page.on("request", lambda request: asked.append((request.method, request.url)))
    page.goto(server + "/")
    page.locator(".token.masked").first.wait_for()
    show(page, {"a.safetensors": token_page.saved_batch()})
    assert asked and all(url.startswith((server, "blob:", "data:")) for _, url in asked)
    assert {url.split("?")[0] for method, url in asked if method == "POST"} == {f"{server}/v1/score"}


def test_a_server_with_a_token(visit, guarded):
    visit.allow("status of 401")
    page = visit("/", base=guarded)
    page.get_by_label("Bearer token").fill(conftest.TOKEN)
    page.get_by_role("button", name="Use token").click()
    page.locator(".token.masked").first.wait_for()
    page.get_by_role("button", name="Token set").click()
    page.get_by_role("button", name="Forget").click()
    assert page.evaluate("sessionStorage.length") == 0


def test_rewards_in_groups_are_scored_and_named(visit, server):
    page = opened(visit)
    tensors, _ = token_page.batch(rows=4)
    listed = token_page.rollouts(tensors)
    for rollout, reward in zip(listed, (1, 0, 0, 1), strict=True):
        del rollout["advantage"]
        rollout |= {"reward": reward, "group_id": "a prompt"}
    body = json.dumps({"rollouts": listed}).encode()
    show(page, {"rewards.json": body})
    assert "reward 1" in page.locator(".heat-head").first.inner_text()
    assert number(page, "loss") == pytest.approx(scored(server, body)["loss"], rel=1e-3)
