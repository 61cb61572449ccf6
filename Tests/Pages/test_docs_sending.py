"""Send: every operation with its own examples, and replies of every form shown as what they are."""

import json

import numpy as np
import pytest
import requests
from PIL import Image
from safetensors.numpy import save_file

import contract

# Recent batches are there where a server keeps them.
PLAIN = [o for o in contract.operations() if "live" not in o[3]["tags"]]


def test_every_example_of_every_operation_gets_its_answer(docs):
    opened = docs()
    sent = 0
    for id, _, _, operation, _ in PLAIN:
        trial = opened.trial(id)
        for name in contract.json_examples(operation) or [None]:
            if name and len(contract.json_examples(operation)) > 1:
                trial.choose("Example", name)
            assert trial.send() == 200, f"{id}, {name}: {trial.reply.inner_text()}"
            sent += 1
    assert sent > 25


def test_a_rollouts_tensors_stand_side_by_side(docs, server):
    trial = docs().trial("score")
    body = json.loads(trial.place.get_by_label("Body", exact=True).input_value())
    assert trial.send() == 200
    expected = requests.post(f"{server}/v1/score", json=body, timeout=10).json()
    table = trial.reply.locator(".tensor table")
    heads = [h.replace("\n", "") for h in table.locator("thead th").all_inner_texts()]
    assert heads[:5] == ["#", "perception_mask", "gate", "mask", "token_loss"] and "grad.removing.log_probs" in heads
    column = [float(x.replace("−", "-")) for x in table.locator(f"tbody td:nth-of-type({heads.index('token_loss')})").all_inner_texts()]
    np.testing.assert_allclose(column, expected["rollouts"][0]["token_loss"], rtol=1e-4)
    pairs = dict(p.split("\n") for p in trial.reply.locator(".pairs").first.locator("> div").all_inner_texts())
    assert float(pairs["loss"]) == pytest.approx(expected["loss"], rel=1e-6)
    trial.reply.get_by_text("JSON", exact=True).click()
    assert json.loads(trial.reply.locator("pre").inner_text()) == expected


def test_what_is_edited_is_what_is_sent(docs):
    trial = docs().trial("advantages")
    trial.write('{"rewards": [1, 0], "group_ids": ["a", "a"], "options": {"advantage_estimator": "dr_grpo"}}')
    assert trial.send() == 200
    assert trial.reply.locator("tbody td").all_inner_texts() == ["0.5", "−0.5"]
    trial.add("advantage_estimator", "rloo")
    assert trial.send() == 200
    assert trial.reply.locator("tbody td").all_inner_texts() == ["1", "−1"]
    trial.place.get_by_role("button", name="Remove advantage_estimator").click()
    assert trial.send() == 200
    assert trial.reply.locator("tbody td").all_inner_texts() == ["0.5", "−0.5"]


def test_a_refusal_is_explained(docs, visit):
    visit.allow("status of 4")
    opened = docs()
    trial = opened.trial("score")
    trial.write('{"options": {"top_k": 1}, "rollouts": []}')
    assert trial.send() == 400
    problem = trial.reply.get_by_role("alert")
    assert "unknown-option" in problem.inner_text() and "top_k_ratio" in problem.inner_text()
    trial.reply.get_by_role("link", name="About unknown-option").click()
    opened.wait_in_view("problem-unknown-option")
    trial.write("{")
    assert trial.send() == 400 and "malformed-json" in trial.reply.inner_text()


def test_pictures_are_pictures(docs):
    trial = docs().trial("perturb")
    assert trial.send() == 200 and trial.pictures() == [[2, 2], [2, 2]]
    trial.place.get_by_role("button", name="Use a larger picture").click()
    trial.page.wait_for_function("t => t.value.length > 10000", arg=trial.place.get_by_label("Body", exact=True).element_handle())
    assert trial.send() == 200 and trial.pictures() == [[600, 400], [600, 400]]
    assert "preserving, 600 × 400" in trial.reply.inner_text()
    trial.choose("Reply as", "multipart/mixed")
    assert trial.send() == 200 and trial.pictures() == [[600, 400], [600, 400]]
    trial.choose("Example", "steps")
    trial.choose("Reply as", "")
    assert trial.send() == 200
    assert trial.pictures() == [[2, 2], [2, 2]], "raw samples are drawn"
    turned = trial.reply.locator("canvas").last.evaluate("c => [...c.getContext('2d').getImageData(0, 0, 2, 2).data]")
    assert turned == [255, 255, 255, 255, 0, 0, 255, 255, 0, 255, 0, 255, 255, 0, 0, 255]


def test_a_picture_alone_goes_out_and_comes_back(docs, tmp_path):
    trial = docs().trial("perturb")
    trial.choose("Body as", "image/png")
    trial.place.get_by_text("page.png").wait_for()
    assert trial.send() == 200 and trial.pictures() == [[384, 191]]
    assert "perception-steps" in trial.reply.locator("details.headers").text_content()
    Image.new("RGB", (40, 30), "teal").save(tmp_path / "own.jpg")
    trial.place.get_by_label("Picture", exact=True).set_input_files(tmp_path / "own.jpg")
    trial.place.get_by_text("own.jpg").wait_for()
    assert trial.send() == 200 and trial.pictures() == [[40, 30]]
    trial.add("format", "raw")
    assert trial.send() == 200
    assert trial.reply.locator("canvas").evaluate("c => [c.width, c.height]") == [40, 30]


