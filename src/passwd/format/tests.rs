//! Test vectors from the brokers' documentation, and round trips of documents.

use super::*;

fn settings() -> Settings {
    Settings {
        scheme: Scheme::Pbkdf2Sha512 { iterations: NonZeroU32::new(101).unwrap(), salt_len: 12 },
        algorithm: None,
        salt_position: SaltPosition::Prefix,
        iterations: NonZeroU32::new(101).unwrap(),
        is_superuser: false,
        role: None,
        virtual_host: "/".to_owned(),
    }
}

fn password(text: &str) -> Password {
    Password::new(text.as_bytes().to_vec()).unwrap()
}

#[track_caller]
fn open(format: Format, text: &str) -> Box<dyn Document> {
    format.open(Some(text.as_bytes()), &settings()).unwrap()
}

fn text_of(document: &dyn Document) -> String {
    String::from_utf8(document.to_bytes().to_vec()).unwrap()
}

fn refusal(format: Format, text: &str) -> String {
    format.open(Some(text.as_bytes()), &settings()).err().map(|error| error.to_string()).unwrap_or_default()
}

/// The document after a user was set, with a hash of 101 iterations.
#[track_caller]
fn with(format: Format, text: Option<&str>, settings: &Settings, name: &str, word: &str) -> String {
    let mut document = format.open(text.map(str::as_bytes), settings).unwrap();
    document.set(name, &format.secret(&password(word), settings).unwrap()).unwrap();
    text_of(&*document)
}

#[test]
fn written_users_are_read_and_verified_in_every_format() {
    for format in Format::ALL {
        let text = with(format, None, &settings(), "ann & b<o>b é", "se cret é");
        let text = with(format, Some(&text), &settings(), "carol", "other");
        let document = open(format, &text);
        assert_eq!(document.verify("ann & b<o>b é", &password("se cret é")), PasswordCheck::Right, "{text}");
        assert_eq!(document.verify("ann & b<o>b é", &password("other")), PasswordCheck::Wrong);
        assert_eq!(document.verify("carol", &password("other")), PasswordCheck::Right);
        assert_eq!(document.verify("dave", &password("other")), PasswordCheck::UnknownUser);
        let names: Vec<String> = document.users().into_iter().map(|user| user.name).collect();
        assert_eq!(names, ["ann & b<o>b é", "carol"]);
        assert_eq!(text_of(&*document), text, "reading and writing changes nothing");
    }
}

#[test]
fn updating_and_removing_touch_one_user_in_every_format() {
    for format in Format::ALL {
        let secret = |word| format.secret(&password(word), &settings()).unwrap();
        let mut document = format.open(None, &settings()).unwrap();
        for name in ["a", "b", "c"] {
            assert_eq!(document.set(name, &secret(name)).unwrap(), Change::Added);
        }
        assert_eq!(document.set("b", &secret("new")).unwrap(), Change::Updated);
        assert!(document.remove("a"));
        assert!(!document.remove("a"));
        assert_eq!(document.set("c", &secret("newer")).unwrap(), Change::Updated);
        let document = open(format, &text_of(&*document));
        assert_eq!(document.verify("a", &password("a")), PasswordCheck::UnknownUser, "{format:?}");
        assert_eq!(document.verify("b", &password("new")), PasswordCheck::Right, "{format:?}");
        assert_eq!(document.verify("c", &password("newer")), PasswordCheck::Right, "{format:?}");
        assert_eq!(document.users().len(), 2);
    }
}

#[test]
fn a_user_may_come_and_go_before_anything_is_written() {
    for format in Format::ALL {
        let before = with(format, None, &settings(), "a", "a");
        let mut document = open(format, &before);
        let mut settings = settings();
        settings.role = Some("all-topics".to_owned());
        if format == Format::HiveMq {
            document = format.open(Some(before.as_bytes()), &settings).unwrap();
        }
        document.set("b", &format.secret(&password("b"), &settings).unwrap()).unwrap();
        assert!(document.remove("b"));
        assert_eq!(text_of(&*document), before, "{format:?}");
    }
}

