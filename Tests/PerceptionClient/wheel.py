"""How the client's wheel is laid out, as the server hands it out: the same bytes for the same sources.

A wheel is a ZIP archive. The rule:
1. Members, in this order: every file of `perception_client/`, sorted by path as bytes, then of
   `perception_client-VERSION.dist-info/`: METADATA, WHEEL, entry_points.txt, RECORD.
2. Every member is stored (method 0), dated 1980-01-01 00:00:00, made by Unix (version 2.0), mode 0644 regular file;
   no extra fields, no comments, flags 0 (names are ASCII).
3. METADATA, WHEEL and entry_points.txt are as `metadata`, `WHEEL` and `entry_points` below make them.
4. RECORD has a line `path,sha256=DIGEST,SIZE` for each member before it, DIGEST in URL-safe base64 without padding, and
   last `…/RECORD,,`. Lines end with a line feed.

`python wheel.py OUT` writes one, for comparing with a server's. `python wheel.py --sources` writes
Sources/CClientWheel/sources.c, which compiles the members 1 into the server; run it when a file of the client comes or
goes, or pyproject.toml changes.
"""

import base64
import hashlib
import json
import pathlib
import sys
import zipfile

SOURCES = pathlib.Path(__file__).resolve().parents[2] / "Sources/perception-client"
COMPILED = SOURCES.parent / "CClientWheel/sources.c"
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
    return metadata_fields() + (SOURCES / "README.md").read_text(encoding="utf-8")


def metadata_fields():
    """Up to the blank line, with it."""
    p = project()
    lines = ["Metadata-Version: 2.1", f"Name: {p['name']}", f"Version: {p['version']}", f"Summary: {p['description']}"]
    lines.append(f"Requires-Python: {p['requires-python']}")
    lines += [f"Requires-Dist: {d}" for d in sorted(p["dependencies"])]
    for extra, needs in sorted(p["optional-dependencies"].items()):
        lines.append(f"Provides-Extra: {extra}")
        lines += [f"Requires-Dist: {d}; extra == '{extra}'" for d in needs]
    lines.append("Description-Content-Type: text/markdown")
    return "\n".join(lines) + "\n\n"


def entry_points():
    """The command, and the groups by which trainers find their plugins."""
    groups = {"console_scripts": project()["scripts"], **project().get("entry-points", {})}
    return "\n".join(
        f"[{group}]\n" + "".join(f"{n} = {t}\n" for n, t in sorted(entries.items())) for group, entries in groups.items()
    )


def package_files():
    """Paths of the package's files from SOURCES, in order."""
    files = [f for f in (SOURCES / "perception_client").rglob("*") if f.is_file() and "__pycache__" not in f.parts]
    return sorted((f.relative_to(SOURCES).as_posix() for f in files), key=str.encode)


def members():
    """(path, bytes) in order, RECORD last."""
    found = [(path, (SOURCES / path).read_bytes()) for path in package_files()]
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


def compiled_sources():
    """The text of Sources/CClientWheel/sources.c."""
    files = package_files()
    embedded = "\n".join(
        f'static const unsigned char file_{i}[] = {{\n#embed "../perception-client/{path}" suffix(,)\n    0}};'
        for i, path in enumerate(files)
    )
    rows = "\n".join(f'    {{"{path}", file_{i}, sizeof file_{i} - 1}},' for i, path in enumerate(files))

    def literal(text):
        lines = text.splitlines(keepends=True)
        return "\n".join(f"    {json.dumps(line, ensure_ascii=False)}" for line in lines)

    return f"""/* Written by Tests/PerceptionClient/wheel.py --sources from pyproject.toml and the folder: do not edit. */
#include "client_wheel.h"

/* #embed (C23) reads the client's own files: there is no second copy to fall behind. A zero ends each, as an array has
   at least one element and a file may have none. */
#pragma clang diagnostic ignored "-Wc23-extensions"

{embedded}
static const unsigned char readme[] = {{
#embed "../perception-client/README.md" suffix(,)
    0}};

static const client_wheel_file files[] = {{
{rows}
}};

static const char fields[] =
{literal(metadata_fields())};

static const char entry_points[] =
{literal(entry_points())};

const client_wheel_contents client_wheel_sources = {{
    .version = "{project()["version"]}",
    .files = files,
    .count = sizeof files / sizeof *files,
    .metadata_fields = {{fields, sizeof fields - 1}},
    .readme = {{(const char *)readme, sizeof readme - 1}},
    .entry_points = {{entry_points, sizeof entry_points - 1}},
}};
"""


if __name__ == "__main__":
    if sys.argv[1] == "--sources":
        COMPILED.write_text(compiled_sources(), encoding="utf-8")
        sys.exit()
    write(pathlib.Path(sys.argv[1]) / name())
