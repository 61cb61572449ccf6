"""A contract, replies and files that mean harm are shown harmlessly, or said not to be shown."""

import copy
import io
import json
import struct
import subprocess

import pytest
from PIL import Image

import contract

MARKUP = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
TURNED = "safe\u202etxt.exe\u2066\u200b"


@pytest.fixture
def unharmed(visit):
    """Checks that a page holds no element that a text smuggled in."""

    def check(page):
        assert page.title() == "Docs – Perception Server"
        assert page.locator("main script, main iframe, main img[src='x'], main [onerror], main [style]").count() == 0
        assert page.locator("a[href^='javascript'], a[href^='data'], a[href^='vbscript']").count() == 0
        assert "\u202e" not in page.inner_text("body") and "‹RLO›" in page.inner_text("body")

    return check


def hostile_contract():
    document = copy.deepcopy(contract.document())
    words = f"{MARKUP} {TURNED} [press](javascript:alert(1)) [x](data:text/html,x) <https://example.org/a> `{MARKUP}`"
    document["info"] |= {"title": MARKUP + TURNED, "summary": words, "version": MARKUP}
    table = f"| {MARKUP} | b |\n|---|---|\n| {words} | {TURNED} |"
    document["info"]["description"] += f"\n## {MARKUP} {TURNED}\n{words}\n\n{table}\n\n- {words}\n"
    score = document["paths"]["/v1/score"]["post"]
    score |= {"summary": words, "description": words, "operationId": "score"}
    score["parameters"].append({"name": MARKUP, "in": "query", "description": words, "schema": {"enum": [MARKUP, TURNED]}})
    document["paths"]["/v1/" + MARKUP] = copy.deepcopy({"get": document["paths"]["/v1/info"]["get"]})
    document["paths"]["/v1/" + MARKUP]["get"] |= {"operationId": "x\" onfocus=alert(1) y", "tags": [MARKUP]}
    schemas = document["components"]["schemas"]
    schemas[MARKUP] = {"type": "object", "description": words, "properties": {MARKUP: {"default": MARKUP, "pattern": MARKUP}}}
    schemas["__proto__"] = {"type": "string", "description": words}
    schemas["Endless"] = {"$ref": "#/components/schemas/Endless"}
    schemas["Nowhere"] = {"$ref": "#/components/schemas/constructor/name", "description": "leads nowhere"}
    document["components"]["examples"]["ScoreRollouts"] = {"summary": words, "value": {"</textarea>" + MARKUP: TURNED}}
    return document


def test_a_hostile_contract_is_text(docs, visit, unharmed, server):
    page = visit("/docs")
    page.route("**/openapi.json", lambda route: route.fulfill(body=json.dumps(hostile_contract()), content_type="application/json"))
    page.reload()
    page.locator("#schemas").wait_for()
    unharmed(page)
    assert MARKUP in page.locator("h1").inner_text()
    assert page.locator("#section-tensors table").count() == 1
    assert page.locator("a[href='https://example.org/a']").first.get_attribute("rel") == "noreferrer noopener"
    assert "</textarea>" in page.locator("#score").get_by_label("Body", exact=True).input_value()
    page.get_by_role("combobox", name="Search the contract").fill("onerror")
    assert page.get_by_role("option").count() > 0
    unharmed(page)


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"paths": {"/x": {"get": {}}}, "components": null}', "<html>"])
def test_what_is_no_contract_breaks_nothing(visit, text):
    visit.allow("SyntaxError")
    page = visit("/docs")
    page.route("**/openapi.json", lambda route: route.fulfill(body=text, content_type="application/json"))
    page.reload()
    page.locator("main h1").wait_for(state="attached")


def reply(trial, body, content_type, status=200, **headers):
    trial.page.unroute_all()
    trial.page.route(
        "**/v1/info", lambda route: route.fulfill(status=status, body=body, headers={"Content-Type": content_type} | headers))
    assert trial.send() == status
    return trial.reply


