"""Packs the plugin as QGIS installs it: python3 pack.py ZIP. The same files give the same
bytes on every machine; SOURCE_DATE_EPOCH is the time of all of them."""
import os
import pathlib
import sys
import time
import zipfile

PLUGIN = pathlib.Path(__file__).parent / "giq"
EARLIEST = 315532800  # 1980, before which a zip file has no time


def pack(path: str) -> None:
    moment = max(EARLIEST, int(os.environ.get("SOURCE_DATE_EPOCH", EARLIEST)))
    date = time.gmtime(moment)[:6]
    names = sorted(name for name in os.listdir(PLUGIN) if (PLUGIN / name).is_file()
                   and not name.startswith("."))
    # Without compression, whose output depends on the version of zlib.
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in names:
            entry = zipfile.ZipInfo(f"giq/{name}", date)
            entry.create_system = 3  # modes are those of Unix
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, (PLUGIN / name).read_bytes())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    pack(sys.argv[1])
