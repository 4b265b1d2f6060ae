"""GDAL's programs with all debug output, which is searched for secrets."""
import base64

import secret_search
from programs import Gdal

KEY = "k3y-abcdef"
TOKEN = "t0ken-abcdef"
PASSWORD = "p4ss-abcdef"
PASSPHRASE = "phr4se-abcdef"
COOKIE = "c00kie-abcdef"
SIGNATURE = "s1gnature-abcdef"
LOGIN = f"me:{PASSWORD}"
SECRETS = (KEY, TOKEN, PASSWORD, PASSPHRASE, COOKIE, SIGNATURE,
           base64.b64encode(LOGIN.encode()).decode())
# What the environment of the tests may say of the network.
NETWORK = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "CURL_CA_BUNDLE",
           "SSL_CERT_FILE")


class WatchedGdal(Gdal):
    """`trusted`: an Authority whose certificates are taken."""

    def __init__(self, folder, url, trusted=None):
        super().__init__(folder, url)
        for name in NETWORK:
            self.env.pop(name, None)
            self.env.pop(name.upper(), None)
        secret_search.know(*SECRETS)
        self.env.update(CPL_DEBUG="ON", CPL_CURL_VERBOSE="YES", GIQ_API_KEY=KEY)
        if trusted is not None:
            self.env["CURL_CA_BUNDLE"] = str(trusted.path)
