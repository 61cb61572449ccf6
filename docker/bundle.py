"""Puts the server, the libraries it loads, and their licences into a wheel. Called by docker/wheel.

Bundled is everything but glibc, libstdc++ and libgcc_s, which every Linux with Python and glibc has; the newest version
of glibc's symbols that anything here asks for is the wheel's platform tag.
"""

import base64
import hashlib
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

TOP = pathlib.Path(__file__).resolve().parents[1]
# Part of every system this wheel is for (PEP 600), by the beginning of their names.
SYSTEM = ("linux-vdso", "ld-linux", "libc.so", "libm.so", "libdl.so", "librt.so", "libpthread.so", "libresolv.so",
          "libutil.so", "libstdc++.so", "libgcc_s.so")  # fmt: skip
COMMON_LICENSES = pathlib.Path("/usr/share/common-licenses")
LAUNCHER = '''"""The binary of Perception Server, with the libraries it loads. `binary()` is its path."""

import os
import pathlib
import sys


def binary() -> str:
    """The path of the executable."""
    return str(pathlib.Path(__file__).parent / "bin" / "perception-server")


def main() -> None:
    """Become the server."""
    os.execv(binary(), ["perception-server", *sys.argv[1:]])
'''


def said(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def version():
    """The server's version, from its sources."""
    for file in sorted((TOP / "Sources/Service").rglob("*.swift")):
        if found := re.search(r'static let version = "([0-9.]+)"', file.read_text(encoding="utf-8")):
            return found[1]
    sys.exit("Sources/Service names no version")


def libraries(binary):
    """name → path of all that the loader would load, but for the system's own."""
    found = dict(re.findall(r"^\s*(\S+) => (/\S+)", said("ldd", str(binary)), re.M))
    return {n: pathlib.Path(p).resolve() for n, p in sorted(found.items()) if not n.startswith(SYSTEM)}


def stripped(path, folder):
    """The bytes of a copy without debugging symbols, and without what differs from build to build."""
    copy = pathlib.Path(folder) / path.name
    shutil.copy(path, copy)
    subprocess.run(["strip", "--strip-unneeded", str(copy)], check=True)
    sections = said("readelf", "-SW", str(copy))
    if found := re.search(r"\.swift_modhash\s+PROGBITS\s+\S+\s+\S+\s+([0-9a-f]+)", sections):
        # Hashes that incremental builds compare, and nobody else.
        zeros = pathlib.Path(folder) / "zeros"
        zeros.write_bytes(bytes(int(found[1], 16)))
        subprocess.run(["objcopy", "--update-section", f".swift_modhash={zeros}", str(copy)], check=True)
    return copy.read_bytes()


def newest_glibc(files):
    """(major, minor) of the newest symbol version of glibc that a file asks for."""
    versions = [v for f in files for v in re.findall(r"GLIBC_(\d+)\.(\d+)", said("objdump", "-T", str(f)))]
    return max((int(a), int(b)) for a, b in versions)


def package_of(path):
    """The Debian package that owns a library: its files may be registered under /usr or, merged, without it."""
    for name in (str(path), str(path).removeprefix("/usr")):
        found = subprocess.run(["dpkg", "-S", name], capture_output=True, text=True)
        if found.returncode == 0:
            return found.stdout.partition(":")[0]
    sys.exit(f"{path} belongs to no package, so its licence is unknown")


def licences(paths, checkouts):
    """Name → text: of each library's package with the common licences it refers to, of Swift, and of Swift's packages."""
    texts = {}
    for package in sorted({package_of(p) for p in paths}):
        texts[f"{package}.txt"] = pathlib.Path(f"/usr/share/doc/{package}/copyright").read_bytes()
    referred = {m.decode() for t in texts.values() for m in re.findall(rb"/usr/share/common-licenses/([A-Za-z0-9.-]*[A-Za-z0-9])", t)}
    texts |= {f"common-{n}.txt": (COMMON_LICENSES / n).read_bytes() for n in sorted(referred) if (COMMON_LICENSES / n).exists()}
    swift = pathlib.Path(shutil.which("swift")).resolve().parents[1] / "share/swift/LICENSE.txt"
    texts["swift.txt"] = swift.read_bytes()
    for package in sorted(p for p in pathlib.Path(checkouts).iterdir() if is_compiled(p)):
        (licence, *_) = sorted(package.glob("LICENSE*"))
        texts[f"{package.name}.txt"] = licence.read_bytes()
    return texts


def is_compiled(package):
    """Whether a Swift package is part of the product; others serve the tests alone."""
    objects = package.parents[1] / "release"
    modules = [m.name for m in (package / "Sources").iterdir()] if (package / "Sources").is_dir() else []
    return any(list((objects / f"{m}.build").glob("*.o")) for m in modules)


def metadata(number, texts):
    lines = ["Metadata-Version: 2.1", "Name: perception-server", f"Version: {number}",
             "Summary: The server that perception-client's Perception.local() starts.", "Requires-Python: >=3.10",
             "Description-Content-Type: text/plain"]  # fmt: skip
    bundled = ", ".join(n.removesuffix(".txt") for n in texts if not n.startswith("common-"))
    return "\n".join(lines) + f"\n\nPerception Server for Linux on x86-64. It brings parts of: {bundled}; licences beside this file.\n"


def members(binary, checkouts, folder):
    """(wheel's file name, [(path, bytes, is executable)])"""
    bundled = libraries(binary)
    number = version()
    major, minor = newest_glibc([binary, *bundled.values()])
    tag = f"py3-none-manylinux_{major}_{minor}_x86_64"
    texts = licences(bundled.values(), checkouts)
    info = f"perception_server-{number}.dist-info"
    files = [("perception_server/__init__.py", LAUNCHER.encode(), False)]
    files.append(("perception_server/__main__.py", b"from . import main\n\nmain()\n", False))
    files.append(("perception_server/bin/perception-server", stripped(binary, folder), True))
    files += [(f"perception_server/lib/{n}", stripped(p, folder), True) for n, p in bundled.items()]
    files.append((f"{info}/METADATA", metadata(number, texts).encode(), False))
    wheel = f"Wheel-Version: 1.0\nGenerator: perception-server\nRoot-Is-Purelib: false\nTag: {tag}\n"
    files.append((f"{info}/WHEEL", wheel.encode(), False))
    entry = "[console_scripts]\nperception-server = perception_server:main\n"
    files.append((f"{info}/entry_points.txt", entry.encode(), False))
    files += [(f"{info}/licenses/{n}", t, False) for n, t in sorted(texts.items())]
    record = "".join(f"{p},sha256={digest(d)},{len(d)}\n" for p, d, _ in files) + f"{info}/RECORD,,\n"
    return f"perception_server-{number}-{tag}.whl", [*files, (f"{info}/RECORD", record.encode(), False)]


def digest(data):
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def main(binary, out, checkouts):
    with tempfile.TemporaryDirectory() as folder:
        name, files = members(pathlib.Path(binary), checkouts, folder)
    pathlib.Path(out).mkdir(parents=True, exist_ok=True)
    path = pathlib.Path(out) / name
    with zipfile.ZipFile(path, "w") as archive:
        for member, data, executable in files:
            entry = zipfile.ZipInfo(member, (1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, (0o100755 if executable else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data, compresslevel=9)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main(*sys.argv[1:])
