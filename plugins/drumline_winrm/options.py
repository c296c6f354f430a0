"""The connection variables of ``winrm``, by Ansible's names, and what they mean for pywinrm."""

from __future__ import annotations

import contextlib
import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from drumline.plugin import Option, OptionInvalid, Secret, Target
from drumline_winrm import logins
from drumline_winrm.logins import Account
from drumline_winrm.trust import authorities

if TYPE_CHECKING:
    from drumline_winrm.tickets import Ticket

OPTIONS = (
    Option(name="host", help="Name or address; by default the host's name in the inventory."),
    Option(name="port", type=int, help="TCP port; by default 5986 with https, 5985 with http."),
    Option(name="user", variables=("user", "winrm_user"), help="User name: name, DOMAIN\\name or name@REALM."),
    Option(
        name="password",
        variables=("password", "winrm_password", "winrm_pass"),
        secret=True,
        help="The user's password.",
    ),
    Option(
        name="transport",
        variables=("winrm_transport",),
        type=tuple,
        help="How to log in: basic, ntlm, kerberos, credssp or certificate, or several with commas, of which the "
        "first is used for which packages are here; after kerberos also the next when there is no ticket to be had. By "
        "default kerberos, then ntlm, for name@REALM; else ntlm.",
    ),
    Option(
        name="scheme",
        variables=("winrm_scheme",),
        choices=("http", "https"),
        help="http or https; by default http for port 5985, https for any other given port, else http.",
    ),
    Option(name="path", variables=("winrm_path",), default="wsman", help="Path of the service."),
    Option(
        name="cert_validation",
        variables=("winrm_server_cert_validation",),
        default="validate",
        choices=("validate", "ignore"),
        help="Whether the host's TLS certificate must be trusted.",
    ),
    Option(
        name="ca_trust_path",
        variables=("winrm_ca_trust_path",),
        help="File or directory of trusted authorities (PEM); by default REQUESTS_CA_BUNDLE or those of requests.",
    ),
    Option(name="cert_pem", variables=("winrm_cert_pem",), help="File of the client's certificate, for certificate."),
    Option(name="cert_key", variables=("winrm_cert_key_pem",), help="File of the certificate's key."),
    Option(
        name="encryption",
        variables=("winrm_message_encryption",),
        choices=("auto", "always", "never"),
        help="Encryption of messages; by default always over http, and only that of https otherwise.",
    ),
    Option(
        name="allow_unencrypted",
        variables=("winrm_allow_unencrypted",),
        type=bool,
        default=False,
        help="Allow messages, and with basic the password, to be sent in clear over http.",
    ),
    Option(
        name="operation_timeout",
        variables=("winrm_operation_timeout_sec",),
        type=float,
        default=20.0,
        help="Seconds that the host may take to answer one request; commands may run longer.",
    ),
    Option(
        name="read_timeout",
        variables=("winrm_read_timeout_sec",),
        type=float,
        help="Seconds without an answer until the connection counts as lost; by default 10 more than the previous.",
    ),
    Option(
        name="connect_timeout",
        variables=("winrm_connection_timeout",),
        type=float,
        default=10.0,
        help="Seconds to wait for the host to accept a connection.",
    ),
    Option(
        name="kerberos_delegation",
        variables=("winrm_kerberos_delegation",),
        type=bool,
        default=False,
        help="Let the host use the ticket to reach other hosts; kinit then gets a forwardable one.",
    ),
    Option(
        name="kerberos_hostname",
        variables=("winrm_kerberos_hostname_override",),
        help="Name of the host in Kerberos, if it differs from the address of the connection.",
    ),
    Option(
        name="kinit_mode",
        variables=("winrm_kinit_mode",),
        choices=("managed", "manual"),
        help="managed: get a ticket with the password; manual: use an existing one. By default managed if "
        "there is a password.",
    ),
    Option(name="kinit_cmd", variables=("winrm_kinit_cmd",), default="kinit", help="Program that gets tickets."),
    Option(
        name="kinit_args",
        variables=("winrm_kinit_args",),
        help="Arguments for kinit, instead of -f for a ticket that can be delegated.",
    ),
    Option(
        name="kinit_env_vars",
        variables=("winrm_kinit_env_vars",),
        type=tuple,
        help="Environment variables that kinit gets in addition to PATH and KRB5_CONFIG.",
    ),
    Option(name="service", variables=("winrm_service",), default="HTTP", help="Name of the service in Kerberos."),
    Option(
        name="send_cbt",
        variables=("winrm_send_cbt",),
        type=bool,
        default=True,
        help="Bind the login to the TLS connection.",
    ),
    Option(
        name="proxy",
        variables=("winrm_proxy",),
        help="URL of an HTTP proxy; by default none, even if the environment names one.",
    ),
    Option(
        name="shell",
        variables=("winrm_shell",),
        default="powershell",
        help="The PowerShell that is kept warm: powershell (Windows PowerShell), pwsh (PowerShell 7), or a path.",
    ),
    Option(
        name="max_operations",
        variables=("winrm_max_operations",),
        type=int,
        default=1400,
        help="Commands started in one shell until it is renewed; Windows' quota is 1500 for each user.",
    ),
)


