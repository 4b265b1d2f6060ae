"""QGIS plugin of the gIQ inference service, over the driver GIQ of GDAL."""
from typing import Any


def classFactory(iface: Any) -> Any:
    from .giq_plugin import GiqPlugin
    return GiqPlugin(iface)
