"""Files as people hand them to a page: dropped, pasted, chosen."""

import base64

DROPPED = """([selector, files, kind]) => {
    const transfer = new DataTransfer();
    for (const { name, type, data } of files) {
        const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
        transfer.items.add(new File([bytes], name, { type }));
    }
    const target = document.querySelector(selector);
    if (kind === "paste") {
        target.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true }));
    } else {
        for (const event of ["dragenter", "dragover", "drop"]) {
            target.dispatchEvent(new DragEvent(event, { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }
    }
}"""


def encoded(files):
    listed = []
    for name, data in files.items():
        kind = "image/png" if name.endswith(".png") else "image/jpeg" if name.endswith(".jpg") else ""
        listed.append({"name": name, "type": kind, "data": base64.b64encode(data).decode()})
    return listed


def drop(page, panel, files):
    """Drops files, bytes by name, on the panel with this id."""
    page.evaluate(DROPPED, [f"#{panel}", encoded(files), "drop"])


def paste(page, panel, files):
    page.evaluate(DROPPED, [f"#{panel}", encoded(files), "paste"])


def choose(page, panel, files):
    """Chooses files with the button of the panel's drop place."""
    given = [{"name": name, "mimeType": "application/octet-stream", "buffer": data} for name, data in files.items()]
    page.locator(f"#{panel} .drop input[type=file]").set_input_files(given)


def saved(page, press):
    """What pressing a button saves: name and bytes."""
    with page.expect_download() as waiting:
        press()
    download = waiting.value
    return download.suggested_filename, open(download.path(), "rb").read()
