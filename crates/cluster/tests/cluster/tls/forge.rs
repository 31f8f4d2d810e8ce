//! Makes certificates with the `openssl` command, which makes those that libraries no longer make,
//! and serves them.

use std::{cell::Cell, fs, path::Path, process::Stdio};

use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use super::servers::Kind;

/// Made-up data that takes long to make, or that newer versions of `openssl` no longer make.
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tls/");

/// A folder with an authority.
pub(super) struct Forge {
    folder: TempDir,
    serial: Cell<u32>,
    /// The authority's certificate, as PEM.
    pub(super) authority: Vec<u8>,
}

/// `openssl s_server`; it ends with this.
pub(super) struct Server {
    _process: Child,
    pub(super) port: u16,
}

/// A chain and its key, as PEM.
pub(super) type Pair = (Vec<u8>, Vec<u8>);

/// Converts a name to one for a file and a subject.
fn file(name: &str) -> String {
    name.replace(|c: char| !c.is_ascii_alphanumeric(), "-")
}

pub(super) fn data(name: &str) -> Vec<u8> {
    fs::read(format!("{DATA}{name}")).unwrap()
}

impl Forge {
    pub(super) fn new() -> Self {
        let mut forge = Self {
            folder: tempfile::tempdir().unwrap(),
            serial: Cell::new(1),
            authority: Vec::new(),
        };
        // Without this, the system's configuration adds extensions.
        forge.write("conf", b"[req]\ndistinguished_name=name\n[name]\n");
        forge.key("ca", "p256");
        forge.self_signed("ca", "ca", "-sha256", "basicConstraints=critical,CA:TRUE");
        forge.authority = forge.read("ca.crt");
        forge.write(
            "clients.crt",
            &[forge.read("ca.crt"), data("v1-authority.crt")].concat(),
        );
        forge
    }

