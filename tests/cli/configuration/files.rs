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
fn set_and_unset_keep_the_line_ends_of_windows() {
    let profiles = Profiles::new("# Mine.\r\n[defaults]\r\nhost = 'a'\r\n");
    profiles.mq("config set keepalive 30").run().succeed();
    profiles.mq("config set --profile home port 1884").run().succeed();
    profiles.mq("config set default-profile home").run().succeed();
    let text =
        "# Mine.\r\n[defaults]\r\nhost = 'a'\r\nkeepalive = 30\r\n\r\n[profile.home]\r\nport = 1884\r\n";
    let first = "default-profile = \"home\"\r\n\r\n";
    assert_eq!(fs::read_to_string(profiles.path()).unwrap(), format!("{first}{text}"));
    profiles.mq("config unset host").run().succeed();
    let expected = format!("{first}{}", text.replace("host = 'a'\r\n", ""));
    assert_eq!(fs::read_to_string(profiles.path()).unwrap(), expected);
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

impl Empty {
    fn with(text: &str) -> Empty {
        let empty = Empty::new();
        fs::create_dir(empty.directory.path().join("mq")).unwrap();
        fs::write(empty.path(), text).unwrap();
        fs::set_permissions(empty.path(), fs::Permissions::from_mode(0o600)).unwrap();
        empty
    }
}

#[test]
fn set_refuses_a_value_that_contradicts_another_one() {
    let text = "[defaults]\nkeepalive = 30\n[profile.home]\nhost = 'a'\nid = 'x'\n";
    for (words, parts) in [
        ("--profile home unix /a", &["[profile.home]: ", "--unix", "-h"][..]),
        ("--profile home id-prefix y", &["[profile.home]: ", "--id-prefix"]),
        ("will-qos 3", &["'3' for --will-qos"]),
    ] {
        let empty = Empty::with(text);
        let stderr = empty.mq(&format!("config set {words}")).run().fail(2);
        assert_says(&stderr, parts);
        assert_eq!(empty.text(), text, "{words}");
    }
    let empty = Empty::with("[defaults]\nhost = 'a'\n");
    assert_says(&empty.mq("config set unix /a").run().fail(2), &["[defaults]: ", "--unix"]);
    let empty = Empty::with("[profile.home]\nprotocol-version = 311\n");
    let set = empty.mq("config set --profile home session-expiry-interval 3").run().fail(2);
    assert_says(&set, &["[profile.home]: -x needs MQTT 5"]);
}

#[test]
fn set_says_what_is_still_missing() {
    let empty = Empty::new();
    let first = empty.mq("config set --profile home cert c.pem").run();
    assert_says(&first.stderr, &["[profile.home]: ", "--key"]);
    first.expect_status(0);
    let second = empty.mq("config set --profile home key k.pem").run();
    assert_eq!(second.stderr, "");
    second.expect_status(0);
    assert_says(&empty.mq("config check").run().succeed(), &["no mistakes"]);
}

#[test]
fn the_order_of_the_keys_does_not_decide_what_set_accepts() {
    for first in ["port 0", "will-payload x", "ws-header a:b"] {
        let empty = Empty::new();
        let set = empty.mq(&format!("config set --profile home {first}")).run();
        assert_says(&set.stderr, &["[profile.home]: ", " needs "]);
        set.expect_status(0);
        if first != "port 0" {
            let host = empty.mq("config set --profile home host").arg("a b").run().fail(2);
            assert_says(&host, &["the host contains a space"]);
        }
        empty.mq("config set --profile home id x").run().expect_status(0);
        let prefix = empty.mq("config set --profile home id-prefix y").run().fail(2);
        assert_says(&prefix, &["--id-prefix"]);
    }
    let empty = Empty::new();
    empty.mq("config set port 0").run().expect_status(0);
    assert_eq!(empty.mq("config set host").arg("/run/a b").run().stderr, "");
    assert_says(&empty.mq("config check").run().succeed(), &["no mistakes"]);
    let both = Empty::with("[profile.home]\ncert = 'a'\nwill-payload = 'a'\nport = 0\n");
    let check = both.mq("config check").run().fail(2);
    assert_says(&check, &["--cert needs --key", "--will-payload needs --will-topic", "-p 0 needs"]);
}

#[test]
fn mistakes_elsewhere_do_not_prevent_a_change() {
    let text = "[defaults]\nport = 'x'\nhostt = 'a'\nws = 1\n[profile.home]\nport = 70000\n";
    let empty = Empty::with(text);
    let set = empty.mq("config set --profile work port 1884").run();
    assert_eq!(set.stderr, "mq config: the file has mistakes; `mq config check` reports them\n");
    set.expect_status(0);
    for words in ["set port 1883", "set ws true", "unset hostt", "set --profile home port 1885"] {
        empty.mq(&format!("config {words}")).run().expect_status(0);
    }
    assert_says(&empty.mq("config check").run().succeed(), &["no mistakes; profiles: home, work"]);
    let unreadable = Empty::with("[defaults]\nport = \n");
    let stderr = unreadable.mq("config set port 1").run().fail(2);
    assert_says(&stderr, &["line 2", "`mq config edit` opens the file"]);
}

#[test]
fn check_reports_contradictions_of_the_defaults() {
    let empty = Empty::with("[defaults]\nhost = 'a'\nunix = '/a'\n");
    assert_says(&empty.mq("config check").run().fail(2), &["line 2, column 1: ", "--unix"]);
    let chosen =
        "default-profile = 'home'\n[defaults]\nid = 'a'\nid-prefix = 'b'\n[profile.home]\nid = 'c'\n";
    Empty::with(chosen).mq("config check").run().succeed();
}

#[test]
fn unset_removes_a_value_and_keeps_the_rest() {
    let text = "# Mine.\n[profile.home] # here\nhost = 'a' # the host\npassword = 'xyzzy'\n\n# The end.\n";
    let empty = Empty::with(text);
    empty.mq("config unset --profile home password").run().succeed();
    empty.mq("config unset --profile home host").run().succeed();
    assert_eq!(empty.text(), "# Mine.\n[profile.home] # here\n# the host\n\n# The end.\n");
    assert_eq!(empty.mode(), 0o600);
    assert_says(&empty.mq("config unset --profile home host").run().fail(2), &["host is not set"]);
    assert_says(&empty.mq("config unset --profile hom host").run().fail(2), &["did you mean 'home'?"]);
    assert_says(&empty.mq("config unset hostt").run().fail(2), &["did you mean 'host'?"]);
    assert_says(&Empty::new().mq("config unset host").run().fail(1), &["No such file"]);
    let exposed = Empty::with("[defaults]\npassword = 'a'\npsk = '00'\npsk-identity = 'b'\n");
    fs::set_permissions(exposed.path(), fs::Permissions::from_mode(0o644)).unwrap();
    exposed.mq("config unset password").run().expect_status(0);
    exposed.mq("config set host h").run().expect_status(0);
    // A password would be as readable.
    let named = Empty::with("default-profile = 'a'\nprofile.a.host = 'b'\n");
    assert_says(&named.mq("config unset --profile a host").run().fail(2), &["unknown profile \"a\""]);
}

#[test]
fn comments_in_lists_survive_set() {
    let text = "[profile.a]\nproperty = [\n  # Where it is.\n  'connect user-property site 7', # north\n  'connect receive-maximum 100', # few\n]\n";
    let empty = Empty::with(text);
    let set = |values: &[&str]| {
        let program = empty.mq("config set --profile a property");
        values.iter().fold(program, Program::arg).run().succeed();
    };
    set(&["connect user-property site 7", "connect receive-maximum 50"]);
    assert_eq!(empty.text(), text.replace("'connect receive-maximum 100'", "\"connect receive-maximum 50\""));
    set(&["connect user-property site 7"]);
    assert_eq!(
        empty.text(),
        "[profile.a]\nproperty = [\n  # Where it is.\n  'connect user-property site 7', # north\n  # few\n]\n"
    );
}

#[test]
fn a_link_that_leads_nowhere_gets_its_file() {
    for words in ["config init", "config set host broker.example", "config edit"] {
        let empty = Empty::new();
        fs::create_dir(empty.directory.path().join("mq")).unwrap();
        std::os::unix::fs::symlink("../kept/mq.toml", empty.path()).unwrap();
        let check = empty.mq("config check").run().fail(1);
        assert_says(&check, &["config.toml, a link to ../kept/mq.toml, does not exist"]);
        empty.mq(words).env("EDITOR", "true").run().succeed();
        assert!(fs::symlink_metadata(empty.path()).unwrap().is_symlink(), "{words}");
        let kept = empty.directory.path().join("kept/mq.toml");
        assert!(fs::read_to_string(&kept).unwrap().contains("host = "), "{words}");
        empty.mq("config set port 1884").run().succeed();
        assert!(fs::read_to_string(&kept).unwrap().contains("port = 1884"), "{words}");
    }
}

#[test]
fn messages_have_the_path_from_the_root() {
    let empty = Empty::with("[defaults]\npassword = 'x'\n");
    fs::set_permissions(empty.path(), fs::Permissions::from_mode(0o644)).unwrap();
    for (variable, value) in [("MQ_CONFIG", "mq/config.toml"), ("XDG_CONFIG_HOME", ".")] {
        let line = format!("cd {} && exec {} config check", empty.directory.path().display(), mq_path());
        let program = Program::new("sh").arg("-c").arg(line);
        let stderr = program.env(variable, value).run().fail(2);
        assert_says(&stderr, &[&format!("chmod 600 {}", empty.path().display())]);
    }
}

#[test]
fn a_value_that_is_typed_at_a_prompt_is_not_shown() {
    let empty = Empty::new();
    let line = format!(
        "XDG_CONFIG_HOME={} {} config set --profile home password -; echo status $?; stty -a",
        empty.directory.path().display(),
        mq_path()
    );
    let Some(mut running) = on_a_terminal(&line) else { return };
    running.wait_for_part_of_stdout("Value of password: ");
    running.write("xyzzy\r");
    let text = String::from_utf8(running.finish().stdout).unwrap();
    assert_says(&text, &["status 0", " echo "]);
    assert!(!text.contains("xyzzy"), "{text}");
    assert_eq!(empty.text(), "[profile.home]\npassword = \"xyzzy\"\n");
}

#[test]
fn hints_name_the_help_of_the_command() {
    for (words, help) in [
        ("config set --bogus", "mq config set --help"),
        ("config check --bogus", "mq config check --help"),
        ("config --bogus", "mq config --help"),
        ("config set host", "mq config set --help"),
        ("passwd check --bogus", "mq passwd check --help"),
    ] {
        assert_says(&mq(words).run().fail(2), &[&format!("hint: `{help}` lists all options")]);
    }
    assert_says(&mq("config show --jsn").run().fail(2), &["did you mean '--json'?"]);
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
