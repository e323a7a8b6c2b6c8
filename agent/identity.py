"""How the agent gets its certificate: it makes a key, and the network's CA signs it."""

from __future__ import annotations

from dataclasses import replace

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from agent.config import AgentConfig, DataFolder
from agent.errors import ConfigError
from support.files import write_atomic
from support.identity import TlsError
from support.tls import UNSOUND, check_issued, identity_of, load_or_make_key, make_csr, public_bytes


def request(folder: DataFolder, config: AgentConfig) -> bytes:
    """Keeps the configuration, makes the key unless there is one, and returns a signing request (PEM).

    May be repeated, also with another coordinator's address. Raises ConfigError when the folder is another agent's.
    """
    if folder.config.exists():
        held = folder.read()
        if (held.network, held.name) != (config.network, config.name):
            raise ConfigError(f"{folder.path} belongs to {held.name} of network {held.network}: use another folder")
        config = replace(config, ca=held.ca, log_level=held.log_level)
    folder.write(config)
    return make_csr(load_or_make_key(folder.key), config.name)


def admit(folder: DataFolder, pem: bytes) -> None:
    """Keeps the agent's certificate and the CA's, of which pem holds both. Raises TlsError, ConfigError."""
    config = folder.read()
    try:
        certificates = x509.load_pem_x509_certificates(pem)
    except UNSOUND as error:
        raise TlsError("admit: two certificates in PEM form are expected on stdin") from error
    authorities = [one for one in certificates if _is_ca(one)]
    own = [one for one in certificates if not _is_ca(one)]
    if len(authorities) != 1 or len(own) != 1:
        raise TlsError("admit: the agent's certificate and the CA's are expected on stdin, and nothing else")
    check_issued(own[0], authorities[0])
    identity = identity_of(own[0])
    if (identity.network, identity.name) != (config.network, config.name):
        raise TlsError(f"admit: the certificate is for {identity.uri}, not for {config.name} of {config.network}")
    if public_bytes(own[0]) != public_bytes(load_or_make_key(folder.key)):
        raise TlsError("admit: the certificate is for another key: enrol again")
    write_atomic(folder.path / config.ca, authorities[0].public_bytes(Encoding.PEM))
    write_atomic(folder.certificate, own[0].public_bytes(Encoding.PEM))


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except UNSOUND:
        return False
