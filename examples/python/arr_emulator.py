"""An emulator for tests: started on a free port with HTTPS, trusted by this process, and stopped at the end.

The program is $ARR_EMULATOR, or arr-emulator on the PATH.
"""

import json
import os
import ssl
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit


class ArrEmulator:
    """A running emulator. Further options of the program can be given, such as "--startup", "100ms"."""

    def __init__(self, *options):
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        ready_file, ca_file, self._log = folder / "ready.json", folder / "ca.pem", folder / "log.txt"
        program = os.environ.get("ARR_EMULATOR", "arr-emulator")
        listen = ["--listen", "127.0.0.1:0", "--tls", "--ca-file", ca_file, "--ready-file", ready_file]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen([program, *listen, *options], stdout=log, stderr=log)
        self._await(ready_file)
        ready = json.loads(ready_file.read_text())
        self.url, self.port = ready["url"], urlsplit(ready["url"]).port
        self.account_id, self.account_key = ready["account_id"], ready["account_key"]
        self.ca_file = ready["ca_file"]
        # The SDK's token clients take no options: requests reads the first variable, aiohttp the second when it is
        # imported, which should therefore be later than this.
        os.environ["REQUESTS_CA_BUNDLE"] = os.environ["SSL_CERT_FILE"] = self.ca_file
        os.environ["NO_PROXY"] = "127.0.0.1"
        self._tls = ssl.create_default_context(cafile=self.ca_file)

    def _await(self, ready_file, seconds=30):
        deadline = time.monotonic() + seconds
        while not ready_file.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"the emulator did not start: {self._log.read_text()}")
            time.sleep(0.01)

    def control(self, method, path, body=None):
        """A control call; `path` is below /emulator, such as /faults."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/emulator{path}", data, method=method)
        with urllib.request.urlopen(request, timeout=30, context=self._tls) as reply:
            text = reply.read()
        return json.loads(text) if text else None

    def advance(self, seconds):
        """Moves the emulator's clock, so that no test waits for a session to become ready or to expire."""
        self.control("POST", "/clock", {"advance_ms": int(seconds * 1000)})

    def stop(self):
        self._process.terminate()
        self._process.wait(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        self._folder.cleanup()
