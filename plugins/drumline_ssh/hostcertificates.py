"""Certificates of hosts, which authorities in known_hosts vouch for (``@cert-authority``)."""

from __future__ import annotations

import time
from collections.abc import Collection

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import SSHCertificate, SSHCertificateType, ssh

#: A time that means "for ever".
_FOR_EVER = 2**64 - 1


def fault_of(kind: str, blob: str, name: str, authorities: Collection[str]) -> str:
    """Why a certificate doesn't prove that a host is ``name``, as part of a sentence; empty where it does.

    ``blob`` is the certificate in base64, ``authorities`` are keys in base64.
    """
    try:
        certificate = ssh.load_ssh_public_identity(f"{kind} {blob}".encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        return f"it can't be read: {error}"
    if not isinstance(certificate, SSHCertificate):
        return "it isn't one"
    return _signature_fault(certificate, authorities) or _content_fault(certificate, name)


def _signature_fault(certificate: SSHCertificate, authorities: Collection[str]) -> str:
    try:
        signer = certificate.signature_key()
        encoded = signer.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        if encoded.split()[1].decode() not in authorities:
            return "no authority that is known for this host has signed it"
        certificate.verify_cert_signature()
    except InvalidSignature:
        return "its signature is wrong"
    except (ValueError, UnsupportedAlgorithm) as error:
        return f"its signature can't be checked: {error}"
    return ""


def _content_fault(certificate: SSHCertificate, name: str) -> str:
    # As with OpenSSH, one without names is for any host, and a star in a name means a star.
    principals = [principal.decode(errors="replace") for principal in certificate.valid_principals]
    now = time.time()
    if certificate.type is not SSHCertificateType.HOST:
        return "it is one of a user"
    if principals and name not in (principal.lower() for principal in principals):
        return f"it is for {', '.join(principals)}, not for {name}"
    if now < certificate.valid_after:
        return "it isn't valid yet"
    if certificate.valid_before != _FOR_EVER and now >= certificate.valid_before:
        return "it has expired"
    if certificate.critical_options:
        return f"it has conditions that are unknown: {', '.join(map(bytes.decode, certificate.critical_options))}"
    return ""
