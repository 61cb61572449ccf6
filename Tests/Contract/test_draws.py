"""The documented generator, written anew in Python, predicts every draw of every recipe; its NumPy form every noise byte."""

import base64
import io
import statistics

import numpy as np
import pytest
from PIL import Image

import draws

SIZES = {"wide": (41, 12), "tall": (7, 30), "dot": (1, 1), "a/b.c": (64, 64)}
OWN = {
    "name": "own-recipe",
    "view": "augmentation",
    "steps": [
        {"one_of": [
            {"step": "perspective", "distortion": {"uniform": [0.1, 0.4]}, "fill": {"choice": [7, [1, 2, 3]]}},
            {"step": "crop_fill", "side_ratio": {"uniform": [0.2, 0.9], "scheduled": True}},
            {"steps": [{"step": "invert", "applied": 0.3}, {"step": "patch_shuffle", "patch": {"integers": [2, 9]}}]},
        ], "applied": 0.75},
        {"step": "color_jitter", "hue": {"uniform": [-0.5, 0.5]}, "contrast": 1.5,
         "order": {"permutation": ["hue", "contrast", "brightness", "saturation"]}},
        {"step": "affine", "degrees": {"uniform": [-45, 45]}, "translate": [{"integers": [-3, 3]}, 1],
         "shear": [{"uniform": [-20, 20]}, {"value": 10.5, "scheduled": True}]},
        {"step": "gaussian_noise", "sigma": {"value": 30, "scheduled": True}, "applied": 0.5},
    ],
}
SCHEDULES = [
    {"decay": "sigmoid", "step": 31, "total_steps": 60, "coefficient": 30, "mid_step": 40},
    {"decay": "linear", "step": 54, "total_steps": 60}, {"decay": "power", "step": 20, "total_steps": 60, "coefficient": 1.7},
    {"decay": "exp", "step": 50, "total_steps": 60, "coefficient": 0.93},
]


def file(size):
    data = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(data, "PNG")
    return base64.b64encode(data.getvalue()).decode()


@pytest.fixture(scope="module")
def catalogue(server, http):
    return http.get(f"{server}/v1/recipes", timeout=30).json()


@pytest.fixture(scope="module")
def images():
    return [{"id": key, "data": file(size)} for key, size in SIZES.items()]


def predicted(http, server, images, catalogue, recipe, *, named, seed, always, schedule=None):
    view = {"name": "v", "seed": seed, "always": always, "recipe": recipe["name"] if named else recipe}
    needs = any(name in str(recipe) for name in ("'mixup'", "'concat'"))
    if schedule:
        view["schedule"] = schedule
    if needs:
        view["second_images"] = list(SIZES)
    reply = http.post(
        f"{server}/v1/perturb", json={"images": images, "views": [view], "variants": 8, "format": "jpeg"}, timeout=60)
    assert reply.status_code == 200, reply.text
    drawn = 0
    for image in reply.json()["images"]:
        key, size = image["id"], (image["width"], image["height"])
        for made in image["views"]:
            seconds = [other for other in SIZES if other != key] if needs else []
            strength = draws.strength(schedule) if schedule else 1.0
            expected = draws.draw(
                recipe, seed, key, made["variant"], size, catalogue["steps"], always=always, strength=strength,
                seconds=seconds)
            assert made["steps"] == expected, f"{key} variant {made['variant']}"
            drawn += len(expected)
    return drawn


@pytest.mark.parametrize("always", [False, True])
@pytest.mark.parametrize("seed", [0, 1, 12345, (1 << 63) - 1])
def test_every_draw_of_every_recipe_is_predicted(server, http, images, catalogue, seed, always):
    assert len(catalogue["recipes"]) >= 10
    for recipe in catalogue["recipes"]:
        assert predicted(
            http, server, images, catalogue, recipe, named=True, seed=seed, always=always) > 0, recipe["name"]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: s["decay"])
def test_draws_that_follow_a_schedule_are_predicted(server, http, images, catalogue, schedule):
    noisy = next(r for r in catalogue["recipes"] if r["name"] == "noisyrollout")
    assert predicted(
        http, server, images, catalogue, noisy, named=True, seed=5, always=False, schedule=schedule) == 32
    assert predicted(
        http, server, images, catalogue, OWN, named=False, seed=6, always=False, schedule=schedule) > 80


def test_draws_of_a_recipe_written_out_are_predicted(server, http, images, catalogue):
    for seed in range(6):
        predicted(http, server, images, catalogue, OWN, named=False, seed=seed, always=False)


def stream(seed, count):
    """The first words of a seed's stream in ten lines of NumPy."""
    golden = np.uint64(0x9E3779B97F4A7C15)

    def mix(z):
        z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        return z ^ z >> np.uint64(31)

    with np.errstate(over="ignore"):
        return mix(mix(np.uint64(seed)) + golden * np.arange(1, count + 1, dtype=np.uint64))


def normal(seed, shape):
    table = [round(statistics.NormalDist().inv_cdf((k + 0.5) / 65536) * 2**20) / 2**20 for k in range(65536)]
    count = int(np.prod(shape))
    return np.array(table, np.float32)[stream(seed, -(-count // 4)).view("<u2")[:count]].reshape(shape)


def view(http, server, image, step):
    body = {"images": [{"data": base64.b64encode(image).decode()}], "views": [{"name": "v", "steps": [step]}], "format": "raw"}
    made = http.post(f"{server}/v1/perturb", json=body, timeout=60).json()["images"][0]["views"][0]
    return np.frombuffer(base64.b64decode(made["data"]), np.uint8).reshape(made["height"], made["width"], 3)


def test_noise_is_numpys(server, http):
    data = io.BytesIO()
    Image.effect_noise((97, 61), 90).convert("RGB").save(data, "PNG")
    pixels = np.asarray(Image.open(io.BytesIO(data.getvalue())))
    for seed in (0, 77, (1 << 63) - 1):
        noise = normal(seed, pixels.shape)
        found = view(http, server, data.getvalue(), {"step": "gaussian_noise", "sigma": 25, "noise_seed": seed})
        assert (found == np.clip(np.rint(pixels + np.float32(25) * noise), 0, 255)).all()
        for t in (0, 450, 500, 999):
            betas = 1 / (1 + np.exp(-np.linspace(-6, 6, 1000))) * (0.005 - 1e-5) + 1e-5
            kept = np.cumprod(1 - betas)[t]
            a, b = np.sqrt(kept).astype(np.float32), np.sqrt(1 - kept).astype(np.float32)
            expected = np.clip(a * (pixels / np.float32(255)) + b * noise, 0, 1) * np.float32(255)
            found = view(http, server, data.getvalue(), {"step": "diffusion_noise", "t": t, "noise_seed": seed})
            assert (found == expected.astype(np.uint8)).all()
        step = {"step": "patch_blackening", "patch": 10, "probability": 0.6, "mask_seed": seed}
        black = ((stream(seed, 7 * 10) >> np.uint64(11)) * 2.0**-53 < 0.6).reshape(7, 10)
        mask = np.kron(black, np.ones((10, 10), bool))[:61, :97]
        assert (view(http, server, data.getvalue(), step) == np.where(mask[..., None], 0, pixels)).all()