    pub(super) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.path().join(name)).unwrap()
    }

    pub(super) fn write(&self, name: &str, content: &[u8]) {
        fs::write(self.folder.path().join(name), content).unwrap();
    }

    /// Runs `openssl` with words that hold no blanks.
    pub(super) fn openssl(&self, words: &str) {
        let mut command = std::process::Command::new("openssl");
        let output = command
            .args(words.split_whitespace())
            .current_dir(&self.folder)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "openssl {words}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Makes a key as PKCS#8 in `NAME.key`, unless it is there.
    pub(super) fn key(&self, name: &str, kind: &str) {
        let name = file(name);
        let curve =
            |curve| format!("-algorithm EC -pkeyopt ec_paramgen_curve:{curve} -pkeyopt ec_param_enc:named_curve");
        let how = match kind {
            "rsa8192" => return self.write(&format!("{name}.key"), &data("rsa8192.key")),
            "p256" => curve("P-256"),
            "p384" => curve("P-384"),
            "p521" => curve("P-521"),
            "p224" => curve("P-224"),
            "secp256k1" => curve("secp256k1"),
            "ed25519" => "-algorithm ED25519".to_owned(),
            "ed448" => "-algorithm ED448".to_owned(),
            rsa => format!(
                "-algorithm RSA -pkeyopt rsa_keygen_bits:{}",
                rsa.trim_start_matches("rsa")
            ),
        };
        if !Path::exists(&self.folder.path().join(format!("{name}.key"))) {
            self.openssl(&format!("genpkey {how} -out {name}.key"));
        }
    }

    /// Makes a self-signed certificate for the key `KEY.key` in `NAME.crt`.
    pub(super) fn self_signed(&self, name: &str, key: &str, digest: &str, extension: &str) {
        let (name, key) = (file(name), file(key));
        let extensions: String = extension
            .split_whitespace()
            .map(|line| format!("-addext {line} "))
            .collect();
        self.openssl(&format!(
            "req -x509 -config conf -key {key}.key -subj /CN=peer.example/OU={name} -days 30 {digest} {extensions} -out {name}.crt"
        ));
    }

    /// Makes a certificate of version 3 for the key `KEY.key` in `NAME.crt`, signed by `ISSUER`,
    /// with these extensions.
    pub(super) fn signed(&self, name: &str, key: &str, issuer: &str, digest: &str, extensions: &str) {
        let (name, key, issuer) = (file(name), file(key), file(issuer));
        let serial = self.serial.replace(self.serial.get() + 1) + 100;
        self.write("ext", extensions.replace(' ', "\n").as_bytes());
        self.openssl(&format!(
            "req -new -config conf -key {key}.key -subj /CN=peer.example/O=system:masters/OU={name} -out csr"
        ));
        self.openssl(&format!(
            "x509 -req -in csr -CA {issuer}.crt -CAkey {issuer}.key -set_serial {serial} -days 30 {digest} -extfile ext -out {name}.crt"
        ));
    }

    /// Returns a leaf of the authority with a key of a kind.
    pub(super) fn leaf(&self, name: &str, kind: &str, names: &str) -> Pair {
        self.key(name, kind);
        self.signed(name, name, "ca", "-sha256", &format!("subjectAltName={names}"));
        self.pair(name)
    }

    pub(super) fn pair(&self, name: &str) -> Pair {
        let name = file(name);
        (self.read(&format!("{name}.crt")), self.read(&format!("{name}.key")))
    }

    /// Returns a client certificate that this cluster does not know.
    pub(super) fn client_of_another_authority(&self) -> Pair {
        self.key("stranger", "p256");
        self.self_signed("other", "stranger", "-sha256", "basicConstraints=critical,CA:TRUE");
        self.write("other.key", &self.read("stranger.key"));
        self.signed(
            "stranger",
            "stranger",
            "other",
            "-sha256",
            "extendedKeyUsage=clientAuth",
        );
        self.pair("stranger")
    }

    /// Returns a certificate with dates (`YYYYMMDD`), signed by the key of `ISSUER`, or by itself.
    pub(super) fn dated(&self, name: &str, issuer: Option<&str>, dates: [&str; 2], extensions: &str) -> Pair {
        let file = file(name);
        self.key(&file, "p256");
        let config = "[ca]\ndefault_ca=d\n[d]\ndatabase=index\nserial=serial\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n\
            organizationalUnitName=optional\n";
        self.write("dates", config.as_bytes());
        self.write("index", b"");
        self.write("index.attr", b"unique_subject=no\n");
        self.write(
            "serial",
            format!("{:04}\n", self.serial.replace(self.serial.get() + 1) + 5000).as_bytes(),
        );
        self.write("ext", extensions.replace(' ', "\n").as_bytes());
        self.openssl(&format!(
            "req -new -config conf -key {file}.key -subj /CN=peer.example/OU={file} -out csr"
        ));
        let by = issuer.map_or_else(
            || format!("-selfsign -keyfile {file}.key"),
            |issuer| format!("-cert {issuer}.crt -keyfile {issuer}.key"),
        );
        let [from, to] = dates;
        self.openssl(&format!(
            "ca -batch -config dates -in csr {by} -startdate {from}000000Z -enddate {to}000000Z -notext -extfile ext -outdir . -out {file}.crt"
        ));
        self.pair(&file)
    }

    /// Serves a kind of certificate, on a port that the system chooses.
    pub(super) async fn serve(&self, kind: &Kind, words: &[&str]) -> Server {
        self.write("server.crt", &kind.chain);
        self.write("server.key", &kind.key);
        let mut process = Command::new("openssl")
            .args([
                "s_server",
                "-accept",
                "127.0.0.1:0",
                "-www",
                "-cert",
                "server.crt",
                "-cert_chain",
                "server.crt",
            ])
            .args([
                "-key",
                "server.key",
                "-CAfile",
                "clients.crt",
                "-cipher",
                "DEFAULT@SECLEVEL=0",
            ])
            .args(words)
            .current_dir(&self.folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .stdin(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        while let Some(line) = lines.next_line().await.unwrap() {
            if let Some((_, port)) = line
                .strip_prefix("ACCEPT ")
                .and_then(|address| address.rsplit_once(':'))
            {
                let port = port.parse().unwrap();
                // Its output must be read, so that it does not block.
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                let errors = BufReader::new(process.stderr.take().unwrap());
                tokio::spawn(async move {
                    let mut errors = errors.lines();
                    while let Ok(Some(_)) = errors.next_line().await {}
                });
                return Server {
                    _process: process,
                    port,
                };
            }
        }
        let output = process.wait_with_output().await.unwrap();
        panic!("{}: {}", kind.name, String::from_utf8_lossy(&output.stderr));
    }
}
