"""Ways to log in, by Ansible's names: which of them this machine can use, and whose ticket a password is to get."""

from __future__ import annotations

from importlib.util import find_spec

from msgspec import Struct

from drumline.plugin import OptionInvalid, PackageMissing, Secret, Target

WAYS = ("basic", "ntlm", "kerberos", "credssp", "certificate")


class Kinit(Struct, frozen=True, kw_only=True):
    """How to get a ticket with a password."""

    program: str
    arguments: tuple[str, ...]
    variables: tuple[str, ...]  #: Names of variables of the environment that it gets beside its own.
    patience: float  #: seconds


class Account(Struct, frozen=True, kw_only=True):
    """Who wants a ticket, and how."""

    user: str
    password: Secret
    kinit: Kinit


def ways(target: Target) -> list[str]:
    """How to log in, the best way first, as far as this machine has what they need; never empty."""
    names = ["basic" if name.lower() == "plaintext" else name.lower() for name in target["transport"] or ()]
    for name in names:
        if name not in WAYS:
            raise OptionInvalid(
                "Unknown way to log in",
                f"winrm_transport of {target.host} says '{name}'; there are {', '.join(WAYS)}.",
            )
    if not names:
        # Without a password there is but a ticket.
        by_ticket = ["kerberos"] if "@" in (target["user"] or "") else []
        names = by_ticket if by_ticket and target["password"] is None else [*by_ticket, "ntlm"]
    usable = [name for name in names if _missing(name, target) is None]
    if usable:
        return usable
    missing, package = _missing(names[0], target) or ("", "")
    raise PackageMissing(
        f"No package for {names[0]}",
        f"Logging in to {target.host} with {names[0]} needs {missing}: {package}, or set winrm_transport to ntlm.",
    )


def _missing(authentication: str, target: Target) -> tuple[str, str] | None:
    """What a way to log in needs and this machine lacks, and how to get it."""
    packages = {"kerberos": ("gssapi", "krb5"), "credssp": ("requests_credssp",), "ntlm": ("requests_ntlm",)}
    for package in packages.get(authentication, ()):
        if find_spec(package) is None:
            return package, f"pip install 'drumline[{authentication}]'"
    if authentication == "kerberos" and _is_managed(target) and not _is_program(target):
        return "the program kinit", "apt install krb5-user (dnf install krb5-workstation)"
    return None


def _is_program(target: Target) -> bool:
    """Whether the program that gets tickets is there; one that someone has named must be."""
    from shutil import which  # which most runs don't need

    found = which(target["kinit_cmd"]) is not None
    if not found and target["kinit_cmd"] != "kinit":
        raise OptionInvalid(
            "No program to get tickets with", f"winrm_kinit_cmd of {target.host} says {target['kinit_cmd']!r}."
        )
    return found


def _is_managed(target: Target) -> bool:
    """Whether the password is to get a ticket."""
    return bool(target["kinit_mode"] == "managed" or (target["kinit_mode"] is None and target["password"]))


def account(target: Target) -> Account | None:
    """Whose ticket the password is to get; None where the one that is there is used."""
    if not _is_managed(target):
        return None
    if not target["user"] or target["password"] is None:
        raise OptionInvalid(
            "No one to get a ticket for",
            f"winrm_kinit_mode is managed for {target.host}: set ansible_user and ansible_password too.",
        )
    import shlex

    try:
        arguments = shlex.split(target["kinit_args"] or "")
    except ValueError as error:
        raise OptionInvalid("Arguments that can't be read", f"winrm_kinit_args of {target.host}: {error}.") from None
    if not arguments and target["kerberos_delegation"]:
        arguments = ["-f"]
    return Account(
        user=target["user"],
        password=target["password"],
        kinit=Kinit(
            program=target["kinit_cmd"],
            arguments=tuple(arguments),
            variables=tuple(target["kinit_env_vars"] or ()),
            patience=float(target["connect_timeout"]),
        ),
    )
