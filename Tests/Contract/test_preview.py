"""/v1/recipes/{name}/preview: the sheet's pictures against Pillow's scaling and against /v1/perturb."""

import base64
import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from conftest import REPOSITORY

PHOTOGRAPH = (REPOSITORY / "Tests/Fixtures/photograph.jpg").read_bytes()
PAGE = (REPOSITORY / "Tests/Fixtures/page.png").read_bytes()
SHEET = REPOSITORY / "Tests/Golden/preview/cppo-removing.png"


def decoded(data):
    return Image.open(io.BytesIO(data)).convert("RGB")


def names(http, server):
    return [r["name"] for r in http.get(f"{server}/v1/recipes", timeout=10).json()["recipes"]]


class Sheet:
    def __init__(self, reply):
        assert reply.status_code == 200, reply.text
        assert reply.headers["Content-Type"] == "image/png"
        self.image = decoded(reply.content)
        assert reply.headers["Perception-Size"] == f"{self.image.width}x{self.image.height}"
        places = reply.headers["Perception-Cells"]
        self.columns, self.width, self.height, self.left, self.right = map(
            int, re.findall(r"(?:columns|width|height|left|right)=(\d+)", places))
        self.tops = [int(n) for n in re.search(r"tops=\(([\d ]+)\)", places)[1].split()]
        assert self.image.width == 12 + self.columns * (self.width + 12)

    def cell(self, place):
        x = self.left + place % self.columns * self.right
        y = self.tops[place // self.columns]
        return self.image.crop((x, y, x + self.width, y + self.height))

    def assert_holds(self, place, picture):
        """The cell has the picture in its middle, as large as fits."""
        if picture.width * self.height >= picture.height * self.width:
            size = self.width, (2 * picture.height * self.width + picture.width) // (2 * picture.width)
        else:
            size = (2 * picture.width * self.height + picture.height) // (2 * picture.height), self.height
        size = tuple(max(1, s) for s in size)
        x, y = (self.width - size[0]) // 2, (self.height - size[1]) // 2
        found = self.cell(place).crop((x, y, x + size[0], y + size[1]))
        assert (np.asarray(found) == np.asarray(picture.resize(size, Image.Resampling.BILINEAR))).all(), place


def views(http, server, files, view, variants):
    """The same draws by /v1/perturb, with the files' indexes as ids."""
    request = {"views": [{"name": "v"} | view], "variants": variants}
    if len(files) > 1:
        request["images"] = [{"id": "0"}, {"id": "1", "second_only": True}]
    parts = [(str(i), (f"{i}.png", data)) for i, data in enumerate(files)]
    parts.append(("request", (None, json.dumps(request), "application/json")))
    reply = http.post(f"{server}/v1/perturb", files=parts, headers={"Accept": "application/json"}, timeout=60)
    assert reply.status_code == 200, reply.text
    return [decoded(base64.b64decode(v["data"])) for v in reply.json()["images"][0]["views"]]


def as_png(image):
    file = io.BytesIO()
    image.save(file, "png")
    return file.getvalue()


def test_every_recipe_shows_the_draws_that_perturb_makes(server, http):
    for number, name in enumerate(names(http, server)):
        query = {"draws": 5, "seed": number, "columns": 3}
        sheet = Sheet(http.get(f"{server}/v1/recipes/{name}/preview", params=query, timeout=60))
        original = sheet.cell(0)
        assert original.size == (336, 252)
        files, view, first = [as_png(original)], {"recipe": name, "seed": number}, 1
        if name in ("vision-matters-mixup", "vision-matters-concat"):
            # The second picture is square, and 252 pixels high.
            files.append(as_png(sheet.cell(1).crop((42, 0, 294, 252))))
            view["second_images"], first = ["1"], 2
        if name.startswith("noisyrollout"):
            for draw in range(5):
                view["schedule"] = {"decay": "linear", "step": draw, "total_steps": 5}
                sheet.assert_holds(first + draw, views(http, server, files, view, 5)[draw])
            continue
        for draw, picture in enumerate(views(http, server, files, view, 5)):
            sheet.assert_holds(first + draw, picture)


@pytest.mark.parametrize("width, columns", [(64, 16), (97, 2), (239, 3), (240, 3), (500, 1)])
def test_a_posted_picture_is_scaled_as_pillow_does(server, http, width, columns):
    reply = http.post(
        f"{server}/v1/recipes/cppo-removing/preview", data=PAGE, headers={"Content-Type": "image/png"},
        params={"width": width, "columns": columns, "draws": 4, "seed": 3}, timeout=60)
    sheet = Sheet(reply)
    page = decoded(PAGE)
    assert (sheet.width, sheet.height) == (width, (2 * page.height * width + page.width) // (2 * page.width))
    assert sheet.columns == min(columns, 5)
    sheet.assert_holds(0, page)
    for draw, picture in enumerate(views(http, server, [PAGE], {"recipe": "cppo-removing", "seed": 3}, 4)):
        sheet.assert_holds(1 + draw, picture)


def test_both_pictures_and_an_own_recipe_come_as_a_form(server, http):
    recipe = {
        "name": "mine", "view": "augmentation",
        "steps": [{"step": "mixup", "weight": {"uniform": [0.2, 0.8]}}, {"step": "concat", "side": "left"}]}
    reply = http.post(
        f"{server}/v1/recipes/mine/preview", timeout=60, files={
            "image": ("a.png", PAGE), "second_image": ("b.jpg", PHOTOGRAPH),
            "request": (None, json.dumps({"recipe": recipe, "draws": 3, "seed": 5, "width": 200}), "application/json")})
    sheet = Sheet(reply)
    sheet.assert_holds(0, decoded(PAGE))
    view = {"recipe": recipe, "seed": 5, "second_images": ["1"]}
    for draw, picture in enumerate(views(http, server, [PAGE, PHOTOGRAPH], view, 3)):
        sheet.assert_holds(2 + draw, picture)


def test_always_leaves_no_draw_unchanged(server, http):
    url = f"{server}/v1/recipes/cppo-preserving/preview"
    for always in ("false", "true"):
        query = {"draws": 32, "seed": 7, "columns": 8, "always": always}
        sheet = Sheet(http.get(url, params=query, timeout=60))
        same = sum(sheet.cell(1 + draw) == sheet.cell(0) for draw in range(32))
        assert (same == 0) == (always == "true")


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (3, 5), (8192, 2)])
def test_pictures_of_odd_shapes_have_sheets(server, http, size):
    picture = as_png(Image.fromarray(np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), np.uint8)))
    for name in ("cppo-removing", "vision-matters-rotation", "vision-matters-concat"):
        reply = http.post(
            f"{server}/v1/recipes/{name}/preview?width=100&draws=2", data=picture,
            headers={"Content-Type": "image/png"}, timeout=60)
        sheet = Sheet(reply)
        assert 1 <= sheet.height <= 200
        sheet.assert_holds(0, decoded(picture))


def test_the_picture_in_the_readme_is_what_the_server_draws(server, http):
    readme = (SHEET.parents[1] / "README.md").read_text()
    path = re.search(r"localhost:8080(/v1/recipes/cppo-removing/preview\?[^']*)' -o (\S+)", readme)
    assert REPOSITORY / path[2] == SHEET and f"]({SHEET.relative_to(SHEET.parents[1])})" in readme
    assert SHEET.stat().st_size < 150_000
    found = decoded(http.get(server + path[1], timeout=60).content)
    assert (np.asarray(found) == np.asarray(decoded(SHEET.read_bytes()))).all()
