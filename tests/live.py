"""Compares the real service with what the driver assumes of it: `sh tests/live.sh`.

Prints the shape of every response, names and kinds and no values, beside the assumption.
By itself it only reads. --upload leaves a file with the service, which costs nothing. With
--model and a file it asks, runs one job, which is paid for, and lets the driver open that
job's result."""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

BASE_URL = os.environ.get("GIQ_BASE_URL", "https://giq.ae/public").rstrip("/")
KEY = os.environ.get("GIQ_API_KEY", "")
SOURCE_TYPE = os.environ.get("GIQ_SOURCE_TYPE", "UNKNOWN")
WORDS = {
    "succeeded": "DONE COMPLETED COMPLETE SUCCEEDED SUCCESSFUL SUCCESS FINISHED".split(),
    "failed": "FAILED FAILURE ERROR CANCELLED CANCELED ABORTED REJECTED EXPIRED "
              "TIMED_OUT KILLED".split(),
}
PAUSE_MAX_S = 10
WAIT_S = 3600
RESPONSE_MAX = 16 * 1024 * 1024
UPLOAD_MAX = 100_000_000
TIMEOUT_S = 60


def say(*words):
    """Print, without the key whatever holds it."""
    print(*(str(word).replace(KEY, "*" * len(KEY)) for word in words), flush=True)


def stop(text):
    say(text)
    sys.exit(1)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """The key is for the service's own host: a redirect is shown, not followed."""

    def redirect_request(self, *_):
        return None