#[test]
fn every_hash_has_its_own_salt() {
    for format in Format::ALL.into_iter().filter(|format| !format.is_plain_text()) {
        let secret = || format.secret(&password("same"), &settings()).unwrap().hash;
        assert_ne!(secret(), secret(), "{format:?}");
    }
}

// From RabbitMQ's documentation of its hashes: salt 908DC60A, password test12.
#[test]
fn rabbitmq_hashes_as_its_documentation_does() {
    let text =
        r#"{"users":[{"name":"u","password_hash":"kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"}]}"#;
    let document = open(Format::RabbitMq, text);
    assert_eq!(document.verify("u", &password("test12")), PasswordCheck::Right);
    assert_eq!(document.verify("u", &password("test13")), PasswordCheck::Wrong);
    assert_eq!(document.verify("u", &password("")), PasswordCheck::Wrong);
}

#[test]
fn rabbitmq_hashes_of_another_kind_are_not_guessed_at() {
    let text = r#"{"users":[{"name":"u","password_hash":"AAAA","hashing_algorithm":"rabbit_password_hashing_md5"},{"name":"v","password_hash":"AAAA"},{"name":"w"}]}"#;
    let document = open(Format::RabbitMq, text);
    for (name, part) in [("u", "md5"), ("v", "36 bytes"), ("w", "no password_hash")] {
        let PasswordCheck::Unusable(problem) = document.verify(name, &password("x")) else {
            panic!("{name}")
        };
        assert!(problem.contains(part), "{problem}");
    }
}

