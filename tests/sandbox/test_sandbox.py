"""The sandbox service by itself: what the description of the service says, word for
word, and the faults that it has on demand."""
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import threading

import pytest

from programs import AREA, SCENE, Sandbox
from sandbox_client import BOUNDARY, Client, form


@pytest.mark.parametrize("method,path,status,message", [
    ("GET", "/inference/status?inferenceId=nobody", 404, "Inference Job not found"),
    ("GET", "/inference/status", 404, "Inference Job not found"),
    ("GET", "/inference/download", 400, "InferenceJob id cannot be null or empty"),
    ("GET", "/inference/download?inferenceJobId=", 400,
     "InferenceJob id cannot be null or empty"),
    ("GET", "/inference/download?inferenceJobId=nobody", 404, "Inference Job not found"),
    ("GET", "/inference/nothing", 404, "No such endpoint"),
    ("GET", "/inference/run", 405, "Method not allowed"),
])
def test_errors_have_the_words_of_the_description(client, method, path, status, message):
    got, fields = client.call_json(method, path)
    assert (got, fields["message"]) == (status, message)


@pytest.mark.parametrize("fields,status,message", [
    ({"modelId": "water"}, 400, "modelId and fileId are required"),
    ({"modelId": "water", "fileId": "nothing.tif"}, 404, "File not found"),
    ({"modelId": "water", "fileId": "../README.md"}, 404, "File not found"),
    ({"modelId": "nothing", "fileId": SCENE}, 404, "Model not found"),
    ({"modelId": "water", "fileId": SCENE, "geometry": "POLYGON((1"}, 400,
     "geometry is not valid WKT"),
])
def test_run_is_refused_with_the_reason(client, sandbox, fields, status, message):
    got, fields = client.call_json("POST", "/inference/run", form(**fields))
    assert (got, fields["message"]) == (status, message)
    assert not list((sandbox.state / "jobs").iterdir())


def test_every_call_needs_a_key(client):
    for key in (None, "wrong"):
        for path in ("/inference/models", "/inference/status?inferenceId=x"):
            status, fields = client.call_json("GET", path, key=key)
            assert (status, fields["message"]) == (401, "Unauthorized Request")


def test_key_is_sandbox_where_none_is_given(tmp_path):
    sandbox = Sandbox(tmp_path / "sandbox", key=None)
    try:
        client = Client(sandbox.url)
        assert client.call("GET", "/inference/models", key="sandbox").status == 200
        assert client.call("GET", "/inference/models").status == 401
    finally:
        sandbox.stop()


def test_bearer_token_is_a_key_too(tmp_path):
    sandbox = Sandbox(tmp_path / "sandbox", "--bearer-token", "t0ken")
    try:
        client = Client(sandbox.url)
        assert client.call("GET", "/inference/models", key=None,
                           Authorization="Bearer t0ken").status == 200
        assert client.call("GET", "/inference/models", key=None,
                           Authorization="Bearer other").status == 401
    finally:
        sandbox.stop()


def test_paths_work_without_public(client):
    assert client.call("GET", "/inference/models", prefix="").status == 200


def test_job_goes_through_its_states_and_gives_a_file(client):
    job = client.run(geometry=AREA)
    early = client.call_json("GET", f"/inference/download?inferenceJobId={job}")
    assert early == (409, {"status": 409, "error": "Conflict",
                           "message": "Inference Job is not completed"})
    seen = client.wait(job)
    assert seen[-2:] == ["RUNNING", "COMPLETED"]
    order = ["SUBMITTED", "PENDING", "RUNNING", "COMPLETED"]
    assert seen == [state for state in order if state in seen]
    fields = client.status(job)
    assert set(fields) == {"id", "status", "type", "startedAt"}
    response = client.call("GET", f"/inference/download?inferenceJobId={job}")
    assert response.getheader("Transfer-Encoding") == "chunked"
    assert response.getheader("Content-Length") is None
    assert response.getheader("Content-Type") == "application/octet-stream"
    assert response.getheader("Content-Disposition") == "attachment; filename=water.gpkg"
    assert response.content[:15] == b"SQLite format 3"


def test_area_of_many_points_reaches_the_model(client):
    bottom = ",".join(f"{-34.89 + 0.05 * i / 200000:.15f} -8.03" for i in range(200001))
    area = f"POLYGON(({bottom},-34.84 -7.99,-34.89 -7.99,-34.89 -8.03))"
    assert len(area) > 4 * 1024 * 1024
    assert client.wait(client.run(geometry=area))[-1] == "COMPLETED"


def test_job_fails_for_real(client):
    job = client.run(model="hulls")
    assert client.wait(job)[-1] == "FAILED"
    assert "needs a vector file" in client.status(job)["message"]