class WinrmSettings(Struct, frozen=True, kw_only=True):
    """How one host is reached: checked, with nothing left to default."""

    name: str  #: What messages call the host.
    url: str
    authentication: str
    user: str
    password: Secret
    encryption: str
    validate: bool
    ca_trust_path: str | None
    cert_pem: str | None
    cert_key: str | None
    operation_timeout: float  #: seconds
    read_timeout: float  #: seconds
    connect_timeout: float  #: seconds
    kerberos_delegation: bool
    kerberos_hostname: str | None
    service: str
    send_cbt: bool
    proxy: str | None
    shell: str
    max_operations: int
    account: Account | None = None  #: Whose ticket the password is to get; None to use the one that is there.
    ticket: Ticket | None = None  #: That ticket.
    otherwise: WinrmSettings | None = None  #: How to log in when there is no ticket to be had.

    @property
    def encrypted(self) -> bool:
        """Whether messages are sealed within HTTP."""
        return self.encryption == "always"


def read(target: Target) -> WinrmSettings:
    """The settings of one host, or ``OptionInvalid`` or ``PackageMissing`` with what to do."""
    first, *rest = logins.ways(target)
    settings = _read(target, first)
    if first != "kerberos":
        return settings
    for other in rest:
        with contextlib.suppress(OptionInvalid):  # Where it can't be used either, there may be a third.
            return replace(settings, otherwise=_read(target, other))
    return settings


def _read(target: Target, authentication: str) -> WinrmSettings:
    scheme = _scheme(target)
    _check_login(target, authentication)
    operation, connect = float(target["operation_timeout"]), float(target["connect_timeout"])
    reading = float(target["read_timeout"] or operation + 10)
    if not 1 <= operation < reading or connect <= 0:
        raise OptionInvalid(
            "Time-outs that can't be kept",
            f"winrm_operation_timeout_sec is {operation:g} and winrm_read_timeout_sec {reading:g} for {target.host}; "
            "the first must be at least 1, the second larger, and winrm_connection_timeout above 0.",
        )
    return WinrmSettings(
        name=target.host,
        url=_url(target, scheme),
        authentication=authentication,
        user=target["user"] or "",
        password=target["password"] or Secret(""),
        encryption=_encryption(target, scheme, authentication),
        validate=target["cert_validation"] == "validate",
        ca_trust_path=_authorities(target, scheme),
        cert_pem=target["cert_pem"],
        cert_key=target["cert_key"],
        operation_timeout=operation,
        read_timeout=reading,
        connect_timeout=connect,
        kerberos_delegation=target["kerberos_delegation"],
        kerberos_hostname=target["kerberos_hostname"],
        service=target["service"],
        send_cbt=target["send_cbt"],
        proxy=target["proxy"],
        shell=target["shell"],
        max_operations=max(1, target["max_operations"]),
        account=logins.account(target) if authentication == "kerberos" else None,
    )