// A sample from EMQX: SHA-256 of salt and password.
#[test]
fn emqx_hashes_as_its_samples_do() {
    let hash = "c5e46903df45e5dc096dc74657610dbee8deaacae656df88a1788f1847390242";
    let salt = "e378187547bf2d6f0545a3f441aa4d8a";
    let json = format!(r#"[{{"user_id":"myuser1","password_hash":"{hash}","salt":"{salt}"}}]"#);
    let csv = format!("user_id,password_hash,salt,is_superuser\nmyuser1,{hash},{salt},true\n");
    for (format, text) in [(Format::EmqxJson, json), (Format::EmqxCsv, csv)] {
        let document = open(format, &text);
        assert_eq!(document.verify("myuser1", &password("mypassword1")), PasswordCheck::Right);
        assert_eq!(document.verify("myuser1", &password("mypassword2")), PasswordCheck::Wrong);
    }
}

// The password "secret" with the salt "salt", computed with Python's hashlib.
#[test]
fn emqx_hashes_with_every_algorithm_and_salt_position() {
    use SaltPosition::{Disable, Prefix, Suffix};
    for (algorithm, salt_position, hash) in [
        (Algorithm::Sha256, Suffix, "f84fa2149dbb62ed4e0cf1f550d2949b33a6513d3a7707e08502511c79ccb0ee"),
        (Algorithm::Sha256, Disable, "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"),
        (
            Algorithm::Sha512,
            Prefix,
            "9901847ff8c76bd5fb473b7bd2e4f4ddd110332a52a888fd69deb276613885ddf382e5cf1210ed0decdb8010ae399433\
             1a9e0639c3ca7e9e8b110dd50978ce76",
        ),
        (Algorithm::Pbkdf2Sha256, Prefix, "c1bb354159f3b4ba263f66afc4f7dcec10b5a585c9ca1c4d96e379a79b863acf"),
        (
            Algorithm::Pbkdf2Sha512,
            Prefix,
            "f91935f602437017788802c0bb2d7207b6bd4f93e63b96d9d062d075ab7d2a8434000dd6ac0b7e0a1e37ba29fce62747\
             8eb276b8155a9b3c0b89bd42bf94ec49",
        ),
    ] {
        let settings = Settings { algorithm: Some(algorithm), salt_position, ..settings() };
        let text = format!(r#"[{{"user_id":"u","password_hash":"{hash}","salt":"salt"}}]"#);
        let document = Format::EmqxJson.open(Some(text.as_bytes()), &settings).unwrap();
        assert_eq!(
            document.verify("u", &password("secret")),
            PasswordCheck::Right,
            "{algorithm} {salt_position:?}"
        );
        let text = with(Format::EmqxJson, None, &settings, "u", "secret");
        let document = Format::EmqxJson.open(Some(text.as_bytes()), &settings).unwrap();
        assert_eq!(
            document.verify("u", &password("secret")),
            PasswordCheck::Right,
            "{algorithm} {salt_position:?}"
        );
        assert_eq!(document.verify("u", &password("Secret")), PasswordCheck::Wrong);
    }
}

#[test]
fn an_algorithm_that_the_format_does_not_have_is_refused() {
    let pbkdf2 = Settings { algorithm: Some(Algorithm::Pbkdf2Sha512), ..settings() };
    assert!(Format::RabbitMq.secret(&password("x"), &pbkdf2).is_err());
    let suffix = Settings { salt_position: SaltPosition::Suffix, ..pbkdf2 };
    assert!(Format::EmqxCsv.secret(&password("x"), &suffix).is_err());
}

/// The users of the extension's README.
const HIVEMQ: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<file-rbac>
  <users>
    <user>
      <name>user1</name>
      <!--- password hash for "pass1" -->
      <password>WFNQUVB0UkxjM04xa0hSR1BQNGhuOTJKVzdlbXA4bjk=:100:FY12nwpUEbBK9EKQ/Aw/rQKSoA7jXsC0HKELwU2mLCVU39bJVK0zf4NemuFeDOHPO4BW1nOjxi6NporkC6rUog==</password>
      <roles>
        <id>role1</id>
      </roles>
    </user>
    <user>
      <name>admin-user</name>
      <password>Vjc1a0lxQ3Nvb0ljNFVHNE9WRnM3RG1IZmdNUFcwVGY=:100:PL2FLqfpdhONG7qXjAMmdVn4wlMiXnypdXiFW09zqorFhKgoiixFQw2EVJJfE9Zn79q45V7Xpc6JeKLp0ntmYA==</password>
      <roles><id>role1</id><id>superuser</id></roles>
    </user>
  </users>
  <roles>
    <role><id>role1</id></role><role><id>superuser</id></role>
  </roles>
</file-rbac>
"#;

#[test]
fn hivemq_hashes_as_its_readme_does() {
    let document = open(Format::HiveMq, HIVEMQ);
    assert_eq!(document.verify("user1", &password("pass1")), PasswordCheck::Right);
    assert_eq!(document.verify("admin-user", &password("admin-password")), PasswordCheck::Right);
    assert_eq!(document.verify("admin-user", &password("pass1")), PasswordCheck::Wrong);
    let scheme = "PBKDF2-SHA512, 100 iterations".to_owned();
    assert_eq!(document.users()[0], User { name: "user1".to_owned(), scheme, is_weak: true });
}

#[test]
fn a_hivemq_password_of_two_parts_lets_nobody_in() {
    let document = open(Format::HiveMq, &HIVEMQ.replace(":100:", ":"));
    assert!(matches!(document.verify("user1", &password("pass1")), PasswordCheck::Unusable(_)));
}

#[test]
fn hivemqs_document_changes_only_where_the_user_is() {
    let role = Settings { role: Some("role1".to_owned()), ..settings() };
    let added = with(Format::HiveMq, Some(HIVEMQ), &role, "new <&>", "secret");
    let (before, after) = HIVEMQ.split_at(HIVEMQ.find("\n  </users>").unwrap());
    let user = added.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)).unwrap();
    assert!(user.starts_with("\n    <user>\n        <name>new &lt;&amp;&gt;</name>\n"), "{user}");
    assert!(user.ends_with("<id>role1</id>\n        </roles>\n    </user>"), "{user}");
    let updated = with(Format::HiveMq, Some(HIVEMQ), &settings(), "user1", "secret");
    let (old, new): (Vec<&str>, Vec<&str>) = (HIVEMQ.lines().collect(), updated.lines().collect());
    let differing = old.iter().zip(&new).filter(|(old, new)| old != new).count();
    assert_eq!((old.len(), differing), (new.len(), 1));
    let mut document = open(Format::HiveMq, HIVEMQ);
    assert!(document.remove("user1"));
    let admin = HIVEMQ.find("\n    <user>\n      <name>admin").unwrap();
    let expected = format!("{}{}", &HIVEMQ[..HIVEMQ.find("\n    <user>").unwrap()], &HIVEMQ[admin..]);
    assert_eq!(text_of(&*document), expected);
}