def test_models_are_all_runnable(client):
    _, models = client.call_json("GET", "/inference/models")
    assert {m["id"] for m in models} == {"water", "ndvi", "contours", "segments", "hulls"}
    for model in models:
        file = "parcels.geojson" if model["type"] == "VECTOR" else SCENE
        assert client.wait(client.run(model["id"], file))[-1] == "COMPLETED"


def test_model_that_waits_is_offered_on_demand_only(client):
    fields = form(modelId="wait", fileId=SCENE)
    got, fields = client.call_json("POST", "/inference/run", fields)
    assert (got, fields["message"]) == (404, "Model not found")


def test_hundreds_of_jobs_wait_at_once(tmp_path):
    sandbox = Sandbox(tmp_path / "sandbox", "--offer-wait", "--job-seconds", "86400")
    try:
        client = Client(sandbox.url)
        _, models = client.call_json("GET", "/inference/models")
        assert models[-1]["id"] == "wait" and len(models) == 6
        jobs = [client.run("wait", geometry=AREA) for _ in range(200)]
        assert {client.status(job)["status"] for job in jobs} == {"SUBMITTED"}
        sandbox.stop()
        sandbox.options = (*sandbox.options, "--job-seconds", "0")
        sandbox.start()
        client = Client(sandbox.url)
        assert {client.status(job)["status"] for job in jobs} == {"COMPLETED"}
        result = client.call("GET", f"/inference/download?inferenceJobId={jobs[199]}")
        feature = json.loads(result.content)["features"][0]
        assert feature["geometry"]["type"] == "Polygon"
        assert list((sandbox.state / "jobs" / jobs[0] / "result").iterdir()) == [
            sandbox.state / "jobs" / jobs[0] / "result" / "wait.geojson"]
    finally:
        sandbox.stop()


def test_upload_gives_an_id_that_runs(client):
    body = (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; '
            'filename="../my parcels.geojson"\r\n\r\n').encode()
    body += (pathlib.Path(os.environ["GIQ_TEST_DATA"]) / "parcels.geojson").read_bytes()
    body += f"\r\n--{BOUNDARY}--\r\n".encode()
    status, fields = client.call_json("POST", "/file/upload?sourceType=POLYGON", body)
    assert status == 200 and fields["sourceType"] == "POLYGON"
    assert fields["originalName"].endswith("my parcels.geojson")
    assert client.wait(client.run("hulls", fields["fileId"]))[-1] == "COMPLETED"
    status, fields = client.call_json("POST", "/file/upload?sourceType=NONSENSE", body)
    assert status == 400
    status, fields = client.call_json("POST", "/file/upload", form(other="x"))
    assert status == 400


