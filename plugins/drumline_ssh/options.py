"""The connection variables of the transport ``ssh``. They have Ansible's names."""

from __future__ import annotations

from drumline.plugin import Option

#: Options that hold arguments of ``ssh``, in the order in which they count.
ARGUMENTS = ("ssh_args", "ssh_common_args", "ssh_extra_args")
OPTIONS = (
    Option(name="host", help="Name or address to connect to, or a Host of ~/.ssh/config; by default the host's name."),
    Option(name="port", type=int, variables=("port", "ssh_port"), help="TCP port; by default 22."),
    Option(name="user", variables=("user", "ssh_user"), help="Login user; by default whoever runs drumline."),
    Option(
        name="password",
        secret=True,
        variables=("password", "ssh_pass", "ssh_password"),
        help="Password of the login user, tried after keys; it also answers the host's first hidden question.",
    ),
    Option(
        name="private_key_file",
        file=True,
        variables=("ssh_private_key_file", "private_key_file"),
        help="Private key to log in with; tried before the keys of ~/.ssh/config, the agent and ~/.ssh.",
    ),
    Option(
        name="private_key_passphrase",
        secret=True,
        variables=("ssh_private_key_passphrase", "private_key_passphrase"),
        help="Passphrase of the private key files.",
    ),
    Option(
        name="ssh_args",
        help="Arguments of the program ssh, such as '-J bastion'; those that can't be honoured are errors.",
    ),
    Option(name="ssh_common_args", help="More arguments of ssh; the first one that sets something counts."),
    Option(name="ssh_extra_args", help="More arguments of ssh."),
    Option(
        name="host_key_checking",
        variables=("host_key_checking", "ssh_host_key_checking"),
        help="strict (default), accept-new or off; true means strict, false off. A changed key is always refused.",
    ),
    Option(
        name="known_hosts_file",
        variables=("ssh_known_hosts_file",),
        help="File of known host keys; by default ~/.ssh/known_hosts and the system's.",
    ),
    Option(name="ssh_config_file", help="OpenSSH's client settings; by default ~/.ssh/config; 'none' for none."),
    Option(
        name="timeout",
        type=float,
        variables=("timeout", "ssh_timeout"),
        help="Seconds to wait for a connection, and for each answer until it is logged in; by default 10.",
    ),
    Option(
        name="keepalive",
        type=float,
        variables=("ssh_keepalive",),
        help="Seconds of silence after which the host is asked for a sign of life; by default 15, 0 for never. "
        "After three of them without one the connection counts as lost.",
    ),
    Option(
        name="shell_type",
        default="sh",
        help="What the login shell understands: sh. (PowerShell and cmd over SSH are not supported; use winrm.)",
    ),
)