#[test]
fn a_hivemq_user_needs_a_role_that_is_there() {
    let mut document = open(Format::HiveMq, HIVEMQ);
    let secret = Format::HiveMq.secret(&password("x"), &settings()).unwrap();
    let error = document.set("new", &secret).unwrap_err().to_string();
    assert!(error.contains("role1") && error.contains("superuser"), "{error}");
    let other = Settings { role: Some("other".to_owned()), ..settings() };
    assert!(Format::HiveMq.open(Some(HIVEMQ.as_bytes()), &other).is_err());
}

#[test]
fn hivemq_users_are_put_into_an_empty_element() {
    let text = "<file-rbac><users/><roles><role><id>r</id></role></roles></file-rbac>";
    let role = Settings { role: Some("r".to_owned()), ..settings() };
    let text = with(Format::HiveMq, Some(text), &role, "ann", "secret");
    assert_eq!(
        open(Format::HiveMq, &text).verify("ann", &password("secret")),
        PasswordCheck::Right,
        "{text}"
    );
    let text = "<file-rbac><users><user><name>ann</name><roles/></user></users></file-rbac>";
    let text = with(Format::HiveMq, Some(text), &settings(), "ann", "secret");
    assert_eq!(
        open(Format::HiveMq, &text).verify("ann", &password("secret")),
        PasswordCheck::Right,
        "{text}"
    );
}

#[test]
fn json_keeps_everything_else() {
    let text = "{\n\t\"z\": 1.50,\n\t\"big\": 123456789012345678901234567890,\n\t\"e\": 1e+2,\n\t\"clients\": [\n\t\t{\n\t\t\t\
                \"textname\": \"kept\",\n\t\t\t\"username\": \"a\",\n\t\t\t\"encoded_password\": \"x\",\n\t\t\t\"roles\": []\n\t\t}\n\t],\n\t\
                \"a\": null\n}";
    assert_eq!(text_of(&*open(Format::Dynsec, text)), text);
    let changed = with(Format::Dynsec, Some(text), &settings(), "a", "secret");
    let kept = text.replace("\t\t\t\"encoded_password\": \"x\",\n", "");
    let (before, after) = kept.split_at(kept.find("\"roles\": []").unwrap() + "\"roles\": []".len());
    let keys = changed.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)).unwrap();
    assert!(keys.starts_with(",\n\t\t\t\"password\": \""), "{keys}");
    assert!(
        keys.contains(",\n\t\t\t\"salt\": \"") && keys.ends_with(",\n\t\t\t\"iterations\": 101"),
        "{keys}"
    );
    assert_eq!(open(Format::Dynsec, &changed).verify("a", &password("secret")), PasswordCheck::Right);
}

#[test]
fn json_on_one_line_stays_on_one_line() {
    let text = r#"{"rabbit_version":"3.13.0","users":[],"permissions":[],"x":[1,{"y":2.0}]}"#;
    assert_eq!(text_of(&*open(Format::RabbitMq, text)), text);
    assert_eq!(with(Format::RabbitMq, Some(text), &settings(), "a", "b").lines().count(), 1);
}

