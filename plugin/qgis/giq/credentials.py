"""The key from QGIS's authentication database, kept in memory for the whole process:
layers are opened in other threads than the one that runs an algorithm."""
from __future__ import annotations

from osgeo import gdal
from qgis.core import QgsApplication, QgsAuthMethodConfig, QgsSettings

SETTING = "giq/authcfg"
OPTION = "GIQ_API_KEY"
HEADER = "x-api-key"


class CredentialsError(Exception):
    """Its text states why the key is not available."""


def _key_of(config: QgsAuthMethodConfig) -> str:
    """The key of an authentication configuration; '' if it has none."""
    values = config.configMap()
    if config.method() == "APIHeader":
        for name, value in values.items():
            if name.lower() == HEADER:
                return value
        return next(iter(values.values()), "")
    if config.method() == "Basic":
        return config.config("password")
    return ""


def apply() -> None:
    """Give the driver the key of the setting giq/authcfg, if there is one."""
    authcfg = str(QgsSettings().value(SETTING, "") or "")
    if not authcfg:
        return
    config = QgsAuthMethodConfig()
    loaded = QgsApplication.authManager().loadAuthenticationConfig(authcfg, config, True)
    is_loaded = loaded[0] if isinstance(loaded, tuple) else loaded
    if not is_loaded:
        raise CredentialsError(
            f"The authentication configuration {authcfg} of the setting {SETTING} could not "
            "be read: it does not exist, or the master password is wrong.")
    key = _key_of(config)
    if not key:
        raise CredentialsError(
            f"The authentication configuration {authcfg} has no key: use the method API "
            "Header with the header X-API-KEY, or Basic with the key as password.")
    if gdal.GetConfigOption(OPTION) != key:
        gdal.SetConfigOption(OPTION, key)


def apply_unlocked() -> None:
    """The same, unless QGIS would ask for its master password."""
    if QgsApplication.authManager().masterPasswordIsSet():
        apply()