def test_forms_are_sent_as_forms(docs):
    opened = docs()
    trial = opened.trial("perturb")
    trial.choose("Body as", "multipart/form-data")
    trial.place.get_by_text("page.png").wait_for()
    assert trial.send() == 200 and trial.pictures() == [[384, 191], [384, 191]]
    sheet = opened.trial("previewPicture")
    sheet.choose("Body as", "multipart/form-data")
    sheet.place.get_by_text("page.png").wait_for()
    assert sheet.send() == 200 and len(sheet.pictures()) == 1


def test_tensors_are_tables(docs, tmp_path):
    opened = docs()
    trial = opened.trial("score")
    trial.choose("Body as", "application/x-safetensors")
    assert "original.log_probs F32 [1, 4]" in trial.place.inner_text()
    assert trial.send() == 200
    heads = [h.replace("\n", "") for h in trial.reply.locator("thead th").all_inner_texts()]
    assert "token_loss F32" in heads and "grad.original.log_probs F32" in heads
    assert "loss F64" in trial.reply.locator("table", has_text="loss_numerator").inner_text()

    pixels = opened.trial("perturb")
    pixels.choose("Body as", "application/x-safetensors")
    pixels.place.get_by_text("photograph U8 [400, 600, 3]").wait_for()
    assert pixels.send() == 200
    assert pixels.reply.locator("canvas").evaluate_all("all => all.map(c => [c.width, c.height])") == [[600, 400], [600, 400]]

    save_file({"logits": np.zeros((3, 5), np.float16)}, tmp_path / "own.safetensors")
    own = opened.trial("entropy")
    own.choose("Body as", "application/x-safetensors")
    own.place.get_by_label("File").set_input_files(tmp_path / "own.safetensors")
    own.place.get_by_text("own.safetensors").wait_for()
    assert own.send() == 200
    assert "1.609438" in own.reply.locator("tbody").first.inner_text()


def test_path_parameters_and_words_are_filled_in(docs):
    trial = docs().trial("preview")
    assert trial.send() == 200 and len(trial.pictures()) == 1
    trial.place.locator(".try-parameter[data-name='name'] input").fill("papo-removing")
    trial.add("columns", "2")
    assert trial.send() == 200 and len(trial.pictures()) == 1


def test_text_is_text(docs):
    opened = docs()
    metrics = opened.trial("metrics")
    assert metrics.send() == 200
    assert metrics.reply.locator("pre").inner_text().startswith("# ")
    page = opened.trial("docs")
    assert page.send() == 200
    assert "<!doctype html>" in page.reply.locator("pre").inner_text(), "a page's source, not a page"


def test_the_example_of_a_reply_is_that_of_the_request(docs):
    trial = docs().trial("entropy")
    shown = trial.reply.get_by_label("Example of a reply")
    replies = contract.document()["components"]["examples"]
    assert json.loads(shown.inner_text()) == replies["EntropyColumnarReply"]["value"]
    trial.choose("Example", "rollouts")
    assert json.loads(shown.inner_text()) == replies["EntropyRolloutsReply"]["value"]


def test_a_reply_can_be_saved(docs):
    trial = docs().trial("info")
    assert trial.send() == 200
    with trial.page.expect_download() as saved:
        trial.reply.get_by_role("button", name="Save the reply").click()
    assert saved.value.suggested_filename == "reply.json"
    with open(saved.value.path()) as file:
        assert json.load(file)["name"] == "perception-server"


def test_no_answer_is_said_and_a_slow_one_can_be_stopped(docs, visit):
    visit.allow("ERR_FAILED")
    opened = docs()
    trial = opened.trial("info")
    opened.page.route("**/v1/info", lambda route: route.abort())
    trial.place.get_by_role("button", name="Send").click()
    trial.reply.get_by_text("No answer", exact=True).first.wait_for()
    opened.page.unroute("**/v1/info")
    opened.page.route("**/v1/info", lambda route: None)
    trial.place.get_by_role("button", name="Send").click()
    trial.place.get_by_role("button", name="Stop").click()
    trial.reply.get_by_text("Stopped.").wait_for()
    assert not trial.place.get_by_role("button", name="Stop").is_visible()


def test_events_are_shown_as_they_come_until_stopped(docs, keeping):
    opened = docs(base=keeping)
    events = opened.trial("recentEvents")
    events.place.get_by_role("button", name="Send").click()
    stop = events.place.get_by_role("button", name="Stop")
    stop.wait_for()
    score = opened.trial("score")
    score.add("Perception-Run", "seen-in-docs")
    assert score.send() == 200
    events.reply.locator("pre", has_text="seen-in-docs").wait_for()
    stop.click()
    events.reply.locator(".reply-line").wait_for()
    assert "seen-in-docs" in events.reply.locator("pre").inner_text(), "what came is kept"

    listed = opened.trial("recentBatches")
    assert listed.send() == 200
    number = requests.get(f"{keeping}/v1/live", timeout=10).json()["runs"][0]["batches"][-1]["batch"]
    batch = opened.trial("recentBatch")
    batch.place.locator(".try-parameter[data-name='batch'] input").fill(str(number))
    assert batch.send() == 200 and batch.reply.locator("table").count() > 0
