"""Makes the wheel of a package that is pure Python (PEP 517), with the standard library alone: `pip install` fetches nothing.

A wheel is a zip of the files with three more: METADATA, WHEEL and RECORD."""
import base64
import hashlib
import io
import pathlib
import tarfile
import tomllib
import zipfile

HERE = pathlib.Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((HERE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NAME, VERSION = PROJECT["name"], PROJECT["version"]
TAG = "py3-none-any"
BORN = (2026, 1, 1, 0, 0, 0)  # the same sources make the same bytes


def _metadata():
    head = ["Metadata-Version: 2.1", f"Name: {NAME}", f"Version: {VERSION}", f"Summary: {PROJECT['description']}",
            f"License: {PROJECT['license']['text']}", f"Requires-Python: {PROJECT['requires-python']}",
            *(f"Requires-Dist: {d}" for d in PROJECT["dependencies"]), "Description-Content-Type: text/markdown"]
    return "\n".join(head) + "\n\n" + (HERE / "README.md").read_text(encoding="utf-8")


def _sources():
    for path in sorted((HERE / "src" / NAME).rglob("*")):
        if path.is_file() and path.suffix in (".py", ".typed"):
            yield path.relative_to(HERE / "src").as_posix(), path.read_bytes()


def _wheel(directory, files):
    info = f"{NAME}-{VERSION}.dist-info"
    files = [*files, (f"{info}/METADATA", _metadata().encode()),
             (f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: {NAME}\nRoot-Is-Purelib: true\nTag: {TAG}\n".encode())]
    record = ""
    for name, data in files:
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(data)}\n"
    files.append((f"{info}/RECORD", f"{record}{info}/RECORD,,\n".encode()))
    name = f"{NAME}-{VERSION}-{TAG}.whl"
    with zipfile.ZipFile(pathlib.Path(directory) / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files:
            entry = zipfile.ZipInfo(path, BORN)
            entry.external_attr, entry.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return name


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    return _wheel(wheel_directory, _sources())


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    return _wheel(wheel_directory, [(f"_{NAME}.pth", f"{HERE / 'src'}\n".encode())])


def build_sdist(sdist_directory, config_settings=None):
    name, top = f"{NAME}-{VERSION}.tar.gz", f"{NAME}-{VERSION}"
    with tarfile.open(pathlib.Path(sdist_directory) / name, "w:gz") as archive:
        for path in ("pyproject.toml", "README.md", "backend", "src"):
            archive.add(HERE / path, f"{top}/{path}", filter=lambda entry: None if "__pycache__" in entry.name else entry)
        text = _metadata().encode()
        entry = tarfile.TarInfo(f"{top}/PKG-INFO")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
    return name
