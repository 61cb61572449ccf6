"""What tests of the playground's tokens do on the page and read from it."""

import json

import numpy as np
from safetensors.numpy import save

import files

PANEL = "tokens-panel"
VIEWS = ("original", "preserving", "removing")


def opened(visit, path="/", **options):
    """The playground with its example scored."""
    page = visit(path, **options)
    page.locator(f"#{PANEL} .token.masked").first.wait_for()
    return page


def settled(page):
    """Waits for the answer to the last change."""
    page.wait_for_selector(f'#{PANEL} .stage[aria-busy="false"]')


def show(page, given, wanted=".token"):
    """Drops files and waits until something is shown of them."""
    label = page.locator(f"#{PANEL} .source-label")
    before = label.inner_text()
    files.drop(page, PANEL, given)
    label.filter(has_not_text=before).wait_for()
    settled(page)
    page.locator(f"#{PANEL} {wanted}").first.wait_for()


def trouble(page):
    """The text of the problem that is shown."""
    shown = page.locator(f"#{PANEL} .problem")
    shown.wait_for()
    return shown.inner_text()


def tokens(page, kind="token"):
    """The texts of the tokens in sight, in their order."""
    return page.locator(f"#{PANEL} .heat-map .{kind}").all_inner_texts()


def scalar(page, name):
    """A number of the result."""
    return page.locator(f"#{PANEL} .scalars > div").filter(has=page.get_by_text(name, exact=True)).locator("dd").inner_text()


def number(page, name):
    """The same as a number."""
    return float(scalar(page, name).replace("−", "-"))


def option(page, name):
    return page.locator(f'#{PANEL} [data-option="{name}"]')


def batch(rows=2, places=6, texts=None, seed=0):
    """A request's tensors and its metadata."""
    generator = np.random.default_rng(seed)
    shape = (rows, places)
    tensors = {f"{view}.log_probs": -generator.uniform(0, 3, shape).astype(np.float32) for view in VIEWS}
    for view in ("original", "removing"):
        tensors[f"{view}.entropy"] = generator.uniform(0, 2, shape).astype(np.float32)
    tensors["advantages"] = np.linspace(1, -1, rows).astype(np.float32)
    metadata = {"options": json.dumps({"preset": "cppo-areal"})}
    if texts is not None:
        metadata["tokens"] = json.dumps(texts)
    return tensors, metadata


def saved_batch(**shape):
    tensors, metadata = batch(**shape)
    return save(tensors, metadata)


def rollouts(tensors, **more):
    """The same request as JSON, one object a sequence."""
    listed = []
    for row in range(len(tensors["advantages"])):
        rollout = {"id": f"row {row}", "advantage": float(tensors["advantages"][row])}
        for name, values in tensors.items():
            if "." in name:
                view, member = name.split(".")
                rollout.setdefault(view, {})[member] = [float(v) for v in values[row]]
        listed.append(rollout | {name: values[row] for name, values in more.items()})
    return listed
