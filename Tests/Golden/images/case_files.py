"""Golden cases and the bytes they share, and the photograph that many of them show."""

import io
import json
import pathlib

from PIL import Image

HERE = pathlib.Path(__file__).parent
PHOTO = Image.open(HERE / "photo.png").convert("RGB")


class Collection:
    """Cases, the files they are about and the samples they expect; equal bytes are kept once."""

    def __init__(self):
        self.cases = []
        self._files = Heap()
        self._samples = Heap()

    def add(self, name, data, samples, **facts):
        """One case. samples: uint8 [H, W, 3]; `facts` are written between the file's place and the size."""
        file = [self._files.place(data), len(data)]
        self.cases.append({
            "name": name, "file": file, **facts, "width": samples.shape[1], "height": samples.shape[0],
            "samples": self._samples.place(samples.tobytes()),
        })

    def write(self, cases, prefix=""):
        """Writes the list of cases under the name `cases`, and the two heaps under names that begin with `prefix`."""
        files, samples = bytes(self._files.bytes), bytes(self._samples.bytes)
        (HERE / f"{prefix}files.bin").write_bytes(files)
        (HERE / f"{prefix}samples.bin").write_bytes(samples)
        (HERE / cases).write_text("".join(json.dumps(case) + "\n" for case in self.cases))
        print(len(self.cases), "cases,", len(files), "bytes of files,", len(samples), "bytes of samples")


class Heap:
    """Pieces of bytes one behind the other, none of them twice."""

    def __init__(self):
        self.bytes = bytearray()
        self._places = {}

    def place(self, data):
        """Where the piece begins."""
        key = bytes(data)
        if key not in self._places:
            self._places[key] = len(self.bytes)
            self.bytes.extend(data)
        return self._places[key]


def jpeg(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()
