"""Files of trusted authorities, looked at before anything is sent: a wrong path is no lost connection."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from drumline.plugin import OptionInvalid

#: What requests reads where no file is named, in this order.
_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def authorities(host: str, named: str | None) -> str | None:
    """The file or directory of a host's authorities, its ``~`` expanded; None for those of requests.

    Raises ``OptionInvalid`` where it isn't there or holds no certificate.
    """
    variable = next((name for name in _VARIABLES if os.environ.get(name)), None)
    path, place = (named, f"winrm_ca_trust_path of {host}")
    if not path and variable is not None:
        path, place = os.environ[variable], f"The environment variable {variable}"
    if not path:
        return None
    path = os.path.expanduser(path)
    if not Path(path).exists():
        raise OptionInvalid("No file of authorities", f"{place} says '{path}', and there is no such file or directory.")
    said = _wrong_with(path)
    if said:
        raise OptionInvalid(
            "No certificates in the file of authorities", f"{place} says '{path}': {said}. It must be PEM."
        )
    return path if named else None


@lru_cache(maxsize=64)
def _wrong_with(path: str) -> str:
    """Why a file has no certificates of authorities, or ``""``. Of a directory, OpenSSL is the judge."""
    import ssl

    if os.path.isdir(path):
        return ""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError as error:
        return error.reason or "OpenSSL can't read it"
    except OSError as error:
        return error.strerror or str(error)
    return ""
