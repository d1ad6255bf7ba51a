//! Several brokers in tabs.

use super::super::support::*;
use super::{home, top};
use tempfile::TempDir;

#[test]
fn several_brokers_have_a_tab_each() {
    let (broker, other) = (home(), EmbeddedBroker::start());
    other.mq("pub -t elsewhere -m 1 -r -q 1").run().succeed();
    let Some(mut terminal) = top(&broker, &format!("--also mqtt://{}", other.address())) else { return };
    terminal.wait_for("[1/2]");
    terminal.wait_for("garden");
    terminal.keys("\t");
    terminal.wait_for("[2/2]");
    terminal.wait_for("elsewhere");
    terminal.keys("\t");
    terminal.wait_for("garden");
    drop(other);
    terminal.keys("\u{1b}[Z");
    terminal.wait_for("DISCONNECTED");
    assert_says(&terminal.screen(), &["elsewhere"]);
    terminal.keys("q");
    terminal.end(0);
}

#[test]
fn a_tab_without_a_connection_does_not_end_the_others() {
    let (broker, mut other) = (home(), EmbeddedBroker::start());
    other.kill();
    let Some(mut terminal) = top(&broker, &format!("--also mqtt://{}", other.address())) else { return };
    terminal.wait_for("garden");
    terminal.keys("\t");
    terminal.wait_for("DISCONNECTED, again in ");
    assert_says(&terminal.screen(), &[&format!("cannot connect to {}", other.address())]);
    terminal.keys("?");
    terminal.wait_for("any key closes");
    terminal.keys("q\t");
    terminal.wait_for("garden");
    terminal.keys("\t");
    other.restart();
    terminal.wait_for("  connected  ");
    other.mq("pub -r -t elsewhere -m 1").run().succeed();
    terminal.wait_for("elsewhere");
    terminal.keys("q");
    terminal.end(0);
}

#[test]
fn the_first_tab_waits_for_its_broker_as_well() {
    let (mut broker, other) = (EmbeddedBroker::start(), home());
    broker.kill();
    let Some(mut terminal) = top(&broker, &format!("--also mqtt://{}", other.address())) else { return };
    terminal.wait_for("DISCONNECTED, again in ");
    broker.restart();
    terminal.wait_for("  connected  ");
    terminal.keys("q");
    terminal.end(0);
}

#[test]
fn a_tab_whose_broker_refuses_the_client_does_not_try_again() {
    let broker = home();
    let peer = ScriptedPeer::start(|acceptor| {
        let mut wire = acceptor.accept();
        wire.expect_type(0x10);
        wire.send("20 (00 86 00)");
    });
    let Some(mut terminal) = top(&broker, &format!("--also mqtt://{}", peer.address())) else { return };
    terminal.wait_for("garden");
    terminal.keys("\t");
    terminal.wait_for("NOT CONNECTED");
    assert_says(&terminal.screen(), &["the broker refused the connection: bad user name or password"]);
    terminal.keys("q");
    terminal.end(0);
    peer.finish();
}

#[test]
fn profiles_have_a_tab_each() {
    let (broker, other) = (home(), EmbeddedBroker::start());
    other.mq("pub -t elsewhere -m 1 -r -q 1").run().succeed();
    let directory = TempDir::new().unwrap();
    let config = directory.path().join("config.toml");
    let profile = |name: &str, server: &EmbeddedBroker, user: &str| {
        let port = server.address().port();
        format!("[profile.{name}]\nhost = \"127.0.0.1\"\nport = {port}\nusername = \"{user}\"\n")
    };
    std::fs::write(&config, profile("plant", &broker, "ann") + &profile("office", &other, "ben")).unwrap();
    let variables = format!("TERM=xterm MQ_CONFIG={}", config.display());
    let words = "top --profile plant --also office";
    let Some(mut terminal) = Terminal::start_with(&variables, words, 80, 24) else { return };
    terminal.wait_for("garden");
    assert_says(&terminal.screen(), &[&broker.address().port().to_string(), "[1/2]"]);
    terminal.keys("\t");
    terminal.wait_for("elsewhere");
    assert_says(&terminal.screen(), &[&other.address().port().to_string(), "[2/2]"]);
    terminal.keys("q");
    terminal.end(0);
    let words = "top --also plant --also home";
    let Some(terminal) = Terminal::start_with(&variables, words, 80, 24) else { return };
    assert_says(&terminal.end(2), &["--also: unknown profile \"home\""]);
}

#[test]
fn the_password_of_one_broker_is_not_sent_to_that_of_a_profile() {
    let (broker, other) = (home(), EmbeddedBroker::start());
    let directory = TempDir::new().unwrap();
    let config = directory.path().join("config.toml");
    let port = other.address().port();
    let place = format!("host = \"127.0.0.1\"\nport = {port}");
    let text = format!("[profile.office]\n{place}\nusername = \"ben\"\nask-password = true\n");
    std::fs::write(&config, text).unwrap();
    let variables = format!("TERM=xterm MQ_CONFIG={}", config.display());
    let words = format!("top {} -u ann --ask-password --also office", broker.options());
    let Some(mut terminal) = Terminal::start_with(&variables, &words, 80, 24) else { return };
    terminal.wait_for("ann");
    terminal.keys("one\n");
    terminal.wait_for("ben");
    terminal.keys("two\n");
    terminal.wait_for("garden");
    terminal.keys("q");
    terminal.end(0);
}
