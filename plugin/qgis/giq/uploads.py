"""Local files that are uploaded: a path, or the file of a loaded layer."""
from __future__ import annotations

from typing import Any, Optional

from qgis.core import (QgsMapLayer, QgsProcessingAlgorithm, QgsProcessingContext,
                       QgsProcessingException, QgsProcessingParameterFile, QgsProcessingUtils,
                       QgsProviderRegistry)


def parameter() -> QgsProcessingParameterFile:
    """UPLOAD. QGIS's own filter would refuse names without a dot, as those of layers are."""
    return QgsProcessingParameterFile("UPLOAD", "Local file to upload", optional=True,
                                      fileFilter="All files (*)")


def _layer_of(value: Any, context: QgsProcessingContext) -> Optional[QgsMapLayer]:
    """The loaded layer with this id, name or source; None if there is none."""
    if isinstance(value, QgsMapLayer):
        return value
    if not value:
        return None
    return QgsProcessingUtils.mapLayerFromString(str(value), context, False)


def path_of(algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], name: str,
            context: QgsProcessingContext) -> str:
    """The value of a parameter of files as a path; '' if there is none."""
    layer = _layer_of(parameters.get(name), context)
    if layer is None:
        return algorithm.parameterAsFile(parameters, name, context).strip()
    parts = QgsProviderRegistry.instance().decodeUri(layer.providerType(), layer.source())
    path = parts.get("path")
    if not path:
        raise QgsProcessingException(f"{name} must be a file; the layer \"{layer.name()}\" is "
                                     "not read from one. Save it as a file first.")
    return path
