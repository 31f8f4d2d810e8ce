//! Kinds of server certificates.

use super::forge::Forge;

/// The names of a certificate that names this host.
const HOST: &str = "subjectAltName=DNS:localhost,DNS:peer.example,IP:127.0.0.1,IP:::1";

/// A server's certificate, and how it is met.
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) chain: Vec<u8>,
    pub(super) key: Vec<u8>,
    /// The authorities of the kubeconfig.
    pub(super) trusted: Vec<u8>,
    /// The address that is asked for.
    pub(super) address: &'static str,
}

/// Returns an ordinary server certificate.
pub(super) fn plain(forge: &Forge) -> Kind {
    of_authority(forge, "p256", "p256", HOST)
}

/// Returns a self-signed authority that the kubeconfig names as the authority.
pub(super) fn authority_itself(forge: &Forge) -> Kind {
    let authority = format!("{HOST} basicConstraints=critical,CA:TRUE");
    of_itself(forge, "itself", "rsa2048", "-sha256", &authority)
}

/// Returns a certificate whose only name is the common name.
pub(super) fn common_name_only(forge: &Forge) -> (Kind, &'static [&'static str]) {
    let kind = of_authority(forge, "CN only", "p256", "keyUsage=digitalSignature");
    (kind, &["common name (CN) only", "`localhost`", "SAN"])
}

fn of_authority(forge: &Forge, name: &'static str, kind: &str, extensions: &str) -> Kind {
    forge.key(name, kind);
    forge.signed(name, name, "ca", "-sha256", extensions);
    kind_of(forge, name, forge.authority.clone())
}

/// Returns a self-signed certificate that is also the configured authority.
fn of_itself(forge: &Forge, name: &'static str, kind: &str, digest: &str, extensions: &str) -> Kind {
    forge.key(name, kind);
    forge.self_signed(name, name, digest, extensions);
    kind_of(forge, name, forge.pair(name).0)
}

fn kind_of(forge: &Forge, name: &'static str, trusted: Vec<u8>) -> Kind {
    let (chain, key) = forge.pair(name);
    Kind {
        name,
        chain,
        key,
        trusted,
        address: "localhost",
    }
}

/// Makes an authority `NAME` below the first, and a leaf certificate from it. The server sends
/// both.
fn below(forge: &Forge, name: &'static str, kind: &str, digest: &str, extensions: &str) -> Kind {
    forge.key("middle", kind);
    forge.signed(
        "middle",
        "middle",
        "ca",
        digest,
        &format!("basicConstraints=critical,CA:TRUE {extensions}"),
    );
    forge.key(name, "p256");
    forge.signed(name, name, "middle", "-sha256", HOST);
    let mut below = kind_of(forge, name, forge.authority.clone());
    below.chain.extend(forge.read("middle.crt"));
    below
}

/// Returns the servers to which clients connect.
pub(super) fn usable(forge: &Forge) -> Vec<Kind> {
    let any_use = format!("{HOST} extendedKeyUsage=anyExtendedKeyUsage");
    let authority = format!("{HOST} basicConstraints=critical,CA:TRUE");
    let mut kinds = vec![
        plain(forge),
        of_authority(forge, "rsa2048", "rsa2048", HOST),
        of_authority(forge, "rsa8192", "rsa8192", HOST),
        of_authority(forge, "p384", "p384", HOST),
        of_authority(forge, "p521", "p521", HOST),
        of_authority(forge, "ed25519", "ed25519", HOST),
        of_authority(forge, "any use", "p256", &any_use),
        of_itself(forge, "CA:TRUE leaf", "p256", "-sha256", &authority),
        of_itself(forge, "CA:TRUE leaf RSA", "rsa2048", "-sha256", &authority),
        of_itself(forge, "self-signed", "p256", "-sha256", HOST),
        below(forge, "below", "p384", "-sha384", ""),
    ];
    kinds.push(Kind {
        name: "IPv4",
        address: "127.0.0.1",
        ..plain(forge)
    });
    kinds.push(Kind {
        name: "IPv6",
        address: "::1",
        ..of_itself(forge, "CA:TRUE leaf of IPv6", "p256", "-sha256", &authority)
    });
    // Go trusts a certificate of the bundle as it is, whoever issued it.
    let mut pinned = plain(forge);
    pinned.name = "itself in the bundle";
    pinned.trusted = pinned.chain.clone();
    kinds.push(pinned);
    let mut bundle = plain(forge);
    bundle.name = "bundle";
    let other = of_itself(forge, "other", "p256", "-sha256", &authority);
    bundle.trusted = [other.chain, b"\r\n# comment\r\n".to_vec(), bundle.trusted].concat();
    kinds.push(bundle);
    // A root that signed itself with SHA-1, whose own signature is not checked.
    kinds.push(old_authority(forge));
    kinds.push(of_renewed_authority(forge));
    kinds
}