def _authorities(target: Target, scheme: str) -> str | None:
    if scheme != "https" or target["cert_validation"] != "validate":
        return None
    return authorities(target.host, target["ca_trust_path"])


def _scheme(target: Target) -> str:
    if target["scheme"]:
        return str(target["scheme"])
    return "https" if target["port"] not in (None, 5985, 80) else "http"


def _url(target: Target, scheme: str) -> str:
    host = target["host"] or target.host
    port = target["port"] or (5986 if scheme == "https" else 5985)
    with contextlib.suppress(ValueError):  # A name.
        host = f"[{host}]" if ipaddress.ip_address(host).version == 6 else host
    return f"{scheme}://{host}:{port}/{str(target['path']).lstrip('/')}"


def _check_login(target: Target, authentication: str) -> None:
    if authentication == "certificate":
        for option, variable in (("cert_pem", "winrm_cert_pem"), ("cert_key", "winrm_cert_key_pem")):
            if not target[option] or not Path(target[option]).is_file():
                raise OptionInvalid(
                    "No certificate to log in with",
                    f"{variable} of {target.host} must name a file in PEM format; it says {target[option]!r}.",
                )
    elif authentication != "kerberos" and (not target["user"] or target["password"] is None):
        lacking = "ansible_user" if not target["user"] else "ansible_password"
        raise OptionInvalid(
            "A user or password is missing",
            f"{authentication} needs a user and a password; set {lacking} for {target.host}.",
        )


def _encryption(target: Target, scheme: str, authentication: str) -> str:
    wanted = target["encryption"]
    allowed = target["allow_unencrypted"]
    sealable = authentication in ("ntlm", "kerberos", "credssp")
    if scheme == "https":
        if wanted == "always" and not sealable:
            raise OptionInvalid(
                "Encryption isn't possible",
                f"{authentication} seals no messages; drop winrm_message_encryption, https does it.",
            )
        return "always" if wanted == "always" else "never"
    if authentication == "certificate":
        raise OptionInvalid(
            "Certificates need https", f"Set winrm_scheme to https for {target.host}, or log in another way."
        )
    if sealable and wanted != "never":
        return "always"
    if not allowed:
        raise OptionInvalid(
            "Messages would pass in clear",
            f"{authentication} over http to {target.host} without encryption shows everything to the network"
            f"{', the password too' if authentication == 'basic' else ''}. Set winrm_scheme to https, or "
            "winrm_transport to ntlm; drumline_winrm_allow_unencrypted: true permits it all the same.",
        )
    if wanted == "always":
        raise OptionInvalid("Encryption isn't possible", f"{authentication} seals no messages; use ntlm, or https.")
    return "never"


def transport(settings: WinrmSettings) -> Any:
    """What messages go through, not yet connected."""
    wanted: dict[str, Any] = {
        "endpoint": settings.url,
        "ca_trust_path": settings.ca_trust_path or "legacy_requests",
        "server_cert_validation": "validate" if settings.validate else "ignore",
        "message_encryption": settings.encryption,
        "proxy": settings.proxy,
        # requests takes (connect, read); pywinrm has one number for both.
        "read_timeout_sec": (settings.connect_timeout, settings.read_timeout),
    }
    if settings.authentication == "kerberos":
        from drumline_winrm.kerberos import KerberosTransport

        return KerberosTransport(settings, **wanted)
    from drumline_winrm.guarded import GuardedTransport

    return GuardedTransport(
        settings,
        auth_method=settings.authentication,
        username=settings.user or None,
        password=settings.password.reveal(),
        cert_pem=settings.cert_pem,
        cert_key_pem=settings.cert_key,
        send_cbt=settings.send_cbt,
        **wanted,
    )
