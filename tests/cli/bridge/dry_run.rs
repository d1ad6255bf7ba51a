//! `--dry-run`: the result of each rule, without a broker.

use super::*;

fn dry_run(topic: &str, rules: &[&str]) -> String {
    let program = mq(&format!("bridge --from localhost --to localhost:1 --dry-run {topic}"));
    rules.iter().fold(program, Program::arg).run().succeed()
}

#[test]
fn each_rule_says_what_it_makes_of_a_topic() {
    let rules = ["sensors/# out 1 \"\" site1/", "sensors/a out 2 \"\" site1/", "jobs/# both 2"];
    assert_eq!(
        dry_run("sensors/a", &rules),
        "out: sensors/a at the local broker\n  \
         rule 'sensors/# out 1 \"\" site1/': site1/sensors/a, QoS 1\n  \
         rule 'sensors/a out 2 \"\" site1/': site1/sensors/a, QoS 2\n  \
         rule 'jobs/# both 2': no match for jobs/#\n  \
         forwarded to site1/sensors/a at the remote broker, up to QoS 2\n\
         in: sensors/a at the remote broker\n  \
         rule 'jobs/# both 2': no match for jobs/#\n  \
         not forwarded\n"
    );
}

#[test]
fn topics_that_cannot_be_published_to_are_reported() {
    let rules = ["# out 0 a/ \"\""];
    let text = dry_run("a/$SYS/x", &rules);
    assert_says(&text, &["matches, but its target is not a topic to publish to", "not forwarded"]);
}

#[test]
fn shared_subscriptions_lose_their_group() {
    let rules = ["$share/g/jobs/# in 1"];
    assert_says(&dry_run("jobs/1", &rules), &["forwarded to jobs/1 at the local broker, up to QoS 1"]);
}

#[test]
fn json_has_an_object_for_each_rule_and_direction() {
    let text = dry_run("a --json", &["a both 1 l/ r/", "\"\" out 0 a b"]);
    assert_eq!(
        text,
        "{\"bridge\":\"NAME\",\"rule\":\"a both 1 l/ r/\",\"direction\":\"out\",\"matches\":false,\"target\":null,\"qos\":1}\n\
         {\"bridge\":\"NAME\",\"rule\":\"\\\"\\\" out 0 a b\",\"direction\":\"out\",\"matches\":true,\"target\":\"b\",\"qos\":0}\n\
         {\"bridge\":\"NAME\",\"rule\":\"a both 1 l/ r/\",\"direction\":\"in\",\"matches\":false,\"target\":null,\"qos\":1}\n"
            .replace("NAME", text.split('"').nth(3).unwrap())
    );
}
