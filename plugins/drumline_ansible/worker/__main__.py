"""The process that has Ansible: started by path, with a Python that has ansible-core, and the number of a socket.

That Python need not have drumline, so the package is made known without its ``__init__``, which imports drumline.
"""

import sys
import types
from pathlib import Path

_package = types.ModuleType("drumline_ansible")
_package.__path__ = [str(Path(__file__).parent.parent)]
sys.modules["drumline_ansible"] = _package
# A script's own directory would hide modules of the same names.
sys.path.pop(0)

from drumline_ansible.worker.serving import serve  # noqa: E402

serve(int(sys.argv[1]))
