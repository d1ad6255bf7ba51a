//! Test vectors from other programs, and hashes that must be rejected.

use super::*;
use proptest::prelude::*;

fn password(text: &str) -> Password {
    Password::new(text.into()).unwrap()
}

/// Made by Python's hashlib, by the argon2 program and by mosquitto_passwd 2.0.11.
const VECTORS: [(&str, &str); 6] = [
    (
        "secret",
        "$6$MDEyMzQ1Njc4OWFi$qEXipeLbgxRlwd06QHfY5WITkUZg0jLg9SZbXzq3ifXjfj+v3GbJGrSfC5PAg3UNCS+UFfbhUIZX4bmIAs330w==",
    ),
    (
        "secret",
        "$7$1000$MDEyMzQ1Njc4OWFi$ZJEeM8haE9d5XdQRkROfY+VNm95TyLII2wMF7gvAreqXSheCQReksJ+3flNZrfPrV1dYquIBGQmTU89cHgTqUg==",
    ),
    (
        "",
        "$7$1$MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3Bxcg==$mccb3evUM4uA8Z2XSM+dRk4Wrc1NPc9qQy/n1rAaCxQjhLXoIsgJ1RnIewUl4BqgWEE/C5HxhBpW8RRAlUzIVQ==",
    ),
    (
        "secret",
        "$7$101$Fhv+IISr0Ahbg4HQ$YCChiKkgJGppupzcnGtaPiK6qTdifb2DMLLbJ4KLgFRtAYq8FxORZkzcaxRESL0hkTOuJ7rELn7CuxHC+q7tYA==",
    ),
    (
        "secret",
        "$argon2id$v=19$m=47104,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3Bxcg$wo7mcmdmLB62GhXtRCBrJ8bE/vHZwNNzJZWPSbsQ3p2kZEmZ2CHCNLQmVk3aZ+epgencoBMWpwSwE6JPlXUD5g",
    ),
    ("secret", "$argon2id$v=19$m=64,t=3,p=4$c2FsdHNhbHQ$8/RTMUZ1jPZmqIX33K5v0A"),
];

#[test]
fn a_hash_of_another_program_is_read_checked_and_written_again() {
    for (text, line) in VECTORS {
        let hash = Hash::parse(line.as_bytes()).unwrap();
        assert_eq!(hash.to_string(), line);
        assert!(hash.verify(&password(text)).unwrap(), "{line}");
        for wrong in ["Secret", "secret ", "secre"] {
            assert!(!hash.verify(&password(wrong)).unwrap(), "{wrong} and {line}");
        }
    }
}

#[test]
fn the_same_salt_gives_the_same_hash() {
    for (text, line) in VECTORS {
        let known = Hash::parse(line.as_bytes()).unwrap();
        if known.digest().len() == SHA512_LENGTH {
            let made = known.scheme().hash_with_salt(&password(text), known.salt().to_vec()).unwrap();
            assert_eq!(made, known);
        }
    }
}

#[test]
fn a_hash_that_was_made_is_read_again_and_has_a_fresh_salt() {
    let iterations = NonZeroU32::new(7).unwrap();
    for scheme in [
        Scheme::Sha512 { salt_len: 12 },
        Scheme::Pbkdf2Sha512 { iterations, salt_len: 64 },
        Scheme::Argon2id { memory_kib: 32, passes: 2, lanes: 2, salt_len: 16 },
    ] {
        let secret = password("p\u{e4}ss");
        let [one, other] = [(); 2].map(|()| scheme.hash(&secret).unwrap());
        assert_ne!(one.salt(), other.salt());
        let read = Hash::parse(one.to_string().as_bytes()).unwrap();
        assert_eq!((&read, read.scheme()), (&one, scheme));
        assert!(read.verify(&secret).unwrap() && !read.verify(&password("pass")).unwrap());
    }
}

/// 64 bytes in Base64.
fn digest() -> String {
    STANDARD.encode([1; 64])
}

#[track_caller]
fn assert_refused(text: &str, why: &str) {
    let error = Hash::parse(text.as_bytes()).unwrap_err().to_string();
    assert!(error.contains(why), "{error} says {why} of {text}");
}

#[test]
fn invalid_hashes_are_refused_without_showing_them() {
    for text in ["", "secret", "$2y$10$abc", "$argon2i$v=19$m=64,t=3,p=4$c2FsdHNhbHQ$8/RT", "$8$", "$7", "$6"]
    {
        let error = Hash::parse(text.as_bytes()).unwrap_err();
        assert_eq!(error, HashError::Unknown, "{text}");
        assert!(!error.to_string().contains("secret"));
    }
    assert_eq!(Hash::parse(b"$6$\xff$").unwrap_err(), HashError::Unknown);
}