fn old_authority(forge: &Forge) -> Kind {
    forge.key("old", "rsa2048");
    forge.self_signed("old", "old", "-sha1", "basicConstraints=critical,CA:TRUE");
    forge.key("of-old", "p256");
    forge.signed("of-old", "of-old", "old", "-sha256", HOST);
    kind_of(forge, "of-old", forge.read("old.crt"))
}

/// Returns the servers that are refused, with words of the reason.
pub(super) fn refused(forge: &Forge) -> Vec<(Kind, &'static [&'static str])> {
    let authority = format!("{HOST} basicConstraints=critical,CA:TRUE");
    let mut strange = plain(forge);
    strange.trusted = of_itself(forge, "strange", "p256", "-sha256", &authority).chain;
    let mut renewed = plain(forge);
    forge.key("again", "p256");
    renewed.trusted = same_name_other_key(forge);
    let mut unlisted = of_itself(forge, "unlisted", "p256", "-sha256", &authority);
    unlisted.trusted = forge.authority.clone();
    let nothing = "keyUsage=digitalSignature";
    vec![
        (
            strange,
            &[
                "not issued by the cluster's certificate authority",
                "certificate-authority-data",
            ],
        ),
        (renewed, &["another key", "certificate-authority-data"]),
        (unlisted, &["CA:TRUE", "certificate-authority-data"]),
        (
            of_authority(forge, "CA:TRUE below", "p256", &authority),
            &["CA:TRUE", "certificate-authority-data"],
        ),
        (
            of_authority(forge, "CN only", "p256", nothing),
            &["common name (CN) only", "`localhost`", "SAN"],
        ),
        (
            of_itself(forge, "CN only CA", "p256", "-sha256", "basicConstraints=CA:TRUE"),
            &["common name (CN) only"],
        ),
        (version_1(), &["common name (CN) only"]),
        (sha1(forge), &["signed with SHA-1", "SHA-256"]),
        (
            of_itself(forge, "SHA-1 CA", "rsa2048", "-sha1", &authority),
            &["signed with SHA-1"],
        ),
        (
            below(forge, "SHA-1 middle", "p256", "-sha1", ""),
            &["intermediate", "signed with SHA-1"],
        ),
        (
            of_authority(forge, "RSA 1024", "rsa1024", HOST),
            &["an RSA key of 1024 bits", "2048"],
        ),
        (
            of_itself(forge, "RSA 1024 CA", "rsa1024", "-sha256", &authority),
            &["an RSA key of 1024 bits"],
        ),
        (
            of_authority_with(forge, "of P-224", "p224"),
            &["certificate authority", "P-224"],
        ),
        (
            of_authority_with(forge, "of RSA 1024", "rsa1024"),
            &["authority", "an RSA key of 1024 bits"],
        ),
        (of_authority(forge, "P-224", "p224", HOST), &["P-224"]),
        (
            of_authority(
                forge,
                "client's",
                "p256",
                &format!("{HOST} extendedKeyUsage=clientAuth"),
            ),
            &["not for servers", "serverAuth"],
        ),
        (
            below(
                forge,
                "constrained",
                "p256",
                "-sha256",
                "nameConstraints=critical,permitted;DNS:else.example",
            ),
            &["may not issue it"],
        ),
        (
            expired_itself(forge),
            &["the API server's certificate expired on 2021-01-01"],
        ),
        (not_yet(forge), &["not valid yet, only from 2090-01-01", "clocks"]),
        (
            of_expired_authority(forge),
            &["the cluster's certificate authority", "expired on 2021-01-01"],
        ),
        (
            below_expired(forge),
            &["an intermediate certificate", "expired on 2021-01-01"],
        ),
        (
            expired(forge),
            &["the API server's certificate expired on 2021-01-01", "renew"],
        ),
    ]
}

