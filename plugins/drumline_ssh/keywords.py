"""The keywords of ``ssh_config(5)``: what drumline reads of each, and which ones it need not read."""

from __future__ import annotations

import socket
from collections.abc import Callable

from drumline_ssh import tokens
from drumline_ssh.configlines import ConfigLine

_YES, _NO = ("yes", "true"), ("no", "false")

#: Other names of a keyword.
ALIASES = {
    "identityfile2": "identityfile",
    "smartcarddevice": "pkcs11provider",
    "dsaauthentication": "pubkeyauthentication",
    "challengeresponseauthentication": "kbdinteractiveauthentication",
    "skeyauthentication": "kbdinteractiveauthentication",
    "tisauthentication": "kbdinteractiveauthentication",
}
#: Each of their lines adds a value; of all others the first line counts.
ADDING = frozenset(("identityfile", "certificatefile"))
#: Their value is the rest of the line as it stands, whatever quotes and ``#`` are in it.
WHOLE = frozenset(("proxycommand", "proxyjump"))
#: Keywords that OpenSSH takes up to version 10, and of which nothing is needed here.
PASSED_OVER = frozenset(
    (
        *("addkeystoagent", "afstokenpassing", "casignaturealgorithms"),
        *("channeltimeout", "checkhostip", "cipher", "ciphers", "clearallforwardings", "compressionlevel"),
        *("connectionattempts", "controlmaster", "controlpath", "controlpersist", "dynamicforward"),
        *("enableescapecommandline", "enablesshkeysign", "escapechar", "exitonforwardfailure", "fallbacktorsh"),
        *("fingerprinthash", "forkafterauthentication", "forwardagent", "forwardx11", "forwardx11timeout"),
        *("forwardx11trusted", "gatewayports", "globalknownhostsfile2", "gssapiauthentication"),
        *("gssapiclientidentity", "gssapidelegatecredentials", "gssapikexalgorithms", "gssapikeyexchange"),
        *("gssapirenewalforcesrekey", "gssapiserveridentity", "gssapitrustdns", "hostbasedacceptedalgorithms"),
        *("hostbasedauthentication", "hostbasedkeytypes", "hostkeyalgorithms", "ignoreunknown", "ipqos"),
        *("kbdinteractivedevices", "keepalive", "kerberosauthentication", "kerberostgtpassing"),
        *("kexalgorithms", "localcommand", "localforward", "loglevel", "logverbose", "macs"),
        *("nohostauthenticationforlocalhost", "obscurekeystroketiming", "permitlocalcommand"),
        *("permitremoteopen", "protocol", "proxyusefdpass", "pubkeyacceptedalgorithms"),
        *("pubkeyacceptedkeytypes", "refuseconnection", "rekeylimit", "remotecommand", "remoteforward"),
        *("requesttty", "requiredrsasize", "rhostsauthentication", "rhostsrsaauthentication"),
        *("rsaauthentication", "securitykeyprovider", "sendenv", "sessiontype", "setenv", "stdinnull"),
        *("streamlocalbindmask", "streamlocalbindunlink", "syslogfacility", "tcpkeepalive", "tunnel"),
        *("tunneldevice", "updatehostkeys", "useblacklistedkeys", "useprivilegedport"),
        *("userknownhostsfile2", "useroaming", "usersh", "versionaddendum", "verifyhostkeydns"),
        *("visualhostkey", "warnweakcrypto", "xauthlocation"),
    )
)


def _one(line: ConfigLine) -> list[str]:
    if len(line.words) > 1:
        raise ValueError(f"there is more than one value for {line.keyword}")
    if not line.words or not line.words[0]:
        raise ValueError(f"the value of {line.keyword} is missing")
    return [line.words[0]]


def _several(line: ConfigLine) -> list[str]:
    if not line.words or not all(line.words):
        raise ValueError(f"a value of {line.keyword} is missing")
    return list(line.words)


def _chosen(*groups: tuple[str, ...]) -> Callable[[ConfigLine], list[str]]:
    """The first name of the group that the value is in."""
    names = {name: group[0] for group in groups for name in group}

    def read(line: ConfigLine) -> list[str]:
        (value,) = _one(line)
        if value.lower() not in names:
            raise ValueError(f"'{value}' is not one of {', '.join(names)}")
        return [names[value.lower()]]

    return read


_flag = _chosen(_YES, _NO)


def _port(line: ConfigLine) -> list[str]:
    (value,) = _one(line)
    if not (value.isascii() and value.isdecimal()):
        try:
            return [str(socket.getservbyname(value, "tcp"))]
        except OSError:
            raise ValueError(f"'{value}' is no port") from None
    if not 0 < int(value) < 65536:
        raise ValueError(f"'{value}' is not a port from 1 to 65535")
    return [str(int(value))]


def _time(line: ConfigLine) -> list[str]:
    (value,) = _one(line)
    seconds = tokens.seconds(value)
    return ["none" if seconds is None else str(seconds)]


def _number(line: ConfigLine) -> list[str]:
    (value,) = _one(line)
    return [str(int(value))]


def _command(line: ConfigLine) -> list[str]:
    return [line.rest.lstrip(" \t=")]


def _jump(line: ConfigLine) -> list[str]:
    text = line.rest.lstrip(" \t=").partition("#")[0].rstrip()
    if not text:
        raise ValueError("the value of proxyjump is missing")
    return [text]


def _files(line: ConfigLine) -> list[str]:
    values = _several(line)
    if len(values) > 1 and "none" in (value.lower() for value in values):
        raise ValueError(f"{line.keyword} takes 'none' only alone")
    return values


#: How the value of each keyword is read that drumline makes use of. They raise ``ValueError``.
READERS: dict[str, Callable[[ConfigLine], list[str]]] = {
    **dict.fromkeys(("hostname", "user", "hostkeyalias", "bindaddress", "bindinterface", "tag"), _one),
    **dict.fromkeys(("identityfile", "certificatefile", "identityagent", "preferredauthentications"), _one),
    **dict.fromkeys(("knownhostscommand", "pkcs11provider"), _one),
    **dict.fromkeys(("identitiesonly", "compression", "batchmode", "passwordauthentication"), _flag),
    **dict.fromkeys(("kbdinteractiveauthentication", "canonicalizefallbacklocal"), _flag),
    **dict.fromkeys(("userknownhostsfile", "globalknownhostsfile", "revokedhostkeys"), _files),
    **dict.fromkeys(("canonicaldomains", "canonicalizepermittedcnames"), _files),
    **dict.fromkeys(("serveralivecountmax", "canonicalizemaxdots", "numberofpasswordprompts"), _number),
    **dict.fromkeys(("connecttimeout", "serveraliveinterval"), _time),
    "hashknownhosts": _flag,
    "port": _port,
    "proxycommand": _command,
    "proxyjump": _jump,
    "addressfamily": _chosen(("any",), ("inet",), ("inet6",)),
    "pubkeyauthentication": _chosen(_YES, _NO, ("unbound",), ("host-bound",)),
    "canonicalizehostname": _chosen(_YES, _NO, ("always",)),
    "stricthostkeychecking": _chosen(("ask",), ("yes", "true"), ("no", "false", "off"), ("accept-new",)),
}
