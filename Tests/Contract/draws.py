"""The recipes' draws, written anew from their documentation: what /v1/perturb must draw for a seed, an id and a variant.

The generator is the first twenty lines; the rest is the language of recipes as openapi.yaml and /v1/recipes describe it.
"""

import math

import numpy as np
from PIL import Image

GOLDEN, MASK = 0x9E3779B97F4A7C15, (1 << 64) - 1


def mix(z):
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
    return z ^ z >> 31


def words(start):
    n = 0
    while True:
        n += 1
        yield mix(start + n * GOLDEN & MASK)


def stream(seed, recipe, key, variant):
    digest = 0xCBF29CE484222325
    for byte in f"{recipe}\0{key}\0{variant}".encode():
        digest = (digest ^ byte) * 0x100000001B3 & MASK
    return words(mix(mix(seed) ^ digest))


def integer(stream, low, high):
    return low + (next(stream) * (high - low + 1) >> 64)


def unchanged(step, size):
    """Whether the step leaves every picture of this size as it is; of what the tests draw with always."""
    name = step["step"]
    if name == "rotation":
        if step["interpolation"] == "nearest":
            picture = Image.fromarray(np.arange(math.prod(size), dtype=np.int32).reshape(size[::-1]))
        else:
            picture = Image.fromarray(np.random.default_rng(1).integers(0, 2, size[::-1], np.uint8) * 255)
        turned = picture.rotate(
            step["degrees"], Image.Resampling[step["interpolation"].upper()], step["expand"], fillcolor=77)
        outside = Image.new("L", size, 255).rotate(step["degrees"], expand=step["expand"])
        return turned.size == size and np.array_equal(turned, picture) and np.asarray(outside).all()
    if name == "color_jitter" and "hue" not in step:
        levels = np.arange(256, dtype=np.float32)
        return all(
            np.array_equal(np.clip(base + np.float32(step[part]) * (levels - base), 0, 255).astype(np.uint8), levels)
            for part, base in (("brightness", np.float32(0)), ("contrast", np.float32(128)), ("saturation", np.float32(128))))
    if name == "perspective":
        return step["startpoints"] == step["endpoints"]
    if name == "zoom_crop":
        return (step["width"], step["height"]) == tuple(size)
    if name == "patch_blackening":
        cells = math.prod(-(-side // step["patch"]) for side in size)
        numbers = words(mix(step["mask_seed"]))
        return not any((next(numbers) >> 11) * 2.0**-53 < step["probability"] for _ in range(cells))
    return False


class Draw:
    """One draw: its stream, the picture, and what the view says."""

    def __init__(self, stream, size, *, always=False, strength=1.0, seconds=(), catalogue=()):
        self.stream, self.size, self.always, self.strength = stream, size, always, strength
        self.seconds, self.steps, self.out = list(seconds), {s["step"]: s for s in catalogue}, []
        self.changed = False

    def whole(self, low, high):
        return integer(self.stream, low, high)

    def value(self, v):
        if isinstance(v, list):
            return [self.value(x) for x in v]
        if not isinstance(v, dict):
            return v
        if "uniform" in v:
            low, high = (round(x * 10000) for x in v["uniform"])
            drawn = self.whole(low, high) / 10000
        elif "integers" in v:
            drawn = self.whole(*v["integers"])
        elif "choice" in v:
            drawn = v["choice"][self.whole(0, len(v["choice"]) - 1)]
        elif "permutation" in v:
            left, drawn, place = list(v["permutation"]), [], self.whole(0, math.factorial(len(v["permutation"])) - 1)
            while left:
                index, place = divmod(place, math.factorial(len(left) - 1))
                drawn.append(left.pop(index))
        else:
            drawn = v["value"]
        if v.get("scheduled"):
            drawn = int(drawn * self.strength) if isinstance(drawn, int) else round(drawn * self.strength * 10000) / 10000
        return drawn

    def share(self, v):
        return round(self.value(v) * 10000)

    def possible(self, part):
        if "step" not in part:
            return any(self.possible(p) for p in part.get("one_of") or part["steps"])
        if part["step"] != "perspective" or "startpoints" in part:
            return True
        v = part.get("distortion", 0.2)
        most = max(v["uniform"]) if isinstance(v, dict) else v
        return min(self.size) >= 2 and min(self.size) // 2 * round(most * 10000) >= 10000

    def part(self, part):
        if not self.possible(part):
            return
        applied = round(part.get("applied", 1) * 10000)
        if applied < 10000 and self.whole(0, 9999) < 10000 - applied and not self.always:
            return
        if "one_of" in part:
            self.one_of([p for p in part["one_of"] if self.possible(p)])
        elif "steps" in part:
            for p in part["steps"]:
                self.part(p)
        else:
            given = {k: v for k, v in part.items() if k not in ("step", "applied")}
            for _ in range(1000):
                step = self.step(part["step"], given)
                if not self.always or not unchanged(step, self.size):
                    self.changed = True
                    break
            self.out.append(step)

    def one_of(self, left):
        """One part; with `always` another one where nothing drawn from it changes the picture."""
        done, before = len(self.out), self.changed
        while True:
            place, self.changed = self.whole(0, len(left) - 1), False
            self.part(left[place])
            if not self.always or self.changed or len(left) == 1:
                self.changed |= before
                return
            del self.out[done:], left[place]

    def step(self, name, given):
        """The step with its defaults, as the reply writes it."""
        width, height = self.size
        drawn = {"step": name}
        if name == "perspective" and "startpoints" not in given:
            distortion = self.share(given.get("distortion", 0.2))
            drawn |= {p: self.value(given[p]) for p in ("interpolation", "fill") if p in given}
            across, down = width // 2 * distortion // 10000, height // 2 * distortion // 10000
            r, b = width - 1, height - 1
            m = [self.whole(0, (across, down)[i % 2]) for i in range(8)]
            drawn["startpoints"] = [[0, 0], [r, 0], [r, b], [0, b]]
            drawn["endpoints"] = [[m[0], m[1]], [r - m[2], m[3]], [r - m[4], b - m[5]], [m[6], b - m[7]]]
        elif name == "occlusion" and "patches" not in given:
            patches = []
            tenth = {"uniform": [0.05, 0.15]}
            for _ in range(self.value(given.get("count", 50))):
                w = max(1, width * self.share(given.get("width_ratio", tenth)) // 10000)
                h = max(1, height * self.share(given.get("height_ratio", tenth)) // 10000)
                patches.append([self.whole(0, width - w), self.whole(0, height - h), w, h])
            drawn |= {"patches": patches, "noise_seed": self.value(given.get("noise_seed", {"integers": [0, (1 << 53) - 1]}))}
        elif name == "zoom_crop" and "left" not in given:
            scale = self.share(given.get("scale", {"uniform": [0.6, 0.7]}))
            w, h = max(1, width * scale // 10000), max(1, height * scale // 10000)
            drawn |= {"left": self.whole(0, width - w), "top": self.whole(0, height - h), "width": w, "height": h}
        elif name == "crop_fill" and "left" not in given:
            ratio = self.share(given["side_ratio"])
            if "fill" in given:
                drawn["fill"] = self.value(given["fill"])
            w, h = width * ratio // 10000, height * ratio // 10000
            drawn |= {"left": self.whole(0, width - w), "top": self.whole(0, height - h), "width": w, "height": h}
        else:
            for parameter in self.steps[name]["parameters"]:
                p = parameter["name"]
                if p in given:
                    drawn[p] = self.value(given[p])
                elif p.endswith("_seed"):
                    drawn[p] = self.whole(0, (1 << 53) - 1)
                elif p == "image":
                    drawn[p] = self.seconds[self.whole(0, len(self.seconds) - 1)]
        for parameter in self.steps[name]["parameters"]:
            default = parameter.get("default")
            if default is not None:
                drawn.setdefault(parameter["name"], default)
        for color in ("fill", "color"):
            if isinstance(drawn.get(color), int):
                drawn[color] = [drawn[color]] * 3
        return drawn


def strength(schedule):
    step, total, c = schedule["step"], schedule["total_steps"], schedule.get("coefficient")
    return {
        "sigmoid": lambda: 1 - 1 / (1 + math.exp(-(c * (step / total - schedule["mid_step"] / total)))),
        "linear": lambda: 1 - step / total, "power": lambda: 1 - (step / total) ** c,
        "exp": lambda: 1 - c ** (total - step),
    }[schedule["decay"]]()


def draw(recipe, seed, key, variant, size, catalogue, **view):
    """The steps of a recipe (an entry of /v1/recipes or one like it) for one picture."""
    one = Draw(stream(seed, recipe.get("name", "custom"), key, variant), size, catalogue=catalogue, **view)
    one.part({k: v for k, v in recipe.items() if k not in ("name", "view", "summary")})
    return one.out
