"""A client of the sandbox that knows nothing of the driver."""
import http.client
import json
import time
import urllib.parse

from programs import SCENE
from secret_search import KEY

BOUNDARY = "sandbox-test"


def form(**fields):
    parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
             f"{value}\r\n" for name, value in fields.items()]
    return "".join(parts) + f"--{BOUNDARY}--\r\n"


class Client:
    def __init__(self, url):
        self.parts = urllib.parse.urlsplit(url)

    def call(self, method, path, body=None, key=KEY, prefix="/public", **headers):
        connection = http.client.HTTPConnection(self.parts.netloc, timeout=30)
        if key is not None:
            headers["X-API-KEY"] = key
        if body is not None and "Content-Type" not in headers:
            headers["Content-Type"] = f"multipart/form-data; boundary={BOUNDARY}"
        connection.request(method, prefix + path, body, headers)
        response = connection.getresponse()
        response.content = response.read()
        connection.close()
        return response

    def call_json(self, *args, **kwargs):
        response = self.call(*args, **kwargs)
        return response.status, json.loads(response.content)

    def run(self, model="water", file=SCENE, **more):
        status, job = self.call_json("POST", "/inference/run",
                                form(modelId=model, fileId=file, **more))
        assert status == 200, job
        return job["id"]

    def status(self, job):
        return self.call_json("GET", f"/inference/status?inferenceId={job}")[1]

    def wait(self, job):
        """All the states that were seen until the end."""
        seen = []
        while True:
            state = self.status(job)["status"]
            if state not in seen:
                seen.append(state)
            if state in ("COMPLETED", "FAILED"):
                return seen
            time.sleep(0.01)

    def faults(self, *specs):
        return self.call("POST", "/control/faults", json.dumps(specs), key=None,
                         prefix="").status
