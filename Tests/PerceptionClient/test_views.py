"""`views`: pictures of every kind, each sent once, with the same draw for the same content."""

import io

import numpy as np
import pytest
from PIL import Image

from features import FIXTURES
from perception_client import InvalidRequest, Perception
from perception_client.pictures import encoded, opaque, picture
from scripted import scripted


@pytest.fixture
def photograph():
    return Image.open(FIXTURES / "photograph.jpg").convert("RGB").resize((112, 84))


def test_pillow_images_come_back_as_pillow_images_of_the_same_size(client, photograph):
    other = photograph.rotate(90, expand=True)
    views = client.views([photograph, other], seed=3)
    assert list(views) == ["preserving", "removing"]
    for made in views.values():
        assert [v.size for v in made] == [(112, 84), (84, 112)] and {v.mode for v in made} == {"RGB"}
    assert np.asarray(views.removing[0]).tolist() != np.asarray(photograph).tolist()
    assert views.steps["removing"][0][0]["step"] in ("occlusion", "zoom_crop")
    assert views.server_ms > 0


def test_every_kind_has_the_same_pixels(client, photograph):
    """Pillow, [H,W,C], [C,H,W], floats, and a PNG file of one picture: one content, one draw."""
    pixels = np.asarray(photograph)
    expected = np.asarray(client.views([photograph], seed=5).removing[0])
    found = client.views([pixels, np.moveaxis(pixels, 2, 0), pixels.astype("f4") / 255], seed=5).removing
    assert np.array_equal(found[0], expected)
    assert np.array_equal(found[1], np.moveaxis(expected, 2, 0))
    assert found[2].dtype == np.float32 and np.array_equal(np.rint(found[2] * 255).astype("u1"), expected)


def test_files_come_back_as_png_files(client, photograph):
    jpeg, png = io.BytesIO(), io.BytesIO()
    photograph.save(jpeg, "JPEG")
    photograph.save(png, "PNG")
    views = client.views([jpeg.getvalue(), png.getvalue(), FIXTURES / "page.png"], seed=5)
    for data, size in zip(views.preserving, [(112, 84), (112, 84), Image.open(FIXTURES / "page.png").size], strict=True):
        assert data[:4] == b"\x89PNG" and Image.open(io.BytesIO(data)).size == size


def test_formats_the_server_does_not_read_are_read_here(client, photograph):
    webp = io.BytesIO()
    photograph.save(webp, "WEBP", lossless=True)
    (made,) = client.views([{"bytes": webp.getvalue(), "path": None}], seed=5).removing
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(made))), np.asarray(client.views([photograph], seed=5).removing[0]))


def test_the_orientation_of_files_is_that_of_decoded_data_sets(client, photograph):
    """`datasets` applies EXIF when it decodes: a view of the file must lie the same way."""
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = io.BytesIO()
    photograph.save(turned, "JPEG", exif=exif)
    (made,) = client.views([turned.getvalue()], seed=5).preserving
    assert Image.open(io.BytesIO(made)).size == (84, 112)


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA", "RGBA", "CMYK", "I;16", "YCbCr"])
@pytest.mark.parametrize("alpha", ["white", "transformers", "drop"])
def test_every_mode_is_converted(client, photograph, mode, alpha):
    image = Image.new("I;16", (32, 28), 700) if mode == "I;16" else photograph.resize((32, 28)).convert(mode)
    assert opaque(image, alpha).mode == "RGB"
    assert client.views([image], seed=1, alpha=alpha).preserving[0].size == (32, 28)


def test_transparency_as_the_processors_have_it():
    clear = Image.new("RGBA", (2, 2), (10, 20, 30, 0))
    half = Image.new("LA", (2, 2), (100, 0))
    assert opaque(clear, "white").getpixel((0, 0)) == opaque(clear, "transformers").getpixel((0, 0)) == (255, 255, 255)
    assert opaque(clear, "drop").getpixel((0, 0)) == (10, 20, 30)
    assert opaque(half, "white").getpixel((0, 0)) == (100, 100, 100)
    assert opaque(half, "transformers").getpixel((0, 0)) == (255, 255, 255)
    r = np.random.default_rng(0).integers(0, 256, (9, 7, 4), dtype=np.uint8)
    assert np.array_equal(picture(r).data, np.asarray(opaque(Image.fromarray(r, "RGBA"), "white")))


def test_equal_pictures_are_sent_once_and_drawn_for_once(client, photograph):
    with_copies = [photograph, photograph.copy(), np.asarray(photograph), photograph.rotate(180)]
    sent = []
    send = client.send
    client.send = lambda call: sent.append(call) or send(call)
    views = client.views(with_copies, seed=9)
    assert len({np.asarray(v).tobytes() for v in views.removing}) == 2
    assert sum(c.length for c in sent) < 2.2 * 84 * 112 * 3 * len(sent)


def test_rollouts_may_have_draws_of_their_own(client, photograph):
    views = client.views([photograph] * 3, seed=9, per_rollout=True)
    assert len({v.tobytes() for v in views.removing}) == 3
    assert views.removing[0].tobytes() == client.views([photograph], seed=9).removing[0].tobytes()


def test_a_draw_depends_on_content_and_seed_alone(client, photograph):
    other = photograph.rotate(180)
    first = client.views([photograph, other], seed=4).removing
    second = client.views([other, photograph], seed=4).removing
    assert first[0].tobytes() == second[1].tobytes() and first[1].tobytes() == second[0].tobytes()
    assert client.views([photograph], seed=5).removing[0].tobytes() != first[0].tobytes()
    assert client.views([photograph], seed=-1).removing and client.views([photograph], seed=1 << 70).removing


