//! `mq config init`, `list`, `set` and `edit`.

use super::*;
use std::fs;

/// An empty directory for the file of profiles.
struct Empty {
    directory: TempDir,
}

impl Empty {
    fn new() -> Empty {
        Empty { directory: TempDir::new().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("mq/config.toml")
    }

    fn mq(&self, words: &str) -> Program {
        mq(words).env("XDG_CONFIG_HOME", self.directory.path())
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }

    fn mode(&self) -> u32 {
        fs::metadata(self.path()).unwrap().permissions().mode() & 0o777
    }
}

#[test]
fn init_writes_a_valid_example_for_its_owner_alone() {
    let empty = Empty::new();
    assert_says(&empty.mq("config list").run().fail(1), &["does not exist; `mq config init` writes one"]);
    assert_eq!(empty.mq("config init").run().succeed(), format!("{}\n", empty.path().display()));
    assert_eq!(empty.mode(), 0o600);
    assert_says(&empty.mq("config check").run().succeed(), &["no mistakes; profiles: local"]);
    // The commented lines are valid, too.
    let all: String = empty
        .text()
        .lines()
        .map(|line| {
            let is_setting = line.starts_with('#') && (line.contains(" = ") || line.starts_with("#["));
            format!("{}\n", if is_setting { &line[1..] } else { line })
        })
        .collect();
    fs::write(empty.path(), all).unwrap();
    assert_says(&empty.mq("config check").run().succeed(), &["profiles: local, home, cloud"]);
    assert_eq!(
        empty.mq("config list").run().succeed(),
        "local  localhost  (default)\nhome   broker.example:8883\ncloud  mqtts://cloud.example\n"
    );
}

#[test]
fn init_replaces_a_file_only_with_force() {
    let empty = Empty::new();
    fs::create_dir(empty.directory.path().join("mq")).unwrap();
    fs::write(empty.path(), "# mine\n").unwrap();
    let stderr = empty.mq("config init").run().fail(1);
    assert_says(&stderr, &["it exists; `mq config edit` opens it, --force replaces it"]);
    assert_eq!(empty.text(), "# mine\n");
    empty.mq("config init --force").run().succeed();
    assert_says(&empty.text(), &["[profile.local]"]);
    assert_eq!(empty.mode(), 0o600);
    assert_says(&empty.mq("config init").env("MQ_CONFIG", "").run().fail(2), &["MQ_CONFIG is empty"]);
}

#[test]
fn set_changes_one_value_and_keeps_the_rest() {
    let empty = Empty::new();
    empty.mq("config set --profile home host broker.example").run().succeed();
    assert_eq!(empty.text(), "[profile.home]\nhost = \"broker.example\"\n");
    assert_eq!(empty.mode(), 0o600);
    empty.mq("config set default-profile home").run().succeed();
    empty.mq("config set --profile home port 1884").run().succeed();
    empty.mq("config set --profile home password -").stdin("xyzzy\n").run().succeed();
    empty.mq("config set --profile home username ann").run().succeed();
    empty.mq("config set keepalive 30").run().succeed();
    assert_eq!(
        empty.text(),
        "default-profile = \"home\"\n\n[profile.home]\nhost = \"broker.example\"\nport = 1884\npassword = \"xyzzy\"\nusername = \"ann\"\n\n[defaults]\nkeepalive = 30\n"
    );
    assert_eq!(empty.mq("config list").run().succeed(), "home  broker.example:1884  (default)\n");
    let json = empty.mq("config list --json").run().succeed();
    assert_says(
        &json,
        &["\"default\":\"home\"", "\"profiles\":[{\"name\":\"home\",\"broker\":\"broker.example:1884\"}]"],
    );
    assert!(!json.contains("xyzzy"));
}

#[test]
fn set_refuses_what_check_would_report() {
    let empty = Empty::new();
    empty.mq("config init").run().succeed();
    let before = empty.text();
    for (words, problem) in [
        ("config set hostt a", "did you mean 'host'"),
        ("config set port 70000", "'70000' for --port"),
        ("config set ws yes", "true or false"),
        ("config set default-profile nobody", "unknown profile \"nobody\""),
    ] {
        assert_says(&empty.mq(words).run().fail(2), &[problem]);
    }
    assert_eq!(empty.text(), before);
    fs::write(empty.path(), "[defaults\n").unwrap();
    assert_says(&empty.mq("config set host a").run().fail(2), &["line 1, column 10"]);
    fs::write(empty.path(), "[defaults]\n").unwrap();
    fs::set_permissions(empty.path(), fs::Permissions::from_mode(0o644)).unwrap();
    assert_says(&empty.mq("config set password -").stdin("x\n").run().fail(2), &["chmod 600"]);
}

#[test]
fn edit_opens_the_file_and_checks_it() {
    let empty = Empty::new();
    let shown = empty.mq("config edit").env("EDITOR", "sed -i 's/localhost/here.example/'").run().succeed();
    assert_says(&shown, &["no mistakes; profiles: local"]);
    assert_says(&empty.text(), &["host = \"here.example\""]);
    let stderr = empty.mq("config edit").env("VISUAL", "sed -i s/host/hostt/").run().fail(2);
    assert_says(&stderr, &["unknown key \"hostt\"; did you mean 'host'?"]);
    assert_says(
        &empty.mq("config edit").env("EDITOR", "/nonexistent/vi").run().fail(1),
        &["set VISUAL or EDITOR"],
    );
    assert_says(&empty.mq("config edit").env("EDITOR", "false").run().fail(1), &["exit status: 1"]);
}
