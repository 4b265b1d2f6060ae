"""An authority of a test's own, which lives as long as the test's folder."""
import subprocess

EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")


def openssl(*words):
    subprocess.run(["openssl", *(str(word) for word in words)], check=True,
                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)


class Certificate:
    """PEM files: the certificate and its key."""

    def __init__(self, folder, name):
        self.path = folder / f"{name}.pem"
        self.key = folder / f"{name}.key"


class Authority:
    """Signs certificates; `path` is what a client must trust."""

    def __init__(self, folder, name="authority"):
        self.folder = folder / name
        self.folder.mkdir()
        self.own = self.self_signed("own", f"/CN=The {name}",
                                    "basicConstraints=critical,CA:TRUE")
        self.path = self.own.path

    def self_signed(self, name, subject="/CN=nobody",
                    extension="subjectAltName=IP:127.0.0.1"):
        made = Certificate(self.folder, name)
        openssl("req", "-x509", *EC, "-nodes", "-keyout", made.key, "-out", made.path,
                "-subj", subject, "-days", "2", "-addext", extension)
        return made

    def sign(self, name, host="IP:127.0.0.1", days=2, passphrase=None):
        """A certificate for `host`; a `passphrase` encrypts its key."""
        made = Certificate(self.folder, name)
        request = self.folder / f"{name}.csr"
        guard = ["-nodes"] if passphrase is None else ["-passout", f"pass:{passphrase}"]
        openssl("req", "-new", *EC, *guard, "-keyout", made.key, "-out", request,
                "-subj", f"/CN={name}", "-addext", f"subjectAltName={host}")
        openssl("x509", "-req", "-in", request, "-CA", self.own.path, "-CAkey",
                self.own.key, "-CAcreateserial", "-copy_extensions", "copy", "-days",
                days, "-out", made.path)
        return made
