"""The examples for other people's tests, run as their readers run them."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"


class Examples(unittest.TestCase):
    def test_the_pytest_fixtures_work(self):
        pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", EXAMPLES / "python"]
        environment = {name: value for name, value in os.environ.items() if not name.endswith(("_BUNDLE", "CERT_FILE"))}
        done = subprocess.run(pytest, env=environment, capture_output=True, text=True, timeout=100)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("3 passed", done.stdout)

    # Without network access, the C# tests have no .NET 8.
    @unittest.skipUnless("ARR_DOTNET" in os.environ, "there is no .NET")
    def test_the_nunit_fixture_works(self):
        """With .NET 8 and Roslyn, which ARR_DOTNET and ARR_ROSLYN name, and a stand-in for NUnit."""
        dotnet = Path(os.environ["ARR_DOTNET"])
        [framework] = (dotnet.parent / "shared/Microsoft.NETCore.App").iterdir()
        references = [path for path in framework.glob("*.dll") if path.name.startswith(("System", "mscorlib"))]
        sources = [*(EXAMPLES / "csharp/nunit").glob("*.cs"), *(ROOT / "tests/csharp/nunit").glob("*.cs")]
        with tempfile.TemporaryDirectory() as folder:
            program, arguments = Path(folder, "Example.exe"), Path(folder, "arguments")
            options = ["-nologo", "-nostdlib", "-noconfig", "-warnaserror+", "-langversion:9", f"-out:{program}"]
            options += [f"-r:{path}" for path in references if ".Native." not in path.name]
            arguments.write_text("\n".join([*options, *map(str, sources)]))
            version = {"name": "Microsoft.NETCore.App", "version": "8.0.0"}
            settings = {"tfm": "net8.0", "framework": version, "configProperties": {"System.Globalization.Invariant": True}}
            runtime = Path(folder, "runtime.json")
            runtime.write_text(json.dumps({"runtimeOptions": settings}))
            for command in ([os.environ["ARR_ROSLYN"], arguments], [program]):
                run = [dotnet, "exec", "--runtimeconfig", runtime, *command]
                done = subprocess.run(run, capture_output=True, text=True, timeout=100)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("1 passed", done.stdout)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "there is no systemd-analyze")
    def test_the_systemd_unit_is_valid(self):
        with tempfile.TemporaryDirectory() as folder:
            unit = Path(folder, "arr-emulator.service")
            text = (EXAMPLES / "emulator" / unit.name).read_text()
            # It must exist.
            unit.write_text(text.replace("/usr/local/bin/arr-emulator", os.environ["ARR_EMULATOR"]))
            verify = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit]
            done = subprocess.run(verify, capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_unit_and_container_use_existing_options(self):
        help_text = subprocess.run([os.environ["ARR_EMULATOR"], "--help"], capture_output=True, text=True, timeout=60)
        for name, start in (("arr-emulator.service", "ExecStart="), ("Dockerfile", "ENTRYPOINT"), ("Dockerfile", "CMD")):
            lines = (EXAMPLES / "emulator" / name).read_text().splitlines()
            [line] = [line for line in lines if line.startswith(start)]
            options = re.findall(r"--[a-z-]+", line)
            self.assertTrue(options)
            self.assertEqual([option for option in options if option + " " not in help_text.stdout + " "], [], name)