#[test]
fn a_client_of_mosquitto_2_1_is_verified() {
    let hash = Scheme::Pbkdf2Sha512 { iterations: NonZeroU32::new(7).unwrap(), salt_len: 64 };
    let hash = hash.hash(&password("secret")).unwrap();
    let text = format!(
        r#"{{"clients":[{{"username":"a","encoded_password":"{hash}"}},{{"username":"b","disabled":true}}]}}"#
    );
    let document = open(Format::Dynsec, &text);
    assert_eq!(document.verify("a", &password("secret")), PasswordCheck::Right);
    assert_eq!(
        document.verify("b", &password("secret")),
        PasswordCheck::Unusable("it has no iterations".to_owned())
    );
    assert_eq!(document.users()[1].scheme, "unusable: it has no iterations, disabled");
}

#[test]
fn a_removed_user_is_removed_everywhere() {
    let text = r#"{"clients":[{"username":"a"},{"username":"b"}],"groups":[{"groupname":"g","clients":[{"username":"a"},{"username":"b"}]}]}"#;
    let mut document = open(Format::Dynsec, text);
    assert!(document.remove("a"));
    let expected =
        r#"{"clients":[{"username":"b"}],"groups":[{"groupname":"g","clients":[{"username":"b"}]}]}"#;
    assert_eq!(text_of(&*document), expected);
    let text = with(Format::RabbitMq, None, &settings(), "a", "x");
    let mut document = open(Format::RabbitMq, &text);
    assert!(document.remove("a"));
    assert!(!text_of(&*document).contains("\"a\""));
}

#[test]
fn a_new_rabbitmq_user_may_do_everything_in_one_virtual_host() {
    let here = Settings { virtual_host: "here".to_owned(), ..settings() };
    let text = with(Format::RabbitMq, None, &here, "a", "x");
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["vhosts"], serde_json::json!([{"name": "here"}]));
    let permission =
        serde_json::json!({"user": "a", "vhost": "here", "configure": ".*", "write": ".*", "read": ".*"});
    assert_eq!(document["permissions"], serde_json::json!([permission]));
    assert_eq!(with(Format::RabbitMq, Some(&text), &here, "a", "y").matches("\"vhost\"").count(), 1);
}

#[test]
fn rabbitmq_has_no_empty_passwords() {
    assert!(Format::RabbitMq.secret(&password(""), &settings()).is_err());
}

#[test]
fn csv_keeps_its_columns_their_order_and_its_lines() {
    let text = "salt , user_id,password_hash, namespace\r\ns,a,h,ns\r\n , b ,h,\r\n";
    let changed = with(Format::EmqxCsv, Some(text), &settings(), "b", "secret");
    assert!(changed.starts_with("salt , user_id,password_hash, namespace\r\ns,a,h,ns\r\n"), "{changed}");
    assert!(changed.ends_with(",\r\n"), "{changed}");
    assert_eq!(open(Format::EmqxCsv, &changed).verify("b", &password("secret")), PasswordCheck::Right);
    let added = with(Format::EmqxCsv, Some(&changed), &settings(), "c", "secret");
    assert_eq!(open(Format::EmqxCsv, &added).verify("c", &password("secret")), PasswordCheck::Right);
    assert_eq!(added.lines().count(), 4);
}

#[test]
fn nanomq_keeps_comments_and_reads_lines_written_by_hand() {
    let text = "# users\n\n\"a\" = \"x y\",\n  \"b\":\"z\"\n";
    assert_eq!(open(Format::NanoMq, text).verify("a", &password("x y")), PasswordCheck::Right);
    let changed = with(Format::NanoMq, Some(text), &settings(), "b", "new");
    assert_eq!(changed, "# users\n\n\"a\" = \"x y\",\n\"b\": \"new\"\n");
}