def encode(form, boundary):
    """A form as multipart/form-data; a path in it is a file."""
    parts = []
    for name, value in form.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'
        if isinstance(value, pathlib.Path):
            file_name = value.name.replace('"', "%22")
            head += (f'; filename="{file_name}"\r\n'
                     "Content-Type: application/octet-stream")
            value = value.read_bytes()
        else:
            value = value.encode()
        parts.append(head.encode() + b"\r\n\r\n" + value + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode()


def call(path, query=None, form=None):
    """(status, headers, body) of one request; of a download the first bytes only."""
    url = f"{BASE_URL}/{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
    headers = {"X-API-KEY": KEY, "Accept-Encoding": "identity"}
    data = None
    if form is not None:
        boundary = uuid.uuid4().hex
        headers["Content-Type"] = f"multipart/form-data; boundary={boundary}"
        data = encode(form, boundary)
    opener = urllib.request.build_opener(NoRedirect)
    try:
        response = opener.open(urllib.request.Request(url, data, headers),
                             timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        response = error
    except OSError as error:
        stop(f"no response from {BASE_URL}: {error}")
    with response:
        most = 64 if path.endswith("download") else RESPONSE_MAX
        return response.status, response.headers, response.read(most)


def shape(value):
    """Names and kinds: what may be shown of a response."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {shape(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        kinds = list(dict.fromkeys(shape(item) for item in value))
        return f"[{' | '.join(kinds)}] of {len(value)}"
    return {str: "text", bool: "yes or no", int: "number", float: "number",
            type(None): "null"}[type(value)]


def show(what, assumed, status, body):
    """The parsed body; beside it what the driver assumes."""
    say(f"\n{what}\n  assumed:  {assumed}")
    try:
        parsed = json.loads(body)
    except ValueError:
        stop(f"  answered: HTTP {status}, {len(body)} bytes that are no JSON")
    say(f"  answered: HTTP {status} {shape(parsed)}")
    if not 200 <= status < 300:
        stop("  which is an error status: nothing more can be compared")
    return parsed


def unwrapped(response):
    data = response.get("data") if isinstance(response, dict) else None
    return data if isinstance(data, dict) else response


def meaning_of(word):
    for meaning, words in WORDS.items():
        if str(word).upper() in words:
            return meaning
    return "still going"


def upload(path):
    """The id of the file."""
    size = path.stat().st_size if path.is_file() else 0
    if not 0 < size <= UPLOAD_MAX:
        stop(f"{path} is no file of 1 to {UPLOAD_MAX} bytes")
    status, _, body = call("file/upload", {"sourceType": SOURCE_TYPE}, {"file": path})
    found = unwrapped(show("file/upload", "HTTP 2xx {fileId: text or number, originalName, "
                          "…}, perhaps within {data: …}", status, body))
    if not isinstance(found, dict) or "fileId" not in found:
        stop("no fileId: the driver would say [service]")
    say(f"  the file is {found['fileId']}")
    return str(found["fileId"])


def ask(options):
    say(f"\nThis runs the model {options.model} on the file {options.file} at {BASE_URL}:"
        "\none job, which is paid for. Should this end before it shows the job's id, look on "
        "the service's web page before you run it again. Type yes to go on.")
    if sys.stdin.readline().strip().lower() != "yes":
        stop("nothing was run")


def run(options):
    form = {"modelId": options.model, "fileId": options.file}
    if options.geometry:
        form["geometry"] = options.geometry
    status, _, body = call("inference/run", form=form)
    job = unwrapped(show("inference/run", "HTTP 2xx {id: text or number, status, type, "
                         "startedAt}, perhaps within {data: …}", status, body))
    if not isinstance(job, dict) or "id" not in job:
        stop("no id: the job may run all the same, look on the service's web page")
    say(f"  the job is {job['id']}")
    return job["id"]


def wait(job_id):
    seen = []
    pause = 0.25
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        status, _, body = call("inference/status", {"inferenceId": job_id})
        if not seen:
            show("inference/status", "as inference/run", status, body)
        word = unwrapped(json.loads(body)).get("status")
        if word not in seen:
            seen.append(word)
            say(f"  state {word}: the driver takes it as {meaning_of(word)}")
        if meaning_of(word) != "still going":
            return meaning_of(word) == "succeeded"
        time.sleep(pause)
        pause = min(pause * 1.5, PAUSE_MAX_S)
    return False


def download(job_id):
    status, headers, body = call("inference/download", {"inferenceJobId": job_id})
    found = [name for name in ("Content-Length", "Transfer-Encoding", "Content-Encoding",
                              "Content-Disposition", "ETag", "Accept-Ranges", "Location")
            if headers.get(name) is not None]
    say("\ninference/download\n  assumed:  HTTP 200, or a redirect to another host; chunked "
        "or with a length; Content-Disposition names the file",
        f"\n  answered: HTTP {status} with {', '.join(found) or 'none of them'}, "
        f"first bytes {body[:4]!r}")


def open_with_the_driver(options, job_id):
    name = f"GIQ:model={options.model};file={options.file};job={job_id}"
    say(f"\nThe driver opens the same job: {name}")
    area = ["-oo", f"GEOMETRY={options.geometry}"] if options.geometry else []
    for program in (["ogrinfo", "-so", "-al"], ["gdalinfo"]):
        done = subprocess.run([*program, name, *area], capture_output=True, text=True,
                              check=False)
        if done.returncode == 0 and "GIQ[" not in done.stderr:
            say(done.stdout)
            return
    stop(done.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="id of the model to run")
    files = parser.add_mutually_exclusive_group()
    files.add_argument("--file", help="id of the file to run it on")
    files.add_argument("--upload", type=pathlib.Path,
                       help="a local file to upload, and to run it on")
    parser.add_argument("--geometry", help="area of interest, WKT")
    options = parser.parse_args()
    if not KEY:
        stop("Set GIQ_API_KEY to a key of the service (and GIQ_BASE_URL, where it is not "
             f"{BASE_URL}).\nOnly the list of models is read then; --upload PATH uploads a "
             "file, and --model ID with it or with --file ID runs one job, after asking.")
    status, _, body = call("inference/models")
    show("inference/models", "HTTP 200, a list (or one under models, content, data, items, "
         "results) of {id or modelId, name, version, type, labels}", status, body)
    if options.upload:
        options.file = upload(options.upload)
    if not options.model or not options.file:
        say("\nWith --model ID and --file ID or --upload PATH one job would be run, after "
            "asking.")
        return
    ask(options)
    job_id = run(options)
    if not wait(job_id):
        stop(f"the job {job_id} did not succeed")
    download(job_id)
    open_with_the_driver(options, job_id)


if __name__ == "__main__":
    main()
