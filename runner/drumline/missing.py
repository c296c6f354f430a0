"""What is said of a Python package that isn't installed. Needs none itself: any of them may be the one."""

from __future__ import annotations

import sys

#: Packages whose modules have another name than they.
_PACKAGES = {"ahocorasick_rs": "ahocorasick-rs", "winrm": "pywinrm", "yaml": "PyYAML"}


def missing_package(error: BaseException) -> str | None:
    """Which package an import did not find, and how to install it; None for any other error."""
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return None
    module = error.name.partition(".")[0]
    if module in sys.stdlib_module_names or module.startswith("drumline"):
        return None
    package = _PACKAGES.get(module, module)
    return f"the Python package '{package}' is not installed. Install it: {sys.executable} -m pip install {package}"