def test_the_steps_can_be_posted_back(client, photograph):
    views = client.views([photograph], seed=4)
    again = client.views([photograph], seed=0, recipes={"same": "cppo-removing"})
    assert again.same and set(again) == {"same"}
    png = encoded(np.asarray(photograph))
    posted = client.perturb([bytes(png)], [{"name": "v", "steps": views.steps["removing"][0]}])
    assert np.array_equal(posted.views[0].data, np.asarray(views.removing[0]))


def test_recipes_by_name_and_written_out(client, photograph):
    own = {"name": "mine", "view": "removing", "step": "fill", "color": 128}
    views = client.views([photograph], 1, {"weak": "cppo-preserving", "grey": own}, always=True)
    assert set(np.asarray(views.grey[0]).ravel()) == {128} and list(views) == ["weak", "grey"]
    with pytest.raises(ValueError, match="two recipes would both be called 'removing'"):
        client.views([photograph], 1, ["cppo-removing", "papo-removing"])
    with pytest.raises(AttributeError, match="no view 'removing'; there are weak, grey"):
        views.removing  # noqa: B018


def test_sizes_never_change(client, photograph):
    with pytest.raises(ValueError, match="changes the picture's size"):
        client.views([photograph], 1, {"turned": {"view": "augmentation", "step": "rotation", "degrees": 45, "expand": True}})


class Grid:
    """An image processor whose grid depends on what it is shown."""

    def __call__(self, images, return_tensors):
        assert return_tensors == "pt"
        return {"image_grid_thw": [[1, i.height // 14, i.width // 14 + self.wrong(i)] for i in images]}

    def wrong(self, image):
        return 0


def test_a_processors_grid_is_compared(client, photograph):
    views = client.views([photograph], 1, processor=Grid())
    assert set(views.features) == {"original", "preserving", "removing"}
    grid = Grid()
    grid.wrong = lambda image: int(image is not photograph)
    with pytest.raises(ValueError, match=r"preserving: image_grid_thw is \[\[1, 6, 9\]\], and \[\[1, 6, 8\]\]"):
        client.views([photograph], 1, processor=grid)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (np.zeros((4, 4, 3), "i8"), "U8 or floats in 0 … 1, not int64"),
        (np.full((4, 4, 3), 2.5, "f4"), "expected in 0 … 1; views are made before normalisation"),
        (np.zeros((7, 7, 5), "u1"), "1, 3 or 4 channels, found"),
        (object(), "object is no picture"),
    ],
)
def test_what_is_no_picture(client, wrong, says):
    with pytest.raises((TypeError, ValueError), match=says):
        client.views([wrong], seed=1)


def test_a_servers_own_fault_with_a_picture_is_raised(client):
    with pytest.raises(InvalidRequest, match="malformed-image"):
        client.views([b"\xff\xd8\xff broken"], seed=1)


def test_no_pictures_are_no_requests():
    with scripted() as script:
        views = Perception(script.url).views([], seed=1)
        assert views.preserving == [] and not script.requests


def test_pixels_are_sent_without_a_codec(client, photograph):
    """By a server of the second edition; an older one gets PNG files, and the log says so once."""
    from perception_client.safetensors_file import MEDIA_TYPE

    sent = []
    send = client.send
    client.send = lambda call: sent.append(call.headers["Content-Type"].partition(";")[0]) or send(call)
    client.views([photograph], seed=1)
    if client._takes_pixels:
        assert sent == [MEDIA_TYPE]
    else:
        assert sent == [MEDIA_TYPE, "multipart/form-data"]
        client.views([photograph], seed=1)
        assert sent[2:] == ["multipart/form-data"]


@pytest.mark.parametrize("alpha", ["white", "transformers", "drop"])
def test_the_servers_rule_for_transparent_files_is_asked_for(alpha):
    import json

    def answer(request):
        head = request.body.partition(b"\r\n\r\n")[2].partition(b"\r\n--")[0]
        assert json.loads(head)["alpha"] == alpha and json.loads(head)["orientation"] == "apply"
        request.problem(422, "seen")

    with scripted(answer) as script, pytest.raises(InvalidRequest, match="seen"):
        Perception(script.url).views([b"\x89PNG\r\n\x1a\n"], seed=1, alpha=alpha)


def test_many_pictures_go_in_several_requests_at_once_and_stay_in_order(client):
    """Equal ones among them still travel once, and forked workers have threads of their own."""
    import multiprocessing

    r = np.random.default_rng(0)
    pictures = [Image.fromarray(r.integers(0, 256, (700, 900, 3), dtype=np.uint8)) for _ in range(6)]
    pictures += [pictures[2].copy(), pictures[0]]
    sent = []
    send = client.send
    client.send = lambda call: sent.append(call.length) or send(call)
    views = client.views(pictures, seed=3, recipes=["papo-removing"]).removing
    requests = [length for length in sent if length > 700 * 900 * 3]
    assert 1 < len(requests) <= 6 and sum(requests) < 6.1 * 700 * 900 * 3
    assert views[6].tobytes() == views[2].tobytes() and views[7].tobytes() == views[0].tobytes()
    for image, view in zip(pictures, views, strict=True):
        kept = np.any(np.asarray(view) != 0, axis=-1)
        assert kept.any() and np.array_equal(np.asarray(view)[kept], np.asarray(image)[kept])
    del client.send
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=lambda: queue.put(client.views(pictures, 3, ["papo-removing"]).removing[5].tobytes()))
    child.start()
    assert queue.get(timeout=60) == views[5].tobytes()
    child.join()
