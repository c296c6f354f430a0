"""Writes ``vault.json``: what ansible-vault makes of a text with each kind of password.

Run it with a Python that has ansible-core (2.19 was used). The tests need no Ansible.
"""

import json
from pathlib import Path

from ansible.parsing.vault import VaultLib, VaultSecret

PASSWORD = "correct horse ü"
TEXT = "user: joe\npassword: 'battery staple {{ x }}'\nlast: ü\n"


def main() -> None:
    """Write the file."""
    secret = VaultSecret(PASSWORD.encode())
    library = VaultLib([("default", secret), ("prod", secret)])
    found = {
        "password": PASSWORD,
        "text": TEXT,
        "1.1": library.encrypt(TEXT.encode(), secret=secret).decode(),
        "1.2": library.encrypt(TEXT.encode(), secret=secret, vault_id="prod").decode(),
        "empty": library.encrypt(b"", secret=secret).decode(),
        "block": library.encrypt(b"0123456789abcdef", secret=secret).decode(),
    }
    target = Path(__file__).with_name("vault.json")
    target.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
