"""A pair is generated that clients can trust and is renewed in time; an owner's pair is checked."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from device.evi.certificate import certificate_files
from device.settings import Api
from device.types import RapportError

NONE = Api()


def owned(folder: Path, days: float, passphrase: bytes = b"", name: str = "own") -> Api:
    """Settings that name an owner's certificate, which is good for so many days from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=100))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    locked = serialization.BestAvailableEncryption(passphrase) if passphrase else None
    (folder / f"{name}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            locked or serialization.NoEncryption(),
        )
    )
    return Api(certificate=str(folder / f"{name}.crt"), private_key=str(folder / f"{name}.key"))


def greeted(files: tuple[Path, Path], name: str, flags: ssl.VerifyFlags) -> bytes:
    """What a client reads over TLS that trusts just this certificate, and calls the server so."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(*files)
    trusting = ssl.create_default_context(cafile=str(files[0]))
    trusting.verify_flags |= flags
    near, far = socket.socketpair()

    def serve() -> None:
        try:
            with serving.wrap_socket(far, server_side=True) as secure:
                secure.sendall(b"hello")
        except ssl.SSLError:
            far.close()  # the client did not trust us

    server = threading.Thread(target=serve)
    server.start()
    try:
        with trusting.wrap_socket(near, server_hostname=name) as secure:
            return secure.recv(100)
    finally:
        near.close()
        server.join(10)


@pytest.mark.parametrize("flags", [ssl.VerifyFlags(0), ssl.VERIFY_X509_STRICT])
def test_a_generated_certificate_is_trusted_under_each_of_its_names(
    tmp_path: Path, flags: ssl.VerifyFlags
) -> None:
    files = certificate_files(tmp_path, NONE, ["rapport.example", "192.168.1.20"])
    host = socket.gethostname()
    names = ["localhost", "127.0.0.1", "::1", host, f"{host.partition('.')[0]}.local"]
    for name in [*names, "rapport.example", "192.168.1.20"]:
        assert greeted(files, name, flags) == b"hello", name
    with pytest.raises(ssl.SSLCertVerificationError, match="not valid for"):
        greeted(files, "evil.example", flags)


def test_a_generated_key_is_for_its_owners_eyes_only(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "yet"
    certificate, key = certificate_files(folder, NONE, [])
    assert key.stat().st_mode & 0o777 == 0o600
    assert b"PRIVATE KEY" not in certificate.read_bytes()
    assert {file.name for file in folder.iterdir()} == {certificate.name, key.name}


def test_a_generated_pair_is_kept_from_start_to_start(tmp_path: Path) -> None:
    first = [file.read_bytes() for file in certificate_files(tmp_path, NONE, ["a.example"])]
    for names in (["a.example"], []):
        again = [file.read_bytes() for file in certificate_files(tmp_path, NONE, names)]
        assert again == first


def test_a_generated_certificate_lasts_as_long_as_apple_allows(tmp_path: Path) -> None:
    certificate, _ = certificate_files(tmp_path, NONE, [])
    loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
    assert loaded.not_valid_after_utc - loaded.not_valid_before_utc <= timedelta(days=825)
    assert loaded.not_valid_after_utc - datetime.now(UTC) > timedelta(days=800)
    assert loaded.not_valid_before_utc < datetime.now(UTC) - timedelta(hours=23)


@pytest.mark.parametrize("damage", ["certificate gone", "key gone", "key cut", "other key", "open"])
def test_a_damaged_pair_is_made_anew(tmp_path: Path, damage: str) -> None:
    certificate, key = certificate_files(tmp_path, NONE, [])
    before = certificate.read_bytes()
    match damage:
        case "certificate gone":
            certificate.unlink()
        case "key gone":
            key.unlink()
        case "key cut":
            key.write_bytes(key.read_bytes()[:100])
        case "other key":
            key.write_bytes(Path(owned(tmp_path, 10).private_key).read_bytes())
        case "open":
            key.chmod(0o644)
    files = certificate_files(tmp_path, NONE, [])
    assert certificate.read_bytes() != before
    assert key.stat().st_mode & 0o777 == 0o600
    assert greeted(files, "localhost", ssl.VerifyFlags(0)) == b"hello"


def test_a_name_that_it_lacks_makes_a_new_one(tmp_path: Path) -> None:
    certificate_files(tmp_path, NONE, [])
    files = certificate_files(tmp_path, NONE, ["new.example"])
    assert greeted(files, "new.example", ssl.VerifyFlags(0)) == b"hello"


@pytest.mark.parametrize(("days", "kept"), [(31, True), (29, False), (-1, False)])
def test_a_pair_is_renewed_a_month_before_it_expires(
    tmp_path: Path, days: float, kept: bool
) -> None:
    certificate, key = certificate_files(tmp_path, NONE, [])
    made = x509.load_pem_x509_certificate(certificate.read_bytes())
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    aged = (
        x509.CertificateBuilder()
        .subject_name(made.subject)
        .issuer_name(made.subject)
        .public_key(private.public_key())
        .serial_number(made.serial_number)
        .not_valid_before(datetime.now(UTC) - timedelta(days=700))
        .not_valid_after(datetime.now(UTC) + timedelta(days=days))
        .add_extension(names, critical=False)
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(aged.public_bytes(serialization.Encoding.PEM))
    before = certificate.read_bytes()
    certificate_files(tmp_path, NONE, [])
    assert (certificate.read_bytes() == before) is kept


def test_an_owners_pair_is_used_as_it_is(tmp_path: Path) -> None:
    settings = owned(tmp_path, 5)
    files = certificate_files(tmp_path / "unused", settings, ["anything.example"])
    assert files == (Path(settings.certificate), Path(settings.private_key))
    assert not (tmp_path / "unused").exists()


@pytest.mark.parametrize("absent", ["certificate", "private_key"])
def test_an_owners_file_that_is_not_there_is_named(tmp_path: Path, absent: str) -> None:
    settings = owned(tmp_path, 5)
    file = Path(getattr(settings, absent))
    file.unlink()
    with pytest.raises(
        RapportError, match=rf"{file}: cannot be read \(No such file.*api\.{absent}"
    ):
        certificate_files(tmp_path, settings, [])


def test_an_owners_expired_certificate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RapportError, match=r"own\.crt: .*it has expired; renew it"):
        certificate_files(tmp_path, owned(tmp_path, -1), [])


def test_an_owners_key_must_belong_to_the_certificate(tmp_path: Path) -> None:
    settings, other = owned(tmp_path, 5), owned(tmp_path, 5, name="other")
    mixed = settings.model_copy(update={"private_key": other.private_key})
    with pytest.raises(RapportError, match=r"other\.key: .*it is not the key of .*own\.crt"):
        certificate_files(tmp_path, mixed, [])


def test_an_owners_encrypted_key_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(RapportError, match=r"own\.key: .*encrypted; store .* without a passphrase"):
        certificate_files(tmp_path, owned(tmp_path, 5, passphrase=b"hush"), [])


@pytest.mark.parametrize("file", ["certificate", "private_key"])
@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff\x00"])
def test_an_owners_file_that_is_no_pem_is_refused(
    tmp_path: Path, file: str, content: bytes
) -> None:
    settings = owned(tmp_path, 5)
    path = Path(getattr(settings, file))
    path.write_bytes(content)
    with pytest.raises(RapportError, match=rf"{path}: cannot be used for TLS, no .* in PEM"):
        certificate_files(tmp_path, settings, [])


def test_a_folder_that_cannot_be_written_is_told_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RapportError, match=r"file: .*cannot be kept there .*\$RAPPORT_STATE"):
        certificate_files(tmp_path / "file", NONE, [])


def test_a_name_that_no_certificate_can_have_is_told(tmp_path: Path) -> None:
    with pytest.raises(RapportError, match="is no host name that a certificate can have"):
        certificate_files(tmp_path, NONE, ["a..b"])