#[test]
fn a_hash_without_its_parts_is_refused() {
    assert_refused("$6$", "$6$SALT$HASH");
    assert_refused("$7$1000$abcd", "$7$ITERATIONS$SALT$HASH");
    let form = "$argon2id$v=19$m=MEMORY,t=PASSES,p=LANES$SALT$HASH";
    for text in [
        "",
        "v=16$m=64,t=3,p=4$c2FsdHNhbHQ$8/RTMUZ1jPZmqIX33K5v0A",
        "m=64,t=3,p=4$c2FsdHNhbHQ$8/RTMUZ1jPZmqIX33K5v0A",
        "v=19$t=3,m=64,p=4$c2FsdHNhbHQ$8/RTMUZ1jPZmqIX33K5v0A",
        "v=19$m=64,t=3$c2FsdHNhbHQ$8/RTMUZ1jPZmqIX33K5v0A",
        "v=19$m=64,t=3,p=4,data=x$c2FsdHNhbHQ$8/RTMUZ1jPZmqIX33K5v0A",
    ] {
        assert_refused(&format!("$argon2id${text}"), form);
    }
}

#[test]
fn a_part_that_is_no_base64_or_has_another_length_is_refused() {
    let digest = digest();
    assert_refused(&format!("$6$MDEy!zQ1$$ {digest}"), "salt is not Base64");
    assert_refused("$6$MDEyMzQ1Njc4OWFi$abc", "hash is not Base64");
    assert_refused("$6$MDEyMzQ1Njc4OWFi$MDEy", "hash has 3 bytes, expected 64");
    assert_refused("$7$5$MDEyMzQ1Njc4OWFi$", "hash has 0 bytes, expected 64");
    assert_refused(&format!("$6$${digest}"), "salt has 0 bytes");
    assert_refused(&format!("$7$1${}${digest}", STANDARD.encode([0; 1025])), "salt has 1025 bytes");
    assert_refused("$argon2id$v=19$m=64,t=3,p=4$c2FsdA$8/RTMUZ1jPZmqIX33K5v0A", "salt has 4 bytes");
    assert_refused("$argon2id$v=19$m=64,t=3,p=4$c2FsdHNhbHQ$8/Q", "hash has 2 bytes");
}

#[test]
fn a_hash_that_would_cost_hours_or_all_memory_is_refused() {
    let digest = digest();
    for iterations in ["0", "10000001", "99999999999999999999", "-1", "+5", " 5", "", "0x10"] {
        let text = format!("$7${iterations}$MDEyMzQ1Njc4OWFi${digest}");
        assert_refused(&text, "invalid number of iterations");
    }
    for (costs, what) in [
        ("m=4294967295,t=1,p=1", "memory in KiB"),
        ("m=0,t=1,p=1", "memory in KiB"),
        ("m=7,t=1,p=1", "memory in KiB 7, expected 8 to"),
        ("m=64,t=1,p=9", "memory in KiB 64, expected 72 to"),
        ("m=64,t=0,p=1", "number of passes"),
        ("m=64,t=1025,p=1", "number of passes"),
        ("m=1048576,t=5,p=1", "m=1048576,t=5"),
        ("m=64,t=1,p=0", "number of lanes"),
        ("m=1048576,t=1,p=256", "number of lanes"),
    ] {
        assert_refused(&format!("$argon2id$v=19${costs}$c2FsdHNhbHQ$8/RTMUZ1jPZmqIX33K5v0A"), what);
    }
}

proptest! {
    #[test]
    fn any_text_is_a_hash_within_bounds_or_refused(text in r"\$(6|7|argon2id)(\$[a-zA-Z0-9+/=,]{0,20}){0,5}") {
        if let Ok(hash) = Hash::parse(text.as_bytes()) {
            prop_assert!(hash.scheme().check().is_ok());
        }
    }
}

#[test]
fn parameters_out_of_bounds_make_no_hash() {
    let secret = password("x");
    for scheme in [
        Scheme::Sha512 { salt_len: 0 },
        Scheme::Pbkdf2Sha512 { iterations: NonZeroU32::MAX, salt_len: 12 },
        Scheme::Argon2id { memory_kib: u32::MAX, passes: 1, lanes: 1, salt_len: 64 },
        Scheme::Argon2id { memory_kib: 64, passes: 1, lanes: 1, salt_len: 7 },
    ] {
        assert!(scheme.hash(&secret).is_err(), "{scheme:?}");
    }
}