#[test]
fn documents_that_the_broker_would_stumble_over_are_refused() {
    let hash = "$6$AAAAAAAAAAAAAAAA$";
    for (format, text, part) in [
        (Format::Dynsec, "", "JSON"),
        (Format::Dynsec, "{", "JSON"),
        (Format::Dynsec, "[]", "clients"),
        (Format::Dynsec, "{\"clients\":{}}", "clients"),
        (Format::Dynsec, "{\"clients\":[{}]}", "user 1"),
        (Format::Dynsec, "{\"clients\":[{\"username\":\"a\"},{\"username\":\"a\"}]}", "duplicate user \"a\""),
        (Format::Dynsec, "{\"clients\":[],\"x\":{\"k\":1,\"k\":2}}", "duplicate key \"k\""),
        (Format::EmqxJson, "{}", "array"),
        (Format::EmqxJson, "[{\"user_id\":\"a\",\"password\":\"x\"}]", "plain passwords"),
        (Format::EmqxCsv, "", "line 1"),
        (Format::EmqxCsv, "user_id,password,is_superuser\n", "password_hash"),
        (Format::EmqxCsv, "user_id,password_hash\na,b,c\n", "line 2: expected 2 cells"),
        (Format::EmqxCsv, "user_id,password_hash\na,b\na,c\n", "line 3"),
        (Format::RabbitMq, "{\"users\":[],\"permissions\":{}}", "permissions"),
        (Format::VerneMq, "# comment\n", "line 1"),
        (Format::VerneMq, "\nu:$7$101$AAAA$AAAA\n", "line 2"),
        (Format::VerneMq, &format!("u:{hash}\r\n"), "carriage return"),
        (Format::VerneMq, "u:secret", "line 1"),
        (Format::HiveMq, "", "XML"),
        (Format::HiveMq, "<a/>", "<a>"),
        (Format::HiveMq, "<file-rbac/>", "<users>"),
        (Format::HiveMq, "<file-rbac><users><user/></users></file-rbac>", "line 1"),
        (Format::HiveMq, "<!DOCTYPE x [<!ENTITY a \"b\">]><file-rbac><users/></file-rbac>", "XML"),
        (
            Format::HiveMq,
            "<?xml version=\"1.0\" encoding=\"latin1\"?><file-rbac><users/></file-rbac>",
            "UTF-8",
        ),
        (Format::NanoMq, "a:b\n", "line 1"),
        (Format::NanoMq, "\"a\": \"b\"\n\"a\": \"c\"\n", "line 2"),
    ] {
        let error = refusal(format, text);
        assert!(error.contains(part), "{format:?} {text:?}: {error:?}");
    }
}

#[test]
fn depth_and_length_do_no_harm() {
    assert!(refusal(Format::Dynsec, &"[".repeat(1_000_000)).contains("JSON"));
    assert!(refusal(Format::EmqxJson, &format!("[{}]", "{\"a\":".repeat(100_000))).contains("JSON"));
    assert!(refusal(Format::HiveMq, &"<a>".repeat(1_000_000)).contains("XML"));
    let iterations =
        r#"{"clients":[{"username":"a","password":"AA==","salt":"AA==","iterations":4294967295}]}"#;
    let verdict = open(Format::Dynsec, iterations).verify("a", &password("x"));
    assert!(matches!(verdict, PasswordCheck::Unusable(_)), "{verdict:?}");
}

#[test]
fn names_that_a_format_cannot_hold_are_refused() {
    for format in Format::ALL {
        for name in ["", "a\nb", "a\u{7f}", &"x".repeat(65_536)] {
            assert!(format.check_name(name).is_err(), "{format:?} {name:?}");
        }
        assert_eq!(format.check_name("ordinary name é"), Ok(()));
    }
    for (format, name) in [
        (Format::EmqxCsv, "a,b"),
        (Format::EmqxCsv, " a"),
        (Format::VerneMq, "a:b"),
        (Format::HiveMq, "a#"),
        (Format::HiveMq, "\u{ffff}"),
        (Format::NanoMq, "a\"b"),
        (Format::NanoMq, "a\\b"),
    ] {
        assert!(format.check_name(name).is_err(), "{format:?} {name:?}");
    }
    for word in ["\"", "\\", "a\nb"] {
        assert!(Format::NanoMq.secret(&password(word), &settings()).is_err(), "{word:?}");
    }
}
