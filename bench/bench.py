"""Measures the library that ships beside what an application would use instead, and writes docs/performance.md.

    python3 bench/bench.py LIBRARY EMULATOR FOLDER [--quick]

LIBRARY is libarr_session.so as packaged, FOLDER is for everything that is built and measured. Needs Linux and, as root on Debian,
installs its tools and peers. `cargo xtask bench` calls it. With --quick it takes one round, and does not touch the page.
"""

import argparse
import hashlib
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

import page

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / "bench"
PACKAGES = "gcc libcjson-dev libcurl4-openssl-dev mono-mcs mono-runtime nginx-light openssl python3-venv strace valgrind binutils".split()
FROM_PYPI = ["matplotlib==3.10.8", "-r", str(ROOT / "tests/python/requirements.txt")]

ACCOUNT = "11111111-2222-3333-4444-555555555555"
HOST = "7fe492ec-9ca8-4f4e-8d76-a18f5cb70c0d.remoterenderingvm.westeurope.mixedreality.azure.com"
# The recorded replies have as many entries' bytes, and tokens this long.
TOKEN_LENGTH = 1100


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("library", type=Path)
    options.add_argument("emulator", type=Path)
    options.add_argument("folder", type=Path)
    options.add_argument("--quick", action="store_true", help="one round; the page stays as it is")
    given = options.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    bench = Bench(given.library.resolve(), given.emulator.resolve(), given.folder.resolve(), 1 if given.quick else 9)
    try:
        figures = bench.measure()
    finally:
        bench.end()
    file = bench.folder / "figures.json"
    file.write_text(json.dumps(figures, indent=2) + "\n")
    print(page.as_text(figures))
    print(f"\nall figures: {file}")
    if not given.quick:
        # Plots need a package that only this Python has.
        call(bench.python, BENCH / "page.py", file, ROOT / "docs")


