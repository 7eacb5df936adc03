"""The certificate for https and wss: the owner's own, or one made here and kept.

Layer 4, on cryptography. Serves the API's server when it starts; blocking, called once.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from device.settings import Api
from device.types import RapportError

CERTIFICATE, KEY = "tls-certificate.pem", "tls-key.pem"

LIFETIME = timedelta(days=825)
"""The longest that Apple's systems accept."""
RENEWED_BEFORE = timedelta(days=30)


def certificate_files(folder: Path, settings: Api, names: Sequence[str]) -> tuple[Path, Path]:
    """Return the PEM files of the certificate and of its private key.

    The owner's, checked, if ``settings`` name them; else a generated pair in ``folder`` that is
    good for this machine's names and ``names``, made anew when it no longer serves.
    Raises RapportError if the owner's files cannot be used, or the pair cannot be written.
    """
    if settings.certificate:
        certificate = Path(settings.certificate).expanduser()
        key = Path(settings.private_key).expanduser()
        if _checked(certificate, key).not_valid_after_utc <= datetime.now(UTC):
            raise _unusable(certificate, "it has expired", "renew it")
        return certificate, key
    certificate, key = folder / CERTIFICATE, folder / KEY
    wanted = _alternative_names(names)
    if not _serves(certificate, key, wanted):
        _generate(certificate, key, wanted)
    return certificate, key


def _checked(certificate: Path, key: Path) -> x509.Certificate:
    """Return the certificate; raises RapportError unless it and the key can be used together."""
    try:
        loaded = x509.load_pem_x509_certificates(_content(certificate, "api.certificate"))[0]
        public = loaded.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _unusable(
            certificate, f"no certificate in PEM ({error})", "export it as PEM"
        ) from None
    try:
        private = serialization.load_pem_private_key(_content(key, "api.private_key"), None)
    except TypeError:
        raise _unusable(
            key,
            "it is encrypted",
            "store the key without a passphrase (openssl pkey -in ... -out ...)",
        ) from None
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _unusable(key, f"no private key in PEM ({error})", "export it as PEM") from None
    if private.public_key() != public:
        raise _unusable(key, f"it is not the key of {certificate}", "name the pair that was issued")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        raise _unusable(
            certificate, f"OpenSSL refuses it ({error})", "have a new one issued"
        ) from None
    return loaded


def _content(file: Path, setting: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise RapportError(
            f"{file}: cannot be read ({error.strerror}); name a readable PEM file with {setting}"
        ) from None


def _unusable(file: Path, reason: str, remedy: str) -> RapportError:
    return RapportError(
        f"{file}: cannot be used for TLS, {reason}; {remedy}, or leave api.certificate and "
        "api.private_key empty to have a pair generated"
    )


def _serves(certificate: Path, key: Path, wanted: x509.SubjectAlternativeName) -> bool:
    """Tell whether a generated pair is whole, good for a while, and for all names."""
    try:
        loaded = _checked(certificate, key)
        held = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (RapportError, ValueError, x509.ExtensionNotFound):
        return False
    long_enough = loaded.not_valid_after_utc - RENEWED_BEFORE > datetime.now(UTC)
    return long_enough and set(wanted) <= set(held) and not key.stat().st_mode & 0o077


def _alternative_names(names: Sequence[str]) -> x509.SubjectAlternativeName:
    host = socket.gethostname()
    local = host.partition(".")[0] + ".local"
    wanted = dict.fromkeys(["localhost", "127.0.0.1", "::1", host, local, *names])
    return x509.SubjectAlternativeName([_general_name(name) for name in wanted if name])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass  # not an address, so the name of a host
    try:
        return x509.DNSName(name.encode("idna").decode())
    except UnicodeError:
        raise RapportError(
            f"{name}: is no host name that a certificate can have; use letters, digits, - and ."
        ) from None


def _generate(certificate: Path, key: Path, wanted: x509.SubjectAlternativeName) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    signed = _signed(private, wanted)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    try:
        key.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # A kill in between leaves two that do not belong together; they are then made anew.
        _replace(key, pem, 0o600)
        _replace(certificate, signed.public_bytes(serialization.Encoding.PEM), 0o644)
    except OSError as error:
        raise RapportError(
            f"{key.parent}: the TLS certificate cannot be kept there ({error.strerror}); name a "
            "writable folder with storage.folder or $RAPPORT_STATE"
        ) from None


def _signed(
    private: ec.EllipticCurvePrivateKey, wanted: x509.SubjectAlternativeName
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Rapport")])
    public = private.public_key()
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # other machines' clocks may be slow
        .not_valid_after(now - timedelta(days=1) + LIFETIME)
    )
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (wanted, False),
        # Not an authority: Firefox accepts no authority as a server.
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectKeyIdentifier.from_public_key(public), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(public), False),
    ]
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(private, hashes.SHA256())


def _replace(file: Path, content: bytes, mode: int) -> None:
    """Write a file whole, or leave the one that is there; it never has a wider mode than given."""
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