def test_hostile_replies_are_text(docs, unharmed, visit):
    visit.allow("status of 422")
    opened = docs()
    trial = opened.trial("info")
    shown = reply(trial, json.dumps({MARKUP: TURNED, "__proto__": {"a": MARKUP}, "id": MARKUP, "list": [MARKUP, {"name": MARKUP}]}),
                  "application/json", **{"X-Strange": MARKUP})
    assert MARKUP in shown.inner_text()
    unharmed(opened.page)
    shown.get_by_text("JSON", exact=True).click()
    unharmed(opened.page)
    shown = reply(trial, json.dumps({"type": MARKUP, "detail": TURNED, "errors": [{"field": MARKUP, "reason": MARKUP}] * 2}),
                  "application/problem+json", 422)
    assert MARKUP in shown.get_by_role("alert").inner_text()
    unharmed(opened.page)
    assert MARKUP in reply(trial, MARKUP + TURNED, "text/html").locator("pre").inner_text()
    unharmed(opened.page)


def safetensors(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


BROKEN = {
    "cut off": (safetensors({"x": {"dtype": "F32", "shape": [9], "data_offsets": [0, 36]}}, b"123"), "application/x-safetensors"),
    "no header": (b"\x01", "application/x-safetensors"),
    "header beyond the end": (safetensors(b"{}", length=2**60), "application/x-safetensors"),
    "shape of another size": (
        safetensors({"x": {"dtype": "U8", "shape": [2**31, 2**31, 3], "data_offsets": [0, 1]}}, b"1"), "application/x-safetensors"),
    "no JSON": (b"{", "application/json"),
    "no parts": (b"--x\r\n\r\nno end", "multipart/mixed; boundary=x"),
    "no boundary": (b"--x--", "multipart/mixed"),
    "too deep": (b"[" * 100_000 + b"]" * 100_000, "application/json"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_reply_is_said_to_be(docs, kind):
    trial = docs().trial("info")
    shown = reply(trial, *BROKEN[kind])
    shown.get_by_text("This reply cannot be shown").wait_for()
    assert shown.get_by_role("button", name="Save the reply").is_visible()


def test_a_broken_picture_is_said_to_be(docs, visit):
    visit.allow("ERR_")
    shown = reply(docs().trial("info"), b"\x89PNG\r\n\x1a\nnothing", "image/png")
    shown.get_by_text("The browser cannot show this picture.").wait_for()


def test_large_replies_leave_the_page_usable(docs):
    opened = docs()
    trial = opened.trial("info")
    shown = reply(trial, json.dumps({"x": [[i * 0.5 for i in range(20_000)] for _ in range(20)], "y": [{"a": i} for i in range(5000)]}),
                  "application/json")
    assert shown.locator("tr").count() < 3000
    assert "more lines not shown" in shown.inner_text() and shown.get_by_text("20,000").count() == 0
    picture = io.BytesIO()
    Image.new("1", (10_000, 5_000)).save(picture, "PNG")
    shown = reply(trial, picture.getvalue(), "image/png")
    assert trial.pictures() == [[10_000, 5_000]]
    assert shown.locator("img").evaluate("i => i.getBoundingClientRect().width") <= 640
    assert opened.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_names_of_files_are_only_names(docs, tmp_path):
    name = f"a'b;c\"$(touch taken)`touch taken`{TURNED} & x.png"
    Image.new("RGB", (8, 6), "teal").save(tmp_path / "plain.png")
    (tmp_path / "plain.png").rename(tmp_path / name)
    opened = docs()
    for type, label in (("image/png", "Picture"), ("multipart/form-data", "images")):
        trial = opened.trial("perturb")
        trial.choose("Body as", type)
        trial.place.get_by_label(label, exact=True).set_input_files(tmp_path / name)
        trial.place.get_by_text("‹RLO›").wait_for()
        assert trial.send() == 200
        done = subprocess.run(["bash", "-c", trial.copied("curl") + " --fail-with-body"], cwd=tmp_path, capture_output=True, timeout=30)
        assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()
        assert not (tmp_path / "taken").exists()
        compile(trial.copied("Python"), "copied", "exec")
