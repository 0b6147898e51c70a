"""A certificate authority of a test, and certificates that it signed; by openssl."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

OPENSSL = shutil.which("openssl")


def certificates(folder: Path) -> dict[str, str]:
    """``ca_file``, ``cert`` and ``key`` of an authority that nobody else has."""
    folder.mkdir(parents=True)

    def run(*words: str) -> None:
        subprocess.run([str(OPENSSL), *words], cwd=folder, check=True, capture_output=True)

    new = ("-newkey", "rsa:2048", "-nodes", "-days", "2")
    run("req", "-x509", *new, "-subj", "/CN=toy-ca", "-keyout", "ca.key", "-out", "ca.pem")
    run("req", *new[:3], "-subj", "/CN=toy", "-keyout", "key.pem", "-out", "cert.csr")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2")
    run("x509", "-req", "-in", "cert.csr", *signed, "-out", "cert.pem")
    files = {"ca_file": "ca.pem", "cert": "cert.pem", "key": "key.pem"}
    return {key: str(folder / name) for key, name in files.items()}


def dask_environment(files: dict[str, str]) -> dict[str, str]:
    """Variables with which schedulers and workers of Dask use them, and nothing but TLS."""
    comm = "DASK_DISTRIBUTED__COMM__"
    found = {
        f"{comm}DEFAULT_SCHEME": "tls",
        f"{comm}REQUIRE_ENCRYPTION": "true",
        f"{comm}TLS__CA_FILE": files["ca_file"],
    }
    for who in ("SCHEDULER", "WORKER", "CLIENT"):
        found[f"{comm}TLS__{who}__CERT"] = files["cert"]
        found[f"{comm}TLS__{who}__KEY"] = files["key"]
    return found
