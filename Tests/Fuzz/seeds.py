"""Writes the fuzzers' first inputs: one small valid body of each kind, for mutations to start from.

    python Tests/Fuzz/seeds.py        (needs Pillow)
"""

import base64
import io
import json
import pathlib
import struct

from PIL import Image

ROOT = pathlib.Path(__file__).parent / "Seeds"


def write(target, name, data):
    path = ROOT / target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def picture(mode, size=(13, 9)):
    image = Image.new("RGB", size)
    image.putdata([(x * 19 % 256, y * 27 % 256, x * y % 256) for y in range(size[1]) for x in range(size[0])])
    return image.convert(mode)


def encoded(image, form, **options):
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def safetensors(tensors, metadata=None):
    header, data = {"__metadata__": metadata} if metadata else {}, b""
    for name, (dtype, shape, part) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(part)]}
        data += part
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def floats(*values):
    return struct.pack(f"<{len(values)}f", *values)


jpegs = {
    "baseline": encoded(picture("RGB"), "JPEG", quality=80),
    "progressive": encoded(picture("RGB"), "JPEG", progressive=True),
    "gray": encoded(picture("L"), "JPEG"),
    "cmyk": encoded(picture("CMYK"), "JPEG"),
    "restarts": encoded(picture("RGB", (40, 40)), "JPEG", restart_marker_blocks=1, subsampling=0),
}
pngs = {
    mode.replace(";", ""): encoded(picture("RGB" if mode == "I;16" else mode), "PNG")
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA")}
pngs["gray16"] = encoded(Image.frombytes("I;16", (5, 3), bytes(range(30))), "PNG")
for name, data in jpegs.items():
    write("jpeg", name, data)
for name, data in pngs.items():
    write("png", name, data)

inline = base64.b64encode(pngs["L"]).decode()
views = [
    {"name": "a", "recipe": "cppo-preserving", "seed": 7},
    {"name": "b", "steps": [{"step": "rotation", "degrees": 7.5}]}]
request = {"images": [{"id": "x", "data": inline}], "views": views, "format": "png", "level": 1, "variants": 2}
write("recipe", "two-views", json.dumps(request).encode())
write("recipe", "raw", json.dumps(request | {"format": "raw", "views": [{"name": "v", "steps": []}]}).encode())
form = (
    b'--edge\r\nContent-Disposition: form-data; name="images"; filename="x.png"\r\nContent-Type: image/png\r\n\r\n'
    + pngs["L"]
    + b'\r\n--edge\r\nContent-Disposition: form-data; name="request"\r\nContent-Type: application/json\r\n\r\n'
    + json.dumps({"views": views}).encode() + b"\r\n--edge--\r\n")
write("multipart", "one-picture", form)

view = {"log_probs": [-0.3, -1.2], "entropy": [0.5, 1]}
rollout = {
    "id": "r0", "advantage": 0.7, "response_mask": [1, 1], "original": view, "preserving": {"log_probs": [-0.4, -1]},
    "removing": view}
write("score-json", "rollouts", json.dumps({"options": {"preset": "cppo-verl"}, "rollouts": [rollout]}).encode())
columns = {f"{v}.log_probs": [[-0.3, -1.2]] for v in ("original", "preserving", "removing")}
write("score-json", "columns", json.dumps({"options": {"detector": "none", "gate": "none"}} | columns).encode())
logits = {f"{v}.logits": [[[0.5, 1, -2], [3, 0, 0]]] for v in ("original", "preserving", "removing")}
write(
    "score-json", "logits",
    json.dumps({"options": {"preset": "cppo-paper", "gate": "none"}, "token_ids": [[0, 2]]} | logits).encode())

two = {f"{v}.log_probs": [[-0.3, -1.2], [-0.05, -2]] for v in ("original", "removing")}
terms = [{"anchor": "original", "reference": "preserving"}, {"anchor": "removing", "reference": "original", "weight": -0.5}]
own = {
    "detector": "none", "gate": "none", "terms": terms, "estimator": "symmetric", "loss": "margin", "loss_cap": 0.5,
    "clamp_input": 4, "aggregation": "token-sum", "denominator": 8.5, "entropy_coefficients": {"preserving": -0.1},
    "gradient_of": "objective", "stop_gradient": ["removing"], "return": ["token_reward", "weights", "grad", "token_loss"]}
shaped = {
    "preset": "vppo", "candidates": "rising", "advantage_floor": 0.5, "dependency_min": 0, "dependency_max": 2,
    "dependency_mean": 0.25}
old = {"log_probs": [-0.31, -1.1]}
row = {"id": "r0", "original": old, "removing": {"log_probs": [-0.5, -3]}}
for name, options, body in [
    ("own-terms", own, columns | {"preserving.log_probs": [[-0.4, -1]]}),
    ("papo", {"preset": "papo-g"}, two),
    ("no-terms", {"terms": [], "gate": "none"}, {f"{v}.entropy": [[0.5, 1]] for v in ("original", "removing")}),
    ("vppo", shaped, {"rollouts": [row | {"old": old}, row | {"id": "r1", "old": old, "response_mask": [0, 0]}]}),
    ("given", {"detector": "given", "gate": "reward", "gate_threshold": 0.25}, {
        "rollouts": [row | {"preserving": old, "perception_mask": [1, 0], "reward": 0.5, "group_id": 3}]}),
    ("grouped", {"detector": "none"}, columns | {"rewards": [0.1], "group_ids": [-1]}),
    ("jeffreys", {"preset": "bips-separation", "estimator": "jeffreys", "temperature": 0.7}, {
        n: v for n, v in logits.items() if not n.startswith("preserving")}),
]:
    write("score-json", name, json.dumps({"options": options} | body).encode())

names = [f"{v}.log_probs" for v in ("original", "preserving", "removing")] + ["original.entropy", "removing.entropy"]
batch = {name: ("F32", [1, 3], floats(-0.3, -1.2, -0.05)) for name in names}
batch["advantages"] = ("F32", [1], floats(1))
write("score-safetensors", "compact", safetensors(batch))
batch["cu_seqlens"] = ("I32", [2], struct.pack("<2i", 0, 3))
batch |= {name: ("F32", [3], batch[name][2]) for name in names}
write("score-safetensors", "packed", safetensors(batch, {"options": '{"preset": "cppo-areal"}'}))
wide = {f"{v}.logits": ("BF16", [1, 2, 3], bytes(range(12))) for v in ("original", "preserving", "removing")}
ids = {"token_ids": ("I64", [1, 2], struct.pack("<2q", 0, 2)), "response_mask": ("U8", [1, 2], b"\1\0")}
write("score-safetensors", "logits", safetensors(ids | wide, {"options": '{"gate": "none"}'}))
write("score-safetensors", "full", safetensors(wide, {"options": '{"preset": "cppo-paper", "gate": "none"}'}))
pair = {"original.log_probs": batch["original.log_probs"], "removing.log_probs": ("F32", [3], floats(-1.8, -1.1, -0.9))}
edges = {"cu_seqlens": ("I32", [3], struct.pack("<3i", 0, 1, 3))}
earlier = {"old.log_probs": ("F32", [3], floats(-0.25, -1.5, 1e-4))}
kept = {"perception_mask": ("BOOL", [3], b"\1\0\1"), "rewards": ("F32", [2], floats(1, 0.5))}
write("score-safetensors", "vppo", safetensors(edges | pair | earlier, {"options": json.dumps(shaped)}))
write("score-safetensors", "papo", safetensors(edges | pair, {"options": '{"preset": "papo-recompute"}'}))
write("score-safetensors", "given", safetensors(
    edges | pair | kept, {"options": '{"preset": "bips-separation", "detector": "given", "gate": "reward"}'}))
three = pair | {"preserving.log_probs": ("F32", [3], floats(-0.4, -1, -0.06))}
write("score-safetensors", "own-terms", safetensors(edges | three, {"options": json.dumps(own)}))
narrow = {name: wide[name] for name in ("original.logits", "removing.logits")}
realised = {"preset": "papo-d", "return": ["grad.original.logits", "grad.removing.logits"]}
write("score-safetensors", "logit-gradients", safetensors(ids | narrow, {"options": json.dumps(realised)}))
whole = {"preset": "cppo-paper", "gate": "none", "estimator": "jeffreys", "entropy_coefficients": {"original": 0.1}}
write("score-safetensors", "jeffreys", safetensors(ids | wide, {"options": json.dumps(whole)}))
write("entropy-safetensors", "rows", safetensors({"logits": ("F32", [2, 3], floats(1, 2, 3, 4, 5, 6))}))
write("entropy-safetensors", "ids-last", safetensors({"logits": ("F16", [1, 2, 3], bytes(12))} | ids))

write("head", "get", b"GET /healthz HTTP/1.1\nHost:localhost\nAccept:application/json")
write(
    "head", "post",
    b"POST /v1/score?preset=cppo-verl&tau=0.1 HTTP/1.1\nHost:localhost:8080\nContent-Length:12\n"
    b"Content-Type:application/json; charset=utf-8\nX-Request-ID:abc\nAuthorization:Bearer x\nExpect:100-continue\n"
    b"traceparent:00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\nAccept:application/json;q=0.5, */*")
write("head", "chunked", b"POST /v1/perturb?steps=%5B%5D HTTP/1.1\nHost:[::1]\nTransfer-Encoding:chunked")