def say(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def call(*command, **options):
    """Runs a tool; its output counts only if it fails."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


class Bench:
    def __init__(self, library, emulator, folder, rounds):
        self.library, self.emulator_program, self.folder, self.rounds = library, emulator, folder, rounds
        self.children = []

    # -- what is needed

    def prepare(self):
        say("installing tools and peers")
        missing = [name for name in PACKAGES if subprocess.run(["dpkg", "-s", name], capture_output=True).returncode != 0]
        if missing:
            env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
            wait = ["-qq", "-o", "DPkg::Lock::Timeout=300"]
            call("apt-get", *wait, "update")
            call("apt-get", *wait, "install", "-y", "--no-install-recommends", *missing, env=env)
        self.python = self.folder / "venv/bin/python"
        if not self.python.exists():
            call(sys.executable, "-m", "venv", self.folder / "venv")
            call(self.python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *FROM_PYPI)
        say("building the programs")
        flags = ["-O2", "-Wall", "-Wextra", "-Werror"]
        # By both names: that of the linker and of Mono, and the one that programs record.
        library = self.library_folder = new_folder(self.folder / "library")
        for name in ("libarr_session.so", self.library.name):
            (library / name).symlink_to(self.library)
        self.ours, self.curl, self.system = (self.folder / name for name in ("ours", "curl", "system"))
        call("gcc", *flags, f"-I{ROOT}/include", "-o", self.ours, BENCH / "c/ours.c", f"-L{library}", "-larr_session",
             f"-Wl,-rpath,{library}")
        call("gcc", *flags, "-o", self.curl, BENCH / "c/curl.c", "-lcurl", "-lcjson")
        call("gcc", *flags, "-pthread", "-o", self.system, BENCH / "c/system.c")
        call("cargo", "build", "-q", "--release", "--locked", "--manifest-path", BENCH / "rust/Cargo.toml",
             "--target-dir", self.folder / "rust")
        self.peers = self.folder / "rust/release/peers"
        self.csharp = self.folder / "FrameCost.exe"
        call("mcs", "-unsafe", "-langversion:7.2", f"-out:{self.csharp}", *sorted((ROOT / "bindings/csharp").glob("*.cs")),
             BENCH / "FrameCost.cs")

    def start_servers(self):
        folder = self.folder / "nginx"
        folder.mkdir(exist_ok=True)
        self.authority, self.log = folder / "ca.pem", folder / "access.log"
        make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
        call(*make, "-keyout", folder / "ca.key", "-out", self.authority, "-subj", "/CN=bench authority")
        call(*make, "-keyout", folder / "server.key", "-out", folder / "server.pem", "-subj", "/CN=localhost",
             "-CA", self.authority, "-CAkey", folder / "ca.key", "-addext", "subjectAltName=IP:127.0.0.1",
             "-addext", "basicConstraints=critical,CA:FALSE")
        self.lists = {count: self.session_list(folder, count) for count in (1000, 10000)}
        self.answer_with_list(1000)
        port, starting = free_port(), free_port()
        text = (BENCH / "nginx.conf").read_text()
        for name, value in {"FOLDER": folder, "PORT": port, "STARTING": starting, "TOKEN": token(), "HOST": HOST}.items():
            text = text.replace(f"@{name}@", str(value))
        (folder / "nginx.conf").write_text(text)
        self.children.append(subprocess.Popen(["nginx", "-c", folder / "nginx.conf"], preexec_fn=more_files))
        self.nginx = self.environment(f"https://127.0.0.1:{port}", self.authority, 10000)
        self.starting = self.environment(f"https://127.0.0.1:{starting}", self.authority, 10000)

        ready = self.folder / "ready.json"
        ready.unlink(missing_ok=True)
        self.children.append(subprocess.Popen(
            [self.emulator_program, "--tls", "--listen", "127.0.0.1:0", "--ready-file", ready, "--startup", "200ms",
             "--account", f"{ACCOUNT}:key", "--ca-file", self.folder / "emulator-ca.pem"],
            stdout=subprocess.DEVNULL, preexec_fn=more_files))
        wait_for(ready.exists, "the emulator")
        url = json.loads(ready.read_text())["url"]
        self.emulator = self.environment(url, self.folder / "emulator-ca.pem", 50)
        wait_for(lambda: socket.create_connection(("127.0.0.1", port)).close() is None, "nginx")

    def session_list(self, folder, count):
        entries = [{"sessionElapsedTime": "00:00:10", "sessionHostname": HOST, "sessionId": str(uuid.UUID(int=number)),
                    "sessionMaxLeaseTime": "01:00:00", "sessionSize": "standard", "sessionStatus": "ready",
                    "arrInspectorPort": 50051, "handshakePort": 50052, "message": None} for number in range(count)]
        file = folder / f"list-{count}.json"
        file.write_text(json.dumps({"sessions": entries}, separators=(",", ":")))
        return file

    def answer_with_list(self, count):
        link = self.folder / "nginx/list.json"
        link.unlink(missing_ok=True)
        link.symlink_to(self.lists[count])

    @staticmethod
    def environment(url, authority, poll_ms):
        return dict(os.environ, ARR_ACCOUNT_ID=ACCOUNT, ARR_ACCOUNT_KEY="key", ARR_ACCOUNT_DOMAIN=url, ARR_SERVICE_ENDPOINT=url,
                    ARR_CA_FILE=str(authority), ARR_POLL_INTERVAL_MS=str(poll_ms), ARR_API_VERSION="v1", NO_PROXY="*")

    def end(self):
        for child in self.children:
            child.send_signal(signal.SIGTERM)
            child.wait()

    # -- running

    def run(self, environment, *command, around=()):
        """Runs a program; returns what it printed as numbers, and its CPU time in microseconds as `process_cpu_us`."""
        child = subprocess.Popen([str(word) for word in (*around, *command)], env=environment, stdout=subprocess.PIPE, text=True)
        output = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        if status != 0:
            sys.exit(f"{' '.join(map(str, command))} failed with {os.waitstatus_to_exitcode(status)}")
        child.returncode = 0
        figures = {name: float(value) for name, value in (line.split() for line in output.splitlines())}
        figures.setdefault("process_cpu_us", (usage.ru_utime + usage.ru_stime) * 1e6)
        return figures

    def watched_by(self, tool, pattern, *command):
        """The number that valgrind reports of a program."""
        done = subprocess.run(["valgrind", f"--tool={tool}", *([] if tool == "memcheck" else ["--callgrind-out-file=/dev/null"]),
                               *map(str, command)], env=self.nginx, capture_output=True, text=True)
        found = re.search(pattern, done.stderr)
        if done.returncode != 0 or not found:
            sys.exit(f"valgrind: {done.stderr}")
        return int(found[1].replace(",", ""))

    def per_call(self, tool, pattern, *command):
        """The difference between a few calls and many: without start-up and warm-up."""
        few, many = 50, 250
        return (self.watched_by(tool, pattern, *command, many) - self.watched_by(tool, pattern, *command, few)) / (many - few)

    def requests(self, action):
        """What an action's requests were: (connection, time, whether TLS was resumed, method, path)."""
        start = self.log.stat().st_size
        result = action()
        time.sleep(0.2)
        with self.log.open() as log:
            log.seek(start)
            return result, [line.split() for line in log]

    # -- measuring

    def measure(self):
        self.prepare()
        self.start_servers()
        rows = []
        say("counting instructions and allocations")
        rows.extend(self.counted_rows())
        say(f"{self.rounds} rounds, interleaved")
        rows.extend(self.timed_rows())
        say("idle rows and 10,000 watched sessions, side by side")
        rows.extend(self.long_rows())
        rows.extend(self.size_rows())
        return {"library_sha256": hashlib.sha256(self.library.read_bytes()).hexdigest(), "rounds": self.rounds,
                "date": time.strftime("%Y-%m-%d"), "rows": rows, "size_by_part": self.size_by_part()}

    def counted_rows(self):
        collected, allocated = r"Collected : (\d+)", r"total heap usage: ([\d,]+) allocs"
        programs = {"ours": [self.ours], "libcurl + cJSON": [self.curl], "reqwest::blocking": [self.peers, "reqwest"],
                    "ureq": [self.peers, "ureq"]}
        instructions = {name: self.per_call("callgrind", collected, *program, "calls") for name, program in programs.items()}
        allocations = {name: self.per_call("memcheck", allocated, *program, "calls") for name, program in programs.items()}
        yield row("properties call: instructions", instructions, 150_000)
        yield row("properties call: allocations", allocations, 75)
        trace = self.folder / "fsyncs"
        journal = new_folder(self.folder / "journal")
        self.run(self.nginx, self.ours, "journal", journal, 0, around=["strace", "-f", "-o", trace, "-e", "trace=fsync,fdatasync"])
        creates = len(re.findall(r"\bf(?:data)?sync\(", trace.read_text()))
        # One create warms up, 200 are measured; the first also synchronises the folder.
        yield row("create with a journal: fsyncs, beyond one for the folder", {"ours": (creates - 1) / 201}, 1)

    def timed_rows(self):
        runs = {}

        def add(name, who, value):
            runs.setdefault(name, {}).setdefault(who, []).append(value)

        for _ in range(self.rounds):
            for who, program in (("ours", [self.ours]), ("libcurl + cJSON", [self.curl]), ("reqwest::blocking", [self.peers, "reqwest"])):
                add("calls", who, self.run(self.nginx, *program, "calls", 1000)["cpu_us"])
            for who, program in (("ours", [self.ours]), ("libcurl + cJSON", [self.curl]), ("Python SDK", [self.python, BENCH / "sdk.py"])):
                add("lifecycle", who, self.run(self.emulator, *program, "lifecycle")["process_cpu_us"])
            for who, program in (("ours", [self.ours]), ("reqwest::blocking", [self.peers, "reqwest"])):
                figures, requests = self.requests(lambda program=program: self.run(self.nginx, *program, "opens", 1000))
                add("opens", who, figures["cpu_us"])
                add("connections", who, len({request[0] for request in requests if "/sessions/" in request[4]}))
            for count in self.lists:
                self.answer_with_list(count)
                for who, program in (("ours", self.ours), ("libcurl + cJSON", self.curl)):
                    add(f"list {count}", who, self.run(self.nginx, program, "lists", 20)["cpu_us"])
            self.answer_with_list(1000)
            add("first", "ours", self.run(self.nginx, self.ours, "first")["thread_us"])
            started = self.run(self.nginx, self.ours, "starts", 2000)
            add("start p50", "ours", started["p50_us"])
            add("start p99", "ours", started["p99_us"])
            woken = self.run(self.nginx, self.system, "wakes", 2000)
            add("start p50", "waking a thread", woken["p50_us"])
            add("start p99", "waking a thread", woken["p99_us"])
            frames = self.run(self.nginx, self.ours, "frames", 1_000_000)
            for name in ("poll", "next_event", "snapshot"):
                add(name, "ours", frames[f"{name}_ns"])
            csharp = self.run(dict(self.nginx, LD_LIBRARY_PATH=str(self.library_folder)), "mono", self.csharp)
            # Pump pulls events and log lines, and touches the sessions.
            add("C# snapshot", "ours", csharp["snapshot_ns"] - frames["snapshot_ns"])
            add("C# garbage", "ours", csharp["pump_collections"] + csharp["snapshot_collections"])
        medians = {name: {who: statistics.median(values) for who, values in by.items()} for name, by in runs.items()}
        yield row("properties call: CPU, µs", medians["calls"], None)
        yield row("1,000 opens started at once: connections", medians["connections"], 8)
        yield row("1,000 opens started at once: CPU, µs", medians["opens"], ("reqwest::blocking", 1.2))
        yield row("life cycle as a process: CPU, µs", medians["lifecycle"], ("libcurl + cJSON", 0.6))
        yield row("the same, against the Python SDK", medians["lifecycle"], ("Python SDK", 0.02))
        yield row("list of 1,000 sessions: CPU, µs", medians["list 1000"], ("libcurl + cJSON", 1.0))
        yield row("list of 10,000 sessions: CPU, µs", medians["list 10000"], ("libcurl + cJSON", 1.0))
        yield row("first call with the platform's trust store: caller's CPU, µs", medians["first"], 2000)
        yield row("`_start`: CPU p50, µs", medians["start p50"], 3)
        yield row("`_start`: CPU p99, µs", medians["start p99"], 5)
        yield row("`arr_operation_poll`, ns", medians["poll"], 50)
        yield row("`arr_client_next_event` without an event, ns", medians["next_event"], 50)
        yield row("`arr_session_snapshot`, ns", medians["snapshot"], 100)
        yield row("C# on Mono: snapshot, ns over C", medians["C# snapshot"], 100)
        yield row("C# on Mono: collections in 2,000,000 calls", medians["C# garbage"], 0)
        yield from self.journal_rows()
        memory = [self.run(self.nginx, self.ours, "memory", 1000) for _ in range(min(3, self.rounds))]
        for name, text, goal in (("client_kib", "memory of a client, KiB", 24), ("first_call_kib", "memory after its first call, KiB", 320),
                                 ("session_kib", "memory per watched session, KiB", 4)):
            yield row(text, {"ours": statistics.median(run[name] for run in memory)}, goal)

    def journal_rows(self):
        for sessions in (10, 1000, 10000):
            more, bare = [], []
            for _ in range(min(3, self.rounds)):
                without = self.run(self.nginx, self.ours, "journal", "-", sessions)["cpu_us"]
                journal = new_folder(self.folder / "journal")
                more.append(self.run(self.nginx, self.ours, "journal", journal, sessions)["cpu_us"] - without)
                bare.append(self.run(self.nginx, self.system, "appends", journal, 200)["cpu_us"])
            yield row(f"create with a journal of {sessions:,} sessions: CPU more than without, µs",
                      {"ours": statistics.median(more), "bare append and flush": statistics.median(bare)}, 100)

    def long_rows(self):
        """Rows that mostly wait, at the same time."""
        results = {}
        work = {
            "create after 6 s": lambda: self.run(self.nginx, self.ours, "idle", 6, "create"),
            "read after 62 s": lambda: self.run(self.nginx, self.ours, "idle", 62, "read"),
            "asleep": lambda: self.run(self.nginx, self.ours, "sleeps", 60),
        }

        def measure(name):
            results[name] = [work[name]() for _ in range(min(3, self.rounds))]

        threads = [threading.Thread(target=measure, args=[name]) for name in work]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        watched, requests = self.requests(lambda: self.run(self.starting, self.ours, "watched", 10000, 40))
        yield row("create 6 s after the last reply: CPU, µs", {"ours": median(results["create after 6 s"], "cpu_us")}, 1200)
        yield row("read 62 s after the last reply: CPU, µs", {"ours": median(results["read after 62 s"], "cpu_us")}, 1200)
        # A watched ready session is listed every 30 s: two polls in a minute, each a driver's wake-up and a request.
        yield row("wake-ups in 60 idle seconds, two polls included", {"ours": median(results["asleep"], "wakeups")}, 20)
        reads = {}
        for _, moment, _, _, path in requests:
            if path.endswith("/properties"):
                reads.setdefault(path, []).append(float(moment))
        # Each is opened by its first read. When all are, they are only watched.
        begin, end = max(times[0] for times in reads.values()), max(times[-1] for times in reads.values())
        polls = [[begin, *(time for time in times if time > begin), end] for times in reads.values()]
        gaps = [later - earlier for times in polls for earlier, later in zip(times, times[1:])]
        yield row("10,000 watched sessions: longest time between reads, s", {"ours": max(gaps)}, 12)
        count = sum(len(times) - 2 for times in polls)
        yield row("10,000 watched sessions: driver's CPU per read, µs", {"ours": watched["driver_us"] / count}, 20)

    def size_rows(self):
        yield row("stripped library, bytes", {"ours": self.library.stat().st_size}, 2_883_584)

    def size_by_part(self):
        """Bytes of the shipped library by section: without symbols, no finer parts can be distinguished."""
        sections = call("size", "-A", "-d", self.library).splitlines()[2:]
        sizes = {words[0]: int(words[1]) for words in map(str.split, sections) if len(words) == 3 and int(words[2]) > 0}
        return dict(sorted(sizes.items(), key=lambda item: -item[1]))


def row(name, figures, goal):
    """A goal is a limit of our figure, or of its ratio to a peer's."""
    ours = figures["ours"]
    peers = {who: value for who, value in figures.items() if who != "ours"}
    if isinstance(goal, tuple):
        peer, limit = goal
        return {"name": name, "ours": ours, "peers": {peer: peers[peer]}, "ratio": ours / peers[peer], "goal": f"≤ {limit} × {peer}",
                "met": ours / peers[peer] <= limit}
    return {"name": name, "ours": ours, "peers": peers, "goal": None if goal is None else f"≤ {goal:,}",
            "met": None if goal is None else ours <= goal}


def median(runs, name):
    return statistics.median(run[name] for run in runs)


def token():
    """A token that no one signed, with the length of a real one."""
    def part(value):
        return urlsafe_b64encode(value.encode()).rstrip(b"=").decode()
    text = f"{part(json.dumps({'alg': 'RS256', 'typ': 'JWT'}))}.{part(json.dumps({'exp': int(time.time()) + 86400}))}."
    return text + "s" * (TOKEN_LENGTH - len(text))


def new_folder(path):
    call("rm", "-rf", path)
    path.mkdir()
    return path


def more_files():
    import resource
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def wait_for(condition, what):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except OSError:
            pass
        time.sleep(0.05)
    sys.exit(f"{what} did not start within 30 s")


if __name__ == "__main__":
    main()
