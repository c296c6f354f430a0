"""A WS-Management server: what the practice fleet's Windows hosts answer with, and what tests talk to.

Text shells over HTTP and HTTPS, with NTLM, CredSSP and Basic, message encryption, and the faults and quotas of real
hosts. One thread serves each connection, and one each running command.
"""

from drumline_lab.wsman.backends import START_PATIENCE, Backend, PowerShell, Sh, Windows, find_backend
from drumline_lab.wsman.certificates import self_signed
from drumline_lab.wsman.connection import Dropped
from drumline_lab.wsman.faults import Fault
from drumline_lab.wsman.process import Canned
from drumline_lab.wsman.server import Exchange, WsmanServer
from drumline_lab.wsman.settings import Settings, Tls

__all__ = [
    "START_PATIENCE",
    "Backend",
    "Canned",
    "Dropped",
    "Exchange",
    "Fault",
    "PowerShell",
    "Settings",
    "Sh",
    "Tls",
    "Windows",
    "WsmanServer",
    "find_backend",
    "self_signed",
]
