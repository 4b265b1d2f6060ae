"""The Processing provider."""
from __future__ import annotations

from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from .batch import BatchAlgorithm
from .fetch import FetchAlgorithm
from .resources import ICON
from .run import RunAlgorithm
from .tables import FilesAlgorithm, JobsAlgorithm, ModelsAlgorithm


class GiqProvider(QgsProcessingProvider):
    def id(self) -> str:
        return "giq"

    def name(self) -> str:
        return "gIQ"

    def longName(self) -> str:
        return "gIQ inference service"

    def icon(self) -> QIcon:
        return QIcon(ICON)

    def loadAlgorithms(self) -> None:
        for algorithm in (RunAlgorithm, BatchAlgorithm, FetchAlgorithm, JobsAlgorithm,
                          FilesAlgorithm, ModelsAlgorithm):
            self.addAlgorithm(algorithm())
