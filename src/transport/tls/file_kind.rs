//! Recognises files of other kinds in place of a certificate or a key, and names the command that converts them.

/// PEM labels after `-----BEGIN ` that are neither a certificate nor a usable key.
const LABELS: [(&str, &str); 13] = [
    (
        "TRUSTED CERTIFICATE",
        "the certificate is in a form of OpenSSL's own (BEGIN TRUSTED CERTIFICATE); `openssl x509 -in FILE -out NEW` converts it",
    ),
    (
        "X509 CERTIFICATE",
        "the certificate is in an old form (BEGIN X509 CERTIFICATE); `openssl x509 -in FILE -out NEW` converts it",
    ),
    ("CERTIFICATE REQUEST", REQUEST),
    ("NEW CERTIFICATE REQUEST", REQUEST),
    (
        "OPENSSH PRIVATE KEY",
        "this is a key in the form of OpenSSH, and PEM is needed; `ssh-keygen -p -m PKCS8 -f COPY` converts a copy of it in place",
    ),
    ("PUBLIC KEY", PUBLIC_KEY),
    ("RSA PUBLIC KEY", PUBLIC_KEY),
    ("SSH2 PUBLIC KEY", PUBLIC_KEY),
    (
        "PKCS7",
        "this is a PKCS#7 file; `openssl pkcs7 -print_certs -in FILE -out NEW` takes the certificates out of it",
    ),
    ("X509 CRL", "this is a revocation list, and not a certificate"),
    ("EC PARAMETERS", PARAMETERS),
    ("DH PARAMETERS", PARAMETERS),
    ("DSA PRIVATE KEY", "this is a key of DSA, which TLS does not use any more"),
];

const REQUEST: &str = "this is a certificate request; the authority that signs it gives back the certificate";
const PUBLIC_KEY: &str = "this is a public key, without a certificate or a private key";
const PARAMETERS: &str = "there are only the parameters of a key in it";

/// The first bytes of other file types.
const STARTS: [(&[u8], &str); 5] = [
    (
        &[0xfe, 0xed, 0xfe, 0xed],
        "this is a Java key store; `keytool -importkeystore -srckeystore FILE -destkeystore NEW -deststoretype pkcs12` makes a \
         PKCS#12 file of it, and `openssl pkcs12 -in NEW -out NEW.pem` a PEM file of that",
    ),
    (b"PuTTY-User-Key-File", "this is a key in the form of PuTTY; PuTTYgen exports it as an OpenSSH key"),
    (b"ssh-rsa ", PUBLIC_KEY),
    (b"ssh-ed25519 ", PUBLIC_KEY),
    (b"ecdsa-sha2-", PUBLIC_KEY),
];

/// The version of PKCS#12 files, which other sequences do not begin with.
const VERSION_3: [u8; 3] = [0x02, 0x01, 0x03];

/// The object identifiers of PKCS#7 without their last byte.
const PKCS_7: [u8; 10] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];

/// The kind of a file, if it is recognised.
pub(super) fn of(bytes: &[u8]) -> Option<&'static str> {
    let start = STARTS.iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, kind)| *kind);
    start.or_else(|| of_sequence(bytes)).or_else(|| of_label(bytes))
}

fn of_sequence(bytes: &[u8]) -> Option<&'static str> {
    let (0x30, rest) = bytes.split_first().map(|(first, rest)| (*first, rest))? else { return None };
    let length = match *rest.first()? {
        long @ 0x81..=0x84 => 1 + usize::from(long & 0x0f),
        _ => 1,
    };
    let content = rest.get(length..)?;
    if content.starts_with(&VERSION_3) {
        Some(
            "this is a PKCS#12 file (.p12, .pfx), and PEM is needed; `openssl pkcs12 -in FILE -out NEW` converts it \
             (with -legacy if it is old and OpenSSL is 3 or newer)",
        )
    } else if content.starts_with(&PKCS_7) {
        Some(
            "this is a PKCS#7 file; `openssl pkcs7 -inform der -print_certs -in FILE -out NEW` takes the certificates out of it",
        )
    } else {
        None
    }
}

fn of_label(bytes: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(bytes);
    let label =
        |line: &str| line.trim_end().strip_prefix("-----BEGIN ")?.strip_suffix("-----").map(str::to_owned);
    let labels: Vec<String> = text.lines().filter_map(label).collect();
    let known = |label: &String| LABELS.iter().find(|(known, _)| known == label).map(|(_, kind)| *kind);
    // Beside a key that could be used, the rest does not matter.
    let has_key = labels.iter().any(|label| label.ends_with("PRIVATE KEY") && known(label).is_none());
    labels.iter().find_map(known).filter(|_| !has_key)
}
