//! Kinds of client certificates and forms of keys.

use super::forge::{Forge, Pair, data};

/// A name, a chain and a key.
type Client = (&'static str, Vec<u8>, Vec<u8>);

fn named(name: &'static str, (chain, key): Pair) -> Client {
    (name, chain, key)
}

fn text(pem: &[u8]) -> String {
    String::from_utf8(pem.to_vec()).unwrap()
}

/// Returns a client certificate with a key of a kind.
fn client(forge: &Forge, kind: &str) -> Pair {
    forge.leaf(&format!("client-{kind}"), kind, "DNS:peer.example")
}

/// Returns the key in the form that names its kind: PKCS#1 or SEC1.
fn traditional(forge: &Forge, kind: &str) -> Pair {
    let (chain, _) = client(forge, kind);
    forge.openssl(&format!("pkey -in client-{kind}.key -traditional -out traditional.key"));
    (chain, forge.read("traditional.key"))
}

/// Returns the clients that connect.
pub(super) fn usable(forge: &Forge) -> Vec<Client> {
    let (p256, p256_key) = client(forge, "p256");
    let mut clients = vec![
        ("version 1 of microk8s", data("v1.crt"), data("v1.key")),
        named("RSA 2048 PKCS#8", client(forge, "rsa2048")),
        named("RSA 2048 PKCS#1", traditional(forge, "rsa2048")),
        named("RSA 8192 PKCS#8", client(forge, "rsa8192")),
        named("P-256 SEC1", traditional(forge, "p256")),
        named("P-384 PKCS#8", client(forge, "p384")),
        named("P-384 SEC1", traditional(forge, "p384")),
        named("P-521 PKCS#8", client(forge, "p521")),
        named("P-521 SEC1", traditional(forge, "p521")),
        named("Ed25519", client(forge, "ed25519")),
    ];
    let crlf = |pem: &[u8]| text(pem).replace('\n', "\r\n").into_bytes();
    clients.push(("with CRLF", crlf(&p256), crlf(&p256_key)));
    let bag = "Bag Attributes\n    friendlyName: admin\nsubject=CN = admin\n";
    let in_bag = |pem: &[u8]| format!("{bag}{}", text(pem)).into_bytes();
    clients.push(("with bag attributes", in_bag(&p256), in_bag(&p256_key)));
    let parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    let (_, sec1) = traditional(forge, "p256");
    clients.push((
        "with EC parameters",
        p256.clone(),
        [parameters.as_bytes(), &sec1].concat(),
    ));
    // kubelet's file has both, and the kubeconfig names it twice.
    let both = [p256.clone(), p256_key.clone()].concat();
    clients.push(("both in one file", both.clone(), both));
    let mislabelled = text(&p256_key).replace("PRIVATE KEY", "EC PRIVATE KEY");
    clients.push(("PKCS#8 under another label", p256.clone(), mislabelled.into_bytes()));
    forge.openssl("ec -in client-p256.key -no_public -out short.key");
    clients.push(("SEC1 without the public key", p256, forge.read("short.key")));
    clients.push(named("of an intermediate authority", below(forge)));
    clients
}

/// Returns a client below a second authority. The server knows only the first, so the client sends
/// the chain.
fn below(forge: &Forge) -> Pair {
    forge.key("between", "p256");
    forge.signed(
        "between",
        "between",
        "ca",
        "-sha256",
        "basicConstraints=critical,CA:TRUE",
    );
    forge.key("client-below", "p256");
    forge.signed(
        "client-below",
        "client-below",
        "between",
        "-sha256",
        "extendedKeyUsage=clientAuth",
    );
    let (mut chain, key) = forge.pair("client-below");
    chain.extend(forge.read("between.crt"));
    (chain, key)
}

/// A name, a chain, a key, and words of the reason.
type Refused = (&'static str, Vec<u8>, Vec<u8>, &'static [&'static str]);

/// Returns the clients that are refused before a connection is made.
pub(super) fn refused(forge: &Forge) -> Vec<Refused> {
    let (chain, key) = client(forge, "p256");
    let (other, _) = client(forge, "p384");
    let (_, twin_key) = forge.leaf("twin", "p256", "DNS:peer.example");
    let (weak, weak_key) = client(forge, "rsa1024");
    let (small, small_key) = client(forge, "p224");
    let (odd, odd_key) = client(forge, "secp256k1");
    let (old, old_key) = client(forge, "ed448");
    forge.key("client-sha1", "rsa2048");
    forge.signed(
        "client-sha1",
        "client-sha1",
        "ca",
        "-sha1",
        "extendedKeyUsage=clientAuth",
    );
    let (sha1, sha1_key) = forge.pair("client-sha1");
    forge.openssl("pkey -in client-p256.key -aes128 -passout pass:secret -out encrypted.key");
    forge.openssl("ec -in client-p256.key -aes128 -passout pass:secret -out dek.key");
    let certificate: &[&str] = &["the context's client certificate", "client-certificate-data"];
    vec![
        (
            "encrypted PKCS#8",
            chain.clone(),
            forge.read("encrypted.key"),
            &["is encrypted", "openssl pkey"],
        ),
        (
            "encrypted SEC1",
            chain.clone(),
            forge.read("dek.key"),
            &["is encrypted", "openssl pkey"],
        ),
        (
            "no key",
            chain.clone(),
            chain.clone(),
            &["is not a private key", "client-key-data"],
        ),
        (
            "empty key",
            chain.clone(),
            Vec::new(),
            &["is not a private key", "client-key-data"],
        ),
        ("no certificate", key.clone(), key.clone(), certificate),
        (
            "a broken certificate",
            b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n".to_vec(),
            key.clone(),
            certificate,
        ),
        (
            "a broken key",
            chain.clone(),
            b"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n".to_vec(),
            &["can't be used", "client-key-data"],
        ),
        (
            "another kind's key",
            other,
            key,
            &["does not belong to the context's client certificate"],
        ),
        (
            "another key",
            chain,
            twin_key,
            &["does not belong to the context's client certificate"],
        ),
        ("RSA 1024", weak, weak_key, &["has an RSA key of 1024 bits", "2048"]),
        ("P-224", small, small_key, &["a key on the curve P-224"]),
        ("secp256k1", odd, odd_key, &["a key on the curve secp256k1"]),
        ("Ed448", old, old_key, &["an Ed448 key"]),
        ("SHA-1", sha1, sha1_key, &["signed with SHA-1"]),
    ]
}
