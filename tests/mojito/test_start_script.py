"""The start script makes its environment anew when packages change, wherever Python comes from."""

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def start(folder, *before):
    path = os.pathsep.join([*map(str, before), str(folder / "tools"), os.environ["PATH"]])
    environment = {k: v for k, v in os.environ.items() if k != "MOJITO_PYTHON"} | {"PATH": path}
    return subprocess.run(
        [folder / "mojito"], env=environment, capture_output=True, text=True, check=False
    )


def test_an_activated_environment_is_made_anew_too(tmp_path):
    shutil.copy(ROOT / "mojito", tmp_path)
    (tmp_path / "tools").mkdir()
    installer = tmp_path / "tools" / "uv"
    installer.write_text("#!/bin/sh\nexit 0\n")
    installer.chmod(0o755)
    for name in ("requirements.txt", "requirements.dev.txt", "pyproject.toml"):
        (tmp_path / name).write_text("")
    program = tmp_path / "cmd" / "mojito" / "__main__.py"
    program.parent.mkdir(parents=True)
    program.write_text("print('started')\n")

    first = start(tmp_path)
    (tmp_path / "requirements.txt").write_text("# another release\n")
    second = start(tmp_path, tmp_path / ".venv" / "bin")

    assert first.stdout == "started\n", first.stderr
    assert "preparing" in second.stderr
    assert second.stdout == "started\n", second.stderr
