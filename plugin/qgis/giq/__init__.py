"""QGIS plugin of the gIQ inference service, over the driver GIQ of GDAL."""


def classFactory(iface):
    from .giq_plugin import GiqPlugin
    return GiqPlugin(iface)