/// Returns certificates that work because the cluster's certificate is not checked.
pub(super) fn insecurely_usable(forge: &Forge) -> Vec<Kind> {
    vec![plain(forge), sha1(forge), version_1(), expired(forge)]
}

fn sha1(forge: &Forge) -> Kind {
    forge.key("SHA-1", "rsa2048");
    forge.signed("SHA-1", "SHA-1", "ca", "-sha1", HOST);
    kind_of(forge, "SHA-1", forge.authority.clone())
}

fn same_name_other_key(forge: &Forge) -> Vec<u8> {
    forge.openssl("req -x509 -config conf -key again.key -subj /CN=peer.example/OU=ca -days 30 -addext basicConstraints=critical,CA:TRUE -out again.crt");
    forge.read("again.crt")
}

fn of_authority_with(forge: &Forge, name: &'static str, kind: &str) -> Kind {
    let authority = &format!("authority-{kind}");
    forge.key(authority, kind);
    forge.self_signed(authority, authority, "-sha256", "basicConstraints=critical,CA:TRUE");
    forge.key(name, "p256");
    forge.signed(name, name, authority, "-sha256", HOST);
    kind_of(forge, name, forge.pair(authority).0)
}

/// Returns a certificate as microk8s makes it: without extensions, and so of version 1.
fn version_1() -> Kind {
    Kind {
        name: "version 1",
        chain: super::forge::data("v1.crt"),
        key: super::forge::data("v1.key"),
        trusted: super::forge::data("v1-authority.crt"),
        address: "localhost",
    }
}

fn expired(forge: &Forge) -> Kind {
    forge.dated("expired", Some("ca"), ["20200101", "20210101"], HOST);
    kind_of(forge, "expired", forge.authority.clone())
}

fn not_yet(forge: &Forge) -> Kind {
    forge.dated("not yet", Some("ca"), ["20900101", "20910101"], HOST);
    kind_of(forge, "not yet", forge.authority.clone())
}

/// Returns a certificate of an expired authority. Go checks the authority's dates as well.
fn of_expired_authority(forge: &Forge) -> Kind {
    let (authority, _) = forge.dated(
        "expired-authority",
        None,
        ["20200101", "20210101"],
        "basicConstraints=critical,CA:TRUE",
    );
    forge.dated("of-expired", Some("expired-authority"), ["20200101", "20900101"], HOST);
    kind_of(forge, "of-expired", authority)
}

fn below_expired(forge: &Forge) -> Kind {
    let (middle, _) = forge.dated(
        "expired-middle",
        Some("ca"),
        ["20200101", "20210101"],
        "basicConstraints=critical,CA:TRUE",
    );
    forge.dated("below-expired", Some("expired-middle"), ["20200101", "20900101"], HOST);
    let mut below = kind_of(forge, "below-expired", forge.authority.clone());
    below.chain.extend(middle);
    below
}

fn expired_itself(forge: &Forge) -> Kind {
    let (own, _) = forge.dated(
        "expired-CA",
        None,
        ["20200101", "20210101"],
        &format!("{HOST} basicConstraints=critical,CA:TRUE"),
    );
    kind_of(forge, "expired-CA", own)
}

/// Returns a server whose bundle has the authority's old certificate and its renewal with the same
/// key.
fn of_renewed_authority(forge: &Forge) -> Kind {
    let authority = "basicConstraints=critical,CA:TRUE";
    let (old, _) = forge.dated("renewed-authority", None, ["20200101", "20210101"], authority);
    let (new, _) = forge.dated("renewed-authority", None, ["20200101", "20900101"], authority);
    forge.dated("of-renewed", Some("renewed-authority"), ["20200101", "20900101"], HOST);
    kind_of(forge, "of-renewed", [old, new].concat())
}
