"""The words that stand for true and false where a value has to be one of both, as Ansible reads them."""

TRUE = frozenset({"y", "yes", "on", "1", "true", "t"})
FALSE = frozenset({"n", "no", "off", "0", "false", "f"})
