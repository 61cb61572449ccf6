"""How the client's wheel is laid out, as the server hands it out: the same bytes for the same sources.

A wheel is a ZIP archive. The rule:
1. Members, in this order: every file of `perception_client/`, sorted by path as bytes, then of
   `perception_client-VERSION.dist-info/`: METADATA, WHEEL, entry_points.txt, RECORD.
2. Every member is stored (method 0), dated 1980-01-01 00:00:00, made by Unix (version 2.0), mode 0644 regular file;
   no extra fields, no comments, flags 0 (names are ASCII).
3. METADATA, WHEEL and entry_points.txt are as `metadata`, `WHEEL` and `entry_points` below make them.
4. RECORD has a line `path,sha256=DIGEST,SIZE` for each member before it, DIGEST in URL-safe base64 without padding, and
   last `…/RECORD,,`. Lines end with a line feed.

`python wheel.py OUT` writes one, for comparing with a server's.
"""

import base64
import hashlib
import pathlib
import sys
import zipfile

SOURCES = pathlib.Path(__file__).resolve().parents[2] / "Sources/perception-client"
WHEEL = "Wheel-Version: 1.0\nGenerator: perception-server\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def project():
    """pyproject.toml's table `project`."""
    try:
        import tomllib
    except ImportError:  # Python 3.10
        import tomli as tomllib
    return tomllib.loads((SOURCES / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def metadata():
    """Core metadata 2.1, which every pip in use reads, with the README as the description."""
    p = project()
    lines = ["Metadata-Version: 2.1", f"Name: {p['name']}", f"Version: {p['version']}", f"Summary: {p['description']}"]
    lines.append(f"Requires-Python: {p['requires-python']}")
    lines += [f"Requires-Dist: {d}" for d in sorted(p["dependencies"])]
    for extra, needs in sorted(p["optional-dependencies"].items()):
        lines.append(f"Provides-Extra: {extra}")
        lines += [f"Requires-Dist: {d}; extra == '{extra}'" for d in needs]
    lines.append("Description-Content-Type: text/markdown")
    return "\n".join(lines) + "\n\n" + (SOURCES / "README.md").read_text(encoding="utf-8")


def entry_points():
    return "[console_scripts]\n" + "".join(f"{n} = {t}\n" for n, t in sorted(project()["scripts"].items()))


def members():
    """(path, bytes) in order, RECORD last."""
    package = SOURCES / "perception_client"
    files = [f for f in package.rglob("*") if f.is_file() and "__pycache__" not in f.parts]
    found = [(f.relative_to(SOURCES).as_posix(), f.read_bytes()) for f in files]
    found.sort(key=lambda item: item[0].encode())
    info = f"perception_client-{project()['version']}.dist-info"
    found += [(f"{info}/METADATA", metadata().encode()), (f"{info}/WHEEL", WHEEL.encode())]
    found.append((f"{info}/entry_points.txt", entry_points().encode()))
    record = "".join(f"{path},sha256={digest(data)},{len(data)}\n" for path, data in found) + f"{info}/RECORD,,\n"
    return [*found, (f"{info}/RECORD", record.encode())]


def digest(data):
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def name():
    return f"perception_client-{project()['version']}-py3-none-any.whl"


def write(path):
    """Write the wheel by the rule."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for member, data in members():
            entry = zipfile.ZipInfo(member, (1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            archive.writestr(entry, data)


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1]) / name())