def test_upload_beyond_the_limit_is_refused_and_leaves_nothing(client, sandbox):
    head = (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; '
            'filename="big"\r\n\r\n').encode()
    tail = f"\r\n--{BOUNDARY}--\r\n".encode()

    def body(size):
        yield head
        for _ in range(size // 1000000):
            yield b"x" * 1000000
        yield tail
    length = str(len(head) + 101000000 + len(tail))
    content = f"multipart/form-data; boundary={BOUNDARY}"
    response = client.call("POST", "/file/upload", body(101000000),
                         **{"Content-Length": length, "Content-Type": content})
    assert response.status == 413
    assert not list((sandbox.state / "uploads").iterdir())


def test_journal_has_a_line_for_each_request_and_no_secret(client, sandbox):
    job = client.run(geometry=AREA)
    client.status(job)
    client.call("GET", "/inference/models", key="wrong-s3cret")
    run, status, models = sandbox.journal()
    assert run["method"] == "POST" and run["path"] == "/inference/run"
    assert run["form"] == {"modelId": "water", "fileId": SCENE, "geometry": AREA}
    assert run["job"] == job and run["status"] == 200
    assert status["query"] == {"inferenceId": job} and status["job"] == job
    assert models["status"] == 401 and models["headers"]["x-api-key"] == "present"
    assert [e["n"] for e in (run, status, models)] == [1, 2, 3]
    assert "s3cret" not in (sandbox.state / "journal.jsonl").read_text()


def test_restart_knows_its_jobs_and_ends_those_that_were_interrupted(sandbox, client):
    done = client.run()
    client.wait(done)
    cut = client.run(model="segments")
    sandbox.process.kill()
    sandbox.stop()
    sandbox.start()
    again = Client(sandbox.url)
    assert again.status(done)["status"] == "COMPLETED"
    assert again.wait(cut)[-1] == "COMPLETED"
    assert [e["n"] for e in sandbox.journal()] == list(
        range(1, len(sandbox.journal()) + 1))


def test_signal_ends_it_and_no_worker_is_left(sandbox, client):
    for _ in range(4):
        client.run(model="segments")
    sandbox.process.send_signal(signal.SIGTERM)
    assert sandbox.process.wait(timeout=20) == 0
    found = subprocess.run(["pgrep", "-f", f"--work {sandbox.state}"], check=False,
                           stdout=subprocess.PIPE)
    assert found.stdout == b""


def test_many_clients_at_once(client, sandbox):
    jobs = []
    threads = [threading.Thread(target=lambda: jobs.append(client.run(model="ndvi")))
               for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(jobs)) == 20 and len(sandbox.runs()) == 20
    assert all(client.wait(job)[-1] == "COMPLETED" for job in jobs)


@pytest.mark.parametrize("options,words", [
    ([], "--files and --state are needed"),
    (["--port", "x"], "--port is a number"),
    (["--job-seconds", "-1"], "--job-seconds is a number"),
    (["--workers", "0"], "--workers is a number from 1 to 256"),
    (["--workers", "257"], "--workers is a number from 1 to 256"),
    (["--stac-items", "nan"], "--stac-items is a number"),
    (["--data-port", "65536"], "--data-port is a number"),
    (["--fault", "run:nonsense"], "fault cannot be read"),
    (["--fault", "run:status"], "fault cannot be read"),
    (["--fault", "walk:lost"], "fault cannot be read"),
    (["--fault", "search:odd=strange"], "fault cannot be read"),
    (["--nonsense"], "unknown"),
])
def test_wrong_options_are_refused(options, words):
    done = subprocess.run([os.environ["GIQ_SANDBOX"], *options], check=False,
                          stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2 and words in done.stderr


def test_help_and_version():
    for option in ("--help", "--version"):
        done = subprocess.run([os.environ["GIQ_SANDBOX"], option], check=True,
                              stdout=subprocess.PIPE, text=True)
        assert "giq_sandbox" in done.stdout


def test_bytes_that_are_no_request_harm_nothing(client):
    for rubbish in (b"\0" * 1000, b"GET\r\n\r\n", b"POST /public/inference/run HTTP/1.1\r\n"
                    b"Content-Length: 99999999999999999999\r\n\r\n", b"\xff" * 70000):
        with socket.create_connection(client.parts.netloc.split(":")) as raw:
            raw.sendall(rubbish)
            raw.shutdown(socket.SHUT_WR)
    assert client.call("GET", "/inference/models").status == 200


def dropped(client, method, path, body=None):
    """Whether the connection was closed without a response."""
    try:
        client.call(method, path, body)
    except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError,
            http.client.IncompleteRead):
        return True
    return False


def test_faults_befall_the_requests_that_they_name(client, sandbox):
    body = form(modelId="ndvi", fileId=SCENE)
    assert client.faults("run:status=503,retry-after=7@1", "run:status=429@2",
                         "run:lost@3", "run:reset-before@4", "run:reset-after@5") == 200
    response = client.call("POST", "/inference/run", body)
    assert (response.status, response.getheader("Retry-After")) == (503, "7")
    response = client.call("POST", "/inference/run", body)
    assert (response.status, response.getheader("Retry-After")) == (429, None)
    for _ in range(3):
        assert dropped(client, "POST", "/inference/run", body)
    client.run("ndvi")
    runs = sandbox.runs()
    assert [run["status"] for run in runs] == [503, 429, 0, 0, 0, 200]
    assert [run["job"] is not None for run in runs] == [False] * 2 + [True, False, False,
                                                                      True]


def test_faults_of_status_and_download(client):
    job = client.run("ndvi")
    client.wait(job)
    path = f"/inference/download?inferenceJobId={job}"
    assert client.faults("status:status=404@1-2", "status:state=PONDERING@3",
                         "status:body={\"no\":1}@4", "download:cut=100@1",
                         "download:status=404@2", "status:late=0.2@5") == 200
    codes = [client.call("GET", f"/inference/status?inferenceId={job}").status
             for _ in range(2)]
    assert codes == [404, 404]
    assert client.status(job)["status"] == "PONDERING"
    assert client.status(job) == {"no": 1}
    assert client.status(job)["status"] == "COMPLETED"
    assert dropped(client, "GET", path)
    assert client.call("GET", path).status == 404
    assert client.call("GET", path).status == 200


def test_hanging_call_ends_with_its_client_or_the_server(client, sandbox):
    assert client.faults("models:hang") == 200
    raw = socket.create_connection(client.parts.netloc.split(":"))
    raw.sendall(b"GET /inference/models HTTP/1.1\r\nHost: x\r\n\r\n")
    raw.close()
    assert client.faults() == 200
    assert client.call("GET", "/inference/models").status == 200
    assert client.faults("models:hang") == 200
    raw = socket.create_connection(client.parts.netloc.split(":"))
    raw.sendall(b"GET /inference/models HTTP/1.1\r\nHost: x\r\n\r\n")
    sandbox.process.send_signal(signal.SIGTERM)
    assert sandbox.process.wait(timeout=20) == 0
    raw.close()


def test_faults_that_cannot_be_read_change_nothing(client):
    assert client.faults("models:status=500") == 200
    for wrong in ("x", {"a": 1}, 7):
        assert client.faults(wrong) == 400
    assert client.call("GET", "/inference/models").status == 500
