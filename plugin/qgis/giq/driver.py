"""Calls the GIQ driver of GDAL: whether it exists, and one open with its error text."""
from __future__ import annotations

import platform
import re
import xml.etree.ElementTree as ElementTree
from typing import Optional

from osgeo import gdal

MINIMUM = (0, 2)  # the first driver with GIQ_CANCEL_FILE, GIQ_PROGRESS_FILE and GIQ_FETCH
PACKAGE = "libgdal-plugin-giq"


def _gdal_version() -> str:
    return gdal.VersionInfo("RELEASE_NAME")


def missing() -> Optional[str]:
    """Why the driver cannot be used, or None."""
    driver = gdal.GetDriverByName("GIQ")
    if driver is None:
        if platform.system() != "Linux":
            return ("The GIQ driver of GDAL is for Linux; this system "
                    f"({platform.system()}) has none. Use QGIS on Linux.")
        return (f"GDAL {_gdal_version()}, which this QGIS uses, has no driver GIQ. Install "
                f"the package {PACKAGE} that was built for this version of GDAL, or set "
                "GDAL_DRIVER_PATH to the folder that has gdal_GIQ.so, and start QGIS again.")
    version = driver.GetMetadataItem("DRIVER_VERSION") or "0"
    numbers = tuple(int(n) for n in re.findall(r"\d+", version)[:2])
    if numbers < MINIMUM:
        return (f"The GIQ driver of GDAL has version {version}; this plugin needs "
                f"{'.'.join(map(str, MINIMUM))} or later. Update the package {PACKAGE}.")
    return None


def choices(option: str) -> list[str]:
    """The values of an open option, as the driver lists them; [] without the driver."""
    driver = gdal.GetDriverByName("GIQ")
    listed = driver.GetMetadataItem("DMD_OPENOPTIONLIST") if driver is not None else None
    if not listed:
        return []
    values = ElementTree.fromstring(listed).findall(f"Option[@name='{option}']/Value")
    return [value.text or "" for value in values]


class Opened:
    """The outcome of an open: a dataset, or the driver's whole error text."""

    def __init__(self, dataset: Optional[gdal.Dataset], error: str, warnings: list[str]):
        self.dataset = dataset
        self.error = error
        self.warnings = warnings


def open_dataset(name: str, flags: int, options: list[str]) -> Opened:
    """Open `name` read-only, whether GDAL's exceptions are on or off. For any thread."""
    errors: list[str] = []
    warnings: list[str] = []

    def note(kind: int, _number: int, text: str) -> None:
        if kind >= gdal.CE_Failure:
            errors.append(text)
        elif kind == gdal.CE_Warning:
            warnings.append(text)

    dataset = None
    gdal.PushErrorHandler(note)
    try:
        dataset = gdal.OpenEx(name, flags | gdal.OF_VERBOSE_ERROR, open_options=options)
    except RuntimeError as error:
        if not errors:
            errors.append(str(error))
    finally:
        gdal.PopErrorHandler()
    if dataset is not None:
        return Opened(dataset, "", warnings)
    return Opened(None, errors[-1] if errors else f"{name} could not be opened", warnings)
