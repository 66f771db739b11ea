"""Installs packages into a virtual environment, once for all test processes.

Arguments: the directory of the environment, the packages. Exit status 0: they are there; otherwise stderr says what is missing.
"""

import fcntl
import os
import shutil
import subprocess
import sys

directory, *packages = sys.argv[1:]
done = os.path.join(directory, "installed")


def run(*command):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return None if result.returncode == 0 else " | ".join(result.stdout.strip().split("\n")[-2:])


os.makedirs(os.path.dirname(directory), exist_ok=True)
with open(directory + ".lock", "w") as lock:
    # The system lets go of the lock when its process ends, however it ends.
    fcntl.flock(lock, fcntl.LOCK_EX)
    if not os.path.exists(done):
        shutil.rmtree(directory, ignore_errors=True)
        fault = run(sys.executable, "-m", "venv", directory)
        if fault:
            sys.exit("python3 has no working module venv (on Debian: the package python3-venv): " + fault)
        pip = os.path.join(directory, "bin", "pip")
        options = ["--quiet", "--disable-pip-version-check", "--retries", "2", "--timeout", "20"]
        fault = run(pip, "install", *options, *packages)
        if fault:
            sys.exit("pip can not install " + " and ".join(packages) + " from the package index: " + fault)
        open(done, "w").close()
