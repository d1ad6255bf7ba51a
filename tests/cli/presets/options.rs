//! The options themselves: in profiles, in combination, and without a preset.

use super::*;
use tempfile::TempDir;

#[test]
fn an_unknown_service_is_told_the_known_ones() {
    let failed = mq("pub -t a -m x --preset gcp").run().fail(2);
    assert_says(&failed, &["--preset", "gcp", "expected aws, azure-iothub or azure-eventgrid"]);
}

#[test]
fn options_of_a_service_need_the_preset() {
    for words in ["--device d", "--sas-key-file f", "--authorizer a"] {
        let failed = mq("pub -t a -m x").words(words).run().fail(2);
        assert_first_line(&failed, "mq pub: missing --preset SERVICE");
    }
}

#[test]
fn a_preset_does_not_name_a_topic_where_nothing_does() {
    for command in ["pub -m x", "sub"] {
        let failed = mq(command).words("--preset aws -h a.example -u ann").run().fail(2);
        assert_says(&failed, &["missing -t"]);
    }
}

#[test]
fn a_profile_can_hold_it_all() {
    let directory = TempDir::new().unwrap();
    let key = directory.path().join("device.key");
    std::fs::write(&key, "AAECAw==").unwrap();
    std::fs::create_dir(directory.path().join("mq")).unwrap();
    let text = "[profile.hub]\npreset = \"azure-iothub\"\ndevice = \"d1\"\nhost = \"contoso.azure-devices.net\"\nsas-key-file = \"../device.key\"\n";
    std::fs::write(directory.path().join("mq/config.toml"), text).unwrap();
    let run = |words: &str| mq(words).env("XDG_CONFIG_HOME", directory.path()).run();
    let failed = run("pub --profile hub -t a -m x").fail(2);
    assert_says(&failed, &["does not support this topic; the topics of this client begin with devices/d1/"]);
    run("config check").succeed();
}
