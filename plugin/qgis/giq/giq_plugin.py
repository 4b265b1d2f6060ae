"""Loads the provider, and in the desktop the guard and the check of projects."""
from __future__ import annotations

from html import escape
from typing import Optional

from qgis.core import Qgis, QgsApplication

from . import driver
from .guard import Guard
from .projects import ProjectCheck
from .provider import GiqProvider


class GiqPlugin:
    def __init__(self, iface):
        self._iface = iface
        self._provider: Optional[GiqProvider] = None
        self._guard: Optional[Guard] = None
        self._projects: Optional[ProjectCheck] = None

    def initProcessing(self) -> None:
        self._provider = GiqProvider()
        QgsApplication.processingRegistry().addProvider(self._provider)

    def initGui(self) -> None:
        self.initProcessing()
        reason = driver.missing()
        if reason is not None:
            self._iface.messageBar().pushMessage(  # which reads HTML
                "gIQ", escape(reason, quote=False), Qgis.MessageLevel.Warning, 0)
            return
        self._guard = Guard(self._iface)
        self._guard.begin()
        self._projects = ProjectCheck(self._iface, self._guard.advise)
        self._projects.begin()

    def unload(self) -> None:
        if self._projects is not None:
            self._projects.end()
        if self._guard is not None:
            self._guard.end()
        if self._provider is not None:
            QgsApplication.processingRegistry().removeProvider(self._provider)
        self._provider = self._guard = self._projects = None
