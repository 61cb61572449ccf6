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


def write(door, name, data):
    path = ROOT / door / name
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
write("entropy-safetensors", "rows", safetensors({"logits": ("F32", [2, 3], floats(1, 2, 3, 4, 5, 6))}))
write("entropy-safetensors", "ids-last", safetensors({"logits": ("F16", [1, 2, 3], bytes(12))} | ids))

write("head", "get", b"GET /healthz HTTP/1.1\nHost:localhost\nAccept:application/json")
write(
    "head", "post",
    b"POST /v1/score?preset=cppo-verl&tau=0.1 HTTP/1.1\nHost:localhost:8080\nContent-Length:12\n"
    b"Content-Type:application/json; charset=utf-8\nX-Request-ID:abc\nAuthorization:Bearer x\nExpect:100-continue\n"
    b"traceparent:00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\nAccept:application/json;q=0.5, */*")
write("head", "chunked", b"POST /v1/perturb?steps=%5B%5D HTTP/1.1\nHost:[::1]\nTransfer-Encoding:chunked")
