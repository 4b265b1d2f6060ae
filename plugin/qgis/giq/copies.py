"""Copies of datasets by GDAL, whether its exceptions are on or off."""
from __future__ import annotations

from typing import Any, Callable

from osgeo import gdal

from .jobs import DriverError, Member, open_member


def translate(function: Callable[..., Any], path: str, dataset: gdal.Dataset,
              **options: Any) -> None:
    """gdal.Translate or gdal.VectorTranslate. Raises DriverError."""
    errors: list[str] = []

    def note(kind: int, _number: int, text: str) -> None:
        if kind >= gdal.CE_Failure:
            errors.append(text)

    done = None
    gdal.PushErrorHandler(note)
    try:
        done = function(path, dataset, **options)
    except RuntimeError as error:
        if str(error) not in errors:
            errors.append(str(error))
    finally:
        gdal.PopErrorHandler()
    if done is None or errors:
        raise DriverError(f"The copy {path} could not be written: {' '.join(errors)}")


def remove(path: str) -> None:
    """Delete a file, if there is one."""
    if gdal.VSIStatL(path) is not None:
        gdal.Unlink(path)


def write(members: list[Member], path: str) -> None:
    """Copy a result to `path`, whose extension chooses the format: the vector layers of
    all its members, or its one raster."""
    rasters = [member for member in members if member.is_raster]
    if rasters:
        if len(members) > 1:
            raise DriverError(f"The result has {len(members)} datasets, and OUTPUT copies one "
                              f"raster only: run gdal_translate on {rasters[0].source}")
        translate(gdal.Translate, path, open_member(rasters[0].source))
        return
    remove(path)  # as QGIS does with outputs; some formats refuse to overwrite
    for number, member in enumerate(members):
        translate(gdal.VectorTranslate, path, open_member(member.source),
                  accessMode="update" if number else None)
